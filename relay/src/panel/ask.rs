//! A question before something is done that many would feel: what it comes to, and the form that does it.

use askama::Template;

use super::{link::Link, page::Shell};

/// The page that asks.
#[derive(Debug, Template)]
#[template(path = "ask.html")]
pub(super) struct AskPage {
    /// The frame around it.
    pub(super) shell: Shell,
    /// The question itself.
    pub(super) question: String,
    /// What would happen, point by point.
    pub(super) comes: Vec<Comes>,
    /// What does it; nothing where there is nothing to do.
    pub(super) does: Option<Does>,
    /// Where to go instead, and what stands on the way there.
    pub(super) back: (Link, &'static str),
}

/// One thing that would happen.
#[derive(Debug)]
pub(super) struct Comes {
    /// What of it nobody may overlook; may be empty.
    pub(super) grave: String,
    /// All else of it.
    pub(super) text: String,
}

impl Comes {
    /// Something that is as one expects.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { grave: String::new(), text: text.into() }
    }

    /// Something that nobody may overlook.
    pub(super) fn grave(grave: String, text: &str) -> Self {
        Self { grave, text: text.to_owned() }
    }
}

/// The form that does it.
#[derive(Debug)]
pub(super) struct Does {
    /// Where it is sent.
    pub(super) to: Link,
    /// What is sent along: a name and a value.
    pub(super) told: Option<(&'static str, String)>,
    /// What stands on its button.
    pub(super) button: &'static str,
    /// Whether something is lost by it.
    pub(super) loses: bool,
}
