//! The CSV traces with a row per request, recognised by their headers and read row by row.

use std::fs::File;

use super::columns::{self, DEADLINE_US, PRIORITY};
use super::moment::{Moment, date_time, seconds};
use super::{Names, Raw, TraceKeys};
use crate::files::{CsvFile, InputError, Record, is_no_name};

/// An open trace in CSV.
pub(super) struct Rows {
    file: CsvFile<File>,
    columns: Columns,
    more: columns::Columns,
    record: Record,
    /// Whether the times have an offset from UTC, as in the first row.
    is_zoned: Option<bool>,
}

/// The columns that are read from a file with a certain header.
struct Columns {
    time: usize,
    tenant: Option<usize>,
    network: Option<usize>,
    /// The seconds from a request to its recorded time, if that is its end.
    duration: Option<usize>,
    read: fn(&str) -> Result<Moment, String>,
    /// Whether the origin of the times is arbitrary, so that the first request is put at 0.
    shift: bool,
}

impl Rows {
    pub(super) fn of(file: CsvFile<File>, keys: &TraceKeys, names: &mut Names) -> Result<Self, InputError> {
        let mut columns = Columns::of(&file, keys)?;
        let more = columns::Columns::of(&file, keys, names)?;
        if more.name_networks() {
            columns.network = None;
        }
        Ok(Self { file, columns, more, record: Record::default(), is_zoned: None })
    }

    /// The columns that are not read, if there are any.
    pub(super) fn ignored(&self) -> Option<Vec<&str>> {
        let Columns { time, tenant, network, duration, .. } = self.columns;
        let read: Vec<usize> =
            [Some(time), tenant, network, duration].into_iter().flatten().chain(self.more.places()).collect();
        let others = self.file.named().filter(|(place, _)| !read.contains(place));
        let ignored: Vec<&str> = others.map(|(_, name)| name).collect();
        (!ignored.is_empty()).then_some(ignored)
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
        let network = network.or(self.more.network(&self.file, &self.record)?);
        let columns::Told { priority, within_ps } = self.more.told(&self.file, &self.record)?;
        let line = u32::try_from(self.record.line()).unwrap_or(0);
        Ok(Some(Raw { time_ps, within_ps, priority, tenant, network, line }))
    }

    fn time_ps(&mut self) -> Result<i128, InputError> {
        let wrong = |message| self.file.value_error(&self.record, self.columns.time, message);
        let Moment { ps, is_zoned } =
            (self.columns.read)(self.record.get(self.columns.time)).map_err(wrong)?;
        match *self.is_zoned.get_or_insert(is_zoned) == is_zoned {
            true => Ok(ps - self.duration_ps()?),
            false if is_zoned => {
                Err(wrong("this time has an offset from UTC, those before it have none".into()))
            }
            false => Err(wrong("this time has no offset from UTC, those before it have one".into())),
        }
    }

    fn duration_ps(&self) -> Result<i128, InputError> {
        let Some(place) = self.columns.duration else { return Ok(0) };
        let read = seconds(self.record.get(place)).map(|duration| duration.ps);
        read.map_err(|message| self.file.field_error(&self.record, place, message))
    }
}

impl Columns {
    fn of(file: &CsvFile<File>, keys: &TraceKeys) -> Result<Self, InputError> {
        let plain =
            |time, read| Self { time, tenant: None, network: None, duration: None, read, shift: true };
        if let Some(time) = file.find("t_s") {
            let mut known = vec!["t_s", "tenant", "network", PRIORITY, DEADLINE_US];
            known.extend(keys.columns());
            file.only(&known)?;
            let (tenant, network) = (file.find("tenant"), file.find("network"));
            return Ok(Self { tenant, network, shift: false, ..plain(time, seconds) });
        }
        if let Some(time) = file.find("TIMESTAMP") {
            return Ok(plain(time, date_time));
        }
        if let (Some(time), Some(model)) = (file.find("Timestamp"), file.find("Model")) {
            return Ok(Self { network: Some(model), ..plain(time, seconds) });
        }
        if let Some(end) = file.find("end_timestamp") {
            let (tenant, network) = (Some(file.column("app")?), Some(file.column("func")?));
            let duration = Some(file.column("duration")?);
            return Ok(Self { tenant, network, duration, ..plain(end, seconds) });
        }
        Err(file.header_error(
            "not a known trace: expected a column `t_s` (mascot), `TIMESTAMP` (Azure LLM), `Timestamp` and `Model` \
             (BurstGPT), `end_timestamp` (Azure Functions 2021), or `HashFunction` (Azure Functions 2019)",
        ))
    }
}
