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
    authority_key: PathBuf,
}

impl Certificate {
    /// Makes both in `folder` with the openssl program.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        let this = Self {
            authority: file("authority.pem"),
            chain: file("server.pem"),
            key: file("server.key"),
            authority_key: file("authority.key"),
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
                .arg(&this.authority_key)
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
                .arg(&this.authority_key)
                .arg("-keyout")
                .arg(&this.key)
                .arg("-out")
                .arg(&this.chain),
        )?;
        Ok(this)
    }

    /// The same server's certificate as it was in January 2020, with the openssl program.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn long_expired(&self, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        let (config, request, chain) = (file("ca.cnf"), file("server.csr"), file("server.pem"));
        fs::write(file("index.txt"), "")?;
        fs::write(
            &config,
            format!(
                "[ca]\ndefault_ca = here\n[here]\ndatabase = {0}/index.txt\nnew_certs_dir = {0}\n\
                 rand_serial = yes\ndefault_md = sha256\npolicy = any\nx509_extensions = server\n\
                 [any]\ncommonName = supplied\n[server]\nbasicConstraints = critical, CA:FALSE\n\
                 extendedKeyUsage = serverAuth\nsubjectAltName = IP:127.0.0.1, DNS:localhost\n",
                folder.display()
            ),
        )?;
        let mut ask = Command::new("openssl");
        ask.args(["req", "-new", "-subj", "/CN=127.0.0.1", "-key"]).arg(&self.key);
        process::run(ask.arg("-out").arg(&request))?;
        let mut sign = Command::new("openssl");
        sign.args(["ca", "-batch", "-notext", "-config"]).arg(&config);
        sign.args(["-startdate", "20200101000000Z", "-enddate", "20200131000000Z"]);
        sign.arg("-cert").arg(&self.authority).arg("-keyfile").arg(&self.authority_key);
        process::run(sign.arg("-in").arg(&request).arg("-out").arg(&chain))?;
        Ok(Self {
            authority: self.authority.clone(),
            chain,
            key: self.key.clone(),
            authority_key: self.authority_key.clone(),
        })
    }
}
