//! The README and what it leads to as a test: the commands are run as they are written, in their order, and the answers are what is shown.
//! Only the address, the bundle's place and the containers' names are others. A block that is added is run too.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use regex::{Captures, Regex};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// How the blocks begin that are not run here, and why not.
const ELSEWHERE: [(&str, &str); 3] = [
    ("git clone", "this is the clone; make run serves until it is ended, and its parts are called below"),
    ("make test", "this is it"),
    ("for program in", "an upgrade of this host's own daemon; upgrade.rs does the same to another"),
];

struct Block<'a> {
    /// `sh` is commands alone, `console` has answers too.
    kind: &'a str,
    text: String,
}

fn blocks(readme: &str) -> Vec<Block<'_>> {
    let mut all = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(kind @ ("sh" | "console")) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            all.push(Block { kind, text: text.join("\n") });
        }
    }
    all
}

/// A `console` block's commands, each with what is shown below it.
fn steps(text: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let open = steps.last().is_some_and(|(command, _)| command.matches('\'').count() % 2 == 1);
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) if !open => steps.push((command.to_owned(), String::new())),
            (_, Some((command, _))) if open => *command += &format!("\n{line}"),
            // What is wrapped goes on behind a space.
            (_, Some((_, answer))) => *answer += line.trim_start(),
            (_, None) => panic!("a console block begins with a command: {text}"),
        }
    }
    steps
}

struct Reader {
    daemon: Daemon,
    folder: tempfile::TempDir,
    /// The pids of the README by those that they are here.
    pids: BTreeMap<String, String>,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo-bundle");
        let laid = Command::new(script).arg(folder.path().join("redis")).status().unwrap();
        assert!(laid.success(), "the demo bundle: run scripts/prerequisites test");
        Self { daemon: Daemon::start(), folder, pids: BTreeMap::new() }
    }

    fn adapted(&self, text: &str) -> String {
        let [redis, py] = ["redis", "py"].map(|name| self.daemon.name(name));
        let bundle = format!("\"{}\"", self.folder.path().join("redis").display());
        let path = format!("bundlePath={}", self.folder.path().join("redis").display());
        let mut text = text.to_owned();
        for (theirs, ours) in [
            ("localhost:8888", self.daemon.client.base.trim_start_matches("http://")),
            ("\"/containers/redis\"", &bundle),
            ("bundlePath=/containers/redis", &path),
            ("containers/redis", &format!("containers/{redis}")),
            ("containers/py", &format!("containers/{py}")),
            ("\"redis\"", &format!("\"{redis}\"")),
            ("container redis ", &format!("container {redis} ")),
        ] {
            text = text.replace(theirs, ours);
        }
        for (theirs, ours) in &self.pids {
            text = text.replace(theirs, ours);
        }
        text
    }

    fn run(&self, script: &str) -> Output {
        // Silent, and a failure where the answer is one.
        let script = format!("curl() {{ command curl -sS --fail-with-body \"$@\"; }}\nset -e\n{script}");
        Command::new("bash").args(["-c", &script]).current_dir(self.folder.path()).output().unwrap()
    }

    /// What is long, and what is another each time, is anything of its kind.
    fn shape(&self, answer: &str) -> Regex {
        let mut shape = regex::escape(&self.adapted(answer)).replace('…', ".*");
        for (kind, any) in [
            (r#"("(?:criu|kernel|runtime)":)"[^"]*""#, r#"$1"[^"]+""#),
            (r#"("(?:cpus|threads)":)\d+"#, r"$1\d+"),
            (r"\d{4}\\-\d\d\\-\d\dT[\d:]+\\\.\d+Z", r"[-\dT:.]+Z"),
            (r"\d+ [A-Z][a-z]{2} \d{4} [\d:]+\\\.\d+", r"[\w :.]+"),
        ] {
            shape = Regex::new(kind).unwrap().replace_all(&shape, any).into_owned();
        }
        // The pids are remembered; other long numbers are any.
        let pid = Regex::new(r#""pid":(\d{2,})"#).unwrap();
        let any_pid = |found: &Captures<'_>| match self.pids.values().any(|pid| *pid == found[1]) {
            true => found[0].to_owned(),
            false => format!("\"pid\":(?<p{}>\\d+)", &found[1]),
        };
        shape = pid.replace_all(&shape, any_pid).into_owned();
        let number = Regex::new(r#"(":)\d{4,}"#).unwrap();
        Regex::new(&format!("^{}$", number.replace_all(&shape, r"$1\d+"))).unwrap()
    }

    fn step(&mut self, command: &str, answer: &str) {
        let output = self.run(&self.adapted(command));
        let said = String::from_utf8(output.stdout).unwrap();
        let said = said.trim_end();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || answer.contains("\"status\":4"), "{command}\n{said}\n{words}");
        let shape = self.shape(answer);
        let found = shape.captures(said);
        let found =
            found.unwrap_or_else(|| panic!("{command}\nsays\n{said}\nwhich is not\n{shape}\n{words}"));
        for name in shape.capture_names().flatten() {
            self.pids.insert(name.trim_start_matches('p').to_owned(), found[name].to_owned());
        }
    }
}

/// The container that the README asks about and does not start.
fn start_py(daemon: &Daemon) -> Bundle {
    let bundle = Bundle::python(
        "import fcntl, time
lock = open('/tmp/lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
while True: time.sleep(1)",
    )
    .with_shared();
    let py = daemon.name("py");
    daemon.start_container(&py, &bundle.start()).expect(201);
    eventually("it has its lock", || {
        let path = format!("/containers/{py}/checkpoint-preflight");
        !daemon.client.get(&path).expect(200).json()["blockers"].as_array().unwrap().is_empty()
    });
    bundle
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    let read =
        |document| std::fs::read_to_string(format!("{}/{document}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let readme = ["README.md", "docs/checkpoints.md", "docs/upgrading.md"].map(read).join("\n");
    let mut reader = Reader::new();
    let mut ran = 0;
    let mut passed_over = Vec::new();
    for Block { kind, text } in blocks(&readme) {
        if let Some((begin, _)) = ELSEWHERE.iter().find(|(begin, _)| text.starts_with(begin)) {
            passed_over.push(*begin);
            continue;
        }
        let _bundle = text.contains("containers/py").then(|| start_py(&reader.daemon));
        if kind == "console" {
            for (command, answer) in steps(&text) {
                reader.step(&command, &answer);
                ran += 1;
            }
            continue;
        }
        let output = reader.run(&reader.adapted(&text));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        ran += text.lines().filter(|line| !line.starts_with('#')).count();
        // As the prose below the first lines has it.
        assert!(!text.contains("get\", \"greeting") || said.ends_with("hello\n"), "{text}\n{said}");
    }
    assert_eq!(passed_over, ELSEWHERE.map(|(begin, _)| begin));
    assert!(ran > 30, "{ran}");
    reader.daemon.clean_up();
}

/// A table that names a test that is not there shows nothing.
#[test]
fn every_test_that_a_document_names_is_there() {
    let own = env!("CARGO_MANIFEST_DIR");
    let read =
        |path: String| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let tests: String = ["integration", "faults"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(format!("{own}/tests/{folder}")).unwrap().flatten())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "rs"))
        .map(|entry| read(entry.path().to_str().unwrap().to_owned()))
        .collect();
    // `module::whole_name`, or the beginning of a name.
    let names = Regex::new("`(?:[a-z_]+::)?([a-z0-9_]{12,})(…?)`").unwrap();
    let mut named = 0;
    for document in ["README.md", "SECURITY.md"] {
        for found in names.captures_iter(&read(format!("{own}/{document}"))) {
            let (name, is_beginning) = (&found[1], !found[2].is_empty());
            if is_beginning || found[0].contains("::") {
                let function = if is_beginning { format!("fn {name}") } else { format!("fn {name}()") };
                assert!(tests.contains(&function), "{document} names {name}, which is not there");
                named += 1;
            }
        }
    }
    assert!(named > 25, "{named} are named");
}
