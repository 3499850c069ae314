//! The ledger's numbers and words as a jeweller writes and says them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::{
    domain::{Address, Currency, Money, OrderStatus, Quantity},
    service::pieces::Listing,
};

pub(super) use crate::service::events::STATES;

/// What an SKU in an address may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// An amount with its currency, such as `A$1,450.00` or `CHF 1,450.00`.
pub(super) fn money(micros: &i64, currency: &str) -> String {
    let amount = Money::from_micros(*micros);
    let text = Currency::parse(currency)
        .map_or_else(|_| amount.to_string(), |currency| amount.display(currency));
    grouped(&text, currency)
}

/// A price; without a currency where nobody knows it.
pub(super) fn price(micros: &i64, currency: &Option<String>) -> String {
    match currency {
        Some(currency) => money(micros, currency),
        None => grouped(&Money::from_micros(*micros).to_string(), ""),
    }
}

/// A currency in front of an amount: its sign where everybody knows it, else its code and a space.
fn sign(currency: &str) -> String {
    let sign = match currency {
        "" => "",
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        "AUD" => "A$",
        "CAD" => "CA$",
        "NZD" => "NZ$",
        "JPY" => "¥",
        "INR" => "₹",
        code => return format!("{code} "),
    };
    sign.to_owned()
}

/// A number with a comma at every thousand, behind its sign and its currency.
fn grouped(number: &str, currency: &str) -> String {
    let (minus, number) = number.strip_prefix('-').map_or(("", number), |rest| ("−", rest));
    let (whole, places) = number.split_once('.').map_or((number, None), |(a, b)| (a, Some(b)));
    let mut text = format!("{minus}{}", sign(currency));
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(places) = places {
        text.push('.');
        text.push_str(places);
    }
    text
}

/// An amount for a spreadsheet.
pub(super) fn amount(micros: i64) -> String {
    Money::from_micros(micros).to_string()
}

/// Units, such as `3` or `−0.5`.
pub(super) fn units(thousandths: &i64) -> String {
    Quantity::from_thousandths(*thousandths).to_string().replace('-', "−")
}

/// A change of units, with its sign.
pub(super) fn change(thousandths: &i64) -> String {
    let sign = if *thousandths > 0 { "+" } else { "" };
    format!("{sign}{}", units(thousandths))
}

/// A number of things, such as `1 sale` or `1,200 sales`.
pub(super) fn several(number: &i64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{} {more}", grouped(&number.to_string(), "")),
    }
}

/// Units without their sign.
pub(super) fn absolute(thousandths: &i64) -> String {
    Quantity::from_thousandths(*thousandths).abs().to_string()
}

/// Units for a spreadsheet.
pub(super) fn number(thousandths: i64) -> String {
    Quantity::from_thousandths(thousandths).to_string()
}

/// The statuses that WooCommerce has by itself, in the order in which an order goes through them.
pub(super) const STATUSES: [&str; 8] = [
    "pending",
    "on-hold",
    "processing",
    "completed",
    "refunded",
    "cancelled",
    "failed",
    "checkout-draft",
];

/// A status as the shop's own screens say it.
pub(super) fn status(word: &str) -> String {
    match OrderStatus::parse(word) {
        OrderStatus::Pending => "Pending payment".to_owned(),
        OrderStatus::OnHold => "On hold".to_owned(),
        OrderStatus::CheckoutDraft => "Draft".to_owned(),
        OrderStatus::Trash => "In the trash".to_owned(),
        other => {
            let text = other.as_str().replace('-', " ");
            let mut chars = text.chars();
            let first = chars.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        }
    }
}

/// How a status looks: good, warn, bad or calm.
pub(super) fn status_tone(word: &str) -> &'static str {
    match OrderStatus::parse(word) {
        OrderStatus::Processing | OrderStatus::Completed => "good",
        OrderStatus::OnHold | OrderStatus::Pending => "warn",
        OrderStatus::Failed => "bad",
        _ => "calm",
    }
}

/// What a movement was.
pub(super) fn movement(kind: &str) -> &'static str {
    match kind {
        "sale" => "Sold",
        "return" => "Returned",
        "adjustment" => "Corrected",
        "stocktake" => "Counted",
        "opening" => "First count",
        "purchase" => "Purchased",
        "transfer" => "Transferred",
        "write_off" => "Written off",
        _ => "Other",
    }
}

/// How a piece stands in a shop.
pub(super) fn listing(state: &str) -> &'static str {
    match state {
        "open" => "Up to date",
        "opening" => "Being counted",
        "unmanaged" => "Stock not tracked in the shop",
        "waiting" => "Needs your decision",
        "missing" => "No longer in the shop",
        _ => "Not synced",
    }
}

/// Whether a shop has still to be told of a piece's stock.
pub(super) fn is_behind(listing: &Listing, quantity: &i64) -> bool {
    listing.state == "open" && listing.mirror.is_some_and(|mirror| mirror != *quantity)
}

/// How that looks: good, warn, bad or calm.
pub(super) fn listing_tone(state: &str) -> &'static str {
    match state {
        "open" => "good",
        "opening" | "waiting" => "warn",
        _ => "calm",
    }
}

/// What became of an event, in a word.
pub(super) fn state(status: &str) -> &'static str {
    match status {
        "applied" => "Done",
        "superseded" => "Outdated",
        "queued" => "Waiting",
        "ignored" => "Not needed",
        _ => "Failed",
    }
}

/// How that looks: good, warn, bad or calm.
pub(super) fn state_tone(status: &str) -> &'static str {
    match status {
        "applied" => "good",
        "queued" => "warn",
        "failed" => "bad",
        _ => "calm",
    }
}

/// The same in a sentence.
pub(super) fn state_told(status: &str) -> &'static str {
    match status {
        "applied" => "It is in Nexpura.",
        "superseded" => {
            "Something newer about the same thing had already arrived, so this was not needed."
        }
        "queued" => "Nexpura is asking the shop for the current state.",
        "ignored" => "There was nothing to do.",
        _ => "It could not be processed. Nexpura tries again by itself, at growing intervals.",
    }
}

/// What happened to what, such as `Order #25 changed`: an order by the number of its sale, where there is one.
pub(super) fn happened(topic: &str, id: &i64, number: &Option<String>) -> String {
    let (resource, verb) = topic.split_once('.').unwrap_or((topic, ""));
    let thing = match resource {
        "order" => "Order",
        "product" => "Product",
        "customer" => "Customer",
        "lineage" => return "The shop’s database was checked".to_owned(),
        other => return format!("{other} #{id} {verb}").trim().to_owned(),
    };
    let happened = match verb {
        "created" => "created",
        "updated" => "changed",
        "deleted" => "deleted",
        "restored" => "restored",
        other => other,
    };
    match number {
        Some(number) if resource == "order" => format!("{thing} #{number} {happened}"),
        _ => format!("{thing} #{id} {happened}"),
    }
}

/// What somebody did, as the audit log keeps it, in words.
pub(super) fn action(action: &str) -> String {
    let told = match action {
        "conflict.decided" => "Decided a conflict",
        "connection.created" => "Made a connection string",
        "connection.rotated" => "Renewed a connection’s secret",
        "drift.adopted" => "Adopted the shop’s number",
        "drift.pushed" => "Kept Nexpura’s number",
        "erased a person" => "Erased a person",
        "event.retried" => "Tried an event again",
        "events.retried" => "Tried all failed events again",
        "fork.accepted" => "Took a halted store up again",
        "inventory.adjusted" => "Adjusted the stock",
        "links.ledger_holds" => "Chose Nexpura’s count of a piece",
        "links.shop_holds" => "Chose the shop’s count of a piece",
        "mark_fields.off" => "Chose that products and customers get no custom field",
        "mark_fields.on" => "Chose that products and customers are marked by a custom field",
        "mark_fields.stopped" => "Marks no more by a custom field: it changed something else",
        "marks.off" => "Chose that nothing is marked in the shop",
        "marks.on" => "Chose that what is brought over is marked in the shop",
        "order.left" => "Left an order that could not be read",
        "password.changed" => "Changed their password",
        "password.set" => "Set their password",
        "policy.adopt" => "Chose that the shop’s number counts",
        "policy.ledger" => "Chose that Nexpura’s number counts",
        "pushes.resumed" => "Let held stock go",
        "session.begun" => "Logged in",
        "session.ended" => "Logged out",
        "sessions.ended" => "Logged out everywhere else",
        "store.connected" => "Connected a store",
        "store.disconnected" => "Disconnected a store",
        "sync.customers" => "Imported customers",
        "sync.inventory" => "Pushed inventory",
        "sync.orders" => "Imported orders",
        "sync.products" => "Imported products",
        "sync.reconcile" => "Compared shop and ledger",
        "token.created" => "Made a token for the API",
        "user.added" => "Invited somebody",
        "user.link" => "Made a new invitation link",
        "user.removed" => "Removed somebody",
        "user.role" => "Changed somebody’s role",
        "webhooks.healed" => "Put webhooks right",
        "webhooks.registered" => "Set up webhooks",
        "webhooks.removed" => "Removed webhooks",
        "webhooks.switched_off" => "Switched webhooks off",
        other => other,
    };
    told.to_owned()
}

/// A store's address without what every address has.
pub(super) fn store(url: &str) -> &str {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.trim_end_matches('/')
}

/// What was said of a store, with its name in place of its address.
pub(super) fn by_name(text: &str, url: &str) -> String {
    text.replacen(url, store(url), 1)
}

/// Where a store is looked after.
pub(super) fn card(store: &Uuid) -> String {
    format!("/integrations#store-{store}")
}

/// Where a store's runs are listed.
pub(super) fn runs(store: &Uuid) -> String {
    format!("/integrations/{store}/runs")
}

/// What a push would change in a store.
pub(super) fn changes(store: &Uuid) -> String {
    format!("/integrations/{store}/changes")
}

/// The report of a run.
pub(super) fn run(id: &Uuid) -> String {
    format!("/integrations/runs/{id}")
}

/// An address that a shop gave, as long as it leads to a page on the web.
pub(super) fn web(address: &Option<String>) -> Option<&str> {
    let address = address.as_deref()?;
    let url = url::Url::parse(address).ok()?;
    matches!(url.scheme(), "https" | "http").then_some(address)
}

/// The page of a piece.
pub(super) fn piece(sku: &str) -> String {
    format!("/inventory/{}", utf8_percent_encode(sku, PLAIN))
}

/// A name, or nothing where no part of it is known.
pub(super) fn name(first: Option<&str>, last: Option<&str>) -> String {
    let parts: Vec<&str> =
        [first, last].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// A place in one line; empty where nothing of it is known.
pub(super) fn place(address: &Address) -> String {
    let Address { address_1, address_2, postcode, city, state, country, .. } = address;
    let parts = [address_1, address_2, postcode, city, state, country];
    let told: Vec<&str> =
        parts.iter().map(|part| part.as_str()).filter(|part| !part.is_empty()).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_keep_every_place() {
        assert_eq!(money(&1_450_000_000, "AUD"), "A$1,450.00");
        assert_eq!(money(&-20_000_000, "EUR"), "−€20.00");
        assert_eq!(money(&1_234_567_000_000, "JPY"), "¥1,234,567");
        assert_eq!(money(&1_450_000_000, "CHF"), "CHF 1,450.00");
        assert_eq!(price(&1_450_000_000, &None), "1,450.00");
        assert_eq!(price(&1_450_000_000, &Some("USD".to_owned())), "$1,450.00");
        assert_eq!(money(&999_119_091, "GBP"), "£999.119091");
    }

    #[test]
    fn units_have_a_sign_where_they_are_a_change() {
        assert_eq!((units(&3_000), units(&-500)), ("3".to_owned(), "−0.5".to_owned()));
        assert_eq!((change(&3_000), change(&-1_000)), ("+3".to_owned(), "−1".to_owned()));
    }

    #[test]
    fn every_status_has_words() {
        assert_eq!(status("on-hold"), "On hold");
        assert_eq!(status("processing"), "Processing");
        assert_eq!(status("being-engraved"), "Being engraved");
        assert_eq!(status(""), "");
    }

    #[test]
    fn an_event_is_told_in_words() {
        let number = Some("G-25".to_owned());
        assert_eq!(happened("order.updated", &25, &None), "Order #25 changed");
        assert_eq!(happened("order.updated", &25, &number), "Order #G-25 changed");
        assert_eq!(happened("product.deleted", &7, &number), "Product #7 deleted");
        assert_eq!(happened("lineage.moved", &0, &None), "The shop’s database was checked");
        assert_eq!(happened("odd", &1, &None), "odd #1");
    }

    #[test]
    fn a_store_is_named_without_its_scheme() {
        let told = by_name("Connected to https://a.example. Well.", "https://a.example");
        assert_eq!(told, "Connected to a.example. Well.");
    }

    #[test]
    fn an_sku_stays_one_part_of_an_address() {
        assert_eq!(piece("a/b?c#d"), "/inventory/a%2Fb%3Fc%23d");
        assert_eq!(piece("R-1"), "/inventory/R-1");
    }
}
