//! SCALE-Sim's topologies: CSV with a header and one row per layer, in either of two forms.
//!
//! ```text
//! Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
//! Layer, M, N, K
//! ```
//!
//! Columns are found by their names (`columns.rs`), in any order. Beside these a list may have a `Batch Size`, two strides
//! in place of one (height and width, or a second column without a name, as SCALE-Sim's reader has it), and a sparsity
//! (`2:4`), which is not modelled: layers are dense. Any other column is an error.
//!
//! As in SCALE-Sim, `DP` in a name makes a convolution depthwise (every channel has `Num Filter` filters of its own)
//! and windows are counted as ceil((input - filter) / stride) + 1. M x K are activations, K x N weights. A fully
//! connected layer, written as one window that fills its feature map, cannot be told from a convolution: with
//! `--padding same` it becomes one with a window per stride, so lists without padding need M, N, K for such layers.

use super::columns::{Column, Columns};
use super::{Entry, Padding, Windows, product};
use crate::files::{CsvFile, InputError, Record, Source, is_missing};
use crate::workload::layer::Op;

pub(super) fn parse(source: &Source, padding: Padding) -> Result<Vec<Entry>, InputError> {
    let mut file = CsvFile::of(source)?.ragged();
    let columns = Columns::of(&file)?;
    let (mut entries, mut record) = (Vec::new(), Record::default());
    while file.read(&mut record)? {
        if record.is_blank() {
            continue;
        }
        let name = record.get(columns.place(Column::Name)).to_owned();
        let layer = Layer { file: &file, columns: &columns, record: &record, name: &name };
        let op = if columns.is_product() { layer.gemm()? } else { layer.conv(padding)? };
        entries.push(Entry { line: record.line(), name, op });
    }
    Ok(entries)
}

/// A row of the list.
struct Layer<'a> {
    file: &'a CsvFile<&'a [u8]>,
    columns: &'a Columns,
    record: &'a Record,
    name: &'a str,
}

impl Layer<'_> {
    fn gemm(&self) -> Result<Op, InputError> {
        let [m, n, k] = [Column::M, Column::N, Column::K].map(|column| self.size(column));
        let mut nest = product([1, m?, n?, k?]);
        nest.bounds[0] = self.size_or(Column::Batch, 1)?;
        Ok(Op::Gemm(nest))
    }

    fn conv(&self, padding: Padding) -> Result<Op, InputError> {
        let stride = self.size(Column::Stride)?;
        let windows = Windows {
            input: [self.size(Column::InputHeight)?, self.size(Column::InputWidth)?],
            kernel: [self.size(Column::FilterHeight)?, self.size(Column::FilterWidth)?],
            stride: [stride, self.size_or(Column::SecondStride, stride)?],
        };
        let (channels, filters) = (self.size(Column::Channels)?, self.size(Column::Filters)?);
        let wrong = |what| self.file.error(self.record, format!("layer `{}`: {what}", self.name));
        let outputs = windows.count(padding, true).map_err(wrong)?;
        let [groups, inputs] = if self.name.contains("DP") { [channels, 1] } else { [1, channels] };
        let batch = self.size_or(Column::Batch, 1)?;
        Ok(Op::Conv(windows.nest([batch, groups, filters, inputs], outputs)))
    }

    /// A required size.
    fn size(&self, column: Column) -> Result<u64, InputError> {
        self.size_at(self.columns.place(column))
    }

    /// An optional size. In a column without a name a sparsity may stand in place of a second stride.
    fn size_or(&self, column: Column, default: u64) -> Result<u64, InputError> {
        let is_size =
            |place: &usize| !(is_missing(self.record.get(*place)) || self.record.get(*place).contains(':'));
        match self.columns.find(column).filter(is_size) {
            Some(place) => self.size_at(place),
            None => Ok(default),
        }
    }

    fn size_at(&self, place: usize) -> Result<u64, InputError> {
        match self.file.whole(self.record, place)? {
            0 => Err(self.file.field_error(self.record, place, "0 is not allowed: expected at least 1")),
            size => Ok(size),
        }
    }
}
