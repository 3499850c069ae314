//! Customers, matched by e-mail. What another store, or Nexpura itself, knows is never overwritten.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApplyError, Source, Unwritten, remote};
use crate::{
    domain::{Address, Customer, Sale},
    store::{
        Tx,
        customers::{self, Known, Person},
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
        None => match_by_email(tx, source, &person).await?.id,
    };
    Ok(customers::link(tx, tenant, integration, remote_id, id).await?)
}

/// The customer of an order: the account's, else whoever has its billing e-mail, else nobody.
pub(super) async fn of_order(
    tx: &mut Tx,
    unwritten: &mut Unwritten,
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
    let known = match unwritten.people.remove(email.as_str()) {
        Some(known) => completed(tx, source, known, &person).await?,
        None => match_by_email(tx, source, &person).await?,
    };
    let id = known.id;
    unwritten.people.insert(email.as_str().to_owned(), known);
    Ok(Some(id))
}

/// The shop has deleted the account; the customer and what they bought stay.
pub(super) async fn gone(tx: &mut Tx, source: &Source, remote_id: i64) -> Result<(), ApplyError> {
    Ok(customers::account_gone(tx, source.tenant, source.integration, remote_id).await?)
}

async fn match_by_email(
    tx: &mut Tx,
    source: &Source,
    person: &Person<'_>,
) -> Result<Known, ApplyError> {
    let tenant = source.tenant;
    if let Some(email) = person.email
        && let Some(known) = customers::lock_by_email(tx, tenant, email).await?
    {
        return completed(tx, source, known, person).await;
    }
    let id = new_id();
    customers::insert(tx, tenant, id, person, source.integration, source.now).await?;
    Ok(Known {
        id,
        origin_integration_id: Some(source.integration),
        first_name: person.first_name.to_owned(),
        last_name: person.last_name.to_owned(),
        company: person.company.to_owned(),
        phone: person.phone.to_owned(),
        marketing_consent: person.marketing_consent,
    })
}

/// The customer with what was lacking of them, where anything of it is told now.
async fn completed(
    tx: &mut Tx,
    source: &Source,
    mut known: Known,
    person: &Person<'_>,
) -> Result<Known, ApplyError> {
    if known.take_over(person) {
        customers::fill(tx, source.tenant, known.id, person, source.now).await?;
    }
    Ok(known)
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
