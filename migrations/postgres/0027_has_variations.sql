-- Products that are sold as their variations, of whatever kind: plugins add kinds beside "variable".
ALTER TABLE products ADD COLUMN has_variations BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE products SET has_variations = TRUE WHERE kind = 'variable';
-- Of other kinds only their representation tells: it is taken for new when it is next read.
UPDATE resources SET content = NULL WHERE resource = 'product' AND EXISTS (
    SELECT 1 FROM products p
    WHERE p.tenant_id = resources.tenant_id AND p.integration_id = resources.integration_id
      AND p.remote_id = resources.remote_id
      AND p.kind NOT IN ('simple', 'variable', 'variation', 'grouped', 'external'));
