//! How long a run takes to settle after its conditions changed (`[[drift]]`).

use super::serving::{AnswerRow, ServingGroup};
use super::{Column, Value};
use crate::units::Time;

/// The length of the moving mean. Our choice, after the unit in which drift is given.
const SPAN: Time = Time(1_000_000_000_000);

/// The share of the final quality that counts as settled. Our choice.
const SETTLED: f64 = 0.95;

/// The column of serving.csv that experiments with drift add.
pub const ADAPT_COLUMNS: &[Column<ServingGroup>] = &[Column::lower(
    "adapt_s",
    "Seconds from the last change of conditions to the first time from which the mean quality of the requests that arrived \
     in the last second stays at 95 % or more of what it is in the last quarter of the time after the change; empty without \
     a change",
    |group: &ServingGroup| group.adapt_s.map_or(Value::NONE, Value::Real),
)];

/// The time in seconds from a change until the moving mean of the quality stays near its final value; `None` if nothing is
/// measured after the change. Rows are in the order of arrival.
pub fn adapt_s(rows: &[AnswerRow], change: Time) -> Option<f64> {
    let after = rows.partition_point(|row| row.asked.arrival < change);
    let after = &rows[after..];
    let end = after.last()?.asked.arrival;
    let quarter = end - Time((end - change).0 / 4);
    let last = &after[after.partition_point(|row| row.asked.arrival < quarter)..];
    let level = SETTLED * last.iter().map(|row| row.quality).sum::<f64>() / last.len() as f64;
    // The mean over the last second, at each arrival; the time until the first is that of an empty mean.
    let (mut first, mut sum, mut settled) = (0, 0.0, Some(change));
    for (place, row) in after.iter().enumerate() {
        sum += row.quality;
        while after[first].asked.arrival + SPAN <= row.asked.arrival {
            sum -= after[first].quality;
            first += 1;
        }
        let mean = sum / (place + 1 - first) as f64;
        // A rounding error of the moving sum is no fall.
        match mean + 1e-9 >= level {
            true => settled = settled.or(Some(row.asked.arrival)),
            false => settled = None,
        }
    }
    let settled = settled.unwrap_or(end);
    Some((settled - change).as_s())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Request, RequestId};
    use crate::workload::Qos;

    /// A request every 100 ms, of these qualities.
    fn rows(qualities: impl IntoIterator<Item = f64>) -> Vec<AnswerRow> {
        let row = |(place, quality): (usize, f64)| {
            let arrival = Time::from_s(0.1 * place as f64);
            let asked =
                Request { tenant: 0, network: 0, priority: 1, qos: Qos::M, arrival, deadline: Time::MAX };
            let [dispatch, network, queue, service] = [Time::ZERO; 4];
            let (request, answer, loss, served) = (RequestId(place as u32), None, None, true);
            AnswerRow { request, asked, answer, loss, quality, served, dispatch, network, queue, service }
        };
        qualities.into_iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_run_settles_when_the_last_second_is_good_for_good() {
        let change = Time::from_s(1.0);
        // 1 s before, 2 s of 0, then 0.8 for ever: ten in the last second are at 0.8 x 0.95 only if all of them are good.
        let dip = (0..120).map(|place| if (10..30).contains(&place) { 0.0 } else { 0.8 });
        let found = adapt_s(&rows(dip), change).expect("there are requests after it");
        assert!((found - 2.9).abs() < 1e-9, "{found}");
        assert_eq!(adapt_s(&rows((0..120).map(|_| 0.8)), change), Some(0.0), "nothing happens");
        assert_eq!(adapt_s(&rows((0..5).map(|_| 0.8)), change), None, "nothing comes");
        // One that falls to the end settles there.
        let worse = adapt_s(&rows((0..120).map(|place| 1.0 - 0.008 * f64::from(place))), change);
        assert!((worse.expect("there are requests after it") - 10.9).abs() < 1e-9, "{worse:?}");
    }
}
