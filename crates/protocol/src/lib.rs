//! What a shop and the relay say to each other, and how each proves that it was the one who said it.
//!
//! No I/O happens here. The same types are used by the PHP extension, by the sender daemon and by the
//! relay, and `golden/` holds vectors that the Rust and the PHP tests both read.

pub mod batch;
pub mod connection;
pub mod event;
pub mod signature;
pub mod stock;

pub use batch::{Answer, Batch, Outcome, SpoolState, Verdict};
pub use connection::{ConnectionString, ConnectionStringError};
pub use event::{Event, Facts, LineFacts, Resource, StockFacts, Topic, Verb};
pub use signature::{Headers, SignError, Signer, Verifier, VerifyError};
