-- People log in: a password in argon2id's own form, sessions, and a link by which a password is set once.
-- A session and a link are kept as hashes; who holds one says its tenant with it.

ALTER TABLE users ADD COLUMN password TEXT;
ALTER TABLE users ADD COLUMN logged_in_at TIMESTAMPTZ;
ALTER TABLE users ADD COLUMN removed_at TIMESTAMPTZ;

CREATE TABLE sessions (
    tenant_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    notice TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expiry ON sessions (tenant_id, expires_at);

-- At most one a person: a new one replaces the one before.
CREATE TABLE password_links (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    UNIQUE (tenant_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- What a store's page asks: its newest run of each kind, and how much of its stock has drifted.
CREATE INDEX sync_runs_of_store ON sync_runs (tenant_id, integration_id, kind, id);
CREATE INDEX drifts_held_of_store ON drifts (tenant_id, integration_id) WHERE status = 'held';
