-- What the numbers of a store's pushes count; nothing where they must begin anew when the plugin comes back.
ALTER TABLE integrations ADD COLUMN push_count TEXT;
-- So far a plugin calls it by the ledger's own name; where one is connected, its numbers go on.
UPDATE integrations SET push_count = lower(hex(tenant_id))
    WHERE EXISTS (SELECT 1 FROM connections c WHERE c.tenant_id = integrations.tenant_id
        AND c.integration_id = integrations.id AND c.revoked_at IS NULL);
-- Why stock does not go back, for people, until a push is through.
ALTER TABLE integrations ADD COLUMN push_trouble TEXT;
-- The number of a push's claim: an answer counts only under the newest.
ALTER TABLE stock_pushes ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
-- Whether it brings its listing from something to nothing; decided when it is frozen.
ALTER TABLE stock_pushes ADD COLUMN empties BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX stock_pushes_emptied ON stock_pushes (tenant_id, integration_id, finished_at)
    WHERE status = 'done' AND empties AND NOT approved;
-- Connections that have ended need no secret.
UPDATE connections SET secret = x'', previous_secret = NULL WHERE revoked_at IS NOT NULL;
