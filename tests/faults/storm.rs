//! Kills at random instants, under a mixed load of clients that repeat what was not answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;

use crate::machine::Machine;
use crate::story::{Bundles, Faith, Story, tell};
use crate::{seed, setting};

/// How many tell stories at once.
const CLIENTS: usize = 5;

#[test]
fn kills_at_random_instants_of_a_mixed_load_lose_nothing_double_nothing_and_leave_nothing() {
    storm(setting("FAULTS_KILLS", 20), Faith::All);
}

/// Each second one a shim's: what that one would have done is lost, and what was done is not.
#[test]
fn kills_of_daemons_and_shims_at_random_instants_double_nothing_and_leave_nothing() {
    storm(setting("FAULTS_KILLS", 20) / 2, Faith::Little);
}

fn storm(kills: u64, faith: Faith) {
    let machine = Machine::start(&format!("f{}-storm-{faith:?}-", std::process::id()), 128 * 1024);
    let bundles: Vec<Bundles> = (0..CLIENTS).map(|_| Bundles::new()).collect();
    let (over, stories) = (AtomicBool::new(false), AtomicU64::new(0));
    println!("seed {}", seed());
    std::thread::scope(|scope| {
        for (client, bundles) in bundles.iter().enumerate() {
            let (machine, over, stories) = (&machine, &over, &stories);
            scope.spawn(move || {
                // However it ends, the kills end with it.
                let _over = Over(over);
                let mut rng = Rng::with_seed(seed() + client as u64);
                for number in 0_u64.. {
                    let story = Story::ALL[rng.usize(..Story::ALL.len())];
                    tell(machine, bundles, story, &format!("c{client}-{number}"), faith, &|_| {});
                    stories.fetch_add(1, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let mut rng = Rng::with_seed(seed());
        for kill in 0..kills {
            if over.load(Ordering::Relaxed) {
                break;
            }
            // From the middle of a recovery to some hundred milliseconds of work; and now and then a time in which the
            // longest request, a restore beside four other clients, comes to its end: what is cut off is undone.
            let patience = if rng.u8(..8) == 0 { 1000..2500 } else { 20..400 };
            std::thread::sleep(Duration::from_millis(rng.u64(patience)));
            if faith != Faith::All && kill % 2 == 0 {
                machine.kill_a_shim(&mut rng);
            } else {
                machine.kill_now();
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    machine.assert_nothing_left();
    println!("{kills} kills in {} stories of {CLIENTS} clients", stories.load(Ordering::Relaxed));
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
