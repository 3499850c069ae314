-- The ledger and what feeds it. Every key begins with the tenant, so that rows cannot cross and the
-- tables can be distributed by tenant without change.
-- Money is in millionths of the currency unit, quantities in thousandths.

CREATE TABLE tenants (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
);

CREATE TABLE users (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

-- Bearer tokens of the machine API; only a hash is kept.
CREATE TABLE tokens (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    hash BLOB NOT NULL,
    label TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT,
    PRIMARY KEY (tenant_id, id)
);

-- A store that is, or was, connected. Its consumer key is sealed.
CREATE TABLE integrations (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('woocommerce')),
    store_id TEXT,
    store_url TEXT NOT NULL,
    rest_root TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('connected', 'disconnected', 'error')),
    status_reason TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('extension', 'webhooks', 'sweep')),
    config TEXT NOT NULL,
    consumer_key BLOB,
    consumer_secret BLOB,
    forked_at TEXT,
    forked_reason TEXT,
    orders_known_until TEXT,
    products_known_until TEXT,
    last_sync_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX integrations_store_id ON integrations (tenant_id, type, store_id);
CREATE UNIQUE INDEX integrations_store_url ON integrations (tenant_id, type, store_url);

-- A credential to a store: what a connection string holds. Unbound until the shop registers.
CREATE TABLE connections (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    integration_id BLOB,
    store_url TEXT,
    secret BLOB NOT NULL,
    previous_secret BLOB,
    created_at TEXT NOT NULL,
    last_seen_at TEXT,
    revoked_at TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX connections_integration ON connections (tenant_id, integration_id);

-- What each spool has sent and what it said is still to come.
CREATE TABLE spools (
    tenant_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    id TEXT NOT NULL,
    integration_id BLOB NOT NULL,
    last_seq INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    unsent INTEGER NOT NULL,
    open_intents INTEGER NOT NULL,
    reported_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX spools_integration ON spools (tenant_id, integration_id);

-- The chain of nonces of a shop's database; the key admits one successor to each.
CREATE TABLE lineage (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    previous TEXT NOT NULL,
    next TEXT NOT NULL,
    received_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, previous),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX lineage_next ON lineage (tenant_id, integration_id, next);

-- Every event that ever arrived. Ids are kept for ever, payloads for 90 days: as text, since JSONB
-- cannot hold everything that JSON can (NUL).
CREATE TABLE inbox (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    spool TEXT NOT NULL,
    seq INTEGER NOT NULL,
    topic TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id INTEGER NOT NULL,
    occurred_at TEXT NOT NULL,
    received_at TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('applied', 'superseded', 'queued', 'ignored', 'failed')),
    detail TEXT,
    payload TEXT,
    facts TEXT,
    attempts INTEGER NOT NULL,
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
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    resource TEXT NOT NULL,
    remote_id INTEGER NOT NULL,
    rev INTEGER,
    arrived INTEGER NOT NULL,
    arrived_at TEXT NOT NULL,
    heard_at TEXT,
    fetch_at TEXT,
    leased_until TEXT,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, resource, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX resources_due ON resources (tenant_id, fetch_at) WHERE fetch_at IS NOT NULL;

-- A piece. `quantity` is the sum of its movements, always; it means nothing until `counted`.
CREATE TABLE inventory (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    counted BOOLEAN NOT NULL,
    backorders BOOLEAN NOT NULL,
    price INTEGER,
    currency TEXT,
    image TEXT,
    details TEXT NOT NULL,
    origin_integration_id BLOB,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sku)
);

-- A shop's product or variation, and which one owns the stock that it draws on.
CREATE TABLE products (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    remote_id INTEGER NOT NULL,
    parent_id INTEGER,
    stock_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sku TEXT,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    gone BOOLEAN NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX products_parent ON products (tenant_id, integration_id, parent_id);

-- One stock owner in one store. `mirror` is the stock it must have from all that the ledger knows.
-- `changes` counts postings, pushes and movements: a settled reading needs it unmoved.
CREATE TABLE listings (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    stock_id INTEGER NOT NULL,
    inventory_id BLOB,
    state TEXT NOT NULL
        CHECK (state IN ('opening', 'open', 'unmanaged', 'waiting', 'skipped', 'missing')),
    reason TEXT,
    mirror INTEGER,
    backorders BOOLEAN NOT NULL,
    changes INTEGER NOT NULL,
    reading INTEGER,
    reading_changes INTEGER,
    reading_at TEXT,
    opened_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, stock_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id)
);
CREATE INDEX listings_inventory ON listings (tenant_id, inventory_id);
CREATE INDEX listings_state ON listings (tenant_id, integration_id, state);

CREATE TABLE customers (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    email TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    company TEXT NOT NULL,
    phone TEXT NOT NULL,
    address TEXT NOT NULL,
    marketing_consent BOOLEAN,
    origin_integration_id BLOB,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

-- Which account of which shop is which customer.
CREATE TABLE customer_accounts (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    remote_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    gone BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, remote_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);

-- An order is (store, id, order_key). Lines, their tax and the extras add up to `total` exactly.
CREATE TABLE sales (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    external_id INTEGER NOT NULL,
    order_key TEXT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    stock_flag BOOLEAN NOT NULL,
    gone BOOLEAN NOT NULL,
    customer_id BLOB,
    email TEXT,
    currency TEXT NOT NULL,
    prices_include_tax BOOLEAN NOT NULL,
    shipping INTEGER NOT NULL,
    shipping_tax INTEGER NOT NULL,
    fees INTEGER NOT NULL,
    fees_tax INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    discount_tax INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    rounding INTEGER NOT NULL,
    total INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    payment_method TEXT NOT NULL,
    payment_title TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    details TEXT NOT NULL,
    ordered_at TEXT,
    paid_at TEXT,
    completed_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, external_id, order_key),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX sales_customer ON sales (tenant_id, customer_id);

-- A line of a sale. `desired` is how many units the shop says have left its stock for it, `posted` how
-- many the ledger has accounted for.
CREATE TABLE sale_items (
    tenant_id BLOB NOT NULL,
    sale_id BLOB NOT NULL,
    line_id INTEGER NOT NULL,
    integration_id BLOB NOT NULL,
    product_id INTEGER NOT NULL,
    variation_id INTEGER NOT NULL,
    stock_id INTEGER,
    name TEXT NOT NULL,
    sku TEXT,
    quantity INTEGER NOT NULL,
    subtotal INTEGER NOT NULL,
    subtotal_tax INTEGER NOT NULL,
    total INTEGER NOT NULL,
    total_tax INTEGER NOT NULL,
    desired INTEGER NOT NULL,
    posted INTEGER NOT NULL,
    gone BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, sale_id, line_id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX sale_items_stock ON sale_items (tenant_id, integration_id, stock_id);
CREATE INDEX sale_items_unresolved ON sale_items (tenant_id, integration_id, product_id, variation_id)
    WHERE stock_id IS NULL;

CREATE TABLE refunds (
    tenant_id BLOB NOT NULL,
    sale_id BLOB NOT NULL,
    external_id INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    reason TEXT NOT NULL,
    lines TEXT NOT NULL,
    refunded_at TEXT,
    PRIMARY KEY (tenant_id, sale_id, external_id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);

CREATE TABLE stock_movements (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    inventory_id BLOB NOT NULL,
    movement_type TEXT NOT NULL CHECK (movement_type IN
        ('sale', 'return', 'adjustment', 'stocktake', 'purchase', 'transfer', 'write_off', 'other')),
    quantity_change INTEGER NOT NULL,
    notes TEXT NOT NULL,
    integration_id BLOB,
    sale_id BLOB,
    line_id INTEGER,
    event_id BLOB,
    token_id BLOB,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX stock_movements_inventory ON stock_movements (tenant_id, inventory_id, id);

-- What a person has to decide: an oversale, a paid line that never left the shop's stock.
CREATE TABLE conflicts (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('oversale', 'never_reduced')),
    inventory_id BLOB,
    sale_id BLOB,
    line_id INTEGER,
    quantity INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    resolved_at TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, inventory_id) REFERENCES inventory (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sales (tenant_id, id)
);
CREATE INDEX conflicts_open ON conflicts (tenant_id, kind, sale_id, line_id);

-- Long work on a store, claimed by lease and resumed from its cursor.
CREATE TABLE sync_runs (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sweep')),
    cursor TEXT NOT NULL,
    due_at TEXT NOT NULL,
    leased_until TEXT,
    attempts INTEGER NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, integration_id, kind),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id)
);
CREATE INDEX sync_runs_due ON sync_runs (tenant_id, due_at);

CREATE TABLE audit_log (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
