//! A certificate authority of the test's own: root, intermediate, and a leaf for `localhost`.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// The files of one private authority, in a folder that ends with it.
pub struct Authority {
    folder: TempDir,
    thumbprint: String,
}

impl Authority {
    /// Makes new keys and certificates.
    pub fn new() -> Authority {
        let root_key = key();
        let root = authority("Private root");
        let root_certificate = root.self_signed(&root_key).expect("a self-signed root");
        let root = Issuer::new(root, root_key);

        let middle_key = key();
        let middle = authority("Private intermediate");
        let middle_certificate = middle.signed_by(&middle_key, &root).expect("an intermediate");
        let middle = Issuer::new(middle, middle_key);

        let leaf_key = key();
        let mut leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .expect("two valid names");
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf_certificate = leaf.signed_by(&leaf_key, &middle).expect("a leaf");

        let folder = TempDir::new().expect("a temporary folder");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a file in it");
        };
        write("root.pem", root_certificate.pem());
        write("chain.pem", format!("{}{}", leaf_certificate.pem(), middle_certificate.pem()));
        write("leaf.key", leaf_key.serialize_pem());
        let thumbprint = thumbprint(&middle_certificate);
        Authority { folder, thumbprint }
    }

    /// What IAM calls the thumbprint: SHA-1 over the last certificate that the server sends.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The root certificate, PEM.
    pub fn root(&self) -> PathBuf {
        self.path("root.pem")
    }

    /// What the server sends: leaf and intermediate, PEM.
    pub fn chain(&self) -> PathBuf {
        self.path("chain.pem")
    }

    /// The leaf's private key, PEM.
    pub fn key(&self) -> PathBuf {
        self.path("leaf.key")
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(self.folder.path(), name)
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a new key")
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn thumbprint(certificate: &Certificate) -> String {
    hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der()))
}
