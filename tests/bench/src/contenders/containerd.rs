//! containerd by its own API (gRPC on its unix socket), as its Go client calls it: container and task created, task
//! started; then killed, waited for, both deleted. `ctr` would add the start of a Go program to each. The output goes to
//! /dev/null, which is less than our shim and conmon do.
//!
//! The messages are written here, of each what is used: what generates them asks for protoc, which no one else here needs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};

use super::{Contender, Outcome, Service, Session};
use crate::cpu::Account;
use crate::host;

const RUNTIME: &str = "io.containerd.runc.v2";
/// Its shims' sockets lie there whatever its folders are.
const SOCKETS: &str = "/run/containerd";

pub(crate) struct Containerd {
    _service: Service,
    pid: i32,
    socket: PathBuf,
    spec: Vec<u8>,
    /// runc's root.
    runc: PathBuf,
    account: Account,
    /// Whether [`SOCKETS`] are ours to take away.
    alone: bool,
}

impl Containerd {
    pub(crate) fn start(folder: &Path, bundle: &Path) -> Self {
        let alone = !Path::new(SOCKETS).exists();
        let account = Account::new("containerd");
        let folder = folder.join("containerd");
        std::fs::create_dir(&folder).expect("a folder for containerd");
        let (log, config, socket) = (folder.join("log"), folder.join("config.toml"), folder.join("sock"));
        // What Kubernetes and images need is left out, for its good; and what makes folders elsewhere.
        let without = [
            "grpc.v1.cri",
            "internal.v1.opt",
            "snapshotter.v1.btrfs",
            "snapshotter.v1.aufs",
            "snapshotter.v1.zfs",
        ];
        let without: Vec<_> = without.iter().map(|plugin| format!("\"io.containerd.{plugin}\"")).collect();
        std::fs::write(
            &config,
            format!(
                "version = 2\ndisabled_plugins = [{}]\n[ttrpc]\naddress = \"{}.ttrpc\"\n",
                without.join(", "),
                socket.display()
            ),
        )
        .expect("containerd's configuration");
        let mut command = Command::new("containerd");
        command.arg("--config").arg(&config).arg("--address").arg(&socket).arg("--log-level").arg("error");
        command.arg("--root").arg(folder.join("root")).arg("--state").arg(folder.join("state"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log for containerd"));
        let service = Service(account.spawn(&mut command));
        let service = service.await_answer(&log, || {
            Caller::connect(&socket).is_ok_and(|caller| caller.call(VERSION, Empty {}).is_ok())
        });
        let spec = spec_of(bundle);
        Self {
            pid: service.pid(),
            _service: service,
            socket,
            spec,
            runc: folder.join("runc"),
            account,
            alone,
        }
    }
}

/// The bundle's own, but for the path of its root: containerd puts it into a bundle of its own.
fn spec_of(bundle: &Path) -> Vec<u8> {
    let text = std::fs::read(bundle.join("config.json")).expect("the bundle's config.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&text).expect("the bundle's config.json");
    spec["root"]["path"] = bundle.join("rootfs").to_str().into();
    spec.to_string().into_bytes()
}

impl Contender for Containerd {
    fn who(&self) -> &'static str {
        "containerd"
    }

    fn session(&self) -> Box<dyn Session + Send> {
        let caller = Caller::connect(&self.socket).expect("containerd is there");
        Box::new(Calls { caller, spec: self.spec.clone(), runc: self.runc.display().to_string() })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn daemon(&self) -> Option<i32> {
        Some(self.pid)
    }

    fn shim_name(&self) -> &'static str {
        "containerd-shim"
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        if self.alone {
            let _ = std::fs::remove_dir_all(SOCKETS);
        }
    }
}

/// One connection.
struct Caller {
    runtime: Runtime,
    channel: Channel,
}

impl Caller {
    fn connect(socket: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let endpoint = Endpoint::try_from(format!("unix://{}", socket.display()))?;
        let channel = runtime.block_on(endpoint.connect())?;
        Ok(Self { runtime, channel })
    }

    /// Nothing of an answer is used, so all are read as empty ones.
    fn call(&self, method: &'static str, message: impl prost::Message + 'static) -> Outcome {
        host::go_on()?;
        self.runtime.block_on(async {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready().await.map_err(|error| format!("{method}: {error}"))?;
            let mut request = tonic::Request::new(message);
            request.metadata_mut().insert("containerd-namespace", MetadataValue::from_static("bench"));
            let codec = tonic_prost::ProstCodec::<_, Empty>::default();
            let answer = grpc.unary(request, PathAndQuery::from_static(method), codec).await;
            answer.map(drop).map_err(|status| format!("{method}: {}", status.message()))
        })
    }
}

struct Calls {
    caller: Caller,
    spec: Vec<u8>,
    runc: String,
}

impl Session for Calls {
    fn start(&mut self, id: &str) -> Outcome {
        let options = prost::Message::encode_to_vec(&RuncOptions { root: self.runc.clone() });
        let options = Any { type_url: "containerd.runc.v1.Options".to_owned(), value: options };
        let spec = Any {
            type_url: "types.containerd.io/opencontainers/runtime-spec/1/Spec".to_owned(),
            value: self.spec.clone(),
        };
        let runtime = RuntimeOf { name: RUNTIME.to_owned(), options: Some(options.clone()) };
        let container = Container { id: id.to_owned(), runtime: Some(runtime), spec: Some(spec) };
        self.caller.call(CREATE_CONTAINER, CreateContainer { container: Some(container) })?;
        self.caller.call(CREATE_TASK, CreateTask { container_id: id.to_owned(), options: Some(options) })?;
        self.caller.call(START_TASK, Named::of(id))
    }

    fn delete(&mut self, id: &str) -> Outcome {
        self.caller.call(KILL_TASK, KillTask { container_id: id.to_owned(), signal: 9 })?;
        self.caller.call(WAIT_TASK, Named::of(id))?;
        self.caller.call(DELETE_TASK, Named::of(id))?;
        self.caller.call(DELETE_CONTAINER, Named::of(id))
    }

    fn list(&mut self) -> Outcome {
        self.caller.call(LIST_CONTAINERS, Empty {})?;
        self.caller.call(LIST_TASKS, Empty {})
    }
}

const VERSION: &str = "/containerd.services.version.v1.Version/Version";
const CREATE_CONTAINER: &str = "/containerd.services.containers.v1.Containers/Create";
const DELETE_CONTAINER: &str = "/containerd.services.containers.v1.Containers/Delete";
const LIST_CONTAINERS: &str = "/containerd.services.containers.v1.Containers/List";
const LIST_TASKS: &str = "/containerd.services.tasks.v1.Tasks/List";
const CREATE_TASK: &str = "/containerd.services.tasks.v1.Tasks/Create";
const START_TASK: &str = "/containerd.services.tasks.v1.Tasks/Start";
const KILL_TASK: &str = "/containerd.services.tasks.v1.Tasks/Kill";
const WAIT_TASK: &str = "/containerd.services.tasks.v1.Tasks/Wait";
const DELETE_TASK: &str = "/containerd.services.tasks.v1.Tasks/Delete";

#[derive(Clone, PartialEq, prost::Message)]
struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RuncOptions {
    #[prost(string, tag = "7")]
    root: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RuntimeOf {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    options: Option<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Container {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "4")]
    runtime: Option<RuntimeOf>,
    #[prost(message, optional, tag = "5")]
    spec: Option<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CreateContainer {
    #[prost(message, optional, tag = "1")]
    container: Option<Container>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CreateTask {
    #[prost(string, tag = "1")]
    container_id: String,
    #[prost(message, optional, tag = "9")]
    options: Option<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KillTask {
    #[prost(string, tag = "1")]
    container_id: String,
    #[prost(uint32, tag = "3")]
    signal: u32,
}

/// Those that name a container and nothing else.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    id: String,
}

impl Named {
    fn of(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}
