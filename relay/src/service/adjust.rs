//! A movement that a person or another system posts by hand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Relay, Work,
    anew::{anew, may_be_store},
};
use crate::{
    domain::{Quantity, QuantityError, Sku, limits},
    store::{
        StoreError, TenantId, Tx, audit, integrations, inventory, links, listings,
        movements::{self, Movement},
        pushes,
    },
};

/// How the audit log names who runs the relay, on the command line.
pub const OPERATOR: &str = "command line";

/// Longest note, in characters.
const MAX_NOTE: usize = 4_000;

/// What kind of movement may be posted by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sold at the till.
    Sale,
    /// Came back.
    Return,
    /// Put right.
    Adjustment,
    /// Counted: the difference to the count before.
    Stocktake,
    /// Bought in.
    Purchase,
    /// From or to another place.
    Transfer,
    /// Broken, lost, stolen.
    WriteOff,
    /// Anything else; the note says what.
    Other,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Return => "return",
            Self::Adjustment => "adjustment",
            Self::Stocktake => "stocktake",
            Self::Purchase => "purchase",
            Self::Transfer => "transfer",
            Self::WriteOff => "write_off",
            Self::Other => "other",
        }
    }
}

/// Who posts it.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Another system, by its token.
    Token(Uuid),
    /// Somebody who is logged in.
    Person {
        /// Their key within the tenant.
        id: Uuid,
        /// How the audit log names them.
        email: &'a str,
    },
    /// Who runs the relay, on the command line.
    Operator,
}

impl From<Uuid> for By<'_> {
    fn from(token: Uuid) -> Self {
        Self::Token(token)
    }
}

impl By<'_> {
    /// How the audit log names them.
    pub(super) fn actor(self) -> String {
        match self {
            Self::Token(token) => format!("token {token}"),
            Self::Person { email, .. } => email.to_owned(),
            Self::Operator => OPERATOR.to_owned(),
        }
    }

    /// The token, if it is one.
    pub(super) fn token(self) -> Option<Uuid> {
        if let Self::Token(token) = self { Some(token) } else { None }
    }

    /// The person's key within the tenant, if it is one.
    pub(super) fn person(self) -> Option<Uuid> {
        if let Self::Person { id, .. } = self { Some(id) } else { None }
    }
}

/// How many units it is about.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    /// So many more, or fewer.
    Change(Quantity),
    /// So many there are, as somebody has counted them.
    Count(Quantity),
}

/// A movement to post.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Units, such as `"-1"`; at most three decimals, not zero.
    pub quantity_change: serde_json::Value,
    /// Why, for people.
    #[serde(default)]
    pub notes: String,
}

/// What it led to.
#[derive(Debug, Serialize)]
pub struct Adjusted {
    /// The movement's id.
    pub id: Uuid,
    /// The piece's quantity after it.
    pub quantity: Quantity,
}

/// Why a movement was not posted.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// There is no such piece.
    #[error("there is no piece with this SKU")]
    Unknown,
    /// Not a quantity, or zero.
    #[error("quantity_change: expected a number of units other than 0, such as \"-1\": {0}")]
    Quantity(String),
    /// As many were counted as the ledger has.
    #[error("Nexpura already has this number: nothing has to be changed")]
    Same,
    /// The note is too long.
    #[error("notes: at most {MAX_NOTE} characters")]
    Note,
    /// The shop's count has not been taken yet, so that nobody can say what this would add to.
    #[error(
        "this piece is being counted: its shop's stock is being read twice, try again in a minute"
    )]
    Counting,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

may_be_store!(AdjustError);

/// Posts a movement. The shops that list the piece have it still to come.
///
/// # Errors
/// See [`AdjustError`].
pub async fn adjust<'a>(
    relay: &Relay,
    tenant: TenantId,
    by: impl Into<By<'a>>,
    sku: &Sku,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Adjusted, AdjustError> {
    let change = Quantity::from_json(&request.quantity_change)
        .map_err(|error| AdjustError::Quantity(error.to_string()))?;
    let entry = Entry {
        by: by.into(),
        sku,
        kind: request.kind,
        amount: Amount::Change(change),
        notes: &request.notes,
    };
    enter(relay, tenant, entry, now).await
}

/// A movement as it is entered.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Who enters it.
    pub by: By<'a>,
    /// The piece.
    pub sku: &'a Sku,
    /// What kind.
    pub kind: Kind,
    /// How many units.
    pub amount: Amount,
    /// Why, for people.
    pub notes: &'a str,
}

/// Posts an entry. What was counted is compared with what there is at this moment.
///
/// # Errors
/// See [`AdjustError`].
pub async fn enter(
    relay: &Relay,
    tenant: TenantId,
    entry: Entry<'_>,
    now: DateTime<Utc>,
) -> Result<Adjusted, AdjustError> {
    anew(|| post(relay, tenant, entry, now)).await
}

async fn post(
    relay: &Relay,
    tenant: TenantId,
    entry: Entry<'_>,
    now: DateTime<Utc>,
) -> Result<Adjusted, AdjustError> {
    let Entry { by, sku, kind, amount, notes } = entry;
    if matches!(amount, Amount::Change(change) if change.is_zero()) {
        return Err(AdjustError::Quantity("it is 0".to_owned()));
    }
    if notes.chars().count() > MAX_NOTE || notes.contains('\0') {
        return Err(AdjustError::Note);
    }
    let mut tx = relay.db.write().await?;
    let sold_before = match amount {
        Amount::Count(_) => count_over(&mut tx, tenant, sku, now).await?,
        Amount::Change(_) => 0,
    };
    let piece =
        inventory::lock_by_sku(&mut tx, tenant, sku.as_str()).await?.ok_or(AdjustError::Unknown)?;
    if !piece.counted {
        if listings::is_opening(&mut tx, tenant, piece.id).await? {
            return Err(AdjustError::Counting);
        }
        inventory::mark_counted(&mut tx, tenant, piece.id).await?;
    }
    let refuse = |error: QuantityError| AdjustError::Quantity(error.to_string());
    let before = Quantity::from_thousandths(piece.quantity);
    let change = match amount {
        Amount::Change(change) => change,
        Amount::Count(count) => count.checked_sub(before).map_err(refuse)?,
    };
    // Where something was to come off the number that was counted, the count is what keeps it.
    if change.is_zero() && piece.counted && sold_before == 0 {
        return Err(AdjustError::Same);
    }
    let after = before.checked_add(change).map_err(refuse)?;
    // Far from where a shop's own movements, which nobody can refuse, would no longer fit.
    if after.abs() > Quantity::from_thousandths(limits::MAX_STOCK * 1_000) {
        return Err(AdjustError::Quantity(format!("there would be {after}")));
    }
    let movement = Movement {
        inventory_id: piece.id,
        kind: kind.as_str(),
        change: change.thousandths(),
        notes,
        token_id: by.token(),
        user_id: by.person(),
        ..Movement::default()
    };
    let posted = movements::post(&mut tx, tenant, &movement, now).await?;
    pushes::ask_held(&mut tx, tenant, piece.id, now).await?;
    audit::record(&mut tx, tenant, &by.actor(), "inventory.adjusted", sku.as_str(), now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Push).notify_one();
    Ok(Adjusted { id: posted.id, quantity: Quantity::from_thousandths(posted.quantity) })
}

/// What shops have sold of a piece that they do not have open would come off the ledger's number when they open.
/// Whoever counts does not see those units any more: it comes off no more. Gives how many lines that is about.
async fn count_over(
    tx: &mut Tx,
    tenant: TenantId,
    sku: &Sku,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut lines = 0;
    for store in links::stores_of(tx, tenant, sku.as_str()).await? {
        integrations::lock(tx, tenant, store).await?;
        lines += links::counted(tx, tenant, store, sku.as_str(), now).await?;
    }
    Ok(lines)
}
