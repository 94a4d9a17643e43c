//! How a problem document becomes an operation's typed answer: one `From<Problem>` an operation, so
//! that the daemon can give no status that the contract does not name.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The source of `answers.rs`: for every generated operation that can fail, its statuses.
pub(crate) fn generate(contract: &Value) -> Result<String> {
    let mut source = String::from("use crate::server::*;\nuse crate::types::Problem;\n");
    let paths = contract["paths"].as_object().context("the contract has no paths")?;
    for operation in paths.values().filter_map(Value::as_object).flat_map(|item| item.values()) {
        let Some(id) = operation["operationId"].as_str() else {
            continue;
        };
        let responses = operation["responses"].as_object().context("an operation has answers")?;
        let problems: Vec<&str> =
            responses.keys().map(String::as_str).filter(|status| *status >= "400").collect();
        // One that takes nothing refuses whom and what it is not to take (401, 403, a query parameter, one too many) before
        // its handler, which cannot fail.
        if problems.iter().all(|status| ["401", "403", "422", "429"].contains(status))
            || crate::BY_HAND.contains(&id)
        {
            continue;
        }
        if !problems.contains(&"500") {
            bail!("{id} can fail, so it must name 500: a fault of the daemon's own has to be said");
        }
        let name = format!("{}{}Response", id[..1].to_ascii_uppercase(), &id[1..]);
        write!(source, "\nimpl From<Problem> for {name} {{\n    fn from(problem: Problem) -> Self {{\n")?;
        source.push_str("        match problem.status {\n");
        for status in problems.iter().filter(|status| **status != "500") {
            writeln!(source, "            {status} => Self::{}(problem),", variant(status))?;
        }
        source.push_str("            _ => Self::InternalServerError(Problem { status: 500, ..problem }),\n");
        source.push_str("        }\n    }\n}\n");
    }
    Ok(source)
}

/// The name that the generator gives to a status.
fn variant(status: &str) -> String {
    match status {
        "400" => "BadRequest".into(),
        "401" => "Unauthorized".into(),
        "403" => "Forbidden".into(),
        "404" => "NotFound".into(),
        "409" => "Conflict".into(),
        "422" => "UnprocessableEntity".into(),
        "429" => "TooManyRequests".into(),
        "503" => "ServiceUnavailable".into(),
        other => format!("Status{other}"),
    }
}
