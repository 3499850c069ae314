//! Keeps the spool within its bound: product and customer events give up their payloads first, the oldest
//! of them first, and order events never do.

use rusqlite::Connection;

use super::events;

/// Events reduced between two looks at the size.
const STEP: i64 = 16;

/// Bytes that the spool's content takes: pages in use, not the size of the file.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let read = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let pages = read("page_count")?.saturating_sub(read("freelist_count")?);
    Ok(pages * read("page_size")?)
}

/// Drops payloads until the spool fits or only orders are left. Rows stay, as touches: `seq` has no gaps.
pub(super) fn enforce(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    while used_bytes(connection)? > max_bytes {
        let oldest: Vec<u64> = connection
            .prepare_cached("SELECT seq FROM events WHERE droppable = 1 ORDER BY seq LIMIT ?1")?
            .query_map([STEP], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if oldest.is_empty() {
            break;
        }
        for seq in oldest {
            events::drop_payload(connection, seq)?;
        }
    }
    Ok(())
}
