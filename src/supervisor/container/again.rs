//! A start that nobody asked for: of what has ended, by its policy ([`crate::supervisor::care`]). From its newest checkpoint,
//! where that is wanted; the next older one when that does not go on; then anew or not at all, as the policy says.

use std::path::Path;
use std::sync::Arc;

use super::{Snapshot, Start, Task};
use crate::supervisor::care::{Again, Care, Otherwise};
use crate::supervisor::chain;
use crate::supervisor::checkpoints::catalogue::{self, Around};
use crate::supervisor::checkpoints::{self, Entry};
use crate::supervisor::error::Result;
use crate::supervisor::names::CheckpointName;
use crate::supervisor::state::Status;
use crate::supervisor::store::{Mark, blocking};

/// How many checkpoints are tried: each may take as long as a restore may.
const TRIED: usize = 3;

impl Task {
    /// Gives what is when somebody else was quicker.
    pub(super) async fn start_again(&mut self, again: Again) -> Result<Arc<Snapshot>> {
        let same = self.snapshot.created_at == again.of && self.snapshot.status == Status::Stopped;
        let wanted = again.whatever || !self.snapshot.on_purpose;
        let Some(care) =
            self.snapshot.care.clone().filter(|_| same && wanted && !self.snapshot.never_started)
        else {
            return Ok(Arc::new(self.snapshot.clone()));
        };
        let (mut refused, bundle) = (Vec::new(), self.snapshot.bundle.clone());
        let outcome = self.try_again(&care, &bundle, again, &mut refused).await;
        match &outcome {
            Ok(true) => {
                self.snapshot.reason =
                    (!refused.is_empty()).then(|| format!("started anew: {}", refused.join("; ")));
            }
            Ok(false) => {
                let why = if refused.is_empty() { "it has none".to_owned() } else { refused.join("; ") };
                self.snapshot.reason = Some(format!("no checkpoint of it can be restored: {why}"));
                // It stays as it is until somebody asks.
                self.snapshot.on_purpose = true;
            }
            Err(error) => {
                refused.push(chain(error));
                self.snapshot.reason =
                    Some(format!("restart {} failed: {}", again.restarts, refused.join("; ")));
                (self.snapshot.restarts, self.snapshot.failures) = (again.restarts, again.failures);
                (self.snapshot.unstarted, self.snapshot.on_purpose) = (true, false);
            }
        }
        self.publish();
        outcome.map(|_| Arc::new(self.snapshot.clone()))
    }

    /// Whether it was started; what was in the way of a checkpoint is in `refused`.
    async fn try_again(
        &mut self,
        care: &Arc<Care>,
        bundle: &Path,
        again: Again,
        refused: &mut Vec<String>,
    ) -> Result<bool> {
        // Who repeats the start that was asked for is answered as one who does.
        let key = self.snapshot.key.clone();
        let start = |checkpoint| Start {
            behalf: care.behalf,
            key: key.clone(),
            bundle: bundle.to_owned(),
            checkpoint,
            allow_changed_bundle: care.allow_changed_bundle,
            lazy_pages: false,
            stdout: care.stdout.clone(),
            stderr: care.stderr.clone(),
            care: Some(Arc::clone(care)),
            again: Some(again),
        };
        if let Some(otherwise) = care.restore {
            let (good, bad) = self.restorable(bundle, care.allow_changed_bundle).await;
            refused.extend(bad);
            for name in good {
                match self.try_start(start(Some(name.clone()))).await {
                    Ok(_) => {
                        refused.clear();
                        return Ok(true);
                    }
                    Err(error) => {
                        let why = chain(&error);
                        tracing::warn!(container = %self.id(), checkpoint = %name, error = %why, "it is not restored again");
                        refused.push(format!("checkpoint {name}: {why}"));
                    }
                }
            }
            if otherwise == Otherwise::Leave {
                return Ok(false);
            }
        }
        self.try_start(start(None)).await.map(|_| true)
    }

    /// Its own checkpoints, the newest few, newest first: those that can be restored here, as far as can be seen, and what is
    /// in the way of the others.
    async fn restorable(
        &self,
        bundle: &Path,
        allow_changed_bundle: bool,
    ) -> (Vec<CheckpointName>, Vec<String>) {
        let (bundle, host, id) = (bundle.to_owned(), self.context.host.clone(), self.id().clone());
        let listed = blocking(move || {
            let (around, all) = (Around::owned(&bundle), checkpoints::list(&bundle)?);
            // No more are looked into than are tried.
            let ours = all.into_iter().rev().filter(|one| one.container() == Some(id.as_str()));
            let ours = ours.filter_map(|one| catalogue::described(&around, &host, one));
            let (mut good, mut bad) = (Vec::new(), Vec::new());
            for Entry { checkpoint, obstacles, .. } in ours.take(TRIED) {
                if obstacles.is_empty() || allow_changed_bundle {
                    good.push(checkpoint.name);
                } else {
                    bad.push(format!("checkpoint {}: {}", checkpoint.name, obstacles.join(", ")));
                }
            }
            Ok((good, bad))
        });
        listed.await.unwrap_or_default()
    }

    /// Somebody wants it to end: no policy starts it again. Kept on the disk where there is one.
    pub(super) async fn ends_on_purpose(&mut self) {
        if self.snapshot.on_purpose {
            return;
        }
        self.snapshot.on_purpose = true;
        let run = self.context.store.run(self.id(), self.run);
        if self.snapshot.care.is_some()
            && let Err(error) = blocking(move || run.mark(Mark::OnPurpose)).await
        {
            tracing::warn!(container = %self.id(), error = %chain(&error), "that it is to end is not kept");
        }
    }
}
