//! `/settings`: a person's own account.

use std::time::Instant;

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Panel,
    error::PanelError,
    extract::Form,
    page::{Answer, Notice, Page, Shell, Tab},
};
use crate::{
    service::accounts::{self, Person, password::SHORTEST, people},
    store,
};

const HERE: &str = "/settings";

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
}

/// `GET /settings`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let shell = panel.shell(person, Tab::Settings).await?;
    Ok(Page(AccountPage { shell }).into_response())
}

/// A password and the one to have instead.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    present: SecretString,
    new: SecretString,
}

/// `POST /settings/password`
pub(super) async fn change_password(
    State(panel): State<Panel>,
    person: Person,
    Form(Change { present, new }): Form<Change>,
) -> Answer {
    panel.gate.own(person.id, Instant::now()).map_err(PanelError::TooFast)?;
    let changed =
        people::change_password(&panel.relay, &person, &present, &new, store::now()).await;
    let said = |()| "Your password is changed. You are logged out everywhere else.".to_owned();
    panel.told(&person, HERE, changed.map(said)).await
}

/// `POST /settings/sessions/end`
pub(super) async fn end_others(State(panel): State<Panel>, person: Person) -> Answer {
    let ended = accounts::log_out_elsewhere(&panel.relay, &person, store::now()).await?;
    let text = match ended {
        0 => "You were logged in nowhere else.".to_owned(),
        1 => "Logged out in one other browser.".to_owned(),
        more => format!("Logged out in {more} other browsers."),
    };
    panel.done(&person, HERE, Notice::good(text)).await
}
