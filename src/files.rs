//! Reading data files and writing results. Every input error names the file, the line, the key and the allowed values.
//! Every output file appears whole or not at all.

pub mod any_path;
mod checked;
mod digest;
mod error;
mod excerpt;
mod folders;
mod node;
mod numbered;
mod numbers;
mod parameters;
mod renamed;
mod rows;
mod schema;
mod shell;
mod source;
mod spanned;
mod suggest;
mod told;
pub mod visible;
mod write;

pub use checked::*;
pub use digest::{hex, sha256, sha256_of_file};
pub use error::InputError;
pub use folders::Folders;
pub use node::{ONE_OR_MANY, ReadError, read_toml, read_value};
pub use numbers::{is_missing, is_no_name, real, whole};
pub use parameters::{NoParameters, Parameter, parse_parameters};
pub use renamed::RENAMED;
pub use rows::{CsvFile, Record};
pub use schema::{any_of, entry_table, schema_of};
pub use shell::{quoted, quoted_path};
pub use source::Source;
pub use spanned::Spanned;
pub use suggest::{did_you_mean, with_suggestion};
pub use visible::{visible, visible_line};
pub use write::{place, temporary_in, write_atomic, write_read_only};

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use std::path::Path;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "clock_mhz")]
        _clock_mhz: Positive,
    }

    fn source(text: &str) -> Source {
        Source { path: "a.toml".into(), text: text.into(), verbatim: true }
    }

    #[test]
    fn a_mark_of_the_encoding_is_no_text() {
        let file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        std::fs::write(file.path(), "\u{feff}clock_mhz = 5\n").expect("the file is ours");
        let source = Source::read(file.path()).expect("it is text");
        assert!(source.text.starts_with("clock_mhz") && source.parse::<Example>().is_ok());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let e = source("clock_mhz = 1\nclok = 2\n").parse::<Example>().unwrap_err();
        assert_eq!(e.line, Some(2));
        assert!(e.to_string().contains("clok"), "{e}");
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_file_is_an_error() {
        let error = Source::read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: larger than 64 MiB");
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let read = |text: &str| parse_parameters::<Example>(&text.parse().expect("TOML")).unwrap_err();
        assert_eq!(read("clok = 1"), "unknown field `clok`, expected `clock_mhz`");
        assert_eq!(read("clock_mhz = -1"), "`clock_mhz` is -1: expected a number from 1e-9 to 1e12");
    }

    #[test]
    fn a_value_out_of_range_says_what_is_allowed() {
        let e = source("\nclock_mhz = -3\n").parse::<Example>().unwrap_err();
        assert_eq!(e.line, Some(2));
        assert!(
            e.to_string().contains("`clock_mhz` is -3: expected a number from 1e-9")
                && e.to_string().contains("^"),
            "{e}"
        );
    }
}
