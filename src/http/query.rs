//! Query parameters of the operations that are served by hand, held to the contract as the generated ones
//! are: a name or a value that it does not say is pointed at.

use std::str::FromStr;

use containerd_rest_api::Problem;

use crate::api::problem;

/// Of a name that the contract does not say.
pub(super) const UNKNOWN: &str = "is not a parameter of this request";

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
    pub(super) fn wrong(&self, words: &str) -> Box<Problem> {
        Box::new(problem::in_query(&self.name, words))
    }

    pub(super) fn parsed<T: FromStr>(&self, words: &str) -> Result<T, Box<Problem>> {
        self.value.parse().map_err(|_| self.wrong(words))
    }

    pub(super) fn flag(&self) -> Result<bool, Box<Problem>> {
        self.parsed("is neither true nor false")
    }
}
