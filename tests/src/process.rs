//! Child processes that end with the test that started them, however it ends.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{LazyLock, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::wait;

/// How long a server may take to stop by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A running child process and everything that it started; stopped when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    stop: Signal,
}

impl Process {
    /// Starts `command` in a process group of its own, its output going to `log`, its end asked for by `stop`.
    ///
    /// Should this process be killed, the kernel sends `stop` to the child.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &Command, log: &Path, stop: Signal) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut guarded = Command::new("setpriv");
        guarded.arg("--pdeathsig").arg(signal_name(stop)).arg("--").arg(command.get_program());
        carry_over(command, &mut guarded);
        guarded.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = spawn(guarded).with_context(|| format!("starting {name} ({command:?})"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), stop })
    }

    /// Its process id, which is its process group's as well.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// With the end of its log, when it ends before or the time is up.
    pub fn wait_until_ready(
        &mut self,
        within: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended while it was being started, {status}:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            if ready() {
                return Ok(());
            }
            if started.elapsed() > within {
                bail!("{} was not ready within {within:?}:\n{}", self.name, self.log_tail());
            }
            thread::sleep(wait::PAUSE);
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Its whole log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }

    /// Sends a signal to it and to what it started. That it has ended already is no error.
    pub fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _gone = kill_process_group(group, signal);
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it has not ended in time.
    pub fn wait_for_end(&mut self, within: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > within {
                bail!("{} has not ended within {within:?}:\n{}", self.name, self.log_tail());
            }
            thread::sleep(wait::PAUSE);
        }
    }

    /// Asks it to end and waits until it has; kills it when it takes too long.
    pub fn stop(&mut self) {
        self.signal(self.stop);
        if self.wait_for_end(GRACE).is_err() {
            self.kill();
        }
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _status = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.stop();
        }
        // What it started and left behind.
        self.signal(Signal::KILL);
    }
}

/// Runs a command to its end and gives what it printed.
///
/// # Errors
/// With what it printed as errors, when it fails.
pub fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed, {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output.stdout)
}

/// The last 4 KiB of a log, or why there is none.
#[must_use]
pub fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) => format!("--- the end of {}:\n{text}", log.display()),
        Err(problem) => format!("--- no log in {}: {problem}", log.display()),
    }
}

/// The name that setpriv knows a signal by.
fn signal_name(signal: Signal) -> &'static str {
    if signal == Signal::QUIT {
        "QUIT"
    } else if signal == Signal::INT {
        "INT"
    } else if signal == Signal::KILL {
        "KILL"
    } else {
        "TERM"
    }
}

/// Gives `to` the arguments, environment and folder of `from`.
fn carry_over(from: &Command, to: &mut Command) {
    to.args(from.get_args());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    if let Some(folder) = from.get_current_dir() {
        to.current_dir(folder);
    }
}

/// Spawns on a thread that lives as long as this process.
///
/// The kernel's parent death signal goes out when the *thread* that forked ends, and each test has a thread of its
/// own, while a MariaDB is shared by many.
fn spawn(command: Command) -> Result<Child> {
    type Job = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                let _asker_gone = answer.send(command.spawn());
            }
        });
        Mutex::new(jobs)
    });
    let (answer, child) = mpsc::channel();
    SPAWNER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, answer))
        .context("the thread that starts processes has ended")?;
    Ok(child.recv().context("the thread that starts processes has ended")??)
}
