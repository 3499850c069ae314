//! Marks and captures within one request.

use nexpura_agent::now_ms;
use nexpura_protocol::{Batch, event::LINEAGE_TOPIC};
use serde_json::json;

use crate::support::Site;

/// What lies in the spool, as the relay would get it.
fn spooled(site: &Site) -> Batch {
    serde_json::from_slice(&site.spool().next_push(100, now_ms()).unwrap().body).unwrap()
}

fn told(batch: &Batch) -> Vec<(String, u64, bool)> {
    let one = |event: &nexpura_protocol::Event| {
        (event.topic.to_string(), event.resource_id, event.is_touch())
    };
    batch.events.iter().map(one).collect()
}

#[test]
fn verbs_of_one_thing_join() {
    let told = Site::alone().run("marks/verbs.php");
    assert_eq!(told["alone"], json!("updated"));
    assert_eq!(told["created, updated"], json!("created"));
    assert_eq!(told["updated, created"], json!("created"));
    assert_eq!(told["updated, deleted"], json!("deleted"));
    assert_eq!(told["deleted, updated"], json!("deleted"));
    assert_eq!(told["created, deleted"], json!("deleted"));
    assert_eq!(told["updated, restored"], json!("restored"));
    assert_eq!(told["restored, updated"], json!("restored"));
    assert_eq!(told["deleted, restored"], json!("restored"));
    assert_eq!(told["restored, deleted"], json!("deleted"));
}

#[test]
fn the_first_mark_is_in_the_spool_at_once_and_later_ones_write_nothing() {
    let site = Site::alone();
    let told = site.run("marks/first.php");
    assert_eq!(told["open_after_first"], 1);
    assert_eq!(told["open_after_hundred_more"], 1);
    assert_eq!(told["written_by_hundred_more"], 0, "bytes added to SQLite's log");
    assert_eq!(told["open_after_another"], 2);
    assert_eq!(
        told["marks"],
        json!([
            {"resource": "order", "id": 84, "verb": "created"},
            {"resource": "product", "id": 84, "verb": "updated"},
        ])
    );
    assert_eq!(
        told["marks_after_capture"],
        json!([{"resource": "product", "id": 84, "verb": "updated"}])
    );
    assert_eq!(told["open_after_capture"], 1);
    assert_eq!(told["marked_again_after_capture"], 2, "what changed since is a new mark");
    assert_eq!(told["marks_after_finish"], json!([]));
    assert_eq!(told["open_after_finish"], 0);
    assert_eq!(
        super::marks::told(&spooled(&site)),
        [
            ("order.created".into(), 84, false),
            ("product.updated".into(), 84, true),
            ("order.updated".into(), 84, true),
        ]
    );
}

#[test]
fn what_the_plugin_does_not_finish_is_finished_when_the_request_ends() {
    let site = Site::alone();
    // One script dies of a fatal error, the other one just stops.
    for script in ["marks/unfinished.php", "marks/fatal.php"] {
        let output = site.php(script).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("marked"), "{output:?}");
    }
    let batch = spooled(&site);
    assert_eq!(
        told(&batch),
        [("order.created".into(), 84, true), ("order.created".into(), 85, true)]
    );
    assert_eq!(batch.state.open_intents, 0);
}

#[test]
fn a_capture_needs_no_mark_and_keeps_every_byte() {
    let site = Site::alone();
    let answer = site.run("marks/capture.php");
    assert_eq!(answer, json!([true, true, true, true]));
    let push = site.spool().next_push(100, now_ms()).unwrap();
    let body = String::from_utf8(push.body).unwrap();
    assert!(
        body.contains(
            r#""payload":{"id":84,"total":"212.119091","rate":212.119091,"name":"Ring \u00e9 é"}"#
        ),
        "{body}"
    );
    let batch = spooled(&site);
    assert_eq!(
        told(&batch),
        [
            ("order.deleted".into(), 84, false),
            ("product.updated".into(), 12, true),
            ("customer.created".into(), 3, true),
            (LINEAGE_TOPIC.into(), 0, false),
        ]
    );
    assert_eq!(batch.events[0].facts.as_ref().unwrap().rev, Some(7));
    let nonce = batch.events[3].payload.as_ref().unwrap();
    assert_eq!(nonce, &json!({"previous": "before \"this\"", "next": "after"}));
}

#[test]
fn nothing_is_marked_without_a_connection() {
    assert_eq!(Site::alone().run("marks/unconnected.php"), json!([false, [], false, true, false]));
}
