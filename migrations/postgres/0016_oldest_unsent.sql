-- When the oldest event that waits in a spool happened, by the shop's own last word.
ALTER TABLE spools ADD COLUMN oldest_unsent_at TIMESTAMPTZ;

-- The form that a person sent last: clicked twice, it counts once.
ALTER TABLE sessions ADD COLUMN last_form UUID;
