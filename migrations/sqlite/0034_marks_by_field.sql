-- Whether products and customers of a store without the plugin are marked as well, by a custom field.
ALTER TABLE integrations ADD COLUMN mark_fields BOOLEAN NOT NULL DEFAULT FALSE;
-- When a shop without the plugin was asked to mark a thing, an order by its note: once is enough.
ALTER TABLE resources RENAME COLUMN noted_at TO marked_at;
DROP INDEX resources_without_note;
CREATE INDEX resources_without_mark ON resources (tenant_id, integration_id, resource, remote_id)
    WHERE marked_at IS NULL;
-- What a representation says is told by another digest from now on: what a person has left stays left.
UPDATE resources SET left_content = NULL WHERE left_at IS NOT NULL;
