-- When the next request to a store may leave, for all relays together. It holds nothing that a crash may not
-- take: without the log a place costs no write to the disk. Half of each page is left free, so that taking a
-- place rewrites a row where it stands.
CREATE UNLOGGED TABLE store_paces (
    tenant_id UUID NOT NULL,
    lane TEXT NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    paused_until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, lane),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) WITH (fillfactor = 50);
