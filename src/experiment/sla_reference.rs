//! The system whose isolated latencies deadlines are multiples of (`sla = "factor"`).
//!
//! Either it is the system that serves the requests, so that deadlines are equally strict on every system; or it is a
//! reference system, so that deadlines stay the same when the hardware changes. A reference has its own DRAM bandwidth
//! or a given one (`hetero-6@32`), and always whole layers of one demand each. It affects deadlines only: loads,
//! arrivals and metrics are relative to the system that serves the requests.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::Gbps;

/// A reference for deadlines: `own`, `SYSTEM` or `SYSTEM@GBPS`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum SlaReference {
    /// The system that serves the requests, as swept.
    Own,
    /// A reference system.
    System {
        /// Its name, or a path to its file.
        name: String,
        /// Peak bandwidth of its DRAM in GB/s; `None` is its own.
        dram_bandwidth_gbps: Option<f64>,
    },
}

/// The word for [`SlaReference::Own`].
pub const OWN: &str = "own";

impl TryFrom<String> for SlaReference {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        if word == OWN {
            return Ok(Self::Own);
        }
        // A word that ends in `.toml` is a path: folders may have an @ in their names.
        let parts = word.rsplit_once('@').filter(|_| !word.ends_with(".toml"));
        let Some((name, bandwidth)) = parts else {
            return Ok(Self::System { name: word, dram_bandwidth_gbps: None });
        };
        let bandwidth: Gbps = bandwidth.parse().map_err(|expected| {
            format!("`{word}`: {expected} behind the @, the reference's DRAM bandwidth in GB/s")
        })?;
        Ok(Self::System { name: name.to_string(), dram_bandwidth_gbps: Some(bandwidth.0) })
    }
}

impl From<SlaReference> for String {
    fn from(reference: SlaReference) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SlaReference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Own => f.write_str(OWN),
            Self::System { name, dram_bandwidth_gbps: None } => f.write_str(name),
            Self::System { name, dram_bandwidth_gbps: Some(gbps) } => write!(f, "{name}@{gbps}"),
        }
    }
}

impl SlaReference {
    /// The reference system; `None` for the system that serves the requests.
    pub fn system(&self) -> Option<&str> {
        match self {
            Self::Own => None,
            Self::System { name, .. } => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_system_and_perhaps_a_bandwidth() {
        let read = |word: &str| SlaReference::try_from(word.to_string());
        let system = |name: &str, dram_bandwidth_gbps| {
            Ok(SlaReference::System { name: name.into(), dram_bandwidth_gbps })
        };
        assert_eq!(read("own"), Ok(SlaReference::Own));
        assert_eq!(read("hetero-6"), system("hetero-6", None));
        assert_eq!(read("hetero-6@16"), system("hetero-6", Some(16.0)));
        assert_eq!(read("me@home/mine.toml"), system("me@home/mine.toml", None));
        assert_eq!(read("me@home/mine.toml@inf"), system("me@home/mine.toml", Some(f64::INFINITY)));
        for wrong in ["hetero-6@", "hetero-6@0", "hetero-6@fast"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("expected a number from 0.001 to 1e9, or inf"), "{error}");
        }
        for word in ["own", "hetero-6", "hetero-6@12.5", "a.toml@inf"] {
            assert_eq!(read(word).unwrap().to_string(), word);
        }
    }
}
