//! What every answer of the panel says to the browser: load nothing from elsewhere, run nothing inline,
//! show it in nobody's frame, keep no copy.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

use super::Panel;

/// What a page may load. Pictures of pieces lie in the shops; shops on this machine are reached over http.
const POLICY: [&str; 2] = [
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https: http:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
];

const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A link that sets a password stands in an address: no other site is told where somebody comes from.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Adds them.
pub(super) async fn add(State(panel): State<Panel>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = POLICY[usize::from(!panel.cookie.is_secure())];
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    // Pages hold what is nobody else's business; only the assets say otherwise.
    let kept = headers.entry(header::CACHE_CONTROL);
    kept.or_insert(HeaderValue::from_static("no-store"));
    response
}
