//! Every named cut point of the source, so many rounds each: the daemon dies there, or its shim, in a story that
//! is told to its end all the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;

use crate::machine::Machine;
use crate::story::{Bundles, Faith, Story, tell};
use crate::{seed, setting};

/// Where points are passed: in which story, before which step it may be armed.
type Places = BTreeMap<String, Vec<(usize, usize)>>;

/// Every point that the source names.
fn points() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = fs::read_to_string(entry.path()).unwrap();
            let named = text.split("cut!(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            found.extend(named);
        }
    }
    found
}

fn machine(number: usize) -> Machine {
    Machine::start(&format!("f{}-{number}-", std::process::id()), 8 * 1024)
}

/// Which points are passed after which step, by stories in which nothing dies.
fn survey(points: &BTreeSet<String>) -> Places {
    let (machine, bundles) = (machine(0), Bundles::new());
    let mut places = Places::new();
    // More than once, since files are rotated by their size.
    for telling in 0..3 * Story::ALL.len() {
        let number = telling % Story::ALL.len();
        let trace = machine.faults().join("trace");
        let steps = RefCell::new(Vec::new());
        let take = || {
            let text = fs::read_to_string(&trace).unwrap_or_default();
            // Two processes may write at once, and a line of one come between the other's words and their end.
            text.split_whitespace()
                .filter(|word| points.contains(*word))
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        fs::write(&trace, "").unwrap();
        tell(&machine, &bundles, Story::ALL[number], &format!("s{telling}"), Faith::All, &|_| {
            steps.borrow_mut().push(take());
            fs::write(&trace, "").unwrap();
        });
        steps.borrow_mut().push(take());
        // What was passed before the first step is nobody's.
        for (step, passed) in steps.borrow().iter().skip(1).enumerate() {
            for point in passed {
                places.entry(point.clone()).or_default().push((number, step));
            }
        }
    }
    machine.disarm();
    places
}

/// One round of one point.
struct Cell {
    point: String,
    /// Whose end it is: the daemon's, or its shims'.
    whom: &'static str,
    round: u64,
}

impl Cell {
    /// Tells stories until the point has been passed in one; what is random is the cell's own.
    fn run(&self, machine: &Machine, bundles: &Bundles, places: &Places, all: &[String], number: usize) {
        let name = format!("{}-{}-{}", self.point, self.whom, self.round);
        let bytes = name.bytes().map(u64::from);
        let mut rng = Rng::with_seed(bytes.fold(seed(), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)));
        for attempt in 0..40 {
            let recovery = self.point.starts_with("recovery.");
            let first = if recovery { self.trigger(all, &mut rng) } else { self.point.clone() };
            let Some(found) = places.get(&first) else { panic!("{first} is passed in no story") };
            let (story, step) = match first.as_str() {
                // It comes when the file is full, whatever is told then.
                "event.rotating" => (rng.usize(..Story::ALL.len()), 0),
                _ => found[rng.usize(..found.len())],
            };
            let shims = self.whom == "shim" || first.starts_with("shim.");
            let arm = |at: usize| {
                if at == step {
                    machine.arm(&first, self.whom);
                    if recovery {
                        machine.arm_next(&self.point);
                    }
                }
            };
            let name = format!("c{number}-{attempt}");
            let before = machine.starts();
            let faith = match first.as_str() {
                _ if !shims => Faith::All,
                // How it has ended is written when the shim dies.
                "shim.record.synced" | "shim.record.renamed" | "shim.exit.kept" | "shim.exit.saying" => {
                    Faith::Statuses
                }
                _ => Faith::Little,
            };
            tell(machine, bundles, Story::ALL[story], &name, faith, &arm);
            machine.assert_nothing_left();
            // A point of recovery that is passed has ended one daemon more.
            let cut = !machine.is_armed(&first);
            let ended = machine.starts() - before;
            let passed = if recovery { cut && ended >= 2 && !machine.is_armed(&self.point) } else { cut };
            machine.disarm();
            if passed {
                return;
            }
        }
        panic!("{} was not passed in 40 stories", self.point);
    }

    /// What ends the daemon before the one that is to be cut in its recovery.
    fn trigger(&self, all: &[String], rng: &mut Rng) -> String {
        let fit: &[&str] = match self.point.as_str() {
            point if point.starts_with("recovery.undo.") => {
                &["start.shim-spawned", "start.launched", "begin.done"]
            }
            "recovery.forgetting" => &["forget.record-removed", "begin.folder", "start.launched"],
            "recovery.checkpoint.dumped" => &["checkpoint.begun", "checkpoint.dumped", "checkpoint.settling"],
            _ => return all[rng.usize(..all.len())].clone(),
        };
        fit[rng.usize(..fit.len())].to_owned()
    }
}

#[test]
fn every_cut_point_loses_nothing_doubles_nothing_and_leaves_nothing() {
    let rounds = setting("FAULTS_ROUNDS", 1);
    let only = std::env::var("FAULTS_ONLY").ok();
    let points = points();
    let places = survey(&points);
    let all: Vec<String> = places.keys().filter(|point| !point.contains("shim.")).cloned().collect();
    let mut cells = Vec::new();
    for point in points.iter().filter(|point| only.as_ref().is_none_or(|only| only == *point)) {
        for round in 0..rounds {
            cells.push(Cell { point: point.clone(), whom: "daemon", round });
            // The same point of the daemon's, at which its shim is ended.
            let has_shim = [
                "start.",
                "exec.",
                "checkpoint.",
                "shim.asked",
                "pause.",
                "resume.",
                "stop.",
                "delete.",
                "commit.",
                "pages.",
            ];
            if has_shim.iter().any(|verb| point.starts_with(verb)) {
                cells.push(Cell { point: point.clone(), whom: "shim", round });
            }
        }
    }
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 1..=4 {
            let (next, failures, cells, places, all) = (&next, &failures, &cells, &places, &all);
            scope.spawn(move || {
                let bundles = Bundles::new();
                let mut machine = machine(worker);
                while let Some((number, cell)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|number| Some((number, cells.get(number)?))) {
                    let run = || cell.run(&machine, &bundles, places, all, number);
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
                        let words = panic.downcast_ref::<String>().cloned();
                        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
                        failures.lock().unwrap().push(format!(
                            "{} ({}), round {}: {}\n  replay: FAULTS_SEED={} FAULTS_ONLY={} FAULTS_ROUNDS={} make faults\n{}",
                            cell.point, cell.whom, cell.round, words.unwrap_or_default(), seed(), cell.point, cell.round + 1,
                            machine.log().lines().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"),
                        ));
                        machine = self::machine(worker);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!(
        "{} points, {} rounds each, {} cells: {} failed",
        points.len(),
        rounds,
        cells.len(),
        failures.len()
    );
    assert!(points.len() >= 40, "only {} points are named", points.len());
    assert!(failures.is_empty(), "seed {}\n{}", seed(), failures.join("\n\n"));
}

/// The check that the program that is tested elsewhere, and released, has no points: here they are found.
#[test]
fn this_program_has_points() {
    for program in [env!("CARGO_BIN_EXE_containerd-rest"), env!("CARGO_BIN_EXE_containerd-rest-shim")] {
        let bytes = fs::read(program).unwrap();
        assert!(bytes.windows(19).any(|window| window == b"CONTAINERD_REST_FAU"), "{program}");
    }
}
