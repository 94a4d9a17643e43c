//! Pipes in packet mode (pipe2(2), O_DIRECT). CRIU: dump_one_pipe, "The packetized mode for pipes is not supported yet".

use nix::libc;

use super::tree::Member;
use super::{Findings, Kind};

pub(super) fn check(member: &Member, fd: i32, fdinfo: &str, found: &mut Findings) {
    if is_packets(fdinfo) {
        let what = "a pipe in packet mode (O_DIRECT), which CRIU cannot dump";
        let remedy = "let the program use a plain pipe or a socket pair (SOCK_SEQPACKET), or close it before the checkpoint";
        found.add(member, Kind::PacketPipe, Some(fd), what, remedy);
    }
}

/// proc_pid_fdinfo(5) tells an open file's flags in octal.
fn is_packets(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_DIRECT != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_mode_is_read_from_the_flags() {
        assert!(is_packets(&format!(
            "pos:\t0\nflags:\t{:o}\nmnt_id:\t15\n",
            libc::O_DIRECT | libc::O_WRONLY
        )));
        assert!(!is_packets("pos:\t0\nflags:\t02000001\nmnt_id:\t15\n"));
        assert!(!is_packets(""));
    }
}
