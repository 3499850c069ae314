//! A transaction that met another one was undone for it, and is tried anew.

use crate::store::StoreError;

/// How often.
const TRIES: u32 = 5;

/// An error that may be the database's.
pub(super) trait MayBeStore {
    /// What the database said, if it is that.
    fn store(&self) -> Option<&StoreError>;
}

impl MayBeStore for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Implements it for errors that have the database's in their variant `Store`.
macro_rules! may_be_store {
    ($error:ty) => {
        impl $crate::service::anew::MayBeStore for $error {
            fn store(&self) -> Option<&$crate::store::StoreError> {
                if let Self::Store(error) = self { Some(error) } else { None }
            }
        }
    };
}

pub(super) use may_be_store;

/// Runs a whole transaction, anew where it met another one, up to five times in all.
///
/// # Errors
/// The transaction's own, of its last try.
pub(super) async fn anew<T, E: MayBeStore, F: Future<Output = Result<T, E>>>(
    mut transaction: impl FnMut() -> F,
) -> Result<T, E> {
    let mut tries = 1;
    loop {
        match transaction().await {
            Err(error) if tries < TRIES && error.store().is_some_and(StoreError::is_transient) => {
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, cell::Cell, error::Error, fmt};

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// An error of the database with this code.
    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }
    }

    /// Runs a transaction that fails so often with this code; gives the number of its tries and what came.
    async fn failing(times: u32, code: &'static str) -> (u32, Result<(), StoreError>) {
        let tries = Cell::new(0);
        let outcome = anew(|| async {
            tries.set(tries.get() + 1);
            if tries.get() > times {
                return Ok(());
            }
            Err(StoreError::Database(sqlx::Error::Database(Box::new(Said(code)))))
        })
        .await;
        (tries.get(), outcome)
    }

    #[tokio::test]
    async fn what_met_another_transaction_is_tried_anew() {
        for code in ["40P01", "40001", "5", "517"] {
            assert!(matches!(failing(4, code).await, (5, Ok(()))), "{code}");
            assert!(matches!(failing(5, code).await, (5, Err(_))), "{code}");
        }
    }

    #[tokio::test]
    async fn what_would_fail_again_is_not() {
        for code in ["23505", "22021", "2067", "57P01"] {
            assert!(matches!(failing(1, code).await, (1, Err(_))), "{code}");
        }
    }
}
