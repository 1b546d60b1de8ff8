//! An identity provider's metadata: its name and the certificates that it signs with (SAML
//! Metadata section 2.4).

use serde::Serialize;
use uppsala::NodeId;

use super::certificate::Certificate;
use super::xml::{DS, MD, METADATA, SAMLP, Xml, XmlFault};
use crate::UnixTime;

/// Certificates of one provider that are kept, at most: some for a rollover, not hundreds.
const MAX_CERTIFICATES: usize = 16;

/// What is kept of a metadata document.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The issuer of its assertions.
    pub entity_id: String,
    /// The certificates in DER, in the document's order, each once.
    pub certificates: Vec<Vec<u8>>,
}

/// Why a document is not an identity provider's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "metadata", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MetadataFault {
    /// Not XML that we read.
    NotXml {
        /// What exactly is wrong.
        why: XmlFault,
    },
    /// Not one `EntityDescriptor`. (A federation's aggregate is not one provider.)
    NotAnEntity,
    /// No entity id, or one of more than 1024 characters.
    EntityId,
    /// No `IDPSSODescriptor` for SAML 2.0, or several.
    NotAProvider,
    /// No certificate to sign with, or too many.
    NoCertificate,
    /// A certificate that cannot be read or used.
    Certificate {
        /// Its place among the signing certificates, from 1.
        place: usize,
    },
}

impl std::fmt::Display for MetadataFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotXml { why } => write!(f, "it is no XML that is read: {why}"),
            Self::NotAnEntity => f.write_str("its element is not one EntityDescriptor"),
            Self::EntityId => f.write_str("it has no entityID of 1 to 1024 characters"),
            Self::NotAProvider => {
                f.write_str("it has not exactly one IDPSSODescriptor for SAML 2.0")
            }
            Self::NoCertificate => {
                write!(f, "it has not 1 to {MAX_CERTIFICATES} certificates for signing")
            }
            Self::Certificate { place } => write!(
                f,
                "its signing certificate {place} is not X.509 with RSA of 2048 to 8192 bits, \
                 P-256, P-384 or P-521"
            ),
        }
    }
}

impl Metadata {
    /// Reads and checks a metadata document.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(document: &str) -> Result<Self, MetadataFault> {
        let document = document.trim_start_matches('\u{feff}');
        let xml = Xml::parse(document.as_bytes(), METADATA)
            .map_err(|why| MetadataFault::NotXml { why })?;
        let root = xml.root();
        if !xml.is(root, MD, "EntityDescriptor") {
            return Err(MetadataFault::NotAnEntity);
        }
        let entity_id = xml.attribute(root, "entityID").unwrap_or_default();
        if !(1..=1024).contains(&entity_id.chars().count()) {
            return Err(MetadataFault::EntityId);
        }
        let speaks_saml2 = |node: &NodeId| {
            let protocols = xml.attribute(*node, "protocolSupportEnumeration").unwrap_or_default();
            protocols.split_ascii_whitespace().any(|protocol| protocol == SAMLP)
        };
        let descriptors: Vec<NodeId> =
            xml.named(root, MD, "IDPSSODescriptor").filter(speaks_saml2).collect();
        let [descriptor] = descriptors.as_slice() else {
            return Err(MetadataFault::NotAProvider);
        };
        let certificates = signing_certificates(&xml, *descriptor)?;
        Ok(Self { entity_id: entity_id.to_owned(), certificates })
    }

    /// The certificates, ready to verify with.
    #[must_use]
    pub fn trusted(&self) -> Vec<Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::from_der(der)).collect()
    }

    /// Of the certificates, those that are outside their dates: told to the operator, as AWS
    /// verifies with them all the same.
    #[must_use]
    pub fn outdated(&self, now: UnixTime) -> Vec<Certificate> {
        self.trusted().into_iter().filter(|it| !it.is_current(now)).collect()
    }
}

fn signing_certificates(xml: &Xml<'_>, descriptor: NodeId) -> Result<Vec<Vec<u8>>, MetadataFault> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    // A key descriptor without `use` is for both.
    let signing = xml
        .named(descriptor, MD, "KeyDescriptor")
        .filter(|key| xml.attribute(*key, "use").is_none_or(|purpose| purpose == "signing"));
    let written = signing
        .flat_map(|key| xml.named(key, DS, "KeyInfo"))
        .flat_map(|info| xml.named(info, DS, "X509Data"))
        .flat_map(|data| xml.named(data, DS, "X509Certificate"));
    for (place, node) in written.enumerate() {
        let fault = MetadataFault::Certificate { place: place + 1 };
        let der = xml.base64(node).ok_or(fault.clone())?;
        Certificate::from_der(&der).ok_or(fault)?;
        if !found.contains(&der) {
            found.push(der);
        }
        if found.len() > MAX_CERTIFICATES {
            return Err(MetadataFault::NoCertificate);
        }
    }
    match found.is_empty() {
        true => Err(MetadataFault::NoCertificate),
        false => Ok(found),
    }
}
