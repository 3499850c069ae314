//! What the way out lets through, seen from servers on this machine.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, http::header, routing::get};
use futures::stream;
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use url::Url;

use super::{
    super::address::tests::{PUBLIC, REFUSED, SPELLINGS, Seen},
    *,
};

/// More than any answer here takes.
const AMPLE: Deadlines =
    Deadlines { connect: Duration::from_secs(30), total: Duration::from_secs(30) };
/// For those that must run into it.
const SHORT: Deadlines =
    Deadlines { connect: Duration::from_secs(30), total: Duration::from_millis(700) };

fn allow(nets: &[&str]) -> Vec<IpNet> {
    nets.iter().map(|net| net.parse().unwrap()).collect()
}

fn outbound(nets: &[&str]) -> Outbound {
    Outbound::with(&allow(nets), AMPLE, Arc::new(SystemResolver)).unwrap()
}

fn impatient() -> Outbound {
    Outbound::with(&allow(&["127.0.0.0/8"]), SHORT, Arc::new(SystemResolver)).unwrap()
}

fn request(url: &str) -> Request {
    Request::new(Method::GET, Url::parse(url).unwrap())
}

/// Serves `router` on this address and returns its port.
async fn serve(at: SocketAddr, router: Router) -> u16 {
    let listener = TcpListener::bind(at).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

fn loopback(last: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 0, last), port).into()
}

/// Answers `{}` to anything and counts how often it was asked.
fn counting(hits: &Arc<AtomicUsize>) -> Router {
    let hits = Arc::clone(hits);
    Router::new().fallback(get(move || {
        hits.fetch_add(1, Ordering::SeqCst);
        // Closed each time, so that the next request has to look the name up again.
        async { ([(header::CONNECTION, "close")], "{}") }
    }))
}

/// Gives one answer after the other, as a name does whose owner changes it between two look-ups.
struct Changing(Mutex<VecDeque<Vec<SocketAddr>>>);

impl Changing {
    fn new(answers: Vec<Vec<SocketAddr>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into())))
    }
}

impl Resolve for Changing {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().unwrap().pop_front().unwrap_or_default();
        Box::pin(async move { Ok(Box::new(next.into_iter()) as Addrs) })
    }
}

#[tokio::test]
async fn an_address_written_out_is_checked_before_each_request() {
    let hits = Arc::new(AtomicUsize::new(0));
    let port = serve(loopback(1, 0), counting(&hits)).await;
    let closed = outbound(&[]);
    for host in ["127.0.0.1", "2130706433", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
    {
        let outcome = closed.send(request(&format!("http://{host}:{port}/"))).await;
        assert!(matches!(outcome, Err(ChannelError::BlockedAddress(_))), "{host}: {outcome:?}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);

    let open = outbound(&["127.0.0.0/8"]);
    for host in ["127.0.0.1", "2130706433"] {
        let answer = open.send(request(&format!("http://{host}:{port}/"))).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(hits.load(Ordering::SeqCst), 2);
}

/// Answers every name with the same addresses and keeps what it was asked for.
struct Always(Vec<SocketAddr>, Mutex<Vec<String>>);

impl Always {
    fn new(ip: IpAddr) -> Arc<Self> {
        Arc::new(Self(vec![(ip, 0).into()], Mutex::default()))
    }
}

impl Resolve for Always {
    fn resolve(&self, name: Name) -> Resolving {
        self.1.lock().unwrap().push(name.as_str().to_owned());
        let found = self.0.clone();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

#[tokio::test]
async fn no_spelling_of_a_private_address_leaves() {
    assert!(SPELLINGS.len() >= 100, "{}", SPELLINGS.len());
    let lookup = Always::new(Ipv4Addr::LOCALHOST.into());
    let guarded = Outbound::with(&[], AMPLE, Arc::clone(&lookup) as Arc<dyn Resolve>).unwrap();
    for (text, seen) in SPELLINGS {
        let Ok(plain) = Url::parse(text) else {
            assert_eq!(seen, &Seen::Nothing, "{text:?}");
            continue;
        };
        let mut safe = plain.clone();
        safe.set_scheme("https").unwrap();
        // Over https, what is public would be called in earnest.
        let schemes = if seen == &Seen::Public { vec![plain] } else { vec![plain, safe] };
        for url in schemes {
            let outcome = guarded.send(Request::new(Method::GET, url.clone())).await.unwrap_err();
            let asked = std::mem::take(&mut *lookup.1.lock().unwrap());
            let (expected, looked_up) = match seen {
                Seen::Public => (matches!(outcome, ChannelError::PlainHttp(_)), vec![]),
                // No certificate can be for such a name: TLS refuses it before it is looked up.
                Seen::Name(name) if url.scheme() == "https" && name.contains("..") => {
                    (matches!(outcome, ChannelError::Unreachable(_)), vec![])
                }
                Seen::Name(name) => {
                    let refused = ChannelError::BlockedAddress((*name).to_owned());
                    (outcome == refused, vec![(*name).to_owned()])
                }
                _ => (matches!(outcome, ChannelError::BlockedAddress(_)), vec![]),
            };
            assert!(expected, "{text:?} as {url}: {outcome:?}");
            assert_eq!(asked, looked_up, "{text:?} as {url}");
        }
    }
}

#[tokio::test]
async fn a_name_is_judged_by_each_address_that_it_may_have() {
    let told = |ip: IpAddr, scheme: &'static str| async move {
        let guarded = Outbound::with(&[], AMPLE, Always::new(ip)).unwrap();
        guarded.send(request(&format!("{scheme}://shop.example/"))).await.unwrap_err()
    };
    for text in REFUSED.split_whitespace() {
        for scheme in ["http", "https"] {
            let outcome = told(text.parse().unwrap(), scheme).await;
            let refused = ChannelError::BlockedAddress("shop.example".to_owned());
            assert_eq!(outcome, refused, "{scheme} to {text}");
        }
    }
    for text in PUBLIC.split_whitespace() {
        let outcome = told(text.parse().unwrap(), "http").await;
        assert_eq!(outcome, ChannelError::PlainHttp("shop.example".to_owned()), "{text}");
    }
}

#[tokio::test]
async fn a_name_for_a_private_address_is_refused_by_the_resolver() {
    let hits = Arc::new(AtomicUsize::new(0));
    let port = serve(loopback(1, 0), counting(&hits)).await;
    let outcome = outbound(&[]).send(request(&format!("http://localhost:{port}/"))).await;
    assert_eq!(outcome.unwrap_err(), ChannelError::BlockedAddress("localhost".to_owned()));
    assert_eq!(hits.load(Ordering::SeqCst), 0);

    let open = outbound(&["127.0.0.0/8"]);
    open.send(request(&format!("http://localhost:{port}/"))).await.unwrap();
    assert_eq!(hits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_changes_its_address_between_two_requests_gains_nothing() {
    let (outside, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let port = serve(loopback(2, 0), counting(&outside)).await;
    serve(loopback(1, port), counting(&inside)).await;
    let lookup = Changing::new(vec![vec![loopback(2, 0)], vec![loopback(1, 0)]]);
    // 127.0.0.2 stands for the public address here.
    let guarded = Outbound::with(&allow(&["127.0.0.2/32"]), AMPLE, lookup).unwrap();
    let url = format!("http://shop.example:{port}/");

    guarded.send(request(&url)).await.unwrap();
    let outcome = guarded.send(request(&url)).await;
    assert_eq!(outcome.unwrap_err(), ChannelError::BlockedAddress("shop.example".to_owned()));
    assert_eq!(outside.load(Ordering::SeqCst), 1);
    assert_eq!(inside.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_called_are_tried() {
    let (outside, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let port = serve(loopback(2, 0), counting(&outside)).await;
    serve(loopback(1, port), counting(&inside)).await;
    let lookup = Changing::new(vec![vec![loopback(1, 0), loopback(2, 0)]]);
    let guarded = Outbound::with(&allow(&["127.0.0.2/32"]), AMPLE, lookup).unwrap();
    guarded.send(request(&format!("http://shop.example:{port}/"))).await.unwrap();
    assert_eq!(outside.load(Ordering::SeqCst), 1);
    assert_eq!(inside.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn plain_http_leaves_for_allowed_networks_only() {
    let public: SocketAddr = ([8, 8, 8, 8], 0).into();
    let hits = Arc::new(AtomicUsize::new(0));
    let port = serve(loopback(1, 0), counting(&hits)).await;
    let lookup = Changing::new(vec![vec![public], vec![public, loopback(1, 0)]]);
    let guarded = Outbound::with(&allow(&["127.0.0.0/8"]), AMPLE, lookup).unwrap();
    let url = format!("http://shop.example:{port}/");

    let outcome = guarded.send(request("http://8.8.8.8/")).await;
    assert_eq!(outcome.unwrap_err(), ChannelError::PlainHttp("8.8.8.8".to_owned()));
    let outcome = guarded.send(request(&url)).await;
    assert_eq!(outcome.unwrap_err(), ChannelError::PlainHttp("shop.example".to_owned()));
    guarded.send(request(&url)).await.unwrap();
    assert_eq!(hits.load(Ordering::SeqCst), 1);
}

#[test]
fn https_reaches_public_addresses_and_allowed_ones() {
    let nets = allow(&["10.1.0.0/16", "fd00::/8"]);
    let may = |ip: &str| Reach::PublicAndAllowed.check(ip.parse().unwrap(), &nets).is_ok();
    for ip in ["8.8.8.8", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "2606:4700:4700::1111"] {
        assert!(may(ip), "{ip}");
    }
    for ip in ["10.2.0.1", "127.0.0.1", "::ffff:10.2.0.1", "fc00::1", "64:ff9b::10.1.2.3"] {
        assert!(!may(ip), "{ip}");
    }
}

#[tokio::test]
async fn a_name_without_any_address_is_unreachable() {
    let guarded = Outbound::with(&[], AMPLE, Changing::new(vec![])).unwrap();
    let outcome = guarded.send(request("https://shop.example/?consumer_secret=x")).await;
    assert!(matches!(outcome, Err(ChannelError::Unreachable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let hits = Arc::new(AtomicUsize::new(0));
    let target = serve(loopback(1, 0), counting(&hits)).await;
    let there = format!("http://127.0.0.1:{target}/");
    let router = Router::new().route(
        "/",
        get(move || async move { (axum::http::StatusCode::FOUND, [(header::LOCATION, there)]) }),
    );
    let port = serve(loopback(1, 0), router).await;
    let answer =
        outbound(&["127.0.0.0/8"]).send(request(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(answer.unwrap().status(), 302);
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_listening_is_told_as_such() {
    let port = TcpListener::bind(loopback(1, 0)).await.unwrap().local_addr().unwrap().port();
    let outcome =
        outbound(&["127.0.0.0/8"]).send(request(&format!("http://127.0.0.1:{port}/?key=x"))).await;
    assert_eq!(outcome.unwrap_err(), ChannelError::Unreachable("connection refused".to_owned()));
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_a_tls_error() {
    let hits = Arc::new(AtomicUsize::new(0));
    let port = serve(loopback(1, 0), counting(&hits)).await;
    let outcome =
        outbound(&["127.0.0.0/8"]).send(request(&format!("https://127.0.0.1:{port}/"))).await;
    let expected = ChannelError::Tls("it does not speak TLS on this port".to_owned());
    assert_eq!(outcome.unwrap_err(), expected);
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[test]
fn each_fault_of_a_certificate_is_named() {
    use rustls::{CertificateError as C, Error as E};
    let reasons = [
        (C::Expired, "expired"),
        (C::NotValidYet, "not valid yet"),
        (C::NotValidForName, "another name"),
        (C::Revoked, "revoked"),
        (C::UnknownIssuer, "unknown issuer"),
    ];
    for (fault, expected) in reasons {
        let reason = tls_reason(&E::InvalidCertificate(fault));
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_ends_at_the_deadline() {
    let listener = TcpListener::bind(loopback(1, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let out = impatient();
    let asking = out.send(request(&format!("http://127.0.0.1:{port}/")));
    let outcome = tokio::time::timeout(AMPLE.total, asking).await.expect("no deadline of its own");
    assert_eq!(outcome.unwrap_err(), ChannelError::Timeout);
    drop(listener);
}

#[tokio::test]
async fn an_answer_that_drips_ends_at_the_deadline_too() {
    let drip = || async {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, io::Error>(" "), ()))
        });
        Body::from_stream(drops)
    };
    let port = serve(loopback(1, 0), Router::new().route("/", get(drip))).await;
    let out = impatient();
    let answer = out.send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(read_bounded(answer, 1_000_000).await, Err(ChannelError::Timeout));
}

#[tokio::test]
async fn an_endless_body_is_dropped_at_the_bound() {
    let endless =
        || async { Body::from_stream(stream::repeat_with(|| Ok::<_, io::Error>("0123456789"))) };
    let port = serve(loopback(1, 0), Router::new().route("/", get(endless))).await;
    let out = outbound(&["127.0.0.0/8"]);
    let answer = out.send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(read_bounded(answer, 100_000).await, Err(ChannelError::TooLarge));
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_read_at_all() {
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n";
    let port = answer_raw(announced).await;
    let out = outbound(&["127.0.0.0/8"]);
    let answer = out.send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(read_bounded(answer, 100_000).await, Err(ChannelError::TooLarge));
}

#[tokio::test]
async fn a_body_of_exactly_the_bound_is_read() {
    let port =
        serve(loopback(1, 0), Router::new().route("/", get(|| async { "x".repeat(1000) }))).await;
    let out = outbound(&["127.0.0.0/8"]);
    let url = format!("http://127.0.0.1:{port}/");
    let answer = out.send(request(&url)).await.unwrap();
    assert_eq!(read_bounded(answer, 1000).await.unwrap().len(), 1000);
    let answer = out.send(request(&url)).await.unwrap();
    assert_eq!(read_bounded(answer, 999).await, Err(ChannelError::TooLarge));
}

#[tokio::test]
async fn a_body_in_one_piece_of_unknown_size_is_bounded_too() {
    let piece =
        || async { Body::from_stream(stream::iter([Ok::<_, io::Error>("x".repeat(1000))])) };
    let port = serve(loopback(1, 0), Router::new().route("/", get(piece))).await;
    let out = outbound(&["127.0.0.0/8"]);
    let url = format!("http://127.0.0.1:{port}/");
    let answer = out.send(request(&url)).await.unwrap();
    assert_eq!(answer.content_length(), None);
    assert_eq!(read_bounded(answer, 999).await, Err(ChannelError::TooLarge));
    let answer = out.send(request(&url)).await.unwrap();
    assert_eq!(read_bounded(answer, 1000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_unreachable() {
    let out = outbound(&["127.0.0.0/8"]);
    let port = answer_raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":").await;
    let answer = out.send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    let broken = ChannelError::Unreachable("the connection broke off".to_owned());
    assert_eq!(read_bounded(answer, 1000).await, Err(broken.clone()));

    for raw in ["", "HTTP/1.1 2", "\u{1}\u{2}\u{3}\r\n\r\n"] {
        let port = answer_raw(raw).await;
        let outcome = out.send(request(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(outcome.unwrap_err(), broken, "{raw:?}");
    }
}

/// Answers one connection with exactly these bytes and closes it.
async fn answer_raw(bytes: &'static str) -> u16 {
    let listener = TcpListener::bind(loopback(1, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 1024];
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(bytes.as_bytes()).await;
        let _ = stream.shutdown().await;
    });
    port
}
