//! Where CRIU puts what it restores, on cgroup v2. runc 1.1 leaves that to CRIU there, and that is where the dumped one was,
//! whatever the container is called; CRIU is told by a file of its own (criu(8), CRIU_CONFIG_FILE, --cgroup-root). Then it is
//! there before its memory is, so that its limits hold from the first page on, and the root of its cgroup namespace is right.

use std::fs;
use std::io;
use std::path::Path;

const FILE: &str = "criu.conf";

/// Writes in `folder` what has CRIU restore below this cgroup; gives the environment by which CRIU finds it. `None`: such a
/// path cannot be said there, and what is restored is to be moved.
pub fn configure(folder: &Path, cgroup: &str) -> io::Result<Option<(String, String)>> {
    // Blanks part words there, and a colon a controller from its path.
    if !cgroup.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-+@".contains(&byte)) {
        return Ok(None);
    }
    let file = folder.join(FILE);
    fs::write(&file, format!("cgroup-root {cgroup}\n"))?;
    Ok(Some(("CRIU_CONFIG_FILE".to_owned(), file.to_string_lossy().into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_named_once_and_one_that_cannot_be_said_is_left_to_be_moved() {
        let folder = tempfile::tempdir().unwrap();
        let (name, file) = configure(folder.path(), "/system.slice/runc-b.scope").unwrap().unwrap();
        assert_eq!(name, "CRIU_CONFIG_FILE");
        assert_eq!(fs::read_to_string(file).unwrap(), "cgroup-root /system.slice/runc-b.scope\n");
        for odd in ["/a b", "/a:b", "/a\nlog-file /etc/passwd", "/a#b", "/a\"b"] {
            assert_eq!(configure(folder.path(), odd).unwrap(), None, "{odd}");
        }
    }
}
