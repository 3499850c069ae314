//! Coming in and going out: `/login`, `/logout`, and `/set-password` for who holds a link.

use std::time::Instant;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect},
};
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    error::PanelError,
    extract::{Form, Query},
    gate::Address,
    guard::is_ours,
    page::{Answer, Page},
};
use crate::{
    domain::Email,
    service::accounts::{
        self, LoginError, Person,
        people::{self, PeopleError},
    },
    store,
};

#[derive(Debug, Default, Template)]
#[template(path = "login.html")]
struct LoginPage {
    email: String,
    next: String,
    error: Option<String>,
    /// The jewellers to choose from, where there are several.
    jewellers: Vec<(Uuid, String)>,
}

/// Where to go on to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub(super) async fn show(
    State(panel): State<Panel>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Answer {
    if panel.person(&headers).await?.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(Page(LoginPage { next, ..LoginPage::default() }).into_response())
}

/// What somebody types to come in.
#[derive(Debug, Deserialize)]
pub(super) struct Login {
    email: String,
    password: SecretString,
    tenant: Option<Uuid>,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(super) async fn enter(
    State(panel): State<Panel>,
    from: Address,
    Form(login): Form<Login>,
) -> Answer {
    let Login { email, password, tenant, next } = login;
    // As accounts are found, so that an address is one however it is written.
    let account = Email::parse(&email).map_or_else(|_| email.clone(), |email| email.to_string());
    panel.gate.take(from, &account, Instant::now()).map_err(PanelError::TooFast)?;
    match accounts::log_in(&panel.relay, &email, &password, tenant, store::now()).await {
        Ok(came) => {
            if came.nowhere_wrong {
                panel.gate.give_back(from, &account);
            }
            let session = came.session;
            let to = if is_ours(&next) { next.as_str() } else { "/" };
            Ok((panel.cookie.set(&session), Redirect::to(to)).into_response())
        }
        Err(LoginError::Store(error)) => Err(error.into()),
        Err(LoginError::Failed(error)) => Err(error.into()),
        Err(refused) => Ok(again(email, next, refused)),
    }
}

fn again(email: String, next: String, refused: LoginError) -> axum::response::Response {
    let error = Some(refused.to_string());
    let jewellers = match refused {
        LoginError::Several(jewellers) => jewellers,
        _ => Vec::new(),
    };
    let page = LoginPage { email, next, error, jewellers };
    (StatusCode::UNAUTHORIZED, Page(page)).into_response()
}

/// `POST /logout`
pub(super) async fn leave(State(panel): State<Panel>, person: Person) -> Answer {
    accounts::log_out(&panel.relay, &person, store::now()).await?;
    Ok((panel.cookie.clear(), Redirect::to("/login")).into_response())
}

#[derive(Debug, Template)]
#[template(path = "set-password.html")]
struct SetPasswordPage {
    email: String,
    link: String,
    error: Option<String>,
}

/// The link that somebody was given.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    link: String,
}

/// `GET /set-password?link=…`
pub(super) async fn choose(
    State(panel): State<Panel>,
    from: Address,
    Query(Given { link }): Query<Given>,
) -> Answer {
    panel.gate.look(from, Instant::now()).map_err(PanelError::TooFast)?;
    let email = people::holder_of(&panel.relay, &link, store::now()).await?;
    Ok(Page(SetPasswordPage { email, link, error: None }).into_response())
}

/// A password that somebody chose, by a link.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    link: String,
    password: SecretString,
}

/// `POST /set-password`: the link is used up, and they are in.
pub(super) async fn set(
    State(panel): State<Panel>,
    from: Address,
    Form(Chosen { link, password }): Form<Chosen>,
) -> Answer {
    panel.gate.look(from, Instant::now()).map_err(PanelError::TooFast)?;
    let now = store::now();
    match people::set_password(&panel.relay, &link, &password, now).await {
        Ok(session) => Ok((panel.cookie.set(&session), Redirect::to("/")).into_response()),
        Err(PeopleError::Password(error)) => {
            let email = people::holder_of(&panel.relay, &link, now).await?;
            let page = SetPasswordPage { email, link, error: Some(error.to_string()) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
