//! Every image of a dump that holds messages, read from its beginning to its end, as CRIU will. What it is that is
//! written there is not looked at; other images (memory, archives, the output of `ip` and `iptables`) are passed over,
//! and so are those that are not known.

use std::fs;
use std::io;
use std::path::Path;

use super::image::Image;
use super::shape::{self, Shape};

/// What lies in an image behind each message.
enum Behind {
    /// The next message.
    Message,
    /// As many bytes as these fields of it say, then the next message.
    Data(&'static [u32]),
    /// Bytes of whatever kind, to the end.
    Rest,
}

/// The images, by how their names begin (`imgset_template` of CRIU's `image-desc.c`); `pagemap-` is read with the memory.
const KNOWN: &[(&str, Shape, Behind)] = &[
    ("inventory.", shape::INVENTORY, Behind::Message),
    ("pstree.", shape::PSTREE, Behind::Message),
    ("core-", shape::CORE, Behind::Message),
    ("ids-", shape::IDS, Behind::Message),
    ("mm-", shape::MM, Behind::Message),
    ("fs-", shape::FS, Behind::Message),
    ("fdinfo-", shape::FDINFO, Behind::Message),
    ("files.", shape::FILE, Behind::Message),
    ("mountpoints-", shape::MOUNT, Behind::Message),
    ("utsns-", shape::UTS, Behind::Message),
    ("ipcns-var-", shape::ANY, Behind::Message),
    ("timens-", shape::ANY, Behind::Message),
    ("pidns-", shape::ANY, Behind::Message),
    ("userns-", shape::ANY, Behind::Message),
    ("netns-", shape::ANY, Behind::Message),
    ("netdev-", shape::ANY, Behind::Message),
    ("cgroup.", shape::ANY, Behind::Message),
    ("seccomp.", shape::ANY, Behind::Message),
    ("apparmor.", shape::ANY, Behind::Message),
    ("remap-fpath.", shape::ANY, Behind::Message),
    ("memfd.", shape::ANY, Behind::Message),
    ("filelocks.", shape::ANY, Behind::Message),
    ("tty-info.", shape::ANY, Behind::Message),
    ("tty-data.", shape::ANY, Behind::Message),
    ("pipes-data.", shape::PIPE_DATA, Behind::Data(&[2])),
    ("fifo-data.", shape::PIPE_DATA, Behind::Data(&[2])),
    ("sk-queues.", shape::PACKET, Behind::Data(&[2])),
    ("tcp-stream-", shape::TCP_STREAM, Behind::Data(&[1, 3])),
    ("ghost-file-", shape::ANY, Behind::Rest),
    ("ipcns-shm-", shape::ANY, Behind::Rest),
    ("ipcns-sem-", shape::ANY, Behind::Rest),
    ("ipcns-msg-", shape::ANY, Behind::Rest),
];

/// Reads all of them; the first that CRIU could not read is the error.
pub(super) fn check(images: &Path) -> io::Result<()> {
    for entry in fs::read_dir(images)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let known = KNOWN.iter().find(|(begin, ..)| name.starts_with(begin) && name.ends_with(".img"));
        if let Some((_, shape, behind)) = known {
            walk(&entry.path(), shape, behind)?;
        }
    }
    Ok(())
}

fn walk(path: &Path, shape: &Shape, behind: &Behind) -> io::Result<()> {
    let mut image = match behind {
        Behind::Message => Image::open(path)?,
        Behind::Data(_) | Behind::Rest => Image::open_with_data(path)?,
    };
    let mut count = 0_u64;
    while let Some(message) = image.message()? {
        count += 1;
        if !shape.fits(&message) {
            return Err(image.wrong(&format!("cannot be read: its message {count} is none of CRIU's")));
        }
        match behind {
            Behind::Message => {}
            Behind::Data(fields) => {
                let lengths = fields.iter().map(|field| shape::number(&message, *field).unwrap_or(0));
                image.skip(lengths.fold(0, u64::saturating_add))?;
            }
            Behind::Rest => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::image::MAGICS;
    use super::*;

    fn image(parts: &[&[u8]]) -> Vec<u8> {
        [&MAGICS[0].to_le_bytes(), &[1, 2, 3, 4][..]]
            .into_iter()
            .chain(parts.iter().copied())
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn data_between_messages_is_passed_over_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipes-data.img");
        let head: &[u8] = &[4, 0, 0, 0, 8, 1, 16, 3];
        fs::write(&path, image(&[head, b"abc", head, b"abc"])).unwrap();
        check(folder.path()).unwrap();
        fs::write(&path, image(&[head, b"abc", head, b"ab"])).unwrap();
        assert_eq!(check(folder.path()).unwrap_err().to_string(), "pipes-data.img is cut off");
        fs::write(&path, image(&[head, b"ab", head, b"abc"])).unwrap();
        check(folder.path()).unwrap_err();
    }

    #[test]
    fn images_that_are_not_known_or_hold_something_else_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pages-1.img", "tmpfs-dev-70.tar.gz.img", "route-9.img", "new-kind.img", "mm-1.tmp"] {
            fs::write(folder.path().join(name), "whatever").unwrap();
        }
        fs::write(folder.path().join("ghost-file-1.img"), image(&[&[2, 0, 0, 0, 8, 1], &[0xff; 9]])).unwrap();
        check(folder.path()).unwrap();
        fs::write(folder.path().join("mm-1.img"), image(&[&[2, 0, 0, 0, 8, 1]])).unwrap();
        let said = check(folder.path()).unwrap_err().to_string();
        assert_eq!(said, "mm-1.img cannot be read: its message 1 is none of CRIU's");
    }
}
