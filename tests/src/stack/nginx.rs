//! nginx in front of one shop, on a loopback port.

use std::{fs, net::TcpStream, path::Path, process::Command, time::Duration};

use anyhow::Result;
use rustix::process::Signal;

use super::tls::Certificate;
use crate::{paths, process::Process};

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    _server: Process,
}

/// What nginx serves.
#[derive(Debug)]
pub struct Site<'a> {
    /// WordPress's own files.
    pub root: &'a Path,
    /// What stands for `wp-content`.
    pub content: &'a Path,
    /// PHP-FPM's socket.
    pub fpm: &'a Path,
    /// The loopback port to listen on.
    pub port: u16,
    /// Set for https.
    pub certificate: Option<&'a Certificate>,
}

impl Nginx {
    /// Starts it with its configuration, logs and temporary files in `folder`.
    ///
    /// # Errors
    /// When it cannot be started; the message holds the end of its log.
    pub fn start(folder: &Path, site: &Site<'_>) -> Result<Self> {
        let config = folder.join("nginx.conf");
        fs::write(&config, configuration(folder, site))?;
        let log = folder.join("nginx.log");
        let mut command = Command::new(paths::program("nginx", "nginx")?);
        command.arg("-p").arg(folder).arg("-e").arg(&log).arg("-c").arg(&config);
        let mut server = Process::start("nginx", &command, &log, Signal::TERM)?;
        let port = site.port;
        server.wait_until_ready(Duration::from_secs(30), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self { _server: server })
    }
}

fn configuration(folder: &Path, site: &Site<'_>) -> String {
    let folder = folder.display();
    let root = site.root.display();
    let content = site.content.display();
    let fpm = site.fpm.display();
    let port = site.port;
    let (listen, tls) = match site.certificate {
        None => (format!("127.0.0.1:{port}"), String::new()),
        Some(certificate) => (
            format!("127.0.0.1:{port} ssl"),
            format!(
                "ssl_certificate {}; ssl_certificate_key {};",
                certificate.chain.display(),
                certificate.key.display()
            ),
        ),
    };
    // As root, workers keep root: the files belong to it and lie in a closed temporary folder.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    format!(
        r#"
daemon off; worker_processes 1; pid {folder}/nginx.pid; {user}
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types;
  log_format asked '$msec\t$request_time\t$status\t$http_user_agent\t$request';
  access_log {folder}/access.log asked; error_log {folder}/nginx.log warn;
  client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi; uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  client_max_body_size 32m; fastcgi_read_timeout 120s; fastcgi_buffers 32 16k; fastcgi_buffer_size 32k;
  server {{
    listen {listen}; server_name 127.0.0.1; {tls}
    root {root}; index index.php;
    location /wp-content/ {{ alias {content}/; }}
    location / {{ try_files $uri $uri/ /index.php?$args; }}
    location ~ \.php$ {{
      try_files $uri =404;
      # Not the system's fastcgi_params: some versions of it pass the host on without its port.
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param SCRIPT_NAME $fastcgi_script_name; fastcgi_param DOCUMENT_ROOT $document_root;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param SERVER_PROTOCOL $server_protocol;
      fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param REMOTE_PORT $remote_port;
      fastcgi_param SERVER_ADDR $server_addr; fastcgi_param SERVER_NAME $server_name;
      fastcgi_param SERVER_PORT $server_port; fastcgi_param SERVER_SOFTWARE nginx;
      fastcgi_param REQUEST_SCHEME $scheme; fastcgi_param HTTPS $https if_not_empty;
      fastcgi_param GATEWAY_INTERFACE CGI/1.1; fastcgi_param REDIRECT_STATUS 200;
      fastcgi_pass unix:{fpm};
    }}
  }}
}}
"#
    )
}
