//! What this project wants to be, as ratios and bounds, beside what was measured. It is told, and nothing fails for it:
//! the machine may be busy.

use std::fmt::Write;

use crate::contenders::{OURS, RUNC};
use crate::results::{Figure, File};

/// A figure is to be no less, or no more, than this.
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}
use Bound::{AtLeast, AtMost};

/// What was measured, when it was.
pub(crate) fn table(file: &File) -> String {
    let mut text = String::from("\ngoals\n");
    for (name, bound, value) in all(file) {
        let Some(value) = value.filter(|value| value.is_finite()) else { continue };
        let (word, met, limit) = match bound {
            AtLeast(limit) => ("at least", value >= limit, limit),
            AtMost(limit) => ("at most", value <= limit, limit),
        };
        let met = if met { "" } else { "   NOT MET" };
        let _ = writeln!(text, "  {name:<58} {value:>9.2}   {word} {limit}{met}");
    }
    text
}

fn all(file: &File) -> Vec<(String, Bound, Option<f64>)> {
    let ours = |section: &str, name: &str| file.find(section, name, OURS);
    let over = |section: &str, name: &str, who: &str| {
        Some(ours(section, name)?.ratio(file.find(section, name, who)?))
    };
    let median = |section: &str, name: &str| ours(section, name).map(Figure::median);
    let mut goals = Vec::new();
    for callers in [1, 4, 16] {
        let starts = format!("starts/s at {callers}");
        for (who, least) in [(RUNC, 0.95), ("containerd", 2.7), ("podman", 3.4)] {
            goals.push((format!("{starts} over {who}'s"), AtLeast(least), over("starts", &starts, who)));
        }
    }
    let crowded = ours("starts", "starts/s at 64").zip(ours("starts", "starts/s at 16"));
    goals.push((
        "starts/s at 64 over those at 16".into(),
        AtLeast(1.0),
        crowded.map(|(more, few)| more.ratio(few)),
    ));
    for callers in [1, 4, 16] {
        let cpu = format!("CPU a start at {callers}");
        goals.push((format!("{cpu} over runc's"), AtMost(1.08), over("starts", &cpu, RUNC)));
    }
    for callers in [1, 4, 16, 64] {
        let deletes = format!("deletes/s at {callers}");
        goals.push((
            format!("{deletes} over runc delete --force's"),
            AtLeast(1.8),
            over("delete", &deletes, RUNC),
        ));
    }
    goals.push((
        "a running container's shim, PSS at 100, MiB".into(),
        AtMost(0.30),
        median("memory", "shim PSS at 100"),
    ));
    goals.push((
        "the daemon's RSS at 1000, MiB".into(),
        AtMost(20.0),
        median("memory", "daemon RSS at 1000"),
    ));
    goals.push(("/state of 100, ms".into(), AtMost(1.0), median("ask", "/state at 100")));
    goals.push(("/state of 100, requests/s".into(), AtLeast(5000.0), median("ask", "/state, wrk, at 100")));
    for call in ["checkpoint", "restore"] {
        goals.push((format!("{call} over runc's"), AtMost(1.10), over("calls", call, RUNC)));
        let more = median("calls", call).zip(file.find("calls", call, RUNC).map(Figure::median));
        goals.push((format!("{call} beyond runc's, ms"), AtMost(10.0), more.map(|(ours, bare)| ours - bare)));
    }
    for whose in ["daemon's", "shims'"] {
        let wakes = format!("{whose} wake-ups in 10 s at 1000");
        goals.push((wakes.clone(), AtMost(0.0), median("idle", &wakes)));
    }
    goals.push(("failed, 1000 at once".into(), AtMost(0.0), median("crowd", "failed, 1000 at once")));
    goals
}
