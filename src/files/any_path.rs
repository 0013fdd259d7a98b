//! Paths in JSON and TOML, for `#[serde(with = ...)]`: a string or, if the path is not UTF-8, the list of its bytes, so
//! that every path is read back as it was.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};
use serde_json::Value;

/// Writes a path.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => serializer.collect_seq(path.as_os_str().as_encoded_bytes()),
    }
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    deserializer.deserialize_any(AnyPath)
}

/// A path as JSON.
pub fn to_json(path: &Path) -> Value {
    serialize(path, serde_json::value::Serializer).expect("text and bytes are written without fail")
}

/// A path from JSON.
pub fn from_json(value: &Value) -> Option<PathBuf> {
    deserialize(value).ok()
}

struct AnyPath;

impl<'de> Visitor<'de> for AnyPath {
    type Value = PathBuf;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a path, or the list of its bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PathBuf, E> {
        Ok(PathBuf::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PathBuf, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        of_bytes(bytes).ok_or_else(|| A::Error::custom("these bytes are no path here"))
    }
}

#[cfg(unix)]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// On systems whose paths are not bytes, a list of bytes is no path.
#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(all(test, unix))]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::files::read_toml;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Holder {
        #[serde(with = "super")]
        path: PathBuf,
    }

    #[test]
    fn any_path_comes_back_from_json_and_toml() {
        for bytes in [&b"results/a b"[..], b"caf\xe9/\xff.toml"] {
            let holder = Holder { path: of_bytes(bytes.to_vec()).unwrap() };
            let json = serde_json::to_string(&holder).unwrap();
            assert_eq!(serde_json::from_str::<Holder>(&json).unwrap(), holder);
            assert_eq!(read_toml::<Holder>(&toml::to_string(&holder).unwrap()).unwrap(), holder);
            assert_eq!(from_json(&to_json(&holder.path)), Some(holder.path));
        }
        assert_eq!(to_json(Path::new("a")), "a");
        assert!(serde_json::from_str::<Holder>("{\"path\": [1, 300]}").is_err());
    }
}
