//! What fuzzers feed: each way by which bytes of others come in, or bytes that lay on a disk meanwhile. Each takes any
//! bytes, and is not to panic, to hang, to take memory without bound, nor to touch anything but its own folder. In no
//! release: feature `fuzzing`.

mod disk;
pub(crate) mod request;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A target takes bytes, and says whether they meant something to it.
pub type Target = fn(&[u8]) -> bool;

/// By their names, which are those of their corpora below `tests/fuzz/corpus`.
pub const TARGETS: [(&str, Target); 7] = [
    ("request", request::feed),
    ("ipc", disk::ipc),
    ("records", disk::records),
    ("bundle", disk::bundle),
    ("words", disk::words),
    ("images", disk::images),
    ("archive", crate::supervisor::fuzz_archive),
];

/// A folder of this process alone. It stays when the process is killed, so whoever runs fuzzers says by TMPDIR where.
pub(crate) static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("containerd-rest-fuzz.{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
});

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What once went wrong does not again; and a corpus knows both sides of its target.
    #[test]
    fn the_corpora_are_fed() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
        for (name, feed) in TARGETS {
            let mut entries: Vec<_> =
                fs::read_dir(corpora.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort();
            let meant = entries.iter().filter(|entry| feed(&fs::read(entry).unwrap())).count();
            assert!(
                0 < meant && meant < entries.len(),
                "{name}: {meant} of {} mean something",
                entries.len()
            );
        }
        let _ = fs::remove_dir_all(&*FOLDER);
    }
}
