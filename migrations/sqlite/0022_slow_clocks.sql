-- By how many seconds the shop's clock was slow at most while it was read: what it changed has such dates.
ALTER TABLE integrations ADD COLUMN orders_slow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integrations ADD COLUMN products_slow INTEGER NOT NULL DEFAULT 0;
