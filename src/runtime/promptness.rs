//! Being run at once when there is something to do, for those who have little of it.
//!
//! What supervises waits nearly always, and then has work for a tenth of a millisecond, on which somebody waits. Among
//! runtimes and containers that take all the time they can get, it would wait for the rest of their slices each time. The
//! scheduler lets who asks for shorter slices go first, and gives them no more in all (sched(7), EEVDF; before Linux 6.12
//! it does not listen). What is started from here begins with what is usual.

use std::mem::size_of;

use nix::libc;

/// The shortest slice that the kernel grants, in nanoseconds.
const SLICE: u64 = 100_000;

/// As sched_setattr(2) has it, its first version.
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for it, for the calling thread. Where it is not granted all goes on as before, less promptly.
pub fn be_prompt() {
    // SAFETY: getpriority(2) takes numbers and gives one; 0 is the calling thread.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        flags: libc::SCHED_FLAG_RESET_ON_FORK as u64,
        nice,
        priority: 0,
        runtime: SLICE,
        deadline: 0,
        period: 0,
    };
    // SAFETY: the kernel reads as many bytes as `size` says, which are all of a structure that is ours.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slice_of_a_thread_is_short_and_that_of_who_is_started_by_it_is_not() {
        // Kernels before 6.12 have no slices of a thread's own, and say nothing of them.
        let slice = |pid: &str| {
            let text =
                std::fs::read_to_string(format!("/proc/{pid}/sched")).expect("what the scheduler says");
            let line = text.lines().find(|line| line.starts_with("se.slice"))?;
            Some(line.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok()).expect("a number"))
        };
        std::thread::spawn(move || {
            let usual = slice("thread-self");
            be_prompt();
            assert_eq!(slice("thread-self"), usual.map(|_| SLICE));
            let mut child = std::process::Command::new("sleep").arg("10").spawn().expect("started");
            assert_eq!(slice(&child.id().to_string()), usual);
            child.kill().expect("killed");
            child.wait().expect("reaped");
        })
        .join()
        .expect("as said");
    }
}
