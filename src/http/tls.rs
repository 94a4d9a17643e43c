//! TLS, for addresses that others than this host reach: nobody is spoken to who has no certificate of a CA that the
//! configuration names. What such a certificate lets do is the configuration's word too, by its common name.
//!
//! The files are looked at for every connection, so that a certificate that was renewed counts from the next one on. What is
//! wrong with new ones is logged, and the ones before stay in use.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, ServerConnection, version};
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::attr::AttributeValue;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};

use super::callers::Peer;
use super::detach::Connection;
use crate::caller::Role;
use crate::runtime::regular;

/// Nothing is heard for so many seconds: then it is asked whether the other end is there still (tcp(7)).
const KEEP_IDLE: u32 = 60;

/// A connection on which TLS is spoken.
pub(super) type Spoken = TlsStream<Connection<TcpStream>>;

/// A bundle of every CA there is has some 200 KiB.
const LARGEST: u64 = 4 * 1024 * 1024;

/// X.520's commonName.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The files, as the configuration names them, and whom it lets in.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Our certificate, with those between it and its CA behind it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The CAs of clients.
    pub client_ca: PathBuf,
    /// What those of clients let do, by their common names.
    pub roles: BTreeMap<String, Role>,
}

/// Why TLS cannot be spoken; each names its file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read, or is no PEM of that kind.
    #[error("{path} cannot be read: {source}; {what} is wanted, as PEM")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is to be in it.
        what: &'static str,
        /// Why not.
        source: pem::Error,
    },
    /// Others may read it, or could before: a key is to be known to nobody else.
    #[error(
        "the key {path} can be {how}: make it root's, and readable by nobody else (chown root, chmod 600)"
    )]
    Loose {
        /// The file.
        path: PathBuf,
        /// By whom, and what.
        how: String,
    },
    /// It is no file to be read as one.
    #[error("{path} cannot be read: {source}; {what} is wanted, as PEM")]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What is to be in it.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// There is none in it.
    #[error("{path} has no certificate in it; {what} is wanted, as PEM")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is to be in it.
        what: &'static str,
    },
    /// Certificate and key do not fit, or are of a kind that is not known.
    #[error("{certificate} and {key} cannot be used: {source}")]
    Unfit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The clients' CA is none.
    #[error("{path} cannot be used as the clients' CA: {source}")]
    BadCa {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: VerifierBuilderError,
    },
}

/// What is spoken, and what whose certificate lets do; clones are the same.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificates: Certificates,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    seen: Seen,
    spoken: Arc<ServerConfig>,
}

/// By what it is known that a file is another: device, number, size, and when it was changed.
type Seen = [Option<(u64, u64, u64, i64, i64)>; 3];

impl Tls {
    /// Reads the files. Blocks.
    ///
    /// # Errors
    ///
    /// They cannot be used.
    pub fn open(certificates: Certificates) -> Result<Self, TlsError> {
        let (seen, spoken) = (certificates.seen(), certificates.read()?);
        let current = Mutex::new(Current { seen, spoken });
        Ok(Self(Arc::new(Shared { certificates, current })))
    }

    /// The other end shows its certificate, or is not spoken to.
    pub(super) async fn greet(
        self,
        mut io: Connection<TcpStream>,
        peer: Peer,
    ) -> Option<(Connection<Spoken>, Peer)> {
        let silence = io.take_silence();
        // One that has gone without a word is found out in minutes.
        let _ = setsockopt(Connection::of(&io), sockopt::KeepAlive, &true);
        let _ = setsockopt(Connection::of(&io), sockopt::TcpKeepIdle, &KEEP_IDLE);
        let spoken = match self.acceptor().await {
            Ok(acceptor) => acceptor.accept(io).await,
            Err(error) => Err(error),
        };
        match spoken {
            Ok(spoken) => {
                let name = name_of(spoken.get_ref().1);
                let role = name.as_ref().and_then(|name| self.0.certificates.roles.get(name).copied());
                Some((Connection::<TcpStream>::around(spoken, silence), peer.shown(name, role)))
            }
            Err(error) => {
                tracing::info!(%error, "a connection by TLS was refused");
                None
            }
        }
    }

    /// As the files are now.
    async fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let tls = self.clone();
        let spoken =
            tokio::task::spawn_blocking(move || tls.0.looked_at()).await.map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(spoken))
    }
}

impl Shared {
    fn looked_at(&self) -> Arc<ServerConfig> {
        let seen = self.certificates.seen();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if seen != current.seen {
            // Once for each change.
            current.seen = seen;
            match self.certificates.read() {
                Ok(spoken) => {
                    tracing::info!("the certificates were read anew");
                    current.spoken = spoken;
                }
                Err(error) => {
                    tracing::error!(%error, "the new certificates are not used, the ones before are")
                }
            }
        }
        Arc::clone(&current.spoken)
    }
}

impl Certificates {
    fn seen(&self) -> Seen {
        let seen = |path: &PathBuf| {
            let of = fs::metadata(path).ok()?;
            // A change of its mode counts, which may be what it was refused for.
            Some((of.dev(), of.ino(), of.size(), of.ctime(), of.ctime_nsec()))
        };
        [&self.certificate, &self.key, &self.client_ca].map(seen)
    }

    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = certificates(&self.certificate, "the daemon's certificate")?;
        let key = key(&self.key)?;
        let mut roots = RootCertStore::empty();
        let bad_ca = |source| TlsError::BadCa { path: self.client_ca.clone(), source };
        for ca in certificates(&self.client_ca, "the clients' CA")? {
            roots.add(ca).map_err(|error| TlsError::Unfit {
                certificate: self.client_ca.clone(),
                key: self.key.clone(),
                source: error,
            })?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = verifier.build().map_err(bad_ca)?;
        let unfit =
            |source| TlsError::Unfit { certificate: self.certificate.clone(), key: self.key.clone(), source };
        let builder =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&version::TLS13]);
        let builder = builder.map_err(unfit)?.with_client_cert_verifier(verifier);
        let mut spoken = builder.with_single_cert(own, key).map_err(unfit)?;
        spoken.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes again shows their certificate again: it may have expired, or its CA be another.
        spoken.session_storage = Arc::new(NoServerSessionStorage {});
        spoken.send_tls13_tickets = 0;
        Ok(Arc::new(spoken))
    }
}

/// Read as sshd reads its own: what others could have read, or written, is no key.
fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "the certificate's key";
    let no_file = |source| TlsError::NoFile { path: path.to_owned(), what, source };
    let file = regular::open_linked(path).map_err(no_file)?;
    let of = file.metadata().map_err(no_file)?;
    if let Some(how) = loose(of.uid(), of.gid(), of.mode()) {
        return Err(TlsError::Loose { path: path.to_owned(), how });
    }
    let pem = regular::whole(file, LARGEST).map_err(no_file)?;
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), what, source };
    PrivateKeyDer::from_pem_slice(&pem).map_err(unreadable)
}

/// By whom a file can be read or changed beside root and us, in words; root's own group is root.
fn loose(uid: u32, gid: u32, mode: u32) -> Option<String> {
    if uid != 0 && uid != nix::unistd::geteuid().as_raw() {
        return Some(format!("read and changed by the user {uid}, whose it is"));
    }
    let done = |bits: u32| if bits & 0o2 == 0 { "read" } else { "changed" };
    if mode & 0o007 != 0 {
        return Some(format!("{} by everybody", done(mode)));
    }
    (gid != 0 && mode & 0o070 != 0).then(|| format!("{} by the group {gid}", done(mode >> 3)))
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let no_file = |source| TlsError::NoFile { path: path.to_owned(), what, source };
    let pem = regular::read_linked(path, LARGEST).map_err(no_file)?;
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), what, source };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = all.map_err(unreadable)?;
    if all.is_empty() { Err(TlsError::Empty { path: path.to_owned(), what }) } else { Ok(all) }
}

/// Whose a connection is: the common name in the certificate that was verified. One with several, or none, is nobody's.
fn name_of(connection: &ServerConnection) -> Option<String> {
    common_name(connection.peer_certificates()?.first()?)
}

fn common_name(certificate: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let parts = certificate.tbs_certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let mut names = parts.filter(|part| part.oid == COMMON_NAME).map(|part| &part.value);
    let name = names.next()?;
    if names.next().is_some() {
        return None;
    }
    text(name).filter(|name| !name.is_empty())
}

fn text(value: &AttributeValue) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            String::from_utf8(value.value().to_vec()).ok()
        }
        // Of other days.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    fn named(names: &[DnValue]) -> Option<String> {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for name in names {
            params.distinguished_name.push(DnType::CommonName, name.clone());
        }
        params.distinguished_name.push(DnType::OrganizationName, "admins");
        common_name(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
    }

    #[test]
    fn a_key_is_roots_alone() {
        for (uid, gid, mode, how) in [
            (0, 0, 0o600, None),
            (0, 0, 0o640, None),
            (0, 7, 0o600, None),
            (0, 7, 0o640, Some("read by the group 7")),
            (0, 7, 0o660, Some("changed by the group 7")),
            (0, 0, 0o644, Some("read by everybody")),
            (0, 0, 0o602, Some("changed by everybody")),
            (65534, 0, 0o600, Some("read and changed by the user 65534, whose it is")),
        ] {
            assert_eq!(loose(uid, gid, mode).as_deref(), how, "{uid} {gid} {mode:o}");
        }
    }

    #[test]
    fn a_certificate_is_its_common_names_and_without_one_nobodys() {
        assert_eq!(named(&["ops".into()]), Some("ops".to_owned()));
        assert_eq!(named(&[DnValue::PrintableString("ops".try_into().unwrap())]), Some("ops".to_owned()));
        assert_eq!(named(&[]), None);
        assert_eq!(named(&["".into()]), None);
        assert_eq!(named(&[DnValue::BmpString("ops".try_into().unwrap())]), None);
        assert_eq!(common_name(b"nonsense"), None);
    }
}
