//! OCI bundles: a folder with a `config.json` (runtime spec, `bundle.md` and `config.md`), read and
//! checked before anything is touched.

use std::io;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxIdMapping, LinuxNamespaceType, Process, Spec, User, UserBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hands::{Hands, Place, Same, Untaken};
use super::regular;

/// The shim's argument as a hook: see [`Bundle::with_loopback`].
pub const RAISE_LOOPBACK: &str = "--raise-loopback";

/// A bundle that can be started as far as can be known without starting it.
#[derive(Debug, Clone)]
pub struct Bundle {
    path: PathBuf,
    /// Its folder, without links.
    real: PathBuf,
    /// What of it the runtime will open by itself, as it was when it was looked at.
    seen: Vec<(PathBuf, Same)>,
    spec: Box<Spec>,
    process: Process,
    private_network: bool,
    user_namespace: bool,
    host: Shared,
    cgroups_path: Option<PathBuf>,
    config: Vec<u8>,
}

/// What a bundle has in common with the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// Pids.
    pub pids: bool,
    /// Addresses and ports.
    pub network: bool,
}

/// What a process of its own may have; what is left out is the bundle's own.
#[derive(Debug, Default, Clone)]
pub struct ProcessOverrides {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Who it runs as.
    pub user: Option<Identity>,
    /// Its whole environment.
    pub env: Option<Vec<String>>,
    /// Its working folder.
    pub cwd: Option<String>,
    /// A terminal of its own.
    pub terminal: bool,
}

/// The numbers of a user inside a container.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Further groups.
    pub additional_gids: Vec<u32>,
}

impl From<&User> for Identity {
    fn from(user: &User) -> Self {
        Self {
            uid: user.uid(),
            gid: user.gid(),
            additional_gids: user.additional_gids().clone().unwrap_or_default(),
        }
    }
}

/// Why a folder is not a bundle that can be started. `Display` is a sentence without the path.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is nothing at the path.
    #[error("there is nothing there")]
    Missing,
    /// The path is not a folder.
    #[error("it is not a folder")]
    NotAFolder,
    /// The folder or its config.json cannot be read.
    #[error("{what} cannot be read")]
    Unreadable {
        /// Which of the two.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// It has no config.json.
    #[error("it has no config.json")]
    NoConfig,
    /// config.json is not what the runtime spec says.
    #[error("its config.json is not an OCI runtime configuration: {0}")]
    BadConfig(String),
    /// The root filesystem is missing.
    #[error("its root filesystem {0} is not a folder")]
    NoRootfs(PathBuf),
    /// Somebody could put something else there than what was looked at.
    #[error("{path} can be changed by {by}, and not only by root and whom it is started for")]
    Loose {
        /// What, or what it lies in.
        path: PathBuf,
        /// Who that is, in words.
        by: String,
    },
    /// It is not what was looked at any more.
    #[error("{0} was changed while the bundle was about to be started")]
    Changed(PathBuf),
}

/// Whether an error says that there is nothing at a path; at one that is longer than any can be, or that links lead to in
/// a circle, neither.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
        || error.raw_os_error() == Some(nix::libc::ELOOP)
}

impl Bundle {
    /// Reads and checks the bundle at an absolute path, all of which must be in these hands.
    pub fn open(path: &Path, hands: Hands) -> Result<Self, BundleError> {
        let folder = hands.follow(path).map_err(|untaken| match untaken {
            Untaken::Lost(error) if is_missing(&error) => BundleError::Missing,
            Untaken::Lost(source) => BundleError::Unreadable { what: "the folder", source },
            Untaken::Loose { path, by } => BundleError::Loose { path, by },
        })?;
        if !folder.is_folder() {
            return Err(BundleError::NotAFolder);
        }
        let no_config = |error: io::Error| match error {
            error if is_missing(&error) => BundleError::NoConfig,
            // Not a regular file, or larger than any: no fault of the host's.
            error if error.kind() == io::ErrorKind::InvalidData => BundleError::BadConfig(error.to_string()),
            source => BundleError::Unreadable { what: "config.json", source },
        };
        let config = hands.follow_from(&folder, Path::new("config.json"), &[]);
        let config = config.map_err(|untaken| match untaken {
            Untaken::Lost(error) => no_config(error),
            Untaken::Loose { path, by } => BundleError::Loose { path, by },
        })?;
        let text = config.read(regular::LARGEST_JSON).map_err(no_config)?;
        let spec: Spec =
            serde_json::from_slice(&text).map_err(|error| BundleError::BadConfig(error.to_string()))?;
        let mut bundle = Self::from_spec(path, &folder, spec, text)?;
        let rootfs = bundle.rootfs(&folder, hands)?;
        bundle.seen = [&folder, &config, &rootfs].map(|place| (place.path().to_owned(), place.same())).into();
        Ok(bundle)
    }

    /// The root filesystem's folder; where it is a user namespace's, it may be its users'.
    fn rootfs(&self, folder: &Place, hands: Hands) -> Result<Place, BundleError> {
        let path = self.spec.root().as_ref().map_or(Path::new(""), |root| root.path());
        let maps = self.spec.linux().as_ref().and_then(|linux| linux.uid_mappings().as_ref());
        let range = |map: &LinuxIdMapping| {
            let first = u64::from(map.host_id());
            first..first + u64::from(map.size())
        };
        let users: Vec<_> = maps.into_iter().flatten().filter(|_| self.user_namespace).map(range).collect();
        let found = hands.follow_from(folder, path, &users).map_err(|untaken| match untaken {
            Untaken::Lost(_) => BundleError::NoRootfs(self.path.join(path)),
            Untaken::Loose { path, by } => BundleError::Loose { path, by },
        })?;
        if found.is_folder() { Ok(found) } else { Err(BundleError::NoRootfs(self.path.join(path))) }
    }

    /// Whether what the runtime is about to open is what was looked at. Blocks.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn assert_same(&self) -> Result<(), BundleError> {
        let is_same = |(path, same): &&(PathBuf, Same)| Same::at(path).is_ok_and(|now| now == *same);
        match self.seen.iter().find(|seen| !is_same(seen)) {
            Some((path, _)) => Err(BundleError::Changed(path.clone())),
            None => Ok(()),
        }
    }

    fn from_spec(path: &Path, folder: &Place, spec: Spec, config: Vec<u8>) -> Result<Self, BundleError> {
        let bad = |words: &str| BundleError::BadConfig(words.to_owned());
        let process = spec.process().clone().ok_or_else(|| bad("it has no process"))?;
        if process.args().as_ref().is_none_or(Vec::is_empty) {
            return Err(bad("process.args is empty"));
        }
        if !process.cwd().is_absolute() {
            return Err(bad("process.cwd is not an absolute path"));
        }
        if spec.root().is_none() {
            return Err(bad("it has no root"));
        }
        let linux = spec.linux().as_ref();
        let namespaces = linux.and_then(|linux| linux.namespaces().as_ref());
        // Without one runc mounts the root filesystem in the host's own, and it stays there.
        if !namespaces.is_some_and(|all| all.iter().any(|one| one.typ() == LinuxNamespaceType::Mount)) {
            return Err(bad("linux.namespaces has no mount namespace"));
        }
        let private_network = namespaces.is_some_and(|all| {
            all.iter().any(|one| one.typ() == LinuxNamespaceType::Network && one.path().is_none())
        });
        let has = |typ| namespaces.is_some_and(|all| all.iter().any(|one| one.typ() == typ));
        let user_namespace = has(LinuxNamespaceType::User);
        let host = Shared { pids: !has(LinuxNamespaceType::Pid), network: !has(LinuxNamespaceType::Network) };
        let cgroups_path = linux.and_then(|linux| linux.cgroups_path().clone());
        Ok(Self {
            path: path.to_owned(),
            real: folder.path().to_owned(),
            seen: Vec::new(),
            spec: Box::new(spec),
            process,
            private_network,
            user_namespace,
            host,
            cgroups_path,
            config,
        })
    }

    /// Its folder, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder, without links: as it was looked at, and is to be used.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// config.json as it was understood.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Its process, as config.json has it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// config.json as it was read.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// Whether its process wants a terminal.
    pub fn terminal(&self) -> bool {
        self.process.terminal().unwrap_or(false)
    }

    /// Whether it has a user namespace.
    pub fn user_namespace(&self) -> bool {
        self.user_namespace
    }

    /// Whether it has a network namespace of its own, made for it.
    pub fn private_network(&self) -> bool {
        self.private_network
    }

    /// config.json for a restore that needs a loopback device before CRIU connects sockets again: with a hook for that,
    /// which runc runs when the namespaces are there, and to be read in any folder. runc sets the device up when it starts
    /// a container, and not when it restores one.
    ///
    /// # Errors
    ///
    /// It is no JSON object any more.
    pub fn with_loopback(&self, shim: &Path) -> Result<Vec<u8>, BundleError> {
        let bad = |words: String| BundleError::BadConfig(words);
        let mut config: Value =
            serde_json::from_slice(&self.config).map_err(|error| bad(error.to_string()))?;
        // As runc finds itself in it: its root filesystem may not lie behind a link.
        let absolute = |path: &mut Value| {
            if let Some(relative) = path.as_str().filter(|path| !Path::new(path).is_absolute()) {
                *path = self.real.join(relative).to_string_lossy().into();
            }
        };
        if let Some(root) = config.pointer_mut("/root/path") {
            absolute(root);
        }
        for mount in config.get_mut("mounts").and_then(Value::as_array_mut).into_iter().flatten() {
            let binds = |option: &Value| matches!(option.as_str(), Some("bind" | "rbind"));
            let options = mount["options"].as_array();
            if mount["type"] == "bind" || options.is_some_and(|options| options.iter().any(binds)) {
                absolute(&mut mount["source"]);
            }
        }
        let hook = json!({ "path": shim, "args": [shim, RAISE_LOOPBACK] });
        let hooks = &mut config["hooks"]["createRuntime"];
        match hooks.as_array_mut() {
            Some(hooks) => hooks.insert(0, hook),
            None => *hooks = json!([hook]),
        }
        Ok(config.to_string().into_bytes())
    }

    /// What it has in common with the host.
    pub fn shared(&self) -> Shared {
        self.host
    }

    /// Where it wants its cgroup: absolute, or below runc's own.
    pub fn cgroups_path(&self) -> Option<&Path> {
        self.cgroups_path.as_deref()
    }
}

/// A place in a config.json, right below another (JSON Pointer, RFC 6901).
pub fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Only a regular file of a sane size; it may be a link to one.
pub fn read_config(path: &Path) -> io::Result<Vec<u8>> {
    regular::read_linked(path, regular::LARGEST_JSON)
}

/// A process as it was, with the rights of this one.
pub fn entitled(process: &Process, by: &Process) -> Process {
    let mut process = process.clone();
    process
        .set_capabilities(by.capabilities().clone())
        .set_no_new_privileges(by.no_new_privileges())
        .set_apparmor_profile(by.apparmor_profile().clone())
        .set_selinux_label(by.selinux_label().clone());
    process
}

/// The process to add: the bundle's own (its capabilities, rlimits, labels) with what the caller said.
pub fn added_process(own: &Process, overrides: &ProcessOverrides) -> Process {
    let mut process = own.clone();
    process.set_args(Some(overrides.args.clone()));
    process.set_terminal(Some(overrides.terminal));
    process.set_console_size(None);
    if let Some(user) = &overrides.user {
        let mut built = UserBuilder::default().uid(user.uid).gid(user.gid).build().unwrap_or_default();
        if !user.additional_gids.is_empty() {
            built.set_additional_gids(Some(user.additional_gids.clone()));
        }
        process.set_user(built);
    }
    if let Some(env) = &overrides.env {
        process.set_env(Some(env.clone()));
    }
    if let Some(cwd) = &overrides.cwd {
        process.set_cwd(PathBuf::from(cwd));
    }
    process
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Process {
        serde_json::from_value(serde_json::json!({
            "terminal": true, "user": {"uid": 7, "gid": 8, "additionalGids": [9]}, "args": ["init"],
            "env": ["A=1"], "cwd": "/srv", "capabilities": {"bounding": ["CAP_KILL"]}, "noNewPrivileges": true,
        }))
        .unwrap()
    }

    #[test]
    fn what_a_caller_leaves_out_is_the_bundles_own() {
        let added =
            added_process(&own(), &ProcessOverrides { args: vec!["sh".into()], ..Default::default() });
        let own = own();
        assert_eq!(added.args().as_deref(), Some(&["sh".to_owned()][..]));
        assert_eq!((added.user(), added.env(), added.cwd()), (own.user(), own.env(), own.cwd()));
        assert_eq!(added.capabilities(), own.capabilities());
        assert_eq!(added.no_new_privileges(), Some(true));
        assert_eq!(added.terminal(), Some(false), "a terminal is asked for, never inherited");
    }

    #[test]
    fn what_a_caller_says_replaces_it_whole() {
        let user = Identity { uid: 0, gid: 0, additional_gids: vec![] };
        let overrides = ProcessOverrides {
            args: vec!["sh".into()],
            user: Some(user.clone()),
            env: Some(vec![]),
            cwd: Some("/".into()),
            terminal: true,
        };
        let added = added_process(&own(), &overrides);
        assert_eq!(Identity::from(added.user()), user);
        assert_eq!(added.env().as_deref(), Some(&[][..]));
        assert_eq!(added.cwd(), Path::new("/"));
    }
}
