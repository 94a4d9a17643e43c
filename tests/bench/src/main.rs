//! `make bench`: the daemon beside bare runc, containerd and podman, on one bundle, interleaved in one run.

mod batch;
mod contenders;
mod cpu;
mod http;
mod report;
mod results;
mod starts;
mod stats;

use std::path::PathBuf;

use clap::Parser;

use contenders::{Contender, Ours, Runc};
use results::Results;

#[derive(Parser)]
struct Args {
    /// These sections alone
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Fewer rounds
    #[arg(long)]
    quick: bool,
    /// How many rounds
    #[arg(long)]
    rounds: Option<usize>,
    /// The daemon; its shim lies beside it
    #[arg(long, default_value = "target/release/containerd-rest")]
    program: PathBuf,
}

fn main() {
    let args = Args::parse();
    let _ = &args.only;
    let work = tempfile::Builder::new().prefix("bench.").tempdir().expect("a folder");
    let bundle = work.path().join("bundle");
    let laid = std::process::Command::new("scripts/test-bundle").arg(&bundle).status();
    assert!(laid.is_ok_and(|status| status.success()), "scripts/test-bundle");
    let ours = Ours::start(&args.program, work.path(), &bundle);
    let runc = Runc::new(work.path(), &bundle);
    let mut results = Results::default();
    let contenders: [&dyn Contender; 2] = [&ours, &runc];
    starts::measure(&contenders, args.rounds.unwrap_or(if args.quick { 3 } else { 10 }), &mut results);
    println!("{}", report::table(&results));
}
