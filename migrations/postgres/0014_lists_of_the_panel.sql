-- What the panel's lists ask for is found by an index, however many sales, pieces and events there are.

-- Who posted a movement in the panel.
ALTER TABLE stock_movements ADD COLUMN user_id UUID;

-- A sale stands where it was placed; one that does not say when, where the ledger got it.
CREATE INDEX sales_placed ON sales (tenant_id, COALESCE(ordered_at, created_at), id);
CREATE INDEX sales_status ON sales (tenant_id, status, COALESCE(ordered_at, created_at), id);
CREATE INDEX sales_number ON sales (tenant_id, number, id);
CREATE INDEX sales_email ON sales (tenant_id, email, id);

-- Byte by byte, as SQLite compares: else what begins with a word is no range in every language's order.
ALTER TABLE inventory ALTER COLUMN sku TYPE TEXT COLLATE "C";
ALTER TABLE inventory ALTER COLUMN name TYPE TEXT COLLATE "C";
ALTER TABLE products ALTER COLUMN sku TYPE TEXT COLLATE "C";
ALTER TABLE customers ALTER COLUMN email TYPE TEXT COLLATE "C";
ALTER TABLE customers ALTER COLUMN last_name TYPE TEXT COLLATE "C";

-- Pieces and customers are looked for by the beginning of a word, in any case.
CREATE INDEX inventory_by_sku ON inventory (tenant_id, lower(sku), id);
CREATE INDEX inventory_by_name ON inventory (tenant_id, lower(name), id);
CREATE INDEX inventory_by_quantity ON inventory (tenant_id, quantity, id);
CREATE INDEX customers_by_name ON customers (tenant_id, lower(last_name), id);

CREATE INDEX stock_movements_sale ON stock_movements (tenant_id, sale_id, id)
    WHERE sale_id IS NOT NULL;
CREATE INDEX inbox_thing ON inbox (tenant_id, resource, resource_id, received_at, event_id);
CREATE INDEX drifts_held ON drifts (tenant_id, id) WHERE status = 'held';
