//! A request, through all that is in front of the supervisor, and the supervisor of a host on which nothing can be
//! started: neither its runtime nor its shim is there.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

use super::FOLDER;
use crate::api::Api;
use crate::http::{self, Phase};
use crate::runtime::cgroup::systemd::Home;
use crate::runtime::cpu::Cpu;
use crate::runtime::criu::Criu;
use crate::runtime::runc::Runc;
use crate::supervisor::{Bounds, CgroupsBy, Parts, Rules, Store, Supervisor, Versions};
use crate::tokens::Tokens;

/// No request of a stopped daemon's takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// Everything that is served, without sockets, on a runtime that is the caller's thread.
pub(crate) struct Served {
    runtime: Runtime,
    router: Router,
    in_use: http::InUse,
    _phase: watch::Sender<Phase>,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| match serve(&FOLDER) {
    Ok(served) => served,
    Err(error) => panic!("the daemon in the fuzzer does not start: {error}"),
});

/// On the folders `state` and `root` in `folder`, taking back what is there.
pub(crate) fn serve(folder: &Path) -> Result<Served, Box<dyn std::error::Error>> {
    // Few threads: valgrind has 500 at the most.
    let runtime =
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(4).enable_all().build()?;
    let (state, root) = (folder.join("state"), folder.join("root"));
    let store = Store::open(&state, &root)?;
    let nowhere = Path::new("/nowhere/runc");
    let limit = Duration::from_secs(1);
    let runc = Runc::new(nowhere.to_owned(), store.runc_root(), Path::new("/nowhere"), limit);
    let parts = Parts {
        runc,
        criu: Criu::Unusable { path: "/nowhere/criu".into(), why: "it is not there".into() },
        versions: Versions { runc: "1.1.5".into(), kernel: "6.1".into(), cgroup: 1, cpu: Cpu::of_host() },
        shim: "/nowhere/shim".into(),
        descriptors: rustix::process::getrlimit(rustix::process::Resource::Nofile),
        store,
        cgroups: CgroupsBy::Runc,
        home: Home::default(),
        starts: 1,
        bounds: Bounds::default(),
        // What lies on the host is none of its bundles: it would be started, with nothing to start it by.
        rules: Rules { bundle_roots: vec![folder.to_owned()], ..Rules::default() },
        checkpoint_limit: limit,
    };
    let supervisor = runtime.block_on(Supervisor::open(parts))?;
    let answers = http::Answers::open(&root)?;
    let callers = http::Callers::new(&[], &[], Tokens::of(&root), supervisor.clone())?;
    let (audit, in_use) = (http::Audit::open(None)?, http::InUse::new(http::Limits::default()));
    let door = http::Door { callers, names: http::Names::default(), audit, in_use: in_use.clone() };
    let (phase, watched) = watch::channel(Phase::Serving);
    let router = http::router(Api::new(supervisor), answers, door, watched);
    Ok(Served { runtime, router, in_use, _phase: phase })
}

impl Served {
    /// The answer to root's request, its body not read yet.
    async fn ask(&self, request: Request) -> Response {
        match self.router.clone().oneshot(http::from_root(&self.in_use, request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// What taking back has set off comes to its end.
    #[cfg(test)]
    pub(crate) fn rest(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_secs(3)).await });
    }

    /// The status and the whole body of the answer to a request that is written as the corpus' are.
    #[cfg(test)]
    pub(crate) fn answer(&self, text: &str) -> (u16, axum::body::Bytes) {
        let request = parse(text.as_bytes()).unwrap();
        self.runtime.block_on(async {
            let answer = self.ask(request).await;
            let status = answer.status().as_u16();
            (status, axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap())
        })
    }
}

/// `METHOD PATH`, headers a line each, an empty line, and a body. Nothing that is asked is the daemon's own fault.
pub(super) fn feed(bytes: &[u8]) -> bool {
    let Some(request) = parse(bytes) else { return false };
    let shown = format!("{} {}", request.method(), request.uri());
    let answer = SERVED.runtime.block_on(async { tokio::time::timeout(LIMIT, SERVED.ask(request)).await });
    let Ok(answer) = answer else { panic!("{shown} is not answered") };
    let status = answer.status().as_u16();
    assert!(status != 500, "{shown} is answered with 500");
    status < 300
}

fn parse(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..at], line[at + 1..].trim_ascii());
    }
    request.body(Body::from(body.to_vec())).ok()
}
