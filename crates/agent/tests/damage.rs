//! A spool that is torn, foreign, read-only, full or gone: never a panic, never a silent loss.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use nexpura_agent::{
    Kind, Spool, SpoolError, now_ms,
    process::Identity,
    spool::{Mark, NewEvent, RequestId},
};
use nexpura_protocol::event::Verb;
use support::{ID, Running, SECRET, Shop, hurried, order, product, relay::Relay, until};

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What was moved aside, without its log and index.
fn aside(shop: &Shop) -> Vec<PathBuf> {
    fs::read_dir(shop.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.contains(".corrupt-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect()
}

/// Writes everything into the main file, and closes it: what a crash leaves is then only that file.
fn settle_file(shop: &Shop) {
    let database = rusqlite::Connection::open(shop.path()).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// The same files under a name of their own, opened by nobody yet.
fn reopened(shop: Shop) -> Shop {
    let Shop { directory, spool, request } = shop;
    let fresh = spool.again();
    drop(spool);
    Shop { directory, spool: fresh, request }
}

#[test]
fn a_file_of_garbage_is_moved_aside_and_kept() {
    let shop = Shop::new();
    let garbage = vec![b'x'; 20_000];
    fs::write(shop.path(), &garbage).unwrap();
    assert_eq!(shop.capture(order(Verb::Created), 84, Some("{}")), 1);
    let kept = aside(&shop);
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read(&kept[0]).unwrap(), garbage);
    assert_eq!(shop.unsent(), 1);
}

#[test]
fn a_truncated_file_gives_way_to_a_spool_with_a_new_id() {
    let shop = Shop::new();
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(50_000));
    shop.capture(order(Verb::Created), 1, Some(&payload));
    let before = shop.spool.summary(now_ms()).unwrap().id;
    settle_file(&shop);
    let length = fs::metadata(shop.path()).unwrap().len();
    fs::OpenOptions::new().write(true).open(shop.path()).unwrap().set_len(length / 2).unwrap();
    let _ = fs::remove_file(beside(shop.path(), "-wal"));
    let _ = fs::remove_file(beside(shop.path(), "-shm"));
    let shop = reopened(shop);
    for id in 2..=4 {
        shop.capture(order(Verb::Created), id, Some(&payload));
    }
    let _ = shop.spool.next_push(100, now_ms()).unwrap();
    assert_eq!(aside(&shop).len(), 1);
    assert_ne!(shop.spool.summary(now_ms()).unwrap().id, before);
}

#[test]
fn a_page_torn_under_a_running_shop_costs_a_mark_at_most() {
    let shop = Shop::new();
    shop.capture_orders(50);
    settle_file(&shop);
    // Every page but the first two, so that the file still opens well.
    let mut bytes = fs::read(shop.path()).unwrap();
    bytes[8192..].fill(0xAA);
    fs::write(shop.path(), &bytes).unwrap();
    let shop = reopened(shop);
    // A mark is in a hurry: it reports the damage, or finds its own page sound, and repairs nothing.
    let mark = Mark { topic: order(Verb::Updated), resource_id: 1 };
    let owner = Identity::current();
    let marked = shop.spool.mark(mark, &owner, &shop.request, false, now_ms());
    assert!(marked.is_err());
    assert!(aside(&shop).is_empty());
    // The capture after the response repairs.
    assert_eq!(shop.capture(order(Verb::Updated), 1, Some("{}")), 1);
    assert_eq!(aside(&shop).len(), 1);
    shop.spool.mark(mark, &owner, &shop.request, false, now_ms()).unwrap();
}

#[test]
fn what_can_still_be_read_of_a_torn_spool_is_sent_under_its_own_id() {
    let shop = Shop::new();
    let capture = |ids: std::ops::RangeInclusive<u64>| {
        for id in ids {
            let payload = format!("{{\"mine\":\"<{id}>\",\"t\":\"{}\"}}", "x".repeat(3000));
            shop.capture(order(Verb::Created), id, Some(&payload));
        }
    };
    capture(1..=35);
    settle_file(&shop);
    // These are in SQLite's log alone.
    capture(36..=40);
    let before: Vec<(u64, String)> = shop.spool.next_push(100, now_ms()).unwrap().events;
    let mut bytes = fs::read(shop.path()).unwrap();
    let torn = bytes.windows(4).position(|four| four == b"<20>").unwrap() / 4096 * 4096;
    bytes[torn..torn + 4096].fill(0xAA);
    fs::write(shop.path(), bytes).unwrap();
    let shop = reopened(shop);
    let push = shop.spool.next_push(100, now_ms()).unwrap();
    assert_eq!(aside(&shop).len(), 1);
    let batch: nexpura_protocol::Batch = serde_json::from_slice(&push.body).unwrap();
    let saved: Vec<u64> = batch.events.iter().map(|event| event.resource_id).collect();
    assert_eq!(saved, (1..=40).filter(|id| *id != 20).collect::<Vec<_>>());
    assert!(batch.events.iter().all(|event| !event.is_touch()));
    let ids: Vec<&String> = push.events.iter().map(|(_, id)| id).collect();
    let known: Vec<&String> =
        before.iter().filter(|(seq, _)| *seq != 20).map(|(_, id)| id).collect();
    assert_eq!(ids, known);
    let numbers: Vec<u64> = push.events.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=39).collect::<Vec<_>>(), "the new spool counts from 1 without gaps");
}

#[test]
fn a_torn_log_costs_only_its_torn_end() {
    let shop = Shop::new();
    shop.capture_orders(5);
    let id = shop.spool.summary(now_ms()).unwrap().id;
    let log = beside(shop.path(), "-wal");
    let mut bytes = fs::read(&log).unwrap();
    let tail = bytes.len() - 100;
    bytes.truncate(tail);
    bytes.extend_from_slice(b"torn");
    // As after a power cut: no process has it open, the index in memory is gone.
    let files = [(shop.path().to_owned(), fs::read(shop.path()).unwrap()), (log, bytes)];
    let shop = reopened(shop);
    for (path, content) in files {
        fs::write(path, content).unwrap();
    }
    let _ = fs::remove_file(beside(shop.path(), "-shm"));
    assert_eq!(shop.unsent(), 4, "the first four were whole");
    assert_eq!(shop.spool.summary(now_ms()).unwrap().id, id);
    assert_eq!(shop.capture(order(Verb::Created), 9, None), 5);
    assert!(aside(&shop).is_empty());
}

#[test]
fn a_database_of_somebody_else_is_left_alone() {
    let shop = Shop::new();
    let stranger = rusqlite::Connection::open(shop.path()).unwrap();
    stranger.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    let event = NewEvent::touch(order(Verb::Created), 84, now_ms());
    let refused = shop.spool.capture(event, &shop.request, &[], now_ms()).unwrap_err();
    assert!(matches!(refused, SpoolError::Foreign(_)));
    let left: i64 = stranger.query_row("SELECT a FROM theirs", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
    assert!(aside(&shop).is_empty());
}

#[test]
fn a_spool_of_a_later_version_is_left_alone() {
    let shop = Shop::new();
    shop.capture_orders(1);
    rusqlite::Connection::open(shop.path())
        .unwrap()
        .execute_batch("PRAGMA user_version=99")
        .unwrap();
    let shop = reopened(shop);
    let event = NewEvent::touch(order(Verb::Created), 84, now_ms());
    let refused = shop.spool.capture(event, &shop.request, &[], now_ms()).unwrap_err();
    assert!(matches!(refused, SpoolError::Newer(_)));
    assert!(aside(&shop).is_empty());
}

#[test]
fn a_spool_that_another_process_moved_aside_is_left_for_the_new_one() {
    let shop = Shop::new();
    shop.capture_orders(1);
    for suffix in ["-wal", "-shm", ""] {
        let from = beside(shop.path(), suffix);
        fs::rename(&from, beside(&from, ".old")).unwrap();
    }
    // The connection is still open on the old file; what it wrote there nobody would read.
    assert_eq!(shop.capture(order(Verb::Created), 2, Some("{}")), 1);
    let read = shop.spool.again().next_push(100, now_ms()).unwrap();
    assert_eq!(read.events.len(), 1);
}

#[test]
fn a_mark_does_not_wait_noticeably_for_a_spool_that_is_busy() {
    let shop = Shop::new();
    shop.capture_orders(1);
    let other = rusqlite::Connection::open(shop.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mark = |waited| {
        let began = Instant::now();
        let mark = Mark { topic: order(Verb::Updated), resource_id: 1 };
        let owner = Identity::current();
        let refused = shop.spool.mark(mark, &owner, &RequestId::random(), waited, now_ms());
        assert!(refused.unwrap_err().is_busy());
        began.elapsed()
    };
    let (first, second) = (mark(false), mark(true));
    assert!(first >= Duration::from_millis(40), "it gives others a chance: {first:?}");
    assert!(first < Duration::from_millis(500), "{first:?}");
    assert!(second < first, "a request waits once: {second:?}");
    // After the response there is more time.
    let waiting = shop.spool.again();
    let request = shop.request.clone();
    let capture = std::thread::spawn(move || {
        let event = NewEvent::touch(order(Verb::Updated), 1, now_ms());
        waiting.capture(event, &request, &[], now_ms())
    });
    std::thread::sleep(Duration::from_millis(200));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(capture.join().unwrap().unwrap(), 2);
}

#[test]
fn a_sender_goes_on_when_its_spool_is_damaged_or_deleted_under_it() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    shop.capture_orders(3);
    until("the first three", || relay.seqs().len() == 3);
    until("they are settled", || shop.unsent() == 0);
    let first = relay.loaded()[0].batch.spool.clone();

    fs::write(shop.path(), vec![0x55; 30_000]).unwrap();
    until("the sender has noticed", || aside(&shop).len() == 1);
    shop.capture(order(Verb::Created), 4, Some("{}"));
    until("the fourth", || relay.seqs().len() == 4);
    let second = relay.loaded().last().unwrap().batch.spool.clone();
    assert_ne!(second, first);

    fs::remove_dir_all(shop.directory.path()).unwrap();
    shop.capture(order(Verb::Created), 5, Some("{}"));
    until("the fifth", || relay.seqs().len() == 5);
    assert_ne!(relay.loaded().last().unwrap().batch.spool, second);
    drop(running);
}

/// Runs `nexpura-agent status --json` on this directory through `prepare`.
fn status(directory: &Path, shell: &str, user: Option<u32>) -> (Output, serde_json::Value) {
    // Where tests run as root, another user must be able to reach the program.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.path().join("nexpura-agent");
    fs::copy(env!("CARGO_BIN_EXE_nexpura-agent"), &program).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" status --json"), program.to_str().unwrap()])
        .env("NEXPURA_CONNECTION", format!("http://{ID}:{SECRET}@127.0.0.1:9"))
        .env("NEXPURA_SPOOL_DIR", directory);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let status = serde_json::from_slice(&output.stdout).unwrap();
    (output, status)
}

#[test]
fn a_spool_that_may_not_be_written_is_said_to_be_so() {
    // Not directly below a directory that everybody may write to: there a stranger's is refused anyway.
    let Shop { directory, request, .. } = Shop::new();
    let inner = directory.path().join("spool");
    let shop = Shop { spool: Spool::at(&inner, ID, 1 << 28), directory, request };
    shop.capture_orders(2);
    settle_file(&shop);
    fs::set_permissions(shop.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let directory = inner.as_path();
    let root = nexpura_agent::sys::effective_user() == 0;
    let stranger = root.then_some(65_534);
    fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let file = beside(shop.path(), suffix);
        if file.exists() {
            fs::set_permissions(file, fs::Permissions::from_mode(0o444)).unwrap();
        }
    }
    let (_, told) = status(directory, "", stranger);
    assert_eq!(told["writable"], false, "{told}");
    let words = told["last_error"].as_str().unwrap();
    assert!(words.contains("cannot be written") || words.contains("permissions"), "{words}");

    // Nor can a new one be made where nobody may write.
    let empty = tempfile::tempdir().unwrap();
    fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let (_, told) = status(&empty.path().join("spool"), "", stranger);
    assert_eq!(told["writable"], false);
    assert!(told["last_error"].as_str().unwrap().contains("cannot be created"), "{told}");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_full_disk_is_said_to_be_full_and_loses_nothing() {
    let shop = Shop::new();
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(20_000));
    for id in 1..=5 {
        shop.capture(product(Verb::Updated), id, Some(&payload));
    }
    // No file may grow past 4 KiB: the write that would is cut short, as on a full disk.
    let (_, told) = status(shop.directory.path(), "trap '' XFSZ; ulimit -f 8;", None);
    assert_eq!(told["writable"], false, "{told}");
    assert!(told["last_error"].as_str().unwrap().contains("is full"), "{told}");
    let (_, told) = status(shop.directory.path(), "", None);
    assert_eq!((told["writable"].as_bool(), told["unsent"].as_u64()), (Some(true), Some(5)));
    assert_eq!(shop.next_push().events.len(), 5);
    assert!(shop.next_push().events.iter().all(|event| !event.is_touch()));
}
