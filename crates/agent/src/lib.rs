//! The shop's side of the bridge: a spool that loses nothing, and the sender that empties it.
//!
//! The PHP extension and the daemon `nexpura-agent` are both built on this library: the extension marks and
//! captures, either of them sends, and an election decides which one.

pub mod fork;
pub mod lock;
pub mod place;
pub mod process;
pub mod sender;
pub mod spool;
pub mod status;
pub mod sys;

pub use sender::{Kind, Sender, SharedConnection, Timing, now_ms};
pub use spool::{Spool, SpoolError};
pub use status::Status;
