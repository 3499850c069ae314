//! The client against stores that answer well, oddly, and with lies.

mod lies;
mod reads;
mod store;
