-- A store may be connected by a key alone, without our plugin.

-- Whether its key may write; one that may only read brings imports and no pushes.
ALTER TABLE integrations ADD COLUMN writable BOOLEAN NOT NULL DEFAULT TRUE;

-- Since when nobody can say whether a push was written: nothing more is pushed until a settled reading.
ALTER TABLE listings ADD COLUMN doubted_at TEXT;

-- Without the plugin a push is a value: what was read, and what is to be written. Kept before it is
-- written, so that a retry knows its own work.
ALTER TABLE stock_pushes ADD COLUMN reading INTEGER;
ALTER TABLE stock_pushes ADD COLUMN target INTEGER;
