//! Customers, matched by e-mail. What another store, or Nexpura itself, knows is never overwritten.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApplyError, Source, remote};
use crate::{
    domain::{Address, Customer, Sale},
    store::{
        Tx,
        customers::{self, Person},
        new_id,
    },
};

/// Brings a registered customer to what the representation shows.
pub(super) async fn apply(tx: &mut Tx, source: &Source, payload: &Value) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let customer = Customer::read(payload)?;
    let remote_id = remote(customer.id)?;
    let address = json!(customer.billing);
    let person = Person {
        email: customer.email.as_ref().map(|email| email.as_str()),
        first_name: first_of(&customer.first_name, &customer.billing.first_name),
        last_name: first_of(&customer.last_name, &customer.billing.last_name),
        company: first_of(&customer.company, &customer.billing.company),
        phone: first_of(&customer.phone, &customer.billing.phone),
        address: &address,
        marketing_consent: customer.marketing_consent,
    };
    let account = customers::lock_by_account(tx, tenant, integration, remote_id).await?;
    let id = match account {
        Some(known) => {
            merge(tx, source, known, &person).await?;
            known.0
        }
        None => match_by_email(tx, source, &person).await?,
    };
    Ok(customers::link(tx, tenant, integration, remote_id, id).await?)
}

/// The customer of an order: the account's, else whoever has its billing e-mail, else nobody.
pub(super) async fn of_order(
    tx: &mut Tx,
    source: &Source,
    order: &Sale,
) -> Result<Option<Uuid>, ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    if order.customer_id > 0 {
        let account = remote(order.customer_id)?;
        if let Some((id, _)) = customers::lock_by_account(tx, tenant, integration, account).await? {
            return Ok(Some(id));
        }
    }
    let Some(email) = &order.email else { return Ok(None) };
    let address = json!(order.billing);
    let person = guest(email.as_str(), &order.billing, &address);
    match_by_email(tx, source, &person).await.map(Some)
}

/// The shop has deleted the account; the customer and what they bought stay.
pub(super) async fn gone(tx: &mut Tx, source: &Source, remote_id: i64) -> Result<(), ApplyError> {
    Ok(customers::account_gone(tx, source.tenant, source.integration, remote_id).await?)
}

async fn match_by_email(
    tx: &mut Tx,
    source: &Source,
    person: &Person<'_>,
) -> Result<Uuid, ApplyError> {
    let tenant = source.tenant;
    if let Some(email) = person.email
        && let Some((id, _)) = customers::lock_by_email(tx, tenant, email).await?
    {
        customers::fill(tx, tenant, id, person, source.now).await?;
        return Ok(id);
    }
    let id = new_id();
    customers::insert(tx, tenant, id, person, source.integration, source.now).await?;
    Ok(id)
}

async fn merge(
    tx: &mut Tx,
    source: &Source,
    (id, origin): (Uuid, Option<Uuid>),
    person: &Person<'_>,
) -> Result<(), ApplyError> {
    if origin == Some(source.integration) {
        customers::update(tx, source.tenant, id, person, source.now).await?;
    } else {
        customers::fill(tx, source.tenant, id, person, source.now).await?;
    }
    Ok(())
}

fn guest<'a>(email: &'a str, billing: &'a Address, address: &'a Value) -> Person<'a> {
    Person {
        email: Some(email),
        first_name: &billing.first_name,
        last_name: &billing.last_name,
        company: &billing.company,
        phone: &billing.phone,
        address,
        marketing_consent: None,
    }
}

fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}
