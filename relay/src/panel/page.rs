//! A page: its template, the frame around it, and what it says of what was just done.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};

use super::{Panel, error::PanelError};
use crate::{
    domain::Role,
    service::accounts::{self, Person},
    store,
};

/// Longest notice, in characters.
const MAX_NOTICE: usize = 1_000;

/// A rendered template.
#[derive(Debug)]
pub(super) struct Page<T>(pub(super) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a template cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "The page failed.").into_response()
            }
        }
    }
}

/// What handlers answer with.
pub(super) type Answer = Result<Response, PanelError>;

/// Which part of the panel a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// What matters today.
    Home,
    /// What was sold.
    Sales,
    /// What there is.
    Inventory,
    /// Who bought.
    Customers,
    /// The stores, and what is synced with them.
    Integrations,
    /// What arrived.
    Events,
    /// What waits for a person's word.
    Drift,
    /// The person's own account, people, policies, what was done.
    Settings,
    /// None of them.
    Elsewhere,
}

impl Tab {
    /// The part that a path belongs to.
    pub(super) fn of(path: &str) -> Self {
        let within = |at: &str| {
            path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = TABS.iter().find(|(_, at, _)| within(at));
        found.map_or(Self::Elsewhere, |(tab, ..)| *tab)
    }
}

/// The parts in the order of the navigation, with address and name.
pub(super) const TABS: &[(Tab, &str, &str)] = &[
    (Tab::Home, "/", "Home"),
    (Tab::Sales, "/sales", "Sales"),
    (Tab::Inventory, "/inventory", "Inventory"),
    (Tab::Customers, "/customers", "Customers"),
    (Tab::Drift, "/drift", "Differences"),
    (Tab::Integrations, "/integrations", "Integrations"),
    (Tab::Events, "/events", "Events"),
    (Tab::Settings, "/settings", "Settings"),
];

/// What was just done, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// Whether it went well.
    pub(super) good: bool,
    /// For people.
    pub(super) text: String,
}

impl Notice {
    /// It was done.
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into() }
    }

    /// It was not done.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into() }
    }

    fn keep(&self) -> String {
        let sign = if self.good { '+' } else { '-' };
        std::iter::once(sign).chain(self.text.chars().take(MAX_NOTICE)).collect()
    }

    fn read(kept: &str) -> Option<Self> {
        let (sign, text) = kept.split_at_checked(1)?;
        Some(Self { good: sign == "+", text: text.to_owned() })
    }
}

/// The frame around every page of somebody who is logged in: navigation, person, notice.
#[derive(Debug)]
pub(super) struct Shell {
    /// Which part of the panel this is.
    pub(super) tab: Tab,
    /// Who looks at it.
    pub(super) person: Person,
    /// What is said at the top.
    pub(super) notice: Option<Notice>,
    /// When the page was made.
    pub(super) now: DateTime<Utc>,
}

impl Shell {
    /// The frame of a page that nothing is told on.
    pub(super) fn plain(person: Person, tab: Tab) -> Self {
        Self { tab, person, notice: None, now: store::now() }
    }

    /// Whether the person may connect, disconnect and sync.
    pub(super) fn manages(&self) -> bool {
        self.person.role.may(Role::Manager)
    }

    /// Whether the person may say who comes in.
    pub(super) fn owns(&self) -> bool {
        self.person.role.may(Role::Owner)
    }
}

impl Panel {
    /// The frame of a page. What was kept for the person to be told is told by it, once.
    pub(super) async fn shell(&self, person: Person, tab: Tab) -> Result<Shell, PanelError> {
        let notice = person.notice.as_deref().and_then(Notice::read);
        if notice.is_some() {
            accounts::note(&self.relay, &person, None).await?;
        }
        Ok(Shell { tab, person, notice, now: store::now() })
    }

    /// The end of everything that changes something: on to a page, which says what became of it.
    pub(super) async fn done(&self, person: &Person, to: &str, notice: Notice) -> Answer {
        accounts::note(&self.relay, person, Some(&notice.keep())).await?;
        Ok(Redirect::to(to).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_its_tab() {
        assert_eq!(Tab::of("/"), Tab::Home);
        assert_eq!(Tab::of("/sales/1"), Tab::Sales);
        assert_eq!(Tab::of("/settings/people"), Tab::Settings);
        assert_eq!(Tab::of("/salesmen"), Tab::Elsewhere);
    }

    #[test]
    fn a_notice_is_read_as_it_was_kept() {
        for notice in [Notice::good("✓ Synced 47 items"), Notice::bad("-no"), Notice::good("")] {
            assert_eq!(Notice::read(&notice.keep()), Some(notice));
        }
        assert_eq!(Notice::read(""), None);
        let long = Notice::good("é".repeat(5_000)).keep();
        assert_eq!(long.chars().count(), MAX_NOTICE + 1);
    }
}
