//! Random sequences of operations, with random faults between and in them, against a small reference model: what is
//! answered and what is then seen is what the model says. `MODEL_CASES` (12) and `MODEL_SEED` (2015) set its budget.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host, raw};

const NAMES: usize = 2;
const CHECKPOINTS: usize = 2;
/// Ends by itself, with 3, when it is told to.
const SCRIPT: &str = "trap 'exit 3' USR1; echo ready; while :; do sleep 0.02; done";

#[derive(Debug, Clone, Copy)]
enum Op {
    Start,
    Restore(usize),
    Exec,
    Pause,
    Resume,
    Kill,
    /// It ends by itself.
    End,
    Stop,
    Checkpoint(usize, bool),
    DropCheckpoint(usize),
    Delete(bool),
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asked, and answered.
    Ask(usize, Op),
    /// Asked by a client that hangs up at once: it is done all the same.
    HangUp(usize, Op),
    KillDaemon,
    Upgrade,
    KillShim(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let checkpoint = 0..CHECKPOINTS;
    prop_oneof![
        4 => Just(Op::Start),
        2 => checkpoint.clone().prop_map(Op::Restore),
        3 => Just(Op::Exec),
        2 => Just(Op::Pause),
        2 => Just(Op::Resume),
        1 => Just(Op::Kill),
        2 => Just(Op::End),
        1 => Just(Op::Stop),
        3 => (checkpoint.clone(), any::<bool>()).prop_map(|(name, exit)| Op::Checkpoint(name, exit)),
        1 => checkpoint.prop_map(Op::DropCheckpoint),
        2 => any::<bool>().prop_map(Op::Delete),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES;
    prop_oneof![
        12 => (name.clone(), op()).prop_map(|(name, op)| Step::Ask(name, op)),
        2 => (name.clone(), op()).prop_map(|(name, op)| Step::HangUp(name, op)),
        2 => Just(Step::KillDaemon),
        1 => Just(Step::Upgrade),
        1 => name.prop_map(Step::KillShim),
    ]
}

/// A container as the model has it; none: there is none.
#[derive(Debug, Clone, PartialEq)]
struct Life {
    status: &'static str,
    /// Of a stopped one, where somebody saw it.
    exit: Option<i64>,
    added: usize,
    /// Its shim was killed.
    orphan: bool,
    /// It is frozen, and ends when it is thawed.
    ending: bool,
}

/// An event of a container, by its type, with the status of an exit.
type Told = (&'static str, Option<i64>);

#[derive(Debug, Default)]
struct Model {
    lives: BTreeMap<usize, Life>,
    /// They are their bundle's, whatever becomes of the container.
    checkpoints: BTreeSet<(usize, usize)>,
    /// Of the container itself, in order; how often it is frozen on its way to its end is its own affair.
    events: BTreeMap<usize, Vec<Told>>,
}

impl Model {
    /// The status that is answered; the model is as it is afterwards.
    fn ask(&mut self, name: usize, op: Op) -> u16 {
        let fresh = Life { status: "running", exit: None, added: 0, orphan: false, ending: false };
        let told = self.events.entry(name).or_default();
        let Some(life) = self.lives.get_mut(&name) else {
            let known = |one| self.checkpoints.contains(&(name, one));
            if !matches!(op, Op::Start) && !matches!(op, Op::Restore(one) if known(one)) {
                return 404;
            }
            told.push(("created", None));
            return self.begin(name, fresh, op);
        };
        let stopped = life.status == "stopped";
        match op {
            Op::Start if stopped => self.begin(name, fresh, op),
            Op::Restore(one) if stopped && self.checkpoints.contains(&(name, one)) => {
                self.begin(name, fresh, op)
            }
            Op::Restore(_) if stopped => 404,
            Op::Start | Op::Restore(_) => 409,
            Op::Exec | Op::Checkpoint(..) if life.status != "running" => 409,
            Op::Checkpoint(one, _) if self.checkpoints.contains(&(name, one)) => 409,
            Op::Exec | Op::Checkpoint(..) if life.orphan => 500,
            Op::Exec => {
                life.added += 1;
                200
            }
            Op::Checkpoint(one, exit) => {
                self.checkpoints.insert((name, one));
                if exit {
                    told.push(life.end(137));
                }
                told.push(("checkpoint", None));
                201
            }
            Op::Pause | Op::Resume | Op::Kill | Op::End if stopped => 409,
            Op::Pause => {
                life.status = "paused";
                200
            }
            Op::Resume => {
                life.status = "running";
                if life.ending {
                    told.push(life.end(3));
                }
                200
            }
            Op::End => {
                life.ending = true;
                if life.status == "running" {
                    told.push(life.end(3));
                }
                200
            }
            Op::Kill => {
                told.push(life.end(137));
                200
            }
            Op::Stop => {
                if !stopped {
                    told.push(life.end(137));
                }
                200
            }
            Op::DropCheckpoint(one) => {
                if self.checkpoints.remove(&(name, one)) {
                    200
                } else {
                    404
                }
            }
            Op::Delete(force) if stopped || force => {
                if !stopped {
                    told.push(life.end(137));
                }
                told.push(("delete", None));
                self.lives.remove(&name);
                204
            }
            Op::Delete(_) => 409,
        }
    }

    fn begin(&mut self, name: usize, life: Life, op: Op) -> u16 {
        let kind = if matches!(op, Op::Start) { "start" } else { "restore" };
        self.events.entry(name).or_default().push((kind, None));
        self.lives.insert(name, life);
        201
    }
}

impl Life {
    fn end(&mut self, status: i64) -> Told {
        let exit = if self.orphan { None } else { Some(status) };
        *self = Self { status: "stopped", exit, added: 0, orphan: false, ending: false };
        ("exit", exit)
    }
}

/// The real thing.
struct World {
    daemon: Option<Daemon>,
    cases: usize,
}

struct Scene<'a> {
    world: &'a mut World,
    ids: Vec<String>,
    bundles: Vec<Bundle>,
}

impl Scene<'_> {
    fn daemon(&self) -> &Daemon {
        self.world.daemon.as_ref().unwrap()
    }

    fn request(&self, name: usize, op: Op) -> (&'static str, String, Value) {
        let path = format!("/containers/{}", self.ids[name]);
        let checkpoint = |one: usize| format!("{path}/checkpoint/c{one}");
        match op {
            Op::Start => ("POST", path, self.bundles[name].start()),
            Op::Restore(one) => ("POST", path, self.bundles[name].restore(&format!("c{one}"))),
            Op::Exec => ("PUT", format!("{path}/process"), json!({ "args": ["sleep", "1000"] })),
            Op::Pause => ("PATCH", path, json!({ "status": "paused" })),
            Op::Resume => ("PATCH", path, json!({ "status": "running" })),
            Op::Kill => ("PATCH", path, json!({ "signal": 9 })),
            Op::End => ("PATCH", path, json!({ "signal": 10 })),
            Op::Stop => ("POST", format!("{path}/stop"), json!({ "signal": 9, "timeout": 10 })),
            Op::Checkpoint(one, exit) => ("POST", checkpoint(one), json!({ "exit": exit })),
            Op::DropCheckpoint(one) => ("DELETE", checkpoint(one), Value::Null),
            Op::Delete(force) => ("DELETE", format!("{path}?force={force}"), Value::Null),
        }
    }

    fn take(&mut self, step: Step, model: &mut Model) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(name, op) => {
                let (method, path, body) = self.request(name, op);
                let bytes = body.to_string();
                let answer =
                    self.daemon().client.send(method, &path, (!body.is_null()).then_some(bytes.as_bytes()));
                prop_assert_eq!(answer.status, model.ask(name, op), "{:?}: {}", op, answer.body);
            }
            Step::HangUp(name, op) => {
                let (method, path, body) = self.request(name, op);
                let body = if body.is_null() { String::new() } else { body.to_string() };
                raw::send_and_hang_up(raw::let_in(&self.daemon().client), method, &path, &body);
                model.ask(name, op);
            }
            Step::KillDaemon => {
                let daemon = self.world.daemon.take().unwrap();
                self.world.daemon = Some(daemon.crash_and_restart_after(|| {}));
            }
            Step::Upgrade => super::upgrade::replace(self.daemon()),
            Step::KillShim(name) => {
                let daemon = self.daemon();
                let live = model.lives.get_mut(&name).filter(|life| life.status != "stopped" && !life.orphan);
                if let Some(life) = live {
                    let shim = super::recovery::shim_of(daemon, &self.ids[name]);
                    kill(Pid::from_raw(i32::try_from(shim).unwrap()), Signal::SIGKILL).unwrap();
                    life.orphan = true;
                    eventually("the shim is gone", || {
                        !host::processes(&self.ids[name], daemon.pid()).contains_key(&shim)
                    });
                }
            }
        }
        Ok(())
    }

    /// What is seen of a name, as the model has it.
    fn seen(&self, name: usize) -> Option<(String, Option<i64>, usize)> {
        let answer = self.daemon().client.get(&format!("/containers/{}", self.ids[name]));
        if answer.status == 404 {
            return None;
        }
        let container = answer.json();
        let state = &container["state"];
        let processes = container["processes"].as_array().unwrap().len();
        Some((
            state["status"].as_str().unwrap().to_owned(),
            state["exitStatus"].as_i64(),
            processes.saturating_sub(1),
        ))
    }

    fn compare(&self, step: Step, model: &Model) -> Result<(), TestCaseError> {
        for name in 0..NAMES {
            let want = model.lives.get(&name).map(|life| (life.status.to_owned(), life.exit, life.added));
            // Who hung up has asked for something that may be under way; an end is seen a moment later.
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
            let mut seen = self.seen(name);
            while seen != want && std::time::Instant::now() < deadline {
                std::thread::sleep(std::time::Duration::from_millis(5));
                seen = self.seen(name);
            }
            prop_assert_eq!(seen, want, "{} after {:?}", &self.ids[name], step);
            let lives = model.lives.get(&name).is_some_and(|life| life.status != "stopped");
            // A stopped container's cgroup goes a moment after its end is shown.
            while host::cgroups(&self.ids[name]).is_empty() == lives && std::time::Instant::now() < deadline {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            prop_assert_eq!(!host::cgroups(&self.ids[name]).is_empty(), lives, "its cgroup");
            if lives && matches!(step, Step::Ask(..) | Step::HangUp(..)) {
                // Until it heeds its signal; what was restored does.
                let path = format!("/containers/{}/logs", self.ids[name]);
                let restored = self.daemon().container(&self.ids[name]).get("checkpoint").is_some();
                let ready = || restored || self.daemon().client.get(&path).body.contains("ready");
                eventually("it is ready", ready);
            }
        }
        Ok(())
    }

    /// Everything that has happened to a name was told, once, in order; each process that was added has ended once.
    fn compare_events(&self, model: &Model) -> Result<(), TestCaseError> {
        for (name, want) in &model.events {
            let path = format!("/events?since=0&follow=false&id={}", self.ids[*name]);
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
            loop {
                let body = self.daemon().client.get(&path).body;
                let events: Vec<Value> =
                    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                let (added, own): (Vec<_>, Vec<_>) =
                    events.iter().partition(|event| event.get("pid").is_some());
                let own = own.iter().map(|event| (event["type"].as_str().unwrap(), event["status"].as_i64()));
                let told: Vec<_> =
                    own.filter(|(kind, _)| !["pause", "resume", "progress"].contains(kind)).collect();
                let pids = |kind: &str| {
                    let of = added.iter().filter(|event| event["type"] == kind);
                    of.map(|event| event["pid"].as_i64().unwrap()).collect::<BTreeSet<_>>()
                };
                let (begun, over) = (pids("exec"), pids("exit"));
                let running = model.lives.get(name).map_or(0, |life| life.added);
                if told == *want && over.is_subset(&begun) && begun.len() == over.len() + running {
                    prop_assert_eq!(added.len(), begun.len() + over.len(), "twice: {}", body);
                    break;
                }
                if std::time::Instant::now() > deadline {
                    prop_assert_eq!(told, want.clone(), "{}", body);
                    prop_assert!(false, "{} added processes run, but: {}", running, body);
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        Ok(())
    }
}

fn tell(world: &mut World, steps: &[Step]) -> Result<(), TestCaseError> {
    world.cases += 1;
    let daemon = world.daemon.as_ref().unwrap();
    let ids = (0..NAMES).map(|name| daemon.name(&format!("m{}-{name}", world.cases))).collect();
    let bundles = (0..NAMES).map(|_| Bundle::script(SCRIPT)).collect();
    let mut scene = Scene { world, ids, bundles };
    let mut model = Model::default();
    for step in steps {
        scene.take(*step, &mut model)?;
        scene.compare(*step, &model)?;
    }
    scene.compare_events(&model)?;
    scene.daemon().clean_up();
    Ok(())
}

fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn random_sequences_with_random_faults_do_what_the_model_does() {
    let cases = setting("MODEL_CASES", 12);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&setting("MODEL_SEED", 2015).to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let world = RefCell::new(World { daemon: Some(Daemon::start()), cases: 0 });
    let told = runner.run(&prop::collection::vec(step(), 4..20), |steps| {
        let mut world = world.borrow_mut();
        if world.daemon.is_none() {
            world.daemon = Some(Daemon::start());
        }
        let told = tell(&mut world, &steps);
        if told.is_err() {
            // What a failed case leaves is not the next one's.
            world.daemon = Some(Daemon::start());
        }
        told
    });
    if let Err(error) = told {
        panic!("{error}\n{}", world.borrow().daemon.as_ref().map(Daemon::log).unwrap_or_default());
    }
}
