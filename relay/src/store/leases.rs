//! Claims that a relay left behind when it was killed.

use super::{Db, StoreError, execute};

/// Lets go of every claim where only one relay can be: on SQLite, when it starts. On PostgreSQL another
/// relay may be at work, and what a killed one held falls due when its lease ends.
///
/// # Errors
/// When the database does not answer.
pub async fn let_go(db: &Db) -> Result<(), StoreError> {
    if !matches!(db, Db::Sqlite { .. }) {
        return Ok(());
    }
    let mut held = db.write().await?;
    let tx = &mut held;
    execute!(tx, "UPDATE resources SET leased_until = NULL WHERE leased_until IS NOT NULL")?;
    execute!(tx, "UPDATE sync_runs SET leased_until = NULL WHERE leased_until IS NOT NULL")?;
    execute!(tx, "UPDATE webhook_setups SET leased_until = NULL WHERE leased_until IS NOT NULL")?;
    execute!(tx, "UPDATE stock_pushes SET leased_until = NULL WHERE leased_until IS NOT NULL")?;
    held.commit().await
}
