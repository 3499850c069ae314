//! What befalls every answer on a road while it lasts.

use anyhow::Result;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Duration, sleep, timeout},
};

/// How a shop, or what stands before it, answers whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// With a page for people.
    Page,
    /// With status 500.
    Failing,
    /// With half of its answer; then the connection breaks.
    Cut,
    /// With its answer, a byte at a time.
    Dripping,
    /// With JSON that never ends.
    Endless,
    /// With JSON of other types than were agreed on.
    Strange,
    /// With 429, to be left alone for a second.
    Crowded,
    /// With the address that it has moved to.
    Moved,
}

/// The pause after each byte of a dripping answer: a page of a list would take a quarter of an hour at least.
const DRIP: Duration = Duration::from_millis(250);
/// For so long an endless answer is written at most.
const ENDLESS: Duration = Duration::from_secs(60);

impl Weather {
    /// Answers instead of the shop, which has given `honest`.
    pub(super) async fn answer(self, client: &mut TcpStream, honest: &[u8]) -> Result<()> {
        match self {
            Self::Page => {
                say(client, "200 OK", "text/html", "<!doctype html><title>Soon</title>").await
            }
            Self::Failing => say(client, "500 Internal Server Error", "text/plain", "").await,
            Self::Cut => {
                let body = honest.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0) + 4;
                let half = body + honest.len().saturating_sub(body) / 2;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    honest.len().saturating_sub(body).max(2)
                );
                client.write_all(head.as_bytes()).await?;
                Ok(client.write_all(honest.get(body..half).unwrap_or_default()).await?)
            }
            Self::Dripping => {
                for byte in honest {
                    client.write_all(&[*byte]).await?;
                    sleep(DRIP).await;
                }
                Ok(())
            }
            Self::Endless => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[";
                client.write_all(head.as_bytes()).await?;
                let spaces = [b' '; 65_536];
                let writing = async { while client.write_all(&spaces).await.is_ok() {} };
                let _out_of_time = timeout(ENDLESS, writing).await;
                Ok(())
            }
            Self::Strange => {
                let body = "[{\"id\":\"seven\",\"line_items\":7}]";
                say(client, "200 OK", "application/json", body).await
            }
            Self::Crowded => {
                say(client, "429 Too Many Requests\r\nretry-after: 1", "text/plain", "").await
            }
            Self::Moved => {
                let status = "301 Moved Permanently\r\nlocation: https://www.shop.example/";
                say(client, status, "text/plain", "").await
            }
        }
    }
}

async fn say(client: &mut TcpStream, status: &str, kind: &str, body: &str) -> Result<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    Ok(client.write_all(answer.as_bytes()).await?)
}
