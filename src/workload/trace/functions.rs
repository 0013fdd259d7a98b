//! The invocations per minute of Azure Functions, 2019 (Shahrad et al., Serverless in the Wild, ATC 2020; CC-BY).
//!
//! ```csv
//! HashOwner,HashApp,HashFunction,Trigger,1,2,3
//! o,shop,search,http,0,12,3
//! ```
//! A file is a day: a row per function, and a column per minute from 1 on. The application is the tenant and the
//! function is the network. The published counts do not say when within its minute a request came: times are drawn
//! uniformly, as they are in a Poisson process of which the number of requests is known, from a fixed random stream per
//! function and minute, so that every run and every tenant sees the same times. All counts of a file are in memory, eight
//! bytes for each that is not 0; requests are drawn minute by minute.

use std::fs::File;

use rand::RngExt;

use super::{Names, Raw};
use crate::files::{CsvFile, InputError, Record};
use crate::rng;

/// The minutes of a day.
const MINUTES: usize = 1_440;

/// The columns before them.
const NAMES: [&str; 4] = ["HashOwner", "HashApp", "HashFunction", "Trigger"];

/// Those of them that are read.
const READ: [&str; 2] = ["HashApp", "HashFunction"];

const PS_PER_MINUTE: i128 = 60_000_000_000_000;

/// The most requests of a minute. Our choice, because all requests of a minute are in memory, and so many take 0.5 GB.
const MAX_OF_MINUTE: u64 = 10_000_000;

/// A function: what its requests ask for, and where it stands.
struct Function {
    /// Application and function, as in the file.
    stream: String,
    /// Its requests, but for their times.
    request: Raw,
}

/// The requests of a file, minute by minute.
pub(super) struct Rows {
    functions: Vec<Function>,
    /// Functions with requests, and how many, by minute.
    counts: Vec<Vec<(u32, u32)>>,
    /// The next minute to draw, and the requests of the one before that are left.
    minute: usize,
    drawn: std::vec::IntoIter<Raw>,
}

/// Whether a file has counts per function and minute.
pub(super) fn are_in(file: &CsvFile<File>) -> bool {
    file.find("HashFunction").is_some()
}

/// The columns that are not read, if there are any.
pub(super) fn ignored(file: &CsvFile<File>) -> Option<Vec<&'static str>> {
    let ignored: Vec<_> =
        NAMES.into_iter().filter(|name| !READ.contains(name) && file.find(name).is_some()).collect();
    (!ignored.is_empty()).then_some(ignored)
}

impl Rows {
    /// Reads all counts.
    pub(super) fn read(mut file: CsvFile<File>, names: &mut Names) -> Result<Self, InputError> {
        let [app, function] = [file.column(READ[0])?, file.column(READ[1])?];
        let places = minutes(&file)?;
        let mut counts = vec![Vec::new(); places.len()];
        let (mut functions, mut totals) = (Vec::new(), vec![0; places.len()]);
        let mut record = Record::default();
        while file.read(&mut record)? {
            let [app, function] = [file.text(&record, app)?, file.text(&record, function)?];
            let (tenant, network) = (Some(names.id(&app)), Some(names.id(&function)));
            let line = u32::try_from(record.line()).unwrap_or(0);
            for (minute, &place) in places.iter().enumerate() {
                // Most fields; others may be written in any notation.
                if record.get(place) == "0" {
                    continue;
                }
                let count = file.whole(&record, place)?;
                totals[minute] += count.min(MAX_OF_MINUTE + 1);
                if totals[minute] > MAX_OF_MINUTE {
                    let message =
                        format!("{count}: expected at most {MAX_OF_MINUTE} requests a minute in all");
                    return Err(file.field_error(&record, place, message));
                }
                if count > 0 {
                    counts[minute].push((functions.len() as u32, count as u32));
                }
            }
            let request = Raw { time_ps: 0, within_ps: None, priority: None, tenant, network, line };
            functions.push(Function { stream: format!("{app}/{function}"), request });
        }
        Ok(Self { functions, counts, minute: 0, drawn: Vec::new().into_iter() })
    }

    /// The next request in order of time.
    pub(super) fn next(&mut self) -> Option<Raw> {
        loop {
            if let Some(request) = self.drawn.next() {
                return Some(request);
            }
            self.drawn = self.draw(self.counts.get(self.minute)?).into_iter();
            self.minute += 1;
        }
    }

    /// Draws the requests of the next minute.
    fn draw(&self, counts: &[(u32, u32)]) -> Vec<Raw> {
        let mut drawn = Vec::new();
        for &(function, count) in counts {
            let Function { stream, request } = &self.functions[function as usize];
            let mut rng = rng::stream(self.minute as u64, "azure functions", stream);
            drawn.extend((0..count).map(|_| {
                let within = rng.random::<f64>() * PS_PER_MINUTE as f64;
                Raw { time_ps: self.minute as i128 * PS_PER_MINUTE + within as i128, ..*request }
            }));
        }
        drawn.sort_by_key(|request| request.time_ps);
        drawn
    }
}

/// The places of the minutes, from 1 on without a gap.
fn minutes(file: &CsvFile<File>) -> Result<Vec<usize>, InputError> {
    let mut places = [None; MINUTES];
    for (place, name) in file.named() {
        let minute = name.parse().ok().filter(|minute| (1..=MINUTES).contains(minute));
        let known = NAMES.contains(&name) && file.find(name) == Some(place);
        match minute {
            Some(minute) if places[minute - 1].is_none() => places[minute - 1] = Some(place),
            None if known => {}
            _ => {
                let message =
                    format!("column `{name}`: expected {} and 1 to {MINUTES}, each once", NAMES.join(", "));
                return Err(file.header_error(message));
            }
        }
    }
    let last = places.iter().rposition(Option::is_some).unwrap_or(0);
    let missing = |minute| file.header_error(format!("no column `{minute}`: expected all minutes from 1 on"));
    (0..=last).map(|i| places[i].ok_or_else(|| missing(i + 1))).collect()
}
