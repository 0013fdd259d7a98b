//! The columns of SCALE-Sim's topologies, by the names that they have in its versions and in lists made for them.

use crate::files::{CsvFile, InputError, did_you_mean};

/// The meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    InputHeight,
    InputWidth,
    FilterHeight,
    FilterWidth,
    Channels,
    Filters,
    Stride,
    /// The stride along columns, if the first is along rows only.
    SecondStride,
    Batch,
    Sparsity,
    M,
    N,
    K,
}

use Column::*;

/// The names of each column of convolutions, SCALE-Sim's own name first. Case, blanks, underscores, hyphens and text in
/// brackets (a unit) make no difference.
const CONVOLUTION: &[(Column, &[&str])] = &[
    (Name, &["Layer name", "Layer", "Name"]),
    (InputHeight, &["IFMAP Height", "IFMAP H", "Input Height", "IH"]),
    (InputWidth, &["IFMAP Width", "IFMAP W", "Input Width", "IW"]),
    (FilterHeight, &["Filter Height", "Filter H", "Kernel Height", "FH"]),
    (FilterWidth, &["Filter Width", "Filter W", "Kernel Width", "FW"]),
    (Channels, &["Channels", "Channel", "Num Channels", "Input Channels"]),
    (Filters, &["Num Filter", "Num Filters", "Number of Filters", "Filters"]),
    (Stride, &["Strides", "Stride", "Stride Height", "Strides Height", "Stride H"]),
    (SecondStride, &["Stride Width", "Strides Width", "Stride W"]),
    (Batch, &["Batch Size", "Batch", "N"]),
    (Sparsity, SPARSITY),
];

/// The names of each column of matrix products.
const PRODUCT: &[(Column, &[&str])] = &[
    (Name, &["Layer", "Layer name", "Name"]),
    (M, &["M"]),
    (N, &["N"]),
    (K, &["K"]),
    (Batch, &["Batch Size", "Batch"]),
    (Sparsity, SPARSITY),
];

const SPARSITY: &[&str] = &["Sparsity", "Sparsity Ratio", "Sparsity Support", "N:M", "N:M Sparsity"];

/// The required columns of each form.
const NEEDED: [&[Column]; 2] = [
    &[Name, InputHeight, InputWidth, FilterHeight, FilterWidth, Channels, Filters, Stride],
    &[Name, M, N, K],
];

/// The places of a list's columns.
pub(super) struct Columns {
    places: Vec<(Column, usize)>,
    is_product: bool,
}

impl Columns {
    /// Finds the columns in the header; the error names a column that is missing, unknown or duplicated.
    pub(super) fn of(file: &CsvFile<&[u8]>) -> Result<Self, InputError> {
        // A row of numbers is no header.
        if let Some(number) = file.header().iter().find(|column| column.parse::<f64>().is_ok()) {
            let message = format!(
                "not a SCALE-Sim topology: `{number}` is not the name of a column; expected a header {FORMS}"
            );
            return Err(file.header_error(message));
        }
        let header: Vec<String> = file.header().iter().map(word).collect();
        let has = |name: &str| header.iter().any(|column| column == name);
        let is_product = has("m") && has("k") || has("m") && has("n");
        let known = if is_product { PRODUCT } else { CONVOLUTION };
        let mut columns = Self { places: Vec::new(), is_product };
        for (place, column) in file.header().iter().enumerate() {
            if let Some(column) = columns.meaning(column, known, place).map_err(|e| file.header_error(e))? {
                columns.places.push((column, place));
            }
        }
        columns.check(file)?;
        Ok(columns)
    }

    /// Whether the list has matrix products.
    pub(super) fn is_product(&self) -> bool {
        self.is_product
    }

    /// The place of a column, if the list has it.
    pub(super) fn find(&self, column: Column) -> Option<usize> {
        self.places.iter().find(|(of, _)| *of == column).map(|&(_, place)| place)
    }

    /// The place of a required column.
    pub(super) fn place(&self, column: Column) -> usize {
        self.find(column).expect("columns that are needed were looked for")
    }

    /// The meaning of a column; a column without a name has none, unless it is a second stride right after the first.
    fn meaning(
        &self,
        column: &str,
        known: &[(Column, &[&str])],
        place: usize,
    ) -> Result<Option<Column>, String> {
        let is_named = |(_, names): &&(Column, &[&str])| names.iter().any(|name| word(name) == word(column));
        let follows_stride = place > 0 && self.find(Stride) == Some(place - 1);
        let meaning = match known.iter().find(is_named) {
            Some(&(Stride, _)) if follows_stride => SecondStride,
            Some(&(meaning, _)) => meaning,
            None if column.is_empty() || column.starts_with("Unnamed: ") => {
                return Ok(follows_stride.then_some(SecondStride));
            }
            None => return Err(unknown(column, known)),
        };
        match self.find(meaning) {
            Some(_) => Err(format!("column `{column}` occurs twice, or under two names")),
            None => Ok(Some(meaning)),
        }
    }

    fn check(&self, file: &CsvFile<&[u8]>) -> Result<(), InputError> {
        let missing =
            NEEDED[usize::from(self.is_product)].iter().find(|&&column| self.find(column).is_none());
        let Some(missing) = missing else { return Ok(()) };
        let known = if self.is_product { PRODUCT } else { CONVOLUTION };
        let names = known.iter().find(|(column, _)| column == missing).map_or(&[][..], |(_, names)| names);
        let message =
            format!("not a SCALE-Sim topology: no column `{}`; expected a header {FORMS}", names[0]);
        Err(file.header_error(message))
    }
}

const FORMS: &str = "`Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides` \
                     or `Layer, M, N, K`";

fn unknown(column: &str, known: &[(Column, &[&str])]) -> String {
    let names: Vec<&str> = known.iter().map(|(_, names)| names[0]).collect();
    let hint = did_you_mean(column, &names);
    format!("unknown column `{column}`{hint}: expected {}", names.join(", "))
}

/// A name without the characters that make no difference.
fn word(name: &str) -> String {
    let name = name.split(['(', '[']).next().unwrap_or_default();
    name.chars()
        .filter(|c| !(c.is_whitespace() || matches!(c, '_' | '-')))
        .flat_map(char::to_lowercase)
        .collect()
}
