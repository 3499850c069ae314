//! The timetable that several relays share: per lane, when the next request to a store may leave.
//!
//! Only on PostgreSQL: on SQLite one process owns the database and keeps the timetable in memory. Each
//! question is one statement by the database's clock, committed by itself, so that a place is taken before
//! the network is touched and no transaction lasts while somebody waits for it.

use std::time::Duration;

use sqlx::PgPool;

use super::{Db, StoreError, TenantId, Tx, execute};

/// The lanes in one PostgreSQL.
#[derive(Debug, Clone)]
pub struct Paces(PgPool);

impl Paces {
    /// The lanes that all relays on this database share; none on SQLite.
    #[must_use]
    pub fn shared(db: &Db) -> Option<Self> {
        match db {
            Db::Sqlite { .. } => None,
            Db::Postgres(pool) => Some(Self(pool.clone())),
        }
    }

    /// Takes the lane's next free place if it comes within `ahead`, and gives how long it is until then;
    /// the place after it is free `spacing` later.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take(
        &self,
        tenant: TenantId,
        lane: &str,
        spacing: Duration,
        ahead: Duration,
    ) -> Result<Option<Duration>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "INSERT INTO store_paces AS held (tenant_id, lane, next_at, paused_until)
             VALUES ($1, $2, clock_timestamp() + $3 * INTERVAL '1 microsecond', clock_timestamp())
             ON CONFLICT (tenant_id, lane) DO UPDATE SET next_at =
                GREATEST(held.next_at, clock_timestamp()) + $3 * INTERVAL '1 microsecond'
             WHERE held.next_at <= clock_timestamp() + $4 * INTERVAL '1 microsecond'
             RETURNING
                (EXTRACT(EPOCH FROM next_at - clock_timestamp()) * 1000000)::BIGINT - $3::BIGINT",
        )
        .bind(tenant)
        .bind(lane)
        .bind(micros(spacing))
        .bind(micros(ahead))
        .fetch_optional(&self.0)
        .await?;
        Ok(row.map(|(until,)| from_micros(until)))
    }

    /// How long it is until the lane's next free place, and until its pause is over.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn look(
        &self,
        tenant: TenantId,
        lane: &str,
    ) -> Result<(Duration, Duration), StoreError> {
        let row: Option<(i64, i64)> = sqlx::query_as(
            "SELECT (EXTRACT(EPOCH FROM next_at - clock_timestamp()) * 1000000)::BIGINT,
                (EXTRACT(EPOCH FROM paused_until - clock_timestamp()) * 1000000)::BIGINT
             FROM store_paces WHERE tenant_id = $1 AND lane = $2",
        )
        .bind(tenant)
        .bind(lane)
        .fetch_optional(&self.0)
        .await?;
        let (next, paused) = row.unwrap_or_default();
        Ok((from_micros(next), from_micros(paused)))
    }

    /// Pauses the lane from now on; a longer pause stays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pause(
        &self,
        tenant: TenantId,
        lane: &str,
        length: Duration,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO store_paces AS held (tenant_id, lane, next_at, paused_until)
             VALUES ($1, $2, clock_timestamp() + $3 * INTERVAL '1 microsecond',
                clock_timestamp() + $3 * INTERVAL '1 microsecond')
             ON CONFLICT (tenant_id, lane) DO UPDATE SET
                next_at = GREATEST(held.next_at, EXCLUDED.next_at),
                paused_until = GREATEST(held.paused_until, EXCLUDED.paused_until)",
        )
        .bind(tenant)
        .bind(lane)
        .bind(micros(length))
        .execute(&self.0)
        .await?;
        Ok(())
    }
}

/// Forgets a tenant's lanes in which nothing has left for an hour.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &mut Tx, tenant: TenantId) -> Result<(), StoreError> {
    if matches!(tx, Tx::Sqlite(_)) {
        return Ok(());
    }
    let idle = super::now() - chrono::TimeDelta::hours(1);
    execute!(tx, "DELETE FROM store_paces WHERE tenant_id = $1 AND next_at < $2", tenant, idle,)
        .map(drop)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What lies in the past is now.
fn from_micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
