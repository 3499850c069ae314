//! Who may come in: people invited, given another role, removed, and the links by which they set a
//! password.

use std::slice;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use super::{
    super::{
        Relay,
        credential::{Token, Use},
    },
    LoginError, Person, begin, hash, is_still,
    password::{self, PasswordError},
};
use crate::{
    domain::{Email, EmailError, Role},
    store::{
        StoreError, TenantId, Tx, audit, password_links,
        people::{self as rows, Shown},
        sessions, tenants,
    },
};

/// How long a link to set a password counts.
pub const LINK_LASTS: TimeDelta = TimeDelta::days(3);
/// The page that such a link opens.
const PAGE: &str = "set-password";

/// Why something about a person was not done.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// No e-mail.
    #[error("This is not an e-mail address.")]
    Email(#[from] EmailError),
    /// There is an account with this e-mail.
    #[error("{0} already has an account here.")]
    Taken(String),
    /// The tenant has nobody with this key or e-mail.
    #[error("There is no such person here.")]
    Unknown,
    /// Somebody has to be able to let others in.
    #[error("At least one owner has to stay: make somebody else an owner first.")]
    LastOwner,
    /// The link is used, replaced or expired.
    #[error("This link has already been used, or is too old. Ask an owner for a new one.")]
    Link,
    /// The password that was given as the present one is not.
    #[error("The current password is wrong.")]
    Wrong,
    /// Not good enough for a password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that only the operator can put right.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<LoginError> for PeopleError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Store(error) => Self::Store(error),
            LoginError::Failed(error) => Self::Failed(error),
            other => Self::Failed(other.into()),
        }
    }
}

/// A link by which one person may set a password, once. It is shown once.
#[derive(Debug)]
pub struct Link {
    /// Whose.
    pub email: String,
    /// Where it leads.
    pub url: String,
    /// Until when it counts.
    pub until: DateTime<Utc>,
}

/// Everybody of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn list(relay: &Relay, tenant: TenantId) -> Result<Vec<Shown>, StoreError> {
    let mut tx = relay.db.read().await?;
    let people = rows::list(&mut tx, tenant).await?;
    tx.commit().await?;
    Ok(people)
}

/// Lets somebody in: an account without a password, and the link to set one.
///
/// # Errors
/// When the e-mail is none or taken, or the database does not answer.
pub async fn invite(
    relay: &Relay,
    tenant: TenantId,
    email: &str,
    role: Role,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Link, PeopleError> {
    let email = Email::parse(email)?;
    let mut tx = relay.db.write().await?;
    let added = rows::add(&mut tx, tenant, email.as_str(), role.as_str(), now).await?;
    let user = added.ok_or_else(|| PeopleError::Taken(email.to_string()))?;
    let link = make_link(relay, &mut tx, tenant, user, email.as_str(), now).await?;
    let subject = format!("{email} as {role}");
    audit::record(&mut tx, tenant, actor, "user.added", &subject, now).await?;
    tx.commit().await?;
    Ok(link)
}

/// Adds somebody who has a password already, as the operator may on the command line.
///
/// # Errors
/// When the e-mail is taken, the password is not good enough, or the database does not answer.
pub async fn add_with_password(
    relay: &Relay,
    tenant: TenantId,
    email: &Email,
    role: Role,
    password: &SecretString,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), PeopleError> {
    password::check(password, email.as_str())?;
    let hash = hash(relay, email.as_str(), password).await?;
    let mut tx = relay.db.write().await?;
    let added = rows::add(&mut tx, tenant, email.as_str(), role.as_str(), now).await?;
    let user = added.ok_or_else(|| PeopleError::Taken(email.to_string()))?;
    rows::set_password(&mut tx, tenant, user, &hash).await?;
    let subject = format!("{email} as {role}");
    audit::record(&mut tx, tenant, actor, "user.added", &subject, now).await?;
    tx.commit().await?;
    Ok(())
}

/// A new link for somebody who has lost theirs, or their password. What they had still counts until they
/// use it.
///
/// # Errors
/// When there is no such person, or the database does not answer.
pub async fn renew_link(
    relay: &Relay,
    tenant: TenantId,
    user: Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Link, PeopleError> {
    let mut tx = relay.db.write().await?;
    let (email, _) = rows::lock(&mut tx, tenant, user).await?.ok_or(PeopleError::Unknown)?;
    let link = make_link(relay, &mut tx, tenant, user, &email, now).await?;
    audit::record(&mut tx, tenant, actor, "user.link", &email, now).await?;
    tx.commit().await?;
    Ok(link)
}

/// The same by the names of both, on the command line.
///
/// # Errors
/// See [`renew_link`].
pub async fn renew_link_of(
    relay: &Relay,
    tenant: &str,
    email: &Email,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Link, PeopleError> {
    let mut tx = relay.db.read().await?;
    let tenant = tenants::find(&mut tx, tenant).await?.ok_or(PeopleError::Unknown)?;
    let user = rows::by_email(&mut tx, tenant, email.as_str()).await?;
    tx.commit().await?;
    renew_link(relay, tenant, user.ok_or(PeopleError::Unknown)?, actor, now).await
}

async fn make_link(
    relay: &Relay,
    tx: &mut Tx,
    tenant: TenantId,
    user: Uuid,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Link, PeopleError> {
    let mut url: Url = relay.config.reachable_at()?;
    let token = Token::create_for(Use::Link, tenant)?;
    let until = now + LINK_LASTS;
    password_links::put(tx, tenant, user, &token.hash(), now, until).await?;
    // In the query, which no log of ours holds.
    url.set_path(PAGE);
    url.query_pairs_mut().clear().append_pair("link", token.expose());
    Ok(Link { email: email.to_owned(), url: url.into(), until })
}

/// The e-mail of the person whose link this is.
///
/// # Errors
/// [`PeopleError::Link`] when it does not count.
pub async fn holder_of(
    relay: &Relay,
    link: &str,
    now: DateTime<Utc>,
) -> Result<String, PeopleError> {
    let token = Token::parse_for(Use::Link, link).ok_or(PeopleError::Link)?;
    let mut tx = relay.db.read().await?;
    let email = password_links::whose(&mut tx, token.tenant, &token.hash(), now).await?;
    tx.commit().await?;
    email.ok_or(PeopleError::Link)
}

/// Sets a password by a link, which is used up by it. All sessions of the person end and a new one
/// begins.
///
/// # Errors
/// When the link does not count, the password is not good enough, or the database does not answer.
pub async fn set_password(
    relay: &Relay,
    link: &str,
    password: &SecretString,
    now: DateTime<Utc>,
) -> Result<Token, PeopleError> {
    let email = holder_of(relay, link, now).await?;
    let token = Token::parse_for(Use::Link, link).ok_or(PeopleError::Link)?;
    password::check(password, &email)?;
    let hash = hash(relay, &email, password).await?;
    let tenant = token.tenant;
    let mut tx = relay.db.write().await?;
    // Whoever removes somebody holds the person first, and then what they have.
    let holder = password_links::holder(&mut tx, tenant, &token.hash()).await?;
    rows::lock(&mut tx, tenant, holder.ok_or(PeopleError::Link)?).await?;
    let taken = password_links::take(&mut tx, tenant, &token.hash(), now).await?;
    let (user, email) = taken.ok_or(PeopleError::Link)?;
    rows::set_password(&mut tx, tenant, user, &hash).await?;
    sessions::end_others(&mut tx, tenant, user, &[]).await?;
    let session = begin(&mut tx, tenant, user, now).await?;
    audit::record(&mut tx, tenant, &email, "password.set", &email, now).await?;
    tx.commit().await?;
    Ok(session)
}

/// Somebody changes their own password. Their other sessions end.
///
/// # Errors
/// When the present password is another one, the new one is not good enough, or the database does not
/// answer.
pub async fn change_password(
    relay: &Relay,
    person: &Person,
    present: &SecretString,
    new: &SecretString,
    now: DateTime<Utc>,
) -> Result<(), PeopleError> {
    password::check(new, &person.email)?;
    let mut tx = relay.db.read().await?;
    let held = rows::password(&mut tx, person.tenant, person.id).await?;
    tx.commit().await?;
    let held = held.ok_or(PeopleError::Wrong)?;
    if relay.passwords.fitting(present, slice::from_ref(&held)).await? != [true] {
        return Err(PeopleError::Wrong);
    }
    let hash = hash(relay, &person.email, new).await?;
    let mut tx = relay.db.write().await?;
    if !is_still(&mut tx, person.tenant, person.id, &held).await? {
        return Err(PeopleError::Wrong);
    }
    rows::set_password(&mut tx, person.tenant, person.id, &hash).await?;
    password_links::forget(&mut tx, person.tenant, person.id).await?;
    sessions::end_others(&mut tx, person.tenant, person.id, &person.session).await?;
    let (actor, subject) = (&person.email, &person.email);
    audit::record(&mut tx, person.tenant, actor, "password.changed", subject, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives somebody another role. It counts from their next page.
///
/// # Errors
/// When there is no such person, they are the last owner, or the database does not answer.
pub async fn set_role(
    relay: &Relay,
    tenant: TenantId,
    user: Uuid,
    role: Role,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<String, PeopleError> {
    let mut tx = relay.db.write().await?;
    let owners = rows::lock_owners(&mut tx, tenant).await?;
    let (email, _) = rows::lock(&mut tx, tenant, user).await?.ok_or(PeopleError::Unknown)?;
    if role != Role::Owner && owners == [user] {
        return Err(PeopleError::LastOwner);
    }
    rows::set_role(&mut tx, tenant, user, role.as_str()).await?;
    let subject = format!("{email} as {role}");
    audit::record(&mut tx, tenant, actor, "user.role", &subject, now).await?;
    tx.commit().await?;
    Ok(email)
}

/// Ends somebody's account: their sessions, their link and their password go, what they did stays.
///
/// # Errors
/// When there is no such person, they are the last owner, or the database does not answer.
pub async fn remove(
    relay: &Relay,
    tenant: TenantId,
    user: Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<String, PeopleError> {
    let mut tx = relay.db.write().await?;
    let owners = rows::lock_owners(&mut tx, tenant).await?;
    let (email, _) = rows::lock(&mut tx, tenant, user).await?.ok_or(PeopleError::Unknown)?;
    if owners == [user] {
        return Err(PeopleError::LastOwner);
    }
    rows::remove(&mut tx, tenant, user, now).await?;
    password_links::forget(&mut tx, tenant, user).await?;
    sessions::end_others(&mut tx, tenant, user, &[]).await?;
    audit::record(&mut tx, tenant, actor, "user.removed", &email, now).await?;
    tx.commit().await?;
    Ok(email)
}
