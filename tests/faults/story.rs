//! What clients do, in a few short stories, and the oracle: told from the end, a story whose daemon died in the
//! middle of it is the same as one whose daemon did not.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::machine::{Answer, Machine};
use crate::support::bundle::Bundle;
use crate::support::{eventually, host};

/// Counts for ever, and ends with 3 at USR1, with 4 at TERM.
const COUNTER: &str =
    "trap 'exit 3' USR1; trap 'exit 4' TERM; i=0; while :; do echo n $i; i=$((i+1)); sleep 0.01; done";
/// More than one log holds in this build.
const LOUD: &str = "i=0; while [ $i -lt 2000 ]; do echo e $i; i=$((i+1)); done";
const LOUD_LINES: u64 = 2000;

/// The bundles of all stories.
pub(crate) struct Bundles {
    counter: Bundle,
    bad: Bundle,
}

impl Bundles {
    pub(crate) fn new() -> Self {
        Self { counter: Bundle::script(COUNTER), bad: Bundle::new(&["no-such-program"]) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    Bad,
    Processes,
    Freeze,
    Dump,
    Lazy,
    Stop,
}

impl Story {
    pub(crate) const ALL: [Self; 6] =
        [Self::Bad, Self::Processes, Self::Freeze, Self::Dump, Self::Lazy, Self::Stop];
}

/// One container's story while it is told.
pub(crate) struct Teller<'a> {
    machine: &'a Machine,
    bundles: &'a Bundles,
    id: String,
    path: String,
    step: usize,
    before: &'a dyn Fn(usize),
    /// Of the container, as they are to be told.
    events: Vec<Value>,
    /// The last event before the story.
    cursor: i64,
    /// Whether there has been a container of this name since it was last deleted.
    created: bool,
    faith: Faith,
}

/// What may be lost in a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faith {
    /// Nothing.
    All,
    /// A shim may be ended, and with it what its container would have done; but not how what has ended ended: that is
    /// written.
    Statuses,
    /// A shim may be ended.
    Little,
}

/// The shim was lost, and the story with it.
pub(crate) struct Lost;
type Told<T = ()> = Result<T, Lost>;

/// Tells a story; `before` is called with each step's number.
pub(crate) fn tell(
    machine: &Machine,
    bundles: &Bundles,
    story: Story,
    name: &str,
    faith: Faith,
    before: &dyn Fn(usize),
) {
    let id = format!("{}{name}", machine.prefix);
    let path = format!("/containers/{id}");
    let cursor = last_cursor(machine);
    let mut teller = Teller {
        cursor,
        machine,
        bundles,
        id,
        path,
        step: 0,
        before,
        events: Vec::new(),
        faith,
        created: false,
    };
    let told = match story {
        Story::Bad => teller.bad(),
        Story::Processes => teller.processes(),
        Story::Freeze => teller.freeze(),
        Story::Dump => teller.dump(false),
        Story::Lazy => teller.dump(true),
        Story::Stop => teller.stop(),
    };
    match told {
        Ok(()) => teller.check_events(),
        Err(Lost) => teller.check_lost(),
    }
    if teller.faith != Faith::All {
        // A start that was cut off and that nobody asks for again is undone behind everybody's back.
        eventually("no cgroup is left", || host::cgroups(&teller.id).is_empty());
    }
    assert_eq!(host::cgroups(&teller.id), Vec::<std::path::PathBuf>::new());
    let hidden = host::files(&teller.bundles.counter.path().join("checkpoints"), &[]);
    let mine = hidden.iter().filter(|file| file.contains(name));
    assert_eq!(mine.collect::<Vec<_>>(), Vec::<&String>::new(), "of its checkpoints");
}

impl Teller<'_> {
    fn next(&mut self) -> String {
        (self.before)(self.step);
        self.step += 1;
        format!("{}-{}", self.id, self.step)
    }

    /// A step: asked with a key until it is answered, by this status.
    #[track_caller]
    fn ask(&mut self, method: &str, path: &str, body: &Value, status: u16) -> Told<Value> {
        let key = self.next();
        self.ask_keyed(&key, method, path, body, status)
    }

    #[track_caller]
    fn ask_keyed(&mut self, key: &str, method: &str, path: &str, body: &Value, status: u16) -> Told<Value> {
        let answer = self.machine.ask(Some(key), method, path, body);
        self.expect(&answer, status, &format!("{method} {path}"))?;
        Ok(serde_json::from_str(&answer.body).unwrap_or_default())
    }

    #[track_caller]
    fn expect(&self, answer: &Answer, status: u16, what: &str) -> Told {
        if answer.status == status {
            return Ok(());
        }
        if self.faith != Faith::All {
            return Err(Lost);
        }
        panic!("{what}: {} and not {status}: {}", answer.status, answer.body);
    }

    #[track_caller]
    fn same(&self, what: &str, is: &Value, want: &Value) -> Told {
        if is == want {
            return Ok(());
        }
        if self.faith == Faith::Little {
            return Err(Lost);
        }
        panic!("{}: {what} is {is} and not {want}", self.id);
    }

    fn expect_event(&mut self, event: Value) {
        self.events.push(event);
    }

    #[track_caller]
    fn start(&mut self) -> Told {
        let body = self.bundles.counter.start();
        let path = self.path.clone();
        self.ask("POST", &path, &body, 201)?;
        if !std::mem::replace(&mut self.created, true) {
            self.expect_event(json!({ "type": "created" }));
        }
        self.expect_event(json!({ "type": "start" }));
        // Until it listens to signals.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.machine.get(&format!("{path}/logs")).body.contains("n 0") && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    #[track_caller]
    fn exec(&mut self, args: &Value) -> Told<i64> {
        let path = format!("{}/process", self.path);
        let pid = self.ask("PUT", &path, &json!({ "args": args }), 200)?["pid"].as_i64().unwrap();
        self.expect_event(json!({ "type": "exec", "pid": pid }));
        Ok(pid)
    }

    fn has_shim(&self) -> bool {
        host::processes(&self.id, 0).values().any(|command| command.contains("containerd-rest-shim"))
    }

    /// Waits for the end of an added process, which is to have this status.
    #[track_caller]
    fn ended(&mut self, pid: i64, status: i64) -> Told {
        let answer = self.machine.get(&format!("{}/process/{pid}/wait?timeout=30", self.path));
        self.expect(&answer, 200, "waiting for a process")?;
        self.same("an added process's status", &answer.json()["state"]["exitStatus"], &json!(status))?;
        self.expect_event(json!({ "type": "exit", "pid": pid, "status": status }));
        Ok(())
    }

    /// All of its memory comes.
    #[track_caller]
    fn loaded(&mut self) -> Told {
        let deadline = Instant::now() + Duration::from_secs(10);
        let pages = |machine: &Machine, path: &str| {
            serde_json::from_str::<Value>(&machine.get(path).body).unwrap_or_default()["pages"].clone()
        };
        while pages(self.machine, &self.path) == "loading" && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        let is = pages(self.machine, &self.path);
        if is != "loaded" && self.faith != Faith::All {
            return Err(Lost);
        }
        assert_eq!(is, "loaded", "{}", self.id);
        self.expect_event(json!({ "type": "pagesLoaded" }));
        Ok(())
    }

    #[track_caller]
    fn stopped(&mut self, status: i64) -> Told {
        let answer = self.machine.get(&format!("{}/wait?timeout=30", self.path));
        self.expect(&answer, 200, "waiting for the container")?;
        let state = &answer.json()["state"];
        self.same(
            "the container's status",
            &json!([state["status"], state["exitStatus"]]),
            &json!(["stopped", status]),
        )?;
        self.expect_event(json!({ "type": "exit", "status": status }));
        Ok(())
    }

    /// A signal that a daemon died over may have been sent: then it is looked at, and sent again if not.
    #[track_caller]
    fn signal(&mut self, method: &str, path: &str, signal: i32, gone: impl Fn(&Machine) -> bool) -> Told {
        let mut key = self.next();
        loop {
            let answer = self.machine.ask(Some(&key), method, path, &json!({ "signal": signal }));
            if answer.status == 409 && answer.body.contains("outcome-unknown") {
                let deadline = Instant::now() + Duration::from_millis(500);
                while Instant::now() < deadline {
                    if gone(self.machine) {
                        return Ok(());
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                key.push('+');
                continue;
            }
            return self.expect(&answer, 200, &format!("{method} {path}"));
        }
    }

    /// Numbered lines of the log that begin so: each once, in order, from the first on. Gives the last.
    #[track_caller]
    fn lines(&self, mark: &str, first: u64) -> Told<u64> {
        let answer = self.machine.get(&format!("{}/logs", self.path));
        self.expect(&answer, 200, "the log")?;
        let numbers =
            answer.body.lines().filter_map(|line| line.strip_prefix(mark)?.trim().parse::<u64>().ok());
        let numbers: Vec<u64> = numbers.collect();
        let want: Vec<u64> = (first..first + numbers.len() as u64).collect();
        // Whoever dies: what is in the log is there once and without a hole.
        if numbers != want {
            let at = numbers.iter().zip(&want).position(|(is, want)| is != want);
            panic!("{}: lines {mark:?} are lost or doubled at {at:?} of {}", self.id, numbers.len());
        }
        Ok(first + numbers.len() as u64)
    }

    #[track_caller]
    fn delete(&mut self, force: bool) -> Told {
        let path = format!("{}{}", self.path, if force { "?force=true" } else { "" });
        if force {
            self.expect_event(json!({ "type": "exit", "status": 137 }));
        }
        self.ask("DELETE", &path, &Value::Null, 204)?;
        self.expect_event(json!({ "type": "delete" }));
        let answer = self.machine.get(&self.path);
        self.expect(&answer, 404, "a container that was deleted")
    }

    fn bad(&mut self) -> Told {
        let (path, body) = (self.path.clone(), self.bundles.bad.start());
        self.ask("POST", &path, &body, 500)?;
        let answer = self.machine.get(&path);
        self.expect(&answer, 404, "a container that could not be started")?;
        // The name is as good as new.
        self.start()?;
        self.ask("POST", &path, &self.bundles.bad.start(), 409)?;
        self.delete(true)
    }

    fn processes(&mut self) -> Told {
        self.start()?;
        let code = self.exec(&json!(["sh", "-c", "exit 7"]))?;
        self.ended(code, 7)?;
        let long = self.exec(&json!(["sleep", "1000"]))?;
        let loud = self.exec(&json!(["sh", "-c", LOUD]))?;
        self.ended(loud, 0)?;
        let last = self.lines("e ", 0)?;
        self.same("the number of lines", &json!(last), &json!(LOUD_LINES))?;
        let path = format!("{}/process/{long}", self.path);
        let look = path.clone();
        let is_seen = self.has_shim();
        self.signal("POST", &path, 9, move |machine| machine.get(&look).body.contains("exited"))?;
        if !is_seen && self.faith != Faith::All {
            // The end of the one before was the last that its shim has seen.
            return Err(Lost);
        }
        self.ended(long, 137)?;
        self.lines("n ", 0)?;
        self.delete(true)
    }

    fn freeze(&mut self) -> Told {
        self.start()?;
        let path = self.path.clone();
        self.ask("PATCH", &path, &json!({ "status": "paused" }), 200)?;
        self.expect_event(json!({ "type": "pause" }));
        self.ask("PATCH", &path, &json!({ "status": "running" }), 200)?;
        self.expect_event(json!({ "type": "resume" }));
        let name = format!("{}-c", self.id);
        let dump = format!("{path}/checkpoint/{name}");
        self.ask("POST", &dump, &json!({}), 201)?;
        self.expect_event(json!({ "type": "checkpoint", "checkpoint": name }));
        self.ask("DELETE", &dump, &Value::Null, 200)?;
        self.lines("n ", 0)?;
        self.delete(true)
    }

    /// `lazy`: it goes on before all of its memory is in.
    fn dump(&mut self, lazy: bool) -> Told {
        self.start()?;
        let path = self.path.clone();
        let name = format!("{}-c", self.id);
        let dump = format!("{path}/checkpoint/{name}");
        self.ask("POST", &dump, &json!({ "exit": true }), 201)?;
        self.stopped(137)?;
        self.expect_event(json!({ "type": "checkpoint", "checkpoint": name }));
        let last = self.lines("n ", 0)?;
        let mut body = self.bundles.counter.restore(&name);
        body["lazyPages"] = json!(lazy);
        self.ask("POST", &path, &body, 201)?;
        self.expect_event(json!({ "type": "restore" }));
        if lazy {
            self.loaded()?;
        }
        let look = path.clone();
        self.signal("PATCH", &path, 10, move |machine| machine.get(&look).body.contains("stopped"))?;
        self.stopped(3)?;
        self.lines("n ", last)?;
        self.ask("DELETE", &dump, &Value::Null, 200)?;
        self.delete(false)
    }

    fn stop(&mut self) -> Told {
        self.start()?;
        let path = format!("{}/stop", self.path);
        self.ask("POST", &path, &json!({ "timeout": 20 }), 200)?;
        self.stopped(4)?;
        self.lines("n ", 0)?;
        self.start()?;
        // SIGCONT does nothing, so it is killed.
        self.ask("POST", &path, &json!({ "signal": 18, "timeout": 0 }), 200)?;
        self.stopped(137)?;
        self.lines("n ", 0)?;
        self.delete(false)
    }

    /// Of all containers: none is left out, and none told twice.
    #[track_caller]
    fn check_cursors(&self) {
        let answer = self.machine.get(&format!("/events?since={}&follow=false", self.cursor));
        let mut last = self.cursor;
        for line in answer.body.lines() {
            let event = serde_json::from_str::<Value>(line).unwrap();
            let cursor = event["cursor"].as_i64().unwrap();
            assert!(cursor == last + 1 || event["type"] == "missed", "a gap behind {last}: {line}");
            last = cursor;
        }
    }

    fn told(&self) -> Vec<Value> {
        let answer = self.machine.get(&format!("/events?since={}&follow=false&id={}", self.cursor, self.id));
        let lines = answer.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        // How far something is, is told as often as it takes seconds.
        lines
            .filter(|event| event["type"] != "progress")
            .map(|mut event| {
                let fields = event.as_object_mut().unwrap();
                for field in ["cursor", "id", "time"] {
                    fields.remove(field);
                }
                event
            })
            .collect()
    }

    /// All that has happened, each once, in order.
    #[track_caller]
    fn check_events(&self) {
        self.check_cursors();
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut told = self.told();
        while told.len() < self.events.len() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
            told = self.told();
        }
        let mut want = self.events.clone();
        if self.faith == Faith::Little {
            // Told to its end all the same; but how what was killed last has ended nobody may have seen.
            for event in told.iter_mut().chain(&mut want).filter(|event| event["type"] == "exit") {
                event.as_object_mut().unwrap().remove("status");
            }
        }
        if self.faith == Faith::Statuses {
            // Added processes end before init, which they go with: a shim that is ended at one of those has not seen it.
            for (told, want) in told.iter().zip(&mut want) {
                if want["type"] == "exit" && want["pid"].is_null() && told["status"].is_null() {
                    want.as_object_mut().unwrap().remove("status");
                }
            }
        }
        assert_eq!(told, want, "{}: the events", self.id);
    }

    /// Its shim was ended: what is left of it is shown as what it is, and can be deleted whole.
    #[track_caller]
    fn check_lost(&mut self) {
        self.check_cursors();
        let key = format!("{}-lost", self.id);
        let answer = self.machine.get(&self.path);
        assert!([200, 404].contains(&answer.status), "{}", answer.body);
        if answer.status == 200 {
            for mark in ["n ", "e "] {
                let log = self.machine.get(&format!("{}/logs", self.path)).body;
                let first = log.lines().find_map(|line| line.strip_prefix(mark)?.trim().parse().ok());
                let _ = self.lines(mark, first.unwrap_or(0));
            }
            let forced = format!("{}?force=true", self.path);
            let answer = self.machine.ask(Some(&key), "DELETE", &forced, &Value::Null);
            assert_eq!(answer.status, 204, "{}", answer.body);
        }
        // A checkpoint that was made is whole, and nobody's business but the bundle's.
        let made = self.bundles.counter.path().join("checkpoints").join(format!("{}-c", self.id));
        assert!(!made.exists() || whole(&made), "{}", made.display());
        let _ = fs::remove_dir_all(made);
        let told = self.told();
        let count = |kind: &str| {
            told.iter().filter(|event| event["type"] == kind && event.get("pid").is_none()).count()
        };
        assert_eq!(count("start") + count("restore"), count("exit"), "{told:?}");
        assert_eq!(count("created"), count("delete"), "{told:?}");
        let of_added = |kind: &str| {
            let of = told.iter().filter(|event| event["type"] == kind);
            let mut pids: Vec<i64> = of.filter_map(|event| event["pid"].as_i64()).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(of_added("exec"), of_added("exit"), "{told:?}");
    }
}

fn last_cursor(machine: &Machine) -> i64 {
    let answer = machine.get("/events?since=0&follow=false");
    let last = answer.body.lines().last().map(|line| serde_json::from_str::<Value>(line).unwrap());
    last.map_or(0, |event| event["cursor"].as_i64().unwrap())
}

fn whole(checkpoint: &Path) -> bool {
    checkpoint.join("image/inventory.img").exists() && checkpoint.join("checkpoint.json").exists()
}
