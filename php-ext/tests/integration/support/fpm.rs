//! A PHP-FPM of the test's own, and as much of FastCGI as a request needs.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{Site, script};
use crate::agent::until;

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
/// The role of a responder, and no keep-alive.
const BEGIN_BODY: [u8; 8] = [0, 1, 0, 0, 0, 0, 0, 0];

/// A running PHP-FPM; it ends with the value.
pub struct Fpm {
    master: Child,
    socket: PathBuf,
    connection: String,
}

impl Fpm {
    /// Starts FPM with this process manager setting, for example `pm = static` and its numbers.
    pub fn start(site: &Site, manager: &str) -> Self {
        let place = site.directory.path();
        let socket = place.join("fpm.sock");
        let configuration = place.join("fpm.conf");
        let settings: String = site
            .settings()
            .into_iter()
            .filter_map(|setting| {
                let (name, value) = setting.split_once('=')?;
                (name != "extension").then(|| format!("php_admin_value[{name}] = {value}\n"))
            })
            .collect();
        let text = format!(
            "[global]\nerror_log = {place}/fpm.log\ndaemonize = no\n\
             [shop]\nlisten = {socket}\n{manager}\ncatch_workers_output = yes\nclear_env = no\n{settings}",
            place = place.display(),
            socket = socket.display(),
        );
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new(program());
        command.args(["-n", "-F", "-y", configuration.to_str().unwrap()]);
        command.arg("-d").arg(&site.settings()[0]);
        if nexpura_agent::sys::effective_user() == 0 {
            command.arg("-R");
        }
        let master = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let fpm = Self { master, socket, connection: site.connection.expose() };
        until("FPM listens", || UnixStream::connect(&fpm.socket).is_ok());
        fpm
    }

    /// One request of this script; answers the JSON it printed.
    #[track_caller]
    pub fn get(&self, path: &str, query: &str) -> Value {
        let body = self.try_get(path, query).expect("an answer from FPM");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// As `get`; nothing when the worker died under it.
    pub fn try_get(&self, path: &str, query: &str) -> Option<String> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let file = script(path).display().to_string();
        let mut parameters = Vec::new();
        for (name, value) in [
            ("SCRIPT_FILENAME", file.as_str()),
            ("REQUEST_METHOD", "GET"),
            ("QUERY_STRING", query),
            ("CONNECTION", &self.connection),
        ] {
            for length in [name.len(), value.len()] {
                // The four-byte form is right for any length.
                parameters.extend((u32::try_from(length).unwrap() | 1 << 31).to_be_bytes());
            }
            parameters.extend(name.bytes().chain(value.bytes()));
        }
        let mut request = Vec::new();
        for (kind, content) in [
            (BEGIN_REQUEST, BEGIN_BODY.as_slice()),
            (PARAMS, &parameters),
            (PARAMS, &[]),
            (STDIN, &[]),
        ] {
            request.extend([1, kind, 0, 1]);
            request.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
            request.extend([0, 0]);
            request.extend(content);
        }
        stream.write_all(&request).ok()?;
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        loop {
            let mut header = [0; 8];
            stream.read_exact(&mut header).ok()?;
            let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
            let mut content = vec![0; length + usize::from(header[6])];
            stream.read_exact(&mut content).ok()?;
            content.truncate(length);
            match header[1] {
                STDOUT => output.extend(content),
                STDERR => errors.extend(content),
                END_REQUEST => break,
                _ => {}
            }
        }
        assert!(errors.is_empty(), "{}", String::from_utf8_lossy(&errors));
        let text = String::from_utf8(output).unwrap();
        let (_, body) = text.split_once("\r\n\r\n")?;
        Some(body.to_owned())
    }

    pub fn master_pid(&self) -> u32 {
        self.master.id()
    }
}

impl Drop for Fpm {
    fn drop(&mut self) {
        // SIGQUIT lets the workers end in order; a master that does not is killed.
        let id = self.master.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        for _ in 0..200 {
            if matches!(self.master.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

/// PHP-FPM of the PHP that `php` is.
fn program() -> String {
    let version = Command::new("php")
        .args(["-n", "-r", "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;"])
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    ["php-fpm".to_owned() + &version, "/usr/sbin/php-fpm".to_owned() + &version]
        .into_iter()
        .chain(["php-fpm".to_owned(), "/usr/sbin/php-fpm".to_owned()])
        .find(|name| {
            Command::new(name)
                .arg("-v")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok()
        })
        .expect("PHP-FPM is installed")
}
