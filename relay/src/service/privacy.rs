//! What the ledger holds of a person who bought in a shop: told to that shop, and forgotten at its wish.
//!
//! A shop reads and erases what came from its own orders and accounts, and nothing else. A customer whom
//! another store or Nexpura itself knows stays; only this shop's sales and accounts are taken off them.

use chrono::{DateTime, Utc};
use nexpura_protocol::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Relay;
use crate::{
    domain::{Address, Email, Money, erasure},
    store::{
        IntegrationId, StoreError, TenantId, Tx, audit, customers, erasure as rows, integrations,
        resources::Key,
    },
};

/// Sales that one request tells of or erases.
pub const MAX_SALES: i64 = 50;
/// Orders that a shop may name besides.
pub const MAX_ORDERS: usize = 100;

/// Whom a shop asks about.
#[derive(Debug, Deserialize)]
pub struct Person {
    /// The e-mail.
    pub email: String,
    /// WooCommerce's id of the account, if there is one.
    #[serde(default)]
    pub account: u64,
    /// The shop's orders of that person: also those that the ledger has not heard of yet.
    #[serde(default)]
    pub orders: Vec<u64>,
    /// Which page of the sales, from 1.
    #[serde(default)]
    pub page: u32,
}

/// What the ledger holds of a person.
#[derive(Debug, Serialize)]
pub struct Held {
    /// The store's address.
    pub store: String,
    /// The customer, where this store brought them.
    pub customer: Option<customers::Shown>,
    /// Some of their sales.
    pub sales: Vec<Sale>,
    /// Whether there are more.
    pub more: bool,
}

/// What a sale holds of a person.
#[derive(Debug, Serialize)]
pub struct Sale {
    /// The number that people know.
    pub number: String,
    /// When it was ordered.
    pub ordered_at: Option<DateTime<Utc>>,
    /// WooCommerce's status.
    pub status: String,
    /// What was to be paid.
    pub total: Money,
    /// ISO 4217.
    pub currency: String,
    /// The billing e-mail.
    pub email: Option<String>,
    /// As the payment's own system names it.
    pub transaction_id: String,
    /// Addresses and the customer's note.
    pub details: Value,
}

/// What was forgotten.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// The store's address.
    pub store: String,
    /// Sales that hold nothing of the person any more.
    pub sales: u64,
    /// Customers that are gone.
    pub customers: u64,
    /// Whether another store, or Nexpura itself, knows the person and goes on to.
    pub retained: bool,
    /// Whether there is more to be forgotten: to be asked again.
    pub more: bool,
}

/// Why nothing was told or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// What was sent is no e-mail.
    #[error("email: expected an e-mail address")]
    NoEmail,
    /// More orders than can be named at once.
    #[error("at most {MAX_ORDERS} orders can be named at once")]
    TooMany,
    /// The store is not there any more.
    #[error("this connection is not registered with a store yet: register with /v1/connect first")]
    Unregistered,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells a store what the ledger holds of a person because of it.
///
/// # Errors
/// See [`PrivacyError`].
pub async fn tell(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    person: &Person,
) -> Result<Held, PrivacyError> {
    let email = Email::parse(&person.email).map_err(|_| PrivacyError::NoEmail)?;
    let mut tx = relay.db.read().await?;
    let store = integrations::get(&mut tx, tenant, integration).await?;
    let store = store.ok_or(PrivacyError::Unregistered)?;
    let customer = customers::by_email(&mut tx, tenant, email.as_str()).await?;
    let id = customer.as_ref().map(|(shown, _)| shown.id);
    let brought = customer.filter(|(_, origin)| *origin == Some(integration));
    let offset = i64::from(person.page.saturating_sub(1)) * MAX_SALES;
    let page = (MAX_SALES + 1, offset);
    let mut sales = rows::sales(&mut tx, tenant, integration, email.as_str(), id, page).await?;
    tx.commit().await?;
    let most = usize::try_from(MAX_SALES).unwrap_or(usize::MAX);
    let more = sales.len() > most;
    sales.truncate(most);
    let shown = |sale: rows::Sale| Sale {
        number: sale.number,
        ordered_at: sale.ordered_at,
        status: sale.status,
        total: Money::from_micros(sale.total),
        currency: sale.currency,
        email: sale.email,
        transaction_id: sale.transaction_id,
        details: sale.details,
    };
    Ok(Held {
        store: store.store_url,
        customer: brought.map(|(shown, _)| shown),
        sales: sales.into_iter().map(shown).collect(),
        more,
    })
}

/// Forgets a person who bought in a store: their name, addresses, telephone and e-mail, in sales, customers and
/// the payloads of events, those that are still to come included. Figures and dates stay.
///
/// Asked again, it finds nothing more to do.
///
/// # Errors
/// See [`PrivacyError`]; then nothing was forgotten.
pub async fn erase(
    relay: &Relay,
    tenant: TenantId,
    connection: Uuid,
    integration: IntegrationId,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<Erased, PrivacyError> {
    let email = Email::parse(&person.email).map_err(|_| PrivacyError::NoEmail)?;
    if person.orders.len() > MAX_ORDERS {
        return Err(PrivacyError::TooMany);
    }
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, tenant, integration).await?;
    let store = store.ok_or(PrivacyError::Unregistered)?;
    let key = |resource: Resource, remote_id| Key {
        tenant,
        integration,
        resource: resource.as_str(),
        remote_id,
    };
    let mut erased =
        Erased { store: store.store_url, sales: 0, customers: 0, retained: false, more: false };

    let by_email = customers::lock_by_email(&mut tx, tenant, email.as_str()).await?;
    let by_email = by_email.map(|known| (known.id, known.origin_integration_id));
    let account = i64::try_from(person.account).unwrap_or(0);
    let by_account = customers::lock_by_account(&mut tx, tenant, integration, account).await?;
    let mut known: Vec<(Uuid, Option<Uuid>)> = by_email.into_iter().chain(by_account).collect();
    known.dedup();

    for id in &person.orders {
        let key = key(Resource::Order, i64::try_from(*id).unwrap_or(i64::MAX));
        let sales = rows::sale_of(&mut tx, key).await?;
        erased.sales += forget_order(&mut tx, key, sales, now).await?;
    }
    let whose: Vec<Option<Uuid>> = match known.as_slice() {
        [] => vec![None],
        some => some.iter().map(|(id, _)| Some(*id)).collect(),
    };
    for customer in whose {
        let (email, page) = (email.as_str(), (MAX_SALES, 0));
        let sales = rows::sales(&mut tx, tenant, integration, email, customer, page).await?;
        erased.more |= i64::try_from(sales.len()).unwrap_or(i64::MAX) == MAX_SALES;
        for sale in sales {
            let key = key(Resource::Order, sale.external_id);
            erased.sales += forget_order(&mut tx, key, vec![sale], now).await?;
        }
    }
    if account > 0 {
        forget_thing(&mut tx, key(Resource::Customer, account), now).await?;
    }
    for (customer, origin) in known.into_iter().filter(|_| !erased.more) {
        for account in rows::accounts(&mut tx, tenant, integration, customer).await? {
            forget_thing(&mut tx, key(Resource::Customer, account), now).await?;
        }
        rows::unlink(&mut tx, tenant, integration, customer).await?;
        let elsewhere = rows::is_known_elsewhere(&mut tx, tenant, integration, customer).await?;
        if origin == Some(integration) && !elsewhere {
            rows::remove_customer(&mut tx, tenant, customer).await?;
            erased.customers += 1;
        } else {
            erased.retained = true;
        }
    }
    if erased.sales > 0 || erased.customers > 0 {
        let (actor, subject) =
            (format!("connection {connection}"), format!("{} sales", erased.sales));
        audit::record(&mut tx, tenant, &actor, "erased a person", &subject, now).await?;
    }
    tx.commit().await?;
    Ok(erased)
}

/// Takes the person out of an order's sales and events; gives how many sales held something of them.
async fn forget_order(
    tx: &mut Tx,
    key: Key<'_>,
    sales: Vec<rows::Sale>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for sale in sales {
        let left = json!({
            "billing": Address::default(),
            "shipping": Address::default(),
            "coupons": sale.details["coupons"],
            "customer_note": "",
        });
        let nothing_there =
            sale.email.is_none() && sale.transaction_id.is_empty() && sale.details == left;
        rows::forget_in_sale(tx, key.tenant, sale.id, &left, now).await?;
        count += u64::from(!nothing_there);
    }
    forget_thing(tx, key, now).await?;
    Ok(count)
}

/// Takes the person out of a thing's events, and of those still to come.
async fn forget_thing(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    rows::mark(tx, key, now).await?;
    forget_payloads(tx, key).await
}

/// Takes the person out of the payloads that are kept of a thing's events.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn forget_payloads(tx: &mut Tx, key: Key<'_>) -> Result<(), StoreError> {
    for (event, payload) in rows::payloads(tx, key).await? {
        let left = erasure::erased(&payload);
        if left.as_deref() != Some(&payload) {
            let left = left.as_deref();
            rows::replace_payload(tx, key.tenant, key.integration, event, left).await?;
        }
    }
    Ok(())
}
