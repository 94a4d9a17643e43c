//! The only place where errors become HTTP: problem documents (RFC 9457). Each kind has a stable URN, a
//! status, and a remedy; `detail` is the error with its causes. `instance` is filled in by the listener,
//! which knows the request.

use containerd_rest_api::{Problem, ProblemDetails, ProblemItem};

use crate::runtime;
use crate::runtime::bundle::BundleError;
use crate::runtime::criu::words;
use crate::supervisor::{ArchiveError, Error, LogOf, Status, chain};

/// What to do without CRIU.
pub const CRIU_REMEDY: &str = "install a CRIU that works on this kernel (scripts/prerequisites does), say where it is with --criu, and \
     restart; containerd-rest check tells more";

struct Kind {
    urn: &'static str,
    title: &'static str,
    status: i32,
}

const fn kind(urn: &'static str, title: &'static str, status: i32) -> Kind {
    Kind { urn, title, status }
}

const MALFORMED: Kind = kind("malformed-request", "The request cannot be read", 400);
const INVALID: Kind = kind("invalid-request", "The request is wrong", 422);
const NO_SPACE: Kind = kind("no-space", "There is no room on the disk", 507);
const CGROUP_TAKEN: Kind = kind("cgroup-taken", "The cgroup is somebody else's", 409);
const TOO_LARGE: Kind = kind("body-too-large", "The body is too large", 413);

fn problem(kind: &Kind, detail: String, remedy: impl Into<String>) -> Problem {
    Problem {
        r#type: format!("urn:containerd-rest:problem:{}", kind.urn),
        title: kind.title.to_owned(),
        status: kind.status,
        detail,
        instance: String::new(),
        remedy: Some(remedy.into()),
        log: None,
        log_url: None,
        log_tail: None,
        errors: None,
        blockers: None,
    }
}

fn item(location: &str, code: &str, message: impl Into<String>) -> ProblemItem {
    ProblemItem { location: location.to_owned(), code: code.to_owned(), message: message.into() }
}

/// An error of the supervisor's. Every variant is named: a new one is thought about here.
pub fn of(error: &Error) -> Problem {
    let detail = chain(error);
    match error {
        Error::BadName(name) => {
            let mut found = problem(&INVALID, detail.clone(), "use another name");
            found.errors = Some(vec![item(&format!("/path/{}", name.of), "pattern", detail)]);
            found
        }
        Error::TooLong { field, index, .. } => {
            let mut found = problem(&INVALID, detail.clone(), "hand it over in a file, or in pieces");
            found.errors = Some(vec![item(&format!("/body/{field}/{index}"), "too_long", detail)]);
            found
        }
        Error::NoContainer(_) => problem(
            &kind("container-not-found", "No such container", 404),
            detail,
            "GET /containers lists those there are",
        ),
        Error::NoProcess { id, .. } => problem(
            &kind("process-not-found", "No such process in this container", 404),
            detail,
            format!("GET /containers/{id} lists its processes by their pid on the host"),
        ),
        Error::NoCheckpoint { .. } => problem(
            &kind("checkpoint-not-found", "No such checkpoint", 404),
            detail,
            "GET /containers/{id}/checkpoint lists those of a container's bundle",
        ),
        Error::NameTaken { id, .. } => problem(
            &kind("name-taken", "The name is taken", 409),
            detail,
            format!("choose another name, or delete that container: DELETE /containers/{id}?force=true"),
        ),
        Error::CheckpointTaken { .. } => problem(
            &kind("checkpoint-exists", "The checkpoint's name is taken", 409),
            detail,
            "choose another name, or delete that checkpoint first",
        ),
        Error::CheckpointBusy { .. } => problem(
            &kind("checkpoint-busy", "The checkpoint is in use", 409),
            detail,
            "repeat when its restore, or what else uses it, is done",
        ),
        Error::CheckpointKept { kept, .. } => problem(
            &kind("checkpoint-kept", "The checkpoint has another name", 409),
            detail,
            format!("restore it by the name {kept}"),
        ),
        Error::CheckpointHidden { folder, .. } => problem(
            &kind("checkpoint-hidden", "The checkpoint has no name", 500),
            detail,
            format!("look at the disk, then rename {} without the dot and the ending", folder.display()),
        ),
        Error::CheckpointUnfit { .. } => problem(
            &kind("checkpoint-unfit", "The checkpoint cannot be restored here", 409),
            detail,
            "restore it on a host that has what it needs, or delete it and make a new one",
        ),
        Error::HostConflict { .. } => problem(
            &kind("host-conflict", "Something of the host's is taken", 409),
            detail,
            "end what has it first; a container with a pid and a network namespace of its own has no such conflicts",
        ),
        Error::BundleChanged { .. } => problem(
            &kind("bundle-changed", "The bundle has changed", 409),
            detail,
            "put config.json back (spec.json in the checkpoint's folder is as it was), or add ?allowChangedBundle=true",
        ),
        Error::CgroupShared { other, .. } => problem(
            &CGROUP_TAKEN,
            detail,
            format!("give the bundle another linux.cgroupsPath (or none), or end container {other} first"),
        ),
        Error::CgroupOccupied { .. } => problem(
            &CGROUP_TAKEN,
            detail,
            "another daemon, or runc itself, has a container there: choose another name, or give the bundle another \
             linux.cgroupsPath, or end those processes first",
        ),
        Error::CheckpointBlocked { id, blockers } => {
            let mut found = problem(
                &kind("checkpoint-blocked", "Something in the container cannot be dumped", 409),
                detail,
                format!(
                    "do what blockers says of each; GET /containers/{id}/checkpoint-preflight looks again"
                ),
            );
            found.blockers = Some(blockers.iter().map(super::convert::preflight::blocker).collect());
            found
        }
        Error::SetAside { .. } => problem(
            &kind("record-set-aside", "An unreadable record is in the way", 409),
            detail,
            "look at what runs under that name, mend the record or end it by hand, then move the file away and restart",
        ),
        Error::WrongState { id, status, .. } => problem(
            &kind("wrong-state", "The container is in another state", 409),
            detail,
            state_remedy(id.as_str(), *status),
        ),
        Error::Bundle { source, .. } => bundle(source, detail),
        Error::Output { field, .. } => {
            let mut found =
                problem(&INVALID, detail.clone(), "name a regular file in a folder that is there");
            found.errors = Some(vec![item(&format!("/body/{field}"), "output", detail)]);
            found
        }
        Error::Runtime { source, .. } => runtime_failed(source, detail),
        Error::Criu(failure) => {
            let mut found = runtime_failed(&failure.source, detail);
            if let Some(log) = &failure.log {
                let of = if failure.of == LogOf::Restore { "?of=restore" } else { "" };
                let url = format!("/containers/{}/checkpoint/{}/log{of}", failure.id, failure.checkpoint);
                found.log = Some(log.to_string_lossy().into_owned());
                found.log_url = Some(url);
                found.log_tail = Some(failure.tail.clone());
            }
            found
        }
        Error::Cancelled { .. } => problem(
            &kind("cancelled", "It was called off", 409),
            detail,
            "everything is as it was before; ask again when it is wanted",
        ),
        Error::NothingUnderWay(id) => problem(
            &kind("nothing-under-way", "There is nothing to call off", 409),
            detail,
            format!("GET /containers/{id} shows under `progress` what is under way"),
        ),
        Error::NoRoom { .. } => {
            problem(&NO_SPACE, detail, "delete checkpoints, or make room on that disk, then repeat")
        }
        Error::NoLog { .. } => problem(
            &kind("log-not-found", "No such log", 404),
            detail,
            "GET /containers/{id}/checkpoint lists the checkpoints; ?of=restore asks for a failed restore's log",
        ),
        Error::NoCriu(_) => {
            problem(&kind("criu-unavailable", "CRIU cannot be used", 503), detail, CRIU_REMEDY)
        }
        Error::Unavailable { .. } => problem(
            &kind("feature-unavailable", "This host cannot do that", 409),
            detail,
            "leave it out; GET /version lists under features what is possible here",
        ),
        Error::LazyStart => {
            let mut found = problem(&INVALID, detail.clone(), "name the checkpoint, or leave lazyPages out");
            found.errors = Some(vec![item("/body/lazyPages", "lazy_start", detail)]);
            found
        }
        Error::PagesLoading(id) => problem(
            &kind("pages-loading", "The container's memory is not all in yet", 409),
            detail,
            format!(
                "repeat after the event pagesLoaded; GET /containers/{id} says under pages how far it is"
            ),
        ),
        Error::ShimLost(id) => problem(
            &kind("shim-lost", "The container's shim is gone", 500),
            detail,
            format!("delete the container and start it anew: DELETE /containers/{id}?force=true"),
        ),
        Error::ShimLostEarly(_) => problem(
            &kind("shim-lost", "The container's shim is gone", 500),
            detail,
            "repeat; if it happens again, look at dmesg for who killed it",
        ),
        Error::Shim { .. } => problem(
            &kind("shim-failed", "The shim could not be started", 500),
            detail,
            "containerd-rest-shim lies beside containerd-rest, or where --shim says",
        ),
        Error::Undying { .. } => problem(
            &kind("undying", "The container does not end", 504),
            detail,
            "a process in uninterruptible sleep cannot be killed: look at dmesg and the disks, then repeat",
        ),
        Error::Store { .. } => problem(
            &kind("storage-failed", "A file could not be read or written", 500),
            detail,
            "look at the disk's space and rights, then repeat",
        ),
        Error::Archive { source, .. } => archive(source, detail),
        Error::NotPortable { .. } => problem(
            &kind("checkpoint-not-portable", "No archive can be made of it", 409),
            detail,
            "move what detail names out of the checkpoint's folder, if it is not needed, or copy the folder as it is",
        ),
        Error::ArchivesBusy => problem(
            &kind("archives-busy", "Too many archives at once", 503),
            detail,
            "repeat when one of them is done",
        ),
        Error::ShuttingDown => problem(
            &kind("shutting-down", "The daemon is shutting down", 503),
            detail,
            "repeat when it is back",
        ),
    }
}

fn state_remedy(id: &str, status: Status) -> String {
    match status {
        Status::Paused => format!("resume it first: PATCH /containers/{id} {{\"status\": \"running\"}}"),
        Status::Stopped => format!("start it first: POST /containers/{id}"),
        Status::Running => format!("DELETE /containers/{id}?force=true kills it first"),
        Status::Creating | Status::Checkpointing => "repeat when that is done".to_owned(),
    }
}

fn bundle(source: &BundleError, detail: String) -> Problem {
    let remedy = "bundlePath is the folder of an OCI bundle: config.json and a root filesystem";
    let found = match source {
        BundleError::Missing => kind("bundle-not-found", "No such bundle", 404),
        BundleError::Unreadable { .. } => kind("bundle-unreadable", "The bundle cannot be read", 500),
        BundleError::NotAFolder
        | BundleError::NoConfig
        | BundleError::BadConfig(_)
        | BundleError::NoRootfs(_) => kind("bundle-invalid", "Not a bundle that can be started", 422),
    };
    let mut found = problem(&found, detail, remedy);
    if found.status == 422 {
        found.errors = Some(vec![item("/body/bundlePath", "bundle", source.to_string())]);
    }
    found
}

/// An archive that is not taken: of each, nothing is left.
fn archive(source: &ArchiveError, detail: String) -> Problem {
    match source {
        ArchiveError::CutOff { .. } => problem(
            &kind("archive-cut-off", "The archive was cut off", 400),
            detail,
            "send it again, whole; compare the file with where it came from",
        ),
        ArchiveError::Stalled { .. } => problem(
            &kind("archive-stalled", "The archive did not come", 408),
            detail,
            "send it again, without so long a pause",
        ),
        ArchiveError::Unreadable { .. } => problem(
            &kind("archive-unreadable", "Not an archive that can be read", 400),
            detail,
            "send what GET …/archive gave, as it was: a tar, plain or compressed with zstd or gzip",
        ),
        ArchiveError::Version { .. } => problem(
            &kind("archive-version", "The archive is of a newer daemon", 422),
            detail,
            "upgrade this daemon: SIGHUP after the new program is in place",
        ),
        ArchiveError::Entry { .. } => problem(
            &kind("archive-refused", "Not an archive of a checkpoint", 422),
            detail,
            "send what GET …/archive gave, as it was: entries are neither added nor left out nor put in another order",
        ),
        ArchiveError::Damaged { .. } => problem(
            &kind("archive-damaged", "The archive is damaged", 422),
            detail,
            "export it again, or compare the file with where it came from",
        ),
        ArchiveError::NoSpace { .. } => problem(
            &NO_SPACE,
            detail,
            "make room on the bundle's disk (delete checkpoints that are not needed), then repeat",
        ),
    }
}

fn runtime_failed(source: &runtime::Error, detail: String) -> Problem {
    match source {
        runtime::Error::Failed { words, .. } => {
            let failed = kind("runtime-failed", "The runtime failed", 500);
            match words::meaning(words) {
                Some(known) => problem(&failed, format!("{}; {detail}", known.sentence), known.remedy),
                None => {
                    let remedy = "read the runtime's words in detail, and the log if one is named";
                    problem(&failed, detail, remedy)
                }
            }
        }
        runtime::Error::TimedOut { .. } => problem(
            &kind("runtime-timeout", "The runtime hung", 504),
            detail,
            "what it began was undone: look at the host's load and at dmesg, then repeat",
        ),
        runtime::Error::Missing { source, .. } if is_hosts(source) => problem(
            &kind("host-failed", "The host refused", 500),
            detail,
            "look at the host's limits (processes, open files, memory), then repeat",
        ),
        runtime::Error::Missing { .. } => problem(
            &kind("runtime-unavailable", "The runtime cannot be run", 503),
            detail,
            "install runc (apt-get install runc) or say where it is with --runtime",
        ),
        runtime::Error::Process { .. } => problem(
            &kind("host-failed", "The host refused", 500),
            detail,
            "the daemon needs root and Linux 5.10 or newer",
        ),
    }
}

/// A body that is not JSON: where it stops being it.
pub fn not_json(error: &serde_json::Error, body: &[u8]) -> Problem {
    let byte = offset(body, error.line(), error.column());
    let message = format!("{error} (byte {byte})");
    let mut found = problem(
        &MALFORMED,
        format!("the body is not JSON: {message}"),
        "mend the JSON at that byte and send it again",
    );
    found.errors = Some(vec![item("/body", "malformed", message)]);
    found
}

/// The byte, from 0, at which serde_json's line and column (both from 1) point.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        body.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).saturating_sub(1).min(body.len())
}

/// Whether it is the host that has no more to give, and not a program that is not there.
fn is_hosts(error: &std::io::Error) -> bool {
    use nix::errno::Errno;
    let number = error.raw_os_error().map(Errno::from_raw);
    matches!(number, Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::ENOSPC))
}

/// An idempotency key that was used for another request.
pub fn key_reused(key: &str) -> Problem {
    let detail = format!("the key {key} was used for another request (method, path, query or body differ)");
    let mut found = problem(
        &kind("idempotency-key-reused", "The idempotency key is another request's", 422),
        detail.clone(),
        "use a new key for a new request; repeat a request as it was",
    );
    found.errors = Some(vec![item("/header/Idempotency-Key", "reused", detail)]);
    found
}

/// An idempotency key that cannot be written down.
pub fn key_not_kept(key: &str, error: &std::io::Error) -> Problem {
    problem(
        &kind("storage-failed", "A file could not be read or written", 500),
        format!("the key {key} cannot be kept, so nothing was begun: {error}"),
        "look at the disk's space and rights, then repeat",
    )
}

/// A signal that may have been sent.
pub fn outcome_unknown(key: &str) -> Problem {
    problem(
        &kind("outcome-unknown", "It may have happened", 409),
        format!("a daemon that died in the middle may have sent the signal of the request {key}"),
        "look at the process; to send it again, use a new key",
    )
}

/// A body over the limit.
pub fn too_large(limit: usize) -> Problem {
    problem(
        &TOO_LARGE,
        format!("the body is larger than {limit} bytes"),
        format!("send at most {limit} bytes"),
    )
}

/// A body that broke off.
pub fn cut_off() -> Problem {
    problem(&MALFORMED, "the body broke off, or did not come within 20 s".to_owned(), "send it again")
}

/// What the generated validation found.
pub fn violation(found: ProblemDetails) -> Problem {
    let errors: Vec<ProblemItem> =
        found.errors.into_iter().map(|one| item(&one.location, &one.code, one.message)).collect();
    let listed: Vec<String> = errors.iter().map(|one| format!("{} {}", one.location, one.message)).collect();
    let mut made = match found.status {
        413 => return too_large(crate::http::MAX_BODY),
        // JSON was checked before: without a pointer it is the whole body that is not there.
        400 if errors.is_empty() => problem(
            &MALFORMED,
            "the request has no body, and this operation needs one".to_owned(),
            "send a JSON body; GET /openapi.json says what is taken",
        ),
        // What can be pointed at could be read, a pid or a query that is none too.
        400 | 422 => problem(
            &INVALID,
            listed.join("; "),
            "mend what errors points at; GET /openapi.json says what is taken",
        ),
        _ => problem(
            &kind("internal", "The daemon failed", 500),
            found.title,
            "this is a fault of ours: report it",
        ),
    };
    made.errors = Some(errors).filter(|errors| !errors.is_empty());
    made
}

/// A query parameter that is wrong.
pub fn in_query(name: &str, words: &str) -> Problem {
    at(format!("/query/{name}"), words)
}

/// A header that is wrong.
pub fn in_header(name: &str, words: &str) -> Problem {
    at(format!("/header/{name}"), words)
}

fn at(location: String, words: &str) -> Problem {
    let mut found = problem(&INVALID, format!("{location} {words}"), "mend what errors points at");
    found.errors = Some(vec![item(&location, "invalid_value", words)]);
    found
}

/// Somebody who is not served.
pub fn not_allowed(why: String) -> Problem {
    problem(
        &kind("not-allowed", "You may not use this daemon", 403),
        why,
        "call as root (sudo curl …); who is let in by --allow-user or --allow-group is root on this host too",
    )
}

/// A request that another site's page has had a browser send, as far as that can be told.
pub fn foreign_site(why: &str) -> Problem {
    problem(
        &kind("foreign-site", "The request is another site's", 403),
        format!("the request is refused: {why}"),
        "open /swagger-ui/ of this daemon itself; another name of this host is made its own by --name HOST",
    )
}

/// What the framework answers by itself, without a document.
pub fn of_status(status: u16, method: &str, path: &str, allow: Option<&str>) -> Problem {
    let remedy = "GET /openapi.json says what there is, /swagger-ui/ shows it";
    match status {
        404 => problem(&kind("path-not-found", "No such path", 404), format!("nothing is at {path}"), remedy),
        405 => {
            let allowed = allow.unwrap_or("other methods");
            let detail = format!("{path} takes {allowed} and not {method}");
            problem(&kind("method-not-allowed", "No such method here", 405), detail, remedy)
        }
        413 => too_large(crate::http::MAX_BODY),
        // The router's own: what is percent-encoded in the path is not UTF-8.
        400 => {
            let mut found = problem(&INVALID, format!("{path} is not UTF-8"), remedy);
            found.errors = Some(vec![item("/path", "encoding", "is not UTF-8")]);
            found
        }
        401..=499 => Problem {
            status: i32::from(status),
            ..problem(&MALFORMED, format!("{method} {path} cannot be read"), remedy)
        },
        _ => problem(
            &kind("internal", "The daemon failed", 500),
            format!("{method} {path} met a fault of the daemon's own"),
            "this is a fault of ours: report it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_of_2015_with_its_missing_quote_is_pointed_at() {
        let body =
            b"{\n    \"bundlePath\": \"/containers/redis\",\n    \"checkpoint: \"checkpoint-name\"\n    }";
        let error = serde_json::from_slice::<serde_json::Value>(body).unwrap_err();
        let found = not_json(&error, body);
        assert_eq!(found.status, 400);
        let byte = offset(body, error.line(), error.column());
        assert_eq!(&body[byte..byte + 5], b"check", "{}", found.detail);
    }
}
