//! The figures as a table: a line a figure, each contender's median and spread, and how often ours each other's is.

use std::fmt::Write;

use crate::contenders::OURS;
use crate::results::{Figure, Kind, Results};

/// In the order in which they were measured.
pub(crate) fn table(results: &Results) -> String {
    let mut text = String::new();
    let mut section = "";
    let mut figures: Vec<_> = results.0.iter().collect();
    figures.sort_by_key(|figure| results.0.iter().position(|first| first.section == figure.section));
    for (at, figure) in figures.iter().enumerate() {
        let before = &figures[..at];
        if before.iter().any(|one| one.section == figure.section && one.name == figure.name) {
            continue;
        }
        if figure.section != section {
            section = &figure.section;
            let _ = writeln!(text, "\n{section}");
        }
        let _ = writeln!(text, "  {}, {}", figure.name, figure.unit);
        let mates: Vec<_> =
            results.0.iter().filter(|one| one.section == figure.section && one.name == figure.name).collect();
        let ours = mates.iter().find(|mate| mate.who == OURS);
        for mate in &mates {
            let _ = writeln!(text, "    {}", line(mate, ours.copied()));
        }
    }
    text
}

fn line(figure: &Figure, ours: Option<&Figure>) -> String {
    let ratio = ours.filter(|ours| ours.who != figure.who);
    let ratio = ratio.map_or_else(String::new, |ours| format!("   ours {:.2}x", ours.ratio(figure)));
    let q = |q| figure.quantile(q);
    let values = match figure.kind {
        Kind::Rounds => format!("{:>10.2}   {:.2} to {:.2}", figure.median(), q(0.0), q(1.0)),
        Kind::Samples => {
            format!("{:>10.2}   p90 {:.2}   p99 {:.2}   max {:.2}", figure.median(), q(0.9), q(0.99), q(1.0))
        }
    };
    format!("{:<16}{values}{ratio}", figure.who)
}
