//! Who is in a cgroup that a container is to have. What is asked of a container by its cgroup (a freeze, a limit, whose a
//! pid is) would be theirs too.

use std::fmt;
use std::time::Duration;

use super::cgroup::Cgroup;
use super::process::{Held, Stat, name_of, tree_of};

/// How often, and how far apart, it is looked whether those have ended who were about to.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(20);
/// How often it is asked whose child a process is: a parent that ends meanwhile leaves it to another.
const ASKED: u32 = 10;

/// A process that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// 0 where it is in a pid namespace that is not seen from ours (cgroups(7)).
    pid: i32,
    name: String,
}

impl fmt::Display for Occupant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            0 => out.write_str("one of another pid namespace"),
            pid => write!(out, "{pid} ({})", self.name),
        }
    }
}

/// Those who are in it or below it, have not ended, and do not come of this process.
pub fn of(place: &Cgroup, family: Option<i32>) -> Vec<Occupant> {
    let stays = |pid: &i32| {
        *pid == 0
            || (Stat::of(*pid).is_some_and(|stat| stat.is_alive())
                && !family.is_some_and(|root| descends(*pid, root)))
    };
    let occupant = |pid: i32| Occupant { pid, name: name_of(pid).unwrap_or_default() };
    place.pids().into_iter().filter(stays).map(occupant).collect()
}

/// The same, once those have ended who were killed a moment ago. Blocks, a second at most.
pub fn lasting(place: &Cgroup) -> Vec<Occupant> {
    for _ in 1..LOOKS {
        if of(place, None).is_empty() {
            return Vec::new();
        }
        std::thread::sleep(LOOK);
    }
    of(place, None)
}

/// Whether a process comes of another. Of one that has ended it does not matter.
fn descends(pid: i32, root: i32) -> bool {
    (0..ASKED).any(|_| {
        let mut next = pid;
        loop {
            match Stat::of(next).map(|stat| stat.parent) {
                Some(parent) if parent == root => return true,
                Some(0 | 1) => return false,
                Some(parent) => next = parent,
                // It was left to another just now, or has ended itself.
                None if next == pid => return true,
                None => break,
            }
        }
        false
    })
}

/// Ends all that comes of a process, and nobody else.
pub fn end_family(root: i32) {
    for pid in tree_of(root).into_iter().filter(|pid| *pid != root) {
        if let Ok(Some(held)) = Held::open(pid)
            // Asked again, now that the pid cannot be another's.
            && descends(pid, root)
        {
            let _ = held.signal(9);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_of_a_child_comes_of_a_process_and_a_stranger_does_not() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 100 & wait"]).spawn().unwrap();
        let (own, child) = (std::process::id() as i32, shell.id() as i32);
        while tree_of(child).len() < 2 {
            std::thread::yield_now();
        }
        let grandchild = tree_of(child)[1];
        assert!(descends(grandchild, child) && descends(grandchild, own) && descends(child, own));
        assert!(!descends(own, child) && !descends(child, grandchild));
        end_family(child);
        shell.wait().unwrap();
        assert!(descends(child, 1), "of one that has ended it does not matter");
    }
}
