//! The test of 2015: a thousand containers asked for at once, each by a caller of its own. Ours as a thousand POSTs, bare
//! runc as a thousand programs. All of ours are to be up, and none to have failed.

use crate::Bench;
use crate::batch::{self, count};
use crate::contenders::{Contender, OURS};
use crate::cpu::Account;
use crate::stats::{quantile, sorted};

const SECTION: &str = "crowd";

pub(crate) fn measure(bench: &mut Bench, rounds: usize) {
    let size = if bench.quick { 200 } else { 1000 };
    for round in 0..rounds {
        let mut seen = Vec::new();
        let mut contenders: Vec<&dyn Contender> = vec![&bench.ours, &bench.runc];
        contenders.rotate_left(round % 2);
        for contender in contenders {
            eprintln!("crowd: {} of {}, round {} of {rounds}", size, contender.who(), round + 1);
            let ids: Vec<_> = (0..size).map(|number| contender.account().id(number)).collect();
            if contender.daemon().is_none() {
                contender.account().enter();
            }
            let batch = batch::run(contender, size, &ids, |session, id| session.start(id));
            if let Some(first) = batch.failures.first() {
                eprintln!(
                    "crowd: {} of {} failed, the first: {first}",
                    batch.failures.len(),
                    contender.who()
                );
            }
            let rate = batch.a_second();
            let mean = batch.latencies.iter().sum::<f64>() / count(batch.latencies.len());
            let failed = batch.failures.len();
            let times = sorted(&batch.latencies);
            // What has failed is not there.
            let deleted = batch::run(contender, 4, &ids, |session, id| session.delete(id));
            Account::leave();
            assert!(
                contender.who() != OURS || deleted.failures.len() <= failed,
                "{:?}",
                deleted.failures.first()
            );
            contender.account().settle(usize::from(contender.daemon().is_some()));
            seen.push((contender.who(), rate, mean, quantile(&times, 0.99), quantile(&times, 1.0), failed));
        }
        for (who, rate, mean, p99, last, failed) in seen {
            let results = &mut bench.results;
            results.round(SECTION, &format!("starts/s, {size} at once"), who, "/s", rate);
            results.round(SECTION, &format!("mean, {size} at once"), who, "ms", mean);
            results.round(SECTION, &format!("p99, {size} at once"), who, "ms", p99);
            results.round(SECTION, &format!("last, {size} at once"), who, "ms", last);
            results.round(SECTION, &format!("failed, {size} at once"), who, "", count(failed));
        }
    }
}
