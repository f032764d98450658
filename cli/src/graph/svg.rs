//! The picture itself. One file without scripts, fonts or links.

use std::fmt::Write as _;

use super::layout::{Point, layout};
use super::{Graph, Shown, colours};

/// Width of a character and height of a line, of the font that is asked for.
const CHARACTER: f64 = 7.3;
const LINE: f64 = 17.0;
const PADDING: f64 = 12.0;
const MARGIN: f64 = 20.0;
const TITLE: f64 = 34.0;

/// The picture as SVG.
pub(crate) fn svg(graph: &Graph) -> String {
    let sizes: Vec<Point> = graph.boxes.iter().map(size).collect();
    let layout = layout(&sizes, &graph.arrows);
    let titled = graph.title.chars().count() as f64 * CHARACTER * 1.15;
    let width = layout.size.0.max(titled) + 2.0 * MARGIN;
    let height = layout.size.1 + TITLE + 2.0 * MARGIN;
    let left = (width - layout.size.0) / 2.0;
    let at = |(x, y): Point| (x + left, y + MARGIN + TITLE);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"12\">"
    );
    let title = escape(&graph.title);
    let _ = writeln!(out, "<title>{title}</title>");
    out.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n",
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"14\" font-weight=\"bold\">{title}</text>",
        width / 2.0,
        MARGIN + 10.0
    );
    for way in &layout.edges {
        let points: Vec<Point> = way.iter().map(|p| at(*p)).collect();
        let _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"none\" stroke=\"#555\" stroke-width=\"1.2\" marker-end=\"url(#tip)\"/>",
            curve(&points)
        );
    }
    for ((shown, size), middle) in graph.boxes.iter().zip(&sizes).zip(&layout.boxes) {
        draw(&mut out, shown, *size, at(*middle));
    }
    out.push_str("</svg>\n");
    out
}

fn size(shown: &Shown) -> Point {
    let longest = shown.lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) as f64;
    (longest * CHARACTER + 2.0 * PADDING, shown.lines.len() as f64 * LINE + PADDING)
}

fn draw(out: &mut String, shown: &Shown, (width, height): Point, (x, y): Point) {
    let (fill, line) = colours(shown);
    // A step is what changes the world: its frame is heavier, whatever its colour.
    let (stroke, round) = if shown.kind == "step" { (2.2, 4.0) } else { (1.0, 12.0) };
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round}\" fill=\"{fill}\" \
         stroke=\"{line}\" stroke-width=\"{stroke}\"/>",
        x - width / 2.0,
        y - height / 2.0
    );
    let top = y - (shown.lines.len() as f64 - 1.0) * LINE / 2.0 + 4.0;
    for (n, text) in shown.lines.iter().enumerate() {
        let weight = if n == 0 { " font-weight=\"bold\"" } else { "" };
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"{weight}>{}</text>",
            top + n as f64 * LINE,
            escape(text)
        );
    }
}

/// A smooth line through points, that leaves and arrives upright.
fn curve(points: &[Point]) -> String {
    let mut path = String::new();
    if let Some((x, y)) = points.first() {
        let _ = write!(path, "M{x:.1} {y:.1}");
    }
    for pair in points.windows(2) {
        if let [(x, y), (to_x, to_y)] = pair {
            let half = f64::midpoint(*y, *to_y);
            let _ = write!(path, "C{x:.1} {half:.1} {to_x:.1} {half:.1} {to_x:.1} {to_y:.1}");
        }
    }
    path
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
