//! How requests to one store show the key, and what to try next when the store did not see it.

use std::sync::{Mutex, PoisonError};

use crate::channel::ChannelError;

/// WooCommerce's code when it saw a key or a signature and found it wrong.
const SEEN_AND_REFUSED: &str = "woocommerce_rest_authentication_error";
/// A clock that is off by less than this is not why a signature was refused: WooCommerce takes 15
/// minutes, and the `Date` header is itself a little late.
const CLOCK_MATTERS: i64 = 10 * 60;

/// Where the key stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the `Authorization` header: https only, the usual way.
    Basic,
    /// As a signature in the query.
    OAuth,
    /// The same, signed as if the request came by http: behind a proxy that ends TLS without telling
    /// PHP, WooCommerce believes so.
    OAuthAsHttp,
}

/// How the next request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) scheme: Scheme,
    /// Seconds to add to this machine's clock for the shop's.
    pub(super) clock_offset: i64,
}

impl Manner {
    /// What WooCommerce documents: Basic over https, OAuth over http.
    pub(super) fn usual(https: bool) -> Self {
        let scheme = if https { Scheme::Basic } else { Scheme::OAuth };
        Self { scheme, clock_offset: 0 }
    }

    /// What else could make the store see the key, after this manner was refused.
    ///
    /// `clock_ahead` is how far the shop's clock is ahead of ours, by its `Date` header. Each step is
    /// taken at most once, so a wrong key costs a few requests and ends.
    pub(super) fn after(self, refusal: &Refusal, https: bool) -> Option<Self> {
        if refusal.error != ChannelError::Unauthorized {
            return None;
        }
        let refused = refusal.code.as_deref() == Some(SEEN_AND_REFUSED);
        match self.scheme {
            // Many web servers drop the Authorization header on the way to PHP: WooCommerce then sees
            // no key at all and says nothing of one. A signature in the query gets through, and unlike
            // the key itself it is no secret in the shop's access log.
            Scheme::Basic if !refused => Some(Self { scheme: Scheme::OAuth, ..self }),
            Scheme::Basic => None,
            Scheme::OAuth | Scheme::OAuthAsHttp => {
                let ahead = refusal.clock_ahead.unwrap_or(self.clock_offset);
                if (ahead - self.clock_offset).abs() > CLOCK_MATTERS {
                    Some(Self { clock_offset: ahead, ..self })
                } else if self.scheme == Scheme::OAuth && https && refused {
                    Some(Self { scheme: Scheme::OAuthAsHttp, ..self })
                } else {
                    None
                }
            }
        }
    }
}

/// A refusal, as much of it as tells what to do next.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: ChannelError,
    /// WooCommerce's own error code, where the answer was its JSON.
    pub(super) code: Option<String>,
    /// Seconds that the shop's clock is ahead of ours, where it sent a `Date`.
    pub(super) clock_ahead: Option<i64>,
}

impl From<ChannelError> for Refusal {
    fn from(error: ChannelError) -> Self {
        Self { error, code: None, clock_ahead: None }
    }
}

impl From<Refusal> for ChannelError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// The manner that last worked with a store.
#[derive(Debug)]
pub(super) struct Remembered(Mutex<Manner>);

impl Remembered {
    pub(super) fn new(manner: Manner) -> Self {
        Self(Mutex::new(manner))
    }

    pub(super) fn get(&self) -> Manner {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, manner: Manner) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Option<&str>, clock_ahead: Option<i64>) -> Refusal {
        Refusal { error: ChannelError::Unauthorized, code: code.map(str::to_owned), clock_ahead }
    }

    #[test]
    fn a_dropped_header_leads_to_a_signature() {
        let next =
            Manner::usual(true).after(&refused(Some("woocommerce_rest_cannot_view"), None), true);
        assert_eq!(next, Some(Manner { scheme: Scheme::OAuth, clock_offset: 0 }));
        let next = Manner::usual(true).after(&refused(None, Some(0)), true);
        assert_eq!(next, Some(Manner { scheme: Scheme::OAuth, clock_offset: 0 }));
    }

    #[test]
    fn a_wrong_secret_is_final_under_basic() {
        assert_eq!(Manner::usual(true).after(&refused(Some(SEEN_AND_REFUSED), None), true), None);
    }

    #[test]
    fn a_signature_refused_over_https_is_tried_as_http_once() {
        let oauth = Manner { scheme: Scheme::OAuth, clock_offset: 0 };
        let next = oauth.after(&refused(Some(SEEN_AND_REFUSED), Some(3)), true).unwrap();
        assert_eq!(next.scheme, Scheme::OAuthAsHttp);
        assert_eq!(next.after(&refused(Some(SEEN_AND_REFUSED), Some(3)), true), None);
    }

    #[test]
    fn over_http_a_wrong_key_is_final_unless_a_clock_is_wrong() {
        let oauth = Manner::usual(false);
        assert_eq!(oauth.after(&refused(Some(SEEN_AND_REFUSED), Some(60)), false), None);
        let next = oauth.after(&refused(Some(SEEN_AND_REFUSED), Some(-7200)), false).unwrap();
        assert_eq!(next, Manner { scheme: Scheme::OAuth, clock_offset: -7200 });
        assert_eq!(next.after(&refused(Some(SEEN_AND_REFUSED), Some(-7201)), false), None);
    }

    #[test]
    fn nothing_else_than_401_is_tried_again_in_another_manner() {
        let forbidden = Refusal::from(ChannelError::Forbidden);
        assert_eq!(Manner::usual(true).after(&forbidden, true), None);
    }
}
