-- A run that is asked to begin anew while it is in hand begins anew when it is let go, here.
ALTER TABLE sync_runs ADD COLUMN again TEXT;

-- Which claim of a run is the newest: whoever holds an older one has lost it.
ALTER TABLE sync_runs ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;

-- What is due is asked for by store.
DROP INDEX stock_pushes_due;
CREATE INDEX stock_pushes_due ON stock_pushes (tenant_id, integration_id, due_at) WHERE status = 'open';
