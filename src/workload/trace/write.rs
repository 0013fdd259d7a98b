//! Writes a trace so that reading it back gives the same picoseconds.

use super::columns::{DEADLINE_US, PRIORITY};
use crate::units::Time;

/// A request to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// When it arrives.
    pub time: Time,
    /// Who sends it.
    pub tenant: &'a str,
    /// What it asks for, with its batch.
    pub network: &'a str,
    /// Its priority.
    pub priority: u32,
    /// The time from arrival to deadline at QoS level M, if it has one.
    pub within: Option<Time>,
}

/// The columns that are written beside `t_s`, `tenant` and `network`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoreColumns {
    /// `priority`.
    pub priority: bool,
    /// `deadline_us`.
    pub deadline: bool,
}

/// Writes `t_s,tenant,network` rows, and the further columns that are asked for.
pub fn to_csv<'a>(rows: impl Iterator<Item = Written<'a>>, more: MoreColumns) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "writing rows of one length to memory does not fail";
    let with = |[t_s, tenant, network, priority, deadline]: [String; 5]| {
        let further = [(more.priority, priority), (more.deadline, deadline)];
        let further = further.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, text)| text);
        [t_s, tenant, network].into_iter().chain(further).collect::<Vec<String>>()
    };
    let header = ["t_s", "tenant", "network", PRIORITY, DEADLINE_US].map(String::from);
    writer.write_record(with(header)).expect(in_memory);
    for Written { time, tenant, network, priority, within } in rows {
        let deadline = within.map(|within| within.as_us().to_string()).unwrap_or_default();
        let row = [seconds(time), tenant.into(), network.into(), priority.to_string(), deadline];
        writer.write_record(with(row)).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

/// A time in seconds, with all digits that are needed.
fn seconds(time: Time) -> String {
    const PS_PER_S: u64 = 1_000_000_000_000;
    let text = format!("{}.{:012}", time.0 / PS_PER_S, time.0 % PS_PER_S);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
