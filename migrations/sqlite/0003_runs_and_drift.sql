-- What a run brought, what it found, and where a shop's stock is not what the ledger says.

-- A digest of the representation that is in the ledger: the same one again changes nothing.
ALTER TABLE resources ADD COLUMN content BLOB;

-- Whose number counts where somebody edited a stock in the shop; and since when its pushes wait for a
-- person, because they would empty too much at once.
ALTER TABLE integrations ADD COLUMN drift_policy TEXT NOT NULL DEFAULT 'ledger';
ALTER TABLE integrations ADD COLUMN deep_at TEXT;
ALTER TABLE integrations ADD COLUMN held_at TEXT;
ALTER TABLE integrations ADD COLUMN held_reason TEXT;

-- A person has said that these may empty what they empty.
ALTER TABLE stock_pushes ADD COLUMN approved BOOLEAN NOT NULL DEFAULT FALSE;

DROP TABLE sync_runs;

-- Work on a store, claimed by lease and resumed from its cursor. One of a kind is under way at a time.
CREATE TABLE sync_runs (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN
        ('sweep', 'reconcile', 'products', 'customers', 'orders', 'inventory')),
    cursor TEXT NOT NULL,
    due_at TEXT NOT NULL,
    leased_until TEXT,
    attempts INTEGER NOT NULL,
    error TEXT,
    seen INTEGER NOT NULL,
    total INTEGER,
    synced INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE UNIQUE INDEX sync_runs_one_active ON sync_runs (tenant_id, integration_id, kind)
    WHERE finished_at IS NULL;
CREATE INDEX sync_runs_due ON sync_runs (tenant_id, due_at) WHERE finished_at IS NULL;

-- What a run could not bring over, and why; the first thousand of a run.
CREATE TABLE run_findings (
    tenant_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    resource TEXT NOT NULL,
    remote_id INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('skipped', 'failed', 'drift')),
    label TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, resource, remote_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES sync_runs (tenant_id, id)
);

-- A settled reading that was not the mirror: somebody edited the stock in the shop.
CREATE TABLE drifts (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    listing_id BLOB NOT NULL,
    mirror INTEGER NOT NULL,
    reading INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('held', 'pushed', 'adopted')),
    created_at TEXT NOT NULL,
    resolved_at TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
);
CREATE UNIQUE INDEX drifts_one_held ON drifts (tenant_id, listing_id) WHERE status = 'held';
