-- Whether what is brought over from a store is marked in it.
ALTER TABLE integrations ADD COLUMN marks BOOLEAN NOT NULL DEFAULT TRUE;
-- When an order was given a note in its shop that it is here, or was to be given one: once is enough.
ALTER TABLE resources ADD COLUMN noted_at TEXT;
CREATE INDEX resources_without_note ON resources (tenant_id, integration_id, resource, remote_id)
    WHERE resource = 'order' AND noted_at IS NULL;
