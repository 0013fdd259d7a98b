//! Draws shapes and text as SVG. Neutral ink is `currentColor`, so that a picture adapts to the colours of its page,
//! light or dark. Lengths are in units of the view box, about a pixel each.

use std::fmt::Write;

use crate::files::visible_line;

/// The size of body text.
pub(super) const FONT: f64 = 12.0;

/// The point of a text that its position refers to.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture under construction.
pub(super) struct Canvas {
    width: f64,
    height: f64,
    body: String,
}

/// Colours that stand out on white and on black for all kinds of colour vision: Okabe and Ito, "Color Universal Design"
/// (2008), without the yellow, which white swallows; black is the ink of the page.
const COLOURS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "currentColor"];
const DASHES: [&str; 4] = ["none", "6 3", "2 3", "9 3 2 3"];
const MARKERS: usize = 5;

/// The style of a series: a colour, and dashes and markers, which repeat out of step with the colours.
#[derive(Clone, Copy)]
pub(super) struct Style(pub(super) usize);

impl Style {
    /// The ink of the page with the last dashes: for a line that is not one of the series.
    pub(super) const ASIDE: Self = Self(COLOURS.len() * DASHES.len() - 1);

    /// The ink of the page: for what is not one of the series.
    pub(super) const INK: Self = Self(COLOURS.len() - 1);

    pub(super) fn colour(self) -> &'static str {
        COLOURS[self.0 % COLOURS.len()]
    }

    /// Whether it is [`Self::ASIDE`].
    pub(super) fn is_aside(self) -> bool {
        self.0 == Self::ASIDE.0
    }

    fn dash(self) -> &'static str {
        DASHES[self.0 / COLOURS.len() % DASHES.len()]
    }
}

/// Escapes a text for XML, on one line.
pub(super) fn escape(text: &str) -> String {
    visible_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    fn push(&mut self, shape: std::fmt::Arguments) {
        self.body.write_fmt(shape).expect("writing to memory does not fail");
        self.body.push('\n');
    }

    /// A line of the frame: `strength` is 1 for axes and less for grids.
    pub(super) fn rule(&mut self, [x1, y1, x2, y2]: [f64; 4], strength: f64) {
        self.push(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="currentColor" stroke-opacity="{strength}"/>"#
        ));
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.sized_text(x, y, anchor, FONT, text);
    }

    pub(super) fn sized_text(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.push(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="currentColor">{text}</text>"#
        ));
    }

    /// A text that reads upwards.
    pub(super) fn upright_text(&mut self, x: f64, y: f64, text: &str) {
        let text = escape(text);
        self.push(format_args!(
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle" font-size="{FONT}" fill="currentColor">{text}</text>"#
        ));
    }

    /// A text that rises to the right.
    pub(super) fn slanted_text(&mut self, x: f64, y: f64, text: &str) {
        let text = escape(text);
        self.push(format_args!(
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-45)" font-size="{FONT}" fill="currentColor">{text}</text>"#
        ));
    }

    pub(crate) fn line(&mut self, points: &[(f64, f64)], style: Style, opacity: f64) {
        let (colour, dash, points) = (style.colour(), style.dash(), list(points));
        self.push(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}" stroke-opacity="{opacity}" stroke-linejoin="round"/>"#
        ));
    }

    /// The area that the points enclose.
    pub(super) fn area(&mut self, points: &[(f64, f64)], style: Style) {
        let (colour, points) = (style.colour(), list(points));
        self.push(format_args!(r#"<polygon points="{points}" fill="{colour}" fill-opacity="0.14"/>"#));
    }

    /// A filled rectangle with a tooltip.
    pub(super) fn bar(&mut self, [x, y, width, height]: [f64; 4], colour: &str, opacity: f64, hint: &str) {
        let hint = escape(hint);
        self.push(format_args!(
            r#"<rect x="{x:.2}" y="{y:.1}" width="{width:.2}" height="{height:.1}" fill="{colour}" fill-opacity="{opacity:.3}"><title>{hint}</title></rect>"#
        ));
    }

    /// A line of any width, with a tooltip.
    pub(super) fn stroke(
        &mut self,
        [x1, y1, x2, y2]: [f64; 4],
        width: f64,
        colour: &str,
        opacity: f64,
        hint: &str,
    ) {
        let hint = escape(hint);
        self.push(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width:.1}" stroke-opacity="{opacity:.3}" stroke-linecap="round"><title>{hint}</title></line>"#
        ));
    }

    /// A dot with a tooltip.
    pub(super) fn dot(&mut self, x: f64, y: f64, radius: f64, hint: &str) {
        let hint = escape(hint);
        self.push(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="currentColor"><title>{hint}</title></circle>"#
        ));
    }

    /// The outline of a rectangle.
    pub(super) fn frame(&mut self, [x, y, width, height]: [f64; 4]) {
        self.push(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="none" stroke="currentColor" stroke-opacity="0.6"/>"#
        ));
    }

    /// A text above lines: they end at a seam in the colour of the page.
    pub(super) fn text_on_top(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, text: &str) {
        self.push(format_args!(
            r#"<g style="paint-order:stroke;stroke:var(--card,#fff);stroke-width:3px;stroke-linejoin:round">"#
        ));
        self.sized_text(x, y, anchor, size, text);
        self.push(format_args!("</g>"));
    }

    /// A whisker that shows a confidence interval.
    pub(super) fn whisker(&mut self, from: f64, to: f64, y: f64) {
        for shape in [[from, y, to, y], [from, y - 2.5, from, y + 2.5], [to, y - 2.5, to, y + 2.5]] {
            self.rule(shape, 0.9);
        }
    }

    /// An upright whisker in the colour of a series.
    pub(super) fn error_bar(&mut self, x: f64, low: f64, high: f64, style: Style) {
        let colour = style.colour();
        self.push(format_args!(
            r#"<path d="M{0:.1} {low:.1}H{1:.1}M{x:.1} {low:.1}V{high:.1}M{0:.1} {high:.1}H{1:.1}" fill="none" stroke="{colour}"/>"#,
            x - 3.0,
            x + 3.0
        ));
    }

    /// Draws at another place: what is drawn at 0, 0 comes to x, y.
    pub(super) fn moved(&mut self, x: f64, y: f64, draw: impl FnOnce(&mut Self)) {
        self.push(format_args!(r#"<g transform="translate({x:.1} {y:.1})">"#));
        draw(self);
        self.push(format_args!("</g>"));
    }

    pub(super) fn marker(&mut self, x: f64, y: f64, style: Style, opacity: f64, hint: &str) {
        let (colour, hint) = (style.colour(), escape(hint));
        let shape = |outline: &[(f64, f64)]| {
            let moved: Vec<(f64, f64)> = outline.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            format!(r#"<polygon points="{}""#, list(&moved))
        };
        let shape = match style.0 % MARKERS {
            0 => format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.2""#),
            1 => shape(&[(-2.9, -2.9), (2.9, -2.9), (2.9, 2.9), (-2.9, 2.9)]),
            2 => shape(&[(0.0, -4.0), (3.7, 2.8), (-3.7, 2.8)]),
            3 => shape(&[(0.0, -4.1), (4.1, 0.0), (0.0, 4.1), (-4.1, 0.0)]),
            _ => shape(&[(0.0, 4.0), (3.7, -2.8), (-3.7, -2.8)]),
        };
        self.push(format_args!(
            r#"{shape} fill="{colour}" fill-opacity="{opacity}"><title>{hint}</title></{}>"#,
            if shape.starts_with("<circle") { "circle" } else { "polygon" }
        ));
    }

    /// The SVG for a page: as wide as its container, in the page's ink.
    pub(super) fn inline(&self, title: &str) -> String {
        let (title, width, height, body) = (escape(title), self.width, self.height, &self.body);
        format!(
            "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\" font-family=\"inherit\">\n{body}</svg>"
        )
    }

    /// The SVG for a file: dark ink on white, as papers need it.
    pub(super) fn standalone(&self, title: &str) -> String {
        let (title, width, height) = (escape(title), self.width, self.height);
        // Programs other than browsers know no variables.
        let body = self.body.replace("var(--card,#fff)", "#fff");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" color=\"#1a1a1a\" font-family=\"Helvetica, Arial, sans-serif\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}

fn list(points: &[(f64, f64)]) -> String {
    let words: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    words.join(" ")
}
