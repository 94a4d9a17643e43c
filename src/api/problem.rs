//! The only place where errors become HTTP: problem documents (RFC 9457). Each kind has a stable URN, a
//! status, and a remedy; `detail` is the error with its causes. `instance` is filled in by the listener,
//! which knows the request.

mod kinds;

use containerd_rest_api::{InvalidParameter, Problem, ProblemDetails, ProblemItem, ProblemType};

use crate::runtime;
use crate::runtime::bundle::BundleError;
use crate::runtime::criu::words;
use crate::shares::Full;
use crate::supervisor::{ArchiveError, Error, LogOf, Status, Verb, chain};

/// What to do without CRIU.
pub const CRIU_REMEDY: &str = "install a CRIU that works on this kernel (scripts/prerequisites does), say where it is with --criu, and \
     restart; containerd-rest check tells more";

fn problem(kind: ProblemType, detail: String, remedy: impl Into<String>) -> Problem {
    let (status, title) = kinds::of(kind);
    Problem {
        r#type: kind.as_str().to_owned(),
        title: title.to_owned(),
        status,
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

/// What only the request's path tells: where it went wrong, and of which container a remedy speaks.
pub fn place(found: &mut Problem, path: &str) {
    path.clone_into(&mut found.instance);
    let Some((id, rest)) =
        path.strip_prefix("/containers/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let remedy = found.remedy.get_or_insert_default();
    if found.r#type == ProblemType::ContainerNotFound.as_str() && rest.starts_with("checkpoint") {
        *remedy += "; checkpoints lie in their bundle: start it as {id}, or restore from one of them, and they are there again";
    }
    *remedy = remedy.replace("{id}", id);
}

/// An error of the supervisor's. Every variant is named: a new one is thought about here.
pub fn of(error: &Error) -> Problem {
    let detail = chain(error);
    match error {
        Error::BadName(name) => {
            let mut found = problem(ProblemType::InvalidRequest, detail.clone(), "use another name");
            found.errors = Some(vec![item(&format!("/path/{}", name.of), "pattern", detail)]);
            found
        }
        Error::TooLong { field, index, .. } => {
            let mut found =
                problem(ProblemType::InvalidRequest, detail.clone(), "hand it over in a file, or in pieces");
            found.errors = Some(vec![item(&format!("/body/{field}/{index}"), "too_long", detail)]);
            found
        }
        Error::NoContainer(_) => {
            problem(ProblemType::ContainerNotFound, detail, "GET /containers lists those there are")
        }
        Error::NoProcess { id, .. } => problem(
            ProblemType::ProcessNotFound,
            detail,
            format!("GET /containers/{id} lists its processes by their pid on the host"),
        ),
        Error::NoCheckpoint { .. } => problem(
            ProblemType::CheckpointNotFound,
            detail,
            "GET /containers/{id}/checkpoint lists those of that container's bundle; on the host they are the folders in its checkpoints",
        ),
        Error::NameTaken { id, .. } => problem(
            ProblemType::NameTaken,
            detail,
            format!("choose another name, or delete that container: DELETE /containers/{id}?force=true"),
        ),
        Error::CheckpointTaken { .. } => problem(
            ProblemType::CheckpointExists,
            detail,
            "choose another name, or delete that checkpoint first",
        ),
        Error::CheckpointBusy { .. } => problem(
            ProblemType::CheckpointBusy,
            detail,
            "repeat when its restore, or what else uses it, is done",
        ),
        Error::CheckpointKept { kept, .. } => {
            problem(ProblemType::CheckpointKept, detail, format!("restore it by the name {kept}"))
        }
        Error::CheckpointHidden { folder, .. } => problem(
            ProblemType::CheckpointHidden,
            detail,
            format!("look at the disk, then rename {} without the dot and the ending", folder.display()),
        ),
        Error::CheckpointUnfit { .. } => problem(
            ProblemType::CheckpointUnfit,
            detail,
            "restore it on a host that has what it needs, or delete it and make a new one",
        ),
        Error::CheckpointRights { .. } => problem(
            ProblemType::CheckpointRights,
            detail,
            "give the bundle's process those rights, if it is to have them, or start it anew",
        ),
        Error::HostConflict { .. } => problem(
            ProblemType::HostConflict,
            detail,
            "end what has it first; a container with a pid and a network namespace of its own has no such conflicts",
        ),
        Error::BundleChanged { .. } => problem(
            ProblemType::BundleChanged,
            detail,
            "put config.json back (spec.json in the checkpoint's folder is as it was), or let that pass with \
             ?allowChangedBundle=true: rights that it does not give are refused all the same",
        ),
        Error::CgroupShared { other, .. } => problem(
            ProblemType::CgroupTaken,
            detail,
            format!("give the bundle another linux.cgroupsPath (or none), or end container {other} first"),
        ),
        Error::CgroupOccupied { .. } => problem(
            ProblemType::CgroupTaken,
            detail,
            "another daemon, or runc itself, has a container there: choose another name, or give the bundle another \
             linux.cgroupsPath, or end those processes first",
        ),
        Error::CheckpointBlocked { id, blockers } => {
            let mut found = problem(
                ProblemType::CheckpointBlocked,
                detail,
                format!(
                    "do what blockers says of each; GET /containers/{id}/checkpoint-preflight looks again"
                ),
            );
            found.blockers = Some(blockers.iter().map(super::convert::preflight::blocker).collect());
            found
        }
        Error::SetAside { .. } => problem(
            ProblemType::RecordSetAside,
            detail,
            "look at what runs under that name, mend the record or end it by hand, then move the file away and restart",
        ),
        Error::WrongState { id, status, verb, .. } => {
            problem(ProblemType::WrongState, detail, state_remedy(id.as_str(), *status, *verb))
        }
        Error::Bundle { source, .. } => bundle(source, detail, "/body/bundlePath"),
        Error::CheckpointUnsafe { of, source, .. } => {
            bundle(source, detail, if *of == LogOf::Restore { "/body/checkpoint" } else { "/path/id" })
        }
        Error::Forbidden { breaches } => {
            let mut found = problem(
                ProblemType::Policy,
                detail,
                "mend what errors names, or have root do it; root has set the rules where this daemon is configured \
                 (--bundle-root, --allow-hooks, [policy])",
            );
            found.errors = Some(breaches.iter().map(|one| item(one.at, one.rule, &one.what)).collect());
            found
        }
        Error::Output { field, .. } => {
            let mut found = problem(
                ProblemType::InvalidRequest,
                detail.clone(),
                "name a regular file in a folder that is there",
            );
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
            ProblemType::Cancelled,
            detail,
            "everything is as it was before; ask again when it is wanted",
        ),
        Error::NothingUnderWay(id) => problem(
            ProblemType::NothingUnderWay,
            detail,
            format!("GET /containers/{id} shows under `progress` what is under way"),
        ),
        Error::NoRoom { .. } => problem(
            ProblemType::NoSpace,
            detail,
            "delete checkpoints, make room on that disk or raise --max-checkpoints-size, then repeat",
        ),
        Error::NoLog { .. } => problem(
            ProblemType::LogNotFound,
            detail,
            "GET /containers/{id}/checkpoint lists the checkpoints; ?of=restore asks for a failed restore's log",
        ),
        Error::NoCriu(_) => problem(ProblemType::CriuUnavailable, detail, CRIU_REMEDY),
        Error::Unavailable { .. } => problem(
            ProblemType::FeatureUnavailable,
            detail,
            "leave it out; GET /version lists under features what is possible here",
        ),
        Error::LazyStart => {
            let mut found = problem(
                ProblemType::InvalidRequest,
                detail.clone(),
                "name the checkpoint, or leave lazyPages out",
            );
            found.errors = Some(vec![item("/body/lazyPages", "lazy_start", detail)]);
            found
        }
        Error::PagesLoading(id) => problem(
            ProblemType::PagesLoading,
            detail,
            format!(
                "repeat after the event pagesLoaded; GET /containers/{id} says under pages how far it is"
            ),
        ),
        Error::ShimLost(id) => problem(
            ProblemType::ShimLost,
            detail,
            format!("delete the container and start it anew: DELETE /containers/{id}?force=true"),
        ),
        Error::ShimLostEarly(_) => problem(
            ProblemType::ShimLost,
            detail,
            "repeat; if it happens again, look at dmesg for who killed it",
        ),
        Error::Shim { .. } => problem(
            ProblemType::ShimFailed,
            detail,
            "containerd-rest-shim lies beside containerd-rest, or where --shim says",
        ),
        Error::Undying { .. } => problem(
            ProblemType::Undying,
            detail,
            "a process in uninterruptible sleep cannot be killed: look at dmesg and the disks, then repeat",
        ),
        Error::Store { .. } => {
            problem(ProblemType::StorageFailed, detail, "look at the disk's space and rights, then repeat")
        }
        Error::Archive { source, .. } => archive(source, detail),
        Error::NotPortable { .. } => problem(
            ProblemType::CheckpointNotPortable,
            detail,
            "move what detail names out of the checkpoint's folder, if it is not needed, or copy the folder as it is",
        ),
        Error::TooManyStarts(_) => problem(
            ProblemType::TooManyStarts,
            detail,
            "repeat when some of them are done; --max-starts says how many there may be",
        ),
        Error::TooManyContainers { .. } => problem(
            ProblemType::TooManyContainers,
            detail,
            "delete containers that have ended; --max-containers says how many there may be",
        ),
        Error::ArchivesBusy(_) => {
            problem(ProblemType::ArchivesBusy, detail, "repeat when one of them is done")
        }
        Error::ShuttingDown => problem(ProblemType::ShuttingDown, detail, "repeat when it is back"),
    }
}

fn state_remedy(id: &str, status: Status, verb: Verb) -> String {
    match (verb, status) {
        (_, Status::Creating | Status::Checkpointing) => "repeat when that is done".to_owned(),
        (_, Status::Stopped) => format!("start it first: POST /containers/{id}"),
        // What needs it stopped; a paused one that is resumed would only be refused again.
        (Verb::Delete | Verb::Start, Status::Running | Status::Paused) => {
            format!("DELETE /containers/{id}?force=true kills it first")
        }
        (_, Status::Running | Status::Paused) => {
            format!("resume it first: PATCH /containers/{id} {{\"status\": \"running\"}}")
        }
    }
}

/// `at`: where the request names it.
fn bundle(source: &BundleError, detail: String, at: &str) -> Problem {
    let remedy = match source {
        BundleError::Loose { .. } => {
            "make what detail names root's, and writable by nobody else (chown root, chmod go-w), or move the bundle to where it is"
        }
        BundleError::Changed(_) => "repeat, once nobody changes it any more",
        _ => "bundlePath is the folder of an OCI bundle: config.json and a root filesystem",
    };
    let found = match source {
        BundleError::Missing => ProblemType::BundleNotFound,
        BundleError::Unreadable { .. } => ProblemType::BundleUnreadable,
        BundleError::Loose { .. } => ProblemType::BundleUnsafe,
        BundleError::Changed(_) => ProblemType::BundleChanged,
        BundleError::NotAFolder
        | BundleError::NoConfig
        | BundleError::BadConfig(_)
        | BundleError::NoRootfs(_) => ProblemType::BundleInvalid,
    };
    let mut found = problem(found, detail, remedy);
    if matches!(found.status, 403 | 422) {
        found.errors = Some(vec![item(at, "bundle", source.to_string())]);
    }
    found
}

/// An archive that is not taken: of each, nothing is left.
fn archive(source: &ArchiveError, detail: String) -> Problem {
    match source {
        ArchiveError::CutOff { .. } => problem(
            ProblemType::ArchiveCutOff,
            detail,
            "send it again, whole; compare the file with where it came from",
        ),
        ArchiveError::Stalled { .. } => {
            problem(ProblemType::ArchiveStalled, detail, "send it again, without so long a pause")
        }
        ArchiveError::Unreadable { .. } => problem(
            ProblemType::ArchiveUnreadable,
            detail,
            "send what GET …/archive gave, as it was: a tar, plain or compressed with zstd or gzip",
        ),
        ArchiveError::Version { .. } => problem(
            ProblemType::ArchiveVersion,
            detail,
            "upgrade this daemon: SIGHUP after the new program is in place",
        ),
        ArchiveError::Entry { .. } => problem(
            ProblemType::ArchiveRefused,
            detail,
            "send what GET …/archive gave, as it was: entries are neither added nor left out nor put in another order",
        ),
        ArchiveError::Damaged { .. } => problem(
            ProblemType::ArchiveDamaged,
            detail,
            "export it again, or compare the file with where it came from",
        ),
        ArchiveError::NoSpace { .. } => problem(
            ProblemType::NoSpace,
            detail,
            "delete checkpoints that are not needed, make room on the bundle's disk or raise --max-checkpoints-size, then repeat",
        ),
    }
}

fn runtime_failed(source: &runtime::Error, detail: String) -> Problem {
    match source {
        runtime::Error::Failed { words, .. } => {
            let failed = ProblemType::RuntimeFailed;
            match words::meaning(words) {
                Some(known) => problem(failed, format!("{}; {detail}", known.sentence), known.remedy),
                None => {
                    let remedy = "read the runtime's words in detail, and the log if one is named";
                    problem(failed, detail, remedy)
                }
            }
        }
        runtime::Error::TimedOut { .. } => problem(
            ProblemType::RuntimeTimeout,
            detail,
            "what it began was undone: look at the host's load and at dmesg, then repeat",
        ),
        runtime::Error::Missing { source, .. } if is_hosts(source) => problem(
            ProblemType::HostFailed,
            detail,
            "look at the host's limits (processes, open files, memory), then repeat",
        ),
        runtime::Error::Missing { .. } => problem(
            ProblemType::RuntimeUnavailable,
            detail,
            "install runc (apt-get install runc) or say where it is with --runtime",
        ),
        runtime::Error::Process { .. } => {
            problem(ProblemType::HostFailed, detail, "the daemon needs root and Linux 5.10 or newer")
        }
    }
}

/// A body that is not JSON: where it stops being it.
pub fn not_json(error: &serde_json::Error, body: &[u8]) -> Problem {
    let byte = offset(body, error.line(), error.column());
    let message = format!("{error} (byte {byte})");
    let mut found = problem(
        ProblemType::MalformedRequest,
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

/// Whether a refusal tells of something that was done all the same.
pub fn is_outcome(document: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Refusal {
        r#type: ProblemType,
    }
    serde_json::from_slice(document).is_ok_and(|Refusal { r#type: kind }| kinds::is_outcome(kind))
}

/// An idempotency key that was used for another request.
pub fn key_reused(key: &str) -> Problem {
    let detail = format!("the key {key} was used for another request (method, path, query or body differ)");
    let mut found = problem(
        ProblemType::IdempotencyKeyReused,
        detail.clone(),
        "use a new key for a new request; repeat a request as it was",
    );
    found.errors = Some(vec![item("/header/Idempotency-Key", "reused", detail)]);
    found
}

/// An idempotency key that cannot be written down.
pub fn key_not_kept(key: &str, error: &std::io::Error) -> Problem {
    problem(
        ProblemType::StorageFailed,
        format!("the key {key} cannot be kept, so nothing was begun: {error}"),
        "look at the disk's space and rights, then repeat",
    )
}

/// A signal that may have been sent.
pub fn outcome_unknown(key: &str) -> Problem {
    problem(
        ProblemType::OutcomeUnknown,
        format!("a daemon that died in the middle may have sent the signal of the request {key}"),
        "look at the process; to send it again, use a new key",
    )
}

/// A body over the limit.
pub fn too_large(limit: usize) -> Problem {
    problem(
        ProblemType::BodyTooLarge,
        format!("the body is larger than {limit} bytes"),
        format!("send at most {limit} bytes"),
    )
}

/// A body that broke off.
pub fn cut_off() -> Problem {
    problem(
        ProblemType::MalformedRequest,
        "the body broke off, or did not come within 20 s".to_owned(),
        "send it again",
    )
}

/// What the generated validation found.
pub fn violation(found: ProblemDetails) -> Problem {
    let errors: Vec<ProblemItem> =
        found.errors.into_iter().map(|one| item(&one.location, &one.code, said(&one))).collect();
    let listed: Vec<String> = errors.iter().map(|one| format!("{} {}", one.location, one.message)).collect();
    let mut made = match found.status {
        413 => return too_large(crate::http::MAX_BODY),
        // JSON was checked before: without a pointer it is the whole body that is not there.
        400 if errors.is_empty() => problem(
            ProblemType::MalformedRequest,
            "the request has no body, and this operation needs one".to_owned(),
            "send a JSON body; GET /openapi.json says what is taken",
        ),
        // What can be pointed at could be read, a pid or a query that is none too.
        400 | 422 => problem(
            ProblemType::InvalidRequest,
            listed.join("; "),
            "mend what errors points at; GET /openapi.json says what is taken",
        ),
        _ => problem(ProblemType::Internal, found.title, "this is a fault of ours: report it"),
    };
    made.errors = Some(errors).filter(|errors| !errors.is_empty());
    made
}

/// What one fault is. Of what is no pid the generated code says that it is malformed, and no more.
fn said(fault: &InvalidParameter) -> String {
    match fault.location.as_str() {
        "/path/pid" => "is no pid: a whole number from 1 to 2147483647".to_owned(),
        _ => fault.message.clone(),
    }
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
    let mut found =
        problem(ProblemType::InvalidRequest, format!("{location} {words}"), "mend what errors points at");
    found.errors = Some(vec![item(&location, "invalid_value", words)]);
    found
}

/// Somebody who is not served.
pub fn not_allowed(why: String) -> Problem {
    problem(
        ProblemType::NotAllowed,
        why,
        "call as root (sudo curl …), or with a token that root has made (containerd-rest token); who is let in by either, or \
         by --allow-user or --allow-group, is root on this host too",
    )
}

/// A token that lets nobody in.
pub fn bad_token(why: String) -> Problem {
    problem(
        ProblemType::BadToken,
        why,
        "have root make another (containerd-rest token), or leave the header Authorization out to be known as who you are",
    )
}

/// A caller who may only look.
pub fn read_only(why: String) -> Problem {
    problem(
        ProblemType::ReadOnly,
        why,
        "have root make one that lets change something: containerd-rest token --role admin, or --tls-allow NAME=admin",
    )
}

/// A connection too many.
pub fn too_many_connections(why: String) -> Problem {
    problem(
        ProblemType::TooManyConnections,
        why,
        "repeat when some of them are done; --max-connections and --max-connections-per-user say how many there may be",
    )
}

/// An answer too many that stays open.
pub fn too_many_streams(why: String) -> Problem {
    problem(
        ProblemType::TooManyStreams,
        why,
        "end some of the waits, or of those who follow events or logs, then repeat; --max-streams-per-caller says how many there may be",
    )
}

/// A body for which there is no room beside the others.
pub fn too_many_bodies(full: &Full) -> Problem {
    problem(
        ProblemType::TooManyBodies,
        format!("too many bodies of requests are being taken, in bytes: {full}"),
        "repeat when those are done; --max-bodies-size says how much there is",
    )
}

/// A request that another site's page has had a browser send, as far as that can be told.
pub fn foreign_site(why: &str) -> Problem {
    problem(
        ProblemType::ForeignSite,
        format!("the request is refused: {why}"),
        "open /swagger-ui/ of this daemon itself; another name of this host is made its own by --name HOST",
    )
}

/// What the framework answers by itself, without a document.
pub fn of_status(status: u16, method: &str, path: &str, allow: Option<&str>) -> Problem {
    let remedy = "GET /openapi.json says what there is, /swagger-ui/ shows it";
    match status {
        404 => problem(ProblemType::PathNotFound, format!("nothing is at {path}"), remedy),
        405 => {
            let allowed = allow.unwrap_or("other methods");
            let detail = format!("{path} takes {allowed} and not {method}");
            problem(ProblemType::MethodNotAllowed, detail, remedy)
        }
        413 => too_large(crate::http::MAX_BODY),
        // The router's own: what is percent-encoded in the path is not UTF-8.
        400 => {
            let mut found = problem(ProblemType::InvalidRequest, format!("{path} is not UTF-8"), remedy);
            found.errors = Some(vec![item("/path", "encoding", "is not UTF-8")]);
            found
        }
        401..=499 => Problem {
            status: i32::from(status),
            ..problem(ProblemType::MalformedRequest, format!("{method} {path} cannot be read"), remedy)
        },
        _ => problem(
            ProblemType::Internal,
            format!("{method} {path} met a fault of the daemon's own"),
            "this is a fault of ours: report it",
        ),
    }
}

#[cfg(test)]
#[path = "problem/examples.rs"]
mod examples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_outcome_when_it_tells_of_something_that_was_done() {
        let is = |error: Error| is_outcome(super::super::json_line(&of(&error)).as_bytes());
        let (id, checkpoint) = (|| "a".parse().unwrap(), "one".parse().unwrap());
        assert!(is(Error::Cancelled { id: id(), checkpoint, of: LogOf::Dump }));
        let (name, kept) = ("one".parse().unwrap(), "two".parse().unwrap());
        assert!(is(Error::CheckpointKept { name, kept, source: Box::new(Error::ShuttingDown) }));
        assert!(!is(Error::NoContainer(id())) && !is(Error::NameTaken { id: id(), status: Status::Running }));
        assert!(!is_outcome(b"") && !is_outcome(b"{\"type\": \"urn:other\"}"));
    }

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
