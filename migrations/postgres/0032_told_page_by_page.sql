-- What a store has still to be told, the newest first.
CREATE INDEX stock_pushes_open ON stock_pushes (tenant_id, integration_id, id) WHERE status = 'open';

-- What was decided of a store's differences, the newest first. Nothing that looks for one which waits is found by this.
CREATE INDEX drifts_decided ON drifts (tenant_id, integration_id, id) WHERE status <> 'held';
