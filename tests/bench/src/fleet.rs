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
    let sizes: &[usize] = if bench.quick { &[0, 10, 100] } else { &[0, 10, 100, 1000] };
    let mut there = 0;
    for &size in sizes {
        let smaller = size <= 100;
        for contender in bench.contenders().into_iter().filter(|one| smaller || is_ours(*one)) {
            eprintln!("fleet: {} has {size}", contender.who());
            batch::run(contender, CALLERS, &names(contender, there, size), |session, id| session.start(id))
                .expect_whole(contender.who());
        }
        there = size;
        look(bench, wanted, size, rounds);
        if size == 100 {
            for contender in bench.contenders().into_iter().filter(|one| !is_ours(*one)) {
                end(contender, size);
            }
        }
    }
    end(&bench.ours, there);
}

fn is_ours(contender: &dyn Contender) -> bool {
    contender.who() == crate::contenders::OURS
}

fn names(contender: &dyn Contender, from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| contender.account().id(number)).collect()
}

fn end(contender: &dyn Contender, size: usize) {
    batch::run(contender, CALLERS, &names(contender, 0, size), |session, id| session.delete(id))
        .expect_whole(contender.who());
    contender.account().settle(usize::from(contender.daemon().is_some()));
}

fn look(bench: &mut Bench, wanted: &Wanted, size: usize, rounds: usize) {
    // First those that want quiet.
    if wanted.idle && size >= 100 {
        idle::measure(bench, size);
    }
    if wanted.memory && size != 10 {
        memory::measure(bench, size);
    }
    if wanted.ask && size > 0 {
        ask::measure(bench, size, rounds);
    }
    if wanted.recovery && size != 10 {
        recover(bench, size, rounds);
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
