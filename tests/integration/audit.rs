//! Who asked for what, and what came of it, is written down; what was in it is not.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::{Daemon, command};
use crate::support::host::{self, as_user};
use crate::support::{eventually, raw};

const SECRET: &str = "correct-horse-battery-staple";

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_request_that_may_change_something_is_written_down_and_no_secret_of_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let daemon = Daemon::with(&["--audit-log", file.to_str().unwrap()]);
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let started = daemon.start_container(&id, &bundle.start());
    daemon.client.get("/state").expect(200);
    let env = json!({ "args": ["/bin/true"], "env": [format!("PASSWORD={SECRET}")] });
    daemon.client.put(&format!("{path}/process"), &env).expect(200);
    // What is wrong in it is told without it.
    for body in [
        json!({ "args": ["true"], "env": [format!("PASSWORD={SECRET}")], "nonsense": SECRET }).to_string(),
        format!("{{ \"args\": [\"true\"], \"env\": [\"PASSWORD={SECRET}\" }}"),
        json!({ "args": ["true"], "env": { "PASSWORD": SECRET } }).to_string(),
        json!({ "args": ["/nowhere"], "env": [format!("PASSWORD={SECRET}")] }).to_string(),
    ] {
        let answer = daemon.client.send("PUT", &format!("{path}/process"), Some(body.as_bytes()));
        assert!(answer.status >= 400, "{answer:?}");
    }
    as_user(65534, || raw::send(&daemon.client, "DELETE", &path, "").expect(403));
    raw::send_with(
        &daemon.client,
        "DELETE",
        &format!("{path}?force={SECRET}"),
        &format!("Authorization: Bearer {SECRET}"),
        "",
    )
    .expect(401);
    daemon.client.send("BREW", "/nowhere", None);
    let deleted = daemon.client.delete(&format!("{path}?force=true")).expect(204);

    let lines = lines(&file);
    let of = |line: &Value| {
        (
            line["operation"].as_str().unwrap_or("none").to_owned(),
            line["status"].as_u64().unwrap(),
            line["caller"]["served"] == true,
        )
    };
    let seen: Vec<_> = lines.iter().map(of).collect();
    let expected = [
        ("startContainer", 201, true),
        ("createProcess", 200, true),
        ("createProcess", 422, true),
        ("createProcess", 400, true),
        ("createProcess", 422, true),
        ("createProcess", 500, true),
        ("deleteContainer", 403, false),
        ("deleteContainer", 401, false),
        ("none", 404, true),
        ("deleteContainer", 204, true),
    ];
    assert_eq!(seen, expected.map(|(operation, status, served)| (operation.to_owned(), status, served)));
    let first = &lines[0];
    assert_eq!(first["requestId"], started.headers["x-request-id"].to_str().unwrap(), "{first}");
    assert_eq!(
        (&first["container"], &first["method"], &first["path"]),
        (&json!(id), &json!("POST"), &json!(path))
    );
    let own = std::process::id();
    assert_eq!((&first["caller"]["uid"], &first["caller"]["pid"]), (&json!(0), &json!(own)), "{first}");
    let executable = std::env::current_exe().unwrap();
    assert_eq!(first["caller"]["executable"], executable.to_str().unwrap());
    assert_eq!(
        (&lines[6]["caller"]["uid"], &lines[6]["problem"]),
        (&json!(65534), &json!("urn:containerd-rest:problem:not-allowed"))
    );
    assert_ne!(deleted.headers["x-request-id"], started.headers["x-request-id"]);

    eventually("the log has it too", || daemon.log().matches("operation=\"createProcess\"").count() == 5);
    for (what, text) in [("audit log", fs::read_to_string(&file).unwrap()), ("log", daemon.log())] {
        assert!(!text.contains(SECRET), "the {what} has a secret:\n{text}");
    }
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);

    // Rotated, it goes on in a new one; where it cannot be written the log says so, and has what was asked.
    fs::rename(&file, folder.path().join("audit.log.1")).unwrap();
    daemon.client.delete(&path).problem(404, "container-not-found");
    assert_eq!(self::lines(&file).len(), 1);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    daemon.client.delete(&path).problem(404, "container-not-found");
    eventually("it is said", || daemon.log().contains("the audit log cannot be written"));
    daemon.clean_up();
}

#[test]
fn an_audit_log_that_cannot_be_written_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--audit-log".to_owned(), folder.path().to_str().unwrap().to_owned()];
    let output = command(folder.path(), &args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("the audit log"), "{said}");
}

/// What a path has percent-encoded is no way to be written down as somebody else.
#[test]
fn containers_and_checkpoints_are_written_down_by_their_names_however_a_path_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let daemon = Daemon::with(&["--audit-log", file.to_str().unwrap()]);
    let id = daemon.name("a");
    let bundle = Bundle::sleeper();
    daemon.start_container(&id, &bundle.start()).expect(201);
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let dump = format!("/containers/{encoded}/checkpoint/%6f%6ee");
    raw::send(&daemon.client, "POST", &dump, "{}").expect(201);
    raw::send(&daemon.client, "DELETE", &format!("/containers/{encoded}?force=true"), "").expect(204);
    raw::send(&daemon.client, "DELETE", "/containers/%2e%2e", "").expect(422);
    raw::send(&daemon.client, "DELETE", "/containers/a%0aforged%ff", "");
    let lines = lines(&file);
    assert_eq!((&lines[1]["container"], &lines[1]["checkpoint"]), (&json!(id), &json!("one")), "{lines:?}");
    assert_eq!((&lines[2]["container"], &lines[2]["checkpoint"]), (&json!(id), &Value::Null));
    assert_eq!(lines[1]["path"], dump, "as it was asked for");
    assert_eq!(lines[3]["container"], "..");
    assert_eq!(lines[4]["container"], "a\nforged\u{fffd}");
    eventually("the log has it too", || {
        daemon.log().matches(&format!("container=\"{id}\" checkpoint=\"one\"")).count() == 1
    });
    assert!(!daemon.log().lines().any(|line| line.starts_with("forged")), "{}", daemon.log());
    daemon.clean_up();
}

#[test]
fn of_a_path_of_any_length_no_more_is_written_down_than_any_of_ours_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let daemon = Daemon::with(&["--audit-log", file.to_str().unwrap()]);
    for path in [format!("/{}", "x".repeat(60_000)), format!("/containers/{}", "é".repeat(10_000))] {
        for user in [0, 65534] {
            let mut stream = as_user(user, || raw::connect(&daemon.client));
            let head = raw::head("DELETE", &path.replace('é', "%c3%a9"), 0);
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 4"), "{user}: {answer}");
        }
    }
    assert_eq!(lines(&file).len(), 4);
    eventually("the log has all", || daemon.log().matches(" asked ").count() == 4);
    for (what, text) in [("audit log", fs::read_to_string(&file).unwrap()), ("log", daemon.log())] {
        let longest = text.lines().map(str::len).max().unwrap();
        assert!(longest < 4096, "the {what} has a line of {longest}");
    }
}

/// Whoever calls gives a program its path and its name.
#[test]
fn a_caller_of_any_name_is_served_and_writes_no_line_of_its_own_into_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let daemon = Daemon::with(&["--audit-log", file.to_str().unwrap()]);
    let program = folder.path().join(OsStr::from_bytes(b"a\nforged \xff"));
    host::install(Path::new("/bin/bash"), &program);
    let port = daemon.client.base.rsplit(':').next().unwrap();
    let script = format!(
        "printf 'x\\nforged\\xff' >/proc/$$/comm
         exec 3<>/dev/tcp/127.0.0.1/{port}
         printf 'DELETE /containers/a HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
         read -r status <&3; echo \"$status\""
    );
    let output = Command::new(&program).args(["-c", &script]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(" 404 "), "{output:?}");
    let line = &lines(&file)[0];
    let executable = line["caller"]["executable"].as_str().unwrap();
    assert!(executable.ends_with("/a\nforged \u{fffd}"), "{line}");
    eventually("the log has it", || daemon.log().contains(" asked "));
    assert!(!daemon.log().lines().any(|line| line.starts_with("forged")), "{}", daemon.log());
}
