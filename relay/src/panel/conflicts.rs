//! `/conflicts/{id}`: what a person says of a sale that does not match the stock.

use axum::extract::State;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    drift::{DECIDED, HERE},
    extract::{Form, Path},
    page::{Answer, Notice},
};
use crate::{
    service::{
        accounts::Person,
        conflict::{self, ConflictError, Decision},
    },
    store,
};

/// What is to be done about a conflict.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    decision: Decision,
}

/// `POST /conflicts/{id}`
pub(super) async fn settle(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Form(Decided { decision }): Form<Decided>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let done = conflict::decide(relay, person.tenant, id, decision, actor, store::now()).await;
    let notice = match done {
        Ok(()) => Notice::good(match decision {
            Decision::Take => "The stock is reduced, here and in the shops.",
            Decision::Leave => "The stock stays as it is.",
            Decision::Acknowledge => "Noted. Count the piece if its number is still below zero.",
        }),
        Err(ConflictError::Unknown) => return Err(DECIDED),
        Err(ConflictError::Store(error)) => return Err(error.into()),
        Err(error @ (ConflictError::Unfit(..) | ConflictError::NotCounted)) => {
            Notice::bad(format!("This is not possible: {error}."))
        }
    };
    panel.done(&person, HERE, notice).await
}
