//! How requests to one store show the key, and what to try next when the store did not see it.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use crate::channel::ChannelError;

/// WooCommerce's code when it saw a key or a signature and found it wrong.
const SEEN_AND_REFUSED: &str = "woocommerce_rest_authentication_error";
/// A clock that is off by less than this is not why a signature was refused: WooCommerce takes 15
/// minutes, and the `Date` header is itself a little late.
const CLOCK_MATTERS: i64 = 10 * 60;
/// Requests that one read may cost: the remembered manner, the usual one, a signature, the shop's
/// clock, http. A store that says something new each time does not make it more.
const MOST_TRIES: u8 = 5;
/// Stores whose manner is remembered; few need one.
const MOST_REMEMBERED: usize = 1000;

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
    /// A clock is wrong by what the shop's `Date` header says.
    fn after(self, refusal: &Refusal, https: bool) -> Option<Self> {
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

/// The search for a manner that the store understands, within one read.
#[derive(Debug)]
pub(super) struct Search {
    usual: Manner,
    current: Manner,
    from_usual: bool,
    tries_left: u8,
    https: bool,
}

impl Search {
    /// Begins with what worked the last time.
    pub(super) fn from(remembered: Option<Manner>, https: bool) -> Self {
        let usual = Manner::usual(https);
        let current = remembered.unwrap_or(usual);
        let from_usual = current == usual;
        Self { usual, current, from_usual, tries_left: MOST_TRIES, https }
    }

    /// The manner of the next request.
    pub(super) fn current(&self) -> Manner {
        self.current
    }

    /// Whether the current manner has to be remembered, since a read would not begin with it.
    pub(super) fn is_unusual(&self) -> bool {
        self.current != self.usual
    }

    /// Goes on to another manner, if this refusal leaves one to try.
    pub(super) fn goes_on_after(&mut self, refusal: &Refusal) -> bool {
        self.tries_left = self.tries_left.saturating_sub(1);
        if self.tries_left == 0 {
            return false;
        }
        let mut next = self.current.after(refusal, self.https);
        if next.is_none() && refusal.error == ChannelError::Unauthorized && !self.from_usual {
            // The shop may have been put right since: what was remembered is then wrong.
            self.from_usual = true;
            next = Some(self.usual);
        }
        if let Some(next) = next {
            self.current = next;
        }
        next.is_some()
    }
}

/// What worked with stores that do not understand the usual manner, by store and consumer key.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<(String, String), Manner>>);

/// That memory for the life of this process: a client is made for every piece of work, and must not
/// have to find it out each time.
pub(super) static MEMORY: LazyLock<Memory> = LazyLock::new(Memory::default);

impl Memory {
    /// What worked the last time with this key at this store, if that was not the usual manner.
    pub(super) fn recall(&self, store: &str, consumer_key: &str) -> Option<Manner> {
        self.lock().get(&(store.to_owned(), consumer_key.to_owned())).copied()
    }

    /// Remembers what worked; `None` forgets, since the usual manner works.
    pub(super) fn remember(&self, store: &str, consumer_key: &str, manner: Option<Manner>) {
        let whose = (store.to_owned(), consumer_key.to_owned());
        let mut all = self.lock();
        let Some(manner) = manner else {
            all.remove(&whose);
            return;
        };
        if all.len() >= MOST_REMEMBERED && !all.contains_key(&whose) {
            all.clear();
        }
        all.insert(whose, manner);
    }

    /// Sound whatever a panicking holder left: every entry is valid by itself.
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Manner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_remembered_manner_that_fails_leads_back_to_the_usual_one() {
        let as_http = Manner { scheme: Scheme::OAuthAsHttp, clock_offset: 0 };
        let mut search = Search::from(Some(as_http), true);
        assert_eq!(search.current(), as_http);
        assert!(search.goes_on_after(&refused(Some(SEEN_AND_REFUSED), None)));
        assert_eq!(search.current(), Manner::usual(true));
        assert!(!search.goes_on_after(&refused(Some(SEEN_AND_REFUSED), None)));
    }

    #[test]
    fn a_search_ends_whatever_the_store_says() {
        let mut search = Search::from(None, false);
        let tries = (1..100)
            .take_while(|day| {
                let lie = refused(Some(SEEN_AND_REFUSED), Some(day * 86_400));
                search.goes_on_after(&lie)
            })
            .count();
        assert_eq!(tries, usize::from(MOST_TRIES) - 1);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_told_apart_by_key() {
        let odd = Manner { scheme: Scheme::OAuth, clock_offset: 7200 };
        let memory = Memory::default();
        memory.remember("https://a.example", "ck_1", Some(odd));
        assert_eq!(memory.recall("https://a.example", "ck_1"), Some(odd));
        assert_eq!(memory.recall("https://a.example", "ck_2"), None);
        memory.remember("https://a.example", "ck_1", None);
        assert_eq!(memory.recall("https://a.example", "ck_1"), None);
        for i in 0..3 * MOST_REMEMBERED {
            memory.remember(&format!("https://a{i}.example"), "ck_1", Some(odd));
            assert!(memory.lock().len() <= MOST_REMEMBERED);
        }
    }
}
