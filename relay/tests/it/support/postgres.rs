//! A PostgreSQL of this process's own: started at the first test that wants it, gone with the process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Whom Debian's package makes for its servers: PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// Ends the server when standard input ends, which the kernel sees to however this process ends.
const KEEPER: &str = r#"
set -eu
bin=$1 dir=$2
trap '' INT TERM HUP
initdb_log=$("$bin/initdb" --auth=trust --username=nexpura --encoding=UTF8 --locale=C --no-sync \
    -D "$dir/data" 2>&1) || { echo "$initdb_log" >&2; exit 1; }
"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -s start -o "-k $dir -c listen_addresses='' \
    -c max_connections=300 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
: > "$dir/ready"
cat > /dev/null || true
"$bin/pg_ctl" -D "$dir/data" -m immediate -s -w stop || true
rm -rf "$dir"
"#;

/// The running server.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: PathBuf,
    made: AtomicU64,
    /// Its standard input keeps the server alive.
    _keeper: Mutex<Child>,
}

impl Postgres {
    /// This process's server.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let folder = super::database::fast_folder("nexpura-pg-").keep();
        let mut command = if running_as_root() {
            let given = Command::new("chown").arg(USER).arg(&folder).status();
            assert!(given.is_ok_and(|status| status.success()), "chown of the server's folder");
            let mut command = Command::new("runuser");
            command.args(["-u", USER, "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut keeper = command
            .args(["-c", KEEPER, "keeper"])
            .arg(programs())
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell that keeps PostgreSQL");
        let begun = Instant::now();
        while !folder.join("ready").exists() {
            let ended = keeper.try_wait().expect("the keeper");
            assert!(ended.is_none(), "PostgreSQL could not be started: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(90), "PostgreSQL does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Self { folder, made: AtomicU64::new(0), _keeper: Mutex::new(keeper) }
    }

    /// Makes an empty database and gives its address.
    pub(crate) async fn create(&self) -> String {
        let name = format!("relay_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let mut connection =
            <sqlx::PgConnection as sqlx::Connection>::connect(&self.url("postgres")).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} STRATEGY file_copy"));
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://nexpura@{folder}/{database}")
    }
}

fn running_as_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uid.and_then(|ids| ids.split_whitespace().nth(1).map(|id| id == "0")).unwrap_or(false)
}

/// Where the newest PostgreSQL has its programs: Debian keeps them out of the PATH.
fn programs() -> PathBuf {
    let newest = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let version: u32 = folder.file_name()?.to_str()?.parse().ok()?;
            let programs = folder.join("bin");
            programs.join("initdb").is_file().then_some((version, programs))
        })
        .max();
    match newest {
        Some((_, programs)) => programs,
        None => in_path().expect("PostgreSQL's server programs: run scripts/install-packages"),
    }
}

fn in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| Path::new(folder).join("initdb").is_file())
}
