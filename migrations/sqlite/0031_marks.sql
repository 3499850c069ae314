-- Whether what is brought over from a store is marked in it.
ALTER TABLE integrations ADD COLUMN marks BOOLEAN NOT NULL DEFAULT TRUE;
-- When a thing was marked by a custom field: once is enough, for each mark is a change in the shop.
ALTER TABLE resources ADD COLUMN marked_at TEXT;
