//! A store's address: read from what a person pasted, and the identity of the store.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// RFC 3986's unreserved characters stay; everything else is written as `%XX`.
pub(super) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Path segments at which the shop's own directory ends and WordPress's inside begins.
const INSIDE_WORDPRESS: [&str; 6] =
    ["wp-json", "wp-admin", "wp-login.php", "wp-content", "wp-includes", "index.php"];

/// The address of a WooCommerce store.
///
/// Two texts that lead to the same shop directory give the same [`StoreUrl::normalised`], which is the
/// store's identity: scheme and host in lower case (international names in punycode), no default port,
/// the sub-directory kept, no slash at the end.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreUrl {
    base: Url,
    rest_root: Option<RestRoot>,
}

/// Where the REST API begins, when it was told explicitly.
#[derive(Clone, PartialEq, Eq, Hash)]
enum RestRoot {
    /// `https://shop.example/wp-json/`: routes are appended to the path.
    Path(Url),
    /// `https://shop.example/index.php?rest_route=/`: routes are a parameter (plain permalinks).
    Query(Url),
}

/// Why an address was refused. Each message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// Nothing but white space was given.
    #[error(
        "the store's address is empty: give the address of the shop, such as https://shop.example"
    )]
    Empty,
    /// It is no address at all.
    #[error(
        "this is not a web address: give the address of the shop, such as https://shop.example"
    )]
    Malformed,
    /// A scheme other than http or https.
    #[error("the store's address must begin with https://, not with {0}:")]
    Scheme(String),
    /// `http`, where it is not allowed.
    #[error(
        "the store's address must begin with https://: over http, orders and customers would travel readable for everybody"
    )]
    Insecure,
    /// It carries a user name or a password.
    #[error(
        "the store's address must not hold a user name or a password: remove what stands before the @"
    )]
    UserInfo,
    /// A REST root on another scheme, host or port than the store.
    #[error("the REST API's address lies on another host than the store: both must be the same")]
    ForeignRestRoot,
}

impl StoreUrl {
    /// Reads an address as a person pasted it. `allow_http` is the caller's decision, made for stores
    /// that the operator has allowed by address; without it only https is taken.
    ///
    /// # Errors
    /// See [`StoreUrlError`].
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, StoreUrlError> {
        use StoreUrlError as E;
        let text = text.trim();
        if text.is_empty() {
            return Err(E::Empty);
        }
        let mut base = read_absolute(text)?;
        match base.scheme() {
            "https" => {}
            "http" if allow_http => {}
            "http" => return Err(E::Insecure),
            other => return Err(E::Scheme(other.chars().take(20).collect())),
        }
        if !base.username().is_empty() || base.password().is_some() || has_userinfo(text) {
            return Err(E::UserInfo);
        }
        drop_trailing_dot(&mut base)?;
        base.set_query(None);
        base.set_fragment(None);
        let directory = shop_directory(base.path());
        base.set_path(&directory);
        Ok(Self { base, rest_root: None })
    }

    /// The same store with its REST API where `rest_root` says, as WordPress's `rest_url()` gives it:
    /// `https://shop.example/wp-json/`, or `https://shop.example/index.php?rest_route=/` for a site with
    /// plain permalinks.
    ///
    /// # Errors
    /// `Malformed`, `UserInfo`, or `ForeignRestRoot` when it is on another scheme, host or port.
    pub fn with_rest_root(mut self, rest_root: &str) -> Result<Self, StoreUrlError> {
        use StoreUrlError as E;
        let text = rest_root.trim();
        let mut root = read_absolute(text)?;
        if !root.username().is_empty() || root.password().is_some() || has_userinfo(text) {
            return Err(E::UserInfo);
        }
        drop_trailing_dot(&mut root)?;
        if root.origin() != self.base.origin() {
            return Err(E::ForeignRestRoot);
        }
        let by_query = root.query_pairs().any(|(name, _)| name == "rest_route");
        root.set_query(None);
        root.set_fragment(None);
        self.rest_root = Some(if by_query {
            // The bare directory would do for WordPress, but WooCommerce checks an OAuth signature
            // there over an address without the slash at its end.
            if root.path().ends_with('/') {
                root.set_path(&format!("{}index.php", root.path()));
            }
            RestRoot::Query(root)
        } else {
            RestRoot::Path(root)
        });
        Ok(self)
    }

    /// The store's identity, without a slash at the end: `https://shop.example/fine`.
    #[must_use]
    pub fn normalised(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The host, with its port where that is not the scheme's own: for messages and logs.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.base.scheme()
    }

    /// Whether the way to the store is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The address of a REST route such as `wc/v3/orders`: `<url>/wp-json/wc/v3/orders`.
    #[must_use]
    pub fn rest(&self, path: &str) -> Url {
        let path = path.trim_start_matches('/');
        match &self.rest_root {
            None => join(&self.base, &format!("wp-json/{path}")),
            Some(RestRoot::Path(root)) => join(root, path),
            Some(RestRoot::Query(root)) => {
                let mut url = root.clone();
                let route = utf8_percent_encode(path, UNRESERVED);
                // WooCommerce takes its own keys only where the request's address contains the
                // prefix `wp-json/wc/` or `wp-json/wc-` (`is_request_to_rest_api`), which plain
                // permalinks lack; a parameter that nobody reads puts it there.
                url.set_query(Some(&format!("rest_route=%2F{route}&nexpura_prefix=wp-json/wc/")));
                url
            }
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.normalised())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({})", self.normalised())
    }
}

/// Parses an absolute http(s) address; one without a scheme counts as https.
fn read_absolute(text: &str) -> Result<Url, StoreUrlError> {
    // The URL parser drops tabs and line ends and turns `\` into `/`: what a person sees would differ
    // from what is called.
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(StoreUrlError::Malformed);
    }
    let lower = text.to_ascii_lowercase();
    let has_scheme =
        lower.contains("://") || lower.starts_with("http:") || lower.starts_with("https:");
    let url = if has_scheme {
        Url::parse(text)
    } else {
        Url::parse(&format!("https://{}", text.trim_start_matches('/')))
    }
    .map_err(|_| StoreUrlError::Malformed)?;
    if matches!(url.scheme(), "http" | "https") && url.host_str().is_none_or(str::is_empty) {
        return Err(StoreUrlError::Malformed);
    }
    Ok(url)
}

/// Whether an `@` stands in the authority, even with nothing before it, which the parser drops.
fn has_userinfo(text: &str) -> bool {
    let rest = text.split_once(':').filter(|(scheme, _)| !scheme.contains('.'));
    let rest = rest.map_or(text, |(_, rest)| rest).trim_start_matches('/');
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// `shop.example.` is the same host as `shop.example`.
fn drop_trailing_dot(url: &mut Url) -> Result<(), StoreUrlError> {
    let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
    let plain = name.trim_end_matches('.').to_owned();
    if plain.len() == name.len() {
        return Ok(());
    }
    url.set_host(Some(&plain)).map_err(|_| StoreUrlError::Malformed)
}

/// The shop's directory within a path: up to where WordPress's own addresses begin.
fn shop_directory(path: &str) -> String {
    let kept: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take_while(|segment| !INSIDE_WORDPRESS.contains(segment))
        .collect();
    format!("/{}", kept.join("/"))
}

fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests;
