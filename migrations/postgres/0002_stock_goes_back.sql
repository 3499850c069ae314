-- Stock goes back: one open push a listing, frozen when it is first sent.

-- What makes a reading of any of its listings void.
ALTER TABLE inventory ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;

-- The number of the listing's last push; gapless.
ALTER TABLE listings ADD COLUMN push_no BIGINT NOT NULL DEFAULT 0;

CREATE TABLE stock_pushes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    integration_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'done', 'void')),
    push_no BIGINT,
    delta BIGINT,
    detail TEXT,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    leased_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
);
CREATE UNIQUE INDEX stock_pushes_one_open ON stock_pushes (tenant_id, listing_id)
    WHERE status = 'open';
CREATE INDEX stock_pushes_due ON stock_pushes (tenant_id, due_at) WHERE status = 'open';
