use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

use crate::server::InvalidParameter;

/// What one schema error says to a person: a JSON Pointer to the fault itself, a stable code, and
/// words that name the bound but never the value sent (it may be a secret).
pub(crate) fn of(location: &str, error: &ValidationError<'_>) -> Vec<InvalidParameter> {
    let at = format!("{location}{}", error.instance_path());
    let child = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| violation("unknown_field", child(name), "is not a field of this request"))
            .collect(),
        ValidationErrorKind::Required { property } => {
            vec![violation("required", child(property.as_str().unwrap_or_default()), "is required")]
        }
        ValidationErrorKind::Pattern { pattern } => {
            vec![violation("pattern", at, &of_pattern(pattern))]
        }
        kind => {
            let words = error.masked_with("").to_string();
            vec![violation(&snake(kind.keyword()), at, words.trim_start())]
        }
    }
}

/// A regular expression says little to a person; those of the contract are few.
fn of_pattern(pattern: &str) -> String {
    if pattern.starts_with("^/") {
        "is not an absolute path".to_owned()
    } else if pattern.starts_with("^[A-Za-z0-9]") {
        "is not a name: it begins with a letter or digit and goes on with those and _ . + -".to_owned()
    } else if pattern.starts_with("^[^=") {
        "is not NAME=value".to_owned()
    } else {
        format!("does not match {pattern}")
    }
}

fn violation(code: &str, location: String, message: &str) -> InvalidParameter {
    InvalidParameter { code: code.to_owned(), location, message: message.to_owned() }
}

fn snake(keyword: &str) -> String {
    keyword
        .chars()
        .flat_map(|c| {
            let underscore = c.is_ascii_uppercase().then_some('_');
            underscore.into_iter().chain(std::iter::once(c.to_ascii_lowercase()))
        })
        .collect()
}
