//! Plain aligned tables, and CSV.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use terminal_size::{Width, terminal_size_of};

use crate::files::visible_line;

/// A table that is printed as text or as JSON.
pub(super) struct Listing {
    /// The heading of each column, and its key in JSON.
    pub(super) columns: &'static [(&'static str, &'static str)],
    /// The columns that hold numbers.
    pub(super) numbers: std::ops::Range<usize>,
    /// The cells as printed.
    pub(super) rows: Vec<Vec<String>>,
}

impl Listing {
    /// The table as text; on a terminal, long cells wrap to its width.
    pub(super) fn text(self) -> String {
        let header: Vec<&str> = self.columns.iter().map(|(title, _)| *title).collect();
        let mut table = table(&header, self.numbers, self.rows);
        if let Some((Width(columns), _)) = terminal_size_of(std::io::stdout()) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        }
        lines(&table)
    }

    /// The table as JSON: an object per row, with numbers to the printed digits and null where there is none.
    pub(super) fn json(&self) -> Value {
        let cell = |(place, cell): (usize, &String)| match self.numbers.contains(&place) {
            true => cell.parse::<u64>().map_or_else(|_| cell.parse::<f64>().ok().into(), Value::from),
            false => Value::from(cell.as_str()),
        };
        let object = |row: &Vec<String>| {
            let keys = self.columns.iter().map(|(_, key)| key.to_string());
            keys.zip(row.iter().enumerate().map(cell)).collect::<Map<_, _>>()
        };
        self.rows.iter().map(object).collect()
    }
}

/// A table with a header row; columns whose index is in `numbers` are aligned right.
pub(super) fn render(header: &[&str], numbers: std::ops::Range<usize>, rows: Vec<Vec<String>>) -> String {
    lines(&table(header, numbers, rows))
}

fn table(header: &[&str], numbers: std::ops::Range<usize>, rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let shown = |row: Vec<String>| row.iter().map(|cell| visible_line(cell).into_owned()).collect::<Vec<_>>();
    table.set_header(header).add_rows(rows.into_iter().map(shown));
    for i in numbers {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

/// The rows as CSV below a header of the same length.
pub(super) fn csv(header: &[impl AsRef<[u8]>], rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "writing to memory does not fail, and all rows have the same length";
    writer.write_record(header).expect(in_memory);
    rows.iter().for_each(|row| writer.write_record(row).expect(in_memory));
    String::from_utf8(writer.into_inner().expect(in_memory)).expect("the cells are UTF-8")
}
