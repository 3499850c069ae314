-- When the next request to a store may leave, for all relays together. Here it stays empty: one process owns
-- the database, and keeps this in memory.
CREATE TABLE store_paces (
    tenant_id BLOB NOT NULL,
    lane TEXT NOT NULL,
    next_at TEXT NOT NULL,
    paused_until TEXT NOT NULL,
    PRIMARY KEY (tenant_id, lane),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
