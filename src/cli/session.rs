//! Facts that the program passes to the library: its arguments, the machine, and clocks.

use std::thread::available_parallelism;
use std::time::Instant;

use crate::sweep::{Host, Session};

pub(super) fn session() -> Session {
    Session {
        argv: super::arguments().collect(),
        working_folder: std::env::current_dir().unwrap_or_default(),
        host: Host {
            name: host_name(),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cpus: available_parallelism().map_or(0, usize::from),
        },
    }
}

/// A clock that counts seconds since it was started.
#[derive(Clone, Copy)]
pub(super) struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "the program tells how long it takes; no result depends on it")]
impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn wall_s(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    Some(rustix::system::uname().nodename().to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Processor time of all threads so far.
#[cfg(unix)]
pub(super) fn cpu_s() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

/// `None`: there is no portable way to read the processor time.
#[cfg(not(unix))]
pub(super) fn cpu_s() -> Option<f64> {
    None
}
