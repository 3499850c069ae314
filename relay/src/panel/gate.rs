//! How often a password may be tried: by one address, for one account, and for one account from one
//! address. A login that succeeds does not count.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Panel;
use crate::limit::Limits;

/// The buckets of this process.
#[derive(Debug)]
pub(super) struct Gate {
    /// A shop's people come from one address.
    address: Limits,
    /// Loose, so that a stranger cannot keep somebody out by guessing at their account from afar.
    account: Limits,
    /// Strict: five guesses, then one a minute.
    both: Limits,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            address: Limits::new(0.1, 30.0),
            account: Limits::new(1.0 / 30.0, 50.0),
            both: Limits::new(1.0 / 60.0, 5.0),
        }
    }
}

impl Gate {
    /// Counts a try.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(super) fn take(&self, from: Address, account: &str, now: Instant) -> Result<(), u64> {
        self.address.take(from.key(), now)?;
        self.both.take(from.key_with(account), now)?;
        self.account.take(key(account.as_bytes()), now)
    }

    /// Counts a try that names no account.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(super) fn look(&self, from: Address, now: Instant) -> Result<(), u64> {
        self.address.take(from.key(), now)
    }

    /// Counts a try of somebody who is logged in at their own password.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(super) fn own(&self, person: Uuid, now: Instant) -> Result<(), u64> {
        self.both.take(person, now)
    }

    /// A try was none: it gave the right password. What was tried before stays counted, so that nobody can
    /// guess at others between logins of their own.
    pub(super) fn give_back(&self, from: Address, account: &str) {
        self.address.give_back(from.key());
        self.both.give_back(from.key_with(account));
        self.account.give_back(key(account.as_bytes()));
    }
}

/// Where a request comes from: an IPv4 address, or the network of an IPv6 address that one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address(IpAddr);

impl Address {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(six) => IpAddr::V6((u128::from(six) & !u128::from(u64::MAX)).into()),
            four => four,
        })
    }

    fn key(self) -> Uuid {
        key(self.0.to_string().as_bytes())
    }

    fn key_with(self, account: &str) -> Uuid {
        key(format!("{} {account}", self.0).as_bytes())
    }
}

/// What a bucket is found by: a text of a stranger's choosing takes no more room than any other.
fn key(text: &[u8]) -> Uuid {
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

impl FromRequestParts<Panel> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let trusted = &panel.relay.config.trusted_proxies;
        Ok(Self::of(client(peer.to_canonical(), &parts.headers, trusted)))
    }
}

/// The last address that none of our own proxies has.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let ours = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !ours(&peer) {
        return peer;
    }
    let told = headers.get_all("x-forwarded-for");
    let told: Vec<&str> = told.iter().filter_map(|value| value.to_str().ok()).collect();
    let told = told.join(",");
    let mut last = peer;
    for one in told.rsplit(',') {
        let Ok(address) = one.trim().parse::<IpAddr>() else { break };
        last = address.to_canonical();
        if !ours(&last) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn five_guesses_and_then_the_account_is_closed_to_this_address_only() {
        let (gate, now) = (Gate::default(), Instant::now());
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(|at| Address::of(ip(at)));
        for _ in 0..5 {
            gate.take(here, "ann@example.test", now).unwrap();
        }
        assert_eq!(gate.take(here, "ann@example.test", now), Err(60));
        gate.take(here, "ben@example.test", now).unwrap();
        gate.take(there, "ann@example.test", now).unwrap();
        gate.give_back(here, "ann@example.test");
        gate.take(here, "ann@example.test", now).unwrap();
        assert_eq!(gate.take(here, "ann@example.test", now), Err(60));
    }

    #[test]
    fn one_address_cannot_try_many_accounts_nor_many_addresses_one() {
        let (gate, now) = (Gate::default(), Instant::now());
        let here = Address::of(ip("2001:db8::1"));
        for n in 0..30 {
            // Another address of the same network is no other address.
            let here = Address::of(ip(&format!("2001:db8::{n}")));
            gate.take(here, &n.to_string(), now).unwrap();
        }
        assert!(gate.take(here, "another", now).is_err());
        for n in 0..50 {
            gate.take(Address::of(ip(&format!("198.51.100.{n}"))), "ann", now).unwrap();
        }
        assert!(gate.take(Address::of(ip("198.51.100.99")), "ann", now).is_err());
    }

    #[test]
    fn a_proxy_is_believed_only_where_it_is_ours() {
        let trusted: Vec<IpNet> =
            vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let told = |peer: &str, header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", header.parse().unwrap());
            client(ip(peer), &headers, &trusted).to_string()
        };
        assert_eq!(told("127.0.0.1", "192.0.2.7"), "192.0.2.7");
        // What the client made up stands before what our proxy saw.
        assert_eq!(told("127.0.0.1", "203.0.113.9, 192.0.2.7"), "192.0.2.7");
        assert_eq!(told("127.0.0.1", "192.0.2.7, 10.1.1.1"), "192.0.2.7");
        assert_eq!(told("192.0.2.1", "203.0.113.9"), "192.0.2.1");
        assert_eq!(told("127.0.0.1", "unknown"), "127.0.0.1");
    }
}
