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

/// The table for LaTeX, with the rules of booktabs; from column `numbers` on it is aligned right. The note is a comment.
pub(super) fn latex(header: &[&str], numbers: usize, rows: &[Vec<String>], note: &str) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        cells.map(latex_cell).collect::<Vec<_>>().join(" & ") + " \\\\\n"
    };
    let columns = "l".repeat(numbers) + &"r".repeat(header.len() - numbers);
    let mut text = format!("% {}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n", visible_line(note));
    text += &line(&mut header.iter().copied());
    text += "\\midrule\n";
    rows.iter().for_each(|row| text += &line(&mut row.iter().map(String::as_str)));
    text + "\\bottomrule\n\\end{tabular}\n"
}

/// A cell with the characters that LaTeX reads as commands escaped; a number has a minus sign, and +- the sign for it.
fn latex_cell(cell: &str) -> String {
    if cell.parse::<f64>().is_ok_and(|number| number.is_finite()) && cell.starts_with('-') {
        return format!("$-${}", &cell[1..]);
    }
    let mut text = String::new();
    for c in visible_line(cell).replace("+-", "\u{b1}").chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => text.extend(['\\', c]),
            '\\' => text += "\\textbackslash{}",
            '~' => text += "\\textasciitilde{}",
            '^' => text += "\\textasciicircum{}",
            '<' => text += "$<$",
            '>' => text += "$>$",
            '|' => text += "$|$",
            '\u{b1}' => text += "$\\pm$",
            c => text.push(c),
        }
    }
    text
}

/// The table for Markdown; from column `numbers` on it is aligned right. The note follows.
pub(super) fn markdown(header: &[&str], numbers: usize, rows: &[Vec<String>], note: &str) -> String {
    let cell = |cell: &str| visible_line(cell).replace('\\', "\\\\").replace('|', "\\|");
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let rules = (0..header.len()).map(|place| if place < numbers { "---" } else { "--:" }.to_string());
    let mut text = line(header.iter().map(|name| cell(name)).collect());
    text += &line(rules.collect());
    rows.iter().for_each(|row| text += &line(row.iter().map(|told| cell(told)).collect()));
    text + "\n" + &visible_line(note) + "\n"
}

/// The rows as CSV below a header of the same length.
pub(super) fn csv(header: &[impl AsRef<[u8]>], rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "writing to memory does not fail, and all rows have the same length";
    writer.write_record(header).expect(in_memory);
    rows.iter().for_each(|row| writer.write_record(row).expect(in_memory));
    String::from_utf8(writer.into_inner().expect(in_memory)).expect("the cells are UTF-8")
}

#[cfg(test)]
mod tests {
    use super::{latex, markdown};

    #[test]
    fn latex_escapes_what_it_would_read_as_commands() {
        let rows = [vec!["a_b & 50 %\\".to_string(), "-0.5".into()]];
        let text = latex(&["scheduler", "+- 95 %"], 1, &rows, "sla_rate: 2 cells");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["% sla_rate: 2 cells", "\\begin{tabular}{lr}", "\\toprule"]);
        assert_eq!(lines[3], "scheduler & $\\pm$ 95 \\% \\\\");
        assert_eq!(lines[5], "a\\_b \\& 50 \\%\\textbackslash{} & $-$0.5 \\\\");
        assert_eq!(lines[7], "\\end{tabular}");
    }

    #[test]
    fn markdown_aligns_numbers_right() {
        let text = markdown(&["a", "b"], 1, &[vec!["x|y".to_string(), "1".into()]], "note");
        assert_eq!(text, "| a | b |\n| --- | --: |\n| x\\|y | 1 |\n\nnote\n");
    }
}
