//! Every operation of the API: where it is, what it takes and what it gives.

/// By what a caller shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A bearer token.
    Token,
    /// The signature of a connection.
    Shop,
    /// The signature of WooCommerce's own webhooks.
    WooCommerce,
    /// Not at all.
    Anybody,
}

/// One method at one path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) who: Who,
    /// Names in [`super::QUERY`].
    pub(super) query: &'static [&'static str],
    pub(super) body: Option<&'static str>,
    /// Status and content: a schema, a page of it in brackets, a media type, or nothing.
    pub(super) answers: &'static [(u16, &'static str)],
}

type Text = &'static str;

const fn get(tag: Text, path: Text, summary: Text, gives: &'static [(u16, Text)]) -> Operation {
    let (method, who) = ("get", Who::Token);
    Operation { method, path, tag, summary, who, query: &[], body: None, answers: gives }
}

const fn post(
    tag: Text,
    path: Text,
    summary: Text,
    takes: Option<Text>,
    gives: &'static [(u16, Text)],
) -> Operation {
    let (method, who) = ("post", Who::Token);
    Operation { method, path, tag, summary, who, query: &[], body: takes, answers: gives }
}

impl Operation {
    const fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }

    const fn with(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }
}

const WOO: &str = "Stores";

/// In the order of the page.
pub(super) const OPERATIONS: &[Operation] = &[
    get("Inventory", "/api/inventory", "Pieces by SKU, or the one of `sku`", &[(200, "[Piece]")])
        .with(&["sku", "after", "limit"]),
    get(
        "Inventory",
        "/api/inventory/{sku}/movements",
        "A piece's movements, the newest first",
        &[(200, "[Movement]")],
    )
    .with(&["after", "limit"]),
    post(
        "Inventory",
        "/api/inventory/{sku}/movements",
        "Post a movement; the shops get it by themselves",
        Some("NewMovement"),
        &[(201, "Posted")],
    ),
    get(
        "Sales",
        "/api/sales",
        "Sales, the newest first, or those of one order id",
        &[(200, "[Sale]")],
    )
    .with(&["external_id", "after", "limit"]),
    get("Sales", "/api/sales/{id}", "One sale with its lines and refunds", &[(200, "WholeSale")]),
    get("Sales", "/api/customers", "Customers, the newest first", &[(200, "[Customer]")])
        .with(&["after", "limit"]),
    get(
        "To decide",
        "/api/conflicts",
        "Oversales, and paid lines that never left the shop's stock, the newest first",
        &[(200, "[Conflict]")],
    )
    .with(&["after", "limit"]),
    post(
        "To decide",
        "/api/conflicts/{id}/decide",
        "Decide one conflict",
        Some("Decision"),
        &[(204, "")],
    ),
    get(
        "To decide",
        "/api/drift",
        "Stocks that were edited in a shop, the newest first",
        &[(200, "[Drift]")],
    )
    .with(&["status", "after", "limit"]),
    post(
        "To decide",
        "/api/drift/{id}/adopt",
        "The shop's number counts",
        Some("DriftSeen"),
        &[(204, "")],
    ),
    post(
        "To decide",
        "/api/drift/{id}/push",
        "The ledger's number counts",
        Some("DriftSeen"),
        &[(204, "")],
    ),
    get(
        "To decide",
        "/api/links",
        "Pieces that a shop brings and the ledger has already",
        &[(200, "[Link]")],
    )
    .with(&["store", "after", "limit"]),
    post(
        "To decide",
        "/api/links",
        "Say whose count holds of all that waits",
        Some("ChoiceForAll"),
        &[(200, "Chosen")],
    ),
    post(
        "To decide",
        "/api/links/{id}",
        "Say whose count of one piece holds",
        Some("Choice"),
        &[(200, "Chosen")],
    ),
    get("Events", "/api/events", "What shops told, the newest first", &[(200, "[Event]")])
        .with(&["status", "after", "limit"]),
    post(
        "Events",
        "/api/events/retry",
        "Fetch everything that failed again at once",
        None,
        &[(200, "Retried")],
    ),
    get("Events", "/api/events/{id}", "One event with what it brought", &[(200, "WholeEvent")]),
    post("Events", "/api/events/{id}/retry", "Fetch the thing again at once", None, &[(202, "")]),
    post(
        "Events",
        "/api/events/{id}/leave",
        "Leave an order that cannot be read: nothing waits for it until the shop tells something new of it",
        None,
        &[(204, "")],
    ),
    get("Runs", "/api/runs", "Imports and reconciliations, the newest first", &[(200, "[Run]")])
        .with(&["store", "after", "limit"]),
    get("Runs", "/api/runs/{id}", "One run with its report", &[(200, "WholeRun")])
        .with(&["after", "limit"]),
    get(
        "Runs",
        "/api/runs/{id}/progress",
        "Server-sent events `progress` and `done`, each a Run",
        &[(200, "text/event-stream")],
    ),
    get(
        WOO,
        "/api/integrations",
        "The stores, how each stands and how it is reached",
        &[(200, "[Store]")],
    ),
    get(WOO, "/api/integrations/woocommerce", "The same", &[(200, "[Store]")]),
    post(
        WOO,
        "/api/integrations/woocommerce/connect",
        "Connect a store by its address and WooCommerce key",
        Some("Credentials"),
        &[(200, "Connected")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/test",
        "Ask a store whether its key still works",
        Some("NamedStore"),
        &[(200, "Connected")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/disconnect",
        "Forget a store's key; its history stays",
        Some("NamedStore"),
        &[(200, "Disconnected")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/sync/products",
        "Bring over every product",
        Some("NamedStore"),
        &[(202, "Begun")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/sync/customers",
        "Bring over every customer",
        Some("NamedStore"),
        &[(202, "Begun")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/sync/orders",
        "Bring over every order",
        Some("NamedStore"),
        &[(202, "Begun")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/sync/inventory",
        "Push what the shop's stocks differ by, or show it",
        Some("Push"),
        &[(200, "Changes"), (202, "Begun")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/reconcile",
        "Compare everything with the ledger",
        Some("NamedStore"),
        &[(202, "Begun")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/policy",
        "Say whose number counts where a stock was edited in the shop, and whether the shop is marked",
        Some("StorePolicy"),
        &[(204, "")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/resume",
        "Let pushes go that were held",
        Some("NamedStore"),
        &[(204, "")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/accept",
        "Say that the database which the shop has now is the shop",
        Some("NamedStore"),
        &[(204, "")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/webhooks/setup",
        "Register a store's webhooks under a new secret",
        Some("MaybeStore"),
        &[(200, "WebhooksSet")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/setup-webhooks",
        "The same",
        Some("MaybeStore"),
        &[(200, "WebhooksSet")],
    ),
    post(
        WOO,
        "/api/integrations/woocommerce/webhooks/remove",
        "Remove a store's webhooks",
        Some("MaybeStore"),
        &[(200, "WebhooksRemoved")],
    ),
    post(
        "For shops",
        "/api/integrations/woocommerce/webhook/{connection}",
        "A delivery of WooCommerce's own webhooks",
        Some("AnyBody"),
        &[(200, "Received")],
    )
    .by(Who::WooCommerce),
    post(
        "For shops",
        "/api/integrations/woocommerce/webhooks/handle",
        "The same",
        Some("AnyBody"),
        &[(200, "Received")],
    )
    .by(Who::WooCommerce)
    .with(&["connection"]),
    post(
        "For shops",
        "/v1/push",
        "Events of a shop, or its heartbeat",
        Some("Batch"),
        &[(200, "BatchAnswer")],
    )
    .by(Who::Shop),
    post(
        "For shops",
        "/v1/connect",
        "A shop registers with its key",
        Some("Hello"),
        &[(200, "Registered")],
    )
    .by(Who::Shop),
    post("For shops", "/v1/disconnect", "A shop says goodbye", Some("Goodbye"), &[(204, "")])
        .by(Who::Shop),
    post(
        "For shops",
        "/v1/status",
        "How a shop and up to 100 of its orders and products stand in the ledger",
        Some("AskedThings"),
        &[(200, "ToldThings")],
    )
    .by(Who::Shop),
    post(
        "For shops",
        "/v1/person",
        "What the ledger holds of a person because of the shop",
        Some("Person"),
        &[(200, "HeldOfPerson")],
    )
    .by(Who::Shop),
    post(
        "For shops",
        "/v1/erase",
        "Forget a person who bought in the shop; figures stay",
        Some("Person"),
        &[(200, "ErasedOfPerson")],
    )
    .by(Who::Shop),
    post(
        "For shops",
        "/v1/retry",
        "Read one thing of the shop again at once",
        Some("Thing"),
        &[(202, "")],
    )
    .by(Who::Shop),
    get("Operation", "/api/openapi.json", "This description", &[(200, "AnyBody")]).by(Who::Anybody),
    get("Operation", "/api/docs", "This page", &[(200, "text/html")]).by(Who::Anybody),
    get("Operation", "/healthz", "The process answers", &[(200, "text/plain")]).by(Who::Anybody),
    get("Operation", "/readyz", "The database answers too", &[(200, "text/plain")])
        .by(Who::Anybody),
    get("Operation", "/metrics", "Prometheus text", &[(200, "text/plain")]).by(Who::Anybody),
];
