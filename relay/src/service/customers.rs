//! Customers for people: searched, and in order.

use uuid::Uuid;

use super::Relay;
pub use crate::store::customers::Shown;
use crate::store::{
    StoreError, TenantId, Tx, customers,
    inventory::Texts,
    page::{Page, read_cursor},
};

/// Which customers, in which order.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// How the e-mail or the family name begins; empty for all. What is found by e-mail stands first.
    pub text: String,
    /// By family name instead of the newest first; where nothing is searched for.
    pub by_name: bool,
    /// Only those who agreed to be written to, or only those who did not, or of whom nobody knows.
    pub consents: Option<bool>,
}

/// After which row of which part of the list a page begins.
enum After {
    Newest(Uuid),
    Email(String),
    Name(String, Uuid),
}

impl After {
    fn key(&self) -> String {
        match self {
            Self::Newest(id) => format!("i{id}"),
            Self::Email(email) => format!("e{email}"),
            Self::Name(name, id) => format!("n{id}{name}"),
        }
    }

    fn read(cursor: &str) -> Option<Self> {
        let key = read_cursor(cursor)?;
        let (part, rest) = key.split_at_checked(1)?;
        match part {
            "i" => Uuid::try_parse(rest).ok().map(Self::Newest),
            "e" => Some(Self::Email(rest.to_owned())),
            "n" => {
                let (id, name) = rest.split_at_checked(36)?;
                Some(Self::Name(name.to_owned(), Uuid::try_parse(id).ok()?))
            }
            _ => None,
        }
    }
}

fn with_id(customer: Shown) -> (Shown, After) {
    let key = After::Newest(customer.id);
    (customer, key)
}

fn with_email(customer: Shown) -> (Shown, After) {
    let key = After::Email(customer.email.clone().unwrap_or_default());
    (customer, key)
}

fn with_name(customer: Shown) -> (Shown, After) {
    let key = After::Name(customer.last_name.to_ascii_lowercase(), customer.id);
    (customer, key)
}

async fn with_emails(
    tx: &mut Tx,
    tenant: TenantId,
    search: &Search,
    emails: &Texts,
    after: &str,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    match search.consents {
        None => customers::with_emails(tx, tenant, emails, after, limit).await,
        Some(consents) => {
            customers::with_emails_of(tx, tenant, consents, emails, after, limit).await
        }
    }
}

async fn by_name(
    tx: &mut Tx,
    tenant: TenantId,
    search: &Search,
    (names, emails): (&Texts, Option<&Texts>),
    after: (&str, Uuid),
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    match search.consents {
        None => customers::by_name(tx, tenant, names, emails, after, limit).await,
        Some(consents) => {
            customers::by_name_of(tx, tenant, consents, (names, emails), after, limit).await
        }
    }
}

/// One page of customers. `after` is the `next` of the page before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    after: &str,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let (after, more) = (After::read(after), limit + 1);
    let after_name = match &after {
        Some(After::Name(name, id)) => Some((name.as_str(), *id)),
        _ => None,
    };
    let start = ("", Uuid::nil());
    let text = search.text.trim();
    let mut rows = Vec::new();
    let mut tx = relay.db.read().await?;
    if !text.is_empty() {
        let emails = Texts::beginning_with(&text.to_lowercase());
        let names = Texts::beginning_with(&text.to_ascii_lowercase());
        if after_name.is_none() {
            let after = if let Some(After::Email(email)) = &after { email.as_str() } else { "" };
            let found = with_emails(&mut tx, tenant, search, &emails, after, more).await?;
            rows.extend(found.into_iter().map(with_email));
        }
        let left = more - i64::try_from(rows.len()).unwrap_or(more);
        let after = after_name.unwrap_or(start);
        let texts = (&names, Some(&emails));
        let found = by_name(&mut tx, tenant, search, texts, after, left).await?;
        rows.extend(found.into_iter().map(with_name));
    } else if search.by_name {
        let all = Texts::beginning_with("");
        let after = after_name.unwrap_or(start);
        let found = by_name(&mut tx, tenant, search, (&all, None), after, more).await?;
        rows.extend(found.into_iter().map(with_name));
    } else {
        let before = if let Some(After::Newest(id)) = after { id } else { Uuid::max() };
        let found = match search.consents {
            None => customers::newest(&mut tx, tenant, before, more).await?,
            Some(consents) => customers::newest_of(&mut tx, tenant, consents, before, more).await?,
        };
        rows.extend(found.into_iter().map(with_id));
    }
    tx.commit().await?;
    let page = Page::cut(rows, limit, |(_, key)| key.key());
    Ok(page.map(|(customer, _)| customer))
}
