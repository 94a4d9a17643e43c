//! What may change from one release of the contract to the next (`docs/clients.md`, "What may change within v1"):
//! a change that breaks a client of yesterday needs a major version, one that adds needs a minor one.
//!
//! Own rules: the registries have no tool that knows them. npm's openapi-diff, the nearest, passes over operation ids,
//! parameters, media types, patterns, defaults and the enums of answers; oasdiff is a Go program that is newer than Debian's Go.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// What was found, a line each.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) breaking: Vec<String>,
    pub(crate) additions: Vec<String>,
}

impl Changes {
    /// Fails when the version does not say what has changed.
    pub(crate) fn fit(&self, old: &str, new: &str) -> Result<()> {
        let (old_major, old_minor) = version(old)?;
        let (major, minor) = version(new)?;
        if !self.breaking.is_empty() && major <= old_major {
            bail!(
                "{new} breaks what {old} promised, and is no newer major version:\n{}",
                self.breaking.join("\n")
            );
        }
        if !self.additions.is_empty() && (major, minor) <= (old_major, old_minor) {
            bail!("{new} adds to {old}, and is no newer minor version:\n{}", self.additions.join("\n"));
        }
        Ok(())
    }
}

fn version(text: &str) -> Result<(u64, u64)> {
    let mut parts = text.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => bail!("{text} is no version"),
    }
}

/// Who writes what a schema describes: it may grow in answers, and be asked for less in requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

const METHODS: [&str; 7] = ["get", "put", "post", "patch", "delete", "options", "head"];
/// Words for people, and what a schema says in other places.
const WORDS: [&str; 7] = ["description", "summary", "title", "example", "examples", "properties", "required"];
const LOWER: [&str; 4] = ["minimum", "minLength", "minItems", "minProperties"];
const UPPER: [&str; 4] = ["maximum", "maxLength", "maxItems", "maxProperties"];

/// From the contract of the last release to that of today.
pub(crate) fn between(old: &Value, new: &Value) -> Changes {
    let mut diff = Diff { old, new, seen: BTreeSet::new(), changes: Changes::default() };
    diff.operations();
    diff.changes
}

struct Diff<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of schemas, by name and side.
    seen: BTreeSet<String>,
    changes: Changes,
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(value),
        None => value,
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
        .collect()
}

/// The parameters of an operation and of its path, by place and name.
fn parameters<'a>(document: &'a Value, item: &'a Value, operation: &'a Value) -> Map<String, Value> {
    [&item["parameters"], &operation["parameters"]]
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .map(|one| resolve(document, one))
        .map(|one| (format!("{} parameter {}", one["in"], one["name"]).replace('"', ""), one.clone()))
        .collect()
}

impl Diff<'_> {
    fn breaks(&mut self, at: &str, what: impl std::fmt::Display) {
        self.changes.breaking.push(format!("{at}: {what}"));
    }

    fn adds(&mut self, at: &str, what: impl std::fmt::Display) {
        self.changes.additions.push(format!("{at}: {what}"));
    }

    fn operations(&mut self) {
        let (old, new) = (self.old, self.new);
        for method in METHODS {
            for (path, item) in fields(&old["paths"]).filter(|(_, item)| item.get(method).is_some()) {
                let at = format!("{} {path}", method.to_uppercase());
                match new["paths"][path].get(method) {
                    Some(now) => self.operation(&at, (item, &item[method]), (&new["paths"][path], now)),
                    None => self.breaks(&at, "is gone"),
                }
            }
            for (path, _) in fields(&new["paths"]).filter(|(_, item)| item.get(method).is_some()) {
                if old["paths"][path].get(method).is_none() {
                    self.adds(&format!("{} {path}", method.to_uppercase()), "is new");
                }
            }
        }
    }

    fn operation(&mut self, at: &str, (old_item, old): (&Value, &Value), (new_item, new): (&Value, &Value)) {
        for name in ["operationId", "tags"] {
            if old[name] != new[name] {
                self.breaks(at, format_args!("{name} was {}, is {}", old[name], new[name]));
            }
        }
        let before = parameters(self.old, old_item, old);
        let now = parameters(self.new, new_item, new);
        self.parameters(at, &before, &now);
        self.request(at, resolve(self.old, &old["requestBody"]), resolve(self.new, &new["requestBody"]));
        for (status, answer) in fields(&old["responses"]) {
            let at = format!("{at} {status}");
            match new["responses"].get(status) {
                Some(now) => self.answer(&at, resolve(self.old, answer), resolve(self.new, now)),
                None => self.breaks(&at, "is gone"),
            }
        }
        for (status, _) in
            fields(&new["responses"]).filter(|(status, _)| old["responses"].get(status).is_none())
        {
            // A client knows what an error is; what an answer of another kind is, it does not.
            if status.as_str() >= "400" {
                self.adds(&format!("{at} {status}"), "is new");
            } else {
                self.breaks(&format!("{at} {status}"), "is new, and no error");
            }
        }
    }

    fn parameters(&mut self, at: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for (name, before) in old {
            let at = format!("{at} {name}");
            match new.get(name) {
                None => self.breaks(&at, "is gone"),
                Some(now) => {
                    if now["required"] == true && before["required"] != true {
                        self.breaks(&at, "must be given now");
                    }
                    self.schema(&at, &before["schema"], &now["schema"], Side::Request);
                }
            }
        }
        for (name, now) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
            if now["required"] == true {
                self.breaks(&format!("{at} {name}"), "is new and must be given");
            } else {
                self.adds(&format!("{at} {name}"), "is new");
            }
        }
    }

    fn request(&mut self, at: &str, old: &Value, new: &Value) {
        let at = format!("{at} body");
        match (old.is_object(), new.is_object()) {
            (true, false) => self.breaks(&at, "is gone"),
            (_, true) if new["required"] == true && old["required"] != true => {
                self.breaks(&at, "must be sent now");
            }
            (false, true) => self.adds(&at, "is new"),
            _ => {}
        }
        self.content(&at, old, new, Side::Request);
    }

    fn answer(&mut self, at: &str, old: &Value, new: &Value) {
        self.content(at, old, new, Side::Answer);
        for (name, header) in fields(&old["headers"]) {
            match new["headers"].get(name) {
                Some(now) => {
                    self.schema(&format!("{at} {name}"), &header["schema"], &now["schema"], Side::Answer)
                }
                None => self.breaks(at, format_args!("header {name} is gone")),
            }
        }
    }

    fn content(&mut self, at: &str, old: &Value, new: &Value, side: Side) {
        for (media, content) in fields(&old["content"]) {
            let at = format!("{at} {media}");
            match new["content"].get(media) {
                None => self.breaks(&at, "is gone"),
                Some(now) => {
                    for key in ["schema", "x-item-schema"] {
                        self.schema(&at, &content[key], &now[key], side);
                    }
                }
            }
        }
        for (media, _) in fields(&new["content"]).filter(|(media, _)| old["content"].get(media).is_none()) {
            match (side, old["content"].is_object()) {
                (Side::Answer, false) => self.breaks(at, "has a body now"),
                _ => self.adds(&format!("{at} {media}"), "is new"),
            }
        }
    }

    fn schema(&mut self, at: &str, old: &Value, new: &Value, side: Side) {
        // The names of models are what clients are written with.
        if old["$ref"] != new["$ref"] {
            self.breaks(at, format_args!("model was {}, is {}", old["$ref"], new["$ref"]));
        }
        let mut at = at;
        if let Some(reference) = old["$ref"].as_str() {
            if !self.seen.insert(format!("{reference} {}", side == Side::Request)) {
                return;
            }
            at = reference.rsplit('/').next().unwrap_or(reference);
        }
        let at = at.to_owned();
        let (old, new) = (resolve(self.old, old).clone(), resolve(self.new, new).clone());
        self.properties(&at, &old, &new, side);
        if old["items"].is_object() || new["items"].is_object() {
            self.schema(&format!("{at} items"), &old["items"], &new["items"], side);
        }
        let keys: BTreeSet<&String> = fields(&old).chain(fields(&new)).map(|(key, _)| key).collect();
        for key in keys {
            let key = key.as_str();
            if old.get(key) != new.get(key) && key != "items" && key != "$ref" && !WORDS.contains(&key) {
                self.keyword(&at, key, (&old[key], &new[key]), side);
            }
        }
    }

    fn properties(&mut self, at: &str, old: &Value, new: &Value, side: Side) {
        let (must, must_now) = (texts(&old["required"]), texts(&new["required"]));
        let changed = match side {
            Side::Request => must_now.difference(&must),
            Side::Answer => must.difference(&must_now),
        };
        for name in changed {
            let words =
                if side == Side::Request { "must be given now" } else { "is not always there any more" };
            self.breaks(at, format_args!("field {name} {words}"));
        }
        for (name, before) in fields(&old["properties"]) {
            match new["properties"].get(name) {
                Some(now) => self.schema(&format!("{at}.{name}"), before, now, side),
                None => self.breaks(at, format_args!("field {name} is gone")),
            }
        }
        for (name, _) in fields(&new["properties"]).filter(|(name, _)| old["properties"].get(name).is_none())
        {
            self.adds(at, format_args!("field {name} is new"));
        }
    }

    fn keyword(&mut self, at: &str, key: &str, (old, new): (&Value, &Value), side: Side) {
        let wider = match key {
            // What is named there may grow, and the field itself is text.
            "x-values" => true,
            "enum" if side == Side::Request => {
                texts(old).is_subset(&texts(new)) && !old.is_null() || new.is_null()
            }
            _ if LOWER.contains(&key) => new.is_null() || new.as_f64() < old.as_f64(),
            _ if UPPER.contains(&key) => new.is_null() || !old.is_null() && new.as_f64() > old.as_f64(),
            _ => false,
        };
        let words = format!("{key} was {old}, is {new}");
        if wider { self.adds(at, words) } else { self.breaks(at, words) }
    }
}

#[cfg(test)]
#[path = "breaking_tests.rs"]
mod tests;
