-- What is to be read of a store is little among all that it lists, and looked for with every push.
CREATE INDEX listings_unsettled ON listings (tenant_id, integration_id, stock_id)
    WHERE state = 'opening' OR (state = 'open'
        AND (reading IS NOT NULL OR doubted_at IS NOT NULL OR unsure_at IS NOT NULL));
