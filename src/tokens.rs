//! Tokens: for who is not let in by the kernel's word, as a browser of an ordinary user. A file each in the durable folder,
//! read when one is shown: so that one is made, or revoked, without the daemon. Only a digest of the secret is kept.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::caller::Role;
use crate::hex::hexadecimal;
use crate::runtime::durable::{LOCK, sync_folder, write_synced};
use crate::runtime::regular;

/// So that whoever finds one in a log or a repository knows what it is.
const PREFIX: &str = "crt_";
/// Bytes: no digest of so many is guessed, so none is salted.
const SECRET: usize = 32;
/// The longest name.
const NAME: usize = 32;
/// Of a file that holds one, in bytes.
const LARGEST: u64 = 4096;

/// The tokens of a durable folder.
#[derive(Debug, Clone)]
pub struct Tokens(PathBuf);

/// What is kept of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// By what it is listed, revoked and written down.
    pub name: String,
    /// What it lets do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it lets nobody in.
    pub expires_at: Option<Timestamp>,
    /// The secret's, SHA-256, in hexadecimal digits.
    digest: String,
}

/// Why a token cannot be made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name cannot be one.
    #[error("{0} cannot be a token's name: use 1 to {NAME} of a-z, 0-9 and -")]
    BadName(String),
    /// There is one.
    #[error("there is a token {0}: revoke it, or choose another name")]
    Exists(String),
    /// There is none.
    #[error("there is no token {0}; containerd-rest token list says which there are")]
    NoSuch(String),
    /// It would last for longer than times go.
    #[error("a token cannot last that long; never is for ever")]
    TooLong,
    /// The folder is no daemon's.
    #[error(
        "no daemon has ever used {}, so nobody would know the token: start it first, or name its folder with --root DIR", root.display()
    )]
    NoDaemon {
        /// The folder.
        root: PathBuf,
    },
    /// A file of the host's.
    #[error("{path}: {source}")]
    Host {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a token lets nobody in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Bad {
    /// None, or revoked; it is not said which.
    #[error("the token is none of this daemon's, or was revoked")]
    Unknown,
    /// Over.
    #[error("the token {name} has expired at {at}")]
    Expired {
        /// Its name.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// What is kept of it cannot be read.
    #[error("what is kept of the token {name} cannot be read: {why}")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

impl Tokens {
    /// Those of the daemon whose durable folder this is. Nothing is read or made yet.
    pub fn of(root: &Path) -> Self {
        Self(root.join("tokens"))
    }

    /// Makes one, and gives it as it is to be shown: this once. Without a name it gets one. Blocks.
    ///
    /// # Errors
    ///
    /// The name is bad or taken, or the folder cannot be written.
    pub fn make(
        &self,
        name: Option<&str>,
        role: Role,
        lasts: Option<SignedDuration>,
    ) -> Result<(Token, String), TokenError> {
        let folder = &self.0;
        let at = |path: &Path| {
            let path = path.to_owned();
            |source| TokenError::Host { path, source }
        };
        let random = |bytes: &mut [u8]| {
            getrandom::fill(bytes).map_err(|error| TokenError::Host {
                path: "getrandom(2)".into(),
                source: io::Error::other(error),
            })
        };
        let (mut secret, mut own) = ([0; SECRET], [0; 4]);
        random(&mut secret)?;
        random(&mut own)?;
        let name = name.map_or_else(|| hexadecimal(&own), str::to_owned);
        if !is_name(&name) {
            return Err(TokenError::BadName(name));
        }
        let secret = hexadecimal(&secret);
        let created_at = Timestamp::now();
        let expires_at = lasts.map(|lasts| created_at.checked_add(lasts)).transpose();
        let expires_at = expires_at.map_err(|_| TokenError::TooLong)?;
        let token = Token { name, role, created_at, expires_at, digest: digest(&secret) };

        self.assert_used()?;
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(folder)(error)),
            _ => {}
        }
        let path = self.file(&token.name);
        // No name of a token begins so.
        let beside = folder.join(format!(".{}.{}", token.name, std::process::id()));
        let bytes = serde_json::to_vec(&token).map_err(|error| at(&path)(error.into()))?;
        write_synced(&beside, &bytes).map_err(at(&beside))?;
        let named = renameat_with(CWD, &beside, CWD, &path, RenameFlags::NOREPLACE);
        if let Err(error) = named {
            let _ = fs::remove_file(&beside);
            return Err(match error {
                rustix::io::Errno::EXIST => TokenError::Exists(token.name),
                error => at(&path)(error.into()),
            });
        }
        sync_folder(folder).map_err(at(folder))?;
        let shown = format!("{PREFIX}{}_{secret}", token.name);
        Ok((token, shown))
    }

    /// A daemon's folder has its lock from its first start on.
    fn assert_used(&self) -> Result<(), TokenError> {
        let root = self.0.parent().unwrap_or(&self.0);
        match fs::symlink_metadata(root.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(TokenError::NoDaemon { root: root.to_owned() })
            }
            // Who may not look is told of what they may not.
            _ => Ok(()),
        }
    }

    /// All, by name; what cannot be read is left out. Blocks.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Token>, TokenError> {
        self.assert_used()?;
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(TokenError::Host { path: self.0.clone(), source }),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut all: Vec<Token> =
            names.filter(|name| is_name(name)).filter_map(|name| self.read(&name).ok()).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// From now on it lets nobody in. Blocks.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it cannot be removed.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        let no_such = || TokenError::NoSuch(name.to_owned());
        let path = is_name(name).then(|| self.file(name)).ok_or_else(no_such)?;
        match fs::remove_file(&path).and_then(|()| sync_folder(&self.0)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(no_such()),
            Err(source) => Err(TokenError::Host { path, source }),
        }
    }

    /// The token that somebody shows. Blocks.
    ///
    /// # Errors
    ///
    /// It lets nobody in.
    pub fn judge(&self, shown: &str) -> Result<Token, Bad> {
        let parts = shown.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (name, secret) = parts.filter(|(name, _)| is_name(name)).ok_or(Bad::Unknown)?;
        let token = self.read(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Bad::Unknown,
            _ => Bad::Unreadable { name: name.to_owned(), why: error.to_string() },
        })?;
        if !bool::from(digest(secret).as_bytes().ct_eq(token.digest.as_bytes())) {
            return Err(Bad::Unknown);
        }
        match token.expires_at {
            Some(at) if at <= Timestamp::now() => Err(Bad::Expired { name: token.name, at }),
            _ => Ok(token),
        }
    }

    fn read(&self, name: &str) -> io::Result<Token> {
        Ok(serde_json::from_slice(&regular::read(&self.file(name), LARGEST)?)?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn digest(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_token_lets_in_until_it_is_over_or_revoked_and_its_secret_is_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(root.path());
        assert!(matches!(tokens.make(None, Role::Read, None), Err(TokenError::NoDaemon { .. })));
        assert!(matches!(tokens.list(), Err(TokenError::NoDaemon { .. })));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        fs::write(root.path().join(LOCK), "").unwrap();
        let (made, shown) =
            tokens.make(Some("laptop"), Role::Read, Some(SignedDuration::from_hours(1))).unwrap();
        assert_eq!(made.role, Role::Read);
        assert_eq!(tokens.judge(&shown).unwrap().name, "laptop");

        let secret = shown.rsplit('_').next().unwrap();
        let kept = fs::read_to_string(root.path().join("tokens/laptop")).unwrap();
        assert!(secret.len() == 64 && !kept.contains(secret), "{kept}");
        assert_eq!(fs::metadata(root.path().join("tokens")).unwrap().mode() & 0o777, 0o700);

        let changed = format!("{}{}", &shown[..shown.len() - 1], if shown.ends_with('0') { 1 } else { 0 });
        for other in
            [&changed, "", "crt_", "crt_laptop_", "crt_desktop_00", "crt_../laptop_00", &shown[4..], secret]
        {
            assert!(matches!(tokens.judge(other), Err(Bad::Unknown)), "{other}");
        }
        assert!(matches!(tokens.make(Some("laptop"), Role::Read, None), Err(TokenError::Exists(_))));
        assert!(tokens.judge(&shown).is_ok(), "the first is as it was");

        let (_, over) = tokens.make(None, Role::Admin, Some(SignedDuration::ZERO)).unwrap();
        assert!(matches!(tokens.judge(&over), Err(Bad::Expired { .. })));

        assert_eq!(tokens.list().unwrap().len(), 2);
        tokens.revoke("laptop").unwrap();
        assert!(matches!(tokens.judge(&shown), Err(Bad::Unknown)));
        assert!(matches!(tokens.revoke("laptop"), Err(TokenError::NoSuch(_))));
        for bad in ["", ".", "../x", "A", "a_b", &"a".repeat(33)] {
            assert!(matches!(tokens.make(Some(bad), Role::Read, None), Err(TokenError::BadName(_))), "{bad}");
            assert!(matches!(tokens.revoke(bad), Err(TokenError::NoSuch(_))), "{bad}");
        }
    }
}
