//! `/`: how the stores stand.

use askama::Template;
use axum::{extract::State, response::IntoResponse};

use super::{
    Panel,
    page::{Answer, Page, Shell, Tab},
};
use crate::service::{
    accounts::Person,
    stores::{self, Overview},
};

#[derive(Debug, Template)]
#[template(path = "home.html")]
struct HomePage {
    shell: Shell,
    stores: Vec<Overview>,
}

/// `GET /`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let stores = stores::list(&panel.relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Home).await?;
    Ok(Page(HomePage { shell, stores }).into_response())
}
