//! The contract's handler traits, implemented: convert, call one verb of the supervisor, convert. No
//! policy lives here, and no error becomes HTTP anywhere but in [`problem`]. An idempotency key is the listener's
//! affair; those verbs are told it that can see by it that they have happened already.

mod checkpoints;
mod containers;
mod convert;
mod daemon;
pub mod problem;
mod processes;

pub use convert::{event, json_line, log_line};

use std::path::PathBuf;

use crate::caller::{self, Who};
use crate::supervisor::{Behalf, Entry, Export, LogOf, LogQuery, LogReader, Result, Supervisor, Taking};

/// What the handlers work with; clones are the same.
#[derive(Debug, Clone)]
pub struct Api {
    supervisor: Supervisor,
    machine: containerd_rest_api::Machine,
}

/// For whom it is asked. What comes by no door is nobody's.
fn behalf() -> Behalf {
    let Some(caller) = caller::current() else { return Behalf::default() };
    let uid = match caller.who {
        Who::Process { uid, .. } => Some(uid),
        Who::Token(_) | Who::Certificate(_) => None,
    };
    Behalf { uid, is_root: caller.is_root() }
}

/// An idempotency key, which is each caller's own.
fn own(key: Option<String>) -> Option<String> {
    key.map(caller::own)
}

impl Api {
    /// `machine` is this host's size, asked for once.
    pub fn new(supervisor: Supervisor) -> Self {
        Self { supervisor, machine: daemon::machine() }
    }

    /// A container's log, by the name in the path.
    pub fn logs(&self, id: &str, query: LogQuery) -> Result<LogReader> {
        self.supervisor.logs(&convert::container_id(id)?, query)
    }

    /// CRIU's log, by the names in the path.
    pub async fn checkpoint_log(&self, id: &str, checkpoint: &str, of: LogOf) -> Result<std::fs::File> {
        let (id, name) = (convert::container_id(id)?, convert::checkpoint_name(checkpoint)?);
        self.supervisor.checkpoint_log(&id, name, of).await
    }

    /// A checkpoint as an archive, by the names in the path.
    pub async fn export(&self, id: &str, checkpoint: &str) -> Result<Export> {
        let (id, name) = (convert::container_id(id)?, convert::checkpoint_name(checkpoint)?);
        self.supervisor.export(&id, name, behalf()).await
    }

    /// A checkpoint from an archive.
    pub async fn import(
        &self,
        id: &str,
        checkpoint: &str,
        bundle: Option<PathBuf>,
        key: Option<String>,
    ) -> Result<Taking> {
        let (id, name) = (convert::container_id(id)?, convert::checkpoint_name(checkpoint)?);
        self.supervisor.import(&id, name, bundle, own(key), behalf()).await
    }

    /// As the contract has a checkpoint.
    pub fn checkpoint(&self, entry: Entry) -> containerd_rest_api::Checkpoint {
        convert::checkpoints::checkpoint(entry)
    }

    /// The supervisor, for what the generated traits cannot say.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }
}
