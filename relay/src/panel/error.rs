//! The one error type of the pages, and the one way it is shown.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};

use super::page::{Page, Shell, Tab};
use crate::{
    domain::Role,
    service::accounts::{Person, password::Crowded, people::PeopleError},
    store::StoreError,
};

/// When whoever did not find room at the door is to come again, in seconds.
const COME_AGAIN: u64 = 5;

/// Why a page was not shown. What a person may know is in the text; what only the operator may know is
/// logged.
#[derive(Debug)]
pub(super) enum PanelError {
    /// Nobody is logged in: on to this address, where they can.
    LoggedOut(String),
    /// The person's role is not enough.
    Forbidden(Role),
    /// The form came from another site's page.
    OtherOrigin,
    /// The address or the form makes no sense.
    BadRequest(String),
    /// Not there, or another jeweller's.
    NotFound(&'static str),
    /// Forms are sent to this address; it shows nothing.
    NotAPage,
    /// A link that counts no longer.
    Gone(String),
    /// Too many tries, with the seconds to wait.
    TooFast(u64),
    /// The cause is logged, not told.
    Internal(anyhow::Error),
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    title: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "error-within.html")]
struct ErrorWithin<'a> {
    shell: Shell,
    title: &'a str,
    text: &'a str,
}

/// What an error page says; it goes with the response to whoever knows who is logged in.
#[derive(Debug, Clone)]
struct Told {
    title: &'static str,
    text: String,
}

/// An error page within the frame of somebody who is logged in, so that they can go on from there; every
/// other response stays as it is.
pub(super) fn within(mut response: Response, person: Person, path: &str) -> Response {
    let Some(Told { title, text }) = response.extensions_mut().remove::<Told>() else {
        return response;
    };
    let shell = Shell::plain(person, Tab::of(path));
    let page = Page(ErrorWithin { shell, title, text: &text }).into_response();
    *response.body_mut() = page.into_body();
    response
}

impl IntoResponse for PanelError {
    fn into_response(self) -> Response {
        use StatusCode as S;
        let mut retry_after = None;
        let (status, title, text) = match self {
            Self::LoggedOut(login) => return Redirect::to(&login).into_response(),
            Self::Forbidden(needed) => {
                let who = if needed == Role::Owner { "an owner" } else { "a manager or an owner" };
                let text = format!("Only {who} may do this. Ask one of them, or log in as one.");
                (S::FORBIDDEN, "You don’t have permission to do this", text)
            }
            Self::OtherOrigin => {
                let text = "This form was not sent from a page of Nexpura, so nothing was done. \
                    Open the page here and try again.";
                (S::FORBIDDEN, "Not from here", text.to_owned())
            }
            Self::BadRequest(text) => (S::BAD_REQUEST, "That did not work", text),
            Self::NotFound(text) => (S::NOT_FOUND, "Not found", text.to_owned()),
            Self::NotAPage => {
                let text = "Only a form can be sent to this address. Go back to where you came from, and press \
                    its button there.";
                (S::METHOD_NOT_ALLOWED, "Nothing to see here", text.to_owned())
            }
            Self::Gone(text) => (S::GONE, "This link is no longer valid", text),
            Self::TooFast(seconds) => {
                retry_after = Some(seconds);
                let text = match seconds {
                    0..=90 => format!("Try again in {seconds} seconds."),
                    more => format!("Try again in {} minutes.", more.div_ceil(60)),
                };
                (S::TOO_MANY_REQUESTS, "Too many tries", text)
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "page failed");
                let text =
                    "This is our fault, and it is in the relay's log. Try again in a moment.";
                (S::INTERNAL_SERVER_ERROR, "Something went wrong", text.to_owned())
            }
        };
        let mut response = (status, Page(ErrorPage { title, text: &text })).into_response();
        response.extensions_mut().insert(Told { title, text });
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for PanelError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for PanelError {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<Crowded>() { Self::TooFast(COME_AGAIN) } else { Self::Internal(error) }
    }
}

impl From<PeopleError> for PanelError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Link => Self::Gone(error.to_string()),
            PeopleError::Unknown => Self::NotFound("There is no such person here."),
            PeopleError::Email(_)
            | PeopleError::Taken(_)
            | PeopleError::LastOwner
            | PeopleError::Wrong
            | PeopleError::Password(_) => Self::BadRequest(error.to_string()),
            PeopleError::Store(error) => error.into(),
            PeopleError::Failed(error) => error.into(),
        }
    }
}
