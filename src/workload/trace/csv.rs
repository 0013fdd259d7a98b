//! The three kinds of CSV, told by their headers.

use jiff::civil::{DateTime, date};

use super::{BEYOND_CLOCK, Recording, Row};
use crate::files::{CsvLines, InputError, Source, csv_error, did_you_mean};
use crate::units::Time;

/// What is read of a file with a certain header.
struct Columns {
    time: usize,
    tenant: Option<usize>,
    network: Option<usize>,
    /// Reads a time in picoseconds.
    read: fn(&str) -> Result<i128, String>,
    /// Whether the origin of the times means nothing, so that the first request is put at 0.
    shift: bool,
}

pub(super) fn read(source: &Source) -> Result<Recording, InputError> {
    let path = &source.path;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source.text.as_bytes());
    let header = reader.headers().map_err(|e| csv_error(source, &e))?;
    let columns = Columns::of(header).map_err(|message| InputError::at_line(path, 1, message))?;
    let mut trace = Recording::empty(path);
    let mut times_ps = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut lines = CsvLines::new(&source.text);
    while reader.read_record(&mut record).map_err(|e| csv_error(source, &e))? {
        let line = lines.of(record.position());
        let time_ps = (columns.read)(&record[columns.time])
            .map_err(|e| InputError::at_field(path, line, columns.time, e))?;
        times_ps.push(time_ps);
        let mut name = |column: Option<usize>| {
            let name = column.map(|column| &record[column]).filter(|name| !name.is_empty());
            name.map(|name| trace.names.id(name))
        };
        let (tenant, network) = (name(columns.tenant), name(columns.network));
        trace.rows.push(Row { time: Time::ZERO, tenant, network, line: line as u32 });
    }
    let first_ps = times_ps.iter().copied().min().filter(|_| columns.shift).unwrap_or(0);
    for (place, time_ps) in times_ps.into_iter().enumerate() {
        let time = u64::try_from(time_ps - first_ps).map(Time).ok().filter(|&time| time < Time::MAX);
        let row = trace.rows[place];
        trace.rows[place].time = time.ok_or_else(|| trace.error(&row, BEYOND_CLOCK))?;
    }
    Ok(trace)
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, String> {
        let place = |name: &str| header.iter().position(|column| column == name);
        if let Some(time) = place("t_s") {
            if let Some(other) = header.iter().find(|column| !["t_s", "tenant", "network"].contains(column)) {
                let hint = did_you_mean(other, ["tenant", "network"]);
                return Err(format!(
                    "unknown column `{other}`{hint}: beside `t_s` expected `tenant` and `network`"
                ));
            }
            let (tenant, network) = (place("tenant"), place("network"));
            return Ok(Self { time, tenant, network, read: seconds, shift: false });
        }
        if let Some(time) = place("TIMESTAMP") {
            return Ok(Self { time, tenant: None, network: None, read: instant, shift: true });
        }
        if let (Some(time), Some(model)) = (place("Timestamp"), place("Model")) {
            return Ok(Self { time, tenant: None, network: Some(model), read: seconds, shift: true });
        }
        Err("no known trace: expected a column `t_s` (mascot), `TIMESTAMP` (Azure LLM), or `Timestamp` and `Model` \
             (BurstGPT)"
            .into())
    }
}

const PS_PER_S: i128 = 1_000_000_000_000;

/// The finest decimal of a second that is read; finer digits are cut.
const DIGITS: usize = 12;

/// Decimal seconds, exactly where they are written without an exponent.
fn seconds(text: &str) -> Result<i128, String> {
    let wrong = || format!("`{text}` is no time: expected seconds from 0 on");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) && !whole.is_empty() {
        let fraction = format!("{:0<DIGITS$}", &fraction[..fraction.len().min(DIGITS)]);
        let whole: i128 = whole.parse::<u64>().map_err(|_| wrong())?.into();
        return Ok(whole * PS_PER_S + fraction.parse::<i128>().expect("twelve digits"));
    }
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    // Times above the clock's end saturate and are refused with it.
    if seconds >= 0.0 && seconds.is_finite() { Ok((seconds * PS_PER_S as f64) as i128) } else { Err(wrong()) }
}

/// A date with a time of day. An offset from UTC is ignored: all rows of a trace have the same.
fn instant(text: &str) -> Result<i128, String> {
    let instant: DateTime = text
        .parse()
        .map_err(|_| format!("`{text}` is no date: expected one like 2023-11-16 18:17:03.9799600"))?;
    Ok(instant.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_nanos() * 1_000)
}
