//! Whether a provider's server is who the provider's registration says.
//!
//! One verifier ([`Anchors`]) with three sources of trust, in this order: the public roots, the
//! operator's private authorities for this provider, the registered thumbprints. It tells which
//! one accepted, and if none did, why. All certificates are held against the injected clock.
//!
//! A thumbprint is the SHA-1 of the top intermediate certificate, the last one that the server
//! sends (IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider").

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError,
    RootCertStore, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs::default_provider},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
    time_provider::TimeProvider,
};
use webpki::{EndEntityCert, KeyUsage};

use super::Clock;

/// The most certificates of a chain that are looked at.
const MAX_CHAIN: usize = 10;

/// The SHA-1 of a certificate: 40 lower-case hexadecimal characters in its text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 20]);

/// What vouched for a server; the text is CloudTrail's `identityProviderConnectionVerificationMethod`
/// (the third one is ours: AWS has no private authorities).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerifiedBy {
    /// A public root.
    IamTrustStore,
    /// A certificate authority from the operator's configuration of this provider.
    PrivateCa,
    /// A registered thumbprint.
    Thumbprint,
}

/// Why a TLS connection did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFailure {
    /// No root vouches for the chain, and no registered thumbprint fits it.
    ThumbprintMismatch {
        /// The thumbprint that would have been right: of the last certificate that was sent.
        sent: Thumbprint,
    },
    /// No root vouches for the chain, and no thumbprint is registered.
    UntrustedIssuer {
        /// The thumbprint that could be registered: of the last certificate that was sent.
        sent: Thumbprint,
    },
    /// The chain is trusted, and the server's certificate is for other names.
    WrongName,
    /// A certificate has expired.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// A certificate that cannot be read or must not be used for this.
    BadCertificate(Box<str>),
    /// The operator's private authorities cannot be read.
    BadCaBundle,
    /// The handshake failed for a reason that has nothing to do with trust.
    Handshake(Box<str>),
}

impl TlsFailure {
    /// Whether the server was reached and is not trusted (and not: could not be spoken with).
    #[must_use]
    pub const fn is_distrust(&self) -> bool {
        !matches!(self, Self::Handshake(_) | Self::BadCaBundle)
    }
}

/// Which thumbprints a server may be accepted by.
#[derive(Debug, Clone, Copy)]
pub enum Pins<'a> {
    /// The registered ones.
    Registered(&'a [Thumbprint]),
    /// None yet: a provider is being created and its server is trusted this once, to learn its
    /// thumbprint. Name and validity are checked all the same.
    FirstUse,
}

/// How a server was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// What vouched for it; nothing did on [`Pins::FirstUse`] with an unknown authority.
    pub by: Option<VerifiedBy>,
    /// The thumbprint of the last certificate sent: what IAM stores when a provider is created.
    pub thumbprint: Thumbprint,
}

/// The public roots as Mozilla has them.
#[must_use]
pub fn public_roots() -> Arc<RootCertStore> {
    static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
        Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    });
    Arc::clone(&ROOTS)
}

/// Reads a bundle of certificate authorities in PEM.
///
/// # Errors
/// [`TlsFailure::BadCaBundle`] if it is not PEM, holds an unusable certificate, or none.
pub fn ca_bundle(pem: &str) -> Result<RootCertStore, TlsFailure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| TlsFailure::BadCaBundle)?;
        roots.add(certificate).map_err(|_| TlsFailure::BadCaBundle)?;
    }
    if roots.is_empty() { Err(TlsFailure::BadCaBundle) } else { Ok(roots) }
}

/// The thumbprint to store for a chain as the server sent it: of its last certificate.
#[must_use]
pub fn thumbprint_of_chain(chain: &[CertificateDer<'_>]) -> Option<Thumbprint> {
    chain.last().map(|last| Thumbprint::of(last))
}

/// The sources of trust for one connection.
#[derive(Debug)]
pub(super) struct Anchors {
    public: Arc<RootCertStore>,
    private: Option<RootCertStore>,
    pins: Box<[Thumbprint]>,
    first_use: bool,
    crypto: Arc<CryptoProvider>,
    verdict: Mutex<Option<Result<Acceptance, TlsFailure>>>,
}

impl Anchors {
    pub(super) fn new(
        public: Arc<RootCertStore>,
        ca_pem: Option<&str>,
        pins: Pins<'_>,
    ) -> Result<Arc<Self>, TlsFailure> {
        static CRYPTO: LazyLock<Arc<CryptoProvider>> =
            LazyLock::new(|| Arc::new(default_provider()));
        let (pins, first_use) = match pins {
            Pins::Registered(pins) => (pins, false),
            Pins::FirstUse => ([].as_slice(), true),
        };
        Ok(Arc::new(Self {
            public,
            private: ca_pem.map(ca_bundle).transpose()?,
            pins: pins.into(),
            first_use,
            crypto: Arc::clone(&CRYPTO),
            verdict: Mutex::new(None),
        }))
    }

    /// A client configuration for one connection. Sessions are not resumed: a resumed session
    /// would not be verified, and this verifier's verdict belongs to one connection.
    pub(super) fn client(self: &Arc<Self>, clock: &Clock) -> Result<ClientConfig, TlsFailure> {
        let time = Arc::new(ClockTime(Arc::clone(clock)));
        let mut config = ClientConfig::builder_with_details(Arc::clone(&self.crypto), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsFailure::Handshake(error.to_string().into()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Self>::clone(self))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// How the server of the connection was judged, if it came to that.
    pub(super) fn verdict(&self) -> Option<Result<Acceptance, TlsFailure>> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<Acceptance, TlsFailure> {
        if rest.len() >= MAX_CHAIN {
            return Err(TlsFailure::BadCertificate("more than 10 certificates".into()));
        }
        let thumbprint = Thumbprint::of(rest.last().unwrap_or(leaf));
        let parsed = ParsedCertificate::try_from(leaf).map_err(failure)?;
        let by = match self.vouch(&parsed, leaf, rest, now) {
            Ok(by) => Some(by),
            Err(Doubt::Certificate(failure)) => return Err(failure),
            Err(Doubt::Nobody) if self.first_use => None,
            Err(Doubt::Nobody) if self.pins.is_empty() => {
                return Err(TlsFailure::UntrustedIssuer { sent: thumbprint });
            }
            Err(Doubt::Nobody) => return Err(TlsFailure::ThumbprintMismatch { sent: thumbprint }),
        };
        // INVARIANT: whoever vouches for the chain, the leaf must be for the host of the URL.
        verify_server_name(&parsed, name).map_err(failure)?;
        Ok(Acceptance { by, thumbprint })
    }

    fn vouch(
        &self,
        parsed: &ParsedCertificate<'_>,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<VerifiedBy, Doubt> {
        // The leaf's own faults (expired, not for servers) are the same for every source of trust
        // and say more than "nobody vouches".
        self.standing(leaf, now).map_err(Doubt::Certificate)?;
        let mut fault = None;
        let mut chains_to = |roots: &RootCertStore| {
            let algorithms = self.crypto.signature_verification_algorithms.all;
            let chain =
                verify_server_cert_signed_by_trust_anchor(parsed, roots, rest, now, algorithms);
            chain.map_err(|error| fault = fault.take().or(chain_fault(&error))).is_ok()
        };
        if chains_to(&self.public) {
            return Ok(VerifiedBy::IamTrustStore);
        }
        if self.private.as_ref().is_some_and(&mut chains_to) {
            return Ok(VerifiedBy::PrivateCa);
        }
        // ATTACK: "the thumbprint occurs somewhere in the chain" is forgeable by appending the
        // pinned certificate to a chain of one's own. So a pinned certificate becomes a trust
        // anchor, and the leaf must chain to it by signatures (proof: `tls/tests.rs`,
        // `a_pinned_certificate_appended_…`).
        let pinned = self.pinned_authorities(rest, now).map_err(Doubt::Certificate)?;
        if !pinned.is_empty() && chains_to(&pinned) {
            return Ok(VerifiedBy::Thumbprint);
        }
        // A server that sends one certificate only is pinned by that certificate itself, most
        // often a self-signed one: there is nothing to chain to, and whoever completes the
        // handshake holds the key of exactly the pinned certificate.
        if rest.is_empty() && self.pins.contains(&Thumbprint::of(leaf)) {
            return Ok(VerifiedBy::Thumbprint);
        }
        Err(fault.map_or(Doubt::Nobody, Doubt::Certificate))
    }

    /// The pinned certificates among those sent above the leaf.
    fn pinned_authorities(
        &self,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<RootCertStore, TlsFailure> {
        let mut anchors = RootCertStore::empty();
        for certificate in rest {
            // ATTACK: a pinned server certificate must not act as an authority for other names:
            // only what calls itself an authority, in its time, becomes an anchor (proof:
            // `tls/tests.rs`, `a_pinned_server_certificate_is_no_authority`).
            if self.pins.contains(&Thumbprint::of(certificate))
                && self.standing(certificate, now)? == Standing::Authority
            {
                anchors.add(certificate.clone().into_owned()).map_err(failure)?;
            }
        }
        Ok(anchors)
    }

    /// Reads what a certificate may be by itself, whoever issued it.
    ///
    /// webpki checks a certificate's own properties (validity, then basic constraints, then
    /// purpose) before it looks for an issuer; with no anchors at all, "unknown issuer" means that
    /// those held.
    fn standing(
        &self,
        certificate: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<Standing, TlsFailure> {
        let algorithms = self.crypto.signature_verification_algorithms.all;
        let usage = KeyUsage::server_auth();
        let alone = EndEntityCert::try_from(certificate).and_then(|certificate| {
            certificate.verify_for_usage(algorithms, &[], &[], now, usage, None, None).map(|_| ())
        });
        match alone {
            Ok(()) | Err(webpki::Error::UnknownIssuer) => Ok(Standing::Server),
            Err(webpki::Error::CaUsedAsEndEntity) => Ok(Standing::Authority),
            Err(webpki::Error::CertExpired { .. }) => Err(TlsFailure::Expired),
            Err(webpki::Error::CertNotValidYet { .. }) => Err(TlsFailure::NotYetValid),
            Err(other) => Err(TlsFailure::BadCertificate(other.to_string().into())),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Server,
    Authority,
}

enum Doubt {
    /// A certificate is at fault.
    Certificate(TlsFailure),
    /// Nothing is wrong but that nobody vouches.
    Nobody,
}

/// A fault in a chain that would stand under any other anchor, too.
fn chain_fault(error: &TlsError) -> Option<TlsFailure> {
    use CertificateError as E;
    match error {
        TlsError::InvalidCertificate(E::Expired | E::ExpiredContext { .. }) => {
            Some(TlsFailure::Expired)
        }
        TlsError::InvalidCertificate(E::NotValidYet | E::NotValidYetContext { .. }) => {
            Some(TlsFailure::NotYetValid)
        }
        _ => None,
    }
}

fn failure(error: TlsError) -> TlsFailure {
    use CertificateError as E;
    match error {
        TlsError::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. }) => {
            TlsFailure::WrongName
        }
        other => chain_fault(&other)
            .unwrap_or_else(|| TlsFailure::BadCertificate(other.to_string().into())),
    }
}

impl ServerCertVerifier for Anchors {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict = self.judge(end_entity, intermediates, server_name, now);
        let accepted = verdict.is_ok();
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        if accepted {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}

/// rustls's view of the injected clock.
struct ClockTime(Clock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis((self.0)())))
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl Thumbprint {
    /// The thumbprint of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 20];
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
        for (to, from) in bytes.iter_mut().zip(sha1.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// A text that is not 40 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAThumbprint;

impl FromStr for Thumbprint {
    type Err = NotAThumbprint;

    fn from_str(text: &str) -> Result<Self, NotAThumbprint> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotAThumbprint)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for NotAThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 40 hexadecimal characters")
    }
}

impl std::error::Error for NotAThumbprint {}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl VerifiedBy {
    /// The text that goes into CloudTrail records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IamTrustStore => "IAMTrustStore",
            Self::PrivateCa => "PrivateCa",
            Self::Thumbprint => "Thumbprint",
        }
    }
}

impl fmt::Display for VerifiedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThumbprintMismatch { sent } => {
                write!(f, "the server's certificates fit no registered thumbprint; it sent {sent}")
            }
            Self::UntrustedIssuer { sent } => write!(
                f,
                "no known authority vouches for the server and no thumbprint is registered; it \
                 sent {sent}"
            ),
            Self::WrongName => f.write_str("the server's certificate is for another host"),
            Self::Expired => f.write_str("a certificate of the server has expired"),
            Self::NotYetValid => f.write_str("a certificate of the server is not valid yet"),
            Self::BadCertificate(reason) => write!(f, "a certificate of the server: {reason}"),
            Self::BadCaBundle => f.write_str("the configured authorities cannot be read"),
            Self::Handshake(reason) => write!(f, "TLS: {reason}"),
        }
    }
}

impl std::error::Error for TlsFailure {}

#[cfg(test)]
mod tests;
