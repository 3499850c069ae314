-- A count of a piece looks up what sells or waits for it, in each store by SKU.
CREATE INDEX products_sku ON products (tenant_id, integration_id, sku);
