//! This run beside one that was kept: how often what it was each of our figures is, and, since the machine may have been
//! another, or busier, the same of its ratio to bare runc's.

use std::fmt::Write;

use crate::contenders::{OURS, RUNC};
use crate::results::File;

pub(crate) fn table(now: &File, then: &File) -> String {
    let mut text = format!("Beside the run of {}:\n", then.taken);
    let _ = writeln!(text, "{:<52} {:>10} {:>10} {:>7}   by runc's", "", "then", "now", "ratio");
    for group in now.groups() {
        let (section, name) = (&group[0].section, &group[0].name);
        let (Some(ours), Some(earlier)) = (now.find(section, name, OURS), then.find(section, name, OURS))
        else {
            continue;
        };
        let by_runc =
            |file: &File| Some(file.find(section, name, OURS)?.ratio(file.find(section, name, RUNC)?));
        let relative = by_runc(now).zip(by_runc(then)).map(|(now, then)| format!("{:.2}", now / then));
        let (a, b) = (earlier.median(), ours.median());
        let ratio = if a == 0.0 { String::new() } else { format!("{:.2}", b / a) };
        let title = format!("{section}: {name}{}{}", if ours.unit.is_empty() { "" } else { ", " }, ours.unit);
        let _ =
            writeln!(text, "{title:<52} {a:>10.2} {b:>10.2} {ratio:>7}   {}", relative.unwrap_or_default());
    }
    text
}
