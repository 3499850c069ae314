//! The WordPress plugin that fits this relay, as WordPress takes it under *Plugins → Add New → Upload*.

/// The plugin's zip, packed when the relay was built.
pub(crate) const ZIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nexpura.zip"));
