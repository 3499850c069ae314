//! `/links`: whose count holds where a shop sells a piece that the ledger has already.

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
        links::{self, ChooseError, Holds, Which},
    },
    store,
};

/// Whose count holds.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    holds: Holds,
}

/// `POST /links/{id}`
pub(super) async fn choose(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::One(id), holds).await
}

/// `POST /links`
pub(super) async fn choose_all(
    State(panel): State<Panel>,
    person: Person,
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::All, holds).await
}

impl Panel {
    async fn choose(&self, person: &Person, which: Which, holds: Holds) -> Answer {
        let (relay, actor) = (&self.relay, &person.email);
        let done = links::choose(relay, person.tenant, which, holds, actor, store::now()).await;
        let notice = match done {
            Ok(done) if done.left == 0 => Notice::good(format!(
                "{} linked. The shop’s stock is read twice before anything counts.",
                done.chosen
            )),
            Ok(done) => Notice::good(format!(
                "{} linked, {} still need a decision: their piece is sold by another product of the same shop, \
                 or Nexpura has no count of it yet.",
                done.chosen, done.left
            )),
            Err(ChooseError::Unknown) => return Err(DECIDED),
            Err(ChooseError::Store(error)) => return Err(error.into()),
            Err(ChooseError::Unfit) => Notice::bad(
                "This cannot be linked so. Either another product of the same shop sells the piece \
                 already: give one of them another SKU. Or Nexpura has no count of it: use the \
                 shop’s.",
            ),
        };
        self.done(person, HERE, notice).await
    }
}
