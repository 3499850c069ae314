//! What a visitor's browser keeps.

use std::{collections::BTreeMap, fmt};

use reqwest::{Response, header};

/// A visitor's cookies.
#[derive(Debug, Default)]
pub(super) struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Takes those that an answer sets.
    pub(super) fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            if let Some((name, value)) = text.split(';').next().unwrap_or_default().split_once('=')
            {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Whether one of that beginning is there.
    pub(super) fn has(&self, beginning: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(beginning))
    }
}

/// As the `Cookie` header has them.
impl fmt::Display for Cookies {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (name, value) in &self.0 {
            write!(to, "{between}{name}={value}")?;
            between = "; ";
        }
        Ok(())
    }
}
