-- The ledger and what feeds it. Every key begins with the tenant, so that rows cannot cross and the
-- tables can be distributed by tenant without change.
-- Money is in millionths of the currency unit, quantities in thousandths.

CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

-- Bearer tokens of the machine API; only a hash is kept.
CREATE TABLE tokens (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    hash BYTEA NOT NULL,
    label TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id)
);

-- A store that is, or was, connected. Its consumer key is sealed.
CREATE TABLE integrations (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('woocommerce')),
    store_id TEXT,
    store_url TEXT NOT NULL,
    rest_root TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('connected', 'disconnected', 'error')),
    status_reason TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('extension', 'webhooks', 'sweep')),
    config JSONB NOT NULL,
    consumer_key BYTEA,
    consumer_secret BYTEA,
    forked_at TIMESTAMPTZ,
    forked_reason TEXT,
    orders_known_until TIMESTAMPTZ,
    products_known_until TIMESTAMPTZ,
    last_sync_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX integrations_store_id ON integrations (tenant_id, type, store_id);
CREATE UNIQUE INDEX integrations_store_url ON integrations (tenant_id, type, store_url);

-- A credential to a store: what a connection string holds. Unbound until the shop registers.
CREATE TABLE connections (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    integration_id UUID,
    store_url TEXT,
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX connections_integration ON connections (tenant_id, integration_id);

-- What each spool has sent and what it said is still to come.
CREATE TABLE spools (
    tenant_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    id TEXT NOT NULL,
    integration_id UUID NOT NULL,
    last_seq BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    unsent BIGINT NOT NULL,
    open_intents BIGINT NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX spools_integration ON spools (tenant_id, integration_id);

-- The chain of nonces of a shop's database; the key admits one successor to each.
CREATE TABLE lineage (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    previous TEXT NOT NULL,
    next TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, previous),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX lineage_next ON lineage (tenant_id, integration_id, next);

-- Every event that ever arrived. Ids are kept for ever, payloads for 90 days: as text, since JSONB
-- cannot hold everything that JSON can (NUL).
CREATE TABLE inbox (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    event_id UUID NOT NULL,
    spool TEXT NOT NULL,
    seq BIGINT NOT NULL,
    topic TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id BIGINT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('applied', 'superseded', 'queued', 'ignored', 'failed')),
    detail TEXT,
    payload TEXT,
    facts TEXT,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, event_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX inbox_received ON inbox (tenant_id, received_at, event_id);
CREATE INDEX inbox_status ON inbox (tenant_id, status, received_at, event_id);
CREATE INDEX inbox_event ON inbox (tenant_id, event_id);
CREATE INDEX inbox_open ON inbox (tenant_id, integration_id, resource, resource_id)
    WHERE status IN ('queued', 'superseded', 'failed');

-- What is known of each order, product and customer of a shop, and whether it has to be fetched.
-- `arrived` counts all that came in about it: a fetch during which it moved is discarded. `heard_at` is
-- since when something about it is known that is not in the ledger yet.
CREATE TABLE resources (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    resource TEXT NOT NULL,
    remote_id BIGINT NOT NULL,
    rev BIGINT,
    arrived BIGINT NOT NULL,
    arrived_at TIMESTAMPTZ NOT NULL,
    heard_at TIMESTAMPTZ,
    fetch_at TIMESTAMPTZ,
    leased_until TIMESTAMPTZ,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, resource, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX resources_due ON resources (tenant_id, fetch_at) WHERE fetch_at IS NOT NULL;

-- A piece. `quantity` is the sum of its movements, always; it means nothing until `counted`.
CREATE TABLE inventory (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    counted BOOLEAN NOT NULL,
    backorders BOOLEAN NOT NULL,
    price BIGINT,
    currency TEXT,
    image TEXT,
    details JSONB NOT NULL,
    origin_integration_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sku)
);

-- A shop's product or variation, and which one owns the stock that it draws on.
CREATE TABLE products (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    remote_id BIGINT NOT NULL,
    parent_id BIGINT,
    stock_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sku TEXT,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    gone BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX products_parent ON products (tenant_id, integration_id, parent_id);

-- One stock owner in one store. `mirror` is the stock it must have from all that the ledger knows.
-- `changes` counts postings, pushes and movements: a settled reading needs it unmoved.
CREATE TABLE listings (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    integration_id UUID NOT NULL,
    stock_id BIGINT NOT NULL,
    inventory_id UUID,
    state TEXT NOT NULL
        CHECK (state IN ('opening', 'open', 'unmanaged', 'waiting', 'skipped', 'missing')),
    reason TEXT,
    mirror BIGINT,
    backorders BOOLEAN NOT NULL,
    changes BIGINT NOT NULL,
    reading BIGINT,
    reading_changes BIGINT,
    reading_at TIMESTAMPTZ,
    opened_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, stock_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id)
);
CREATE INDEX listings_inventory ON listings (tenant_id, inventory_id);
CREATE INDEX listings_state ON listings (tenant_id, integration_id, state);

CREATE TABLE customers (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    email TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    company TEXT NOT NULL,
    phone TEXT NOT NULL,
    address JSONB NOT NULL,
    marketing_consent BOOLEAN,
    origin_integration_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

-- Which account of which shop is which customer.
CREATE TABLE customer_accounts (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    remote_id BIGINT NOT NULL,
    customer_id UUID NOT NULL,
    gone BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);

-- An order is (store, id, order_key). Lines, their tax and the extras add up to `total` exactly.
CREATE TABLE sales (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    integration_id UUID NOT NULL,
    external_id BIGINT NOT NULL,
    order_key TEXT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    stock_flag BOOLEAN NOT NULL,
    gone BOOLEAN NOT NULL,
    customer_id UUID,
    email TEXT,
    currency TEXT NOT NULL,
    prices_include_tax BOOLEAN NOT NULL,
    shipping BIGINT NOT NULL,
    shipping_tax BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    fees_tax BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    discount_tax BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    rounding BIGINT NOT NULL,
    total BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    payment_method TEXT NOT NULL,
    payment_title TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    details JSONB NOT NULL,
    ordered_at TIMESTAMPTZ,
    paid_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, external_id, order_key),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX sales_customer ON sales (tenant_id, customer_id);

-- A line of a sale. `desired` is how many units the shop says have left its stock for it, `posted` how
-- many the ledger has accounted for.
CREATE TABLE sale_items (
    tenant_id UUID NOT NULL,
    sale_id UUID NOT NULL,
    line_id BIGINT NOT NULL,
    integration_id UUID NOT NULL,
    product_id BIGINT NOT NULL,
    variation_id BIGINT NOT NULL,
    stock_id BIGINT,
    name TEXT NOT NULL,
    sku TEXT,
    quantity BIGINT NOT NULL,
    subtotal BIGINT NOT NULL,
    subtotal_tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    total_tax BIGINT NOT NULL,
    desired BIGINT NOT NULL,
    posted BIGINT NOT NULL,
    gone BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, sale_id, line_id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX sale_items_stock ON sale_items (tenant_id, integration_id, stock_id);
CREATE INDEX sale_items_unresolved ON sale_items (tenant_id, integration_id, product_id, variation_id)
    WHERE stock_id IS NULL;

CREATE TABLE refunds (
    tenant_id UUID NOT NULL,
    sale_id UUID NOT NULL,
    external_id BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    reason TEXT NOT NULL,
    lines JSONB NOT NULL,
    refunded_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, sale_id, external_id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);

CREATE TABLE stock_movements (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    inventory_id UUID NOT NULL,
    movement_type TEXT NOT NULL CHECK (movement_type IN
        ('sale', 'return', 'adjustment', 'stocktake', 'purchase', 'transfer', 'write_off', 'other')),
    quantity_change BIGINT NOT NULL,
    notes TEXT NOT NULL,
    integration_id UUID,
    sale_id UUID,
    line_id BIGINT,
    event_id UUID,
    token_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX stock_movements_inventory ON stock_movements (tenant_id, inventory_id, id);

-- What a person has to decide: an oversale, a paid line that never left the shop's stock.
CREATE TABLE conflicts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('oversale', 'never_reduced')),
    inventory_id UUID,
    sale_id UUID,
    line_id BIGINT,
    quantity BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX conflicts_open ON conflicts (tenant_id, kind, sale_id, line_id);

-- Long work on a store, claimed by lease and resumed from its cursor.
CREATE TABLE sync_runs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    integration_id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sweep')),
    cursor JSONB NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    leased_until TIMESTAMPTZ,
    attempts BIGINT NOT NULL,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, kind),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX sync_runs_due ON sync_runs (tenant_id, due_at);

CREATE TABLE audit_log (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
