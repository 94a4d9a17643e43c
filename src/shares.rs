//! What there is of something, divided so that nobody is kept out of it by another: a quarter, at least one, is root's
//! alone, and of the rest one caller who is not root has at most a half, at least one. Root is the user 0, and the one that
//! the daemon runs as. Knows neither what is divided nor HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::caller;

/// One thing that is divided; clones are the same.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    others: usize,
    each: usize,
    table: Mutex<Table>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Table {
    taken: usize,
    /// Of those who are not root.
    of: HashMap<String, usize>,
}

/// So much of it is somebody's, until this is dropped.
#[derive(Debug)]
pub struct Taken {
    shares: Shares,
    /// None: root's.
    account: Option<String>,
    amount: usize,
}

/// Why somebody is not given more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// They have their share.
    #[error("{account} may have {most} at once")]
    Own {
        /// Who.
        account: String,
        /// How much that is.
        most: usize,
    },
    /// What is left is root's.
    #[error("all who are not root may have {0} at once")]
    Others(usize),
    /// Nothing is left.
    #[error("there may be {0} at once")]
    All(usize),
}

/// How much of so many is for others than root: all but a quarter, at least one.
pub fn for_others(most: usize, one: usize) -> usize {
    most.saturating_sub((most / 4).max(one))
}

impl Shares {
    /// Of so many, of which nobody can use less than `one`.
    pub fn new(most: usize, one: usize) -> Self {
        let others = for_others(most, one);
        let each = (others / 2).max(one).min(others);
        let given_back = Notify::new();
        Self(Arc::new(Shared { most, others, each, table: Mutex::default(), given_back }))
    }

    /// None of it yet, of whoever asks just now.
    pub fn none(&self) -> Taken {
        let caller = caller::current();
        // Nobody known is nobody's: not root.
        let account = match caller {
            Some(caller) if caller.is_root() => None,
            Some(caller) => Some(caller.account()),
            None => Some("nobody".to_owned()),
        };
        Taken { shares: self.clone(), account, amount: 0 }
    }

    /// One, at once.
    ///
    /// # Errors
    ///
    /// There is none for who asks.
    pub fn one(&self) -> Result<Taken, Full> {
        let mut taken = self.none();
        taken.grow(1).map(|()| taken)
    }

    /// One, when there is one for who asks.
    pub async fn awaited(&self) -> Taken {
        loop {
            let given_back = self.0.given_back.notified();
            if let Ok(taken) = self.one() {
                return taken;
            }
            given_back.await;
        }
    }

    /// A panic elsewhere leaves the table as it was: whole.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// So much more.
    ///
    /// # Errors
    ///
    /// There is not so much left for them; they keep what they have.
    pub fn grow(&mut self, more: usize) -> Result<(), Full> {
        let shared = &self.shares.0;
        let mut table = self.shares.lock();
        if let Some(account) = &self.account {
            let own = table.of.get(account).copied().unwrap_or_default();
            if own.saturating_add(more) > shared.each {
                return Err(Full::Own { account: account.clone(), most: shared.each });
            }
            if table.of.values().sum::<usize>().saturating_add(more) > shared.others {
                return Err(Full::Others(shared.others));
            }
        }
        if table.taken.saturating_add(more) > shared.most {
            return Err(Full::All(shared.most));
        }
        table.taken += more;
        if let Some(account) = &self.account {
            *table.of.entry(account.clone()).or_default() += more;
        }
        drop(table);
        self.amount += more;
        Ok(())
    }

    /// How much it is.
    pub fn amount(&self) -> usize {
        self.amount
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Who was given nothing wakes nobody, themselves neither.
        if self.amount == 0 {
            return;
        }
        let mut table = self.shares.lock();
        table.taken -= self.amount;
        if let Some(account) = &self.account
            && let Some(own) = table.of.get_mut(account)
        {
            *own -= self.amount;
            if *own == 0 {
                table.of.remove(account);
            }
        }
        drop(table);
        self.shares.0.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Caller, Role, Who, asking};

    async fn of(who: Who, shares: &Shares, amount: usize) -> Result<Taken, Full> {
        asking(Arc::new(Caller { who, role: Role::Admin }), async {
            let mut taken = shares.none();
            taken.grow(amount).map(|()| taken)
        })
        .await
    }

    fn user(uid: u32) -> Who {
        Who::Process { uid, pid: 1, executable: None }
    }

    fn token() -> Who {
        Who::Token("a".into())
    }

    #[tokio::test]
    async fn a_quarter_is_roots_and_one_other_has_half_of_the_rest() {
        let shares = Shares::new(16, 1);
        let mut one = of(user(1), &shares, 6).await.unwrap();
        assert_eq!(one.grow(1), Err(Full::Own { account: "the user 1".into(), most: 6 }));
        let other = of(token(), &shares, 6).await.unwrap();
        assert_eq!(of(user(2), &shares, 1).await.err(), Some(Full::Others(12)));
        let root = of(user(0), &shares, 4).await.unwrap();
        assert_eq!(of(user(0), &shares, 1).await.err(), Some(Full::All(16)));
        drop(other);
        let more = of(user(0), &shares, 6).await.unwrap();
        assert_eq!(of(user(2), &shares, 1).await.err(), Some(Full::All(16)), "root may have all of it");
        drop((one, root, more));
        assert_eq!(shares.lock().taken, 0);
        assert!(shares.lock().of.is_empty());
    }

    #[tokio::test]
    async fn of_few_one_is_roots_and_one_another_s() {
        let shares = Shares::new(1, 1);
        assert!(matches!(of(user(1), &shares, 1).await, Err(Full::Own { most: 0, .. })));
        of(user(0), &shares, 1).await.unwrap();
        let shares = Shares::new(2, 1);
        let _one = of(user(1), &shares, 1).await.unwrap();
        of(user(0), &shares, 1).await.unwrap();
        // What is no use by less than 10.
        let shares = Shares::new(24, 10);
        let _one = of(user(1), &shares, 10).await.unwrap();
        of(user(0), &shares, 10).await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_has_it_once_it_is_given_back() {
        let shares = Shares::new(2, 1);
        let first = of(user(1), &shares, 1).await.unwrap();
        let caller = Arc::new(Caller { who: user(1), role: Role::Admin });
        let waits = tokio::spawn({
            let shares = shares.clone();
            async move { asking(caller, shares.awaited()).await.amount() }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(first);
        assert_eq!(waits.await.unwrap(), 1);
    }
}
