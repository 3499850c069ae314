//! Who a process is, so that a dead one is never taken for a living one that got its number.

use std::{cell::RefCell, fs, process};

/// A process: its number, when the kernel started it, and the boot and namespace that both count in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The process id.
    pub pid: u32,
    /// Clock ticks since boot at which it started (field 22 of `/proc/<pid>/stat`); 0 when unknown.
    pub started: u64,
    /// The boot id and the pid namespace, `<boot id>/<namespace>`.
    pub place: String,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Alive,
    /// It is gone.
    Dead,
    /// It counts in another pid namespace (another container), where this process cannot look.
    Unknown,
}

thread_local! {
    static SELF: RefCell<Option<Identity>> = const { RefCell::new(None) };
}

impl Identity {
    /// This process. Read from `/proc` once, and again after a fork.
    #[must_use]
    pub fn current() -> Self {
        let pid = process::id();
        SELF.with_borrow_mut(|known| match known {
            Some(identity) if identity.pid == pid => identity.clone(),
            _ => known
                .insert(Self { pid, started: started(pid).unwrap_or(0), place: place() })
                .clone(),
        })
    }

    /// Whether this very process still runs, as far as the calling process can see.
    #[must_use]
    pub fn life(&self) -> Life {
        let here = place();
        if self.place != here {
            let boot = |place: &str| place.split('/').next().unwrap_or_default().to_owned();
            return if boot(&self.place) == boot(&here) { Life::Unknown } else { Life::Dead };
        }
        match started(self.pid) {
            Some(started) if started == self.started || self.started == 0 => Life::Alive,
            _ => Life::Dead,
        }
    }
}

/// When process `pid` started, or nothing when it is gone or has only its exit status left (a zombie).
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name may contain spaces and parentheses; what follows the last one does not.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}/{}", boot.trim(), namespace.display())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn this_process_is_alive() {
        let me = Identity::current();
        assert!(me.started > 0);
        assert_eq!(me.life(), Life::Alive);
    }

    #[test]
    fn a_process_that_ended_is_dead_even_while_its_number_is_still_taken() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let identity =
            Identity { pid: child.id(), started: started(child.id()).unwrap(), place: place() };
        assert_eq!(identity.life(), Life::Alive);
        child.kill().unwrap();
        // Not waited for yet: a zombie still has its number.
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert_eq!(identity.life(), Life::Dead);
        child.wait().unwrap();
        assert_eq!(identity.life(), Life::Dead);
    }

    #[test]
    fn another_process_with_the_same_number_is_not_it() {
        let mut other = Identity::current();
        other.started += 1;
        assert_eq!(other.life(), Life::Dead);
    }

    #[test]
    fn another_boot_means_dead_and_another_namespace_means_unknown() {
        let me = Identity::current();
        let (boot, _) = me.place.split_once('/').unwrap();
        let elsewhere = Identity { place: format!("{boot}/pid:[1]"), ..me.clone() };
        assert_eq!(elsewhere.life(), Life::Unknown);
        let before =
            Identity { place: "00000000-0000-0000-0000-000000000000/pid:[1]".into(), ..me };
        assert_eq!(before.life(), Life::Dead);
    }
}
