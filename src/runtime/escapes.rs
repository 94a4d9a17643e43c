//! Ways out of a container that are known of a version of runc, by its security advisories
//! (<https://github.com/opencontainers/runc/security/advisories>). A distribution may have mended its own without a new number.

/// A version, to be compared: the last number is that of a release candidate, or none.
type Version = (u32, u32, u32, u32);

const FINAL: u32 = u32::MAX;

/// Each with the versions that mended it, a line of versions each, the oldest first.
const KNOWN: [(&str, &[Version]); 4] = [
    ("CVE-2024-21626", &[(1, 1, 12, FINAL)]),
    ("CVE-2025-31133", &[(1, 2, 8, FINAL), (1, 3, 3, FINAL), (1, 4, 0, 3)]),
    ("CVE-2025-52565", &[(1, 2, 8, FINAL), (1, 3, 3, FINAL), (1, 4, 0, 3)]),
    ("CVE-2025-52881", &[(1, 2, 8, FINAL), (1, 3, 3, FINAL), (1, 4, 0, 3)]),
];

/// Those of a version, as `runc --version` tells it; of what is no version of runc's, none.
pub fn of(version: &str) -> Vec<&'static str> {
    let Some(version) = parse(version) else { return Vec::new() };
    let has = |mended: &[Version]| {
        let line = |one: &Version| (one.0, one.1);
        let own = mended.iter().find(|mended| line(mended) >= line(&version));
        own.is_some_and(|mended| version < *mended)
    };
    KNOWN.iter().filter(|(_, mended)| has(mended)).map(|(name, _)| *name).collect()
}

fn parse(version: &str) -> Option<Version> {
    let version = version.split(['+', '~', ' ']).next()?;
    let (numbers, candidate) = version.split_once("-rc").map_or((version, None), |(a, b)| (a, Some(b)));
    let mut numbers = numbers.split('-').next()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    let candidate = candidate.map_or(Some(FINAL), |number| number.trim_start_matches('.').parse().ok());
    Some((next()?, next()?, next()?, candidate?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_versions_was_mended_at_its_own() {
        for (version, count) in [
            ("1.0.0-rc93", 4),
            ("1.1.5+ds1", 4),
            ("1.1.11", 4),
            ("1.1.12", 3),
            ("1.1.15+ds1-2+b4", 3),
            ("1.2.0-rc.1", 3),
            ("1.2.7", 3),
            ("1.2.8", 0),
            ("1.3.2", 3),
            ("1.3.3", 0),
            ("1.4.0-rc.2", 3),
            ("1.4.0-rc.3", 0),
            ("1.4.0", 0),
            ("1.5.0-rc.1", 0),
            ("2.0.0", 0),
            ("1.2.8-dev", 0),
            ("crun version 1.8.1", 0),
            ("", 0),
        ] {
            assert_eq!(of(version).len(), count, "{version}");
        }
        assert_eq!(of("1.1.15").first(), Some(&"CVE-2025-31133"));
    }
}
