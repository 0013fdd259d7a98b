//! The three kinds of CSV traces, recognised by their headers and read row by row.

use std::fs::File;
use std::path::Path;

use super::moment::{Moment, date_time, seconds};
use super::{Names, Raw};
use crate::files::{CsvFile, InputError, Record, is_no_name};

/// An open trace in CSV.
pub(super) struct Rows {
    file: CsvFile<File>,
    columns: Columns,
    record: Record,
    /// Whether the times have an offset from UTC, as in the first row.
    is_zoned: Option<bool>,
}

/// The columns that are read from a file with a certain header.
struct Columns {
    time: usize,
    tenant: Option<usize>,
    network: Option<usize>,
    read: fn(&str) -> Result<Moment, String>,
    /// Whether the origin of the times is arbitrary, so that the first request is put at 0.
    shift: bool,
}

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self, InputError> {
        let file = CsvFile::open(path)?;
        let columns = Columns::of(&file)?;
        Ok(Self { file, columns, record: Record::default(), is_zoned: None })
    }

    /// Whether the first request is put at 0.
    pub(super) fn shift(&self) -> bool {
        self.columns.shift
    }

    /// The next row of the file.
    pub(super) fn next(&mut self, names: &mut Names) -> Result<Option<Raw>, InputError> {
        if !self.file.read(&mut self.record)? {
            return Ok(None);
        }
        let time_ps = self.time_ps()?;
        let mut name = |column: Option<usize>| {
            let name = column.map(|column| self.record.get(column)).filter(|name| !is_no_name(name));
            name.map(|name| names.id(name))
        };
        let (tenant, network) = (name(self.columns.tenant), name(self.columns.network));
        let line = u32::try_from(self.record.line()).unwrap_or(0);
        Ok(Some(Raw { time_ps, tenant, network, line }))
    }

    fn time_ps(&mut self) -> Result<i128, InputError> {
        let wrong = |message| self.file.value_error(&self.record, self.columns.time, message);
        let Moment { ps, is_zoned } =
            (self.columns.read)(self.record.get(self.columns.time)).map_err(wrong)?;
        match *self.is_zoned.get_or_insert(is_zoned) == is_zoned {
            true => Ok(ps),
            false if is_zoned => {
                Err(wrong("this time has an offset from UTC, those before it have none".into()))
            }
            false => Err(wrong("this time has no offset from UTC, those before it have one".into())),
        }
    }
}

impl Columns {
    fn of(file: &CsvFile<File>) -> Result<Self, InputError> {
        if let Some(time) = file.find("t_s") {
            file.only(&["t_s", "tenant", "network"])?;
            let (tenant, network) = (file.find("tenant"), file.find("network"));
            return Ok(Self { time, tenant, network, read: seconds, shift: false });
        }
        if let Some(time) = file.find("TIMESTAMP") {
            return Ok(Self { time, tenant: None, network: None, read: date_time, shift: true });
        }
        if let (Some(time), Some(model)) = (file.find("Timestamp"), file.find("Model")) {
            return Ok(Self { time, tenant: None, network: Some(model), read: seconds, shift: true });
        }
        Err(file.header_error(
            "not a known trace: expected a column `t_s` (mascot), `TIMESTAMP` (Azure LLM), or `Timestamp` and `Model` \
             (BurstGPT)",
        ))
    }
}
