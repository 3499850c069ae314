-- WooCommerce's own webhooks, for stores without the extension.

-- One a store. `address_id` is half of the connection id in the address that they deliver to: these
-- deliveries are a credential of their own. `previous_secret` counts until the new one is confirmed, and a little longer for what is
-- on its way. Nothing is to be done while `due_at` is null.
CREATE TABLE webhook_setups (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    address_id UUID NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'failing', 'removing', 'off')),
    detail TEXT,
    secret BYTEA,
    previous_secret BYTEA,
    previous_until TIMESTAMPTZ,
    confirmed_at TIMESTAMPTZ,
    checked_at TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ,
    heals BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ,
    leased_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE UNIQUE INDEX webhook_setups_address ON webhook_setups (tenant_id, address_id);
CREATE INDEX webhook_setups_due ON webhook_setups (tenant_id, due_at) WHERE due_at IS NOT NULL;

-- One a topic of a store, as it was last seen there.
CREATE TABLE webhooks (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    topic TEXT NOT NULL,
    remote_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, topic),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES webhook_setups (tenant_id, integration_id)
);

-- Stores that registered without the extension before this.
INSERT INTO webhook_setups (tenant_id, integration_id, address_id, state, heals, attempts, due_at,
    created_at)
SELECT tenant_id, id, gen_random_uuid(), 'waiting', 0, 0, updated_at, updated_at FROM integrations
WHERE mode <> 'extension' AND status <> 'disconnected';
