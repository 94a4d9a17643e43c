//! A lazy restore: the container goes on before all of its memory is in. Its shim has the page server and says what
//! becomes of it ([`crate::shim`]); until then the checkpoint is held. What is here is done without a shim: it alone sees a
//! page server die in time, so a container that has lost it is ended.

use std::time::Duration;

use super::Task;
use super::life::{Happening, Life};
use crate::ipc::{Hello, Message, Pages, WITH_PAGE_SERVERS};
use crate::runtime::cgroup;
use crate::runtime::criu::{Feature, lazy};
use crate::supervisor::checkpoints::{self, Claim};
use crate::supervisor::error::{Error, Result};
use crate::supervisor::events::Happened;
use crate::supervisor::store::blocking;
use crate::supervisor::{Context, chain};

/// How long a shim that was just started may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

impl Task {
    /// Whether the shim that was just started knows of page servers: an older one would restore without.
    pub(super) async fn require_page_server(&mut self) -> Result<()> {
        let lost = || Error::ShimLost(self.snapshot.id.clone());
        let life = self.life.as_mut().ok_or_else(lost)?;
        match tokio::time::timeout(HELLO, life.next()).await {
            Ok(Happening::Message(Message::Hello(Hello { version, .. }))) if version >= WITH_PAGE_SERVERS => {
                Ok(())
            }
            Ok(Happening::Message(Message::Hello(Hello { version, .. }))) => {
                let why =
                    format!("the shim speaks version {version} of its protocol, which has no page server");
                Err(Error::Unavailable { feature: Feature::LazyPages, why })
            }
            _ => Err(lost()),
        }
    }

    /// It runs, and its pages come: nobody deletes the checkpoint meanwhile.
    pub(super) fn pages_come(&mut self, claim: Option<Claim>) {
        if let Some(life) = self.life.as_mut() {
            life.claim = claim;
        }
    }

    /// The shim says what has become of them.
    pub(super) fn pages_settled(&mut self, pages: Pages) {
        if self.snapshot.pages != Some(Pages::Loading) {
            return;
        }
        self.snapshot.pages = Some(pages);
        if let Some(life) = self.life.as_mut() {
            life.claim = None;
        }
        self.publish();
        crate::cut!("pages.telling");
        self.tell_pages();
    }

    pub(super) fn tell_pages(&self) {
        match self.snapshot.pages {
            Some(Pages::Loaded) => {
                tracing::info!(container = %self.id(), "all of its memory is in");
                self.emit(Happened::PagesLoaded);
            }
            Some(Pages::Lost) => {
                tracing::error!(container = %self.id(), "its page server, or the shim that watches it, died before all of its memory was in: it is killed");
                self.emit(Happened::PagesLost);
            }
            Some(Pages::Loading) | None => {}
        }
    }

    /// Without a shim nobody would see the page server die before the container reads zeros: it ends here and now.
    pub(super) fn lose_unwatched_pages(&mut self) {
        if self.snapshot.pages != Some(Pages::Loading) {
            return;
        }
        let Some(life) = self.life.as_ref() else { return };
        let (run, place) = (life.run.clone(), life.cgroup.clone());
        let init = life.init.as_ref().map(|init| (init.pid(), init.start_time()));
        let id = self.id().clone();
        // Nobody waits for it: its end is heard as any other.
        tokio::spawn(blocking(move || {
            if let Err(error) = run.lose_pages() {
                tracing::error!(container = %id, error = %chain(&error), "that its memory is lost cannot be kept");
            }
            cgroup::kill_container(init, place.as_ref());
            // Only now: whom it has served is dead.
            lazy::end(&run.volatile);
            Ok(())
        }));
        self.pages_settled(Pages::Lost);
    }

    /// A page server that nobody has ended: its shim was killed, or hung.
    pub(super) async fn end_page_server(&self, life: &Life) {
        if self.snapshot.lazy {
            let folder = life.run.volatile.clone();
            let _ = blocking(move || {
                lazy::end(&folder);
                Ok(())
            })
            .await;
        }
    }

    /// What needs all of its memory.
    pub(super) fn admit_loaded(&self) -> Result<()> {
        self.snapshot.admit_loaded()
    }
}

impl Life {
    /// Of a container that is taken back while its pages come: as [`Task::pages_come`].
    pub(in crate::supervisor) fn hold_checkpoint(&mut self, context: &Context, snapshot: &super::Snapshot) {
        let Some(name) = snapshot.checkpoint.as_ref().filter(|_| snapshot.pages == Some(Pages::Loading))
        else {
            return;
        };
        match checkpoints::open_claimed(&context.claims, &snapshot.bundle, name) {
            Ok((_, claim)) => self.claim = Some(claim),
            Err(error) => {
                tracing::error!(container = %snapshot.id, error = %chain(&error), "its checkpoint cannot be held");
            }
        }
    }
}
