//! What of the results a report shows, and how.

use super::chart::Intervals;
use super::figures::LayersShown;
use super::format::Format;

/// What a report shows. The default is every section that the results have, as SVG.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The key on the axis of pictures; by default the load, or else the first other key with several numbers.
    pub x: Option<String>,
    /// Metrics with a section of pictures each. If there are any, or pairs in `pareto`, no other section is shown.
    pub y: Vec<String>,
    /// A key whose values stand side by side in one picture instead of in a picture each.
    pub facet: Option<String>,
    /// Keys with values: only cells that have, for each of these keys, one of the given values.
    pub only: Vec<(String, String)>,
    /// Pairs of metrics to draw against each other, with the front of the schedulers that none beats in both.
    pub pareto: Vec<[String; 2]>,
    /// How confidence intervals along lines are drawn.
    pub intervals: Intervals,
    /// The kinds of files that pictures are written to.
    pub formats: Vec<Format>,
    /// Keys with values: what the maps of fleets show; without any, a telling cell.
    pub cell: Vec<(String, String)>,
    /// Which layers are drawn over time.
    pub layers: LayersShown,
}

impl View {
    /// Whether metrics are chosen, so that only their sections are shown.
    pub(super) fn is_chosen(&self) -> bool {
        !self.y.is_empty() || !self.pareto.is_empty()
    }

    /// The extensions of the files of a picture.
    pub(super) fn extensions(&self) -> Vec<&'static str> {
        self.formats.iter().map(|format| format.extension()).collect()
    }
}
