//! The columns of SCALE-Sim's topologies by the names that its versions, and lists made for them, give them.

use crate::files::{CsvFile, InputError, did_you_mean};

/// What a column says.
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
    /// By columns, where the first is by rows only.
    SecondStride,
    Batch,
    Sparsity,
    M,
    N,
    K,
}

use Column::*;

/// Of convolutions: what each column is called, SCALE-Sim's own name first. Case, blanks, underscores, hyphens and what
/// stands in brackets (a unit) make no difference.
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

/// Of matrix products.
const PRODUCT: &[(Column, &[&str])] = &[
    (Name, &["Layer", "Layer name", "Name"]),
    (M, &["M"]),
    (N, &["N"]),
    (K, &["K"]),
    (Batch, &["Batch Size", "Batch"]),
    (Sparsity, SPARSITY),
];

const SPARSITY: &[&str] = &["Sparsity", "Sparsity Ratio", "Sparsity Support", "N:M", "N:M Sparsity"];

/// Those that every list of its form has.
const NEEDED: [&[Column]; 2] = [
    &[Name, InputHeight, InputWidth, FilterHeight, FilterWidth, Channels, Filters, Stride],
    &[Name, M, N, K],
];

/// Where the columns of a list are.
pub(super) struct Columns {
    places: Vec<(Column, usize)>,
    is_product: bool,
}

impl Columns {
    /// Finds them in the header; the error says what is missing, unknown or there twice.
    pub(super) fn of(file: &CsvFile<&[u8]>) -> Result<Self, InputError> {
        // A row of numbers is no header.
        if let Some(number) = file.header().iter().find(|column| column.parse::<f64>().is_ok()) {
            let message = format!(
                "not a SCALE-Sim topology: `{number}` is no name of a column; expected a header {FORMS}"
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

    /// Whether the list is of matrix products.
    pub(super) fn is_product(&self) -> bool {
        self.is_product
    }

    /// Where a column is, if it is there.
    pub(super) fn find(&self, column: Column) -> Option<usize> {
        self.places.iter().find(|(of, _)| *of == column).map(|&(_, place)| place)
    }

    /// Where a column is that every list of this form has.
    pub(super) fn place(&self, column: Column) -> usize {
        self.find(column).expect("columns that are needed were looked for")
    }

    /// What a column says; nothing of one without a name, but a second stride right behind the first.
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
            Some(_) => Err(format!("column `{column}` is there twice, or under two names")),
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

/// A name without what makes no difference.
fn word(name: &str) -> String {
    let name = name.split(['(', '[']).next().unwrap_or_default();
    name.chars()
        .filter(|c| !(c.is_whitespace() || matches!(c, '_' | '-')))
        .flat_map(char::to_lowercase)
        .collect()
}
