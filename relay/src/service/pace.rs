//! One pace a store for all relays on one database.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{
    channel::{
        Pace,
        pace::{Lane, Timetable, Turn, Unavailable},
    },
    store::{Db, StoreError, paces::Paces},
};

/// The pace of a relay on this database: on PostgreSQL one with all other relays there; on SQLite, which
/// one process owns, its own.
#[must_use]
pub fn of(db: &Db) -> Pace {
    match Paces::shared(db) {
        Some(paces) => Pace::kept_by(Arc::new(Shared(paces))),
        None => Pace::new(),
    }
}

/// The timetable in the database.
#[derive(Debug)]
struct Shared(Paces);

/// A lane as it is kept.
fn named(lane: &Lane) -> (Uuid, String) {
    match lane {
        Lane::Store { tenant, store } => (*tenant, format!("store {}", store.simple())),
        Lane::Probe { tenant, host } => (*tenant, format!("probe {host}")),
    }
}

fn away(error: StoreError) -> Unavailable {
    tracing::warn!(%error, "the timetable of the stores cannot be read");
    Unavailable
}

impl Timetable for Shared {
    fn take<'a>(
        &'a self,
        lane: &'a Lane,
        spacing: Duration,
        ahead: Duration,
    ) -> BoxFuture<'a, Result<Turn, Unavailable>> {
        Box::pin(async move {
            let (tenant, lane) = named(lane);
            if let Some(wait) = self.0.take(tenant, &lane, spacing, ahead).await.map_err(away)? {
                return Ok(Turn::In(wait));
            }
            let (next, _) = self.0.look(tenant, &lane).await.map_err(away)?;
            Ok(Turn::Later(next))
        })
    }

    fn paused<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<Duration, Unavailable>> {
        Box::pin(async move {
            let (tenant, lane) = named(lane);
            Ok(self.0.look(tenant, &lane).await.map_err(away)?.1)
        })
    }

    fn pause<'a>(
        &'a self,
        lane: &'a Lane,
        length: Duration,
    ) -> BoxFuture<'a, Result<(), Unavailable>> {
        Box::pin(async move {
            let (tenant, lane) = named(lane);
            self.0.pause(tenant, &lane, length).await.map_err(away)
        })
    }
}
