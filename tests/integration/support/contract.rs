//! The contract as the tests hold the daemon to it: which operation a request is, and whether an answer is
//! one that the contract allows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

/// The contract as it lies in the repository (the generated crate embeds the same).
pub(crate) fn document() -> Value {
    serde_json::from_str(containerd_rest_api::OPENAPI_JSON).unwrap()
}

/// What has been answered in this run of the tests, by whatever process: a line each, as [`answer`] has it.
const ANSWERED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/answered");

/// What this process has written there.
static SEEN: Mutex<Option<(File, HashSet<String>)>> = Mutex::new(None);

/// The statuses that the tests have seen, since that folder was removed.
pub(crate) fn answered() -> BTreeSet<String> {
    let files =
        fs::read_dir(ANSWERED).unwrap_or_else(|error| panic!("{ANSWERED}: {error}: run scripts/checks"));
    files
        .flat_map(|file| {
            fs::read_to_string(file.unwrap().path()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn note(answer: Option<String>) {
    let mut seen = SEEN.lock().unwrap();
    let (file, seen) = seen.get_or_insert_with(|| {
        fs::create_dir_all(ANSWERED).unwrap();
        let file =
            File::options().create(true).append(true).open(format!("{ANSWERED}/{}", std::process::id()));
        (file.unwrap(), HashSet::new())
    });
    let Some(answer) = answer else { return };
    if !seen.contains(&answer) {
        writeln!(file, "{answer}").unwrap();
        seen.insert(answer);
    }
}

pub(crate) struct Contract {
    document: Value,
    validators: HashMap<String, Validator>,
}

/// The last one: mostly every daemon serves the same, and reading it takes longer than starting one.
static LAST: Mutex<Option<(String, Arc<Contract>)>> = Mutex::new(None);

impl Contract {
    /// The same one for the same document.
    pub(crate) fn once(served: String) -> Arc<Self> {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, contract)) = &*last
            && *text == served
        {
            return Arc::clone(contract);
        }
        let contract = Arc::new(Self::new(serde_json::from_str(&served).unwrap()));
        *last = Some((served, Arc::clone(&contract)));
        contract
    }

    /// From the document that the daemon serves.
    pub(crate) fn new(document: Value) -> Self {
        // While we are root still: what is seen first may be seen as another user.
        note(None);
        let mut contract = Self { document, validators: HashMap::new() };
        let mut schemas = Vec::new();
        for (template, item) in contract.paths() {
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters")
            {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let response = contract.resolve(response);
                    for (media, content) in response["content"].as_object().into_iter().flatten() {
                        // A stream's schema says text; what a line of it is stands beside it.
                        let schema = content.get("x-item-schema").unwrap_or(&content["schema"]);
                        schemas.push((key(method, template, status, media), schema.clone()));
                    }
                }
            }
        }
        schemas.push(("problem".to_owned(), serde_json::json!({ "$ref": "#/components/schemas/Problem" })));
        let components = closed(&contract.document);
        for (key, mut schema) in schemas {
            // References in it begin at the document's root, so that is where it stands.
            if let Some(object) = schema.as_object_mut() {
                object.insert("components".to_owned(), components.clone());
            }
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap_or_else(|error| panic!("{key}: {error}"));
            contract.validators.insert(key, validator);
        }
        contract
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.document["paths"].as_object().unwrap().iter()
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    /// The path template that a request's path is of. The one with fewest parameters wins, as in a router.
    pub(crate) fn template(&self, path: &str) -> Option<&str> {
        let parts: Vec<&str> = path.split('/').collect();
        self.paths()
            .map(|(template, _)| template.as_str())
            .filter(|template| {
                let wanted: Vec<&str> = template.split('/').collect();
                wanted.len() == parts.len()
                    && wanted
                        .iter()
                        .zip(&parts)
                        .all(|(want, part)| want == part || (want.starts_with('{') && !part.is_empty()))
            })
            .min_by_key(|template| template.matches('{').count())
    }

    /// An answer whose body is read elsewhere.
    #[track_caller]
    pub(crate) fn is_answered(&self, method: &str, path: &str, status: u16) {
        let template = self.template(path.split('?').next().unwrap()).unwrap();
        let (method, status) = (method.to_lowercase(), status.to_string());
        assert!(self.document["paths"][template][&method]["responses"][&status].is_object());
        note(Some(answer(&method, template, &status)));
    }

    /// Fails the test when the contract does not allow this answer.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, path: &str, status: u16, media: Option<&str>, body: &str) {
        let path = path.split('?').next().unwrap();
        let request = format!("{method} {path} -> {status}");
        let method = method.to_lowercase();
        let template = self.template(path);
        let operation =
            template.map(|template| &self.document["paths"][template][&method]).filter(|op| op.is_object());
        let schema = match (operation, template) {
            (Some(operation), Some(template)) => {
                let response = &operation["responses"][status.to_string()];
                assert!(response.is_object(), "{request} is not in the contract: {body}");
                note(Some(answer(&method, template, &status.to_string())));
                let response = self.resolve(response);
                let Some(content) = response["content"].as_object() else {
                    assert_eq!(body, "", "{request} has no body in the contract");
                    return;
                };
                if content.contains_key("*/*") {
                    return;
                }
                let media = media.unwrap_or_else(|| panic!("{request} names no media type"));
                let media = media.split(';').next().unwrap();
                assert!(content.contains_key(media), "{request}: {media} is not in the contract");
                if !media.ends_with("json") {
                    return;
                }
                key(&method, template, &status.to_string(), media)
            }
            _ => {
                assert!(matches!(status, 404 | 405), "{request} is an answer to no operation");
                assert_eq!(media, Some("application/problem+json"), "{request}");
                "problem".to_owned()
            }
        };
        // NDJSON is a document a line.
        let many = media.is_some_and(|media| media.contains("ndjson"));
        let documents: Vec<&str> = if many { body.lines().collect() } else { vec![body] };
        for body in documents {
            let value: Value =
                serde_json::from_str(body).unwrap_or_else(|error| panic!("{request}: {error}: {body}"));
            let errors: Vec<String> =
                self.validators[&schema].iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{request} breaks the contract: {errors:?}: {body}");
        }
    }
}

pub(crate) fn answer(method: &str, template: &str, status: &str) -> String {
    format!("{method} {template} {status}")
}

/// The schemas as the daemon of today is held to them. The contract leaves the objects of answers open, and some of their
/// words, so that they may grow within v1 and clients generated today still read them; what it does not name is a lie all
/// the same.
pub(crate) fn closed(document: &Value) -> Value {
    let mut components = document["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
        let schema = schema.as_object_mut().unwrap();
        let Some(properties) = schema.get_mut("properties") else { continue };
        for property in properties.as_object_mut().unwrap().values_mut() {
            if let Some(values) = property.get("x-values") {
                *property = values.clone();
            }
        }
        schema.entry("additionalProperties").or_insert(false.into());
    }
    components
}

fn key(method: &str, template: &str, status: &str, media: &str) -> String {
    format!("{} {media}", answer(method, template, status))
}
