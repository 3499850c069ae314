//! What every test stands on: a relay on a database of its own, and ways to ask it.

pub(crate) mod api;
pub(crate) mod connected;
pub(crate) mod database;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod pushing;
pub(crate) mod relay;
pub(crate) mod wait;

/// Runs one story twice: on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($relay:ident: TestRelay) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn story($relay: $crate::support::relay::TestRelay) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                use $crate::support::{database::Backend, relay::TestRelay};
                story(TestRelay::new(Backend::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                use $crate::support::{database::Backend, relay::TestRelay};
                story(TestRelay::new(Backend::Postgres).await).await;
            }
        }
    };
}
pub(crate) use on_both;
