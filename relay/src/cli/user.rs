//! `user`: people's accounts, as the operator makes them.

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use serde_json::{Value, json};

use super::secret;
use crate::{
    domain::{Email, Role},
    service::{Relay, admin},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person; prints the link by which they set their password, once
    Add {
        /// Their e-mail
        email: String,
        /// The jeweller they work for; made if new
        #[arg(long)]
        tenant: String,
        /// What they may do
        #[arg(long, value_parser = PossibleValuesParser::new(["owner", "manager", "staff"])
            .try_map(|word| Role::parse(&word)))]
        role: Role,
        /// Read the first line of standard input as their password instead
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print a new link by which a person sets their password, once
    Link {
        /// Their e-mail
        email: String,
        /// The jeweller they work for
        #[arg(long)]
        tenant: String,
    },
}

impl Command {
    /// Runs it; gives what to print, as JSON and in words.
    pub(super) async fn run(
        self,
        relay: &Relay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        match self {
            Self::Add { email, tenant, role, password_stdin } => {
                let email = Email::parse(&email)?;
                let password = password_stdin
                    .then(secret::line)
                    .transpose()
                    .context("no password came on standard input")?;
                let link =
                    admin::add_user(relay, &tenant, &email, role, password.as_ref(), now).await?;
                let mut told = json!({
                    "email": email.as_str(), "tenant": tenant, "role": role.as_str(),
                });
                let mut text = format!("Added {email} as {role} of {tenant}.");
                if let Some(link) = link {
                    told["set_password"] = link.url.clone().into();
                    text.push_str(&said(&link.url));
                }
                Ok((told, text))
            }
            Self::Link { email, tenant } => {
                let email = Email::parse(&email)?;
                let link = admin::renew_link(relay, &tenant, &email, now).await?;
                let told = json!({
                    "email": email.as_str(), "tenant": tenant, "set_password": link.url,
                });
                Ok((told, format!("A new link for {email}.{}", said(&link.url))))
            }
        }
    }
}

fn said(url: &str) -> String {
    format!("\nTheir password is set here, once, within three days:\n{url}")
}
