-- Stock goes back: one open push a listing, frozen when it is first sent.

-- What makes a reading of any of its listings void.
ALTER TABLE inventory ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;

-- The number of the listing's last push; gapless.
ALTER TABLE listings ADD COLUMN push_no INTEGER NOT NULL DEFAULT 0;

CREATE TABLE stock_pushes (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    listing_id BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'done', 'void')),
    push_no INTEGER,
    delta INTEGER,
    detail TEXT,
    attempts INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    leased_until TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
);
CREATE UNIQUE INDEX stock_pushes_one_open ON stock_pushes (tenant_id, listing_id)
    WHERE status = 'open';
CREATE INDEX stock_pushes_due ON stock_pushes (tenant_id, due_at) WHERE status = 'open';
