//! Tokens let in whom the kernel's word does not, to do what they say, until they are over; and nothing of them is in any log.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::{Daemon, command};
use crate::support::host::as_user;
use crate::support::raw;

const NOBODY: u32 = 65534;

/// `containerd-rest token …`, of this daemon's folders.
fn token(daemon: &Daemon, args: &[&str]) -> Output {
    let listen = daemon.client.base.trim_start_matches("http://");
    let args = [&["token", "--listen", listen], args].concat();
    command(daemon.folder(), &args.into_iter().map(str::to_owned).collect::<Vec<_>>()).output().unwrap()
}

/// Makes one; gives it with the page's address.
fn made(daemon: &Daemon, args: &[&str]) -> (String, String) {
    let output = token(daemon, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let [token, page] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    (token.to_owned(), page.to_owned())
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// By somebody whom the kernel's word does not let in.
fn ask(daemon: &Daemon, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let authorization = format!("Authorization: Bearer {token}");
    as_user(NOBODY, || raw::send_with(&daemon.client, method, path, &authorization, &body))
}

#[test]
fn a_token_lets_in_whom_the_kernel_does_not_and_one_for_looking_changes_nothing() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let path = format!("/containers/{}", daemon.name("a"));
    let (admin, _) = made(&daemon, &[]);
    let (read, _) = made(&daemon, &["viewer", "--role", "read"]);

    let refused = ask(&daemon, &read, "POST", &path, &bundle.start()).problem(403, "read-only");
    assert!(refused["detail"].as_str().unwrap().contains("viewer"), "{refused}");
    ask(&daemon, &read, "GET", &path, &Value::Null).problem(404, "container-not-found");
    ask(&daemon, &admin, "POST", &path, &bundle.start()).expect(201);
    assert!(ask(&daemon, &read, "GET", &path, &Value::Null).expect(200).body.contains("running"));
    for (method, body) in [("DELETE", Value::Null), ("PATCH", serde_json::json!({ "status": "paused" }))] {
        ask(&daemon, &read, method, &path, &body).problem(403, "read-only");
    }
    // Who shows a token is judged by it, root too.
    let authorization = format!("bearer {read}");
    let root = daemon.client.send_as("DELETE", &path, None, &[("Authorization", &authorization)]);
    root.problem(403, "read-only");
    ask(&daemon, &admin, "DELETE", &format!("{path}?force=true"), &Value::Null).expect(204);

    for secret in [&admin, &read].map(|token| token.rsplit('_').next().unwrap()) {
        assert!(!daemon.log().contains(secret), "a secret is in the log");
    }
    daemon.clean_up();
}

#[test]
fn a_token_that_is_over_revoked_or_made_up_lets_nobody_in() {
    let daemon = Daemon::start();
    let (kept, _) = made(&daemon, &["kept", "--expires", "never"]);
    let (brief, _) = made(&daemon, &["brief", "--expires", "1s"]);
    let (revoked, _) = made(&daemon, &["revoked", "--expires", "30d"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let over = ask(&daemon, &brief, "GET", "/state", &Value::Null);
    assert!(over.problem(401, "bad-token")["detail"].as_str().unwrap().contains("has expired"), "{over:?}");
    assert_eq!(over.headers["www-authenticate"], "Bearer error=\"invalid_token\"");

    ask(&daemon, &revoked, "GET", "/state", &Value::Null).expect(200);
    assert!(token(&daemon, &["revoke", "revoked"]).status.success());
    ask(&daemon, &revoked, "GET", "/state", &Value::Null).problem(401, "bad-token");
    for made_up in [&kept[..kept.len() - 1], "crt_kept_", "crt_../exits_0", "nonsense", ""] {
        ask(&daemon, made_up, "GET", "/state", &Value::Null).problem(401, "bad-token");
    }
    let twice = daemon.client.send_as(
        "GET",
        "/state",
        None,
        &[("authorization", &format!("Bearer {kept}")), ("authorization", "Bearer other")],
    );
    twice.problem(401, "bad-token");
    fs::write(daemon.root_folder().join("tokens/kept"), "{").unwrap();
    let damaged = ask(&daemon, &kept, "GET", "/state", &Value::Null).problem(401, "bad-token");
    assert!(damaged["detail"].as_str().unwrap().contains("cannot be read"), "{damaged}");
}

#[test]
fn tokens_are_listed_without_their_secrets_and_named_once() {
    let daemon = Daemon::start();
    let (shown, page) = made(&daemon, &["laptop", "--role", "read"]);
    assert_eq!(page, format!("{}/swagger-ui/#token={shown}", daemon.client.base));
    let listed = said(&token(&daemon, &["list"]));
    assert!(listed.contains("laptop") && listed.contains("read") && listed.contains("expires"), "{listed}");
    assert!(!listed.contains(shown.rsplit('_').next().unwrap()), "{listed}");
    for (args, words) in [
        (vec!["laptop"], "there is a token laptop"),
        (vec!["../x"], "cannot be a token's name"),
        (vec!["revoke", "desktop"], "there is no token desktop"),
        (vec!["--expires", "soon"], "expires"),
        (vec!["--expires", "0s"], "over at once"),
        (vec!["--expires", "-1h"], ""),
        (vec!["--role", "king"], "possible values: read, admin"),
    ] {
        let output = token(&daemon, &args);
        assert!(!output.status.success() && said(&output).contains(words), "{args:?}: {}", said(&output));
    }
    ask(&daemon, &shown, "GET", "/state", &Value::Null).expect(200);
}

#[test]
fn the_address_of_the_page_carries_a_token_into_a_real_browser_and_keeps_it_from_history() {
    let daemon = Daemon::start();
    let (shown, page) = made(&daemon, &["page", "--role", "read"]);
    let browser = Browser::start();
    browser.go(&page);
    browser.find(".opblock");
    assert!(!browser.address().contains(&shown), "{}", browser.address());
    // It is root's browser: what it may not do shows that the token was sent.
    let start = browser.operation("startContainer");
    start.open().set("id", &daemon.name("a"));
    let answer = start.execute().answer();
    assert_eq!(
        (answer.status, answer.json()["type"].as_str().unwrap()),
        (403, "urn:containerd-rest:problem:read-only")
    );
    let state = browser.operation("getState");
    assert_eq!(state.open().execute().answer().status, 200);
    assert!(!daemon.log().contains(shown.rsplit('_').next().unwrap()));
}

#[test]
fn the_help_of_token_is_about_tokens_and_where_the_daemon_is() {
    let folder = tempfile::tempdir().unwrap();
    let help = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
        String::from_utf8(command(folder.path(), &args).output().unwrap().stdout).unwrap()
    };
    for args in [&["token", "--help"][..], &["token", "list", "--help"], &["token", "revoke", "-h"]] {
        let said = help(args);
        assert!(said.contains("--root <DIR>") && said.contains("--config <FILE>"), "{said}");
        for other in ["--runtime", "--max-starts", "--tls-cert", "--listen", "--dry-run"] {
            assert!(!said.contains(other), "{other}: {said}");
        }
    }
    assert!(help(&["token", "--help"]).contains("--expires <TIME>"));
    for args in [&["--help"][..], &["check", "--help"]] {
        assert!(help(args).contains("--max-starts"), "{args:?}");
    }
}

#[test]
fn where_no_daemon_ever_was_no_token_is_made_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["token"][..], &["token", "list"]] {
        let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
        let output = command(folder.path(), &args).output().unwrap();
        let words = said(&output);
        assert!(!output.status.success() && words.contains("no daemon has ever used"), "{words}");
        assert!(words.contains("--root DIR"), "{words}");
        assert!(!words.contains("crt_"), "{words}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
