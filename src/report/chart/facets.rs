//! Several charts in one picture, each below its title: small multiples for a row that is as wide as a page.

use super::super::svg::{Anchor, Canvas, FONT};
use super::{Chart, Entry};

/// The width of a part. Our choice, because text stays readable where three of them fill the width of a page.
pub(in crate::report) const NARROW: f64 = 290.0;
/// The most parts in a row.
const COLUMNS: usize = 3;
/// The height of a part's title.
const TITLE: f64 = 20.0;

/// The parts with their titles. They have the same series, and so one legend.
pub(in crate::report) struct Facets {
    pub(in crate::report) parts: Vec<(String, Chart)>,
}

impl Facets {
    /// The longest legend of a part, which contains all others.
    pub(super) fn legend(&self) -> Vec<Entry> {
        self.parts.iter().map(|(_, part)| part.legend()).max_by_key(Vec::len).unwrap_or_default()
    }

    fn row_height(row: &[(String, Chart)]) -> f64 {
        TITLE + row.iter().map(|(_, part)| part.size().1).fold(0.0, f64::max)
    }

    pub(super) fn size(&self) -> (f64, f64) {
        let rows = self.parts.chunks(COLUMNS);
        (NARROW * self.parts.len().min(COLUMNS) as f64, rows.map(Self::row_height).sum())
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let mut y = top;
        for row in self.parts.chunks(COLUMNS) {
            for (column, (title, part)) in row.iter().enumerate() {
                canvas.moved(NARROW * column as f64, y, |canvas| {
                    canvas.text(NARROW / 2.0, FONT + 2.0, Anchor::Middle, title);
                    part.draw(canvas, TITLE);
                });
            }
            y += Self::row_height(row);
        }
    }
}
