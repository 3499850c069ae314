-- A shop's own product page shows the last push of a stock.
CREATE INDEX stock_pushes_done ON stock_pushes (tenant_id, listing_id, finished_at)
    WHERE status = 'done';
