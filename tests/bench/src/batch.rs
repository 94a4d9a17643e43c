//! Many calls by a number of callers at once, each caller a thread with a session of its own, which is connected before
//! the clock starts. Each takes the next number as soon as it has its answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::contenders::{Contender, Outcome, Session};

/// What a batch came to.
pub(crate) struct Batch {
    /// From the first call to the last answer.
    pub(crate) took: Duration,
    /// Of each call that succeeded, in ms.
    pub(crate) latencies: Vec<f64>,
    pub(crate) failures: Vec<String>,
}

impl Batch {
    pub(crate) fn a_second(&self) -> f64 {
        count(self.latencies.len()) / self.took.as_secs_f64()
    }

    /// What was to be measured is not what was, when anything failed.
    pub(crate) fn expect_whole(self, who: &str) -> Self {
        match self.failures.first() {
            None => self,
            Some(first) => panic!("{who}: {} calls failed, the first: {first}", self.failures.len()),
        }
    }
}

#[expect(clippy::cast_precision_loss)]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// `call` for each of `ids`, by so many callers.
pub(crate) fn run(
    contender: &dyn Contender,
    callers: usize,
    ids: &[String],
    call: impl Fn(&mut dyn Session, &str) -> Outcome + Sync,
) -> Batch {
    let next = AtomicUsize::new(0);
    let ready = Barrier::new(callers + 1);
    let all = Mutex::new((Vec::with_capacity(ids.len()), Vec::new()));
    // Of each caller: from its first call to its last answer.
    let spans = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                let mut session = contender.session();
                ready.wait();
                let from = Instant::now();
                let (mut latencies, mut failures) = (Vec::new(), Vec::new());
                while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    match call(&mut *session, id) {
                        Ok(()) => latencies.push(millis(begun.elapsed())),
                        Err(why) => failures.push(why),
                    }
                }
                spans.lock().expect("no caller panics while it holds it").push((from, Instant::now()));
                let mut all = all.lock().expect("no caller panics while it holds it");
                all.0.append(&mut latencies);
                all.1.append(&mut failures);
                drop(all);
            });
        }
        ready.wait();
    });
    let took = length(&spans.into_inner().expect("no caller panics while it holds it"));
    let (latencies, failures) = all.into_inner().expect("no caller panics while it holds it");
    Batch { took, latencies, failures }
}

/// From the first beginning to the last end.
pub(crate) fn length(spans: &[(Instant, Instant)]) -> Duration {
    let from = spans.iter().map(|(from, _)| *from).min();
    let to = spans.iter().map(|(_, to)| *to).max();
    from.zip(to).map_or(Duration::ZERO, |(from, to)| to.duration_since(from))
}
