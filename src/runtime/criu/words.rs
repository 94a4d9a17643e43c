//! What CRIU's and runc's failures mean to a person: the words of each, a plain sentence, and what helps. Each row is
//! provoked by a test (`tests/integration/words.rs`).

/// A failure that is understood.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// All of these are among the words.
    words: &'static [&'static str],
    /// What they mean.
    pub sentence: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn row(words: &'static [&'static str], sentence: &'static str, remedy: &'static str) -> Meaning {
    Meaning { words, sentence, remedy }
}

const CHROOTED: &str = "the first process of the container, or of a mount namespace in it, has called chroot(2), and CRIU \
                        sees not all mounts by it";
const KEEP_ROOT: &str = "let it keep the root that it is started with (root.path in config.json names another), or call \
                         chroot(2) in a child";

/// The first row that fits counts.
const TABLE: &[Meaning] = &[
    // Dumps.
    row(
        &["consider using --tcp-established"],
        "a process has an established TCP connection",
        "checkpoint with \"tcp\": true, which keeps the connection, or close it first",
    ),
    row(
        &["Consider using --ext-unix-sk"],
        "a process has a unix socket whose other end is outside the container",
        "checkpoint with \"unixSockets\": true, or let the process close it first",
    ),
    row(
        &["unix: Dangling connection"],
        "a process is connected to a unix stream socket of another network namespace, which CRIU cannot keep",
        "let the process close it first",
    ),
    row(
        &["unix: Unix socket", "without peer"],
        "a process is connected to a unix datagram socket of another network namespace, which CRIU cannot keep",
        "let the process close it first",
    ),
    row(
        &["--file-locks"],
        "a process holds a file lock",
        "checkpoint with \"fileLocks\": true, which takes the lock again at the restore",
    ),
    row(
        &["Can't get rlimit", "Operation not permitted"],
        "a process runs as a user other than root, and CRIU may not read its limits, since this host withholds \
         CAP_SYS_RESOURCE from it",
        "give the daemon CAP_SYS_RESOURCE, or run the process as root inside the container",
    ),
    row(
        &["Can't dump ghost file", "increase limit"],
        "a process has a file open that was deleted, and it is larger than CRIU puts into an image (1 MiB)",
        "let the process close it, or keep the file while it is open",
    ),
    row(
        &["Can't lookup mount", "path=/memfd:"],
        "a process has a memfd of huge pages (MFD_HUGETLB), which CRIU knows only where such a page is free",
        "have one free while the checkpoint is made (raise vm.nr_hugepages), or let the process close the memfd",
    ),
    row(
        &["Can't lookup mount"],
        "a process uses a file on a mount that the container does not have, or that its first process does not see \
         after chroot(2)",
        "let the process close it (the words name it), mount it by config.json, or call chroot(2) in a child alone",
    ),
    row(&["another root than mntns"], CHROOTED, KEEP_ROOT),
    row(&["Can't parse", "mountinfo"], CHROOTED, KEEP_ROOT),
    row(
        &["Can't dump file", "bpf-map"],
        "a process has a bpf map open, and this CRIU was built without libbpf",
        "let the process close it, or use a CRIU that was built with libbpf (--criu)",
    ),
    row(
        &["Unseizable non-zombie", "state D"],
        "a process or thread could not be stopped: it waits in the kernel, as for a disk, or in vfork(2) for its child",
        "repeat when it has come back; the words name its pid, and /proc/PID/wchan what it waits in",
    ),
    row(
        &["No space left on device"],
        "the disk with the bundle's checkpoints is full",
        "delete what is not needed any more, or mount a larger disk at BUNDLE/checkpoints",
    ),
    // Restores.
    row(
        &["on restore: No such file or directory"],
        "a file that a process had open is not there any more",
        "put it back as it was at the checkpoint; the words name it",
    ),
    row(
        &["has bad size"],
        "a file that a process had open, or its program, has changed its size since the checkpoint",
        "put it back as it was at the checkpoint; the words name it",
    ),
    row(
        &["has bad mode"],
        "a file that a process had open has other rights than at the checkpoint",
        "give it back the rights that it had; the words name it and them",
    ),
    row(
        &["agic doesn't match"],
        "an image of the checkpoint is damaged: it is not what CRIU has written",
        "delete the checkpoint; restore another one, or start the container anew",
    ),
    row(
        &["Unexpected EOF on"],
        "an image of the checkpoint is cut off or missing",
        "delete the checkpoint; restore another one, or start the container anew",
    ),
    // Starts.
    row(
        &["executable file not found in $PATH"],
        "the program is in no folder of the PATH that config.json gives the process",
        "name it by its path in process.args, or mend PATH in process.env",
    ),
    row(
        &["unable to start container process: exec: ", "no such file or directory"],
        "the program is not in the container's root filesystem",
        "mend process.args in config.json, or put the program there",
    ),
    row(
        &["unable to start container process: exec: ", "permission denied"],
        "the program may not be executed",
        "give it the right (chmod +x), or name another one in process.args",
    ),
    row(
        &["error mounting", "no such file or directory"],
        "what config.json mounts is not there",
        "make it, or take it out of mounts in config.json; the words name it",
    ),
    row(
        &["error setting rlimit", "operation not permitted"],
        "config.json raises a limit above what this host allows",
        "lower process.rlimits to the daemon's own limits, or raise those",
    ),
    row(
        &["without a private UTS namespace"],
        "config.json sets a hostname, and the container has the host's own",
        "take hostname out of config.json, or add a uts namespace",
    ),
    row(
        &["unable to apply apparmor profile"],
        "the AppArmor profile of config.json cannot be used on this host",
        "load it (apparmor_parser), or take process.apparmorProfile out",
    ),
    row(
        &["selinux is disabled or not supported"],
        "config.json has an SELinux label, and this host has no SELinux",
        "take process.selinuxLabel out of config.json",
    ),
    row(
        &["unable to set memory limit"],
        "the memory limit of config.json is less than the container needs to begin",
        "raise linux.resources.memory.limit",
    ),
    row(
        &["unable to apply cgroup configuration"],
        "a cgroup of this host does not take a limit of config.json",
        "mend linux.resources; the words name the file and what it did not take",
    ),
    row(
        &["error running hook"],
        "a hook of config.json failed",
        "run it by hand to see why, or take it out of hooks",
    ),
    row(
        &["unable to apply caps"],
        "config.json gives the process capabilities that the daemon has not",
        "take them out of process.capabilities, or give them to the daemon",
    ),
    row(
        &["fork/exec /proc/self/exe", "no such file or directory"],
        "the container's root filesystem is no longer where its bundle has it, and runc needs it there to add a process",
        "put the bundle back as it was; what runs in the container runs on meanwhile",
    ),
    row(
        &["namespace {", "does not exist"],
        "config.json asks for a namespace that this runc does not know",
        "take it out of linux.namespaces",
    ),
    row(
        &["stat /", "no such file or directory"],
        "a folder or file that the bundle names is not there any more",
        "make it again, with what was in it; the words name it",
    ),
];

/// Everything that a failure can be said to mean.
pub fn sentences() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|meaning| meaning.sentence)
}

/// What a failure means, if it is a known one.
pub fn meaning(words: &str) -> Option<&'static Meaning> {
    TABLE.iter().find(|meaning| meaning.words.iter().all(|word| words.contains(word)))
}
