//! Both databases have the same tables, and in both every key begins with the tenant.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{database::Backend, relay::TestRelay};

/// What one column is: its family of types, and whether it may be NULL.
type Column = (&'static str, bool);

/// A table as a catalogue tells it.
#[derive(Debug, Default, PartialEq)]
struct Table {
    columns: BTreeMap<String, Column>,
    primary: Vec<String>,
    /// Columns, the other table, its columns.
    foreign: BTreeSet<(Vec<String>, String, Vec<String>)>,
    unique: BTreeSet<Vec<String>>,
    /// Name, columns, and whether it holds some of the rows only.
    indexes: BTreeMap<String, (Vec<String>, bool)>,
}

type Tables = BTreeMap<String, Table>;

/// The family that a native type belongs to: what the relay binds and reads as the same Rust type.
fn family(native: &str) -> &'static str {
    match native.to_lowercase().as_str() {
        "blob" => "bytes",
        "uuid" | "bytea" => "bytes",
        "integer" | "bigint" => "number",
        "boolean" => "truth",
        "text" | "timestamp with time zone" | "jsonb" => "text",
        other => panic!("a type that no family is known of: {other}"),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

async fn sqlite(relay: &TestRelay) -> Tables {
    let mut tables = Tables::new();
    let names =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'
        AND name NOT LIKE 'sqlite%'";
    for name in relay.texts(names).await.into_iter().flatten() {
        let mut table = Table::default();
        let columns = format!(
            "SELECT name, type, CAST(\"notnull\" AS TEXT), CAST(pk AS TEXT)
             FROM pragma_table_info('{name}') ORDER BY pk, cid"
        );
        for row in relay.texts(&columns).await {
            // A primary key's columns are never NULL; SQLite alone needs that said.
            let nullable = row[2] == "0" && row[3] == "0";
            table.columns.insert(row[0].clone(), (family(&row[1]), nullable));
            if row[3] != "0" {
                table.primary.push(row[0].clone());
            }
        }
        let foreign = format!(
            "SELECT group_concat(\"from\"), \"table\", group_concat(\"to\") FROM
             (SELECT * FROM pragma_foreign_key_list('{name}') ORDER BY id, seq) GROUP BY id"
        );
        for row in relay.texts(&foreign).await {
            table.foreign.insert((words(&row[0]), row[1].clone(), words(&row[2])));
        }
        let indexes = format!(
            "SELECT i.name, i.origin, CAST(i.partial AS TEXT), CAST(i.\"unique\" AS TEXT),
                (SELECT group_concat(c.name) FROM
                    (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) c)
             FROM pragma_index_list('{name}') i WHERE i.origin <> 'pk'"
        );
        for row in relay.texts(&indexes).await {
            if row[3] == "1" {
                table.unique.insert(words(&row[4]));
            }
            if row[1] == "c" {
                table.indexes.insert(row[0].clone(), (words(&row[4]), row[2] == "1"));
            }
        }
        tables.insert(name, table);
    }
    tables
}

async fn postgres(relay: &TestRelay) -> Tables {
    let mut tables = Tables::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'";
    for row in relay.texts(columns).await {
        let table = tables.entry(row[0].clone()).or_default();
        table.columns.insert(row[1].clone(), (family(&row[2]), row[3] == "YES"));
    }
    let named = |table: &str, keys: &str| {
        format!(
            "(SELECT string_agg(a.attname, ',' ORDER BY k.at) FROM unnest({keys}) WITH ORDINALITY
                AS k(attnum, at) JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.attnum)"
        )
    };
    let constraints = format!(
        "SELECT c.conrelid::regclass::text, c.contype::text, {},
            CASE WHEN c.confrelid <> 0 THEN c.confrelid::regclass::text END, {}
         FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_%'
           AND c.contype IN ('p', 'f', 'u')",
        named("c.conrelid", "c.conkey"),
        named("c.confrelid", "c.confkey"),
    );
    for row in relay.texts(&constraints).await {
        let table = tables.entry(row[0].clone()).or_default();
        match row[1].as_str() {
            "p" => table.primary = words(&row[2]),
            "u" => drop(table.unique.insert(words(&row[2]))),
            _ => drop(table.foreign.insert((words(&row[2]), row[3].clone(), words(&row[4])))),
        }
    }
    let indexes = format!(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, {},
            CASE WHEN i.indpred IS NOT NULL THEN '1' END, CASE WHEN i.indisunique THEN '1' END
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_%'
           AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        named("i.indrelid", "i.indkey::smallint[]"),
    );
    for row in relay.texts(&indexes).await {
        let table = tables.entry(row[0].clone()).or_default();
        if row[4] == "1" {
            table.unique.insert(words(&row[2]));
        }
        table.indexes.insert(row[1].clone(), (words(&row[2]), row[3] == "1"));
    }
    tables
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables() {
    let one = sqlite(&TestRelay::new(Backend::Sqlite).await).await;
    let other = postgres(&TestRelay::new(Backend::Postgres).await).await;
    assert!(one.len() > 15, "{:?}", one.keys());
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, table) in &one {
        assert_eq!(table, &other[name], "{name}: SQLite and PostgreSQL");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_begins_with_the_tenant() {
    let tables = postgres(&TestRelay::new(Backend::Postgres).await).await;
    for (name, table) in tables.iter().filter(|(name, _)| *name != "tenants") {
        assert_eq!(table.primary.first().map(String::as_str), Some("tenant_id"), "{name}");
        assert!(!table.foreign.is_empty(), "{name} belongs to no tenant");
        for (columns, to, their) in &table.foreign {
            assert_eq!(columns[0], "tenant_id", "{name} {columns:?}");
            let wanted = if to == "tenants" { "id" } else { "tenant_id" };
            assert_eq!(their[0], wanted, "{name} {columns:?} to {to} {their:?}");
        }
        for columns in &table.unique {
            assert_eq!(columns[0], "tenant_id", "{name} unique {columns:?}");
        }
        for (index, (columns, _)) in &table.indexes {
            assert_eq!(columns[0], "tenant_id", "{name} {index}");
        }
    }
}

/// Rows of one tenant cannot point at another's, even where the statement is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_cannot_belong_to_two_tenants() {
    use crate::shop::{Shop, server::Town};
    use crate::support::{connected::Connected, database};
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let relay = TestRelay::new(backend).await;
        let town = Town::open().await;
        let one = Connected::new(&relay.relay, &town, Shop::new()).await;
        let other = Connected::new(&relay.relay, &town, Shop::new()).await;
        let db = &relay.relay.db;
        let mut tx = db.write().await.unwrap();
        let crossed = nexpura_relay::store::connections::bind(
            &mut tx,
            one.tenant,
            one.connection,
            other.integration,
            chrono::Utc::now(),
        )
        .await;
        assert!(crossed.is_err_and(|error| error.is_refusal()), "{backend:?}");
        drop(tx);
        assert_eq!(database::number(db, "SELECT COUNT(*) FROM integrations").await, 2);
    }
}
