//! Reads a push so that one event which nobody understands does not stop the others.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Event, SpoolState, batch::MAX_EVENTS, event::Resource};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::IngestError;

/// What a topic that cannot be read is kept under.
pub(super) const UNKNOWN: &str = "unknown";
/// How much of a topic that cannot be read is kept, in characters.
const TOPIC_KEPT: usize = 80;
/// How much of what is wrong with an event is kept, in characters.
const REASON_KEPT: usize = 300;

/// A push whose form is right.
#[derive(Debug)]
pub(super) struct Push<'a> {
    /// The spool's id.
    pub(super) spool: String,
    /// In ascending `seq`.
    pub(super) events: Vec<Arrived<'a>>,
    /// How the spool stands.
    pub(super) state: SpoolState,
}

/// One event with the very text that it came as, which is what is kept.
#[derive(Debug)]
pub(super) struct Arrived<'a> {
    /// Its identity.
    pub(super) id: Uuid,
    /// Its identity as the sender wrote it.
    pub(super) id_text: String,
    /// Its place in the spool.
    pub(super) seq: i64,
    /// Its topic, or [`UNKNOWN`].
    pub(super) topic: String,
    /// WooCommerce's representation, if it came along.
    pub(super) payload: Option<&'a str>,
    /// What that does not tell.
    pub(super) facts: Option<&'a str>,
    /// What it says.
    pub(super) content: Content,
}

/// What an event says.
#[derive(Debug)]
pub(super) enum Content {
    /// It is understood.
    Clear(Box<Event>),
    /// It is not.
    Unclear(Unclear),
}

/// What can be told of an event that is not understood.
#[derive(Debug)]
pub(super) struct Unclear {
    /// What it is about, where its topic and id tell at least that.
    pub(super) about: Option<(Resource, i64)>,
    /// What is wrong with it, for people.
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Body<'a> {
    spool: String,
    #[serde(borrow, default)]
    events: Vec<&'a RawValue>,
    state: SpoolState,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    seq: u64,
    #[serde(default)]
    topic: Value,
    #[serde(default)]
    resource_id: Value,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    facts: Option<&'a RawValue>,
}

/// Reads a push.
///
/// # Errors
/// [`IngestError::Malformed`] where it breaks the protocol in a way that leaves no event to answer for:
/// no JSON, no spool, an event without identity or place, or places that do not ascend.
pub(super) fn push(body: &[u8]) -> Result<Push<'_>, IngestError> {
    let malformed = |text: String| IngestError::Malformed(text);
    let body: Body<'_> = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the push is malformed: {error}")))?;
    if Uuid::try_parse(&body.spool).is_err() {
        return Err(malformed("spool: expected a UUID".to_owned()));
    }
    if body.events.len() > MAX_EVENTS {
        return Err(malformed(format!("events: at most {MAX_EVENTS} in one push")));
    }
    let mut last = 0;
    let mut events = Vec::with_capacity(body.events.len());
    for (at, raw) in body.events.into_iter().enumerate() {
        let event = arrived(raw).map_err(|reason| malformed(format!("events[{at}]{reason}")))?;
        if event.seq <= last {
            return Err(malformed(format!("events[{at}].seq: expected more than {last}")));
        }
        last = event.seq;
        events.push(event);
    }
    Ok(Push { spool: body.spool, events, state: body.state })
}

fn arrived(raw: &RawValue) -> Result<Arrived<'_>, String> {
    let envelope: Envelope<'_> =
        serde_json::from_str(raw.get()).map_err(|error| format!(": {error}"))?;
    let id = Uuid::try_parse(&envelope.id).map_err(|_| ".id: expected a UUID".to_owned())?;
    let seq = i64::try_from(envelope.seq).map_err(|_| ".seq: out of range".to_owned())?;
    let mut topic = short(envelope.topic.as_str().unwrap_or(UNKNOWN), TOPIC_KEPT);
    let content = match serde_json::from_str::<Event>(raw.get()) {
        Ok(event) if i64::try_from(event.resource_id).is_ok() => Content::Clear(Box::new(event)),
        Ok(_) => Content::Unclear(unclear(&envelope, "resource_id is out of range".to_owned())),
        Err(error) => Content::Unclear(unclear(&envelope, error.to_string())),
    };
    if let Content::Clear(event) = &content {
        topic = event.topic.to_string();
    }
    Ok(Arrived {
        id,
        id_text: envelope.id,
        seq,
        topic,
        payload: envelope.payload.map(RawValue::get),
        facts: envelope.facts.map(RawValue::get),
        content,
    })
}

fn unclear(envelope: &Envelope<'_>, reason: String) -> Unclear {
    let topic = envelope.topic.as_str().unwrap_or(UNKNOWN);
    let resource = topic.split('.').next().and_then(|word| word.parse::<Resource>().ok());
    let about = resource
        .filter(|resource| *resource != Resource::Lineage)
        .zip(envelope.resource_id.as_i64().filter(|id| *id > 0));
    Unclear { about, reason: short(&reason, REASON_KEPT) }
}

/// What is wrong may be quoted whole, and no database keeps every character.
fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

impl Arrived<'_> {
    /// Whether it is a link of the shop's lineage.
    pub(super) fn is_lineage(&self) -> bool {
        matches!(&self.content, Content::Clear(event) if event.topic.resource == Resource::Lineage)
    }

    /// What it is about, as far as that is known; a link of the lineage is about nothing.
    pub(super) fn about(&self) -> Option<(Resource, i64)> {
        match &self.content {
            Content::Clear(event) if event.topic.resource == Resource::Lineage => None,
            Content::Clear(event) => {
                Some((event.topic.resource, i64::try_from(event.resource_id).ok()?))
            }
            Content::Unclear(unclear) => unclear.about,
        }
    }

    /// What it is kept under: the thing, or as much of it as was told.
    pub(super) fn named(&self) -> (&'static str, i64) {
        match &self.content {
            Content::Clear(event) => {
                let id = i64::try_from(event.resource_id).unwrap_or(i64::MAX);
                (event.topic.resource.as_str(), id)
            }
            Content::Unclear(unclear) => {
                unclear.about.map_or((UNKNOWN, 0), |(resource, id)| (resource.as_str(), id))
            }
        }
    }

    /// The shop's counter at this event, if it has one.
    pub(super) fn rev(&self) -> Option<i64> {
        let Content::Clear(event) = &self.content else { return None };
        let rev = event.facts.as_ref()?.rev?;
        Some(i64::try_from(rev).unwrap_or(i64::MAX))
    }

    /// When the shop noticed it; `now` where it does not say.
    pub(super) fn occurred_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match &self.content {
            Content::Clear(event) => event.occurred_at,
            Content::Unclear(_) => now,
        }
    }
}
