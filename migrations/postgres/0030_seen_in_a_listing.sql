-- When a shop's listing last showed a thing: what it no longer shows may be gone without anybody having told.
ALTER TABLE resources ADD COLUMN seen_at TIMESTAMPTZ;
