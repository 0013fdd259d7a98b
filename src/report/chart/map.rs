//! A map of a fleet: nodes where they are, links as wide as their bandwidth and as dark as their use, and at each site a
//! bar per accelerator.

use super::super::svg::{Anchor, Canvas, FONT, Style};
use super::text_width;

pub(super) const WIDTH: f64 = 860.0;
const MARGIN: f64 = 64.0;
/// The least and the most height of the drawing without margins.
const HEIGHT: [f64; 2] = [150.0, 620.0];
/// Width and height of the bar of an accelerator.
const BAR: [f64; 2] = [6.0, 26.0];
const LABEL: f64 = FONT - 1.0;
/// The most nodes for which those without sites and tenants have a label. Our choice, because more cover each other.
const LABELLED: usize = 40;

/// A map.
pub(in crate::report) struct Map {
    pub(crate) nodes: Vec<MapNode>,
    pub(crate) links: Vec<MapLink>,
}

/// A node.
pub(in crate::report) struct MapNode {
    pub(crate) name: String,
    /// Its place, in any unit that is the same to the right and downwards.
    pub(crate) at: (f64, f64),
    pub(crate) tenants: Vec<String>,
    pub(crate) sites: Vec<MapSite>,
}

/// A site: the use of each accelerator, by name.
pub(in crate::report) struct MapSite {
    pub(crate) name: String,
    pub(crate) used: Vec<(String, Option<f64>)>,
}

/// A link.
pub(in crate::report) struct MapLink {
    /// Indices of its nodes.
    pub(crate) ends: [usize; 2],
    /// Gigabits per second each way; `None` for no limit.
    pub(crate) gbps: Option<f64>,
    /// The use from the first end to the second, and back.
    pub(crate) used: [Option<f64>; 2],
}

/// A rectangle: left, top, right, bottom.
type Area = [f64; 4];

impl MapLink {
    fn most(&self) -> f64 {
        self.used.iter().flatten().copied().fold(0.0, f64::max)
    }
}

impl MapNode {
    fn is_plain(&self) -> bool {
        self.tenants.is_empty() && self.sites.is_empty()
    }

    /// The sites' bars below the node.
    fn bars(&self, (x, y): (f64, f64)) -> Option<Area> {
        let bars: usize = self.sites.iter().map(|site| site.used.len()).sum();
        let width = BAR[0] * bars as f64 + 5.0 * self.sites.len().saturating_sub(1) as f64;
        (bars > 0).then(|| [x - width / 2.0, y + 7.0, x + width / 2.0, y + 7.0 + BAR[1]])
    }

    /// What is written beside it: its name, then its sites where they are named otherwise, then its tenants.
    fn label(&self) -> Vec<String> {
        let same = |name: &str| name.eq_ignore_ascii_case(&self.name);
        let sites: Vec<&str> = self.sites.iter().map(|site| &*site.name).filter(|name| !same(name)).collect();
        let mut lines = vec![self.name.clone()];
        if !sites.is_empty() {
            lines.push(format!("site {}", sites.join(", ")));
        }
        match &self.tenants[..] {
            [] => {}
            [_, _, _, ..] => lines.push(format!("{} tenants", self.tenants.len())),
            few => lines.push(format!("tenant{} {}", if few.len() > 1 { "s" } else { "" }, few.join(", "))),
        }
        lines
    }
}

impl Map {
    /// The extent of the nodes: left, top, width, height.
    fn extent(&self) -> Area {
        let ends = |of: fn(&MapNode) -> f64| {
            let each = self.nodes.iter().map(of);
            each.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
        };
        let ([left, right], [top, bottom]) = (ends(|node| node.at.0), ends(|node| node.at.1));
        [left, top, right - left, bottom - top]
    }

    /// Pixels per unit, so that the map is as wide as the picture unless that is too high.
    fn scale(&self) -> f64 {
        let [_, _, width, height] = self.extent();
        let by_width = (WIDTH - 2.0 * MARGIN) / width;
        let by_height = HEIGHT[1] / height;
        Some(by_width.min(by_height)).filter(|scale| scale.is_finite()).unwrap_or(1.0)
    }

    pub(super) fn height(&self) -> f64 {
        (self.extent()[3] * self.scale()).max(HEIGHT[0]) + 2.0 * MARGIN
    }

    /// Where each node is in the picture.
    fn places(&self, top: f64) -> Vec<(f64, f64)> {
        let ([left, above, width, height], scale) = (self.extent(), self.scale());
        let x = |x: f64| WIDTH / 2.0 + (x - left - width / 2.0) * scale;
        let y = |y: f64| top + self.height() / 2.0 + (y - above - height / 2.0) * scale;
        self.nodes.iter().map(|node| (x(node.at.0), y(node.at.1))).collect()
    }

    /// The width of a link, by the logarithm of its bandwidth.
    fn width(&self, link: &MapLink) -> f64 {
        let known = self.links.iter().filter_map(|link| link.gbps).filter(|gbps| *gbps > 0.0);
        let [low, high] =
            known.fold([f64::INFINITY, 0.0f64], |[low, high], gbps| [low.min(gbps), high.max(gbps)]);
        match link.gbps {
            Some(gbps) if low < high => 2.0 + 5.0 * (gbps / low).ln() / (high / low).ln(),
            Some(_) => 4.0,
            None => 7.0,
        }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let places = self.places(top);
        for link in &self.links {
            self.draw_link(canvas, link, &places);
        }
        let mut taken: Vec<Area> = Vec::new();
        for (node, &at) in self.nodes.iter().zip(&places) {
            taken.push([at.0 - 5.0, at.1 - 5.0, at.0 + 5.0, at.1 + 5.0]);
            taken.extend(node.bars(at));
        }
        for (node, &at) in self.nodes.iter().zip(&places) {
            canvas.dot(at.0, at.1, if node.is_plain() { 2.5 } else { 4.0 }, &node.label().join("; "));
            draw_sites(canvas, node, at);
        }
        let shares = self.links.iter().filter(|link| link.most() >= 0.005).map(|link| {
            let [a, b] = link.ends.map(|end| places[end]);
            ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0, format!("{:.0} %", 100.0 * link.most()))
        });
        for (x, y, text) in shares.collect::<Vec<_>>() {
            let half = text_width(&text) / 2.0;
            taken.push([x - half, y - 6.0, x + half, y + 6.0]);
            canvas.text_on_top(x, y + 4.0, Anchor::Middle, LABEL - 1.0, &text);
        }
        // Who matters is labelled first, while there is room.
        let has_room = self.nodes.len() <= LABELLED;
        for wanted in [false, true] {
            let of = self
                .nodes
                .iter()
                .zip(&places)
                .filter(|(node, _)| node.is_plain() == wanted && (has_room || !wanted));
            of.for_each(|(node, &at)| draw_label(canvas, node, at, top, &mut taken));
        }
    }

    fn draw_link(&self, canvas: &mut Canvas, link: &MapLink, places: &[(f64, f64)]) {
        let [from, to] = link.ends.map(|end| &self.nodes[end].name);
        let share = |used: Option<f64>| used.map_or("-".into(), |used| format!("{:.1} %", 100.0 * used));
        let gbps = link.gbps.map_or("no limit".into(), |gbps| format!("{gbps} Gb/s"));
        let [there, back] = link.used.map(share);
        let hint = format!("{from} - {to}: {gbps}, {there} there, {back} back");
        let [a, b] = link.ends.map(|end| places[end]);
        let (at, width) = ([a.0, a.1, b.0, b.1], self.width(link));
        canvas.stroke(at, width, "currentColor", 0.22, &hint);
        if link.most() > 0.0 {
            canvas.stroke(at, width, Style(1).colour(), 0.15 + 0.85 * link.most().min(1.0), &hint);
        }
    }
}

fn draw_sites(canvas: &mut Canvas, node: &MapNode, at: (f64, f64)) {
    let Some([mut x, top, _, bottom]) = node.bars(at) else { return };
    for site in &node.sites {
        let width = BAR[0] * site.used.len() as f64;
        // A page of its own colour, so that links end at the bars.
        canvas.bar([x, top, width, BAR[1]], "var(--card,#fff)", 1.0, &site.name);
        for (place, (name, used)) in site.used.iter().enumerate() {
            let share = used.unwrap_or(0.0).clamp(0.0, 1.0);
            let hint = format!("{} {name}: {:.1} %", site.name, 100.0 * share);
            let shape =
                [x + BAR[0] * place as f64 + 0.5, bottom - BAR[1] * share, BAR[0] - 1.0, BAR[1] * share];
            canvas.bar(shape, Style(0).colour(), 0.85, &hint);
        }
        canvas.frame([x, top, width, BAR[1]]);
        x += width + 5.0;
    }
}

/// Writes a label where it covers nothing, if there is such a place near its node.
fn draw_label(canvas: &mut Canvas, node: &MapNode, (x, y): (f64, f64), top: f64, taken: &mut Vec<Area>) {
    let lines = node.label();
    let width = lines.iter().map(|line| text_width(line)).fold(0.0, f64::max) * LABEL / FONT;
    let height = LABEL * 1.15 * lines.len() as f64;
    let below = node.bars((x, y)).map_or(y + 6.0, |[.., bottom]| bottom + 3.0);
    let side = node.bars((x, y)).map_or(8.0, |[left, ..]| (x - left + 4.0).max(8.0));
    let middle = if side > 8.0 { y + 4.0 } else { y - height / 2.0 };
    let choices = [
        (Anchor::Middle, x, [x - width / 2.0, y - 7.0 - height]),
        (Anchor::Middle, x, [x - width / 2.0, below]),
        (Anchor::Start, x + side, [x + side, middle]),
        (Anchor::End, x - side, [x - side - width, middle]),
    ];
    let area = |&(_, _, [left, top]): &(Anchor, f64, [f64; 2])| [left, top, left + width, top + height];
    let is_free = |choice: &&(Anchor, f64, [f64; 2])| {
        let own = area(choice);
        let inside = own[0] >= 2.0 && own[2] <= WIDTH - 2.0 && own[1] >= top;
        let covers =
            |other: &Area| own[0] < other[2] && other[0] < own[2] && own[1] < other[3] && other[1] < own[3];
        inside && !taken.iter().any(covers)
    };
    let found = choices.iter().find(is_free);
    // A plain node without room has its name in the tooltip.
    let Some(choice) = found.or((!node.is_plain()).then_some(&choices[0])) else { return };
    taken.push(area(choice));
    let &(anchor, at, [_, from]) = choice;
    for (place, line) in lines.iter().enumerate() {
        canvas.text_on_top(at, from + LABEL * (0.9 + 1.15 * place as f64), anchor, LABEL, line);
    }
}
