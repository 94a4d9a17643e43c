//! How many connections there are, and whose. One more is never refused for the sake of one of which nothing is asked: that
//! one goes, the one that has been so for longest first. What was asked by somebody who is served is never cut off for another.
//! Of all of them a part is root's alone, so that nobody else can keep root out. Knows nothing of HTTP.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Limits;

/// So many more are let in to be told that they are too many; who comes then is told nothing.
const TOLD: usize = 64;

/// Whose a connection is, as far as the kernel knows before anything is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Root's, or the daemon's own user's.
    Root,
    /// Another's.
    User(u32),
    /// Of another host, by its address.
    Host(IpAddr),
    /// Nobody's that is known.
    Nobody,
}

/// Why somebody has to wait for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("you have {0} connections, each with something under way; more are not served")]
    Own(usize),
    #[error("there are {0} connections, each with something under way; more are not served")]
    All(usize),
}

/// The connections; clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    most_per_user: usize,
    turn: AtomicU64,
    table: Mutex<Table>,
}

/// Thousands come in a moment, and those who are in ask all the while: nothing here takes longer the more there are.
#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Open>,
    of: HashMap<Whose, Theirs>,
    told: usize,
}

#[derive(Debug)]
struct Open {
    whose: Whose,
    /// How much of it is under way.
    held: usize,
    /// The turn in which nothing was any more.
    since: u64,
    leave: oneshot::Sender<()>,
}

/// All of somebody's.
#[derive(Debug, Default)]
struct Theirs {
    count: usize,
    /// Those of which nothing is asked, by the turn since when, and number.
    idle: BTreeSet<(u64, u64)>,
}

/// Of one connection, whether it has its place still or not.
#[derive(Debug, Default)]
struct Use {
    held: AtomicUsize,
    asked: AtomicBool,
}

/// A connection's place; dropped with it.
#[derive(Debug)]
pub(super) struct Slot {
    gate: Gate,
    number: u64,
    use_of: Arc<Use>,
    /// It is served only to be told this.
    pub(super) full: Option<Full>,
}

/// While it is there something is under way on a connection.
#[derive(Debug)]
pub(super) struct Hold(Arc<Slot>);

impl Gate {
    /// With these limits.
    pub(super) fn new(limits: &Limits) -> Self {
        let (most, most_per_user) = (limits.connections, limits.connections_per_user);
        Self(Arc::new(Shared { most, most_per_user, turn: AtomicU64::new(0), table: Mutex::default() }))
    }

    /// A panic elsewhere leaves the table as it was: whole.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_turn(&self) -> u64 {
        self.0.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// A place for one more connection, and what tells it to make room for another. `None`: there are too many to tell.
    pub(super) fn admit(&self, whose: Whose) -> Option<(Slot, oneshot::Receiver<()>)> {
        let (leave, told) = oneshot::channel();
        let number = self.next_turn();
        let mut table = self.lock();
        let full = table.make_room(whose, &self.0).err();
        if full.is_none() {
            table.enter(number, Open { whose, held: 0, since: number, leave });
        } else if table.told < TOLD {
            table.told += 1;
        } else {
            return None;
        }
        drop(table);
        Some((Slot { gate: self.clone(), number, use_of: Arc::default(), full }, told))
    }
}

impl Table {
    fn enter(&mut self, number: u64, one: Open) {
        let theirs = self.of.entry(one.whose).or_default();
        theirs.count += 1;
        theirs.idle.insert((one.since, number));
        self.open.insert(number, one);
    }

    fn leave(&mut self, number: u64) -> Option<Open> {
        let gone = self.open.remove(&number)?;
        if let Some(theirs) = self.of.get_mut(&gone.whose) {
            theirs.count -= 1;
            theirs.idle.remove(&(gone.since, number));
            if theirs.count == 0 {
                self.of.remove(&gone.whose);
            }
        }
        Some(gone)
    }

    /// Something is under way on it.
    fn hold(&mut self, number: u64) {
        let Some(one) = self.open.get_mut(&number) else { return };
        one.held += 1;
        if let Some(theirs) = self.of.get_mut(&one.whose) {
            theirs.idle.remove(&(one.since, number));
        }
    }

    /// One thing less, in this turn.
    fn let_go(&mut self, number: u64, turn: u64) {
        let Some(one) = self.open.get_mut(&number) else { return };
        one.held -= 1;
        if one.held == 0
            && let Some(theirs) = self.of.get_mut(&one.whose)
        {
            one.since = turn;
            theirs.idle.insert((turn, number));
        }
    }

    fn make_room(&mut self, whose: Whose, limits: &Shared) -> Result<(), Full> {
        let is_root = |whose| whose == Whose::Root;
        let count_of = |table: &Self, whose| table.of.get(&whose).map_or(0, |theirs| theirs.count);
        if !is_root(whose) {
            if count_of(self, whose) >= limits.most_per_user && !self.evict(|one| one == whose) {
                return Err(Full::Own(limits.most_per_user));
            }
            let theirs = limits.most - limits.most / 4;
            let count = self.open.len() - count_of(self, Whose::Root);
            if count >= theirs && !self.evict(|one| !is_root(one)) {
                return Err(Full::All(theirs));
            }
        }
        let makes_room = self.open.len() < limits.most
            || is_root(whose) && self.evict(|one| !is_root(one))
            || self.evict(|_| true);
        if makes_room { Ok(()) } else { Err(Full::All(limits.most)) }
    }

    /// Has the one leave of which nothing is asked for longest.
    fn evict(&mut self, of: impl Fn(Whose) -> bool) -> bool {
        let longest = self.of.iter().filter(|(whose, _)| of(**whose)).filter_map(|(_, all)| all.idle.first());
        let number = longest.min().map(|(_, number)| *number);
        let Some(gone) = number.and_then(|number| self.leave(number)) else { return false };
        // It may have ended just now.
        let _ = gone.leave.send(());
        true
    }
}

impl Slot {
    /// Something was asked, by whomever.
    pub(super) fn ask(&self) {
        self.use_of.asked.store(true, Ordering::Release);
    }

    pub(super) fn was_asked(&self) -> bool {
        self.use_of.asked.load(Ordering::Acquire)
    }

    /// Something was asked by somebody who is served.
    pub(super) fn hold(self: Arc<Self>) -> Hold {
        self.use_of.held.fetch_add(1, Ordering::AcqRel);
        self.gate.lock().hold(self.number);
        Hold(self)
    }

    pub(super) fn is_held(&self) -> bool {
        self.use_of.held.load(Ordering::Acquire) > 0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut table = self.gate.lock();
        if self.full.is_some() {
            table.told -= 1;
        } else {
            table.leave(self.number);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let turn = self.0.gate.next_turn();
        self.0.gate.lock().let_go(self.0.number, turn);
        self.0.use_of.held.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(connections: usize, connections_per_user: usize) -> Gate {
        Gate::new(&Limits { connections, connections_per_user, ..Limits::default() })
    }

    fn is_told(told: &mut oneshot::Receiver<()>) -> bool {
        told.try_recv().is_ok()
    }

    #[test]
    fn the_one_of_which_nothing_is_asked_for_longest_makes_room_for_the_next() {
        let gate = gate(8, 2);
        let (first, mut first_told) = gate.admit(Whose::User(1)).unwrap();
        let (_second, mut second_told) = gate.admit(Whose::User(1)).unwrap();
        let first = Arc::new(first);
        // It was used since.
        drop(Arc::clone(&first).hold());
        let (third, _) = gate.admit(Whose::User(1)).unwrap();
        assert_eq!(third.full, None);
        assert!(!is_told(&mut first_told) && is_told(&mut second_told));
    }

    #[test]
    fn what_is_under_way_is_not_cut_off_and_who_comes_is_told() {
        let gate = gate(8, 1);
        let (slot, mut told) = gate.admit(Whose::User(1)).unwrap();
        let hold = Arc::new(slot).hold();
        let refused = gate.admit(Whose::User(1)).unwrap();
        assert_eq!(refused.0.full, Some(Full::Own(1)));
        assert!(!is_told(&mut told));
        assert_eq!(gate.admit(Whose::User(2)).unwrap().0.full, None, "another has room");
        drop(hold);
        assert_eq!(gate.admit(Whose::User(1)).unwrap().0.full, None);
    }

    #[test]
    fn a_quarter_is_roots_and_root_is_held_off_by_nobody_elses() {
        let gate = gate(8, 100);
        let held: Vec<Hold> =
            (1..=6).map(|user| Arc::new(gate.admit(Whose::User(user)).unwrap().0).hold()).collect();
        assert_eq!(gate.admit(Whose::Nobody).unwrap().0.full, Some(Full::All(6)));
        let root: Vec<Hold> = (1..=2).map(|_| Arc::new(gate.admit(Whose::Root).unwrap().0).hold()).collect();
        assert!(root.iter().all(|one| one.0.full.is_none()));
        assert_eq!(gate.admit(Whose::Root).unwrap().0.full, Some(Full::All(8)));
        drop(held);
        assert_eq!(gate.admit(Whose::Root).unwrap().0.full, None);
    }

    #[test]
    fn so_many_are_told_that_they_are_too_many_and_no_more() {
        let gate = gate(1, 1);
        let _hold = Arc::new(gate.admit(Whose::Root).unwrap().0).hold();
        let told: Vec<_> = (0..TOLD).map(|_| gate.admit(Whose::Root).unwrap()).collect();
        assert!(gate.admit(Whose::Root).is_none());
        drop(told);
        assert!(gate.admit(Whose::Root).is_some());
    }
}
