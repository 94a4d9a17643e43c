//! What a container may be, by rules: config.json (runtime spec, `config.md` and `config-linux.md`) is held against them, and
//! each thing that breaks one is named by the rule and by its place. May not know who asks.
//!
//! The rules are a table `[policy]` of the configuration file; the names of its keys are the names of the rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Capability, LinuxNamespaceType};
use serde::Deserialize;
use serde_json::Value;

use super::bundle::below;
use super::hands::Hands;

/// What the rules let a container have. What is left out of the table is forbidden, or required.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// Folders in which bundles may lie; none named: anywhere.
    pub bundle_roots: Vec<PathBuf>,
    /// Capabilities that a process may have.
    pub capabilities: Vec<Capability>,
    /// Namespaces of the host's, or of another container's, that may be shared.
    pub host_namespaces: Vec<LinuxNamespaceType>,
    /// Whether devices of the host's may be used.
    pub devices: bool,
    /// Folders of the host's that may be mounted, and in which root filesystems may lie, beside the bundle itself.
    pub mounts: Vec<PathBuf>,
    /// Whether what `runc spec` masks in /proc and /sys must be masked.
    pub masks: bool,
    /// Whether a program may gain rights by what its file says (setuid).
    pub new_privileges: bool,
    /// Whether system calls need not be filtered.
    pub no_seccomp: bool,
    /// Whether processes may run as uid 0 of the host.
    pub root_user: bool,
    /// Whether output may be written to files of the host's.
    pub output_files: bool,
    /// Whether checkpoints may come and go as archives: who sends one says what the memory is, and who reads one has it.
    pub archives: bool,
}

/// Something that a rule forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Its rule, as the configuration calls it.
    pub rule: &'static str,
    /// Where in the request, as a JSON pointer.
    pub at: &'static str,
    /// What, and where in config.json.
    pub what: String,
}

/// The rule of whom a process may run as: of an added one the request says that, too.
pub const ROOT_USER: &str = "root-user";

/// Those that Docker and containerd give by themselves.
const USUAL: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];
/// As `runc spec` writes them: what of the kernel's own is not the container's to see, or to write.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
/// File systems that show nothing of the host's disks.
const OF_ITS_OWN: [&str; 8] = ["proc", "sysfs", "tmpfs", "ramfs", "devpts", "mqueue", "cgroup", "cgroup2"];
/// Devices that every container has (`config-linux.md`, "Default Devices"): character devices all.
const DEVICES: [(i64, i64); 8] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)];
/// Of pseudo terminals, each.
const TERMINALS: i64 = 136;
/// What has keys of anybody's choice.
const OPEN: [&str; 4] =
    ["/annotations", "/linux/sysctl", "/linux/resources/unified", "/linux/resources/rdma"];

impl Default for Policy {
    fn default() -> Self {
        Self {
            bundle_roots: Vec::new(),
            capabilities: USUAL.to_vec(),
            host_namespaces: Vec::new(),
            devices: false,
            mounts: Vec::new(),
            masks: true,
            new_privileges: false,
            no_seccomp: true,
            root_user: true,
            output_files: false,
            archives: false,
        }
    }
}

impl Policy {
    /// What of a container of this config.json and of a process in it they forbid. `folder` is the bundle's, `at` what of the
    /// request names it. Blocks.
    pub fn judge(&self, config: &Value, process: &Value, folder: &Path, at: &'static str) -> Vec<Breach> {
        let mut judge = Judge { config, folder, at, found: Vec::new() };
        self.namespaces(&mut judge);
        self.sources(&mut judge);
        if !self.devices {
            devices(&mut judge);
        }
        if self.masks {
            masks(&mut judge);
        }
        let filter = config.pointer("/linux/seccomp/defaultAction").and_then(Value::as_str);
        let filters = filter.is_some_and(|action| !matches!(action, "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG"));
        if !self.no_seccomp && !filters {
            judge.breaks("no-seccomp", "/linux/seccomp", "filters no system call by default");
        }
        self.process(&mut judge, process);
        judge.found
    }

    /// Whether they let root of such a container run, restored from whatever images.
    pub fn lets_root(&self, config: &Value) -> bool {
        self.root_user || host_uid(config, 0) != 0
    }

    fn process(&self, judge: &mut Judge<'_>, process: &Value) {
        let sets = process.get("capabilities").and_then(Value::as_object).into_iter().flatten();
        let mut told = BTreeSet::new();
        for (set, all) in sets {
            for name in all.as_array().into_iter().flatten() {
                let known: Option<Capability> = serde_json::from_value(name.clone()).ok();
                let allowed = known.is_some_and(|one| self.capabilities.contains(&one));
                if !allowed && told.insert(name.to_string()) {
                    let (place, name) = (format!("/process/capabilities/{set}"), name.as_str());
                    judge.breaks("capabilities", &place, &format!("has {}", name.unwrap_or_default()));
                }
            }
        }
        if !self.new_privileges && process.get("noNewPrivileges") != Some(&Value::Bool(true)) {
            judge.breaks("new-privileges", "/process/noNewPrivileges", "is not true");
        }
        let uid = process.pointer("/user/uid").and_then(Value::as_u64).unwrap_or(0);
        if !self.root_user && host_uid(judge.config, uid) == 0 {
            judge.breaks(ROOT_USER, "/process/user/uid", &format!("is {uid}, which is root of the host"));
        }
    }

    fn namespaces(&self, judge: &mut Judge<'_>) {
        use LinuxNamespaceType as T;
        let given = judge.list("/linux/namespaces");
        for (kind, name) in [(T::Pid, "pid"), (T::Network, "network"), (T::Ipc, "ipc"), (T::Uts, "uts")] {
            if !self.host_namespaces.contains(&kind) && !given.iter().any(|one| one["type"] == name) {
                judge.breaks(
                    "host-namespaces",
                    "/linux/namespaces",
                    &format!("has none of its own for {name}"),
                );
            }
        }
        for (index, one) in given.iter().enumerate() {
            let kind: Option<T> = serde_json::from_value(one["type"].clone()).ok();
            let joins = one["path"].as_str().is_some_and(|path| !path.is_empty());
            if joins && !kind.is_some_and(|kind| self.host_namespaces.contains(&kind)) {
                judge.breaks(
                    "host-namespaces",
                    &format!("/linux/namespaces/{index}/path"),
                    "joins another's",
                );
            }
        }
    }

    /// Where the container's files come from.
    fn sources(&self, judge: &mut Judge<'_>) {
        let root = judge.config.pointer("/root/path").and_then(Value::as_str).unwrap_or_default();
        let root = self.source(judge, "/root/path", root);
        for (index, mount) in judge.list("/mounts").iter().enumerate() {
            let kind = mount["type"].as_str().unwrap_or_default();
            let options: Vec<&str> =
                mount["options"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if kind == "bind" || options.iter().any(|option| matches!(*option, "bind" | "rbind")) {
                let source = mount["source"].as_str().unwrap_or_default();
                let place = format!("/mounts/{index}/source");
                let found = self.source(judge, &place, source);
                // /proc is mounted there by then, and nothing of it would be masked.
                let overlap =
                    |(found, root): (PathBuf, &PathBuf)| found.starts_with(root) || root.starts_with(&found);
                if found.zip(root.as_ref()).is_some_and(overlap) {
                    judge.breaks("mounts", &place, "shows the root filesystem a second time");
                }
            } else if !OF_ITS_OWN.contains(&kind) {
                let what = format!("is {kind}, which may show the host's files");
                judge.breaks("mounts", &format!("/mounts/{index}/type"), &what);
            }
        }
    }

    /// What is looked at now is mounted later: so it must stay what it is, but for root. Gives it, if it may
    /// be.
    fn source(&self, judge: &mut Judge<'_>, place: &str, source: &str) -> Option<PathBuf> {
        let path = judge.folder.join(source);
        match Hands::of(None).follow_to_any(&path) {
            Ok(found) => {
                let found = found.path();
                let allowed = self.mounts.iter().map(PathBuf::as_path).chain([judge.folder]);
                if is_within(found, allowed) {
                    return Some(found.to_owned());
                }
                let what = format!("leads to {}, outside of the bundle", found.display());
                judge.breaks("mounts", place, &what);
            }
            Err(error) => judge.breaks("mounts", place, &format!("is {source}: {error}")),
        }
        None
    }
}

/// Whether a path without links is in one of these folders, or is one.
pub fn is_within<'a>(path: &Path, folders: impl IntoIterator<Item = &'a Path>) -> bool {
    folders.into_iter().any(|folder| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder)))
}

/// Who a user of a container is on the host (user_namespaces(7)); whom it does not map is nobody.
fn host_uid(config: &Value, uid: u64) -> u64 {
    let has = |one: &Value| one["type"] == "user";
    let namespaces = config.pointer("/linux/namespaces").and_then(Value::as_array);
    if !namespaces.is_some_and(|all| all.iter().any(has)) {
        return uid;
    }
    let maps = config.pointer("/linux/uidMappings").and_then(Value::as_array);
    let number = |map: &Value, name: &str| map[name].as_u64().unwrap_or(0);
    let mapped = maps.into_iter().flatten().find_map(|map| {
        let offset = uid.checked_sub(number(map, "containerID"))?;
        (offset < number(map, "size")).then(|| number(map, "hostID") + offset)
    });
    mapped.unwrap_or(u64::from(u32::MAX))
}

fn devices(judge: &mut Judge<'_>) {
    for index in 0..judge.list("/linux/devices").len() {
        judge.breaks("devices", &format!("/linux/devices/{index}"), "is a device of the host's");
    }
    for (index, rule) in judge.list("/linux/resources/devices").iter().enumerate() {
        let (major, minor) = (rule["major"].as_i64(), rule["minor"].as_i64());
        let is_usual = rule["type"] == "c"
            && (major.zip(minor).is_some_and(|device| DEVICES.contains(&device)) || major == Some(TERMINALS));
        // To make the file of a device is not to use it.
        if rule["allow"] == true && !is_usual && rule["access"] != "m" {
            judge.breaks("devices", &format!("/linux/resources/devices/{index}"), "allows one of the host's");
        }
    }
}

fn masks(judge: &mut Judge<'_>) {
    for (list, wanted) in [("/linux/maskedPaths", &MASKED[..]), ("/linux/readonlyPaths", &READ_ONLY[..])] {
        let given = judge.list(list);
        let masked = judge.list("/linux/maskedPaths");
        let is_in = |all: &[Value], path: &str| all.iter().any(|one| one == path);
        let missing: Vec<&str> =
            wanted.iter().copied().filter(|path| !is_in(given, path) && !is_in(masked, path)).collect();
        if !missing.is_empty() {
            judge.breaks("masks", list, &format!("lacks {}", missing.join(", ")));
        }
    }
    for (index, mount) in judge.list("/mounts").iter().enumerate() {
        let kind = mount["type"].as_str().unwrap_or_default();
        let mut options = mount["options"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // The last one counts.
        let access = options.rfind(|option| matches!(*option, "ro" | "rw"));
        if matches!(kind, "sysfs" | "cgroup" | "cgroup2") && access != Some("ro") {
            judge.breaks("masks", &format!("/mounts/{index}/options"), &format!("lets {kind} be written to"));
        }
        let at = mount["destination"].as_str().unwrap_or_default();
        let elsewhere = |usual: &str| Path::new(at) != Path::new(usual);
        if (kind == "proc" && elsewhere("/proc")) || (kind == "sysfs" && elsewhere("/sys")) {
            let what = format!("is {at}, where nothing of {kind} is masked");
            judge.breaks("masks", &format!("/mounts/{index}/destination"), &what);
        }
    }
}

/// Where in config.json something is that a reader of the runtime spec does not know, or spells otherwise: runc takes
/// `Hooks` for `hooks`, as Go's JSON does. `known` is the same, as it was understood.
pub fn unknown(config: &Value, known: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", config, known, &mut found);
    found
}

fn compare(at: &str, config: &Value, known: &Value, found: &mut Vec<String>) {
    match (config, known) {
        (Value::Object(given), Value::Object(known)) if !OPEN.contains(&at) => {
            // To runc `Namespaces: null` takes `namespaces` away; a null beside nothing of that name is nothing.
            let takes_away =
                |key: &String| given.keys().any(|other| other != key && folded(other) == folded(key));
            for (key, value) in given.iter().filter(|(key, value)| !value.is_null() || takes_away(key)) {
                let at = below(at, key);
                match known.get(key) {
                    Some(known) => compare(&at, value, known, found),
                    None => found.push(at),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                compare(&format!("{at}/{index}"), given, known, found);
            }
        }
        _ => {}
    }
}

/// As Go's encoding/json compares keys: without regard to case, and two letters of Unicode's are an s and a k to it.
fn folded(key: &str) -> String {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    key.chars().map(fold).collect()
}

/// A config.json that is looked at.
struct Judge<'a> {
    config: &'a Value,
    folder: &'a Path,
    at: &'static str,
    found: Vec<Breach>,
}

impl<'a> Judge<'a> {
    fn list(&self, pointer: &str) -> &'a [Value] {
        self.config.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn breaks(&mut self, rule: &'static str, place: &str, what: &str) {
        self.found.push(Breach { rule, at: self.at, what: format!("config.json {place} {what}") });
    }
}

#[cfg(test)]
mod tests {
    use oci_spec::runtime::Spec;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_runtime_spec_has_is_known_and_every_other_spelling_is_not() {
        let mut config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false, "consoleSize": { "height": 1, "width": 1 },
                "user": { "uid": 1, "gid": 1, "umask": 63, "additionalGids": [5] }, "args": ["sh"], "env": ["A=1"],
                "cwd": "/", "capabilities": { "bounding": ["CAP_KILL"], "ambient": [] },
                "rlimits": [{ "type": "RLIMIT_CORE", "hard": 1, "soft": 1 }],
                "apparmorProfile": "a", "selinuxLabel": "b", "noNewPrivileges": true, "oomScoreAdj": 1,
            },
            "root": { "path": "rootfs", "readonly": true }, "hostname": "h", "domainname": "d",
            "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"] }],
            "hooks": { "createRuntime": [{ "path": "/bin/true", "args": ["true"], "env": ["A=1"], "timeout": 1 }] },
            "annotations": { "Any.Thing": "x" },
            "linux": {
                "uidMappings": [{ "containerID": 0, "hostID": 1, "size": 1 }],
                "devices": [{ "path": "/dev/x", "type": "c", "major": 1, "minor": 2, "fileMode": 438, "uid": 0, "gid": 0 }],
                "sysctl": { "net.ipv4.ip_forward": "1" }, "cgroupsPath": "/a", "rootfsPropagation": "slave",
                "resources": {
                    "pids": { "limit": 1 }, "network": { "classID": 1, "priorities": [{ "name": "e", "priority": 1 }] },
                    "hugepageLimits": [{ "pageSize": "2MB", "limit": 1 }], "unified": { "memory.high": "1" },
                    "memory": { "limit": 1, "swap": 1, "reservation": 1, "swappiness": 0, "disableOOMKiller": false },
                    "cpu": { "shares": 1, "quota": 1, "period": 1, "realtimeRuntime": 1, "cpus": "0", "mems": "0" },
                    "devices": [{ "allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw" }],
                    "blockIO": { "weight": 10, "throttleReadBpsDevice": [{ "major": 8, "minor": 0, "rate": 1 }] },
                },
                "seccomp": {
                    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
                    "syscalls": [{
                        "names": ["a"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1,
                        "args": [{ "index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_EQ" }],
                    }],
                },
                "namespaces": [{ "type": "pid" }, { "type": "network", "path": "/n" }],
                "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "l",
            },
        });
        let known = |config: &Value| {
            let spec: Spec = serde_json::from_value(config.clone()).unwrap();
            unknown(config, &serde_json::to_value(spec).unwrap())
        };
        assert_eq!(known(&config), Vec::<String>::new());
        config["Hooks"] = json!({});
        config["linux"]["seccomp"]["syscalls"][0]["Names"] = json!(["b"]);
        config["mounts"][0]["extra~/"] = json!(1);
        config["linux"]["netDevices"] = json!(null);
        assert_eq!(known(&config), ["/mounts/0/extra~0~1", "/linux/seccomp/syscalls/0/Names", "/Hooks"]);
        let mut nulled = json!({ "ociVersion": "1.0.0", "linux": { "namespaces": [{ "type": "pid" }] } });
        nulled["linux"]["Namespaces"] = Value::Null;
        assert_eq!(known(&nulled), ["/linux/Namespaces"], "to runc it is the same key");
        nulled["linux"] = json!({ "maskedPaths": [], "ma\u{17f}kedPaths": null, "Seccomp": null });
        assert_eq!(known(&nulled), ["/linux/ma\u{17f}kedPaths"], "a null of nothing is nothing");
    }

    #[test]
    fn a_user_of_a_container_is_whom_its_map_says() {
        let with =
            |maps: Value| json!({ "linux": { "namespaces": [{ "type": "user" }], "uidMappings": maps } });
        let map = json!([{ "containerID": 0, "hostID": 1000, "size": 10 }, { "containerID": 10, "hostID": 0, "size": 1 }]);
        assert_eq!(host_uid(&with(map.clone()), 3), 1003);
        assert_eq!(host_uid(&with(map.clone()), 10), 0);
        assert_eq!(host_uid(&with(map), 11), u64::from(u32::MAX));
        assert_eq!(host_uid(&json!({}), 3), 3);
    }
}
