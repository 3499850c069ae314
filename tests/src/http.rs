//! The HTTP client of the tests.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

use crate::stack::tls::Certificate;

/// A client that follows no redirects and trusts, besides the system's authorities, a test's own.
///
/// One for each shop or relay: a pooled connection belongs to the runtime of the test that opened it.
///
/// # Errors
/// When the authority's certificate cannot be read.
pub fn client(trusted: Option<&Certificate>) -> Result<reqwest::Client> {
    // Somebody else may have installed it; then it is the same one.
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        // Shorter than a server waits: one that hangs up at the very moment of the next request fails that.
        .pool_idle_timeout(Duration::from_secs(20));
    if let Some(certificate) = trusted {
        let pem = fs::read(&certificate.authority)?;
        builder = builder.tls_certs_merge([reqwest::Certificate::from_pem(&pem)?]);
    }
    builder.build().context("making an HTTP client")
}

/// The beginning of a long text, for messages.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const ENOUGH: usize = 2_000;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// The content type of a form's fields.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A form's fields as a browser sends them.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
