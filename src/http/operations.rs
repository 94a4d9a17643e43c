//! The contract's operations, for what is done in front of every one of them: which is asked for, and what it takes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use containerd_rest_api::OPENAPI_JSON;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// More than any path of ours has, in bytes.
const LONGEST: usize = 512;

/// An operation of the contract.
pub(super) struct Operation {
    /// Its `operationId`.
    pub(super) id: String,
    method: String,
    path: Vec<String>,
    /// Its query parameters' schemas, by their names.
    pub(super) parameters: BTreeMap<String, Value>,
    /// Whether it may answer 422.
    pub(super) may_refuse: bool,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let contract: Value = serde_json::from_str(OPENAPI_JSON).unwrap_or_default();
    let paths = contract["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    });
    operations.filter_map(|found| Operation::new(&contract, found)).collect()
});

/// What is asked for, unless the contract does not have it.
pub(super) fn find(method: &str, path: &str) -> Option<&'static Operation> {
    let path: Vec<&str> = path.split('/').collect();
    OPERATIONS.iter().find(|operation| operation.is(method, &path))
}

/// The container that a path is about, by its name: what is percent-encoded is decoded, as the router does it.
pub(super) fn container_of(path: &str) -> Option<Cow<'_, str>> {
    path.strip_prefix("/containers/")?.split('/').next().map(decoded)
}

/// The checkpoint, the same.
pub(super) fn checkpoint_of(path: &str) -> Option<Cow<'_, str>> {
    let mut parts = path.strip_prefix("/containers/")?.split('/').skip(1);
    (parts.next()? == "checkpoint").then(|| parts.next().map(decoded))?
}

fn decoded(part: &str) -> Cow<'_, str> {
    percent_decode_str(part).decode_utf8_lossy()
}

/// As much of a path, or of words with one in them, as is written down: whoever is refused chooses it, and no more is kept
/// than any of ours has.
pub(super) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

impl Operation {
    fn new(contract: &Value, (path, method, found): (&String, &String, &Value)) -> Option<Self> {
        let parameters = found["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => contract.pointer(reference.trim_start_matches('#')).unwrap_or(parameter),
            None => parameter,
        });
        let in_query = parameters.filter(|parameter| parameter["in"] == "query");
        Some(Self {
            id: found["operationId"].as_str()?.to_owned(),
            method: method.to_uppercase(),
            path: path.split('/').map(str::to_owned).collect(),
            parameters: in_query
                .filter_map(|parameter| {
                    Some((parameter["name"].as_str()?.to_owned(), parameter["schema"].clone()))
                })
                .collect(),
            may_refuse: found["responses"]["422"].is_object(),
        })
    }

    fn is(&self, method: &str, path: &[&str]) -> bool {
        self.method == method
            && self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(want, part)| want == part || want.starts_with('{'))
    }
}
