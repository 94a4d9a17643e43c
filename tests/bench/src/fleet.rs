//! What is measured while many containers are there: the fleets grow, and at 10, 100 and 1,000 they are looked at. The
//! peers stop at 100; a thousand shims of containerd's would fill the machine.

use crate::batch;
use crate::contenders::Contender;
use crate::{Bench, ask, idle, memory};

/// Which figures.
pub(crate) struct Wanted {
    pub(crate) ask: bool,
    pub(crate) memory: bool,
    pub(crate) idle: bool,
    pub(crate) recovery: bool,
}

/// The concurrency at which most is started a second.
const CALLERS: usize = 4;

pub(crate) fn measure(bench: &mut Bench, wanted: &Wanted, rounds: usize) {
    if !(wanted.ask || wanted.memory || wanted.idle || wanted.recovery) {
        return;
    }
    let sizes: &[usize] = if bench.quick { &[10, 100] } else { &[10, 100, 1000] };
    if wanted.memory {
        memory::measure(bench, 0);
    }
    // Up, for what wants daemons of whom little was asked yet.
    let mut there = 0;
    for &size in sizes {
        for contender in bench.contenders().into_iter().filter(|one| size <= 100 || is_ours(*one)) {
            eprintln!("fleet: {} has {size}", contender.who());
            batch::run(contender, CALLERS, &names(contender, there, size), |session, id| session.start(id))
                .expect_whole(contender.who());
        }
        there = size;
        if wanted.idle && size >= 100 {
            idle::measure(bench, size);
        }
        if wanted.memory && size >= 100 {
            memory::measure(bench, size);
        }
        if size == 100 {
            if wanted.ask {
                ask::list(bench, 10 * rounds);
                ask::who_calls(bench);
            }
            for contender in bench.contenders().into_iter().filter(|one| !is_ours(*one)) {
                end(contender, 0, size);
            }
        }
    }
    // And down, for what asks much.
    for (&size, &next) in sizes.iter().rev().zip(sizes.iter().rev().skip(1).chain([&0])) {
        if wanted.ask {
            ask::measure(bench, size, rounds);
        }
        if wanted.recovery {
            recover(bench, size, rounds);
        }
        end(&bench.ours, next, size);
    }
    if wanted.recovery {
        recover(bench, 0, rounds);
    }
}

fn is_ours(contender: &dyn Contender) -> bool {
    contender.who() == crate::contenders::OURS
}

fn names(contender: &dyn Contender, from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| contender.account().id(number)).collect()
}

/// Of so many so many stay.
fn end(contender: &dyn Contender, left: usize, size: usize) {
    batch::run(contender, CALLERS, &names(contender, left, size), |session, id| session.delete(id))
        .expect_whole(contender.who());
    if left == 0 {
        contender.account().settle(usize::from(contender.daemon().is_some()));
    }
}

/// From the start of a new daemon after a kill -9 to its answer to `/state` that names all as running.
fn recover(bench: &mut Bench, size: usize, rounds: usize) {
    for _ in 0..rounds {
        let begun = bench.ours.crash_and_restart();
        let state = bench.ours.http().send("GET", "/state", "").expect("it answers");
        let took = batch::millis(begun.elapsed());
        let running = state.matches(r#""status":"running""#).count();
        assert_eq!(running, size, "of {size} containers");
        bench.results.round("recovery", &format!("back at {size}"), bench.ours.who(), "ms", took);
    }
}
