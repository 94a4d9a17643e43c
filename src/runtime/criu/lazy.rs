//! The page server of a lazy restore: `criu lazy-pages` (criu(8); <https://criu.org/Lazy_migration>). It reads the pages
//! from the images and brings them to the restored processes, which CRIU hands to it through a socket in the working
//! folder; it ends with 0 when all are in.

use std::path::Path;

use crate::runtime::process::end_orphans;
use crate::runtime::program::Program;

/// The log's name, in the working folder.
pub const LOG: &str = "lazy-pages.log";
const VERB: &str = "lazy-pages";

/// The call. `work` is the restore's own working folder; once it listens it writes a byte to standard output.
pub fn page_server(criu: &Path, images: &Path, work: &Path) -> Program {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut args = vec![VERB.to_owned()];
    for (flag, value) in [
        ("--images-dir", text(images)),
        ("--work-dir", text(work)),
        ("--log-file", LOG.to_owned()),
        ("--status-fd", "1".to_owned()),
    ] {
        args.extend([flag.to_owned(), value]);
    }
    let path = "/usr/sbin:/usr/bin:/sbin:/bin".to_owned();
    Program { path: criu.to_owned(), args, env: vec![("PATH".to_owned(), path)] }
}

/// Ends the one of a working folder, if it is there. Only when nobody lives that it serves: who touches a page that has
/// not come reads zeros from then on. Blocks until it is gone, two seconds at most.
pub fn end(work: &Path) {
    end_orphans(&[VERB, &work.to_string_lossy()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_has_the_flags_of_its_man_page() {
        let call = page_server(Path::new("/criu"), Path::new("/i"), Path::new("/w"));
        assert_eq!(
            call.args.join(" "),
            "lazy-pages --images-dir /i --work-dir /w --log-file lazy-pages.log --status-fd 1"
        );
    }
}
