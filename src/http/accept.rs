//! `Accept` where an answer has two forms (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

/// Whether the caller would rather have `other` than `usual`: it names `other`, and does not name `usual` before it or with
/// a greater weight. Clients that were generated name both, in the contract's order.
pub(super) fn prefers(headers: &HeaderMap, other: &str, usual: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let place = |media: &str| {
        accept.split(',').enumerate().find_map(|(index, part)| {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case(media).then(|| (weight(parameters), std::cmp::Reverse(index)))
        })
    };
    let (other, usual) = (place(other), place(usual));
    other.is_some_and(|(weight, _)| weight > 0) && other > usual
}

/// In thousandths, as finely as it may be given.
fn weight(parameters: &str) -> u32 {
    let given = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    let weight = given.and_then(|given| given.parse::<f32>().ok()).unwrap_or(1.0);
    (weight.clamp(0.0, 1.0) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_named_wins_and_then_its_weight() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("b/b", true),
            ("B/B; charset=utf-8", true),
            ("a/a", false),
            ("a/a, b/b", false),
            ("b/b,a/a", true),
            ("a/a;q=0.5, b/b;q=0.9", true),
            ("b/b;q=0.5, a/a", false),
            ("b/b;q=0", false),
            ("b/bb", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers(&headers, "b/b", "a/a"), expected, "{accept}");
        }
    }
}
