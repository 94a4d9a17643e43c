//! `make bench`: the daemon beside bare runc, containerd and podman, on one bundle (busybox, asleep), in one run.
//!
//! The contenders take turns in every round, so that each meets the same machine: what counts are the ratios. Each has
//! folders and a cgroup of its own, and is called as it is made to be: ours by HTTP on a kept connection, runc as a
//! program, containerd by gRPC, podman by its REST service. The caller is this one process; what it uses itself is in no
//! contender's account. Each module tells how its figures are got.
//!
//! It ends by itself, and by Ctrl-C too, with all that it has started; what it leaves behind it tells, and fails for.

mod ask;
mod batch;
mod calls;
mod compare;
mod contenders;
mod cpu;
mod crowd;
mod fleet;
mod followers;
mod goals;
mod host;
mod http;
mod idle;
mod logs;
mod memory;
mod page;
mod reaper;
mod report;
mod results;
mod sizes;
mod starts;
mod stats;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::{Parser, ValueEnum};

use contenders::{Containerd, Contender, Ours, Podman, Runc};
use results::{File, Results};

/// Measures the daemon beside bare runc, containerd and podman. Needs root, a release build, and make bench-prerequisites.
#[derive(Parser)]
struct Args {
    /// These sections alone, with commas between them
    #[arg(long, value_delimiter = ',')]
    only: Vec<Section>,
    /// A look: fewer rounds, smaller fleets, about three minutes
    #[arg(long)]
    quick: bool,
    /// How many rounds of starts; the others have theirs in proportion
    #[arg(long)]
    rounds: Option<usize>,
    /// Without containerd and podman
    #[arg(long)]
    no_peers: bool,
    /// Keep the figures in this file too
    #[arg(long)]
    save: Option<PathBuf>,
    /// Compare with the figures that were kept in this file
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Draw what was measured before, from this file, and measure nothing
    #[arg(long)]
    draw: Option<PathBuf>,
    /// Time a build of everything from nothing too: some minutes more
    #[arg(long)]
    build: bool,
    /// The daemon; its shim lies beside it
    #[arg(long, default_value = "target/release/containerd-rest")]
    program: PathBuf,
    /// Where the figures and the page go
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Starts and deletes a second, their latency and processor time
    Starts,
    /// The same as starts: it is one run
    Delete,
    /// Start, exec, pause, resume, checkpoint, restore, one at a time, beside bare runc
    Calls,
    /// /state and a container, of 10, 100, 1,000
    Ask,
    /// Memory of daemons and shims
    Memory,
    /// Processor time and wake-ups of those of whom nothing is asked
    Idle,
    /// How long a killed daemon takes to be back
    Recovery,
    /// Events to 100 followers
    Events,
    /// How fast output is taken
    Logs,
    /// 1,000 containers at once, as in 2015
    Crowd,
    /// Of programs
    Sizes,
}

/// What the sections work with.
pub(crate) struct Bench {
    pub(crate) ours: Ours,
    pub(crate) runc: Runc,
    containerd: Option<Containerd>,
    pub(crate) podman: Option<Podman>,
    pub(crate) program: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) bundle: PathBuf,
    pub(crate) quick: bool,
    pub(crate) results: Results,
}

impl Bench {
    fn new(args: &Args, work: &Path) -> Self {
        let bundle = work.join("bundle");
        let laid = Command::new("scripts/test-bundle").arg(&bundle).status();
        assert!(
            laid.is_ok_and(|status| status.success()),
            "scripts/test-bundle: run this where the repository is"
        );
        let peers = !args.no_peers;
        let there = |program| peers && host::said(program, &["--version"]).is_some();
        Self {
            ours: Ours::start(&args.program, work, &bundle),
            runc: Runc::new(work, &bundle),
            containerd: there("containerd").then(|| Containerd::start(work, &bundle)),
            podman: there("podman").then(|| Podman::start(work, &bundle)),
            program: args.program.clone(),
            work: work.to_owned(),
            bundle,
            quick: args.quick,
            results: Results::default(),
        }
    }

    /// In the order in which they take turns.
    pub(crate) fn contenders(&self) -> Vec<&dyn Contender> {
        let mut all: Vec<&dyn Contender> = vec![&self.ours, &self.runc];
        all.extend(self.containerd.as_ref().map(|one| one as &dyn Contender));
        all.extend(self.podman.as_ref().map(|one| one as &dyn Contender));
        all
    }

    fn run(&mut self, args: &Args) {
        let wanted = |section: Section| args.only.is_empty() || args.only.contains(&section);
        let rounds = args.rounds.unwrap_or(if self.quick { 2 } else { 7 });
        // First, while the daemons are as they have started.
        let fleet = fleet::Wanted {
            ask: wanted(Section::Ask),
            memory: wanted(Section::Memory),
            idle: wanted(Section::Idle),
            recovery: wanted(Section::Recovery),
        };
        fleet::measure(self, &fleet, rounds.div_ceil(3));
        if wanted(Section::Starts) || wanted(Section::Delete) {
            starts::measure(self, rounds);
        }
        if wanted(Section::Calls) {
            calls::measure(self, 2 * rounds);
        }
        if wanted(Section::Events) {
            followers::measure(self);
        }
        if wanted(Section::Logs) {
            logs::measure(self, rounds.div_ceil(2));
        }
        if wanted(Section::Crowd) {
            crowd::measure(self, rounds.div_ceil(4));
        }
        if wanted(Section::Sizes) {
            sizes::measure(self, args.build);
        }
    }
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    if let Some(drawn) = &args.draw {
        draw(&File::read(drawn), &args.out);
        return std::process::ExitCode::SUCCESS;
    }
    // Those whom nobody waits for are ours to bury.
    match reaper::stand_over() {
        Some(code) => code,
        None => measure(&args),
    }
}

fn draw(file: &File, into: &Path) {
    std::fs::create_dir_all(into).expect("a folder for what was measured");
    std::fs::write(into.join("results.html"), page::html(file)).expect("the page is written");
    std::fs::write(into.join("results.svg"), page::picture(file)).expect("the picture is written");
}

fn measure(args: &Args) -> std::process::ExitCode {
    let begun = Instant::now();
    let baseline = args.baseline.as_deref().map(File::read);
    let before = host::Host::now();
    host::heed_interrupts();
    host::raise_descriptors();
    let work = tempfile::Builder::new().prefix("bench.").tempdir().expect("a folder below TMPDIR");
    let mut bench = Bench::new(args, work.path());
    // Whatever goes wrong, all that was started is ended, and what was measured is shown.
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bench.run(args)));
    let results = std::mem::take(&mut bench.results);
    drop(bench);

    let file = File::of(results, &args.program, begun.elapsed());
    println!("{}", report::whole(&file));
    if let Some(baseline) = &baseline {
        println!("{}", compare::table(&file, baseline));
    }
    draw(&file, &args.out);
    file.write(&args.out.join("results.json"));
    if let Some(save) = &args.save {
        file.write(save);
    }
    println!("{}", args.out.join("results.html").display());
    let left = before.expect_as_before(work);
    if ran.is_ok() { left } else { std::process::ExitCode::FAILURE }
}
