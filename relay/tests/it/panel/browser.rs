//! A browser: it keeps its cookie, sends what browsers send with a form, and follows nothing by itself.

use nexpura_relay::{
    domain::Role,
    service::{
        Relay,
        accounts::LONGEST,
        credential::{Token, Use},
    },
    store::{self, people, sessions, tenants},
};
use reqwest::{Client, Method, RequestBuilder, Response, header, redirect::Policy};
use uuid::Uuid;

use crate::support::{
    api::{Reply, send},
    relay::Served,
};

/// The cookie's name where the panel is reached over https.
pub(super) const COOKIE: &str = "__Host-nexpura";

/// One browser.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: Client,
    root: String,
    /// What it holds of ours.
    pub(super) cookie: Option<String>,
}

impl Browser {
    /// A browser in which nobody is logged in.
    pub(super) fn new(served: &Served) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { client, root: served.api.root().to_owned(), cookie: None }
    }

    /// The same browser of somebody who is logged in.
    pub(super) fn holding(&self, session: &str) -> Self {
        Self { cookie: Some(session.to_owned()), ..self.clone() }
    }

    /// A request with the cookie.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.root));
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, format!("{COOKIE}={cookie}")),
            None => request,
        }
    }

    /// Opens a page.
    pub(crate) async fn open(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// What stands between two texts in all pages of a list, in its order; and how many pages those are.
    pub(super) async fn walk(
        &self,
        path: &str,
        before: &str,
        behind: &str,
    ) -> (Vec<String>, usize) {
        let (mut path, mut seen, mut pages) = (path.to_owned(), Vec::new(), 0);
        loop {
            let page = self.open(&path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            pages += 1;
            let rows = page.body.split(before).skip(1);
            seen.extend(rows.filter_map(|row| Some(row.split_once(behind)?.0.to_owned())));
            let Some(next) = next_page(&page.body) else { return (seen, pages) };
            path = next;
        }
    }

    /// Where the last page of a list stands.
    pub(super) async fn last_page(&self, path: &str) -> String {
        let mut path = path.to_owned();
        while let Some(next) = next_page(&self.open(&path).await.body) {
            path = next;
        }
        path
    }

    /// Opens what a page is told as it happens.
    pub(super) async fn listen(&self, path: &str) -> Heard {
        Heard { answer: self.request(Method::GET, path).send().await.unwrap(), rest: String::new() }
    }

    /// Sends a form as a page of ours does, and keeps the cookie that comes back.
    pub(super) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let reply = send(self.form(path, fields).header("sec-fetch-site", "same-origin")).await;
        if let Some(set) = set_cookie(&reply) {
            self.cookie = Some(set).filter(|value| !value.is_empty());
        }
        reply
    }

    /// A form without anything that says where it comes from.
    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Logs in as a person does.
    pub(super) async fn log_in(&mut self, email: &str, password: &str) -> Reply {
        self.submit("/login", &[("email", email), ("password", password)]).await
    }
}

/// An answer that lasts.
#[derive(Debug)]
pub(super) struct Heard {
    answer: Response,
    rest: String,
}

impl Heard {
    /// The next event; nothing when there is none any more.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.rest = rest;
                // A line that begins with a colon only keeps the connection open.
                if event.starts_with(':') {
                    continue;
                }
                return Some(event);
            }
            let chunk = self.answer.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The answer with its first event, or whole where it does not last.
    pub(super) async fn first(mut self) -> Reply {
        let (status, headers) = (self.answer.status().as_u16(), self.answer.headers().clone());
        let body = if status == 200 { self.next().await } else { self.answer.text().await.ok() };
        Reply { status, headers, body: body.unwrap_or_default() }
    }
}

/// The value of the cookie that an answer sets.
fn set_cookie(reply: &Reply) -> Option<String> {
    let set = reply.headers.get("set-cookie")?.to_str().unwrap();
    let (name, rest) = set.split_once('=').unwrap();
    assert_eq!(name, COOKIE);
    Some(rest.split(';').next().unwrap().to_owned())
}

/// Where an answer leads to.
pub(super) fn leads_to(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.body);
    reply.headers["location"].to_str().unwrap()
}

/// A person of a tenant, without a password.
pub(super) async fn person(relay: &Relay, tenant: Uuid, email: &str, role: Role) -> Uuid {
    let mut tx = relay.db.write().await.unwrap();
    let id = people::add(&mut tx, tenant, email, role.as_str(), store::now()).await.unwrap();
    tx.commit().await.unwrap();
    id.unwrap()
}

/// A session of a person, begun without their password.
pub(super) async fn session(relay: &Relay, tenant: Uuid, person: Uuid) -> String {
    let (token, now) = (Token::create_for(Use::Session, tenant).unwrap(), store::now());
    let mut tx = relay.db.write().await.unwrap();
    sessions::insert(&mut tx, tenant, &token.hash(), person, now, now + LONGEST).await.unwrap();
    tx.commit().await.unwrap();
    token.expose().to_owned()
}

/// A tenant of this name.
pub(super) async fn tenant(relay: &Relay, name: &str) -> Uuid {
    let mut tx = relay.db.write().await.unwrap();
    let tenant = tenants::ensure(&mut tx, name, store::now()).await.unwrap();
    tx.commit().await.unwrap();
    tenant
}

/// Somebody of this role who is logged in.
pub(crate) async fn somebody(
    relay: &Relay,
    served: &Served,
    tenant: Uuid,
    email: &str,
    role: Role,
) -> Browser {
    let person = person(relay, tenant, email, role).await;
    Browser::new(served).holding(&session(relay, tenant, person).await)
}

/// Where a page of a list says that the next one stands.
fn next_page(body: &str) -> Option<String> {
    let link = body.split("<a ").find(|link| link.contains("rel=\"next\""))?;
    Some(link.split('"').nth(3)?.replace("&#38;", "&"))
}
