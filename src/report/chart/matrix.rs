//! A table of shares from 0 to 1, shaded.

use super::super::svg::{Anchor, Canvas, FONT, Style};
use super::text_width;

const CELL: [f64; 2] = [58.0, 20.0];

/// A matrix of shares.
pub(in crate::report) struct Matrix {
    pub(crate) rows: Vec<String>,
    pub(in crate::report) columns: Vec<String>,
    /// Values by row and column.
    pub(crate) values: Vec<Vec<Option<f64>>>,
}

impl Matrix {
    fn left(&self) -> f64 {
        self.rows.iter().map(|row| text_width(row)).fold(40.0, f64::max) + 10.0
    }

    /// The height above the table, which the longest of the slanted column names needs.
    fn above(&self) -> f64 {
        10.0 + 0.72 * self.columns.iter().map(|column| text_width(column)).fold(20.0, f64::max)
    }

    pub(super) fn width(&self) -> f64 {
        let slant = self.columns.last().map_or(0.0, |column| 0.72 * text_width(column));
        let own = self.left() + CELL[0] * self.columns.len() as f64 + (slant - CELL[0] / 2.0).max(0.0) + 10.0;
        own.max(420.0)
    }

    pub(super) fn height(&self) -> f64 {
        self.above() + CELL[1] * self.rows.len() as f64 + 8.0
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let (left, above) = (self.left(), top + self.above());
        for (place, column) in self.columns.iter().enumerate() {
            canvas.slanted_text(left + CELL[0] * (place as f64 + 0.45), above - 5.0, column);
        }
        for (place, (row, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let y = above + CELL[1] * place as f64;
            canvas.text(left - 6.0, y + 14.0, Anchor::End, row);
            for (column, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                let x = left + CELL[0] * column as f64;
                let hint = format!("{row} on {}: {value:.4}", self.columns[column]);
                let shape = [x, y, CELL[0] - 1.0, CELL[1] - 1.0];
                canvas.bar(shape, Style(0).colour(), 0.06 + 0.54 * value.clamp(0.0, 1.0), &hint);
                let text = format!("{value:.2}");
                canvas.sized_text(x + CELL[0] / 2.0, y + 14.0, Anchor::Middle, FONT - 1.0, &text);
            }
        }
    }
}
