-- What the panel's lists ask for is found by an index, however long the trade has gone on.

-- A list of sales is put together from those of each store: one that has sold little, or nothing for years, costs no
-- look at what the others sold.
DROP INDEX sales_placed;
DROP INDEX sales_status;
CREATE INDEX sales_placed ON sales (tenant_id, integration_id, COALESCE(ordered_at, created_at), id);
CREATE INDEX sales_status ON sales (tenant_id, integration_id, status, COALESCE(ordered_at, created_at), id);

-- What waits for a person is little among all that there is.
CREATE INDEX listings_waiting ON listings (tenant_id, id) WHERE state = 'waiting';
CREATE INDEX conflicts_unresolved ON conflicts (tenant_id, id) WHERE resolved_at IS NULL;

CREATE INDEX drifts_status ON drifts (tenant_id, status, id);
CREATE INDEX drifts_adopted ON drifts (tenant_id, integration_id, resolved_at) WHERE status = 'adopted';

-- Of a piece the listing in one store, of which there is one at most.
DROP INDEX listings_inventory;
CREATE INDEX listings_inventory ON listings (tenant_id, inventory_id, integration_id);

-- What one person, shop or program did.
CREATE INDEX audit_log_actor ON audit_log (tenant_id, actor, id);
