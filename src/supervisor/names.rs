//! Names at the border: once parsed, a name can neither leave its folder nor be taken for a flag.

use std::fmt;
use std::str::FromStr;

/// Why a string is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a name: it begins with a letter or digit and goes on with those and _ . + -")]
pub struct BadName {
    text: String,
    /// Of what, as requests call it.
    pub(crate) of: &'static str,
}

fn is_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $of:literal, $longest:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                if is_name(text, $longest) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadName { text: text.to_owned(), of: $of })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A container's name: what runc takes for an id, and safe as a file's name.
    ContainerId,
    "id",
    76
);
impl CheckpointName {
    /// Another one that begins so, shortened where it would be too long.
    pub(super) fn numbered(&self, number: u32) -> Option<Self> {
        let ending = format!("-{number}");
        let begin = &self.0[..self.0.len().min(LONGEST.checked_sub(ending.len())?)];
        format!("{begin}{ending}").parse().ok()
    }
}

/// A checkpoint's name with `.` and `.partial` is a file's name still.
const LONGEST: usize = 128;

name!(
    /// A checkpoint's name, a folder in the bundle's `checkpoints`.
    CheckpointName,
    "checkpoint",
    LONGEST
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder_or_be_a_flag() {
        for bad in ["", ".", "..", "a/b", "-f", ".hidden", "a b", "ä", "a\0", &"x".repeat(77)] {
            assert!(ContainerId::from_str(bad).is_err(), "{bad:?}");
        }
        let longest: CheckpointName = "x".repeat(128).parse().unwrap();
        assert_eq!(longest.numbered(1).unwrap().as_str(), format!("{}-1", "x".repeat(126)));
        for good in ["a", "redis", "A-1_b.c+d", &"x".repeat(76)] {
            assert_eq!(ContainerId::from_str(good).unwrap().as_str(), good);
        }
    }
}
