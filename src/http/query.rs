//! Query parameters. A name that the contract does not say is refused for every operation, as an unknown field
//! of a body is, and so is one that is given twice: the generated router passes over the one, and some value would win of
//! the other. What is no number or flag is pointed at, where that router would say it of the whole query. Values of the
//! operations that are served by hand are read here.

use std::str::FromStr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use containerd_rest_api::Problem;

use super::operations::{self, Operation};
use super::problems::answer;
use crate::api::problem;

/// Of a name that the contract does not say.
const UNKNOWN: &str = "is not a parameter of this request";
const TWICE: &str = "is given more than once";
const NO_FLAG: &str = "is neither true nor false";

impl Operation {
    /// What is wrong with one of the parameters, behind those.
    fn fault(&self, before: &[Given], one: &Given) -> Option<Box<Problem>> {
        let Some(schema) = self.parameters.get(&one.name) else { return Some(one.wrong(UNKNOWN)) };
        if before.iter().any(|other| other.name == one.name) {
            return Some(one.wrong(TWICE));
        }
        match (schema["type"].as_str(), schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some("boolean"), ..) => one.flag().err(),
            (Some("integer"), Some(least), Some(most)) => {
                let fits = one.value.parse().is_ok_and(|number: i64| (least..=most).contains(&number));
                (!fits).then(|| one.wrong(&format!("is no whole number from {least} to {most}")))
            }
            _ => None,
        }
    }
}

/// Refuses what the operation does not take.
pub(super) async fn known(request: Request, next: Next) -> Response {
    match fault(request.method().as_str(), request.uri().path(), request.uri().query()) {
        Some(problem) => answer(&problem).into_response(),
        None => next.run(request).await,
    }
}

fn fault(method: &str, path: &str, query: Option<&str>) -> Option<Box<Problem>> {
    let query = query.filter(|query| !query.is_empty())?;
    let operation = operations::find(method, path).filter(|operation| operation.may_refuse)?;
    match parameters(query) {
        Ok(given) => given.iter().enumerate().find_map(|(at, one)| operation.fault(&given[..at], one)),
        Err(problem) => Some(problem),
    }
}

/// One parameter as it was given.
pub(super) struct Given {
    pub(super) name: String,
    pub(super) value: String,
}

/// Those of a query, in order.
pub(super) fn parameters(query: &str) -> Result<Vec<Given>, Box<Problem>> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|error| Box::new(problem::in_query("", &error.to_string())))?;
    Ok(pairs.into_iter().map(|(name, value)| Given { name, value }).collect())
}

impl Given {
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn wrong(&self, words: &str) -> Box<Problem> {
        Box::new(problem::in_query(&self.name, words))
    }

    pub(super) fn parsed<T: FromStr>(&self, words: &str) -> Result<T, Box<Problem>> {
        self.value.parse().map_err(|_| self.wrong(words))
    }

    pub(super) fn flag(&self) -> Result<bool, Box<Problem>> {
        self.parsed(NO_FLAG)
    }
}
