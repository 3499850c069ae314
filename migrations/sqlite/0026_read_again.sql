-- When a drift was last read, beside since when its numbers are what they are: the same read again makes it no younger.
ALTER TABLE drifts ADD COLUMN read_at TEXT;
UPDATE drifts SET read_at = created_at;
