//! The page on a request, and the list of the latest ones, as JSON. The guide documents the fields (`results.md`).

use serde_json::{Map, Value, json};

use super::text::told_cause;
use crate::experiment::KEYS;
use crate::results::{
    Answered, Asked, Cause, Explanation, Members, Moved, Others, Ran, Stepped, Use, Wait, Waiting, Way,
};
use crate::units::Time;

/// The latest requests.
pub(super) fn listed(all: &[Asked]) -> Value {
    all.iter().map(asked).collect()
}

/// A request, and everything that the page says of it.
pub(super) fn page(of: &Explanation) -> Value {
    let mut page = asked(&of.asked);
    let Waiting { dispatch, links, site_queue, unassigned, deciding, queue, unstarted } = of.waiting();
    let slowed = of.layers.iter().filter(|of| of.slowed() > Time::ZERO);
    let own = slowed.fold(0.0, |sum, of| sum + of.dram_bytes);
    let decision = |(decided, assigned): &(Time, Time)| json!({ "decided_us": decided.as_us(), "assigned_us": assigned.as_us() });
    let more = json!({
        "way": of.way.as_ref().map(way),
        "waiting": {
            "dispatch_us": dispatch.as_us(),
            "links_us": links.as_us(),
            "site_queue_us": site_queue.as_us(),
            "unassigned_us": unassigned.as_us(),
            "deciding_us": deciding.as_us(),
            "queue_us": queue.as_us(),
            "unstarted_us": unstarted.as_us(),
        },
        "layers": of.layers.iter().map(layer).collect::<Value>(),
        "waits": of.waits.iter().map(|one| wait(of, one)).collect::<Value>(),
        "dram": { "own_bytes": own, "others": of.moved.iter().map(moved).collect::<Value>() },
        "decisions": of.decisions.iter().map(decision).collect::<Value>(),
        "cause": { "kind": kind(&of.cause), "sentence": told_cause(of) },
    });
    let (Value::Object(page_fields), Value::Object(more)) = (&mut page, more) else {
        unreachable!("both are written as objects")
    };
    page_fields.extend(more);
    page
}

fn asked(of: &Asked) -> Value {
    let cell = KEYS.iter().zip(&of.cell).filter(|(_, value)| !value.is_empty());
    let cell: Map<String, Value> =
        cell.map(|(key, value)| ((*key).to_string(), value.as_str().into())).collect();
    json!({
        "cell": cell,
        "request": of.request,
        "tenant": of.tenant,
        "network": of.network,
        "priority": of.priority.parse::<u64>().ok(),
        "qos": of.qos,
        "arrival_us": of.arrival.as_us(),
        "deadline_us": of.deadline.as_us(),
        "end_us": of.end.as_us(),
        "isolated_us": of.isolated.as_us(),
        "outcome": outcome(of),
        "loss": Some(&of.loss).filter(|loss| !loss.is_empty()),
        "lateness_us": of.lateness_us(),
        "waiting_us": of.waiting.as_us(),
        "running_us": of.running.as_us(),
        "slowed_us": of.slowed.as_us(),
    })
}

fn outcome(of: &Asked) -> &'static str {
    match (of.finish, of.is_dropped) {
        (Some(_), _) if of.is_met() => "met",
        (Some(_), _) => "missed",
        (None, true) => "dropped",
        (None, false) => "open",
    }
}

fn layer(of: &Ran) -> Value {
    json!({
        "layer": of.layer,
        "accelerator": of.accelerator,
        "ready_us": of.ready.as_us(),
        "assigned_us": of.assigned.as_us(),
        "start_us": of.start.as_us(),
        "end_us": of.end.as_us(),
        "waited_us": of.waited().as_us(),
        "slowed_us": of.slowed().as_us(),
        "alone_us": of.alone.as_us(),
        "dram_bytes": of.dram_bytes,
    })
}

fn wait(of: &Explanation, wait: &Wait) -> Value {
    json!({
        "from_us": wait.from.as_us(),
        "to_us": wait.to.as_us(),
        "before": wait.before.map(|place| &of.layers[place].layer),
        "unassigned_us": wait.unassigned.as_us(),
        "deciding_us": wait.deciding.as_us(),
        "queue_us": wait.queue.as_us(),
        "ahead": wait.ahead.iter().map(used).collect::<Value>(),
        "meanwhile": wait.meanwhile.iter().map(others).collect::<Value>(),
    })
}

fn used(of: &Use) -> Value {
    json!({
        "accelerator": of.accelerator,
        "tenant": of.tenant,
        "network": of.network,
        "request": of.request,
        "time_us": of.time.as_us(),
    })
}

fn others(of: &Others) -> Value {
    json!({
        "tenant": of.tenant,
        "network": of.network,
        "requests": of.requests,
        "time_us": of.time.as_us(),
        "longest": used(&of.longest),
    })
}

fn moved(of: &Moved) -> Value {
    json!({ "tenant": of.tenant, "network": of.network, "request": of.request, "bytes": of.bytes })
}

fn way(of: &Way) -> Value {
    json!({
        "steps": of.steps.iter().map(step).collect::<Value>(),
        "answer": of.answer.as_ref().map(answer),
        "order": of.order.as_ref().map(order),
        "queue": of.queue.iter().map(others).collect::<Value>(),
    })
}

fn step(of: &Stepped) -> Value {
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "step": of.step,
        "from": some(&of.from),
        "to": some(&of.to),
        "site": some(&of.site),
        "start_us": of.start.as_us(),
        "end_us": of.end.map(Time::as_us),
    })
}

fn answer(of: &Answered) -> Value {
    json!({
        "site": of.site,
        "variant": of.variant,
        "batch": of.batch,
        "quality": of.quality,
        "served": of.is_served,
    })
}

fn order(of: &Members) -> Value {
    json!({
        "site": of.site,
        "number": of.number,
        "requests": of.requests,
        "measured": of.measured,
        "booked_to": of.booked_to,
    })
}

/// The word for a cause.
fn kind(cause: &Cause) -> &'static str {
    match cause {
        Cause::Deadline => "deadline",
        Cause::Dispatch(_) => "dispatch",
        Cause::Links(_) => "links",
        Cause::SiteQueue(..) => "site_queue",
        Cause::Queues(..) => "queue",
        Cause::Unassigned(..) => "unassigned",
        Cause::Deciding(_) => "deciding",
        Cause::NeverStarted(_) => "unstarted",
        Cause::Slowed(..) => "slowed",
        Cause::Accelerators(_) => "accelerators",
        Cause::Nothing => "nothing",
    }
}
