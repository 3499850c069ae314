//! What shops send, and what they are answered.

use super::{STORE, Schema};

pub(super) const SCHEMAS: &[Schema] = &[
    ("Received", "What became of a delivery.", &[("status", "string", "")]),
    (
        "Batch",
        "Events of one spool, at most 100; without any it is the heartbeat.",
        &[("spool", "uuid", ""), ("events?", "[ShopEvent]", ""), ("state", "SpoolState", "")],
    ),
    (
        "ShopEvent",
        "What happened in a shop.",
        &[
            ("id", "uuid", ""),
            ("seq", "integer", "Gapless in its spool."),
            ("topic", "string", ""),
            ("resource_id", "integer", ""),
            ("occurred_at", "time", ""),
            ("payload?", "any", "WooCommerce's REST v3 representation, or null: fetch it."),
            ("facts?", "any", "What that representation does not tell."),
        ],
    ),
    (
        "SpoolState",
        "What is still to come.",
        &[
            ("unsent", "integer", ""),
            ("open_intents", "integer", ""),
            (
                "oldest_unsent_at?",
                "integer",
                "When the oldest of the unsent events happened, in Unix seconds.",
            ),
        ],
    ),
    (
        "BatchAnswer",
        "What became of the events of a push.",
        &[
            ("results", "[Outcome]", ""),
            ("ack", "integer", "The highest seq up to which all is stored."),
            ("report_in?", "integer", "Seconds after which a heartbeat is wanted."),
        ],
    ),
    (
        "Outcome",
        "What became of one event.",
        &[
            ("id", "uuid", ""),
            ("status", "applied|duplicate|superseded|queued|ignored|failed", ""),
            ("detail?", "string", ""),
        ],
    ),
    (
        "Hello",
        "What a shop's plugin registers with.",
        &[
            ("store_id", "uuid", ""),
            ("home_url", "string", ""),
            ("rest_url?", "string", ""),
            ("key", "Key", ""),
            ("versions?", "any", ""),
            ("order_storage?", "string", "hpos or legacy"),
        ],
    ),
    (
        "Key",
        "A WooCommerce REST key.",
        &[("consumer_key", "string", ""), ("consumer_secret", "string", "")],
    ),
    (
        "Registered",
        "A shop that is registered.",
        &[("status", "string", ""), STORE, ("mode", "string", "")],
    ),
    ("Goodbye", "Which shop goes.", &[("store_id", "uuid", "")]),
    (
        "AskedThings",
        "Which orders and products, by WooCommerce's ids; at most 100 of each.",
        &[("orders?", "[integer]", ""), ("products?", "[integer]", "")],
    ),
    (
        "ToldThings",
        "How they stand.",
        &[
            ("store", "ToldStore", ""),
            ("orders", "[ToldOrder]", ""),
            ("products", "[ToldProduct]", ""),
        ],
    ),
    (
        "ToldStore",
        "How the store stands.",
        &[
            ("status", "connected|disconnected|error", ""),
            ("detail", "string?", "Why, for people."),
            ("mode", "extension|webhooks|sweep", ""),
            ("last_sync_at", "time?", ""),
            ("panel_url", "string?", "Where people look at the ledger."),
        ],
    ),
    (
        "ToldOrder",
        "How an order stands.",
        &[
            ("id", "integer", ""),
            ("state", "in_ledger|waiting|failed|unknown", ""),
            ("sale_url", "string?", "The sale's page."),
            ("detail", "string?", "Why it failed."),
        ],
    ),
    (
        "ToldProduct",
        "How a product or variation stands.",
        &[
            ("id", "integer", ""),
            ("state", "in_ledger|waiting|failed|unknown", ""),
            ("listing", "string?", "The state of the stock that it draws on."),
            ("sku", "string?", "Of the piece that it is linked to."),
            ("quantity", "Quantity?", "What the ledger has."),
            ("to_push", "Quantity?", "What the shop has not been told yet."),
            ("pushed_at", "time?", "When the last push was acknowledged."),
            ("pushed", "Quantity?", "What it added."),
            ("piece_url", "string?", "The piece's page."),
            ("detail", "string?", "Why it failed, or is not counted."),
        ],
    ),
    (
        "Thing",
        "Which thing of a shop.",
        &[("resource", "order|product|customer", ""), ("id", "integer", "")],
    ),
    (
        "Person",
        "Who bought in a shop.",
        &[
            ("email", "string", ""),
            ("account?", "integer", "WooCommerce's id of the account; 0 where there is none."),
            ("orders?", "[integer]", "The shop's orders of that person; at most 100."),
            ("page?", "integer", "Of the sales, from 1."),
        ],
    ),
    (
        "HeldOfPerson",
        "What the ledger holds of a person.",
        &[
            STORE,
            ("customer", "Customer?", "Where this shop brought them."),
            ("sales", "[SaleOfPerson]", ""),
            ("more", "boolean", "Whether there is a next page."),
        ],
    ),
    (
        "SaleOfPerson",
        "What a sale holds of a person.",
        &[
            ("number", "string", ""),
            ("ordered_at", "time?", ""),
            ("status", "string", ""),
            ("total", "Money", ""),
            ("currency", "string", ""),
            ("email", "string?", ""),
            ("transaction_id", "string", ""),
            ("details", "any", "Addresses, coupons, the customer's note."),
        ],
    ),
    (
        "ErasedOfPerson",
        "What was forgotten.",
        &[
            STORE,
            ("sales", "integer", ""),
            ("customers", "integer", ""),
            ("retained", "boolean", "Whether another store, or Nexpura itself, knows the person."),
            ("more", "boolean", "Whether to ask again."),
        ],
    ),
    ("AnyBody", "Anything.", &[]),
];
