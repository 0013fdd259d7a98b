//! Reference cases: a layer, a mapping, and the numbers of another tool for it. A file has one JSON object per line, in
//! the format of `tests/data/cost/timeloop_cases.jsonl`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::mapping::Mapping;
use crate::dims::{Dim, Tensor};
use crate::files::{InputError, Source};
use crate::hw::AccelSpec;
use crate::workload::LoopNest;

/// One line of a case file.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// The unique name of the case.
    pub id: String,
    /// The accelerator model.
    pub arch: String,
    layer: CaseLayer,
    mapping: Vec<CaseLevel>,
    /// The numbers of the other tool.
    pub expected: Expected,
    /// The line of the case in its file, counted from 1.
    #[serde(skip)]
    pub line: usize,
}

#[derive(Clone, Debug, Deserialize)]
struct CaseLayer {
    n: u64,
    groups: u64,
    k_per_group: u64,
    c_per_group: u64,
    p: u64,
    q: u64,
    r: u64,
    s: u64,
    stride: u64,
    dilation: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct CaseLevel {
    name: String,
    temporal: Vec<(Dim, u64)>,
    spatial_x: Vec<(Dim, u64)>,
    spatial_y: Vec<(Dim, u64)>,
}

/// The numbers of the other tool.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// The latency in cycles.
    pub cycles: u64,
    /// Dynamic energy and leakage.
    pub energy_pj: f64,
    /// Energy by the level's name, leakage included.
    pub energy_by_level_pj: BTreeMap<String, f64>,
    /// Words by level and tensor.
    pub accesses: Vec<ExpectedAccesses>,
}

/// Words that one level moved of one tensor, over all used instances.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of `cost::Accesses`")]
pub struct ExpectedAccesses {
    pub level: String,
    pub tensor: Tensor,
    pub reads: u64,
    pub fills: u64,
    pub updates: u64,
    pub instances: u64,
}

impl Case {
    /// Reads a case file.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, InputError> {
        let source = Source::read(path)?;
        let lines = source.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(i, line)| Self::parse(line, i + 1).map_err(|e| InputError::at_line(path, i + 1, e)))
            .collect()
    }

    fn parse(text: &str, line: usize) -> Result<Self, String> {
        let case = Self { line, ..serde_json::from_str(text).map_err(|e| e.to_string())? };
        case.nest().check()?;
        Ok(case)
    }

    /// The loop nest of the layer.
    pub fn nest(&self) -> LoopNest {
        let CaseLayer { n, groups, k_per_group, c_per_group, p, q, r, s, stride, dilation } = self.layer;
        let bounds = [n, groups, k_per_group, c_per_group, p, q, r, s];
        LoopNest { bounds, stride: [stride; 2], dilation: [dilation; 2], padding: [0; 2] }
    }

    /// The mapping on `accel`; levels that the case does not name have no loops.
    pub fn mapping(&self, accel: &AccelSpec) -> Result<Mapping, String> {
        let named = self.mapping.iter().map(|level| {
            let CaseLevel { name, temporal, spatial_x, spatial_y } = level;
            (name.as_str(), [&temporal[..], spatial_x, spatial_y])
        });
        Mapping::of_levels(named, accel, &self.nest())
    }
}
