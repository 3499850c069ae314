//! People: logging in and out, and who somebody is.

pub mod password;
pub mod people;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Relay,
    credential::{Token, Use},
};
use crate::{
    domain::{Email, Role},
    store::{StoreError, TenantId, Tx, audit, people as rows, sessions},
};

/// How long a session lasts at most.
pub const LONGEST: TimeDelta = TimeDelta::days(30);
/// After how long without use a session ends.
const IDLE: TimeDelta = TimeDelta::days(7);
/// How exactly it is known when a session was last used: each note is a write.
const NOTE_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The jeweller they work for.
    pub tenant: TenantId,
    /// The jeweller's name.
    pub tenant_name: String,
    /// Their key within the tenant.
    pub id: Uuid,
    /// Their e-mail: how the audit log names them.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// What the next page is to say, if anything.
    pub notice: Option<String>,
    /// What their session is found by.
    session: Vec<u8>,
}

/// Why somebody could not log in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No account of this e-mail has this password; no more is told.
    #[error("The e-mail address or the password is wrong.")]
    Wrong,
    /// Several jewellers have this person, all with this password: they have to say which one is meant.
    #[error("You work for several jewellers: choose one, and type your password again.")]
    Several(Vec<(TenantId, String)>),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed, or no random numbers could be had.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Somebody who has come in.
#[derive(Debug)]
pub struct CameIn {
    /// What their browser is to hold.
    pub session: Token,
    /// Whether the password was that of every account that it was tried on.
    pub nowhere_wrong: bool,
}

/// Logs somebody in. `with` says which jeweller is meant, where there
/// are several.
///
/// # Errors
/// See [`LoginError`].
pub async fn log_in(
    relay: &Relay,
    email: &str,
    password: &SecretString,
    with: Option<TenantId>,
    now: DateTime<Utc>,
) -> Result<CameIn, LoginError> {
    let mut accounts = Vec::new();
    let known = Email::parse(email).ok();
    if let Some(email) = &known {
        let mut tx = relay.db.read().await?;
        accounts = rows::accounts(&mut tx, email.as_str()).await?;
        tx.commit().await?;
    }
    accounts.retain(|account| with.is_none_or(|with| with == account.tenant_id));
    let kept: Vec<String> = accounts.iter().map(|account| account.password.clone()).collect();
    let fits = relay.passwords.fitting(password, &kept).await?;
    let fitting = accounts.iter().zip(fits).filter(|(_, fits)| *fits).map(|(account, _)| account);
    match fitting.collect::<Vec<_>>().as_slice() {
        [] => Err(LoginError::Wrong),
        [account] => {
            let (tenant, user) = (account.tenant_id, account.id);
            let mut tx = relay.db.write().await?;
            if !is_still(&mut tx, tenant, user, &account.password).await? {
                return Err(LoginError::Wrong);
            }
            let session = begin(&mut tx, tenant, user, now).await?;
            audit::record(
                &mut tx,
                tenant,
                known.as_ref().map_or("", Email::as_str),
                "session.begun",
                "",
                now,
            )
            .await?;
            tx.commit().await?;
            Ok(CameIn { session, nowhere_wrong: kept.len() == 1 })
        }
        several => {
            let named = several.iter().map(|account| (account.tenant_id, account.tenant.clone()));
            Err(LoginError::Several(named.collect()))
        }
    }
}

/// What is kept of a new password: salted as what is kept of the person's others is, with whichever jeweller
/// those are, so that a login is one computation and its time does not tell how many there are.
async fn hash(relay: &Relay, email: &str, password: &SecretString) -> Result<String, LoginError> {
    let mut tx = relay.db.read().await?;
    let accounts = rows::accounts(&mut tx, email).await?;
    tx.commit().await?;
    let like = accounts.first().map(|account| account.password.as_str());
    Ok(relay.passwords.hash(password, like).await?)
}

/// Whether a password that was verified a moment ago still is that of somebody who may come in: hashing
/// takes a while. The person is held until the transaction ends.
async fn is_still(
    tx: &mut Tx,
    tenant: TenantId,
    user: Uuid,
    hash: &str,
) -> Result<bool, StoreError> {
    let here = rows::lock(tx, tenant, user).await?.is_some();
    Ok(here && rows::password(tx, tenant, user).await?.as_deref() == Some(hash))
}

/// Begins a session of somebody who has shown who they are.
async fn begin(
    tx: &mut Tx,
    tenant: TenantId,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Token, LoginError> {
    let token = Token::create_for(Use::Session, tenant)?;
    sessions::insert(tx, tenant, &token.hash(), user, now, now + LONGEST).await?;
    rows::logged_in(tx, tenant, user, now).await?;
    Ok(token)
}

/// Who holds this session, if it counts.
///
/// # Errors
/// When the database does not answer, or holds a role that there is not.
pub async fn whose(
    relay: &Relay,
    token: &Token,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Person>> {
    let hash = token.hash();
    let mut tx = relay.db.read().await?;
    let found = sessions::live(&mut tx, token.tenant, &hash, now - IDLE, now).await?;
    tx.commit().await?;
    let Some(found) = found else { return Ok(None) };
    if found.seen_at < now - NOTE_EVERY {
        let mut tx = relay.db.write().await?;
        sessions::seen(&mut tx, token.tenant, &hash, now).await?;
        tx.commit().await?;
    }
    Ok(Some(Person {
        tenant: token.tenant,
        tenant_name: found.tenant,
        id: found.user_id,
        email: found.email,
        role: Role::parse(&found.role)?,
        notice: found.notice,
        session: hash,
    }))
}

/// Whether somebody who was let in some time ago would be let in now, with the same role.
///
/// # Errors
/// When the database does not answer.
pub async fn is_still_here(
    relay: &Relay,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = relay.db.read().await?;
    let found = sessions::live(&mut tx, person.tenant, &person.session, now - IDLE, now).await?;
    tx.commit().await?;
    Ok(found.is_some_and(|found| found.role == person.role.as_str()))
}

/// Ends a person's session.
///
/// # Errors
/// When the database does not answer.
pub async fn log_out(relay: &Relay, person: &Person, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    sessions::end(&mut tx, person.tenant, &person.session).await?;
    audit::record(&mut tx, person.tenant, &person.email, "session.ended", "", now).await?;
    tx.commit().await
}

/// Ends a person's other sessions; gives how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn log_out_elsewhere(
    relay: &Relay,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut tx = relay.db.write().await?;
    let ended = sessions::end_others(&mut tx, person.tenant, person.id, &person.session).await?;
    audit::record(&mut tx, person.tenant, &person.email, "sessions.ended", &person.email, now)
        .await?;
    tx.commit().await?;
    Ok(ended)
}

/// Whether a form of this id is sent for the first time since the person's last other one: what was clicked twice
/// is done once.
///
/// # Errors
/// When the database does not answer.
pub async fn is_first(relay: &Relay, person: &Person, form: Uuid) -> Result<bool, StoreError> {
    let mut tx = relay.db.write().await?;
    let first = sessions::use_form(&mut tx, person.tenant, &person.session, form).await?;
    tx.commit().await?;
    Ok(first)
}

/// Keeps what the person's next page is to say, or forgets what it has said.
///
/// # Errors
/// When the database does not answer.
pub async fn note(relay: &Relay, person: &Person, notice: Option<&str>) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    sessions::set_notice(&mut tx, person.tenant, &person.session, notice).await?;
    tx.commit().await
}
