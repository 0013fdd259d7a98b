//! SCALE-Sim's topologies: CSV with a header and one row per layer, in either of two forms.
//!
//! ```text
//! Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
//! Layer, M, N, K
//! ```
//!
//! A convolution may have a second stride. As in SCALE-Sim, `DP` in a name makes it depthwise (every channel has
//! `Num Filter` filters of its own) and windows are counted as ceil((input - filter) / stride) + 1. A column of
//! sparsity (`2:4`) is not read: layers are dense. M x K are activations, K x N weights. Nothing tells a fully connected
//! layer, written as one window that fills its feature map, from a convolution: with `--padding same` it becomes one with
//! a window per stride, so lists without padding need M, N, K for such layers.

use csv::StringRecord;

use super::{Entry, Padding, Windows, at, product};
use crate::files::{CsvLines, InputError, Source, csv_error};
use crate::workload::layer::Op;

pub(super) fn parse(source: &Source, padding: Padding) -> Result<Vec<Entry>, InputError> {
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.flexible(true).trim(csv::Trim::All).from_reader(source.text.as_bytes());
    let failed = |e: csv::Error| csv_error(source, &e);
    let header = reader.headers().map_err(failed)?.clone();
    let is = |position: usize, name: &str| header.get(position).is_some_and(|h| h.eq_ignore_ascii_case(name));
    let is_product = is(1, "M") && is(2, "N") && is(3, "K");
    if !is_product && header.iter().filter(|field| !field.is_empty()).count() < 8 {
        let expected = "a header `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num \
                        Filter, Strides` or `Layer, M, N, K`";
        return Err(at(source, 1, format!("not a SCALE-Sim topology: expected {expected}")));
    }
    let (mut entries, mut lines) = (Vec::new(), CsvLines::new(&source.text));
    for record in reader.records() {
        let record = record.map_err(failed)?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = lines.of(record.position());
        let name = record.get(0).unwrap_or_default().to_owned();
        let op = match is_product {
            true => gemm(&record),
            false => conv(&name, &record, padding),
        };
        let op = op.map_err(|Wrong { place, what }| {
            let message = format!("layer `{name}`: {what}");
            match place {
                Some(place) => InputError::at_field(&source.path, line, place, message),
                None => at(source, line, message),
            }
        })?;
        entries.push(Entry { line, name, op });
    }
    Ok(entries)
}

/// What is wrong with a layer, and with which of its fields.
struct Wrong {
    place: Option<usize>,
    what: String,
}

fn size(record: &StringRecord, place: usize, name: &str) -> Result<u64, Wrong> {
    let text = record.get(place).unwrap_or_default();
    let value = text.parse().ok().filter(|&value| value > 0);
    let what = || format!("{name} is `{text}`: expected a whole number from 1");
    value.ok_or_else(|| Wrong { place: Some(place), what: what() })
}

fn gemm(record: &StringRecord) -> Result<Op, Wrong> {
    Ok(Op::Gemm(product([1, size(record, 1, "M")?, size(record, 2, "N")?, size(record, 3, "K")?])))
}

fn conv(name: &str, record: &StringRecord, padding: Padding) -> Result<Op, Wrong> {
    let stride = size(record, 7, "the stride")?;
    // The next column is a second stride, a sparsity, or not there.
    let second = record.get(8).and_then(|text| text.parse().ok()).filter(|&stride| stride > 0);
    let windows = Windows {
        input: [size(record, 1, "IFMAP Height")?, size(record, 2, "IFMAP Width")?],
        kernel: [size(record, 3, "Filter Height")?, size(record, 4, "Filter Width")?],
        stride: [stride, second.unwrap_or(stride)],
    };
    let (channels, filters) = (size(record, 5, "Channels")?, size(record, 6, "Num Filter")?);
    let outputs = windows.count(padding, true).map_err(|what| Wrong { place: None, what })?;
    let [groups, inputs] = if name.contains("DP") { [channels, 1] } else { [1, channels] };
    Ok(Op::Conv(windows.nest([1, groups, filters, inputs], outputs)))
}
