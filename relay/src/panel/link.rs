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

    /// The first page of the list that stands here and the one after this, as long as they are others than
    /// the page after `after`.
    pub(super) fn pages(self, after: &str, next: Option<String>) -> (Option<Self>, Option<Self>) {
        let next = next.map(|next| self.clone().with("after", &next));
        ((!after.is_empty()).then_some(self), next)
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

    #[test]
    fn a_list_leads_to_its_first_page_and_to_the_next() {
        let pages = |after, next: Option<&str>| {
            let (first, next) = Link::to("/sales").pages(after, next.map(str::to_owned));
            (first.map(String::from), next.map(String::from))
        };
        let (first, second) = ("/sales".to_owned(), "/sales?after=b".to_owned());
        assert_eq!(pages("", None), (None, None));
        assert_eq!(pages("", Some("b")), (None, Some(second.clone())));
        assert_eq!(pages("a", Some("b")), (Some(first.clone()), Some(second)));
        assert_eq!(pages("b", None), (Some(first), None));
    }
}
