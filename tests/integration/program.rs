//! The program itself: what it says when it starts, when it cannot, and beside a second one.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::{Daemon, command};
use crate::support::{eventually, host};

/// Runs it to its end: exit code, standard output, standard error.
fn run(args: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
    let output = command(folder.path(), &args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused_with_the_pid_of_the_first() {
    let daemon = Daemon::start();
    let output = command(daemon.folder(), &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains(&format!("(pid {})", daemon.pid())), "{words}");
    daemon.client.get("/healthz").expect(200);
}

#[test]
fn without_a_runtime_it_refuses_to_start_and_says_what_helps() {
    let (code, said, words) = run(&["--runtime", "/nonexistent/runc"]);
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(words.contains("/nonexistent/runc") && words.contains("apt-get install runc"), "{words}");
}

#[test]
fn it_listens_on_loopback_alone() {
    let (code, _, words) = run(&["--listen", "0.0.0.0:0"]);
    assert_eq!(code, 1);
    assert!(words.contains("not loopback"), "{words}");
    let (code, _, words) = run(&["--listen", "nonsense"]);
    assert_eq!(code, 1);
    assert!(words.contains("HOST:PORT"), "{words}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, _, words) = run(&["--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(code, 1);
    assert!(words.contains("ss -ltnp"), "{words}");
}

#[test]
fn check_says_what_is_there_and_what_is_missing() {
    let (code, report, _) = run(&["check"]);
    assert_eq!(code, 0, "{report}");
    for word in ["runc ", "CRIU", "a trial dump succeeds", "cgroups", "confinement", "can serve here"] {
        assert!(report.contains(word), "{word}: {report}");
    }
    let (code, report, _) = run(&["check", "--runtime", "/nonexistent/runc", "--criu", "/nonexistent/criu"]);
    assert_eq!(code, 1);
    for word in ["missing   runtime", "apt-get install runc", "limited   CRIU", "--criu PATH", "cannot serve"]
    {
        assert!(report.contains(word), "{word}: {report}");
    }
}

#[test]
fn check_names_the_ways_out_of_a_container_that_a_runc_may_have_and_lets_it_serve() {
    let folder = tempfile::tempdir().unwrap();
    let runc = folder.path().join("runc");
    for (version, known) in
        [("1.1.11", "CVE-2024-21626, CVE-2025-31133"), ("1.1.15", ": CVE-2025-31133"), ("1.3.3", "")]
    {
        host::install_script(&runc, &format!("#!/bin/sh\necho runc version {version}\n"));
        let (code, report, _) = run(&["check", "--runtime", runc.to_str().unwrap()]);
        assert_eq!(code, 0, "{report}");
        assert!(report.contains(known), "{report}");
        assert_eq!(report.contains("limited   runtime"), !known.is_empty(), "{report}");
        assert_eq!(report.contains("zgrep CVE"), !known.is_empty(), "{report}");
    }
}

#[test]
fn check_without_root_says_that_first_and_does_not_blame_the_kernel() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for program in [env!("CARGO_BIN_EXE_containerd-rest"), env!("CARGO_BIN_EXE_containerd-rest-shim")] {
        let program = std::path::Path::new(program);
        host::install(program, &folder.path().join(program.file_name().unwrap()));
    }
    let mut check = std::process::Command::new(folder.path().join("containerd-rest"));
    let output = check.args(["check", "--listen", "127.0.0.1:0"]).uid(65534).gid(65534).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{report}");
    assert!(report.starts_with("missing   root: "), "{report}");
    assert!(report.contains("limited   CRIU: ") && report.contains("root alone can try"), "{report}");
    for word in ["does not work on this kernel", "scripts/prerequisites"] {
        assert!(!report.contains(word), "{word}: {report}");
    }
}

#[test]
fn check_names_who_listens_where_it_is_to() {
    let check = |address: &str| run(&["check", "--listen", address]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let (code, report, _) = check(&at);
    let whose = format!("(pid {}) listens at {at}", std::process::id());
    assert!(code == 1 && report.contains(&whose) && report.contains("--listen localhost:PORT"), "{report}");
    drop(taken);
    let (code, report, _) = check(&at);
    assert!(code == 0 && report.contains(&format!("good      address: {at} is free")), "{report}");
    let daemon = Daemon::start();
    let at = daemon.client.base.trim_start_matches("http://");
    let (code, report, _) = check(at);
    let served = format!("good      address: {at} is served by a containerd-rest (pid {})", daemon.pid());
    assert!(code == 0 && report.contains(&served), "{report}");
}

#[test]
fn completions_and_the_man_page_know_every_flag_and_command() {
    let help = run(&["--help"]).1;
    let words = |text: &str, start: &str| -> Vec<String> {
        let all = text.split_whitespace().filter(|word| word.starts_with(start));
        all.map(|word| word.trim_end_matches([',', ']', '.']).to_owned()).collect()
    };
    let flags = words(&help, "--");
    assert!(flags.len() > 12, "{help}");
    let page = run(&["man"]).1.replace('\\', "");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        for flag in &flags {
            let flag = if shell == "fish" { flag.trim_start_matches("--") } else { flag };
            assert!(script.contains(flag), "{shell} has no {flag}");
        }
    }
    for said in flags.iter().map(String::as_str).chain(["check", "contract", "CONTAINERD_REST_LISTEN"]) {
        assert!(page.contains(said), "the man page has no {said}");
    }
}

/// As a service manager or a CI runs it: in a pid namespace that its session did not begin in, and with a
/// descriptor that its caller left open, on another mount.
#[test]
fn check_does_not_take_its_callers_session_or_descriptors_for_a_fault_of_criu() {
    let folder = tempfile::tempdir().unwrap();
    let plain = command(folder.path(), &["check".to_owned()]);
    let report = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "sh", "-c", "exec \"$0\" \"$@\" 7</dev/null"])
        .arg(plain.get_program())
        .args(plain.get_args())
        .output()
        .unwrap();
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("a trial dump succeeds"), "{report}");
}

#[test]
fn a_criu_that_does_not_work_here_is_found_out_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let criu = folder.path().join("criu");
    host::install_script(
        &criu,
        "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'Version: 3.17.1'; exit 0; }\necho 'vdso: Unexpected rt vDSO area bounds' >&2\nexit 1\n",
    );
    let daemon = Daemon::with(&["--criu", criu.to_str().unwrap()]);
    assert!(daemon.log().contains("CRIU 3.17.1 does not work on this kernel"), "{}", daemon.log());
    let version = daemon.client.get("/version").expect(200).json();
    assert_eq!(version["criu"]["available"], json!(false));
}

#[test]
fn the_prerequisites_say_that_cargo_is_missing_or_too_old_when_all_else_is_there() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/prerequisites");
    let folder = tempfile::tempdir().unwrap();
    let says = |words: &str| {
        let mut run = std::process::Command::new(script);
        let output = run.env("PATH", folder.path()).env("CARGO_HOME", folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(words), "{said}");
    };
    // The system may have one of its own, which is then said to be off the PATH.
    let systems = std::path::Path::new("/usr/bin/cargo").exists();
    says(if systems { "not on the PATH" } else { "cargo is missing: install Rust 1.95 or newer" });
    host::install_script(&folder.path().join("cargo"), "#!/bin/sh\necho 'cargo 1.63.0 (1.63.0 2022)'\n");
    says("cargo is 1.63.0, which is too old");
}

#[test]
fn contract_prints_the_contract() {
    let (code, said, _) = run(&["contract"]);
    let written =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/containerd.v1.yaml")).unwrap();
    assert_eq!((code, said), (0, written));
}

#[test]
fn the_unix_socket_is_roots_alone_and_speaks_the_same() {
    let daemon = Daemon::start();
    let path = daemon.state_folder().join("containerd-rest.sock");
    // Whom else its group lets in is refused by who they are: see callers.rs.
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"ok\"}\n"), "{answer}");
}

#[test]
fn a_failure_is_one_line_of_json_with_container_and_operation() {
    let daemon = Daemon::with(&["--log-format", "json"]);
    let bundle = Bundle::new(&["nosuch"]);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).problem(500, "runtime-failed");
    let lines = || -> Vec<serde_json::Value> {
        daemon
            .log()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &serde_json::Value| line["level"] == "ERROR")
            .collect()
    };
    eventually("it is logged", || !lines().is_empty());
    let lines = lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["container"], &lines[0]["method"]), (&json!(id), &json!("POST")));
    assert!(lines[0]["detail"].as_str().unwrap().contains("nosuch"));
}
