//! The figures as a table: a line a figure, each contender's median and spread, and how often ours each other's is.

use std::fmt::Write;

use crate::contenders::OURS;
use crate::goals;
use crate::results::{Figure, File, Kind};

pub(crate) fn whole(file: &File) -> String {
    let mut text = String::new();
    for (what, fact) in &file.facts {
        let _ = writeln!(text, "{what:<16} {fact}");
    }
    let _ = writeln!(
        text,
        "{:<16} {}, {:.0} s, bench {}",
        "run",
        file.taken,
        file.seconds,
        file.arguments.join(" ")
    );
    text.push_str(&table(file));
    text.push_str(&goals::table(file));
    text
}

/// In the order in which they were measured.
fn table(file: &File) -> String {
    let mut text = String::new();
    let mut section = "";
    for group in file.groups() {
        let first = group[0];
        if first.section != section {
            section = &first.section;
            let _ = writeln!(text, "\n{section}");
        }
        let unit = if first.unit.is_empty() { String::new() } else { format!(", {}", first.unit) };
        let _ = writeln!(text, "  {}{unit}", first.name);
        let ours = group.iter().find(|mate| mate.who == OURS).copied();
        for mate in group {
            let _ = writeln!(text, "    {}", line(mate, ours));
        }
    }
    text
}

fn line(figure: &Figure, ours: Option<&Figure>) -> String {
    let ratio = ours.filter(|ours| ours.who != figure.who);
    let ratio = ratio.map(|ours| ours.ratio(figure)).filter(|ratio| ratio.is_finite());
    let ratio = ratio.map_or_else(String::new, |ratio| format!("   ours is {ratio:.2} of it"));
    format!("{:<16}{:>10.2}   {}{ratio}", figure.who, figure.median(), spread(figure))
}

/// From the lowest to the highest of the rounds, or the slow ones of many.
pub(crate) fn spread(figure: &Figure) -> String {
    let q = |q| figure.quantile(q);
    match figure.kind {
        Kind::Rounds if figure.values.len() == 1 => String::new(),
        Kind::Rounds => format!("{:.2} to {:.2}", q(0.0), q(1.0)),
        Kind::Samples => format!("p90 {:.2}   p99 {:.2}   max {:.2}", q(0.9), q(0.99), q(1.0)),
    }
}
