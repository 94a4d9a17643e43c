//! What CRIU would refuse to dump, found by looking and before anything is touched: each with its process, its
//! descriptor, and what to do. The rules are CRIU's own (4.2; the functions are named beside them), and each is held by
//! an integration test in which real CRIU does refuse. What the look cannot tell for sure is left to CRIU.
//!
//! Looks at the tree below the init process, as CRIU does: what was added from outside is not dumped, so nothing of
//! it is in the way. A process that ends meanwhile is passed over. Blocks: /proc is read. May not know the
//! daemon's containers, and changes nothing.

mod files;
mod pipes;
mod process;
mod rights;
mod roots;
mod shared;
mod sockets;
mod tree;
mod unix;
mod watches;

pub use rights::rights;

use super::options::CriuOptions;
use files::Files;
use tree::{Member, Tree};

/// As many are told; of a server with ten thousand connections these are enough.
const MOST: usize = 64;
/// The longest of a command, in characters.
const COMMAND: usize = 128;
/// The longest of a sentence that has a path in it, in characters.
const WORDS: usize = 512;

/// The kinds of what CRIU refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file, folder or device on a mount that the container does not have.
    OutsideFile,
    /// A deleted file that is too large, or has another name still.
    UnlinkedFile,
    /// A unix socket whose other end is outside.
    UnixSocket,
    /// A TCP socket that is connected, or connecting.
    TcpConnection,
    /// A TCP connection that waits for accept.
    UnacceptedConnection,
    /// A socket of a family or protocol that CRIU does not know.
    SocketFamily,
    /// A netlink socket with unread data.
    NetlinkData,
    /// A lock or lease.
    FileLock,
    /// A watch of what has no path.
    FileWatch,
    /// A device that CRIU does not know.
    Device,
    /// A descriptor of a kind that CRIU does not know.
    Descriptor,
    /// An io_uring.
    IoUring,
    /// A pipe in packet mode.
    PacketPipe,
    /// A terminal whose session is led from outside.
    Terminal,
    /// A process that entered from outside.
    Session,
    /// System V memory of another IPC namespace.
    SharedMemory,
    /// A process in a namespace of its own that CRIU does not nest.
    Namespace,
    /// Its root folder is not that of its mount namespace.
    Chroot,
    /// A process that shares with another what CRIU dumps for each.
    Clone,
    /// It waits in vfork(2).
    Vfork,
    /// It is being traced.
    Tracer,
    /// It is stopped by a signal, where CRIU then hangs.
    Stopped,
    /// A user other than root where CAP_SYS_RESOURCE is withheld.
    User,
}

/// One thing that CRIU would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its kind.
    pub kind: Kind,
    /// The process, by its pid on the host.
    pub pid: i32,
    /// Its command line.
    pub process: String,
    /// The descriptor, if it is one.
    pub descriptor: Option<i32>,
    /// What it is, in plain words.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// What a dump of the tree below this process with these options would be refused for; the first [`MOST`].
pub fn check(init: i32, wanted: CriuOptions) -> Vec<Blocker> {
    super::process::await_program(init);
    let tree = Tree::read(init);
    let mut found = Findings::default();
    let chrooted = roots::check(&tree, &mut found);
    let mut files = Files::new(&tree, wanted, chrooted);
    for member in &tree.members {
        process::check(&tree, member, &mut found);
        files.check(member, &mut found);
    }
    files.check_terminals(&tree, &mut found);
    watches::check(&files, &mut found);
    sockets::check(&files.sockets, wanted, &mut found);
    shared::check(&tree, &mut found);
    // One that ended while it was looked at is in nobody's way.
    found
        .0
        .retain(|blocker| tree.members.iter().any(|member| member.pid == blocker.pid && member.is_alive()));
    found.0
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Blocker>);

impl Findings {
    fn add(
        &mut self,
        member: &Member,
        kind: Kind,
        descriptor: Option<i32>,
        what: impl Into<String>,
        remedy: &str,
    ) {
        if self.0.len() < MOST {
            self.0.push(Blocker {
                kind,
                pid: member.pid,
                process: shortened(&member.command(), COMMAND),
                descriptor,
                what: shortened(&what.into(), WORDS),
                remedy: remedy.to_owned(),
            });
        }
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("éléphant", 3), "élé…");
    }

    #[test]
    fn a_process_that_is_not_there_blocks_nothing() {
        assert_eq!(check(i32::MAX, CriuOptions::default()), Vec::new());
    }
}
