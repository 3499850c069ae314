-- How often the numbers of a held drift have changed, so that a person decides those that were shown; what had moved
-- the listing and its piece when it was read, so that no reading is decided that something has overtaken; and why it
-- went away.
ALTER TABLE drifts ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drifts ADD COLUMN listing_changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drifts ADD COLUMN reason TEXT;
-- Since when what a listing sells that waits for a choice, or is read after one, is no part of the ledger's count.
ALTER TABLE listings ADD COLUMN told_apart_at TEXT;
-- Since when only a reading can say whether units that are taken to be in its count left the shop after it.
ALTER TABLE listings ADD COLUMN unsure_at TEXT;
-- How many units of a line those are.
ALTER TABLE sale_items ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sale_items_unsure ON sale_items (tenant_id, integration_id, stock_id) WHERE unsure <> 0;
