//! Something at a relay's address that is no relay: it says nothing, or whatever it is told to say.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Takes it and never answers.
    Silent,
    /// Answers each with this status and this JSON.
    Says(u16, Value),
}

/// A listener in a relay's place. Dropped, it is gone.
#[derive(Debug)]
pub struct Impostor {
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Impostor {
    /// Listens where a relay did that has been stopped.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn at(address: SocketAddr, manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind(address).await.context("listening in a relay's place")?;
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.push(tokio::spawn(meet(stream, manner.clone(), Arc::clone(&seen))));
            }
        });
        Ok(Self { asked, task })
    }

    /// Leaves the address to whoever belongs there.
    pub async fn leave(mut self) {
        self.task.abort();
        let _cancelled = (&mut self.task).await;
    }

    /// How many requests to a path have come.
    #[must_use]
    pub fn times_asked(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|line| line.split(' ').nth(1) == Some(path)).count()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection: each request's first line is noted, its body read, and answered or not.
async fn meet(mut stream: TcpStream, manner: Manner, asked: Arc<Mutex<Vec<String>>>) {
    let (mut held, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        while let Some((head, whole)) = request(&held) {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(head);
            held.drain(..whole);
            let Manner::Says(status, body) = &manner else { continue };
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => held.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
}

/// The first line of a request that is here whole, and its length.
fn request(held: &[u8]) -> Option<(String, usize)> {
    let end = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&held[..end]).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    let whole = end + length;
    (held.len() >= whole).then(|| (head.lines().next().unwrap_or_default().to_owned(), whole))
}
