//! Generated types from OpenAPI specification
//!
//! This file contains all the generated types for the API.
//! Do not edit manually - regenerate using the appropriate script.
#![allow(clippy::large_enum_variant)]
#![allow(clippy::format_in_format_args)]
#![allow(clippy::let_unit_value)]
#![allow(unreachable_patterns)]
use serde::{Deserialize, Serialize};
///Versions, and what is possible here.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Version {
    ///This contract's version.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    pub criu: Component,
    pub features: Features,
    ///The kernel's release.
    pub kernel: String,
    pub runtime: Component,
    ///This daemon's version.
    pub version: String,
}
///What is possible here.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Features {
    ///The cgroup hierarchy that runc uses here: 1 (also hybrid) or 2.
    ///Constraint: minimum=1, maximum=2
    #[serde(rename = "cgroupVersion")]
    pub cgroup_version: i32,
    ///Whether containers can be checkpointed and restored.
    pub checkpoint: bool,
    ///Whether restores can have `lazyPages`: the kernel has userfaultfd, with its events of forks and mappings.
    #[serde(rename = "lazyPages")]
    pub lazy_pages: bool,
    ///Whether checkpoints can have `preDumps`: the kernel tracks which memory changes.
    #[serde(rename = "preDumps")]
    pub pre_dumps: bool,
}
///A program that the daemon stands on.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Component {
    ///Whether it was found and runs.
    pub available: bool,
    ///Where it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    ///When it is not available: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    ///Its version as it says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
///What to change; at least one of the two.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
pub struct UpdateContainer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<SignalNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TargetStatus>,
}
///The status to bring a container to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum TargetStatus {
    #[default]
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "paused")]
    Paused,
}
impl TargetStatus {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
        }
    }
}
impl ::std::fmt::Display for TargetStatus {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for TargetStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///Everything.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct State {
    ///Every container, in order of name.
    pub containers: Vec<Container>,
    pub machine: Machine,
}
///This machine's size.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Machine {
    ///How many processors the daemon may use.
    ///Constraint: minimum=1
    pub cpus: i32,
    ///Memory in bytes.
    ///Constraint: minimum=0
    pub memory: i64,
}
///What to start.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct StartContainer {
    ///The absolute path of the OCI bundle's folder on the host.
    ///Constraint: minLength=1, maxLength=4000, pattern=`^/[^\u0000]*$`
    #[serde(rename = "bundlePath")]
    pub bundle_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointName>,
    /**With `checkpoint`: go on before all memory is in; it follows by userfaultfd (`features.lazyPages` of
`GET /version`). Refused in words where that cannot be.
*/
    #[serde(rename = "lazyPages", skip_serializing_if = "Option::is_none")]
    pub lazy_pages: Option<bool>,
    /**With `restoreFrom`, when none can be restored: `start` it anew, or `leave` it stopped. Why is then in `reason`.
*/
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<StartContainerOtherwise>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartPolicy>,
    /**`latest`: what `restart` says is done from the newest checkpoint of this container that can be restored here, or one
of the two before it, instead of anew.
*/
    #[serde(rename = "restoreFrom", skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<StartContainerRestoreFrom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<CheckpointSchedule>,
    ///The same for standard error. With a terminal there is standard output alone.
    ///Constraint: minLength=1, maxLength=4000, pattern=`^/[^\u0000]*$`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /**A file on the host that gets the container's standard output too, appended; made when it is not
there. Its folder must exist.
*/
    ///Constraint: minLength=1, maxLength=4000, pattern=`^/[^\u0000]*$`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
}
impl StartContainer {
    /// Construct this request with every required wire field.
    pub fn new(bundle_path: String) -> Self {
        Self {
            bundle_path,
            checkpoint: None,
            lazy_pages: None,
            otherwise: None,
            restart: None,
            restore_from: None,
            schedule: None,
            stderr: None,
            stdout: None,
        }
    }
    /// Start a dependency-free builder with every required wire field.
    pub fn builder(bundle_path: String) -> StartContainerBuilder {
        StartContainerBuilder::new(bundle_path)
    }
}
/// Dependency-free builder for [`#struct_name`].
#[derive(Debug, Clone)]
#[must_use]
pub struct StartContainerBuilder {
    value: StartContainer,
}
impl StartContainerBuilder {
    /// Start a builder with every required wire field.
    pub fn new(bundle_path: String) -> Self {
        Self {
            value: StartContainer::new(bundle_path),
        }
    }
    #[doc = concat!("Set the optional `", "checkpoint", "` request field.")]
    #[must_use]
    pub fn checkpoint(mut self, checkpoint: CheckpointName) -> Self {
        self.value.checkpoint = Some(checkpoint);
        self
    }
    #[doc = concat!("Set the optional `", "lazyPages", "` request field.")]
    #[must_use]
    pub fn lazy_pages(mut self, lazy_pages: bool) -> Self {
        self.value.lazy_pages = Some(lazy_pages);
        self
    }
    #[doc = concat!("Set the optional `", "otherwise", "` request field.")]
    #[must_use]
    pub fn otherwise(mut self, otherwise: StartContainerOtherwise) -> Self {
        self.value.otherwise = Some(otherwise);
        self
    }
    #[doc = concat!("Set the optional `", "restart", "` request field.")]
    #[must_use]
    pub fn restart(mut self, restart: RestartPolicy) -> Self {
        self.value.restart = Some(restart);
        self
    }
    #[doc = concat!("Set the optional `", "restoreFrom", "` request field.")]
    #[must_use]
    pub fn restore_from(mut self, restore_from: StartContainerRestoreFrom) -> Self {
        self.value.restore_from = Some(restore_from);
        self
    }
    #[doc = concat!("Set the optional `", "schedule", "` request field.")]
    #[must_use]
    pub fn schedule(mut self, schedule: CheckpointSchedule) -> Self {
        self.value.schedule = Some(schedule);
        self
    }
    #[doc = concat!("Set the optional `", "stderr", "` request field.")]
    #[must_use]
    pub fn stderr(mut self, stderr: String) -> Self {
        self.value.stderr = Some(stderr);
        self
    }
    #[doc = concat!("Set the optional `", "stdout", "` request field.")]
    #[must_use]
    pub fn stdout(mut self, stdout: String) -> Self {
        self.value.stdout = Some(stdout);
        self
    }
    /// Finish building the request model.
    pub fn build(self) -> StartContainer {
        self.value
    }
}
/**`latest`: what `restart` says is done from the newest checkpoint of this container that can be restored here, or one
of the two before it, instead of anew.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum StartContainerRestoreFrom {
    #[default]
    #[serde(rename = "latest")]
    Latest,
}
impl StartContainerRestoreFrom {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Latest => "latest",
        }
    }
}
impl ::std::fmt::Display for StartContainerRestoreFrom {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for StartContainerRestoreFrom {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
/**With `restoreFrom`, when none can be restored: `start` it anew, or `leave` it stopped. Why is then in `reason`.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum StartContainerOtherwise {
    #[default]
    #[serde(rename = "start")]
    Start,
    #[serde(rename = "leave")]
    Leave,
}
impl StartContainerOtherwise {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Leave => "leave",
        }
    }
}
impl ::std::fmt::Display for StartContainerOtherwise {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for StartContainerOtherwise {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
/**When a container that has ended is started again by itself, with its bundle as it is then: after 0.1 s, after each
failure twice as long, a minute at most; ten seconds of running forget the failures. `no`. `on-failure`: when it has not
ended with status 0, with `:N` so many times in a row at most. `always` and `unless-stopped`: however it has ended. A
container that was stopped, or checkpointed with `exit`, is left alone, but by `always` once the host has restarted. A
signal is no stop. After a restart of the host, what ran then has failed.
*/
pub type RestartPolicy = String;
///The signal to send.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct SignalProcess {
    pub signal: SignalNumber,
}
/**A process of a container, running or ended. Of one that has ended its environment is left out, and arguments beyond
4 KiB are cut off at `…`; the newest 1,024 of a container are kept.
*/
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ProcessReport {
    ///The program and its arguments; left out when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    ///Its working folder as it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    ///Its environment as it was started; left out when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    ///Whether it is the container's init process.
    pub init: bool,
    ///Its pid on the host.
    ///Constraint: minimum=1
    pub pid: i32,
    pub state: ProcessState,
    ///Whether it has a terminal.
    pub terminal: bool,
    pub user: User,
}
///Whether a process runs, and how it ended.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ProcessState {
    #[serde(rename = "exitSignal", skip_serializing_if = "Option::is_none")]
    pub exit_signal: Option<SignalNumber>,
    /**Once exited: its exit code, or 128 plus the signal that ended it. Left out when it could not be known.
*/
    ///Constraint: minimum=0, maximum=255
    #[serde(rename = "exitStatus", skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    ///When it was seen to end (RFC 3339, UTC).
    #[serde(rename = "finishedAt", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    ///True when the kernel ended it for want of memory (its cgroup's `oom_kill` count).
    #[serde(rename = "oomKilled", skip_serializing_if = "Option::is_none")]
    pub oom_killed: Option<bool>,
    pub status: ProcessStatus,
}
/**`running`, also while its container is paused. `exited`: it has ended.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum ProcessStatus {
    #[default]
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "exited")]
    Exited,
}
impl ProcessStatus {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Exited => "exited",
        }
    }
}
impl ::std::fmt::Display for ProcessStatus {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for ProcessStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///What went wrong (RFC 9457).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Problem {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blockers: Option<CheckpointBlockerList>,
    ///What failed, on what, and why.
    pub detail: String,
    ///What in the request was at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ProblemItem>>,
    ///The path of the request.
    pub instance: String,
    ///Where the whole log lies on the host, if one was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    ///The log's last lines.
    #[serde(rename = "logTail", skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<Vec<String>>,
    ///Where the same log can be read from this API.
    #[serde(rename = "logUrl", skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
    ///What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    ///The HTTP status.
    ///Constraint: minimum=400, maximum=599
    pub status: i32,
    ///The kind of problem, in words.
    pub title: String,
    /**A stable name of the kind of problem: a `ProblemType`, or one that came later; no enum, so that older clients
read it too.
*/
    pub r#type: String,
}
///One fault in a request.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ProblemItem {
    ///A stable name of the fault.
    pub code: String,
    ///A JSON Pointer (RFC 6901) that begins with /body, /path, /query or /header.
    pub location: String,
    ///The fault in words.
    pub message: String,
}
///One line that a process has written.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct LogLine {
    ///True when lines before this one are lost to this reader, of either stream; then `text` is ours and says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<bool>,
    ///Whether the line goes on in the next one of its stream.
    pub partial: bool,
    ///Where it was written; a terminal is stdout.
    pub stream: LogLineStream,
    ///The line without its end; what is no UTF-8 is replaced.
    pub text: String,
    ///When it was read (RFC 3339, UTC).
    pub time: String,
}
///Where it was written; a terminal is stdout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum LogLineStream {
    #[default]
    #[serde(rename = "stdout")]
    Stdout,
    #[serde(rename = "stderr")]
    Stderr,
}
impl LogLineStream {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
impl ::std::fmt::Display for LogLineStream {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for LogLineStream {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///The daemon's health.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Health {
    ///Always `ok`.
    pub status: HealthStatus,
}
///Always `ok`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum HealthStatus {
    #[default]
    #[serde(rename = "ok")]
    Ok,
}
impl HealthStatus {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
        }
    }
}
impl ::std::fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for HealthStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///One line of the event stream.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Event {
    ///Of `checkpoint` and `progress`: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    ///Its place in the order of all events; `since` takes it.
    ///Constraint: minimum=0
    pub cursor: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ContainerId>,
    ///Of an exit: true when the kernel has killed that process, or of init any process of the container, for want of memory.
    #[serde(rename = "oomKilled", skip_serializing_if = "Option::is_none")]
    pub oom_killed: Option<bool>,
    ///The added process that this is about, if it is not the init process.
    ///Constraint: minimum=1
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    ///Of an exit: the exit code, or 128 plus the signal. Of `missed`: how many events.
    ///Constraint: minimum=0
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    ///When it happened (RFC 3339, UTC).
    pub time: String,
    ///An `EventType`, or one that came later; no enum, so that older clients read it too.
    pub r#type: String,
}
///The process to add. What is left out is what the bundle's own process has.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CreateProcess {
    ///The program and its arguments.
    ///Constraint: minItems=1
    pub args: Vec<String>,
    ///The absolute path of the working folder, in the container.
    ///Constraint: minLength=1, pattern=`^/[^\u0000]*$`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    ///The whole environment, as NAME=value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    ///Give it a terminal of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
}
impl CreateProcess {
    /// Construct this request with every required wire field.
    pub fn new(args: Vec<String>) -> Self {
        Self {
            args,
            cwd: None,
            env: None,
            terminal: None,
            user: None,
        }
    }
    /// Start a dependency-free builder with every required wire field.
    pub fn builder(args: Vec<String>) -> CreateProcessBuilder {
        CreateProcessBuilder::new(args)
    }
}
/// Dependency-free builder for [`#struct_name`].
#[derive(Debug, Clone)]
#[must_use]
pub struct CreateProcessBuilder {
    value: CreateProcess,
}
impl CreateProcessBuilder {
    /// Start a builder with every required wire field.
    pub fn new(args: Vec<String>) -> Self {
        Self {
            value: CreateProcess::new(args),
        }
    }
    #[doc = concat!("Set the optional `", "cwd", "` request field.")]
    #[must_use]
    pub fn cwd(mut self, cwd: String) -> Self {
        self.value.cwd = Some(cwd);
        self
    }
    #[doc = concat!("Set the optional `", "env", "` request field.")]
    #[must_use]
    pub fn env(mut self, env: Vec<String>) -> Self {
        self.value.env = Some(env);
        self
    }
    #[doc = concat!("Set the optional `", "terminal", "` request field.")]
    #[must_use]
    pub fn terminal(mut self, terminal: bool) -> Self {
        self.value.terminal = Some(terminal);
        self
    }
    #[doc = concat!("Set the optional `", "user", "` request field.")]
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.value.user = Some(user);
        self
    }
    /// Finish building the request model.
    pub fn build(self) -> CreateProcess {
        self.value
    }
}
///Containers in order of name.
pub type ContainerList = Vec<Container>;
///A container.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Container {
    ///The absolute path of its bundle.
    #[serde(rename = "bundlePath")]
    pub bundle_path: String,
    ///The checkpoint it was restored from, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    ///When it was started or restored (RFC 3339, UTC).
    #[serde(rename = "createdAt")]
    pub created_at: String,
    pub id: ContainerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
    ///The init process first, then those added, in order; empty when stopped.
    pub processes: Vec<Process>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    ///When it is started again by itself, as `RestartPolicy` has it; absent when never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    ///How often that was done, or tried, since somebody asked for it; absent when never.
    ///Constraint: minimum=0
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<i64>,
    ///What it goes on from then: `latest`; absent when it is started anew.
    #[serde(rename = "restoreFrom", skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<CheckpointSchedule>,
    pub state: ContainerState,
}
///A checkpoint or a restore that is under way.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Progress {
    ///How much of a checkpoint is written; of a restore that is not known.
    ///Constraint: minimum=0
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    ///The checkpoint's name.
    pub checkpoint: String,
    ///Which of the two.
    pub operation: ProgressOperation,
    ///When it began (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    ///How much there is to do, in bytes, as far as that can be known.
    ///Constraint: minimum=0
    pub total: i64,
}
///Which of the two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum ProgressOperation {
    #[default]
    #[serde(rename = "checkpoint")]
    Checkpoint,
    #[serde(rename = "restore")]
    Restore,
}
impl ProgressOperation {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Restore => "restore",
        }
    }
}
impl ::std::fmt::Display for ProgressOperation {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for ProgressOperation {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///A process of a container.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Process {
    ///The program and its arguments; left out when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    ///Its working folder as it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    ///Its environment as it was started; left out when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    ///Its pid on the host.
    ///Constraint: minimum=1
    pub pid: i32,
    ///Whether it has a terminal.
    pub terminal: bool,
    pub user: User,
}
///Who a process runs as, by the numbers inside the container.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct User {
    ///Further groups; left out when there are none.
    #[serde(rename = "additionalGids", skip_serializing_if = "Option::is_none")]
    pub additional_gids: Option<Vec<u32>>,
    ///Constraint: minimum=0, maximum=2147483647
    pub gid: u32,
    ///Constraint: minimum=0, maximum=2147483647
    pub uid: u32,
}
/**Of a container that was restored with `lazyPages`. `loading`: not all of its memory is in; what it touches is
brought at once. `loaded`: it is. `lost`: its page server died before, and the container was killed for that.
Absent when it was not restored so, or has ended before all was in.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum Pages {
    #[default]
    #[serde(rename = "loading")]
    Loading,
    #[serde(rename = "loaded")]
    Loaded,
    #[serde(rename = "lost")]
    Lost,
}
impl Pages {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Loaded => "loaded",
            Self::Lost => "lost",
        }
    }
}
impl ::std::fmt::Display for Pages {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for Pages {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///What a container is doing, and how it ended.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ContainerState {
    #[serde(rename = "exitSignal", skip_serializing_if = "Option::is_none")]
    pub exit_signal: Option<SignalNumber>,
    /**Once stopped: the exit code of the init process, or 128 plus the signal that ended it. A checkpoint with `exit`
ends it by SIGKILL, so that is 137. Left out when it could not be known.
*/
    ///Constraint: minimum=0, maximum=255
    #[serde(rename = "exitStatus", skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    ///When it was seen to end (RFC 3339, UTC).
    #[serde(rename = "finishedAt", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    ///True when the kernel killed a process of it for want of memory (its cgroup's `oom_kill` count).
    #[serde(rename = "oomKilled", skip_serializing_if = "Option::is_none")]
    pub oom_killed: Option<bool>,
    /**What else is to be said of how it came to be so, for people: `host restarted`, or what was in a restart's way.
*/
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub status: ContainerStatus,
}
///A signal's number on Linux, 1 to 64 (see signal(7)); 15 is SIGTERM, 9 is SIGKILL.
pub type SignalNumber = i32;
/**`creating`: being started or restored. `running`. `paused`: its cgroup is frozen. `checkpointing`:
being dumped, and frozen meanwhile (with `preDumps` for a moment in each round). `stopped`: its init process has ended.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum ContainerStatus {
    #[default]
    #[serde(rename = "creating")]
    Creating,
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "paused")]
    Paused,
    #[serde(rename = "checkpointing")]
    Checkpointing,
    #[serde(rename = "stopped")]
    Stopped,
}
impl ContainerStatus {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Checkpointing => "checkpointing",
            Self::Stopped => "stopped",
        }
    }
}
impl ::std::fmt::Display for ContainerStatus {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for ContainerStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///A container's name.
pub type ContainerId = String;
/**Checkpoints that are made by themselves while it runs, it running on; called `auto-`, its name and the time. One that
fails is in the daemon's log, and the next is made in its time.
*/
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CheckpointSchedule {
    ///How often, in seconds.
    ///Constraint: minimum=1, maximum=2592000
    pub every: i32,
    ///Allow file locks; the restored process holds them again.
    #[serde(rename = "fileLocks", skip_serializing_if = "Option::is_none")]
    pub file_locks: Option<bool>,
    ///How many of them are kept; the oldest goes when a newer one is whole.
    ///Constraint: minimum=1, maximum=1000
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<i32>,
    ///Allow a shell job (a terminal or session from outside).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<bool>,
    ///Allow established TCP connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<bool>,
    ///Allow unix sockets whose peer is outside.
    #[serde(rename = "unixSockets", skip_serializing_if = "Option::is_none")]
    pub unix_sockets: Option<bool>,
}
///What is in a checkpoint.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CheckpointReport {
    pub checkpoint: Checkpoint,
    ///How long its processes stood still for the dump, in microseconds, as CRIU measured it.
    ///Constraint: minimum=0
    #[serde(rename = "frozenMicros", skip_serializing_if = "Option::is_none")]
    pub frozen_micros: Option<i64>,
    ///How much memory CRIU wrote, in bytes.
    ///Constraint: minimum=0
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    ///Its mounts, by path.
    pub mounts: Vec<DumpedMount>,
    ///Each of its processes, in the same order.
    pub processes: Vec<DumpedMemory>,
}
///A mount of a dumped container.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DumpedMount {
    ///It is bound in from the host again at the restore.
    pub external: bool,
    ///Where.
    pub path: String,
    ///Which folder of that file system.
    pub root: String,
    ///What of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
///What the images hold of a process.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DumpedMemory {
    ///Its open files.
    pub descriptors: Vec<DumpedDescriptor>,
    ///Its memory in the images, in bytes.
    ///Constraint: minimum=0
    pub memory: i64,
    ///Its pid, in the container's pid namespace.
    ///Constraint: minimum=0
    pub pid: i64,
}
///An open file of a dumped process.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DumpedDescriptor {
    ///`file`, `pipe`, `fifo`, `tcp`, `udp`, `unix`, `tty`, `eventfd`, and so on.
    pub kind: String,
    ///The descriptor.
    ///Constraint: minimum=0
    pub number: i64,
    ///Which one: a path, an address, a pipe's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}
///Whether a checkpoint would succeed, and what is in its way.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CheckpointPreflight {
    pub blockers: CheckpointBlockerList,
    /**Why it would be refused though CRIU would not refuse it, or could not be restored here as things are, a sentence
each: a folder that others could change (`bundle-unsafe`), rights of a process that the bundle does not give any
more (`checkpoint-rights`). Left out when there is none.
*/
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacles: Option<Vec<String>>,
    ///Nothing was found that CRIU, or the daemon (403 `bundle-unsafe`), would refuse.
    pub possible: bool,
}
///Checkpoints, newest last.
pub type CheckpointList = Vec<Checkpoint>;
///What CRIU would refuse; the first 64.
pub type CheckpointBlockerList = Vec<CheckpointBlocker>;
///One thing that CRIU would refuse.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CheckpointBlocker {
    ///The number of the descriptor, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<i32>,
    ///A `CheckpointBlockerKind`, or one that came later; no enum, so that older clients read it too.
    pub kind: String,
    ///The process, by its pid on the host.
    pub pid: i32,
    ///Its command line; of one without, its name.
    pub process: String,
    ///What to do.
    pub remedy: String,
    ///What it is.
    pub what: String,
}
///A checkpoint of a bundle.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Checkpoint {
    ///The container it was made of; an old daemon's does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    ///The version of CRIU that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criu: Option<String>,
    ///The container was stopped by it.
    pub exit: bool,
    ///Made with file locks allowed; so is its restore.
    #[serde(rename = "fileLocks")]
    pub file_locks: bool,
    ///The kernel it was made on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    pub name: CheckpointName,
    ///Why it cannot, a sentence each. Absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacles: Option<Vec<String>>,
    ///How many rounds of memory were written before its dump; absent when none was.
    ///Constraint: minimum=1, maximum=8
    #[serde(rename = "preDumps", skip_serializing_if = "Option::is_none")]
    pub pre_dumps: Option<i32>,
    ///Its processes, parents first, with the pids of their own namespace.
    pub processes: Vec<DumpedProcess>,
    ///Whether it can be restored here, as far as can be known without trying.
    pub restorable: bool,
    ///The version of runc that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    ///Made as a shell job; so is its restore.
    pub shell: bool,
    ///What it takes on the disk, in bytes.
    ///Constraint: minimum=0
    pub size: i64,
    ///Made with established TCP connections allowed; so is its restore.
    pub tcp: bool,
    ///When it was made (RFC 3339, UTC).
    pub timestamp: String,
    ///Made with outside unix sockets allowed; so is its restore.
    #[serde(rename = "unixSockets")]
    pub unix_sockets: bool,
}
///A process in a checkpoint.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DumpedProcess {
    ///Its name, as the kernel has it (15 bytes at most).
    pub command: String,
    ///Its parent's; 0 of the first.
    ///Constraint: minimum=0
    pub parent: i64,
    ///Its pid, in the container's pid namespace.
    ///Constraint: minimum=0
    pub pid: i64,
    ///How many threads it has.
    ///Constraint: minimum=0
    pub threads: i64,
}
///A checkpoint's name.
pub type CheckpointName = String;
/**`outsideFile`: a file, folder or device on a mount that the container does not have. `unlinkedFile`: a deleted file
that is too large (over 1 MiB) or has another name still. `unixSocket`: its other end is outside. `tcpConnection`:
connected, or connecting. `unacceptedConnection`: a TCP connection that waits for accept. `socketFamily`: a
family or protocol that CRIU does not know. `netlinkData`: a netlink socket with unread data. `fileLock`: a lock or
lease. `fileWatch`: an inotify or fanotify watch of what has no path. `device`: a device that CRIU does not know.
`descriptor`: a descriptor of a kind that CRIU does not know. `ioUring`: an io_uring. `packetPipe`: a pipe in packet mode (O_DIRECT). `terminal`: a terminal whose
session is led from outside. `session`: a process that entered from outside. `sharedMemory`: System V
memory of another IPC namespace. `namespace`: a process in a namespace of its own that CRIU does not nest.
`chroot`: the first process of a mount namespace has called chroot(2). `clone`: a process that shares its memory, folders
or descriptors with another by clone(2) and is no thread of it. `vfork`: it waits in vfork(2). `tracer`: it is being traced. `stopped`: it is stopped by a signal, on a host with cgroup v1. `user`: a user other than root where CAP_SYS_RESOURCE is withheld from the daemon.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum CheckpointBlockerKind {
    #[default]
    #[serde(rename = "outsideFile")]
    OutsideFile,
    #[serde(rename = "unlinkedFile")]
    UnlinkedFile,
    #[serde(rename = "unixSocket")]
    UnixSocket,
    #[serde(rename = "tcpConnection")]
    TcpConnection,
    #[serde(rename = "unacceptedConnection")]
    UnacceptedConnection,
    #[serde(rename = "socketFamily")]
    SocketFamily,
    #[serde(rename = "netlinkData")]
    NetlinkData,
    #[serde(rename = "fileLock")]
    FileLock,
    #[serde(rename = "fileWatch")]
    FileWatch,
    #[serde(rename = "device")]
    Device,
    #[serde(rename = "descriptor")]
    Descriptor,
    #[serde(rename = "ioUring")]
    IoUring,
    #[serde(rename = "packetPipe")]
    PacketPipe,
    #[serde(rename = "terminal")]
    Terminal,
    #[serde(rename = "session")]
    Session,
    #[serde(rename = "sharedMemory")]
    SharedMemory,
    #[serde(rename = "namespace")]
    Namespace,
    #[serde(rename = "chroot")]
    Chroot,
    #[serde(rename = "clone")]
    Clone,
    #[serde(rename = "vfork")]
    Vfork,
    #[serde(rename = "tracer")]
    Tracer,
    #[serde(rename = "stopped")]
    Stopped,
    #[serde(rename = "user")]
    User,
}
impl CheckpointBlockerKind {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OutsideFile => "outsideFile",
            Self::UnlinkedFile => "unlinkedFile",
            Self::UnixSocket => "unixSocket",
            Self::TcpConnection => "tcpConnection",
            Self::UnacceptedConnection => "unacceptedConnection",
            Self::SocketFamily => "socketFamily",
            Self::NetlinkData => "netlinkData",
            Self::FileLock => "fileLock",
            Self::FileWatch => "fileWatch",
            Self::Device => "device",
            Self::Descriptor => "descriptor",
            Self::IoUring => "ioUring",
            Self::PacketPipe => "packetPipe",
            Self::Terminal => "terminal",
            Self::Session => "session",
            Self::SharedMemory => "sharedMemory",
            Self::Namespace => "namespace",
            Self::Chroot => "chroot",
            Self::Clone => "clone",
            Self::Vfork => "vfork",
            Self::Tracer => "tracer",
            Self::Stopped => "stopped",
            Self::User => "user",
        }
    }
}
impl ::std::fmt::Display for CheckpointBlockerKind {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for CheckpointBlockerKind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///An OpenAPI document.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
pub struct Contract {
    /// Additional properties not explicitly defined in the schema
    #[serde(flatten)]
    pub additional_properties: std::collections::BTreeMap<String, serde_json::Value>,
}
///How to checkpoint. Every field may be left out.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
pub struct CreateCheckpoint {
    ///Stop the container once it is dumped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<bool>,
    ///Allow file locks; the restored process holds them again.
    #[serde(rename = "fileLocks", skip_serializing_if = "Option::is_none")]
    pub file_locks: Option<bool>,
    ///So many rounds before the dump, in which memory is written while the container runs on. Left out, none.
    ///Constraint: minimum=1, maximum=8
    #[serde(rename = "preDumps", skip_serializing_if = "Option::is_none")]
    pub pre_dumps: Option<i32>,
    ///Allow a shell job (a terminal or session from outside).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<bool>,
    ///Allow established TCP connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<bool>,
    ///Allow unix sockets whose peer is outside.
    #[serde(rename = "unixSockets", skip_serializing_if = "Option::is_none")]
    pub unix_sockets: Option<bool>,
}
/**`created`: there is a container of this name, whose first start or restore has succeeded and follows; `delete`
ends it. `start`, `restore`, `pause`, `resume`, `checkpoint`, `delete`: done to the container. `exec`: a
process was added. `progress`: a checkpoint or a restore takes its time; once a second. `oom`: the kernel has
killed one process of the container, or more, for want of memory. `pagesLoaded`, `pagesLost`: what became of the
memory of a restore with `lazyPages`; behind `pagesLost` the container ends. `exit`: a process ended. `missed`: `status`
events before this one are lost to this reader.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum EventType {
    #[default]
    #[serde(rename = "created")]
    Created,
    #[serde(rename = "start")]
    Start,
    #[serde(rename = "restore")]
    Restore,
    #[serde(rename = "exec")]
    Exec,
    #[serde(rename = "pause")]
    Pause,
    #[serde(rename = "resume")]
    Resume,
    #[serde(rename = "checkpoint")]
    Checkpoint,
    #[serde(rename = "progress")]
    Progress,
    #[serde(rename = "oom")]
    Oom,
    #[serde(rename = "pagesLoaded")]
    PagesLoaded,
    #[serde(rename = "pagesLost")]
    PagesLost,
    #[serde(rename = "exit")]
    Exit,
    #[serde(rename = "delete")]
    Delete,
    #[serde(rename = "missed")]
    Missed,
}
impl EventType {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Start => "start",
            Self::Restore => "restore",
            Self::Exec => "exec",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Checkpoint => "checkpoint",
            Self::Progress => "progress",
            Self::Oom => "oom",
            Self::PagesLoaded => "pagesLoaded",
            Self::PagesLost => "pagesLost",
            Self::Exit => "exit",
            Self::Delete => "delete",
            Self::Missed => "missed",
        }
    }
}
impl ::std::fmt::Display for EventType {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for EventType {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
/**The kinds of problems, by their status; each begins with `urn:containerd-rest:problem:`.

- 400: `archive-cut-off`, `archive-unreadable`, `malformed-request`.
- 401: `bad-token`.
- 403: `bundle-unsafe`, `foreign-site`, `not-allowed`, `policy`, `read-only`.
- 404: `bundle-not-found`, `checkpoint-not-found`, `container-not-found`, `log-not-found`, `path-not-found`,
  `process-not-found`.
- 405: `method-not-allowed`.
- 408: `archive-stalled`.
- 409: `bundle-changed`, `cancelled`, `cgroup-taken`, `checkpoint-blocked`, `checkpoint-busy`,
  `checkpoint-exists`, `checkpoint-kept`, `checkpoint-not-portable`, `checkpoint-rights`, `checkpoint-unfit`,
  `feature-unavailable`, `host-conflict`, `name-taken`, `nothing-under-way`, `outcome-unknown`,
  `pages-loading`, `record-set-aside`, `wrong-state`.
- 413: `body-too-large`.
- 422: `archive-damaged`, `archive-refused`, `archive-version`, `bundle-invalid`, `idempotency-key-reused`,
  `invalid-request`.
- 429: `too-many-connections`, `too-many-streams`.
- 500: `bundle-unreadable`, `checkpoint-hidden`, `host-failed`, `internal`, `runtime-failed`, `shim-failed`,
  `shim-lost`, `storage-failed`.
- 503: `archives-busy`, `criu-unavailable`, `runtime-unavailable`, `shutting-down`, `too-many-bodies`,
  `too-many-containers`, `too-many-starts`.
- 504: `runtime-timeout`, `undying`.
- 507: `no-space`.
*/
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, Default)]
#[derive(Copy)]
pub enum ProblemType {
    #[default]
    #[serde(rename = "urn:containerd-rest:problem:archive-cut-off")]
    ArchiveCutOff,
    #[serde(rename = "urn:containerd-rest:problem:archive-unreadable")]
    ArchiveUnreadable,
    #[serde(rename = "urn:containerd-rest:problem:malformed-request")]
    MalformedRequest,
    #[serde(rename = "urn:containerd-rest:problem:bad-token")]
    BadToken,
    #[serde(rename = "urn:containerd-rest:problem:bundle-unsafe")]
    BundleUnsafe,
    #[serde(rename = "urn:containerd-rest:problem:foreign-site")]
    ForeignSite,
    #[serde(rename = "urn:containerd-rest:problem:not-allowed")]
    NotAllowed,
    #[serde(rename = "urn:containerd-rest:problem:policy")]
    Policy,
    #[serde(rename = "urn:containerd-rest:problem:read-only")]
    ReadOnly,
    #[serde(rename = "urn:containerd-rest:problem:bundle-not-found")]
    BundleNotFound,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-not-found")]
    CheckpointNotFound,
    #[serde(rename = "urn:containerd-rest:problem:container-not-found")]
    ContainerNotFound,
    #[serde(rename = "urn:containerd-rest:problem:log-not-found")]
    LogNotFound,
    #[serde(rename = "urn:containerd-rest:problem:path-not-found")]
    PathNotFound,
    #[serde(rename = "urn:containerd-rest:problem:process-not-found")]
    ProcessNotFound,
    #[serde(rename = "urn:containerd-rest:problem:method-not-allowed")]
    MethodNotAllowed,
    #[serde(rename = "urn:containerd-rest:problem:archive-stalled")]
    ArchiveStalled,
    #[serde(rename = "urn:containerd-rest:problem:bundle-changed")]
    BundleChanged,
    #[serde(rename = "urn:containerd-rest:problem:cancelled")]
    Cancelled,
    #[serde(rename = "urn:containerd-rest:problem:cgroup-taken")]
    CgroupTaken,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-blocked")]
    CheckpointBlocked,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-busy")]
    CheckpointBusy,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-exists")]
    CheckpointExists,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-kept")]
    CheckpointKept,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-not-portable")]
    CheckpointNotPortable,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-rights")]
    CheckpointRights,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-unfit")]
    CheckpointUnfit,
    #[serde(rename = "urn:containerd-rest:problem:feature-unavailable")]
    FeatureUnavailable,
    #[serde(rename = "urn:containerd-rest:problem:host-conflict")]
    HostConflict,
    #[serde(rename = "urn:containerd-rest:problem:name-taken")]
    NameTaken,
    #[serde(rename = "urn:containerd-rest:problem:nothing-under-way")]
    NothingUnderWay,
    #[serde(rename = "urn:containerd-rest:problem:outcome-unknown")]
    OutcomeUnknown,
    #[serde(rename = "urn:containerd-rest:problem:pages-loading")]
    PagesLoading,
    #[serde(rename = "urn:containerd-rest:problem:record-set-aside")]
    RecordSetAside,
    #[serde(rename = "urn:containerd-rest:problem:wrong-state")]
    WrongState,
    #[serde(rename = "urn:containerd-rest:problem:body-too-large")]
    BodyTooLarge,
    #[serde(rename = "urn:containerd-rest:problem:archive-damaged")]
    ArchiveDamaged,
    #[serde(rename = "urn:containerd-rest:problem:archive-refused")]
    ArchiveRefused,
    #[serde(rename = "urn:containerd-rest:problem:archive-version")]
    ArchiveVersion,
    #[serde(rename = "urn:containerd-rest:problem:bundle-invalid")]
    BundleInvalid,
    #[serde(rename = "urn:containerd-rest:problem:idempotency-key-reused")]
    IdempotencyKeyReused,
    #[serde(rename = "urn:containerd-rest:problem:invalid-request")]
    InvalidRequest,
    #[serde(rename = "urn:containerd-rest:problem:too-many-connections")]
    TooManyConnections,
    #[serde(rename = "urn:containerd-rest:problem:too-many-streams")]
    TooManyStreams,
    #[serde(rename = "urn:containerd-rest:problem:bundle-unreadable")]
    BundleUnreadable,
    #[serde(rename = "urn:containerd-rest:problem:checkpoint-hidden")]
    CheckpointHidden,
    #[serde(rename = "urn:containerd-rest:problem:host-failed")]
    HostFailed,
    #[serde(rename = "urn:containerd-rest:problem:internal")]
    Internal,
    #[serde(rename = "urn:containerd-rest:problem:runtime-failed")]
    RuntimeFailed,
    #[serde(rename = "urn:containerd-rest:problem:shim-failed")]
    ShimFailed,
    #[serde(rename = "urn:containerd-rest:problem:shim-lost")]
    ShimLost,
    #[serde(rename = "urn:containerd-rest:problem:storage-failed")]
    StorageFailed,
    #[serde(rename = "urn:containerd-rest:problem:archives-busy")]
    ArchivesBusy,
    #[serde(rename = "urn:containerd-rest:problem:criu-unavailable")]
    CriuUnavailable,
    #[serde(rename = "urn:containerd-rest:problem:runtime-unavailable")]
    RuntimeUnavailable,
    #[serde(rename = "urn:containerd-rest:problem:shutting-down")]
    ShuttingDown,
    #[serde(rename = "urn:containerd-rest:problem:too-many-bodies")]
    TooManyBodies,
    #[serde(rename = "urn:containerd-rest:problem:too-many-containers")]
    TooManyContainers,
    #[serde(rename = "urn:containerd-rest:problem:too-many-starts")]
    TooManyStarts,
    #[serde(rename = "urn:containerd-rest:problem:runtime-timeout")]
    RuntimeTimeout,
    #[serde(rename = "urn:containerd-rest:problem:undying")]
    Undying,
    #[serde(rename = "urn:containerd-rest:problem:no-space")]
    NoSpace,
}
impl ProblemType {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ArchiveCutOff => "urn:containerd-rest:problem:archive-cut-off",
            Self::ArchiveUnreadable => "urn:containerd-rest:problem:archive-unreadable",
            Self::MalformedRequest => "urn:containerd-rest:problem:malformed-request",
            Self::BadToken => "urn:containerd-rest:problem:bad-token",
            Self::BundleUnsafe => "urn:containerd-rest:problem:bundle-unsafe",
            Self::ForeignSite => "urn:containerd-rest:problem:foreign-site",
            Self::NotAllowed => "urn:containerd-rest:problem:not-allowed",
            Self::Policy => "urn:containerd-rest:problem:policy",
            Self::ReadOnly => "urn:containerd-rest:problem:read-only",
            Self::BundleNotFound => "urn:containerd-rest:problem:bundle-not-found",
            Self::CheckpointNotFound => {
                "urn:containerd-rest:problem:checkpoint-not-found"
            }
            Self::ContainerNotFound => "urn:containerd-rest:problem:container-not-found",
            Self::LogNotFound => "urn:containerd-rest:problem:log-not-found",
            Self::PathNotFound => "urn:containerd-rest:problem:path-not-found",
            Self::ProcessNotFound => "urn:containerd-rest:problem:process-not-found",
            Self::MethodNotAllowed => "urn:containerd-rest:problem:method-not-allowed",
            Self::ArchiveStalled => "urn:containerd-rest:problem:archive-stalled",
            Self::BundleChanged => "urn:containerd-rest:problem:bundle-changed",
            Self::Cancelled => "urn:containerd-rest:problem:cancelled",
            Self::CgroupTaken => "urn:containerd-rest:problem:cgroup-taken",
            Self::CheckpointBlocked => "urn:containerd-rest:problem:checkpoint-blocked",
            Self::CheckpointBusy => "urn:containerd-rest:problem:checkpoint-busy",
            Self::CheckpointExists => "urn:containerd-rest:problem:checkpoint-exists",
            Self::CheckpointKept => "urn:containerd-rest:problem:checkpoint-kept",
            Self::CheckpointNotPortable => {
                "urn:containerd-rest:problem:checkpoint-not-portable"
            }
            Self::CheckpointRights => "urn:containerd-rest:problem:checkpoint-rights",
            Self::CheckpointUnfit => "urn:containerd-rest:problem:checkpoint-unfit",
            Self::FeatureUnavailable => "urn:containerd-rest:problem:feature-unavailable",
            Self::HostConflict => "urn:containerd-rest:problem:host-conflict",
            Self::NameTaken => "urn:containerd-rest:problem:name-taken",
            Self::NothingUnderWay => "urn:containerd-rest:problem:nothing-under-way",
            Self::OutcomeUnknown => "urn:containerd-rest:problem:outcome-unknown",
            Self::PagesLoading => "urn:containerd-rest:problem:pages-loading",
            Self::RecordSetAside => "urn:containerd-rest:problem:record-set-aside",
            Self::WrongState => "urn:containerd-rest:problem:wrong-state",
            Self::BodyTooLarge => "urn:containerd-rest:problem:body-too-large",
            Self::ArchiveDamaged => "urn:containerd-rest:problem:archive-damaged",
            Self::ArchiveRefused => "urn:containerd-rest:problem:archive-refused",
            Self::ArchiveVersion => "urn:containerd-rest:problem:archive-version",
            Self::BundleInvalid => "urn:containerd-rest:problem:bundle-invalid",
            Self::IdempotencyKeyReused => {
                "urn:containerd-rest:problem:idempotency-key-reused"
            }
            Self::InvalidRequest => "urn:containerd-rest:problem:invalid-request",
            Self::TooManyConnections => {
                "urn:containerd-rest:problem:too-many-connections"
            }
            Self::TooManyStreams => "urn:containerd-rest:problem:too-many-streams",
            Self::BundleUnreadable => "urn:containerd-rest:problem:bundle-unreadable",
            Self::CheckpointHidden => "urn:containerd-rest:problem:checkpoint-hidden",
            Self::HostFailed => "urn:containerd-rest:problem:host-failed",
            Self::Internal => "urn:containerd-rest:problem:internal",
            Self::RuntimeFailed => "urn:containerd-rest:problem:runtime-failed",
            Self::ShimFailed => "urn:containerd-rest:problem:shim-failed",
            Self::ShimLost => "urn:containerd-rest:problem:shim-lost",
            Self::StorageFailed => "urn:containerd-rest:problem:storage-failed",
            Self::ArchivesBusy => "urn:containerd-rest:problem:archives-busy",
            Self::CriuUnavailable => "urn:containerd-rest:problem:criu-unavailable",
            Self::RuntimeUnavailable => "urn:containerd-rest:problem:runtime-unavailable",
            Self::ShuttingDown => "urn:containerd-rest:problem:shutting-down",
            Self::TooManyBodies => "urn:containerd-rest:problem:too-many-bodies",
            Self::TooManyContainers => "urn:containerd-rest:problem:too-many-containers",
            Self::TooManyStarts => "urn:containerd-rest:problem:too-many-starts",
            Self::RuntimeTimeout => "urn:containerd-rest:problem:runtime-timeout",
            Self::Undying => "urn:containerd-rest:problem:undying",
            Self::NoSpace => "urn:containerd-rest:problem:no-space",
        }
    }
}
impl ::std::fmt::Display for ProblemType {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl AsRef<str> for ProblemType {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
///How to stop. Every field may be left out.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
pub struct StopContainer {
    ///The signal that asks it to end.
    ///Constraint: minimum=1, maximum=64
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    ///How long to wait for its end before SIGKILL, in seconds.
    ///Constraint: minimum=0, maximum=3600
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i32>,
}
