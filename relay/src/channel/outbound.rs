//! The one way out: an HTTP client that cannot be talked into a private network.

use std::{error::Error, io, net::IpAddr, sync::Arc, time::Duration};

use super::{ChannelError, address::literal};
use ipnet::IpNet;
use reqwest::{
    Client, Request, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

pub use super::address::is_public;

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For name resolution, TCP and TLS together.
    pub connect: Duration,
    /// For the whole call, the reading of the body included: a dripping answer ends here.
    pub total: Duration,
}

impl Default for Deadlines {
    /// A hundred orders take a slow shop some twenty seconds.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(60) }
    }
}

/// The HTTP client for everything that leaves the relay towards an address that somebody else chose.
///
/// It follows no redirect, takes no proxy from the environment, keeps no cookie, unpacks nothing and
/// ends at its deadlines. Private addresses are refused where names become addresses, so that a name
/// that changes its address between check and use gains nothing; an address written out in a URL never
/// meets the resolver and is checked before each request.
///
/// Plain http goes nowhere but to the networks that the operator has allowed: to a public address, the
/// orders and customers in the answers would travel readable for everybody.
#[derive(Debug)]
pub struct Outbound {
    https: Client,
    http: Client,
    allow: Arc<[IpNet]>,
}

/// The HTTP client could not be made, usually because the system has no root certificates.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct SetupError(#[from] reqwest::Error);

impl Outbound {
    /// A client that reaches public addresses and those within `allow`.
    ///
    /// # Errors
    /// When the TLS side cannot be set up, for example without root certificates on the system.
    pub fn new(allow: &[IpNet]) -> Result<Self, SetupError> {
        Self::with(allow, Deadlines::default(), Arc::new(SystemResolver))
    }

    /// The same with other deadlines and another source of addresses; what it answers is checked alike.
    ///
    /// # Errors
    /// See [`Outbound::new`].
    pub fn with(
        allow: &[IpNet],
        deadlines: Deadlines,
        lookup: Arc<dyn Resolve>,
    ) -> Result<Self, SetupError> {
        // An earlier provider stays: what counts is that there is one before the client is built.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allow: Arc<[IpNet]> = allow.into();
        let builder = |reach| {
            let resolver =
                GuardedResolver { reach, allow: Arc::clone(&allow), inner: Arc::clone(&lookup) };
            Client::builder()
                .user_agent(concat!("Nexpura-Relay/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(deadlines.connect)
                .timeout(deadlines.total)
                .pool_max_idle_per_host(2)
                .pool_idle_timeout(Duration::from_secs(30))
                .dns_resolver(Arc::new(resolver))
        };
        let https = builder(Reach::PublicAndAllowed).https_only(true).build()?;
        // It never speaks TLS, so it needs no certificates in memory.
        let http = builder(Reach::Allowed).tls_certs_only([]).build()?;
        Ok(Self { https, http, allow })
    }

    /// Sends one request; any status is an answer.
    ///
    /// # Errors
    /// `BlockedAddress`, `PlainHttp`, `Unreachable`, `Timeout` or `Tls`; never with the request's query
    /// in it.
    pub async fn send(&self, request: Request) -> Result<Response, ChannelError> {
        let (client, reach) = match request.url().scheme() {
            "https" => (&self.https, Reach::PublicAndAllowed),
            _ => (&self.http, Reach::Allowed),
        };
        if let Some(ip) = literal(request.url()) {
            reach.check(ip, &self.allow).map_err(|why| why.of(ip.to_string()))?;
        }
        client.execute(request).await.map_err(|error| classify(&error))
    }

    /// Whether the operator has allowed this address although it is private.
    #[must_use]
    pub fn allows_private(&self, ip: IpAddr) -> bool {
        is_allowed(ip, &self.allow)
    }
}

/// Reads a body up to `max_bytes`.
///
/// # Errors
/// `TooLarge` as soon as more is announced or arrives; `Unreachable` when the connection breaks off;
/// `Timeout` at the client's total deadline.
pub async fn read_bounded(
    mut response: Response,
    max_bytes: usize,
) -> Result<Vec<u8>, ChannelError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > max_bytes as u64 {
        return Err(ChannelError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(ChannelError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How far a client may go.
#[derive(Debug, Clone, Copy)]
enum Reach {
    /// Anywhere but into private networks that the operator has not allowed.
    PublicAndAllowed,
    /// Only into networks that the operator has allowed.
    Allowed,
}

/// Why an address may not be called.
#[derive(Debug, Clone, Copy)]
enum Why {
    Private,
    PlainHttp,
}

impl Reach {
    fn check(self, ip: IpAddr, allow: &[IpNet]) -> Result<(), Why> {
        match self {
            _ if is_allowed(ip, allow) => Ok(()),
            _ if !is_public(ip) => Err(Why::Private),
            Self::PublicAndAllowed => Ok(()),
            Self::Allowed => Err(Why::PlainHttp),
        }
    }
}

impl Why {
    fn of(self, host: String) -> ChannelError {
        match self {
            Self::Private => ChannelError::BlockedAddress(host),
            Self::PlainHttp => ChannelError::PlainHttp(host),
        }
    }
}

fn is_allowed(ip: IpAddr, allow: &[IpNet]) -> bool {
    // `::ffff:127.0.0.1` reaches 127.0.0.1, so the operator's 127.0.0.0/8 is meant for it too.
    let plain = ip.to_canonical();
    allow.iter().any(|net| net.contains(&plain) || net.contains(&ip))
}

/// What the operating system says a name's addresses are.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0: the connector puts in the URL's.
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Passes on only addresses that may be called: what is connected to is exactly what was checked.
struct GuardedResolver {
    reach: Reach,
    allow: Arc<[IpNet]>,
    inner: Arc<dyn Resolve>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, allow) = (self.reach, Arc::clone(&self.allow));
        let host = name.as_str().to_owned();
        let found = self.inner.resolve(name);
        Box::pin(async move {
            let mut refused = None;
            let mut callable = Vec::new();
            for at in found.await? {
                match reach.check(at.ip(), &allow) {
                    Ok(()) => callable.push(at),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if callable.is_empty() => {
                    Err(Box::new(Refused { why, host }) as Box<dyn Error + Send + Sync>)
                }
                _ => Ok(Box::new(callable.into_iter()) as Addrs),
            }
        })
    }
}

/// No address of this host may be called.
#[derive(Debug, thiserror::Error)]
#[error("no address of {host} may be called")]
struct Refused {
    why: Why,
    host: String,
}

/// Tells from an error's chain of causes what happened. Nothing of the request's URL gets through.
fn classify(error: &reqwest::Error) -> ChannelError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut io_kind = None;
    while let Some(at) = cause {
        if let Some(Refused { why, host }) = at.downcast_ref::<Refused>() {
            return why.of(host.clone());
        }
        if let Some(tls) = at.downcast_ref::<rustls::Error>() {
            return ChannelError::Tls(tls_reason(tls).to_owned());
        }
        cause = match at.downcast_ref::<io::Error>() {
            Some(io) => {
                io_kind = Some(io.kind());
                io.get_ref().map(|inner| inner as &(dyn Error + 'static)).or_else(|| at.source())
            }
            None => at.source(),
        };
    }
    if error.is_timeout() || io_kind == Some(io::ErrorKind::TimedOut) {
        return ChannelError::Timeout;
    }
    ChannelError::Unreachable(unreachable_reason(error, io_kind).to_owned())
}

fn unreachable_reason(error: &reqwest::Error, kind: Option<io::ErrorKind>) -> &'static str {
    match kind {
        _ if error.is_dns() => "its name has no address",
        Some(io::ErrorKind::ConnectionRefused) => "connection refused",
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            "no route to it"
        }
        _ if error.is_connect() => "no connection",
        _ => "the connection broke off",
    }
}

fn tls_reason(error: &rustls::Error) -> &'static str {
    use rustls::{CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "its certificate has expired"
        }
        E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "its certificate is not valid yet"
        }
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        E::InvalidCertificate(C::Revoked) => "its certificate was revoked",
        E::InvalidCertificate(_) => {
            "its certificate comes from an unknown issuer, or a certificate between is missing"
        }
        E::InvalidMessage(_) => "it does not speak TLS on this port",
        E::AlertReceived(_) | E::PeerIncompatible(_) => "it offers no modern TLS",
        _ => "the TLS handshake failed",
    }
}

#[cfg(test)]
mod tests;
