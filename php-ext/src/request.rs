//! What one request has marked, and on which connection.

use std::{
    cell::RefCell,
    path::PathBuf,
    process,
    rc::Rc,
    time::{Duration, Instant},
};

use nexpura_agent::{
    Spool, Timing, now_ms,
    process::Identity,
    sender::thread,
    spool::{Mark, NewEvent, RequestId},
};
use nexpura_protocol::{
    ConnectionString, Topic,
    event::{Resource, Verb},
};

use crate::settings::{self, SenderMode};

/// Without a capture, the requests of one process look at most this often whether somebody sends.
const LOOK_FOR_SENDER: Duration = Duration::from_secs(1);
/// Requests whose end could not be written are tried again by later ones, this many at most. What is
/// beyond is touched by the sender when this process ends.
const MAX_UNFINISHED: usize = 64;

/// A connection in use: parsed once and kept from request to request.
pub(crate) struct Connected {
    text: String,
    directory: PathBuf,
    pub(crate) connection: ConnectionString,
    pub(crate) spool: Spool,
}

/// One thing this request has touched.
struct Marked {
    mark: Mark,
    /// Its row in the spool; nothing when it could not be written.
    intent: Option<i64>,
}

/// The request that this thread of PHP is serving.
struct Request {
    id: RequestId,
    pid: u32,
    connected: Option<Rc<Connected>>,
    marks: Vec<Marked>,
    /// A mark has waited for the spool: the next one does not.
    waited: bool,
    captured: bool,
}

/// A request whose end could not be written.
struct Unfinished {
    connected: Rc<Connected>,
    id: RequestId,
    /// What it marked and could not write.
    unwritten: Vec<Mark>,
}

/// What this thread of PHP keeps between requests.
#[derive(Default)]
struct Kept {
    connected: Option<Rc<Connected>>,
    unfinished: Vec<Unfinished>,
    looked_for_sender: Option<Instant>,
}

thread_local! {
    static REQUEST: RefCell<Request> = RefCell::new(Request::new());
    static KEPT: RefCell<Kept> = RefCell::default();
}

impl Request {
    fn new() -> Self {
        Self {
            id: RequestId::random(),
            pid: process::id(),
            connected: None,
            marks: Vec::new(),
            waited: false,
            captured: false,
        }
    }

    /// In a child made by fork in the middle of a request: the marks are the parent's to capture.
    fn begin_anew_after_fork(&mut self) {
        if self.pid != process::id() {
            let connected = self.connected.take();
            *self = Self { connected, ..Self::new() };
            KEPT.with_borrow_mut(|kept| kept.unfinished.clear());
        }
    }

    /// The connection of this request: the one opened, else that of php.ini.
    fn connected(&mut self) -> Option<Rc<Connected>> {
        if self.connected.is_none() {
            let text = settings::read(settings::CONNECTION);
            if !text.is_empty() {
                self.connected = connect(&text).ok();
            }
        }
        self.connected.clone()
    }
}

fn with<T>(work: impl FnOnce(&mut Request) -> T) -> T {
    REQUEST.with_borrow_mut(|request| {
        request.begin_anew_after_fork();
        work(request)
    })
}

fn connect(text: &str) -> Result<Rc<Connected>, String> {
    let directory = settings::spool_dir();
    let max_bytes = settings::spool_max_bytes();
    let known = KEPT.with_borrow(|kept| kept.connected.clone());
    if let Some(known) = known
        && known.text == text
        && known.directory == directory
        && known.spool.max_bytes() == max_bytes.max(nexpura_agent::spool::MIN_MAX_BYTES)
    {
        return Ok(known);
    }
    let connection = ConnectionString::parse(text).map_err(|error| error.to_string())?;
    let spool = Spool::at(&directory, connection.id(), max_bytes);
    let connected = Rc::new(Connected { text: text.to_owned(), directory, connection, spool });
    KEPT.with_borrow_mut(|kept| kept.connected = Some(Rc::clone(&connected)));
    Ok(connected)
}

/// Sets this request's connection. What was marked on another one before is finished there.
pub(crate) fn open(text: &str) -> Option<String> {
    match connect(text) {
        Err(message) => Some(message),
        Ok(connected) => {
            let changes = with(|request| {
                request.connected.as_ref().is_some_and(|before| !Rc::ptr_eq(before, &connected))
                    && !request.marks.is_empty()
            });
            if changes {
                finish();
            }
            with(|request| request.connected = Some(connected));
            None
        }
    }
}

/// The connection of this request, for looking at it.
pub(crate) fn current() -> Option<Rc<Connected>> {
    with(Request::connected)
}

/// Notes that the request touched something; the first time this is written to the spool.
pub(crate) fn mark(mark: Mark) -> bool {
    with(|request| {
        let Some(connected) = request.connected() else { return false };
        let known = request.marks.iter().position(|marked| {
            marked.mark.resource_id == mark.resource_id
                && marked.mark.topic.resource == mark.topic.resource
        });
        let index = known.unwrap_or_else(|| {
            request.marks.push(Marked { mark, intent: None });
            request.marks.len() - 1
        });
        let marked = &mut request.marks[index];
        marked.mark.topic.verb = coalesce(marked.mark.topic.verb, mark.topic.verb);
        if marked.intent.is_some() {
            return true;
        }
        let owner = Identity::current();
        let written =
            connected.spool.mark(marked.mark, &owner, &request.id, request.waited, now_ms());
        // Whatever it waited for, the visitor has waited once.
        request.waited |= written.is_err();
        marked.intent = written.ok();
        marked.intent.is_some()
    })
}

/// What a thing marked twice is told as.
fn coalesce(before: Verb, now: Verb) -> Verb {
    match (before, now) {
        (_, Verb::Deleted) => Verb::Deleted,
        (Verb::Created, _) | (Verb::Updated, Verb::Created) => Verb::Created,
        (_, Verb::Restored) => Verb::Restored,
        (before, _) => before,
    }
}

/// What was marked and not captured yet, in the order of the first marks.
pub(crate) fn marks() -> Vec<Mark> {
    with(|request| request.marks.iter().map(|marked| marked.mark).collect())
}

/// Writes an event, closing the mark that led to it.
pub(crate) fn capture(
    topic: Topic,
    resource_id: u64,
    payload: Option<String>,
    facts: Option<String>,
) -> bool {
    let (connected, done) = with(|request| {
        let Some(connected) = request.connected() else { return (None, false) };
        let known = request.marks.iter().position(|marked| {
            marked.mark.resource_id == resource_id && marked.mark.topic.resource == topic.resource
        });
        let intent = known.and_then(|index| request.marks[index].intent);
        let now = now_ms();
        let event = NewEvent { topic, resource_id, occurred_at: now, payload, facts };
        let written = connected.spool.capture(event, &request.id, intent.as_slice(), now).is_ok();
        if written && let Some(index) = known {
            request.marks.remove(index);
        }
        request.captured |= written;
        (Some(connected), written)
    });
    if let Some(connected) = connected.filter(|_| done) {
        ensure_sender(&connected);
    }
    done
}

/// Writes the nonce of the shop's lineage as an event.
pub(crate) fn lineage(previous: &str, next: &str) -> bool {
    let payload = serde_json::json!({ "previous": previous, "next": next }).to_string();
    capture(Topic::new(Resource::Lineage, Verb::Updated), 0, Some(payload), None)
}

/// Ends the request: what is still marked becomes touches, and somebody sends. Answers whether nothing is
/// left that could not be written.
pub(crate) fn finish() -> bool {
    let (connected, left, captured) = with(|request| {
        let connected = request.connected.clone();
        let finished = std::mem::replace(request, Request::new());
        request.connected.clone_from(&connected);
        request.waited = finished.waited;
        let unwritten = |marked: &&Marked| marked.intent.is_none();
        let unwritten = finished.marks.iter().filter(unwritten).map(|marked| marked.mark).collect();
        let left = !finished.marks.is_empty();
        (connected, left.then_some((finished.id, unwritten)), finished.captured)
    });
    let touched = left.is_some();
    if let (Some(connected), Some((id, unwritten))) = (&connected, left) {
        let connected = Rc::clone(connected);
        KEPT.with_borrow_mut(|kept| {
            kept.unfinished.push(Unfinished { connected, id, unwritten });
        });
    }
    let all_written = finish_unfinished();
    let due = look_is_due();
    if let Some(connected) = connected
        && (captured || touched || due)
    {
        if captured || touched {
            let _ = connected.spool.tidy(now_ms());
        }
        // What others left counts: the process that sent may have been killed, and what it was writing down may be the
        // last thing that happens in this shop today.
        if captured || connected.spool.has_waiting(now_ms()).unwrap_or(false) {
            ensure_sender(&connected);
        }
    }
    all_written
}

/// Writes the ends of this request and of those before it that could not be written.
fn finish_unfinished() -> bool {
    KEPT.with_borrow_mut(|kept| {
        let now = now_ms();
        kept.unfinished.retain(|request| {
            request.connected.spool.finish(&request.id, &request.unwritten, now).is_err()
        });
        let surplus = kept.unfinished.len().saturating_sub(MAX_UNFINISHED);
        kept.unfinished.drain(..surplus);
        kept.unfinished.is_empty()
    })
}

/// RSHUTDOWN: finishes what the plugin did not, and forgets the request.
pub(crate) fn end() {
    if with(|request| !request.marks.is_empty()) {
        finish();
    } else {
        finish_unfinished();
    }
    with(|request| *request = Request::new());
}

fn look_is_due() -> bool {
    KEPT.with_borrow_mut(|kept| {
        let due = kept.looked_for_sender.is_none_or(|at| at.elapsed() >= LOOK_FOR_SENDER);
        if due {
            kept.looked_for_sender = Some(Instant::now());
        }
        due
    })
}

fn ensure_sender(connected: &Connected) {
    if settings::sender() == SenderMode::Auto {
        // Not being able to send is no reason to disturb the request; the status tells.
        let _ = thread::ensure(&connected.spool, &connected.connection, Timing::default());
    }
}
