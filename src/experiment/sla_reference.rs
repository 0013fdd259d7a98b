//! Whose isolated latencies deadlines are multiples of (`sla = "factor"`).
//!
//! Those of the system that serves the requests, so that a deadline means the same on every system; or those of a
//! reference, so that deadlines stay where the hardware changes. The reference is a system with its own DRAM, or behind
//! another bandwidth (`relmas-6@32`), and always with whole layers of one demand each. It moves deadlines only: loads,
//! arrivals and metrics are relative to the system that serves the requests.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::Gbps;

/// The key `sla_reference` of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum SlaReference {
    /// The system that serves the requests, as swept.
    Own,
    /// Another one.
    System {
        /// Its name, or a path to its file.
        name: String,
        /// Peak bandwidth of its DRAM in GB/s; `None` is its own.
        dram_bandwidth_gbps: Option<f64>,
    },
}

/// How [`SlaReference::Own`] is written.
pub const OWN: &str = "own";

impl TryFrom<String> for SlaReference {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        if word == OWN {
            return Ok(Self::Own);
        }
        // What ends like a path is one: folders may have an @ in their names.
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
    /// The system, if it is another one than that which serves the requests.
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
        assert_eq!(read("relmas-6"), system("relmas-6", None));
        assert_eq!(read("relmas-6@16"), system("relmas-6", Some(16.0)));
        assert_eq!(read("me@home/mine.toml"), system("me@home/mine.toml", None));
        assert_eq!(read("me@home/mine.toml@inf"), system("me@home/mine.toml", Some(f64::INFINITY)));
        for wrong in ["relmas-6@", "relmas-6@0", "relmas-6@fast"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("expected a number from 0.001 to 1e9, or inf"), "{error}");
        }
        for word in ["own", "relmas-6", "relmas-6@12.5", "a.toml@inf"] {
            assert_eq!(read(word).unwrap().to_string(), word);
        }
    }
}
