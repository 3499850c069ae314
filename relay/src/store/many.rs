//! One statement for many rows, written as the statement for one: the row after `VALUES` is repeated.

/// Rows of one statement; few enough that any number of placeholders fits.
const MOST: usize = 64;

/// Cuts rows into portions of 64, 32, 16, … rows, so that each statement has seven texts to be prepared and no more.
pub(super) fn portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let most = left.len().min(MOST);
        let portion = if most == 0 { return None } else { 1 << most.ilog2() };
        let (now, later) = left.split_at(portion);
        left = later;
        Some(now)
    })
}

/// The same statement for `rows` rows. The row's placeholders are `$1` to the last one, and there are none outside it.
pub(super) fn repeated(sql: &str, rows: usize) -> String {
    let Some((before, row, after)) = parts(sql) else { return sql.to_owned() };
    let width = row.split('$').skip(1).filter_map(number).max().unwrap_or_default();
    let mut text = String::with_capacity(before.len() + rows * (row.len() + width) + after.len());
    text.push_str(before);
    for at in 0..rows {
        if at > 0 {
            text.push_str(", ");
        }
        let mut pieces = row.split('$');
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let own = number(piece).unwrap_or_default();
            text.push('$');
            text.push_str(&(at * width + own).to_string());
            text.push_str(&piece[digits..]);
        }
    }
    text.push_str(after);
    text
}

/// What stands before the row, the row with its parentheses, and what follows.
fn parts(sql: &str) -> Option<(&str, &str, &str)> {
    let begin = sql.find("VALUES (")? + "VALUES ".len();
    let mut depth = 0;
    for (at, byte) in sql.bytes().enumerate().skip(begin) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&sql[..begin], &sql[begin..=at], &sql[at + 1..]));
        }
    }
    None
}

/// The number that a text begins with.
fn number(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok()
}

/// Runs a statement for many rows, `$row => [values of $1, $2, …]`; nothing where there are none. Leaves the function
/// where the database does not answer.
macro_rules! execute_many {
    ($tx:expr, $sql:literal, $rows:expr, $row:pat => [$($bind:expr),+ $(,)?]) => {
        for portion in $crate::store::many::portions($rows) {
            let sql = sqlx::AssertSqlSafe($crate::store::many::repeated($sql, portion.len()));
            match &mut *$tx {
                $crate::store::Tx::Sqlite(tx) => {
                    let mut query = sqlx::query::<sqlx::Sqlite>(sql);
                    for $row in portion {
                        query = query$(.bind($bind))+;
                    }
                    query.execute(&mut **tx).await.map(drop)?;
                }
                $crate::store::Tx::Postgres(tx) => {
                    let mut query = sqlx::query::<sqlx::Postgres>(sql);
                    for $row in portion {
                        query = query$(.bind($bind))+;
                    }
                    query.execute(&mut **tx).await.map(drop)?;
                }
            }
        }
    };
}

/// Like [`execute_many`], and gives all rows that come back, in no order.
macro_rules! fetch_many {
    ($tx:expr, $found:ty, $sql:literal, $rows:expr, $row:pat => [$($bind:expr),+ $(,)?]) => {{
        let mut found: Vec<$found> = Vec::new();
        for portion in $crate::store::many::portions($rows) {
            let sql = sqlx::AssertSqlSafe($crate::store::many::repeated($sql, portion.len()));
            match &mut *$tx {
                $crate::store::Tx::Sqlite(tx) => {
                    let mut query = sqlx::query_as::<sqlx::Sqlite, $found>(sql);
                    for $row in portion {
                        query = query$(.bind($bind))+;
                    }
                    found.extend(query.fetch_all(&mut **tx).await?);
                }
                $crate::store::Tx::Postgres(tx) => {
                    let mut query = sqlx::query_as::<sqlx::Postgres, $found>(sql);
                    for $row in portion {
                        query = query$(.bind($bind))+;
                    }
                    found.extend(query.fetch_all(&mut **tx).await?);
                }
            }
        }
        found
    }};
}

pub(super) use {execute_many, fetch_many};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_repeated_with_placeholders_of_its_own() {
        let sql = "INSERT INTO t (a, b) VALUES ($1, COALESCE($2, $1)) ON CONFLICT (a) DO NOTHING";
        assert_eq!(repeated(sql, 1), sql);
        assert_eq!(
            repeated(sql, 2),
            "INSERT INTO t (a, b) VALUES ($1, COALESCE($2, $1)), ($3, COALESCE($4, $3)) \
             ON CONFLICT (a) DO NOTHING"
        );
        let ten = "VALUES ($10, $1, $2, $3, $4, $5, $6, $7, $8, $9)";
        assert!(repeated(ten, 2).ends_with("($20, $11, $12, $13, $14, $15, $16, $17, $18, $19)"));
    }

    #[test]
    fn every_row_is_in_one_portion_and_few_sizes_occur() {
        for count in 0..300 {
            let rows: Vec<usize> = (0..count).collect();
            let portions: Vec<&[usize]> = portions(&rows).collect();
            assert_eq!(portions.concat(), rows);
            assert!(portions.iter().all(|portion| portion.len().is_power_of_two()));
            assert!(portions.iter().all(|portion| portion.len() <= MOST));
        }
    }
}
