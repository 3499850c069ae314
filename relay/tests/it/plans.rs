//! No statement reads a table through that grows with the shop, however much there is in it already.

use std::{fs, path::Path};

use rusqlite::{Connection, Rows};

/// Tables that grow with what a shop sells.
const LARGE: [&str; 7] =
    ["inbox", "resources", "sales", "sale_items", "stock_movements", "inventory", "products"];

/// What may read much of one: pages by key, which end after one page, and work that is done once.
const MAY: [(&str, &str); 7] = [
    ("inbox.rs", "list"),
    ("inbox.rs", "orders_waiting"),
    ("inbox.rs", "counts"),
    ("inventory.rs", "list"),
    ("sales.rs", "list"),
    ("leases.rs", "let_go"),
    ("conflicts.rs", "open"),
];

/// The ledger as its migrations make it.
fn ledger() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        database.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
    }
    database
}

/// A statement, and the file and function that it stands in.
struct Statement {
    file: String,
    function: String,
    sql: String,
}

/// The statement that begins here; both, if it is one that is read in an order and backwards.
fn directions(text: &str) -> Vec<String> {
    let mut literals = text.split('"');
    let mut pieces = vec![literals.next().unwrap()];
    while literals.next().is_some_and(|between| between.trim() == ",") {
        pieces.push(literals.next().unwrap());
    }
    let mut both = vec![pieces.concat(), pieces.join(" DESC")];
    both.dedup();
    both
}

fn statements(folder: &Path, found: &mut Vec<Statement>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            statements(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        for verb in ["SELECT", "UPDATE", "INSERT", "DELETE", "WITH"] {
            for (at, _) in text.match_indices(&format!("\"{verb} ")) {
                let before = text[..at].rsplit("fn ").next().unwrap();
                let function = before.split(['(', '<']).next().unwrap().to_owned();
                for sql in directions(&text[at + 1..]) {
                    found.push(Statement { file: file.clone(), function: function.clone(), sql });
                }
            }
        }
    }
}

fn details(mut rows: Rows<'_>) -> Vec<String> {
    let mut details = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        details.push(row.get::<_, String>("detail").unwrap());
    }
    details
}

/// Whether a step of a plan goes through a large table: all of it, or all of one tenant's or store's.
fn goes_through(detail: &str, names: &[(&str, &str)]) -> bool {
    let mut words = detail.split_whitespace();
    let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let large = names.iter().any(|(table, alias)| *alias == name && LARGE.contains(table));
    let wide = ["(tenant_id=?)", "(tenant_id=? AND integration_id=?)"];
    large && (verb == "SCAN" || (verb == "SEARCH" && wide.iter().any(|end| detail.ends_with(end))))
}

/// The tables that a statement names, each with the name that its plan calls it by.
fn names(sql: &str) -> Vec<(&str, &str)> {
    let words: Vec<&str> = sql.split(|c: char| c.is_whitespace() || "(),".contains(c)).collect();
    let mut names = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| LARGE.contains(word)) {
        names.push((*word, *word));
        names.extend(words.get(at + 1).map(|alias| (*word, *alias)));
    }
    names
}

#[test]
fn nothing_large_is_gone_through() {
    let database = ledger();
    let mut found = Vec::new();
    statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut found);
    let mut wrong = Vec::new();
    let mut explained = 0;
    for Statement { file, function, sql } in &found {
        // What only PostgreSQL understands is asked of no large table.
        let Ok(mut plan) = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) else {
            assert!(names(sql).is_empty(), "{file}, {function} cannot be explained");
            continue;
        };
        explained += 1;
        if MAY.contains(&(file.as_str(), function.as_str())) {
            continue;
        }
        for detail in details(plan.raw_query()) {
            if goes_through(&detail, &names(sql)) {
                wrong.push(format!("{file}, {function}: {detail}"));
            }
        }
    }
    assert!(explained > 150, "only {explained} statements were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
