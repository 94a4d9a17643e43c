//! Starts and deletes a second at 1, 4, 16 and 64 callers, how long each takes, and processor time a start.
//!
//! A turn is a batch of starts of one contender at one concurrency, and then of deletes of the same containers; the
//! contenders take turns at each concurrency in each round, and whoever was first is last in the next round.

use std::time::Duration;

use crate::Bench;
use crate::batch::{self, count, millis};
use crate::contenders::Contender;
use crate::cpu::{self, Account};
use crate::results::Results;

/// At which concurrencies.
const CALLERS: [usize; 4] = [1, 4, 16, 64];

pub(crate) fn measure(bench: &mut Bench, rounds: usize) {
    let mut results = std::mem::take(&mut bench.results);
    let contenders = bench.contenders();
    for round in 0..rounds {
        for callers in CALLERS {
            // So that every caller has two turns at least.
            let containers = (2 * callers).max(24);
            for at in 0..contenders.len() {
                let contender = contenders[(at + round) % contenders.len()];
                turn(contender, callers, containers, &mut results);
            }
        }
        eprintln!("starts: round {} of {rounds}", round + 1);
    }
    bench.results = results;
}

fn turn(contender: &dyn Contender, callers: usize, containers: usize, results: &mut Results) {
    let who = contender.who();
    let ids: Vec<_> = (0..containers).map(|number| contender.account().id(number)).collect();
    // What we call ourselves is in our own cgroup, so we go into its account, and what we use ourselves is taken off.
    if contender.daemon().is_none() {
        contender.account().enter();
    }
    let before = Spent::of(contender);
    let started = batch::run(contender, callers, &ids, |session, id| session.start(id)).expect_whole(who);
    // What a start has set off beside its answer has ended.
    std::thread::sleep(Duration::from_millis(30));
    let after = Spent::of(contender);
    results.round("starts", &format!("starts/s at {callers}"), who, "/s", started.a_second());
    results.samples("starts", &format!("start at {callers}"), who, "ms", &started.latencies);
    for (part, spent) in after.since(&before) {
        let name = format!("CPU a start{part} at {callers}");
        results.round("starts", &name, who, "ms", millis(spent) / count(containers));
    }
    let deleted = batch::run(contender, callers, &ids, |session, id| session.delete(id)).expect_whole(who);
    results.round("delete", &format!("deletes/s at {callers}"), who, "/s", deleted.a_second());
    results.samples("delete", &format!("delete at {callers}"), who, "ms", &deleted.latencies);
    if contender.daemon().is_none() {
        Account::leave();
    }
    contender.account().settle(usize::from(contender.daemon().is_some()));
}

/// What a contender has used so far.
struct Spent {
    all: Duration,
    parts: Vec<(&'static str, Duration)>,
}

impl Spent {
    fn of(contender: &dyn Contender) -> Self {
        let own = if contender.daemon().is_none() { cpu::own() } else { Duration::ZERO };
        Self { all: contender.account().used().saturating_sub(own), parts: contender.parts() }
    }

    /// In all, then by parts, and what is left of it: the runtime's, with the container's own beginning.
    fn since(&self, before: &Self) -> Vec<(String, Duration)> {
        let all = self.all.saturating_sub(before.all);
        let mut spent = vec![(String::new(), all)];
        let mut rest = all;
        for ((part, now), (_, then)) in self.parts.iter().zip(&before.parts) {
            let part_spent = now.saturating_sub(*then);
            rest = rest.saturating_sub(part_spent);
            spent.push((format!(", {part}"), part_spent));
        }
        if !self.parts.is_empty() {
            spent.push((", runc".to_owned(), rest));
        }
        spent
    }
}
