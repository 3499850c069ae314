//! An address of ours with its query, written so that nothing in a value can break out of it.

use std::fmt;

use url::form_urlencoded;

/// A path and what follows its `?`.
#[derive(Debug, Clone)]
pub(super) struct Link {
    path: String,
    query: String,
}

impl Link {
    /// A path without a query.
    pub(super) fn to(path: impl Into<String>) -> Self {
        Self { path: path.into(), query: String::new() }
    }

    /// The same with one value more; an empty one is left out.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.query =
                form_urlencoded::Serializer::new(self.query).append_pair(name, value).finish();
        }
        self
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_a_value() {
        let link = Link::to("/sales").with("q", "a&b=c \"<'").with("after", "").with("n", "1");
        assert_eq!(link.to_string(), "/sales?q=a%26b%3Dc+%22%3C%27&n=1");
        assert_eq!(Link::to("/").to_string(), "/");
    }
}
