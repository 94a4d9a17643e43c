//! A checkpoint is made in steps: rounds of memory while the container runs on, each of what has changed since the one
//! before (`runc checkpoint --pre-dump`, `--parent-path`), and the dump. Each has a folder of images, with a link `parent`
//! to the images before it, which CRIU makes at a dump and follows at a restore.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{DUMP_LOG, IMAGE, INVENTORY};

/// How the folder of a round begins; its number follows.
pub(in crate::supervisor) const ROUND: &str = "pre-";
/// CRIU's name for the link to the images before.
pub(in crate::supervisor) const PARENT: &str = "parent";
/// As many rounds may be before a dump, by the contract.
pub(in crate::supervisor) const MOST_ROUNDS: u32 = 8;

/// One step: a round before the dump, or the dump itself.
#[derive(Debug, Clone)]
pub(in crate::supervisor) struct Step {
    /// Where its images go.
    pub(in crate::supervisor) images: PathBuf,
    /// Where its log goes.
    pub(in crate::supervisor) work: PathBuf,
    /// The images before it, from `images`.
    pub(in crate::supervisor) parent: Option<PathBuf>,
    /// Whether it is the dump.
    pub(in crate::supervisor) last: bool,
}

impl Step {
    /// CRIU's log of it.
    pub(in crate::supervisor) fn log(&self) -> PathBuf {
        self.work.join(DUMP_LOG)
    }

    /// Whether CRIU has written any images.
    pub(in crate::supervisor) fn has_images(&self) -> bool {
        self.images.join(INVENTORY).is_file()
    }
}

/// Those of the checkpoint in this folder, with so many rounds, one after the other.
pub(super) fn steps(folder: &Path, rounds: u32) -> Vec<Step> {
    let parent = |number: u32| (number > 0).then(|| Path::new("..").join(format!("{ROUND}{number}")));
    let before = (1..=rounds).map(|number| {
        let images = folder.join(format!("{ROUND}{number}"));
        Step { work: images.clone(), images, parent: parent(number - 1), last: false }
    });
    let images = folder.join(IMAGE);
    let dump = Step { images, work: folder.to_owned(), parent: parent(rounds), last: true };
    before.chain([dump]).collect()
}

/// The images of the rounds alone.
pub(super) fn rounds(folder: &Path, rounds: u32) -> Vec<PathBuf> {
    let steps = steps(folder, rounds).into_iter().filter(|step| !step.last);
    steps.map(|step| step.images).collect()
}

/// Makes CRIU's links, of one that comes from elsewhere. The rounds that came are to be as many as it says.
pub(super) fn link(folder: &Path, rounds: u32) -> io::Result<()> {
    let there = fs::read_dir(folder)?.flatten();
    let there = there.filter(|entry| entry.file_name().to_string_lossy().starts_with(ROUND)).count();
    if rounds > MOST_ROUNDS || usize::try_from(rounds).ok() != Some(there) {
        let words = format!("{there} rounds before the dump came, and it says that it has {rounds}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    for Step { images, parent, .. } in steps(folder, rounds) {
        if let Some(parent) = parent {
            std::os::unix::fs::symlink(parent, images.join(PARENT))?;
        }
    }
    Ok(())
}

/// Whether each of CRIU's links leads to the images before, and nowhere else: a restore reads memory from where they lead.
pub(super) fn check_links(folder: &Path, images: &Path, rounds: u32) -> io::Result<()> {
    for step in steps(folder, rounds) {
        // An old daemon's lie in the folder itself.
        let images = if step.last { images } else { &step.images };
        let wrong = match (fs::read_link(images.join(PARENT)), step.parent) {
            (Ok(leads), Some(parent)) if leads == parent => continue,
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => continue,
            (Ok(leads), _) => format!("leads to {}", leads.display()),
            (Err(error), _) => format!("is no link to the images before: {error}"),
        };
        let name = images.file_name().unwrap_or_default().to_string_lossy();
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name}/{PARENT} {wrong}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_the_one_before_as_its_parent() {
        let steps = steps(Path::new("/c"), 2);
        let told: Vec<String> = steps
            .iter()
            .map(|Step { images, parent, last, .. }| format!("{} {parent:?} {last}", images.display()))
            .collect();
        assert_eq!(
            told,
            ["/c/pre-1 None false", "/c/pre-2 Some(\"../pre-1\") false", "/c/image Some(\"../pre-2\") true"]
        );
    }

    #[test]
    fn rounds_that_did_not_come_are_not_linked() {
        let folder = tempfile::tempdir().unwrap();
        for name in [IMAGE, "pre-1"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert!(link(folder.path(), 0).is_err());
        assert!(link(folder.path(), 2).is_err());
        link(folder.path(), 1).unwrap();
        assert_eq!(fs::read_link(folder.path().join("image/parent")).unwrap(), Path::new("../pre-1"));
    }

    #[test]
    fn a_link_that_leads_elsewhere_or_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (image, round) = (folder.path().join(IMAGE), folder.path().join("pre-1"));
        fs::create_dir(&image).unwrap();
        fs::create_dir(&round).unwrap();
        let check = |rounds| check_links(folder.path(), &image, rounds);
        check(0).unwrap();
        assert!(check(1).unwrap_err().to_string().contains("image/parent is no link"));
        link(folder.path(), 1).unwrap();
        check(1).unwrap();
        assert!(check(0).unwrap_err().to_string().contains("image/parent leads to ../pre-1"));
        std::os::unix::fs::symlink("/etc", round.join(PARENT)).unwrap();
        assert!(check(1).unwrap_err().to_string().contains("pre-1/parent leads to /etc"));
    }
}
