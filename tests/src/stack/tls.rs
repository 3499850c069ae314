//! A certificate authority that is thrown away after the test, for shops on https.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::process;

/// A certificate for 127.0.0.1, signed by an authority of its own.
#[derive(Debug)]
pub struct Certificate {
    /// The authority's certificate, to be trusted by clients.
    pub authority: PathBuf,
    /// The server's certificate.
    pub chain: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes both in `folder` with the openssl program.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        let authority_key = file("authority.key");
        let this = Self {
            authority: file("authority.pem"),
            chain: file("server.pem"),
            key: file("server.key"),
        };
        let new = || {
            let mut command = Command::new("openssl");
            command.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ]);
            command.args(["-days", "30"]);
            command
        };
        process::run(
            new()
                .args([
                    "-subj",
                    "/CN=Nexpura throw-away authority",
                    "-addext",
                    "keyUsage=critical,keyCertSign",
                ])
                .arg("-keyout")
                .arg(&authority_key)
                .arg("-out")
                .arg(&this.authority),
        )?;
        process::run(
            new()
                .args([
                    "-subj",
                    "/CN=127.0.0.1",
                    "-addext",
                    "subjectAltName=IP:127.0.0.1,DNS:localhost",
                ])
                .args([
                    "-addext",
                    "basicConstraints=critical,CA:FALSE",
                    "-addext",
                    "extendedKeyUsage=serverAuth",
                ])
                .arg("-CA")
                .arg(&this.authority)
                .arg("-CAkey")
                .arg(&authority_key)
                .arg("-keyout")
                .arg(&this.key)
                .arg("-out")
                .arg(&this.chain),
        )?;
        Ok(this)
    }
}
