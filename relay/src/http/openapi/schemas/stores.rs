//! Stores, and runs on them.

use super::{Field, NAMED, STORE, Schema};

pub(super) const SCHEMAS: &[Schema] = &[
    ("Run", "An import or a reconciliation.", RUN),
    (
        "WholeRun",
        "A run with a page of what it found: what differs, what failed, what was skipped.",
        &[
            RUN[0],
            RUN[1],
            RUN[2],
            RUN[3],
            RUN[4],
            RUN[5],
            RUN[6],
            RUN[7],
            RUN[8],
            RUN[9],
            RUN[10],
            RUN[11],
            ("findings", "[Finding]", ""),
            ("next", "string?", "What to pass as `after` for those that follow."),
        ],
    ),
    (
        "Finding",
        "Something that was not brought over as a matter of course.",
        &[
            ("resource", "string", ""),
            ("remote_id", "integer", ""),
            ("outcome", "skipped|failed|drift", ""),
            ("label", "string", "Its SKU or number."),
            ("reason", "string", ""),
        ],
    ),
    (
        "Store",
        "A connected store.",
        &[
            ("id", "uuid", ""),
            STORE,
            ("status", "connected|disconnected|error", ""),
            ("reason", "string?", ""),
            ("mode", "extension|webhooks|sweep", "How it reaches the relay."),
            ("writable", "boolean", "Whether its key may write."),
            ("plugin", "boolean", ""),
            ("halted", "string?", "Why it is halted, if it is."),
            (
                "push_trouble",
                "string?",
                "Why stock does not go back to it, until a push is through.",
            ),
            ("last_sync_at", "time?", ""),
            ("stock_push", "exact|read_and_write|off", "How stock goes back to it."),
            ("note", "string", "What that means."),
            ("webhooks", "Webhooks?", ""),
            ("drift_policy", "ledger|adopt", "Whose number counts where a stock was edited there."),
            ("marks", "boolean", "Whether what is brought over is marked in the shop."),
            (
                "mark_fields",
                "boolean",
                "Whether products and customers of a shop without the plugin are marked as well, by a custom field.",
            ),
            ("held", "string?", "Why its pushes wait for a person."),
            ("drifts_waiting", "integer", "Stocks that differ and wait for a person."),
            ("links_waiting", "integer", "Pieces of which somebody has to say whose count holds."),
        ],
    ),
    (
        "Webhooks",
        "How a store's webhooks stand.",
        &[
            ("state", "string", ""),
            ("detail", "string?", ""),
            ("delivery_url", "string?", ""),
            ("checked_at", "time?", ""),
            ("delivered_at", "time?", ""),
            ("topics", "[Webhook]", ""),
        ],
    ),
    (
        "Webhook",
        "One webhook in the store.",
        &[("topic", "string", ""), ("remote_id", "integer", ""), ("status", "string", "")],
    ),
    (
        "WebhooksSet",
        "Webhooks that were registered.",
        &[("store", "Store?", ""), ("report", "WebhooksReport", "")],
    ),
    (
        "WebhooksReport",
        "What was done.",
        &[
            ("delivery_url", "string", ""),
            ("webhooks", "[Webhook]", ""),
            ("created", "integer", ""),
            ("updated", "integer", ""),
            ("removed", "integer", ""),
        ],
    ),
    (
        "WebhooksRemoved",
        "Webhooks that were removed.",
        &[("store", "Store?", ""), ("removed", "integer", "")],
    ),
    (
        "Credentials",
        "A store and its WooCommerce REST key.",
        &[
            ("store_url", "string", "In whatever shape."),
            ("consumer_key", "string", "ck_…"),
            ("consumer_secret", "string", "cs_…"),
        ],
    ),
    (
        "Connected",
        "A store that has shown itself.",
        &[
            ("status", "string", ""),
            ("id", "uuid", ""),
            STORE,
            ("mode", "extension|webhooks|sweep", ""),
            ("writable", "boolean", ""),
            ("stock_push", "exact|read_and_write|off", ""),
            ("message", "string", ""),
        ],
    ),
    (
        "Disconnected",
        "A store that is disconnected.",
        &[
            ("status", "string", ""),
            STORE,
            ("key_removed", "boolean", "Whether the key is gone from the shop."),
            ("message", "string", "What is left to do."),
        ],
    ),
    ("NamedStore", "Which store.", &[NAMED]),
    (
        "MaybeStore",
        "Which store; the only one there is, if it says nothing.",
        &[("store?", "string?", "The store's address or id.")],
    ),
    (
        "Push",
        "Which store, and whether it is only to be shown.",
        &[NAMED, ("dry_run?", "boolean", "Only show what a push would change.")],
    ),
    (
        "StorePolicy",
        "What is to happen by itself; what is left out stays as it is.",
        &[
            NAMED,
            ("drift?", "ledger|adopt", "Whose number counts where a stock was edited in the shop."),
            ("marks?", "boolean", "Whether what is brought over is marked in the shop."),
            (
                "mark_fields?",
                "boolean",
                "Whether products and customers of a shop without the plugin are marked as well, by a custom field: \
                 WooCommerce saves each of them once for it.",
            ),
        ],
    ),
    (
        "Begun",
        "A run that was begun, or joined.",
        &[("run_id", "uuid", ""), ("progress", "string", "Where to watch it.")],
    ),
    ("Changes", "What a push would change.", &[("changes", "[Change]", "")]),
    (
        "Change",
        "One stock that would be changed.",
        &[
            ("sku", "string", ""),
            ("stock_id", "integer", ""),
            ("shop", "Quantity", ""),
            ("ledger", "Quantity", ""),
        ],
    ),
];

const RUN: &[Field] = &[
    ("id", "uuid", ""),
    STORE,
    ("kind", "string", ""),
    ("error", "string?", "Why it waits, if it does."),
    ("seen", "integer", "Rows read."),
    ("total", "integer?", "Rows there are, by the store's word."),
    ("synced", "integer", ""),
    ("unchanged", "integer", ""),
    ("skipped", "integer", ""),
    ("failed", "integer", ""),
    ("created_at", "time", ""),
    ("finished_at", "time?", "Null while under way."),
];
