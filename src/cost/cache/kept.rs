//! Results of long computations, stored by the content that they were computed from.
//!
//! One text file per result, `<kind>-<hash of the content>.kept`: `<result> # <checksum>`. Like costs, files appear whole,
//! what does not check is computed again with a warning, and trouble with the folder is a warning.

use std::path::PathBuf;

use super::{Cache, KEY_BYTES, Trouble, digest};
use crate::files::write_atomic;

impl Cache {
    /// The stored result of a computation of this kind on this content.
    pub fn recall(&self, kind: &str, content: &str) -> Option<String> {
        let path = self.kept(kind, content)?;
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
            Err(e) => {
                self.warn(Trouble::Reading, &path, e);
                return None;
            }
        };
        let sound = text.trim_end().rsplit_once(" # ").filter(|(result, sum)| digest(result, 8) == *sum);
        if sound.is_none() {
            self.warn(Trouble::Damage, &path, "it is damaged");
        }
        sound.map(|(result, _)| result.to_string())
    }

    /// Keeps the result of a computation.
    pub fn keep(&self, kind: &str, content: &str, result: &str) {
        let Some(path) = self.kept(kind, content) else { return };
        if let Err(e) = write_atomic(&path, format!("{result} # {}\n", digest(result, 8)).as_bytes()) {
            self.warn(Trouble::Writing, &path, e);
        }
    }

    fn kept(&self, kind: &str, content: &str) -> Option<PathBuf> {
        Some(self.folder()?.join(format!("{kind}-{}.kept", digest(content, KEY_BYTES))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_found_by_its_content_until_it_is_damaged() {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let cache = Cache::at(folder.path());
        assert_eq!(cache.recall("bound", "a"), None);
        cache.keep("bound", "a", "499");
        assert_eq!(cache.recall("bound", "a").as_deref(), Some("499"));
        assert_eq!((cache.recall("bound", "b"), cache.recall("other", "a")), (None, None));
        assert!(cache.take_warnings().is_empty());

        let path = cache.kept("bound", "a").expect("there is a folder");
        let text = std::fs::read_to_string(&path).expect("it was written");
        std::fs::write(&path, text.replacen("499", "49", 1)).expect("it can be written");
        assert_eq!(cache.recall("bound", "a"), None);
        assert!(cache.take_warnings()[0].contains("damaged"));
        assert_eq!((cache.files().expect("readable").len(), cache.clear().expect("writable")), (0, 1));
        assert!(!path.exists());
        Cache::off().keep("bound", "a", "499");
        assert_eq!(Cache::off().recall("bound", "a"), None);
    }
}
