//! The road between a shop and a relay, on which answers are lost and deliveries come twice or late.

mod weather;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub use self::weather::Weather;
use crate::ports;

/// What becomes of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Both arrive.
    Arrives,
    /// The request arrives and is answered, but the connection breaks before the answer is through.
    AnswerLost,
    /// The request arrives twice at the same moment; one of the answers comes back.
    Twice,
    /// It arrives, and after it the one before it arrives once more.
    WithAnOldOne,
}

/// What a request meets in turn.
const TURNS: [Fate; 4] = [Fate::AnswerLost, Fate::Twice, Fate::WithAnOldOne, Fate::Arrives];

/// A loopback port that passes requests on. Those to one path meet mishaps in turn, all others simply arrive.
pub struct Road {
    port: u16,
    targets: Arc<Mutex<Vec<SocketAddr>>>,
    traffic: Arc<Traffic>,
    task: JoinHandle<()>,
}

/// What has passed, and what may come once more.
struct Traffic {
    path: &'static str,
    met: AtomicUsize,
    last: Mutex<Option<Vec<u8>>>,
    weather: Mutex<Option<Weather>>,
    detour: Mutex<Option<SocketAddr>>,
}

/// One HTTP request, whole.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Road {
    /// Opens one on which requests to `path` meet mishaps. It leads nowhere until it is told where.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn open(path: &'static str) -> Result<Arc<Self>> {
        let port = ports::free()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let targets = Arc::new(Mutex::new(Vec::new()));
        let traffic = Arc::new(Traffic {
            path,
            met: AtomicUsize::new(0),
            last: Mutex::default(),
            weather: Mutex::default(),
            detour: Mutex::default(),
        });
        let (to, with) = (Arc::clone(&targets), Arc::clone(&traffic));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, with) = (Arc::clone(&to), Arc::clone(&with));
                // Whoever meets a broken connection tries again; that is what the road is for.
                tokio::spawn(async move {
                    let told = to.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let detour = *with.detour.lock().unwrap_or_else(PoisonError::into_inner);
                    let targets = detour.map_or(told, |elsewhere| vec![elsewhere]);
                    let _broken = pass(client, &targets, &with).await;
                });
            }
        });
        Ok(Arc::new(Self { port, targets, traffic, task }))
    }

    /// The port at its beginning.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells it one more place where it leads: to whichever answers, beginning with the first.
    pub fn lead_to(&self, target: SocketAddr) {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(target);
    }

    /// From now on every answer meets this weather, or none.
    pub fn set_weather(&self, weather: Option<Weather>) {
        *self.traffic.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// From now on it leads there alone, as a name does that somebody else has now; or again where it was told to.
    pub fn set_detour(&self, elsewhere: Option<SocketAddr>) {
        *self.traffic.detour.lock().unwrap_or_else(PoisonError::into_inner) = elsewhere;
    }

    /// How many requests have met what a turn had for them.
    #[must_use]
    pub fn met(&self) -> usize {
        self.traffic.met.load(Ordering::Relaxed)
    }

    /// Whether every kind of mishap has happened.
    #[must_use]
    pub fn was_bad(&self) -> bool {
        self.met() >= TURNS.len()
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Road({}, {} met)", self.port, self.met())
    }
}

impl Traffic {
    /// What this request meets.
    fn fate(&self, request: &Request) -> Fate {
        let target = request.head.split(' ').nth(1).unwrap_or_default();
        if target.split('?').next() != Some(self.path) {
            return Fate::Arrives;
        }
        TURNS[self.met.fetch_add(1, Ordering::Relaxed) % TURNS.len()]
    }

    /// Keeps a request; gives the one before it.
    fn keep(&self, request: &[u8]) -> Option<Vec<u8>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(request.to_vec())
    }
}

async fn pass(mut client: TcpStream, to: &[SocketAddr], traffic: &Traffic) -> Result<()> {
    let request = read(&mut client).await?;
    let weather = *traffic.weather.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(weather) = weather {
        let honest = ask(to, &request.into_bytes()).await?;
        return weather.answer(&mut client, &honest).await;
    }
    let fate = traffic.fate(&request);
    let bytes = request.into_bytes();
    match fate {
        Fate::Arrives => client.write_all(&ask(to, &bytes).await?).await?,
        Fate::AnswerLost => drop(ask(to, &bytes).await?),
        Fate::Twice => {
            let (one, other) = futures::join!(ask(to, &bytes), ask(to, &bytes));
            one?;
            client.write_all(&other?).await?;
        }
        Fate::WithAnOldOne => {
            let answer = ask(to, &bytes).await?;
            if let Some(old) = traffic.keep(&bytes) {
                ask(to, &old).await?;
            }
            client.write_all(&answer).await?;
            return Ok(());
        }
    }
    traffic.keep(&bytes);
    Ok(())
}

/// Reads a request to its end.
async fn read(client: &mut TcpStream) -> Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        ensure!(client.read_buf(&mut bytes).await? > 0, "the request broke off");
    };
    let head = String::from_utf8(bytes[..end].to_vec())?;
    let length = match header(&head, "content-length") {
        Some(length) => length.parse()?,
        None => 0,
    };
    ensure!(header(&head, "transfer-encoding").is_none(), "a request of unknown length");
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        ensure!(client.read_buf(&mut body).await? > 0, "the request broke off");
    }
    Ok(Request { head, body })
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then_some(value.trim())
    })
}

impl Request {
    /// The same, as the only one of its connection.
    fn into_bytes(self) -> Vec<u8> {
        let mut head = String::new();
        for line in self.head.lines() {
            let name = line.split(':').next().unwrap_or_default();
            if !name.eq_ignore_ascii_case("connection") {
                head.push_str(line);
                head.push_str("\r\n");
            }
        }
        head.push_str("connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body);
        bytes
    }
}

/// Sends a request and waits for the whole answer.
async fn ask(to: &[SocketAddr], request: &[u8]) -> Result<Vec<u8>> {
    let mut server = TcpStream::connect(to).await.context("the road leads nowhere")?;
    server.write_all(request).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    ensure!(!answer.is_empty(), "the server hung up");
    Ok(answer)
}
