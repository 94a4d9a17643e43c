//! What CRIU can do on one kernel and not on another, as `criu check --feature` says it (criu(8)).

/// Something that is not possible on every kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// To write memory while the container runs on, and then what has changed of it.
    PreDumps,
    /// To go on before all memory is in.
    LazyPages,
}

impl Feature {
    /// What CRIU calls that which it needs.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::PreDumps => &["mem_dirty_track"],
            // The second: to be told when a process forks, unmaps or moves memory, or ends.
            Self::LazyPages => &["uffd", "uffd-noncoop"],
        }
    }

    /// The option's name.
    pub fn option(self) -> &'static str {
        match self {
            Self::PreDumps => "preDumps",
            Self::LazyPages => "lazyPages",
        }
    }

    /// Why not, where it is not possible.
    pub fn obstacle(self) -> &'static str {
        match self {
            Self::PreDumps => {
                "this kernel does not track which memory changes (criu check --feature mem_dirty_track fails)"
            }
            Self::LazyPages => {
                "this kernel lacks userfaultfd or its events (criu check --feature uffd, or uffd-noncoop, fails)"
            }
        }
    }
}

/// What of it is possible here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    pre_dumps: bool,
    lazy_pages: bool,
}

impl Features {
    /// Asks for each, all at once.
    pub(super) async fn probe<F: Future<Output = bool>>(has: impl Fn(&'static str) -> F) -> Self {
        let all = |feature: Feature| {
            let asked = feature.needs().iter().map(|name| has(name)).collect::<Vec<_>>();
            async { futures_util::future::join_all(asked).await.into_iter().all(|has| has) }
        };
        let (pre_dumps, lazy_pages) = tokio::join!(all(Feature::PreDumps), all(Feature::LazyPages));
        Self { pre_dumps, lazy_pages }
    }

    /// Whether it is possible here.
    pub fn has(self, feature: Feature) -> bool {
        match feature {
            Feature::PreDumps => self.pre_dumps,
            Feature::LazyPages => self.lazy_pages,
        }
    }
}
