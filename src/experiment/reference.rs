//! Whose isolated latencies deadlines are multiples of (`sla = "factor"`).
//!
//! Those of the system that serves the requests, so that a deadline means the same on every system; or those of a
//! reference, so that deadlines stay where the hardware changes. The reference is a system with its own DRAM, or behind
//! another bandwidth (`hetero-6@32`), and always with whole layers of one demand each. It moves deadlines only: loads,
//! arrivals and metrics are relative to the system that serves the requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;
use super::config::Setting;
use super::data::DataRoot;
use super::list::distinct;
use super::plan::Dram;
use super::points::Point;
use super::requests::isolated;
use super::{Error, Progress};
use crate::cost::Cache;
use crate::files::Gbps;
use crate::units::Time;
use crate::workload::Scenario;

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

/// The isolated latencies of networks on all references of a sweep.
pub(super) struct References(BTreeMap<(String, usize), Arc<Vec<Time>>>);

impl References {
    /// Those that points name, for the scenarios that they are named with.
    ///
    /// # Errors
    /// A reference cannot be read, or does not run a network.
    pub(super) fn of(
        points: &[Point],
        scenarios: &[Arc<Scenario>],
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let mut latencies = BTreeMap::new();
        for reference in distinct(points.iter().filter_map(|point| point.setting.sla_reference.clone())) {
            let named = |point: &&Point| point.setting.sla_reference.as_ref() == Some(&reference);
            let places: BTreeSet<usize> = points.iter().filter(named).map(|point| point.scenario).collect();
            let used: Vec<Arc<Scenario>> =
                places.iter().map(|&place| Arc::clone(&scenarios[place])).collect();
            let found = reference.latencies(&used, data, cache, progress);
            let found = found.map_err(|e| Error::Usage(format!("`sla_reference = \"{reference}\"`: {e}")))?;
            latencies.extend(places.into_iter().map(|place| (reference.to_string(), place)).zip(found));
        }
        Ok(Self(latencies))
    }

    /// By network of the point's scenario; `None` where the system that serves the requests is the reference.
    pub(super) fn latencies(&self, point: &Point) -> Option<Arc<Vec<Time>>> {
        let reference = point.setting.sla_reference.as_ref()?;
        self.0.get(&(reference.to_string(), point.scenario)).map(Arc::clone)
    }
}

impl SlaReference {
    /// By scenario and network; nothing where it is none of its own.
    fn latencies(
        &self,
        scenarios: &[Arc<Scenario>],
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Vec<Arc<Vec<Time>>>, Error> {
        let Self::System { name, dram_bandwidth_gbps } = self else { return Ok(Vec::new()) };
        let system = data.system(name)?;
        let catalogue = Catalogue::new(&system, scenarios, data, cache, progress)?;
        let dram =
            Dram::new(&system, &Setting { dram_bandwidth_gbps: *dram_bandwidth_gbps, ..Setting::default() });
        let of =
            |scenario: &Arc<Scenario>| Ok(Arc::new(isolated(&catalogue.world(&system, scenario, &dram)?)));
        scenarios.iter().map(of).collect()
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
