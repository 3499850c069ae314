-- A shop's own product page shows the last push of a stock.
CREATE INDEX stock_pushes_done ON stock_pushes (tenant_id, listing_id, finished_at)
    WHERE status = 'done';

-- Since when nothing of the person behind an order or an account is kept, whatever the shop goes on to say of them.
ALTER TABLE resources ADD COLUMN erased_at TIMESTAMPTZ;
CREATE INDEX customer_accounts_customer ON customer_accounts (tenant_id, customer_id);
