//! The page on a request as text.

use super::super::table::render;
use super::Options;
use super::way::way;
use crate::experiment::KEYS;
use crate::files::{quoted, quoted_path};
use crate::results::{Asked, Cause, Explanation, Moved, Others, Ran, Use, Wait, Waiting, number};
use crate::units::Time;

/// The most layers that the table lists without `--all`. Our choice, because more do not fit a page.
const LAYERS: usize = 16;

/// The most waits, and the most others of a wait, that are listed without `--all`. Our choice, for the same reason.
const WAITS: usize = 5;
const OTHERS: usize = 3;

/// The table of the latest requests, with the keys in which their cells may differ.
pub(super) fn listed(all: &[Asked], keys: &[usize], options: &Options) -> String {
    let titles =
        ["request", "tenant", "network", "arrival ms", "ended", "waiting ms", "running ms", "slowed ms"];
    let header: Vec<&str> = keys.iter().map(|&key| KEYS[key]).chain(titles).collect();
    let row = |asked: &Asked| {
        let of_keys = keys.iter().map(|&key| asked.cell[key].clone());
        let shares = [asked.waiting, asked.running, asked.slowed].map(ms);
        let own = [
            asked.request.to_string(),
            asked.tenant.clone(),
            asked.network.clone(),
            ms(asked.arrival),
            ended(asked),
        ];
        of_keys.chain(own).chain(shares).collect()
    };
    let missed = all.iter().filter(|asked| !asked.is_met()).count();
    let closest =
        if missed == 0 { "no measured request missed its deadline; these came closest\n" } else { "" };
    let how = all.first().map(|first| format!("explain the first with: {}\n", command(first, keys, options)));
    let note = closest.to_string() + &how.unwrap_or_default();
    render(&header, header.len() - 3..header.len(), all.iter().map(row).collect()) + &note
}

/// The command that explains a request: with the cells that were asked for, and the keys in which these differ.
fn command(of: &Asked, keys: &[usize], options: &Options) -> String {
    let given =
        options.cell.iter().map(|(key, value)| format!(" --cell {}", quoted(&format!("{key}={value}"))));
    let cell =
        keys.iter().map(|&key| format!(" --cell {}", quoted(&format!("{}={}", KEYS[key], of.cell[key]))));
    let cell: String = given.chain(cell).collect();
    format!("mascot explain {} --request {}{cell}", quoted_path(&options.folder), of.request)
}

/// The page on a request; `all` leaves nothing out.
pub(super) fn page(of: &Explanation, all: bool) -> String {
    let sections = [
        head(of),
        way(of, all),
        shares(of),
        layers(of, all),
        waits(of, all),
        bandwidth(of, all),
        decisions(of),
        cause(of),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(of: &Explanation) -> String {
    let asked = &of.asked;
    let named = KEYS.iter().zip(&asked.cell).take(6).filter(|(_, value)| !value.is_empty());
    let cell: Vec<String> = named.map(|(key, value)| format!("{key}={value}")).collect();
    let Asked { request, tenant, network, priority, qos, .. } = asked;
    let due = asked.deadline.saturating_sub(asked.arrival);
    let by = match of.way.as_ref().and_then(|way| way.answer.as_ref()) {
        Some(answer) => {
            format!("; answered by {} at {}, batch {}", answer.variant, answer.site, answer.batch)
        }
        None => String::new(),
    };
    format!(
        "request {request} of tenant {tenant}: {network}, priority {priority}, QoS {qos}\n{}\narrived {} ms, due {} ms later; \
         alone the network takes {} ms\n{}{by}\n",
        cell.join(" "),
        ms(asked.arrival),
        ms(due),
        ms(asked.isolated),
        ended(asked)
    )
}

/// How a request ended.
fn ended(asked: &Asked) -> String {
    let late_us = asked.lateness_us();
    let late = format!("{} ms", number(Some(late_us.abs() / 1e3), 3));
    match (asked.finish, asked.is_dropped, asked.loss.as_str()) {
        (Some(_), ..) if asked.is_met() => format!("met, {late} early"),
        (Some(_), ..) => format!("missed by {late}"),
        (None, true, "late") => "dropped as late, at its deadline".into(),
        (None, true, by) => {
            let when = if late_us <= 0.0 { "before" } else { "after" };
            format!("dropped by the {by}, {late} {when} its deadline")
        }
        (None, false, _) if late_us <= 0.0 => "open at the end of the run".into(),
        (None, false, _) => format!("open at the end of the run, {late} late"),
    }
}

fn shares(of: &Explanation) -> String {
    let asked = &of.asked;
    let total = asked.took();
    let Waiting { dispatch, links, site_queue, unassigned, deciding, queue, unstarted } = of.waiting();
    let of_waits = [
        ("  at its node", dispatch),
        ("  on links", links),
        ("  in the queue of the site", site_queue),
        ("  unassigned", unassigned),
        ("  latency of decisions", deciding),
        ("  in queues", queue),
        ("  until the end", unstarted),
    ];
    let parts = std::iter::once(("waiting", asked.waiting))
        .chain(of_waits.into_iter().filter(|(_, time)| *time > Time::ZERO))
        .chain([("running", asked.running), ("slowed", asked.slowed), ("sum", total)]);
    let row = |(name, time): (&str, Time)| vec![name.to_string(), ms(time), percent(time, total)];
    render(&["its time", "ms", "%"], 1..3, parts.map(row).collect())
}

fn layers(of: &Explanation, all: bool) -> String {
    let mut places: Vec<usize> = (0..of.layers.len()).collect();
    let lost = |layer: &Ran| layer.waited() + layer.slowed();
    if !all && places.len() > LAYERS {
        places.sort_by_key(|&place| std::cmp::Reverse(lost(&of.layers[place])));
        places.truncate(LAYERS);
        places.sort_unstable();
    }
    let since = |time: Time| signed_ms(time, of.asked.arrival);
    let row = |&place: &usize| {
        let layer = &of.layers[place];
        let times_alone = layer.took().as_ps() / layer.alone.as_ps();
        let mut row = vec![layer.layer.clone(), layer.accelerator.clone()];
        row.extend([layer.ready, layer.assigned, layer.start, layer.end].map(since));
        row.extend([ms(layer.waited()), ms(layer.slowed()), number(Some(times_alone), 2)]);
        row
    };
    let header = ["layer", "accelerator", "ready", "assigned", "start", "end", "waited", "slowed", "x alone"];
    let rows: Vec<Vec<String>> = places.iter().map(row).collect();
    let left_out = of.layers.len() - rows.len();
    let note = match (of.layers.len(), left_out) {
        (0, _) => return "none of its layers ended\n".into(),
        (_, 0) => "times in ms after its arrival\n".into(),
        _ => format!(
            "times in ms after its arrival; {left_out} layers that lost less time are left out (--all lists them)\n"
        ),
    };
    render(&header, 2..9, rows) + &note
}

fn waits(of: &Explanation, all: bool) -> String {
    let mut longest: Vec<&Wait> = of.waits.iter().collect();
    longest.sort_by_key(|wait| std::cmp::Reverse(wait.length()));
    let most = if all { longest.len() } else { WAITS };
    let shown = &longest[..most.min(longest.len())];
    let mut text: String = shown.iter().map(|wait| one_wait(of, wait, all)).collect();
    if longest.len() > shown.len() {
        let rest: Time = longest[shown.len()..].iter().map(|wait| wait.length()).sum();
        text += &format!("{} shorter waits, {} ms together\n", longest.len() - shown.len(), ms(rest));
    }
    text
}

fn one_wait(of: &Explanation, wait: &Wait, all: bool) -> String {
    let from = signed_ms(wait.from, of.asked.arrival);
    let what = match wait.before.map(|place| &of.layers[place]) {
        Some(Ran { layer, accelerator, .. }) => {
            let parts = [
                (wait.unassigned, "unassigned".to_string()),
                (wait.deciding, "for the latency of the decision".to_string()),
                (wait.queue, format!("in the queue of {accelerator}")),
            ];
            let parts = parts.iter().filter(|(time, _)| *time > Time::ZERO);
            let parts: Vec<String> = parts.map(|(time, what)| format!("{} ms {what}", ms(*time))).collect();
            format!("before {layer}: {}", parts.join(", "))
        }
        None => "until the end: no further layer started".into(),
    };
    let text = format!("waited {} ms from {from} on, {what}\n", ms(wait.length()));
    text + &told("there ran", &wait.ahead, all, ahead) + &told("meanwhile", &wait.meanwhile, all, others)
}

/// A line that names the first of some others, or all.
pub(super) fn told<T>(title: &str, of: &[T], all: bool, name: fn(&T) -> String) -> String {
    let most = if all { of.len() } else { OTHERS.min(of.len()) };
    let named: Vec<String> = of[..most].iter().map(name).collect();
    match of.len() - most {
        _ if of.is_empty() => String::new(),
        0 => format!("  {title}: {}\n", named.join(", ")),
        more => format!("  {title}: {}, {more} more\n", named.join(", ")),
    }
}

fn ahead(of: &Use) -> String {
    format!("{} (request {}) {} ms", who(&of.tenant, &of.network), of.request, ms(of.time))
}

pub(super) fn others(of: &Others) -> String {
    let (who, time) = (who(&of.tenant, &of.network), ms(of.time));
    let Use { request, accelerator, .. } = &of.longest;
    match of.requests {
        1 => format!("{who} {time} ms (request {request} on {accelerator})"),
        count => format!("{who} {time} ms ({count} requests, longest {request} on {accelerator})"),
    }
}

/// A network and its tenant, if that has another name.
fn who(tenant: &str, network: &str) -> String {
    if tenant == network { network.to_string() } else { format!("{network} of {tenant}") }
}

fn bandwidth(of: &Explanation, all: bool) -> String {
    let slowed = || of.layers.iter().filter(|layer| layer.slowed() > Time::ZERO);
    let count = slowed().count();
    if count == 0 {
        return String::new();
    }
    let own: f64 = slowed().map(|layer| layer.dram_bytes).sum();
    let total = own + of.moved.iter().map(|moved| moved.bytes).sum::<f64>();
    let share = |bytes: f64| format!("{} %", number(Some(100.0 * bytes / total), 1));
    let most = if all { of.moved.len() } else { WAITS.min(of.moved.len()) };
    let other = |Moved { tenant, network, request, bytes }: &Moved| {
        format!("{} (request {request}) {}", who(tenant, network), share(*bytes))
    };
    let mut others: Vec<String> = of.moved[..most].iter().map(other).collect();
    if of.moved.len() > most {
        let rest: f64 = of.moved[most..].iter().map(|moved| moved.bytes).sum();
        others.push(format!("{} more {}", of.moved.len() - most, share(rest)));
    }
    let others = if others.is_empty() { "nobody else".into() } else { others.join(", ") };
    format!(
        "while its {count} slowed layers ran, of the DRAM traffic were its own {}; {others}\n",
        share(own)
    )
}

fn decisions(of: &Explanation) -> String {
    let latency: Time =
        of.decisions.iter().map(|(decided, assigned)| assigned.saturating_sub(*decided)).sum();
    match of.decisions.len() {
        0 => String::new(),
        1 => format!("1 decision put its layers on their accelerators; it took {} ms\n", ms(latency)),
        count => format!(
            "{count} decisions put its layers on their accelerators; they took {} ms together\n",
            ms(latency)
        ),
    }
}

/// The closing sentence, as a line.
fn cause(of: &Explanation) -> String {
    told_cause(of) + "\n"
}

/// The closing sentence.
pub(super) fn told_cause(of: &Explanation) -> String {
    let asked = &of.asked;
    let total = asked.took();
    let part = |time: Time| format!("{} ms, {} % of its time", ms(time), percent(time, total));
    let largest =
        if asked.is_met() { "What cost it most, though it was in time" } else { "The largest cause" };
    let what = match &of.cause {
        Cause::Deadline => format!(
            "its deadline came {} ms after its arrival, but alone its network takes {} ms",
            ms(asked.deadline.saturating_sub(asked.arrival)),
            ms(asked.isolated)
        ),
        Cause::Dispatch(time) => {
            format!("it waited at its node for the decision where it goes ({})", part(*time))
        }
        Cause::Links(time) => format!("it was on links ({})", part(*time)),
        Cause::SiteQueue(time, of) => {
            let meanwhile =
                of.as_ref().map(|(tenant, network)| format!(", while mostly {} ran", who(tenant, network)));
            let meanwhile = meanwhile.unwrap_or_default();
            format!("it stood in the queue of its site ({}){meanwhile}", part(*time))
        }
        Cause::Queues(time, None) => format!("it waited in queues ({})", part(*time)),
        Cause::Queues(time, Some((tenant, network, most))) => format!(
            "it waited in queues ({}), longest behind {} ({} ms)",
            part(*time),
            who(tenant, network),
            ms(*most)
        ),
        Cause::Unassigned(time, of) => {
            let meanwhile =
                of.as_ref().map(|(tenant, network)| format!(", while mostly {} ran", who(tenant, network)));
            let meanwhile = meanwhile.unwrap_or_default();
            format!("the scheduler left its next layer unassigned ({}){meanwhile}", part(*time))
        }
        Cause::Deciding(time) => format!("it waited for the latency of decisions ({})", part(*time)),
        Cause::NeverStarted(time) => {
            format!("its next layer had not started when it ended ({})", part(*time))
        }
        Cause::Slowed(time, None) => {
            format!("its layers were slowed, though no others ran ({})", part(*time))
        }
        Cause::Slowed(time, Some((tenant, network))) => format!(
            "its layers were slowed by others on the DRAM ({}), most of all by {}",
            part(*time),
            who(tenant, network)
        ),
        Cause::Accelerators(time) => match of.way.as_ref().and_then(|way| way.order.as_ref()) {
            Some(order) => format!(
                "its order of {} ran longer than its network alone, by {}",
                count(order.requests, "request"),
                part(*time)
            ),
            None => format!(
                "its layers ran on slower accelerators than its network alone would choose ({} longer)",
                part(*time)
            ),
        },
        Cause::Nothing => "none: it took no longer than alone".into(),
    };
    format!("{largest}: {what}.")
}

/// A number of things.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Milliseconds with three decimals.
pub(super) fn ms(time: Time) -> String {
    number(Some(time.as_us() / 1e3), 3)
}

/// Milliseconds after another time, which may be the later one.
pub(super) fn signed_ms(time: Time, origin: Time) -> String {
    number(Some((time.as_us() - origin.as_us()) / 1e3), 3)
}

pub(super) fn percent(part: Time, of: Time) -> String {
    number(Some(100.0 * part.as_ps() / of.as_ps()), 1)
}
