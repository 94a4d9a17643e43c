//! What CRIU's images say of what was dumped: its processes, their descriptors and memory, its mounts.
//!
//! The messages are CRIU's own, from its `images/*.proto`, as far as they are told here; prost reads them. `crit`
//! does the same, with a Python of its own. May not know what a checkpoint of ours is.

mod image;
mod rights;
mod shape;
mod walk;

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use prost::Message;

use image::{Image, first};
pub use rights::{Rights, rights};

use super::regular::{check_folder, named};

/// No container has so many, and each is a file to be opened.
const MOST_PROCESSES: usize = 100_000;
/// So many open files, or mounts, are told of one checkpoint; and as much text with them, in bytes.
const MOST_TOLD: usize = 100_000;
const MOST_TEXT: usize = 16 * 1024 * 1024;
/// No name of a process is as long (`TASK_COMM_LEN`, of 16), in bytes.
const LONGEST_COMMAND: usize = 64;
/// What a page map counts in, in bytes; of every processor that this runs on.
const PAGE: u64 = 4096;
/// Of pages: they lie in a parent's image, and not in this one (`PE_PARENT`, `pagemap.h`).
const IN_PARENT: u32 = 1;
/// Of pages: they lie in this one (`PE_PRESENT`); older images do not say so.
const PRESENT: u32 = 4;

/// A process of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// Its pid, in its own namespace.
    pub pid: u32,
    /// Its parent's; 0 of the first.
    pub parent: u32,
    /// Its name, as `/proc/PID/comm` had it.
    pub command: String,
    /// How many threads it has.
    pub threads: usize,
}

/// An open file of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Its number.
    pub number: u32,
    /// What it is: `file`, `pipe`, `tcp`, `unix`, and so on.
    pub kind: &'static str,
    /// Which one: a path, an address, a pipe's number.
    pub what: Option<String>,
}

/// A mount of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub path: String,
    /// What of.
    pub source: String,
    /// Which folder of it.
    pub root: String,
    /// It is the host's, and its content is not in the image.
    pub external: bool,
}

/// How long a dump kept its processes frozen, and what it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// From the freezing of the first process to the thawing of the last, in microseconds.
    pub frozen_micros: u64,
    /// How much memory was written, in bytes.
    pub memory: u64,
}

/// The processes of a dump, parents first, if its images can be read to their ends and all memory that they tell of is
/// there. CRIU reads what is missing for ever, and fills the disk with its log of that.
pub fn whole(images: &Path) -> io::Result<Vec<Dumped>> {
    pages_whole(images)?;
    let processes = tree(images)?;
    walk::check(images)?;
    Ok(processes)
}

/// Whether all memory that its images tell of is there: of a dump, or of a round before it, which has nothing else.
pub fn pages_whole(images: &Path) -> io::Result<()> {
    check_folder(images)?;
    for entry in fs::read_dir(images)?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("pagemap-") {
            continue;
        }
        let Some(map) = PageMap::read(&entry.path())? else { continue };
        let pages = format!("pages-{}.img", map.pages_id);
        let found = match fs::symlink_metadata(images.join(&pages)) {
            Ok(kind) if !kind.is_file() => {
                let words = format!("{pages} is not a regular file");
                return Err(io::Error::new(io::ErrorKind::InvalidData, words));
            }
            Ok(kind) => kind.len(),
            // Nothing was written, so there is no file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(named(&pages, &error)),
        };
        if found < map.here {
            let words = format!("{pages} has {found} bytes of {}", map.here);
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
    }
    Ok(())
}

fn tree(images: &Path) -> io::Result<Vec<Dumped>> {
    let mut image = Image::open(&images.join("pstree.img"))?;
    let mut found = Vec::new();
    let mut pids = BTreeSet::new();
    while let Some(entry) = image.next::<PstreeEntry>()? {
        if entry.pid == 0 || found.len() == MOST_PROCESSES {
            return Err(image.wrong("names a process that cannot be"));
        }
        if !pids.insert(entry.pid) {
            return Err(image.wrong(&format!("names the process {} twice", entry.pid)));
        }
        let core: Option<CoreEntry> = first(&images.join(format!("core-{}.img", entry.pid)))?;
        let command = core.and_then(|core| core.task).map(|task| task.command).unwrap_or_default();
        if command.len() > LONGEST_COMMAND {
            return Err(image.wrong(&format!("names the process {}, whose name is too long", entry.pid)));
        }
        found.push(Dumped { pid: entry.pid, parent: entry.ppid, command, threads: entry.threads.len() });
    }
    Ok(found)
}

/// How much memory of a process the images hold, in bytes, and in a parent's.
pub fn memory(images: &Path, pid: u32) -> io::Result<u64> {
    match PageMap::read(&images.join(format!("pagemap-{pid}.img"))) {
        Ok(map) => Ok(map.map_or(0, |map| map.all)),
        // One that has ended and was not waited for has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// What a page map comes to.
struct PageMap {
    /// The number of the file with its pages.
    pages_id: u32,
    /// All of its memory, in bytes.
    all: u64,
    /// What of it is in that file.
    here: u64,
}

impl PageMap {
    /// None: it is empty.
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut image = Image::open(path)?;
        let Some(head) = image.next::<PagemapHead>()? else { return Ok(None) };
        let mut map = Self { pages_id: head.pages_id, all: 0, here: 0 };
        while let Some(entry) = image.next::<PagemapEntry>()? {
            let add = |sum: u64| sum.checked_add(entry.size()?);
            let absurd = || image.wrong("tells of more memory than there can be");
            map.all = add(map.all).ok_or_else(absurd)?;
            if entry.is_here() {
                map.here = add(map.here).ok_or_else(absurd)?;
            }
        }
        Ok(Some(map))
    }
}

/// The open files of each process, by its pid.
pub fn descriptors(images: &Path, processes: &[Dumped]) -> io::Result<BTreeMap<u32, Vec<Descriptor>>> {
    check_folder(images)?;
    let mut bound = Bound::default();
    // Processes may share a table of them.
    let mut tables: BTreeMap<u32, Vec<FdinfoEntry>> = BTreeMap::new();
    let mut table_of = Vec::new();
    for process in processes {
        // A zombie has none.
        let Some(ids) = first::<IdsEntry>(&images.join(format!("ids-{}.img", process.pid)))? else {
            continue;
        };
        if let btree_map::Entry::Vacant(table) = tables.entry(ids.files_id) {
            table.insert(open_files(images, ids.files_id, &mut bound)?);
        }
        table_of.push((process.pid, ids.files_id));
    }
    let wanted: BTreeSet<u32> = tables.values().flatten().map(|open| open.id).collect();
    let mut files = BTreeMap::new();
    let mut image = Image::open(&images.join("files.img"))?;
    while let Some(file) = image.next::<FileEntry>()? {
        if wanted.contains(&file.id) {
            let protocol = file.inet.as_ref().map(|socket| socket.proto);
            files.insert(file.id, (protocol, file.what()));
        }
    }
    let mut bound = Bound::default();
    let mut found = BTreeMap::new();
    for (pid, table) in table_of {
        let mut told = Vec::new();
        for open in tables.get(&table).into_iter().flatten() {
            let file = files.get(&open.id);
            let what = file.and_then(|(_, what)| what.as_deref());
            bound.admit(what.map_or(0, str::len)).map_err(|words| image.wrong(words))?;
            let kind = kind(open.kind, file.and_then(|(protocol, _)| *protocol));
            told.push(Descriptor { number: open.fd, kind, what: what.map(str::to_owned) });
        }
        found.insert(pid, told);
    }
    Ok(found)
}

/// A table of open files; none when there is no such image.
fn open_files(images: &Path, table: u32, bound: &mut Bound) -> io::Result<Vec<FdinfoEntry>> {
    let mut found = Vec::new();
    let mut image = match Image::open(&images.join(format!("fdinfo-{table}.img"))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        image => image?,
    };
    while let Some(open) = image.next()? {
        bound.admit(0).map_err(|words| image.wrong(words))?;
        found.push(open);
    }
    Ok(found)
}

/// Where a dump's processes listen for TCP.
pub fn listening(images: &Path) -> io::Result<Vec<SocketAddr>> {
    const TCP: u32 = 6;
    const LISTEN: u32 = 10;
    let mut bound = Bound::default();
    let mut found = Vec::new();
    let mut image = Image::open(&images.join("files.img"))?;
    while let Some(file) = image.next::<FileEntry>()? {
        let socket = file.inet.filter(|socket| socket.proto == TCP && socket.state == LISTEN);
        if let Some(address) = socket.and_then(|socket| address(&socket.src_addr, socket.src_port)) {
            bound.admit(0).map_err(|words| image.wrong(words))?;
            found.push(address);
        }
    }
    Ok(found)
}

/// Whether a dump's processes have sockets of the internet's protocols, which CRIU binds and connects again.
pub fn has_internet_sockets(images: &Path) -> io::Result<bool> {
    let mut image = Image::open(&images.join("files.img"))?;
    while let Some(file) = image.next::<FileEntry>()? {
        if file.inet.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The mounts of a dump, of every mount namespace in it.
pub fn mounts(images: &Path) -> io::Result<Vec<Mounted>> {
    check_folder(images)?;
    let mut bound = Bound::default();
    let mut found = Vec::new();
    for entry in fs::read_dir(images)?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("mountpoints-") {
            continue;
        }
        let mut image = Image::open(&entry.path())?;
        while let Some(mount) = image.next::<MountEntry>()? {
            let text = mount.mountpoint.len() + mount.source.len() + mount.root.len();
            bound.admit(text).map_err(|words| image.wrong(words))?;
            found.push(Mounted {
                path: format!("/{}", mount.mountpoint.trim_start_matches(['.', '/'])),
                source: mount.source,
                root: mount.root,
                external: mount.external == Some(true) || mount.external_key.is_some(),
            });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// What is told of one checkpoint, so far: each answer is put together in memory.
#[derive(Default)]
struct Bound {
    entries: usize,
    /// Of their names, in bytes.
    text: usize,
}

impl Bound {
    fn admit(&mut self, text: usize) -> Result<(), &'static str> {
        self.entries += 1;
        self.text = self.text.saturating_add(text);
        if self.entries > MOST_TOLD || self.text > MOST_TEXT {
            return Err("holds more than can be told");
        }
        Ok(())
    }
}

/// What CRIU measured, from the file `stats-dump` beside the log; an old dump may have none.
pub fn stats(file: &Path) -> Option<Stats> {
    let dump = first::<StatsEntry>(file).ok()??.dump?;
    let memory = dump.pages_written.saturating_mul(PAGE);
    Some(Stats { frozen_micros: u64::from(dump.frozen_time), memory })
}

/// `enum fd_types` of `fdinfo.proto`.
fn kind(number: i32, protocol: Option<u32>) -> &'static str {
    match number {
        1 => "file",
        2 => "pipe",
        3 => "fifo",
        4 => match protocol {
            Some(6) => "tcp",
            Some(17) => "udp",
            _ => "inet",
        },
        5 => "unix",
        6 => "eventfd",
        7 => "epoll",
        8 => "inotify",
        9 => "signalfd",
        10 => "packet",
        11 => "tty",
        12 => "fanotify",
        13 => "netlink",
        14 => "namespace",
        15 => "tun",
        17 => "timerfd",
        18 => "memfd",
        19 => "bpf",
        20 => "pidfd",
        _ => "other",
    }
}

impl FileEntry {
    /// Which file it is, for a person.
    fn what(&self) -> Option<String> {
        if let Some(file) = &self.reg {
            return Some(file.name.clone());
        }
        if let Some(pipe) = &self.pipe {
            return Some(format!("pipe {}", pipe.pipe_id));
        }
        if let Some(socket) = &self.unix {
            let name = String::from_utf8_lossy(&socket.name).replace('\0', "@");
            return (!name.is_empty()).then(|| name.trim_end_matches('@').to_owned());
        }
        let socket = self.inet.as_ref()?;
        let from = address(&socket.src_addr, socket.src_port)?;
        Some(match address(&socket.dst_addr, socket.dst_port) {
            Some(to) if socket.dst_port != 0 => format!("{from} to {to}"),
            _ => from.to_string(),
        })
    }
}

/// Words in network order, as the kernel has them.
fn address(words: &[u32], port: u32) -> Option<SocketAddr> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let port = u16::try_from(port).ok()?;
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some((four, port).into());
    }
    Some((<[u8; 16]>::try_from(bytes.as_slice()).ok()?, port).into())
}

#[derive(Clone, PartialEq, Message)]
struct PstreeEntry {
    #[prost(uint32, required, tag = "1")]
    pid: u32,
    #[prost(uint32, required, tag = "2")]
    ppid: u32,
    #[prost(uint32, repeated, packed = "false", tag = "5")]
    threads: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct CoreEntry {
    #[prost(message, optional, tag = "3")]
    task: Option<TaskCoreEntry>,
}

#[derive(Clone, PartialEq, Message)]
struct TaskCoreEntry {
    #[prost(string, required, tag = "6")]
    command: String,
}

#[derive(Clone, PartialEq, Message)]
struct IdsEntry {
    #[prost(uint32, required, tag = "2")]
    files_id: u32,
}

#[derive(Clone, PartialEq, Message)]
struct FdinfoEntry {
    #[prost(uint32, required, tag = "1")]
    id: u32,
    #[prost(int32, required, tag = "3")]
    kind: i32,
    #[prost(uint32, required, tag = "4")]
    fd: u32,
}

#[derive(Clone, PartialEq, Message)]
struct FileEntry {
    #[prost(uint32, required, tag = "2")]
    id: u32,
    #[prost(message, optional, tag = "3")]
    reg: Option<RegFileEntry>,
    #[prost(message, optional, tag = "4")]
    inet: Option<InetSkEntry>,
    #[prost(message, optional, tag = "16")]
    unix: Option<UnixSkEntry>,
    #[prost(message, optional, tag = "18")]
    pipe: Option<PipeEntry>,
}

#[derive(Clone, PartialEq, Message)]
struct RegFileEntry {
    #[prost(string, required, tag = "6")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct InetSkEntry {
    #[prost(uint32, required, tag = "5")]
    proto: u32,
    #[prost(uint32, required, tag = "6")]
    state: u32,
    #[prost(uint32, required, tag = "7")]
    src_port: u32,
    #[prost(uint32, required, tag = "8")]
    dst_port: u32,
    #[prost(uint32, repeated, packed = "false", tag = "11")]
    src_addr: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "12")]
    dst_addr: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct UnixSkEntry {
    #[prost(bytes = "vec", required, tag = "11")]
    name: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct PipeEntry {
    #[prost(uint32, required, tag = "2")]
    pipe_id: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct PagemapHead {
    #[prost(uint32, required, tag = "1")]
    pages_id: u32,
}

impl PagemapEntry {
    /// In bytes; none when no memory is so large.
    fn size(&self) -> Option<u64> {
        self.nr_pages.unwrap_or(u64::from(self.compat_nr_pages.unwrap_or(0))).checked_mul(PAGE)
    }

    /// Whether its pages lie in the file beside it.
    fn is_here(&self) -> bool {
        match self.flags {
            Some(flags) => flags & PRESENT != 0 && flags & IN_PARENT == 0,
            None => self.in_parent != Some(true),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Message)]
struct PagemapEntry {
    #[prost(uint32, optional, tag = "2")]
    compat_nr_pages: Option<u32>,
    #[prost(bool, optional, tag = "3")]
    in_parent: Option<bool>,
    #[prost(uint32, optional, tag = "4")]
    flags: Option<u32>,
    #[prost(uint64, optional, tag = "5")]
    nr_pages: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct MountEntry {
    #[prost(string, required, tag = "6")]
    root: String,
    #[prost(string, required, tag = "7")]
    mountpoint: String,
    #[prost(string, required, tag = "8")]
    source: String,
    #[prost(bool, optional, tag = "13")]
    external: Option<bool>,
    /// What a newer CRIU says instead.
    #[prost(string, optional, tag = "18")]
    external_key: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct StatsEntry {
    #[prost(message, optional, tag = "1")]
    dump: Option<DumpStatsEntry>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct DumpStatsEntry {
    #[prost(uint32, required, tag = "2")]
    frozen_time: u32,
    #[prost(uint64, required, tag = "7")]
    pages_written: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes: Vec<u8> = image::MAGICS[0].to_le_bytes().into_iter().chain([1, 2, 3, 4]).collect();
        for message in messages {
            bytes.extend(u32::try_from(message.len()).unwrap().to_le_bytes());
            bytes.extend(message);
        }
        bytes
    }

    #[test]
    fn a_tree_is_read_and_whatever_is_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |pid, ppid| PstreeEntry { pid, ppid, threads: vec![pid] }.encode_to_vec();
        let whole = file(&[entry(1, 0), entry(7, 1)]);
        fs::write(folder.path().join("pstree.img"), &whole).unwrap();
        let core = CoreEntry { task: Some(TaskCoreEntry { command: "sh".into() }) };
        fs::write(folder.path().join("core-7.img"), file(&[core.encode_to_vec()])).unwrap();
        let tree = tree(folder.path()).unwrap();
        assert_eq!((tree[0].pid, tree[1].pid, tree[1].parent, tree[1].command.as_str()), (1, 7, 1, "sh"));
        let border = whole.len() - 4 - entry(7, 1).len();
        for cut in (0..whole.len()).filter(|cut| *cut != 8 && *cut != border) {
            fs::write(folder.path().join("pstree.img"), &whole[..cut]).unwrap();
            assert!(super::tree(folder.path()).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn addresses_are_in_network_order() {
        let address = |words: &[u32]| address(words, 7).unwrap().to_string();
        assert_eq!(address(&[0x0100_007f]), "127.0.0.1:7");
        assert_eq!(address(&[0, 0, 0, 0x0100_0000]), "[::1]:7");
    }

    #[test]
    fn what_no_memory_and_no_process_can_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, messages: &[Vec<u8>]| fs::write(folder.path().join(name), file(messages)).unwrap();
        let mut entry = PstreeEntry { pid: 1, ppid: 0, threads: vec![1] }.encode_to_vec();
        entry.extend([24, 1, 32, 1]); // its group and session
        write("pstree.img", &[entry]);
        let pages =
            |nr_pages| PagemapEntry { nr_pages: Some(nr_pages), ..PagemapEntry::default() }.encode_to_vec();
        let head = PagemapHead { pages_id: 1 }.encode_to_vec();
        write("pagemap-1.img", &[head.clone(), pages(1 << 63), pages(1 << 63)]);
        assert!(whole(folder.path()).unwrap_err().to_string().contains("more memory than there can be"));
        write("pagemap-1.img", &[head.clone(), pages(1 << 51), pages(1 << 51)]);
        assert!(whole(folder.path()).unwrap_err().to_string().contains("more memory than there can be"));
        write("pagemap-1.img", &[head, Vec::new()]);
        assert!(whole(folder.path()).unwrap_err().to_string().contains("says nothing"));
        fs::remove_file(folder.path().join("pagemap-1.img")).unwrap();
        assert_eq!(whole(folder.path()).unwrap().len(), 1);
        write("pstree.img", &[PstreeEntry::default().encode_to_vec()]);
        assert!(whole(folder.path()).unwrap_err().to_string().contains("cannot be"));
    }
}
