//! Claims of processes on cells that they run, for several that share a folder.
//!
//! A claim is a file beside the cell. Creating a file that must not exist is atomic on NFS as well, where locks may not
//! hold. As long as a process lives, it rewrites its claims; one that is older than [`LEASE`] by the clock of the file
//! system is that of a dead process, and void. If two processes find that at once, both may run the cell, which costs time
//! and changes nothing.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::experiment::Error;
use crate::files::temporary_in;

/// How old a claim of a living process may be. Our choice: five times the minute for which an NFS client may believe what
/// it last saw.
const LEASE: Duration = Duration::from_secs(300);

/// How often claims are rewritten. Our choice, because a beat may be missed now and then.
const BEAT: Duration = Duration::from_secs(30);

/// The ending of the files of claims.
const EXTENSION: &str = "claim";

/// The claims of a process on cells that it runs.
pub(super) struct Claims<'a> {
    folder: &'a Path,
    /// What they say: whose they are.
    text: String,
    held: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Claims<'a> {
    /// No claim yet, in the folder of the cells, for a process of that name.
    pub(super) fn new(folder: &'a Path, name: &str) -> Self {
        Self { folder, text: format!("{name}\n"), held: Mutex::default() }
    }

    /// Claims a cell; false if another process has it. Claims of the same name are those of a dead process.
    pub(super) fn claim(&self, id: &str) -> Result<bool, Error> {
        let path = self.folder.join(id).with_extension(EXTENSION);
        for is_second_try in [false, true] {
            match File::create_new(&path) {
                Ok(mut file) => {
                    let written = file.write_all(self.text.as_bytes());
                    written.map_err(|source| Error::writing(&path, source))?;
                    self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if is_second_try || !self.is_void(&path) {
                        return Ok(false);
                    }
                    // Of several processes that see this, one is the first; the others find no file.
                    let _ = fs::remove_file(&path);
                }
                Err(source) => return Err(Error::writing(&path, source)),
            }
        }
        Ok(false)
    }

    /// Gives a claim back.
    pub(super) fn release(&self, id: &str) {
        let path = self.folder.join(id).with_extension(EXTENSION);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
        // One that stays becomes void.
        let _ = fs::remove_file(path);
    }

    fn is_void(&self, path: &Path) -> bool {
        let is_own = fs::read_to_string(path).is_ok_and(|text| text == self.text);
        let is_held = self.held.lock().unwrap_or_else(PoisonError::into_inner).contains(path);
        !is_held && (is_own || !is_alive(path, self.folder))
    }

    /// Rewrites all claims that are held; the clock of the file system does the rest.
    fn beat(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for path in held {
            let file = OpenOptions::new().write(true).open(&path);
            let _ = file.and_then(|mut file| file.write_all(self.text.as_bytes()));
        }
    }
}

/// Whether a claim was rewritten lately, by the clock of its file system.
fn is_alive(path: &Path, folder: &Path) -> bool {
    let claimed = fs::metadata(path).and_then(|data| data.modified());
    let now = temporary_in(folder).ok().and_then(|file| file.as_file().metadata().ok()?.modified().ok());
    match (claimed, now) {
        (Ok(claimed), Some(now)) => now.duration_since(claimed).map_or(true, |age| age < LEASE),
        // A claim that has gone is none; without a clock, a claim counts.
        (Err(_), _) => false,
        (Ok(_), None) => true,
    }
}

/// The names of the processes that are at work in a folder.
pub(super) fn at_work(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let claims = entries.filter(|path| is_claim(path));
    let alive = claims.filter(|path| is_alive(path, folder));
    alive.map(|path| fs::read_to_string(path).unwrap_or_default().trim().to_string()).collect()
}

/// Whether a file among the kept cells is a claim.
pub(super) fn is_claim(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

/// Rewrites claims as long as `act` runs.
pub(super) fn with_beats<T: Send>(claims: &Claims, act: impl FnOnce() -> T + Send) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let beats = scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                thread::park_timeout(BEAT);
                claims.beat();
            }
        });
        let _stop = Stop { is_over: &is_over, beats: beats.thread().clone() };
        act()
    })
}

/// Ends the beats when it goes, also in a panic, which would wait for them.
struct Stop<'a> {
    is_over: &'a AtomicBool,
    beats: Thread,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.beats.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_holds_until_it_is_released() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let (one, other) = (Claims::new(folder, "1/2"), Claims::new(folder, "2/2"));
        assert!(one.claim("0a").expect("the folder is ours"));
        assert!(!other.claim("0a").expect("the folder is ours"));
        assert_eq!(at_work(folder), BTreeSet::from(["1/2".to_string()]));
        // Not even its own process takes it twice.
        assert!(!one.claim("0a").expect("the folder is ours"));
        one.release("0a");
        assert!(other.claim("0a").expect("the folder is ours"));
    }

    #[test]
    fn claims_of_the_dead_are_void() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let dead = Claims::new(folder, "1/2");
        assert!(
            dead.claim("0a").expect("the folder is ours") && dead.claim("0b").expect("the folder is ours")
        );
        // The same share again: its former process is dead.
        let again = Claims::new(folder, "1/2");
        assert!(again.claim("0a").expect("the folder is ours"));
        let other = Claims::new(folder, "2/2");
        assert!(!other.claim("0b").expect("the folder is ours"));
        let path = folder.join("0b.claim");
        let age = |by: Duration| {
            let file = File::open(&path).expect("it was written");
            let now = temporary_in(folder).expect("the folder is ours");
            let now = now.as_file().metadata().and_then(|data| data.modified()).expect("it is there");
            file.set_modified(now - by).expect("the file is ours");
        };
        age(LEASE - Duration::from_secs(20));
        assert!(!other.claim("0b").expect("the folder is ours"));
        age(LEASE + Duration::from_secs(20));
        assert_eq!(at_work(folder), BTreeSet::from(["1/2".to_string()]), "that of 0a");
        assert!(other.claim("0b").expect("the folder is ours"));
        // A beat makes an old claim young again.
        age(LEASE + Duration::from_secs(20));
        other.beat();
        assert!(!again.claim("0b").expect("the folder is ours"));
    }
}
