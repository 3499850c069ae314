-- The counter that an event carries; of several that told of one deletion, the highest is the last word.
ALTER TABLE inbox ADD COLUMN rev INTEGER;
