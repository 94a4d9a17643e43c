//! What daemons and shims do when nothing is asked of them: context switches of all their threads, which a wake-up by a
//! timer would be among, and processor time of the whole account, over some seconds, of all contenders at once.

use std::fs;
use std::time::Duration;

use crate::Bench;
use crate::batch::millis;
use crate::contenders::Contender;

const SECTION: &str = "idle";
/// Threads that have nothing to do end after ten seconds of it, and connections close.
const QUIET: Duration = Duration::from_secs(12);
const WATCHED: Duration = Duration::from_secs(10);

pub(crate) fn measure(bench: &mut Bench, size: usize) {
    eprintln!("idle: {size}, for {} s", (QUIET + WATCHED).as_secs());
    std::thread::sleep(QUIET);
    let daemons = |bench: &Bench| -> Vec<Seen> {
        let contenders = bench.contenders().into_iter();
        let there =
            contenders.filter(|one| one.daemon().is_some() && (size <= 100 || one.shims().len() >= size));
        there.map(Seen::of).collect()
    };
    let before = daemons(bench);
    std::thread::sleep(WATCHED);
    let after = daemons(bench);
    for (before, after) in before.iter().zip(&after) {
        let figures = [
            ("daemon's wake-ups in 10 s", "", after.daemon - before.daemon),
            ("shims' wake-ups in 10 s", "", after.shims - before.shims),
            ("processor time in 10 s", "ms", millis(after.used.saturating_sub(before.used))),
        ];
        for (name, unit, value) in figures {
            bench.results.round(SECTION, &format!("{name} at {size}"), before.who, unit, value);
        }
    }
}

struct Seen {
    who: &'static str,
    daemon: f64,
    shims: f64,
    used: Duration,
}

impl Seen {
    fn of(contender: &dyn Contender) -> Self {
        let daemon = contender.daemon().map_or(0.0, switches);
        let shims = contender.shims().into_iter().map(switches).sum();
        Self { who: contender.who(), daemon, shims, used: contender.account().used() }
    }
}

/// Of all threads that a process has now.
fn switches(pid: i32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_task = |task: fs::DirEntry| -> f64 {
        let text = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let counts = text.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.filter_map(|(_, count)| count.trim().parse::<f64>().ok()).sum()
    };
    tasks.map(of_task).sum()
}
