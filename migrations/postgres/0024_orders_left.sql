-- Since when a person has left a thing that cannot be read, and as what a listing showed it then: the same shown
-- again has it fetched no more.
ALTER TABLE resources ADD COLUMN left_at TIMESTAMPTZ;
ALTER TABLE resources ADD COLUMN left_content BYTEA;
