//! Who is at the door: the session in the cookie, the role that a route needs, and where a form came from.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use super::{
    Panel,
    error::{self, PanelError},
    link::Link,
    route::Needs,
};
use crate::{
    config::Config,
    service::{
        accounts::{self, Person},
        credential::{Token, Use},
    },
    store,
};

/// The cookie that holds a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookie {
    secure: bool,
}

impl Cookie {
    /// Over https the browser binds it to this very host (`__Host-`); only a relay that is reached over
    /// plain http, which can only be on this machine, goes without.
    pub(super) fn of(config: &Config) -> Self {
        Self { secure: config.reachable_at().map_or(true, |url| url.scheme() == "https") }
    }

    /// Whether people reach the panel over https.
    pub(super) fn is_secure(self) -> bool {
        self.secure
    }

    fn name(self) -> &'static str {
        if self.secure { "__Host-nexpura" } else { "nexpura" }
    }

    fn header(self, value: &str, seconds: i64) -> String {
        let (name, secure) = (self.name(), if self.secure { "; Secure" } else { "" });
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// Gives a session to the browser.
    pub(super) fn set(self, token: &Token) -> [(header::HeaderName, String); 1] {
        [(header::SET_COOKIE, self.header(token.expose(), accounts::LONGEST.num_seconds()))]
    }

    /// Takes it away again.
    pub(super) fn clear(self) -> [(header::HeaderName, String); 1] {
        [(header::SET_COOKIE, self.header("", 0))]
    }

    fn read(self, headers: &HeaderMap) -> Option<Token> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name())
            .find_map(|(_, value)| Token::parse_for(Use::Session, value))
    }
}

impl Panel {
    /// Who is logged in with this request, if anybody.
    pub(super) async fn person(&self, headers: &HeaderMap) -> Result<Option<Person>, PanelError> {
        let Some(token) = self.cookie.read(headers) else { return Ok(None) };
        Ok(accounts::whose(&self.relay, &token, store::now()).await?)
    }
}

/// Lets a request in when somebody with the role that the route needs is logged in.
pub(super) async fn admit(
    State((panel, needs)): State<(Panel, Needs)>,
    mut request: Request,
    next: Next,
) -> Result<Response, PanelError> {
    if let Needs::Role(needed) = needs {
        let person = panel.person(request.headers()).await?;
        let person = person.ok_or_else(|| PanelError::LoggedOut(wanted(&request)))?;
        let path = request.uri().path().to_owned();
        let response = if person.role.may(needed) {
            request.extensions_mut().insert(person.clone());
            next.run(request).await
        } else {
            PanelError::Forbidden(needed).into_response()
        };
        return Ok(error::within(response, person, &path));
    }
    Ok(next.run(request).await)
}

/// Where somebody is to go on after logging in: the page that they asked for.
fn wanted(request: &Request) -> String {
    let page = request.uri().path_and_query().map_or("/", |page| page.as_str());
    if request.method() == Method::GET && page != "/" {
        Link::to("/login").with("next", page).into()
    } else {
        "/login".to_owned()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let person = parts.extensions.get::<Self>().cloned();
        let unguarded = || anyhow::anyhow!("this route takes a person but needs none");
        person.ok_or_else(|| PanelError::Internal(unguarded()).into_response())
    }
}

/// Refuses what another site's page sends in a person's name: by `Sec-Fetch-Site`, or by `Origin` where a
/// browser is too old for it.
pub(super) fn same_origin(config: &Config) -> CsrfLayer<fn(ProtectionError) -> Response> {
    let refuse: fn(ProtectionError) -> Response = |_| PanelError::OtherOrigin.into_response();
    let layer = CsrfLayer::new();
    let own = config.reachable_at().ok().map(|url| url.origin().ascii_serialization());
    // Behind a proxy that gives the relay another Host, the public address is ours nevertheless.
    let layer = match own.map(|own| layer.clone().add_trusted_origin(&own)) {
        Some(Ok(trusting)) => trusting,
        _ => layer,
    };
    layer.with_rejection_response(refuse)
}

/// Whether a path is one of ours: nothing that leads to another host.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        // Browsers leave tabs and line ends out of an address.
        && !path.contains(char::is_control)
        && HeaderValue::from_str(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_gone_on_to() {
        for page in ["/", "/sales", "/sales?after=x&q=ring"] {
            assert!(is_ours(page), "{page}");
        }
        for page in [
            "",
            "sales",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\n",
            "/\t/evil.example",
        ] {
            assert!(!is_ours(page), "{page:?}");
        }
    }
}
