-- What every event asks for is found by an index, however much there is already.

CREATE INDEX sales_order ON sales (tenant_id, integration_id, external_id, id);
CREATE INDEX sale_items_unposted ON sale_items (tenant_id, integration_id, stock_id, sale_id, line_id)
    WHERE posted <> desired;
CREATE INDEX inventory_origin ON inventory (tenant_id, origin_integration_id, created_at);

-- What is due is asked for by store.
DROP INDEX resources_due;
CREATE INDEX resources_due ON resources (tenant_id, integration_id, fetch_at) WHERE fetch_at IS NOT NULL;

-- Only what still has a payload can be forgotten.
CREATE INDEX inbox_payloads ON inbox (tenant_id, received_at) WHERE payload IS NOT NULL;
