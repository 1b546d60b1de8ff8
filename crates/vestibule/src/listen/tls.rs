//! TLS on the listener: the operator's certificate, or a development one made here.
//!
//! A reload that fails keeps what was there: a half-copied renewal never takes the server down.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};

use crate::data;

/// What the server proves itself with; can be renewed while it serves.
pub struct Identity {
    files: Files,
    current: ArcSwap<ServerConfig>,
}

/// A certificate chain and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// Leaf first.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// What was agreed on with a client, in CloudTrail's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsDetails {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'static str,
}

/// Why there is no usable certificate.
#[derive(Debug)]
pub struct TlsError(String);

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read, is not PEM, or a key that is not the certificate's.
    pub fn load(files: Files) -> Result<Identity, TlsError> {
        let current = ArcSwap::from_pointee(server_config(&files)?);
        Ok(Identity { files, current })
    }

    /// Reads the files again; connections that stand keep what they agreed on.
    ///
    /// # Errors
    /// As [`Identity::load`]; the old certificate stays in use then.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(server_config(&self.files)?));
        Ok(())
    }

    pub(super) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.current.load_full().into()
    }
}

fn server_config(files: &Files) -> Result<ServerConfig, TlsError> {
    let failed =
        |path: &Path, why: &dyn fmt::Display| TlsError(format!("{}: {why}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|error| failed(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(failed(&files.certificate, &"holds no certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| failed(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| failed(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

// Development certificates ------------------------------------------------------------------------

/// How long a development certificate lives; clients refuse much longer ones.
const LIFE: SignedDuration = SignedDuration::from_hours(397 * 24);
/// It is made anew when less than this is left.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What a development certificate was made for; kept beside it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MadeFor {
    names: Vec<String>,
    /// Seconds since the epoch.
    until: i64,
}

/// The development certificate in `folder`, made there when it is missing, made for other names,
/// or about to expire. `ca.pem` is what clients must trust; its key is forgotten at once, so that
/// it can never vouch for anything else.
///
/// # Errors
/// A name that no certificate can hold, a folder that cannot be written.
pub fn development(folder: &Path, names: &[String], now: Timestamp) -> Result<Files, TlsError> {
    let files = Files { certificate: folder.join("server.pem"), key: folder.join("server.key") };
    let note = folder.join("made-for.json");
    let made: Option<MadeFor> =
        std::fs::read(&note).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let usable = made.is_some_and(|made| {
        let left = SignedDuration::from_secs(made.until.saturating_sub(now.as_second()));
        made.names == names && left > RENEW_BEFORE && left <= LIFE
    });
    if usable && files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }

    let until = now.checked_add(LIFE).map_err(|error| TlsError(error.to_string()))?;
    let made = make(names, now, until).map_err(|error| {
        TlsError(format!("no development certificate for {}: {error}", names.join(", ")))
    })?;
    let record = MadeFor { names: names.to_vec(), until: until.as_second() };
    let record = serde_json::to_vec(&record).map_err(|error| TlsError(error.to_string()))?;
    let writes = [
        (folder.join("ca.pem"), made.authority.as_bytes()),
        (files.key.clone(), made.key.as_bytes()),
        (files.certificate.clone(), made.chain.as_bytes()),
        (note, &record),
    ];
    for (path, content) in writes {
        data::write_private(&path, content).map_err(|error| TlsError(error.to_string()))?;
    }
    Ok(files)
}

struct Made {
    authority: String,
    chain: String,
    key: String,
}

fn make(names: &[String], now: Timestamp, until: Timestamp) -> Result<Made, rcgen::Error> {
    let day = |at: Timestamp, days: i64| {
        let at = at.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(at);
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let part = |n: i8| u8::try_from(n).unwrap_or(1);
        rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "vestibule development authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.not_before = day(now, -1);
    authority.not_after = day(until, 0);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut leaf = CertificateParams::new(names.to_vec())?;
    leaf.distinguished_name = rcgen::DistinguishedName::new();
    leaf.distinguished_name.push(DnType::CommonName, "vestibule development server");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    leaf.not_before = day(now, -1);
    leaf.not_after = day(until, 0);
    let key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&key, &Issuer::from_params(&authority, authority_key))?;

    let authority = authority_certificate.pem();
    Ok(Made { chain: format!("{}{authority}", leaf.pem()), authority, key: key.serialize_pem() })
}

impl fmt::Display for TlsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TLS: {}", self.0)
    }
}

impl std::error::Error for TlsError {}
