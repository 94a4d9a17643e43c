//! Certificates of CAs of a test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate's file, and its key's.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "a test's own CA");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn write(&self, file: &Path) {
        replace(file, &self.0.pem());
    }

    /// For a server of these names, or for a client who is called so.
    pub(crate) fn issue(&self, folder: &Path, called: &str, names: &[&str]) -> Pair {
        self.issue_until(folder, called, names, 2100)
    }

    /// Until that year begins.
    pub(crate) fn issue_until(&self, folder: &Path, called: &str, names: &[&str], year: i32) -> Pair {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, called);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let pair = Pair {
            certificate: folder.join(format!("{called}.pem")),
            key: folder.join(format!("{called}.key")),
        };
        replace(&pair.key, &key.serialize_pem());
        replace(&pair.certificate, &certificate.pem());
        pair
    }
}

/// As whoever renews a certificate does it.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, file).unwrap();
}
