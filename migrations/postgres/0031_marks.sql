-- Whether what is brought over from a store is marked in it, and the last order of which a note there has said so.
ALTER TABLE integrations ADD COLUMN marks BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE integrations ADD COLUMN noted_order BIGINT NOT NULL DEFAULT 0;
-- When it did: orders are placed in another order than that of their ids.
ALTER TABLE resources ADD COLUMN noted_at TIMESTAMPTZ;
