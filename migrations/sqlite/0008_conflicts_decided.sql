-- What a person decided of a conflict; nothing where it went away by itself.
ALTER TABLE conflicts ADD COLUMN decision TEXT;
CREATE INDEX conflicts_waiting ON conflicts (tenant_id, kind) WHERE resolved_at IS NULL;
