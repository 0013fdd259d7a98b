//! What of the results a report shows, and how.

use std::path::PathBuf;

use super::chart::Intervals;
use super::figures::LayersShown;
use super::format::Format;

/// What a report shows. The default is every section that the results have, as SVG.
#[derive(Clone, Debug)]
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
    /// Whether files of pictures have a title; a paper has a caption instead.
    pub has_titles: bool,
    /// The folder for the page and its pictures; by default that of the results.
    pub out: Option<PathBuf>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            x: None,
            y: Vec::new(),
            facet: None,
            only: Vec::new(),
            pareto: Vec::new(),
            intervals: Intervals::default(),
            formats: Vec::new(),
            cell: Vec::new(),
            layers: LayersShown::default(),
            has_titles: true,
            out: None,
        }
    }
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
