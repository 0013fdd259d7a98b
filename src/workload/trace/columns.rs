//! What a column of a CSV trace says of its requests beside their times and names: sizes that stand for networks,
//! priorities, deadlines.

use std::collections::BTreeSet;
use std::fs::File;
use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Names, TraceKeys};
use crate::files::{CsvFile, InputError, Record};
use crate::units::Time;

/// The columns that are read without being asked for.
pub(super) const PRIORITY: &str = "priority";
pub(super) const DEADLINE_US: &str = "deadline_us";

/// Networks by the size of a request, such as its number of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "RawNetworkBy", into = "RawNetworkBy")]
#[schemars(with = "RawNetworkBy")]
pub struct NetworkBy(RawNetworkBy);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawNetworkBy {
    /// The columns whose sum is the size; whole numbers. Default: none, if there are no ranges.
    #[serde(default)]
    columns: Vec<String>,
    /// The networks, in the order of their sizes; the last may leave `up_to` out. Default: none, if there are no columns.
    #[serde(default)]
    ranges: Vec<Range>,
}

/// A network, and the sizes that stand for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Range {
    /// The largest size. Default: none, for the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<u64>,
    /// The network as the scenario calls it: `NAME`, or `NAME@BATCH`.
    network: String,
}

impl NetworkBy {
    pub(super) fn columns(&self) -> &[String] {
        &self.0.columns
    }
}

impl From<NetworkBy> for RawNetworkBy {
    fn from(checked: NetworkBy) -> Self {
        checked.0
    }
}

impl TryFrom<RawNetworkBy> for NetworkBy {
    type Error = String;

    fn try_from(raw: RawNetworkBy) -> Result<Self, String> {
        if raw.columns.is_empty() && raw.ranges.is_empty() {
            return Ok(Self(raw));
        }
        if raw.columns.is_empty() || raw.columns.iter().collect::<BTreeSet<_>>().len() < raw.columns.len() {
            return Err("`columns`: expected one or more names of columns, all different".into());
        }
        let Some((_, others)) = raw.ranges.split_last() else {
            return Err("`ranges`: expected one or more tables with `network` and `up_to`".into());
        };
        if others.iter().any(|range| range.up_to.is_none()) {
            return Err("`ranges`: only the last one may leave `up_to` out".into());
        }
        let ends: Vec<u64> = raw.ranges.iter().filter_map(|range| range.up_to).collect();
        match ends.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => {
                Err(format!("`ranges`: `up_to` is {} after {}: expected more each time", pair[1], pair[0]))
            }
            None => Ok(Self(raw)),
        }
    }
}

/// What a row says beside its time and names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) priority: Option<u32>,
    /// Picoseconds from arrival to deadline.
    pub(super) within_ps: Option<NonZeroU64>,
}

/// The places of these columns in a file.
#[derive(Default)]
pub(super) struct Columns {
    priority: Option<usize>,
    deadline: Option<usize>,
    sizes: Vec<usize>,
    /// The largest size of each range, and its network.
    ranges: Vec<(u64, Name)>,
}

impl Columns {
    /// Finds the columns that the keys name, and those that are called as is expected.
    pub(super) fn of(file: &CsvFile<File>, keys: &TraceKeys, names: &mut Names) -> Result<Self, InputError> {
        let find = |named: &Option<String>, expected| match named {
            Some(name) => file.column(name).map(Some),
            None => Ok(file.find(expected)),
        };
        let mut columns = Self {
            priority: find(&keys.priority, PRIORITY)?,
            deadline: find(&keys.deadline_us, DEADLINE_US)?,
            ..Self::default()
        };
        if let Some(NetworkBy(by)) = &keys.network_by {
            columns.sizes = by.columns.iter().map(|name| file.column(name)).collect::<Result<_, _>>()?;
            let ranges = by.ranges.iter();
            columns.ranges =
                ranges.map(|it| (it.up_to.unwrap_or(u64::MAX), names.of_scenario(&it.network))).collect();
        }
        Ok(columns)
    }

    /// The places of all that are read.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.priority.into_iter().chain(self.deadline).chain(self.sizes.iter().copied())
    }

    /// Whether sizes stand for networks.
    pub(super) fn name_networks(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// The priority and the deadline of a row; a field that is empty says nothing.
    pub(super) fn told(&self, file: &CsvFile<File>, record: &Record) -> Result<Told, InputError> {
        let priority = match self.priority {
            Some(place) => file.some_whole(record, place)?.map(|level| (place, level)),
            None => None,
        };
        let priority = priority.map(|(place, level)| {
            let wrong = || format!("`{level}`: expected a whole number from 0 to {}", u32::MAX);
            u32::try_from(level).map_err(|_| file.field_error(record, place, wrong()))
        });
        let within = match self.deadline {
            Some(place) => file.some_real(record, place)?.map(|us| (place, us)),
            None => None,
        };
        let within = within.map(|(place, us)| {
            let wrong = "expected the microseconds from arrival to deadline, from 1e-6 to 1e12";
            let ps = (1e-6..=1e12).contains(&us).then(|| NonZeroU64::new(Time::from_us(us).0)).flatten();
            ps.ok_or_else(|| file.field_error(record, place, format!("`{}`: {wrong}", record.get(place))))
        });
        Ok(Told { priority: priority.transpose()?, within_ps: within.transpose()? })
    }

    /// The network for which the size of a row stands.
    pub(super) fn network(&self, file: &CsvFile<File>, record: &Record) -> Result<Option<Name>, InputError> {
        let Some(&(last, _)) = self.ranges.last() else { return Ok(None) };
        let mut size = 0_u64;
        for &place in &self.sizes {
            size = size.saturating_add(file.whole(record, place)?);
        }
        match self.ranges.iter().find(|(up_to, _)| size <= *up_to) {
            Some((_, network)) => Ok(Some(*network)),
            None => {
                let message =
                    format!("{size}: `network_by` has no network for it, the last is for up to {last}");
                Err(file.field_error(record, self.sizes[0], message))
            }
        }
    }
}
