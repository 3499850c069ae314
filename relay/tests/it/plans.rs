//! No statement reads a table through that grows with the shop, however much there is in it already.

use std::{fs, path::Path};

use rusqlite::{Connection, Rows};

/// Tables that grow with what a shop sells, and with the years.
const LARGE: [&str; 16] = [
    "inbox",
    "resources",
    "sales",
    "sale_items",
    "refunds",
    "stock_movements",
    "inventory",
    "products",
    "listings",
    "customers",
    "conflicts",
    "drifts",
    "stock_pushes",
    "audit_log",
    "sync_runs",
    "run_findings",
];

/// What may read much of one: pages by key, which end after one page, and work that is done once.
const MAY: [(&str, &str); 12] = [
    ("inbox.rs", "orders_waiting"),
    ("inbox.rs", "counts"),
    ("leases.rs", "let_go"),
    ("listed.rs", "newest_currency"),
    ("listings.rs", "begin_anew"),
    ("listings.rs", "unlink"),
    ("resources.rs", "begin_anew"),
    ("resources.rs", "forget_erasures"),
    ("answer.rs", "begin_count"),
    ("report.rs", "forget_findings"),
    ("report.rs", "forget_sweeps"),
    ("shown.rs", "before"),
];

/// What must be found by this very index. Another one would do as well by what the plan says of it, and look through
/// nearly all that there is for what is rare.
const BY: [(&str, &str, &str); 41] = [
    ("marked.rs", "orders_without_mark", "resources_without_mark"),
    ("marked.rs", "products_without_mark", "resources_without_mark"),
    ("marked.rs", "accounts_without_mark", "resources_without_mark"),
    ("readings.rs", "unsettled", "listings_unsettled"),
    ("readings.rs", "any_unsettled", "listings_unsettled"),
    ("rivals.rs", "waken_of", "products_sku"),
    ("listed.rs", "all", "sales_placed"),
    ("listed.rs", "of_status", "sales_status"),
    ("listed.rs", "of_state", "inbox_status"),
    ("listed.rs", "of_store", "inbox_of_store"),
    ("consenting.rs", "newest_of", "customers_consent"),
    ("consenting.rs", "with_emails_of", "customers_consent_email"),
    ("consenting.rs", "by_name_of", "customers_consent_name"),
    ("listed.rs", "sold", "sales_placed"),
    ("sales.rs", "list_of_order", "sales_order"),
    ("shown.rs", "untold", "stock_pushes_open"),
    ("shown.rs", "count_untold", "stock_pushes_open"),
    ("shown.rs", "between", "sqlite_autoindex_inventory_2"),
    ("shown.rs", "between", "listings_inventory"),
    ("movements.rs", "timeline", "stock_movements_inventory"),
    ("movements.rs", "list", "stock_movements_inventory"),
    ("links.rs", "waiting", "listings_waiting"),
    ("links.rs", "alike", "listings_waiting"),
    ("links.rs", "stores_of", "products_sku"),
    ("links.rs", "counted", "products_sku"),
    ("conflicts.rs", "open", "conflicts_unresolved"),
    ("audit.rs", "list_of", "audit_log_actor"),
    ("drifts.rs", "of_status", "drifts_status"),
    ("drifts.rs", "emptied_since", "drifts_adopted"),
    ("listed.rs", "found_of", "drifts_of_listing"),
    ("listed.rs", "found_of", "inventory_by_sku"),
    ("listed.rs", "found_of", "inventory_by_name"),
    ("listed.rs", "found_at", "drifts_decided"),
    ("listed.rs", "waiting_of", "drifts_of_listing"),
    ("listed.rs", "waiting_of", "inventory_by_sku"),
    ("listed.rs", "waiting_of", "inventory_by_name"),
    ("listed.rs", "count_called", "inventory_by_sku"),
    ("listed.rs", "count_called", "inventory_by_name"),
    ("shown.rs", "findings", "run_findings_by_outcome"),
    ("shown.rs", "of_kind", "sync_runs_of_store"),
    ("shown.rs", "of_any_kind", "sync_runs_told"),
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

/// The indexes that hold what is little among all that there is: what is due, waits or is not settled yet.
fn of_little(database: &Connection) -> Vec<String> {
    let ask = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%WHERE%'";
    let mut found = database.prepare(ask).unwrap();
    found.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Whether a step of a plan goes through a large table: all of it, or all of one tenant's or store's.
fn goes_through(detail: &str, names: &[(&str, &str)], of_little: &[String]) -> bool {
    if of_little.iter().any(|index| format!("{detail} ").contains(&format!("INDEX {index} "))) {
        return false;
    }
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
    let of_little = of_little(&database);
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
            if goes_through(&detail, &names(sql), &of_little) {
                wrong.push(format!("{file}, {function}: {detail}"));
            }
        }
    }
    assert!(explained > 150, "only {explained} statements were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table that an index is of.
fn table_of(database: &Connection, index: &str) -> String {
    let ask = "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = $1";
    database.query_row(ask, [index], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_rare_is_found_by_the_index_that_has_it() {
    let database = ledger();
    let mut found = Vec::new();
    statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut found);
    for (file, function, index) in BY {
        let table = table_of(&database, index);
        let mut held = 0;
        for statement in found.iter().filter(|one| one.file == file && one.function == function) {
            if !names(&statement.sql).iter().any(|(name, _)| *name == table) {
                continue;
            }
            let mut plan =
                database.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
            let details = details(plan.raw_query());
            let by_it = format!("INDEX {index} ");
            assert!(details.iter().any(|step| step.contains(&by_it)), "{function}: {details:?}");
            held += 1;
        }
        assert!(held > 0, "{file} has no {function} that reads {table}");
    }
}
