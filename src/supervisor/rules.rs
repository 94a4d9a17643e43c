//! For whom something is done, and what they may have done: the configuration's rules, held against bundles, added
//! processes and archives. Root is bound by where bundles may lie, and by nothing else.
//!
//! Whom a policy binds may not have a hand in a bundle of theirs: what they could change between the look and the use is no
//! ground for a look. So theirs are bundles in root's hands alone.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{Process, Spec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Start;
use super::error::{Error, Result};
use crate::runtime::bundle::Bundle;
use crate::runtime::hands::Hands;
use crate::runtime::images::Rights;
use crate::runtime::policy::{Breach, Policy, ROOT_USER, is_within, unknown};

/// For whom something is done. Nobody known is nobody's: not root.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Behalf {
    /// Their user; who shows a token has none.
    pub uid: Option<u32>,
    /// Whether no policy binds them.
    pub is_root: bool,
}

/// The configuration's rules.
#[derive(Debug, Default, Clone)]
pub struct Rules {
    /// Where bundles may lie, whoever starts them; none: anywhere.
    pub bundle_roots: Vec<PathBuf>,
    /// Whether bundles of others than root's may have hooks.
    pub allow_hooks: bool,
    /// What who is not root may have; none: everything.
    pub policy: Option<Policy>,
}

const BUNDLE: &str = "/body/bundlePath";

impl Rules {
    /// Who may have a hand in a bundle that is used for them.
    pub(super) fn hands(&self, behalf: Behalf) -> Hands {
        Hands::of(behalf.uid.filter(|_| self.policy(behalf).is_none()))
    }

    fn policy(&self, behalf: Behalf) -> Option<&Policy> {
        self.policy.as_ref().filter(|_| !behalf.is_root)
    }

    /// A bundle that is to be used for them: whether it lies where it may is asked before anything in it is read. Blocks.
    pub(super) fn open(&self, behalf: Behalf, path: &Path) -> Result<Bundle> {
        let hands = self.hands(behalf);
        // What cannot be followed is told by the bundle.
        if let Ok(folder) = hands.follow(path) {
            judged(self.misplaced(behalf, folder.path()))?;
        }
        let opened = Bundle::open(path, hands);
        let bundle = opened.map_err(|source| Error::Bundle { path: path.to_owned(), source })?;
        // A link of theirs may lead elsewhere by now.
        judged(self.misplaced(behalf, bundle.real()))?;
        Ok(bundle)
    }

    /// Whether a bundle may be started for them. Blocks.
    pub(super) fn admit_start(&self, behalf: Behalf, bundle: &Bundle, start: &Start) -> Result<()> {
        let mut breaches = Vec::new();
        if !behalf.is_root {
            breaches.extend(self.excessive(behalf, bundle));
        }
        if self.policy(behalf).is_some_and(|policy| !policy.output_files) {
            for (at, file) in [("/body/stdout", &start.stdout), ("/body/stderr", &start.stderr)] {
                let file = file.iter().map(|file| format!("{} is a file of the host's", file.display()));
                breaches.extend(file.map(|what| Breach { rule: "output-files", at, what }));
            }
        }
        judged(breaches)
    }

    /// Whether a checkpoint's memory may be read or made by them.
    pub(super) fn admit_archive(&self, behalf: Behalf) -> Result<()> {
        let forbidden = self.policy(behalf).is_some_and(|policy| !policy.archives);
        let what = "an archive is the memory of a container".to_owned();
        let breach = forbidden.then_some(Breach { rule: "archives", at: "/path/checkpoint", what });
        judged(breach.into_iter().collect())
    }

    /// Whether what is restored may run for them: its users are the images', whatever the bundle says.
    pub(super) fn admit_restore(&self, behalf: Behalf, bundle: &Bundle, rights: &[Rights]) -> Result<()> {
        let Some(policy) = self.policy(behalf) else { return Ok(()) };
        let (config, mut breaches) = read(bundle.config(), BUNDLE);
        if !policy.lets_root(&config) {
            let root = rights.iter().find(|rights| rights.is_root);
            let what = root.map(|root| format!("process {} of the checkpoint is root of the host", root.pid));
            breaches.extend(what.map(|what| Breach { rule: ROOT_USER, at: "/body/checkpoint", what }));
        }
        judged(breaches)
    }

    /// Whether a process may be added for them to a container of this config.json, whoever has started it. Blocks.
    pub(super) fn admit_exec(
        &self,
        behalf: Behalf,
        config: &[u8],
        bundle: &Path,
        process: &Process,
    ) -> Result<()> {
        let Some(policy) = self.policy(behalf) else { return Ok(()) };
        let (config, mut breaches) = read(config, "/path/id");
        // Plain data, which always has a JSON form.
        let process = serde_json::to_value(process).unwrap_or_default();
        breaches.extend(policy.judge(&config, &process, bundle, "/path/id"));
        for breach in breaches.iter_mut().filter(|breach| breach.rule == ROOT_USER) {
            breach.at = "/body/user";
        }
        judged(breaches)
    }

    fn misplaced(&self, behalf: Behalf, folder: &Path) -> Vec<Breach> {
        let breach = |rule, roots: &[PathBuf]| {
            let roots: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
            let what = format!("{} is not in {}", folder.display(), roots.join(" or "));
            Breach { rule, at: BUNDLE, what }
        };
        let mut breaches = Vec::new();
        let roots = &self.bundle_roots;
        if !roots.is_empty() && !is_within(folder, roots.iter().map(PathBuf::as_path)) {
            breaches.push(breach("bundle-root", roots));
        }
        if let Some(Policy { bundle_roots: roots, .. }) = self.policy(behalf) {
            // And nowhere below: in a root filesystem lies what a container has written, as root.
            let is_child =
                |root: &PathBuf| root.canonicalize().is_ok_and(|root| folder.parent() == Some(&root));
            if !roots.is_empty() && !roots.iter().any(is_child) {
                breaches.push(breach("bundle-roots", roots));
            }
        }
        breaches
    }

    fn excessive(&self, behalf: Behalf, bundle: &Bundle) -> Vec<Breach> {
        let (config, mut breaches) = read(bundle.config(), BUNDLE);
        let hooks = config.get("hooks").and_then(Value::as_object).into_iter().flatten();
        if !self.allow_hooks {
            for (kind, _) in hooks.filter(|(_, all)| all.as_array().is_none_or(|all| !all.is_empty())) {
                let what = format!("config.json /hooks/{kind} is run outside of the container, as root");
                breaches.push(Breach { rule: "allow-hooks", at: BUNDLE, what });
            }
        }
        if let Some(policy) = self.policy(behalf) {
            breaches.extend(policy.judge(&config, &config["process"], bundle.real(), BUNDLE));
        }
        breaches
    }
}

/// A config.json to be judged, and what in it is not known: that could not be.
fn read(config: &[u8], at: &'static str) -> (Value, Vec<Breach>) {
    let breach = |what| Breach { rule: "known", at, what };
    let spec = serde_json::from_slice::<Spec>(config).and_then(serde_json::to_value);
    let (Ok(config), Ok(known)) = (serde_json::from_slice(config), spec) else {
        return (Value::Null, vec![breach("config.json is not known".to_owned())]);
    };
    let unknown = unknown(&config, &known);
    let breaches =
        unknown.into_iter().map(|place| breach(format!("config.json {place} is not known here"))).collect();
    (config, breaches)
}

fn judged(breaches: Vec<Breach>) -> Result<()> {
    if breaches.is_empty() { Ok(()) } else { Err(Error::Forbidden { breaches }) }
}
