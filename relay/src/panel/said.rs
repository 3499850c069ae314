//! What went wrong, in a sentence for the person who can put it right; all else is an error page.

use super::{
    Panel,
    error::PanelError,
    page::{Answer, Notice},
};
use crate::{
    service::{
        accounts::{Person, people::PeopleError},
        connect::by_key::KeyError,
        runs::StartError,
        store_policy::AcceptError,
        webhooks::WebhooksError,
    },
    store::StoreError,
};

/// A failure of a use case.
pub(super) trait Said: Sized {
    /// What a person is told on the page where they are.
    ///
    /// # Errors
    /// When there is nothing that they could do there.
    fn said(self) -> Result<String, PanelError>;
}

impl Panel {
    /// The end of a use case: on to a page, which says what was done, or why it was not.
    pub(super) async fn told<E: Said>(
        &self,
        person: &Person,
        to: &str,
        outcome: Result<String, E>,
    ) -> Answer {
        let notice = match outcome {
            Ok(done) => Notice::good(done),
            Err(error) => Notice::bad(sentence(&error.said()?)),
        };
        self.done(person, to, notice).await
    }
}

/// A text as a sentence: a capital in front, a stop behind. An address in front stays as it is.
pub(super) fn sentence(text: &str) -> String {
    let first_word = text.split(' ').next().unwrap_or_default();
    let is_word = first_word.chars().all(|one| one.is_alphabetic() || "'-,".contains(one));
    let mut rest = text.chars();
    let first: String = match rest.next() {
        Some(first) if is_word => first.to_uppercase().collect(),
        Some(first) => first.to_string(),
        None => return String::new(),
    };
    let stop = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{}{stop}", rest.as_str())
}

impl Said for PeopleError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Email(_) | Self::Taken(_) | Self::LastOwner | Self::Wrong | Self::Password(_) => {
                Ok(self.to_string())
            }
            other => Err(other.into()),
        }
    }
}

impl Said for StartError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Disconnected | Self::Forked => Ok(self.to_string()),
            other => Err(other.into()),
        }
    }
}

impl From<StartError> for PanelError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Unknown(_) => Self::NotFound("There is no such store here."),
            StartError::Disconnected | StartError::Forked => {
                Self::BadRequest(sentence(&error.to_string()))
            }
            StartError::Store(error) => error.into(),
        }
    }
}

impl Said for KeyError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Credentials(_) | Self::Unreachable(_) => Ok(self.to_string()),
            Self::Another => Ok(sentence(&self.to_string())),
            Self::Store(error) => Err(error.into()),
            Self::Seal(error) => Err(error.into()),
        }
    }
}

impl Said for WebhooksError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Unknown => Err(PanelError::NotFound("There is no such store here.")),
            Self::Store(error) => Err(error.into()),
            Self::Secret(error) => Err(error.into()),
            other => Ok(other.to_string()),
        }
    }
}

impl Said for AcceptError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Store(error) => Err(error.into()),
            other => Ok(other.to_string()),
        }
    }
}

impl Said for StoreError {
    fn said(self) -> Result<String, PanelError> {
        Err(self.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_sentence() {
        assert_eq!(sentence("the store is gone"), "The store is gone.");
        assert_eq!(sentence("Wait!"), "Wait!");
        for address in ["https://a.example answers.", "ann@example.test has one."] {
            assert_eq!(sentence(address), address);
        }
        assert_eq!(sentence(""), "");
    }
}
