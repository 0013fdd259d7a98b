//! Writes a trace so that reading it back gives the same picoseconds.

use crate::units::Time;

/// Writes `t_s,tenant,network` rows.
pub fn to_csv<'a>(rows: impl Iterator<Item = (Time, &'a str, &'a str)>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "writing rows of one length to memory does not fail";
    writer.write_record(["t_s", "tenant", "network"]).expect(in_memory);
    for (time, tenant, network) in rows {
        writer.write_record([&seconds(time), tenant, network]).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

/// A time in seconds, with all digits that are needed.
fn seconds(time: Time) -> String {
    const PS_PER_S: u64 = 1_000_000_000_000;
    let text = format!("{}.{:012}", time.0 / PS_PER_S, time.0 % PS_PER_S);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
