//! The part of the page that only requests of fleets have: the way to a site and back, and the order.

use super::super::table::render;
use super::text::{count, ms, others, percent, signed_ms, told};
use crate::results::{Explanation, Members, Stepped};

/// The steps of a request of a fleet, its order, and what its site ran meanwhile; nothing on a system.
pub(super) fn way(of: &Explanation, all: bool) -> String {
    let Some(way) = &of.way else { return String::new() };
    let row = |step: &Stepped| {
        let end = step.end.unwrap_or(of.asked.end);
        let time = end - step.start;
        let ends = [step.start, end].map(|at| signed_ms(at, of.asked.arrival));
        let [start, end] = ends;
        vec![what(step), start, end, ms(time), percent(time, of.asked.took())]
    };
    let table = render(&["its way", "from", "to", "ms", "%"], 1..5, way.steps.iter().map(row).collect());
    let order = way.order.as_ref().map(told_order).unwrap_or_default();
    let title = way.steps.iter().find(|step| step.step == "queue");
    let title =
        title.map(|step| format!("while it stood in the queue, {} ran", step.site)).unwrap_or_default();
    format!(
        "{table}times in ms after its arrival\n{order}{}",
        told(&title, &way.queue, all, others).trim_start()
    )
}

/// A step in words.
fn what(step: &Stepped) -> String {
    let Stepped { from, to, site, .. } = step;
    match step.step.as_str() {
        "dispatch" if site.is_empty() => "at its node, until it was given up".into(),
        "dispatch" => format!("at its node, until it was sent to {site}"),
        "there" | "back" => format!("{}: {from} to {to}", step.step),
        "queue" => format!("in the queue of {site}"),
        _ => format!("in service at {site}"),
    }
}

fn told_order(order: &Members) -> String {
    let Members { site, number, requests, measured, booked_to } = order;
    let names: Vec<String> = measured.iter().map(u64::to_string).collect();
    let others = requests - measured.len() as u64;
    let others = if others == 0 { String::new() } else { format!(" and {others} that are not measured") };
    let noun = if measured.len() == 1 { "request" } else { "requests" };
    format!(
        "order {number} of {site} served {}: {noun} {}{others}; its layers are those of request {booked_to} in layers.csv\n",
        count(*requests, "request"),
        names.join(", ")
    )
}
