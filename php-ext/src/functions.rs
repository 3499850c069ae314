//! The functions that PHP code calls. See `nexpura.stub.php` for what they promise.

use std::time::Duration;

use ext_php_rs::{
    args::Arg,
    boxed::ZBox,
    builders::{FunctionBuilder, ModuleBuilder},
    flags::DataType,
    types::{ZendHashTable, Zval},
    zend::ExecuteData,
};
use nexpura_agent::{
    Status, Timing, now_ms,
    sender::thread,
    spool::{
        Mark,
        intents::{verb_named, verb_word},
    },
};
use nexpura_protocol::{
    Topic,
    event::{Resource, Verb},
};

use crate::{arguments::Arguments, guard, request};

/// The longest a drain may take: an hour.
const MAX_DRAIN_SECONDS: i64 = 3600;

pub(crate) fn register(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    let text = |name: &str| Arg::new(name, DataType::String);
    let whole = |name: &str| Arg::new(name, DataType::Long);
    let returns = |function: FunctionBuilder<'static>, kind| function.returns(kind, false, false);
    module
        .function(
            FunctionBuilder::new("nexpura_open", nexpura_open).arg(text("connection")).returns(
                DataType::String,
                false,
                true,
            ),
        )
        .function(returns(
            FunctionBuilder::new("nexpura_mark", nexpura_mark)
                .arg(text("resource"))
                .arg(whole("id"))
                .not_required()
                .arg(text("verb").default("'updated'")),
            DataType::Bool,
        ))
        .function(returns(FunctionBuilder::new("nexpura_marks", nexpura_marks), DataType::Array))
        .function(returns(
            FunctionBuilder::new("nexpura_capture", nexpura_capture)
                .arg(text("resource"))
                .arg(whole("id"))
                .arg(text("verb"))
                .arg(text("payload").allow_null())
                .arg(text("facts").allow_null()),
            DataType::Bool,
        ))
        .function(returns(FunctionBuilder::new("nexpura_finish", nexpura_finish), DataType::Bool))
        .function(returns(
            FunctionBuilder::new("nexpura_lineage", nexpura_lineage)
                .arg(text("previous"))
                .arg(text("next")),
            DataType::Bool,
        ))
        .function(returns(FunctionBuilder::new("nexpura_status", nexpura_status), DataType::Array))
        .function(returns(
            FunctionBuilder::new("nexpura_waiting", nexpura_waiting).arg(text("resource")),
            DataType::Array,
        ))
        .function(returns(
            FunctionBuilder::new("nexpura_drain", nexpura_drain).arg(whole("seconds")),
            DataType::Array,
        ))
}

extern "C" fn nexpura_open(call: &mut ExecuteData, answer: &mut Zval) {
    let message = guard::catch(Some("the extension failed".to_owned()), || {
        request::open(&Arguments::of(call).text(0).unwrap_or_default())
    });
    guard::answer(|| match message {
        None => answer.set_null(),
        Some(message) => answer.set_string(&message, false).unwrap_or(()),
    });
}

extern "C" fn nexpura_mark(call: &mut ExecuteData, answer: &mut Zval) {
    let done = guard::catch(false, || {
        let arguments = Arguments::of(call);
        let verb = arguments.text(2).unwrap_or_else(|| "updated".to_owned());
        match thing(&arguments, &verb) {
            Some((topic, resource_id)) => request::mark(Mark { topic, resource_id }),
            None => false,
        }
    });
    answer.set_bool(done);
}

extern "C" fn nexpura_marks(_call: &mut ExecuteData, answer: &mut Zval) {
    let marks = guard::catch(Vec::new(), request::marks);
    guard::answer(|| {
        let mut list = ZendHashTable::new();
        for mark in marks {
            let mut entry = ZendHashTable::new();
            let filled = entry
                .insert("resource", mark.topic.resource.as_str())
                .and_then(|()| entry.insert("id", i64::try_from(mark.resource_id).unwrap_or(0)))
                .and_then(|()| entry.insert("verb", verb_word(mark.topic.verb)))
                .and_then(|()| list.push(entry));
            if filled.is_err() {
                break;
            }
        }
        answer.set_hashtable(list);
    });
}

extern "C" fn nexpura_capture(call: &mut ExecuteData, answer: &mut Zval) {
    let done = guard::catch(false, || {
        let arguments = Arguments::of(call);
        let verb = arguments.text(2).unwrap_or_default();
        match thing(&arguments, &verb) {
            Some((topic, resource_id)) => {
                request::capture(topic, resource_id, arguments.text(3), arguments.text(4))
            }
            None => false,
        }
    });
    answer.set_bool(done);
}

extern "C" fn nexpura_finish(_call: &mut ExecuteData, answer: &mut Zval) {
    answer.set_bool(guard::catch(false, request::finish));
}

extern "C" fn nexpura_lineage(call: &mut ExecuteData, answer: &mut Zval) {
    let done = guard::catch(false, || {
        let arguments = Arguments::of(call);
        match (arguments.text(0), arguments.text(1)) {
            (Some(previous), Some(next)) => request::lineage(&previous, &next),
            _ => false,
        }
    });
    answer.set_bool(done);
}

extern "C" fn nexpura_status(_call: &mut ExecuteData, answer: &mut Zval) {
    let status = guard::catch(None, status);
    guard::answer(|| answer.set_hashtable(status_array(status.as_ref(), None)));
}

extern "C" fn nexpura_waiting(call: &mut ExecuteData, answer: &mut Zval) {
    let ids = guard::catch(Vec::new(), || {
        let resource = Arguments::of(call).text(0).and_then(|name| named(&name));
        let waiting = resource.zip(request::current()).map(|(resource, connected)| {
            // A spool that cannot be read shows in the status.
            connected.spool.waiting(resource, now_ms()).unwrap_or_default()
        });
        waiting.unwrap_or_default()
    });
    guard::answer(|| {
        let mut list = ZendHashTable::new();
        for id in ids {
            if list.push(i64::try_from(id).unwrap_or(0)).is_err() {
                break;
            }
        }
        answer.set_hashtable(list);
    });
}

extern "C" fn nexpura_drain(call: &mut ExecuteData, answer: &mut Zval) {
    let (sent, status) = guard::catch((0, None), || {
        let seconds = Arguments::of(call).number(0).unwrap_or(0).clamp(0, MAX_DRAIN_SECONDS);
        let limit = Duration::from_secs(seconds.unsigned_abs());
        let sent = request::current().map_or(0, |connected| {
            thread::drain(&connected.spool, &connected.connection, limit, Timing::default())
                .unwrap_or(0)
        });
        (sent, status())
    });
    guard::answer(|| answer.set_hashtable(status_array(status.as_ref(), Some(sent))));
}

/// What the first three arguments name; nothing when they name nothing that can be captured.
fn thing(arguments: &Arguments<'_>, verb: &str) -> Option<(Topic, u64)> {
    let resource = named(&arguments.text(0)?)?;
    let verb: Verb = verb_named(verb)?;
    let id = u64::try_from(arguments.number(1)?).ok().filter(|id| *id > 0)?;
    Some((Topic::new(resource, verb), id))
}

/// The kind of thing that a word of PHP code's means, if it can be captured.
fn named(resource: &str) -> Option<Resource> {
    match resource {
        "order" => Some(Resource::Order),
        "product" => Some(Resource::Product),
        "customer" => Some(Resource::Customer),
        _ => None,
    }
}

fn status() -> Option<Status> {
    request::current()
        .map(|connected| Status::of(&connected.spool, &connected.connection, now_ms()))
}

/// The status as PHP sees it; without a connection the same keys, empty.
fn status_array(status: Option<&Status>, sent: Option<u64>) -> ZBox<ZendHashTable> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let count = |read: fn(&Status) -> u64| status.map_or(0, |status| whole(read(status)));
    let text = |read: fn(&Status) -> &str| status.map(|status| read(status).to_owned());
    let trouble = match status {
        Some(status) => status.last_error.clone(),
        None => Some("there is no connection string: paste the one that Nexpura showed".to_owned()),
    };
    let mut array = ZendHashTable::new();
    // Inserting fails only for texts with NUL bytes, which none of these can hold.
    let _ = array.insert("version", env!("CARGO_PKG_VERSION"));
    let _ = array.insert("connection_id", text(|status| &status.connection_id));
    let _ = array.insert("relay", text(|status| &status.relay));
    let _ = array.insert("spool", text(|status| &status.spool));
    let _ = array.insert("unsent", count(|status| status.unsent));
    let _ = array.insert("oldest_unsent_at", status.and_then(|status| status.oldest_unsent_at));
    let _ = array.insert("open_intents", count(|status| status.open_intents));
    let _ = array.insert("bytes", count(|status| status.bytes));
    let _ = array.insert("max_bytes", count(|status| status.max_bytes));
    let _ = array.insert("writable", status.is_some_and(|status| status.writable));
    let _ = array.insert("sender", status.map_or("none", |status| status.sender));
    let _ = array.insert("last_sent_at", status.and_then(|status| status.last_sent_at));
    let _ = array.insert("last_error", trouble);
    let _ = array.insert("clock_offset", status.map_or(0, |status| status.clock_offset));
    if let Some(sent) = sent {
        let _ = array.insert("sent", whole(sent));
    }
    array
}
