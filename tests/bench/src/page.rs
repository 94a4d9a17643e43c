//! The run as one page that needs nothing else: facts, a plot of each family of figures, and the table. A family is what
//! differs by what it is measured at alone ("starts/s at 1", "starts/s at 4"): groups of bars side by side.

use std::fmt::Write;

use crate::report;
use crate::results::{Figure, File};

const COLORS: [(&str, &str); 5] = [
    ("containerd-rest", "#2f6f4f"),
    ("runc", "#8a8f98"),
    ("containerd", "#3f72af"),
    ("podman", "#892ca0"),
    ("cat", "#c08a2d"),
];
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 170.0;
/// Of the names below, and of the title above.
const MARGIN: f64 = 26.0;

pub(crate) fn html(file: &File) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>containerd-rest, measured</title><style>\
         body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}\
         svg{margin:.5em 1em .5em 0}pre{overflow:auto;font-size:13px}text{font:11px system-ui,sans-serif}</style>\
         <h1>containerd-rest, measured</h1><p>",
    );
    for (who, color) in COLORS {
        let _ = write!(page, "<span style='color:{color}'>&#9632;</span> {who} &nbsp; ");
    }
    page.push_str("<br>Bars are medians; the lines on them reach from the lowest to the highest round, or from p10 to p90.</p>");
    for (title, groups) in families(file) {
        page.push_str(&plot(&title, &groups));
    }
    let _ = write!(page, "<pre>{}</pre></html>", escape(&report::whole(file)));
    page
}

/// Those that the README shows.
const SHOWN: [&str; 6] = [
    "starts: starts/s, /s",
    "starts: start, ms",
    "starts: CPU a start, ms",
    "delete: deletes/s, /s",
    "memory: daemon RSS, MiB",
    "memory: shim PSS, MiB",
];

/// The main figures alone, as one picture.
pub(crate) fn picture(file: &File) -> String {
    let families = families(file);
    let shown = SHOWN.iter().filter_map(|shown| families.iter().find(|(title, _)| title == shown));
    let plots: Vec<String> = shown.map(|(title, groups)| plot(title, groups)).collect();
    let rows = u32::try_from(plots.len().div_ceil(2)).map_or(0.0, f64::from);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}'><style>text{{font:11px system-ui,sans-serif}}</style>\
         <rect width='100%' height='100%' fill='#fff'/>",
        2.0 * WIDTH + 60.0,
        rows * (HEIGHT + 10.0) + 30.0
    );
    for (place, (who, color)) in COLORS.iter().take(4).enumerate() {
        let _ = write!(svg, "<text x='{}' y='18' fill='{color}'>&#9632; {who}</text>", 20 + 130 * place);
    }
    for (place, plot) in plots.iter().enumerate() {
        let (x, y) =
            ((place % 2) as f64 * (WIDTH + 20.0) + 20.0, (place / 2) as f64 * (HEIGHT + 10.0) + 30.0);
        let _ = write!(svg, "<g transform='translate({x} {y})'>{plot}</g>");
    }
    svg + "</svg>"
}

type Groups<'a> = Vec<(String, Vec<&'a Figure>)>;

/// By what is measured; in it, by what it is measured at.
fn families(file: &File) -> Vec<(String, Groups<'_>)> {
    let mut families: Vec<(String, Groups<'_>)> = Vec::new();
    for group in file.groups() {
        let first = group[0];
        let split = first.name.rsplit_once(" at ").filter(|(_, at)| at.parse::<usize>().is_ok());
        let (family, at) = split.unwrap_or((&first.name, ""));
        let unit = if first.unit.is_empty() { String::new() } else { format!(", {}", first.unit) };
        let title = format!("{}: {family}{unit}", first.section);
        match families.iter_mut().find(|(known, _)| *known == title) {
            Some((_, groups)) => groups.push((at.to_owned(), group)),
            None => families.push((title, vec![(at.to_owned(), group)])),
        }
    }
    // One bar alone, or none that is higher than nothing, says no more than the table does.
    families.retain(|(_, groups)| {
        let figures = || groups.iter().flat_map(|(_, figures)| figures);
        figures().count() > 1 && figures().any(|figure| figure.median() > 0.0)
    });
    families
}

#[expect(clippy::cast_precision_loss)]
fn plot(title: &str, groups: &Groups<'_>) -> String {
    let figures = || groups.iter().flat_map(|(_, figures)| figures);
    let top = figures().map(|figure| ends(figure).1).fold(f64::MIN_POSITIVE, f64::max);
    let y = |value: f64| HEIGHT - MARGIN - value / top * (HEIGHT - 2.0 * MARGIN - 10.0);
    let most = groups.iter().map(|(_, figures)| figures.len()).max().unwrap_or(1) as f64;
    let group_width = (WIDTH / groups.len() as f64).min(most * 46.0 + 20.0);
    let bar = ((group_width - 16.0) / most).min(40.0);
    let mut svg = format!(
        "<svg width='{WIDTH}' height='{HEIGHT}' role='img'><title>{0}</title><text x='0' y='14' style='font-weight:600'>{0}</text>",
        escape(title)
    );
    for (at, (name, figures)) in groups.iter().enumerate() {
        let left = at as f64 * group_width;
        for (place, figure) in figures.iter().enumerate() {
            let (x, middle) = (left + place as f64 * bar, left + (place as f64 + 0.5) * bar);
            let (low, high) = ends(figure);
            let (color, value) = (color(&figure.who), figure.median());
            let _ = write!(
                svg,
                "<rect x='{x:.1}' y='{:.1}' width='{:.1}' height='{:.1}' fill='{color}'><title>{}: {value:.2}</title></rect>\
                 <path d='M{middle:.1} {:.1}V{:.1}' stroke='#000' stroke-opacity='.5'/>\
                 <text x='{middle:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
                y(value),
                bar - 2.0,
                HEIGHT - MARGIN - y(value),
                escape(&figure.who),
                y(low),
                y(high),
                y(high) - 3.0,
                short(value),
            );
        }
        let middle = left + figures.len() as f64 * bar / 2.0;
        let _ = write!(
            svg,
            "<text x='{middle:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
            HEIGHT - 10.0,
            escape(name)
        );
    }
    svg + "</svg>"
}

/// Of the line on a bar.
fn ends(figure: &Figure) -> (f64, f64) {
    match figure.kind {
        crate::results::Kind::Rounds => (figure.quantile(0.0), figure.quantile(1.0)),
        crate::results::Kind::Samples => (figure.quantile(0.1), figure.quantile(0.9)),
    }
}

fn short(value: f64) -> String {
    match value.abs() {
        big if big >= 1000.0 => format!("{:.1}k", value / 1000.0),
        large if large >= 100.0 => format!("{value:.0}"),
        some if some >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn color(who: &str) -> &'static str {
    COLORS.iter().find(|(name, _)| *name == who).map_or("#555", |(_, color)| color)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
