//! Where in a representation something stands, for the errors to name.

use std::fmt;

use serde_json::Value;

use crate::domain::MappingError;

/// Where in a representation we are; written out only when there is an error to tell.
#[derive(Clone, Copy)]
pub(in crate::domain) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Root(&'static str),
    Key(&'static str),
    Entry(usize),
}

impl Place<'static> {
    /// The representation itself, by the name that errors give it.
    pub(in crate::domain) const fn root(name: &'static str) -> Self {
        Self { outer: None, step: Step::Root(name) }
    }
}

impl<'p> Place<'p> {
    pub(in crate::domain) fn key(&'p self, key: &'static str) -> Self {
        Self { outer: Some(self), step: Step::Key(key) }
    }

    pub(super) fn entry(&'p self, index: usize) -> Self {
        Self { outer: Some(self), step: Step::Entry(index) }
    }

    pub(in crate::domain) fn unexpected(
        &self,
        expected: &'static str,
        found: &Value,
    ) -> MappingError {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        MappingError::Unexpected { path: self.to_string(), expected, found }
    }

    pub(super) fn missing(&self, expected: &'static str) -> MappingError {
        MappingError::Missing { path: self.to_string(), expected }
    }

    pub(in crate::domain) fn repeated(&self) -> MappingError {
        MappingError::Repeated { path: self.to_string() }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.outer, self.step) {
            (_, Step::Root(name)) => f.write_str(name),
            (Some(outer), Step::Key(key)) => write!(f, "{outer}.{key}"),
            (Some(outer), Step::Entry(index)) => write!(f, "{outer}[{index}]"),
            (None, Step::Key(key)) => f.write_str(key),
            (None, Step::Entry(index)) => write!(f, "[{index}]"),
        }
    }
}
