//! XML signatures, as far as SAML needs them (XML Signature Syntax and Processing 1.1; SAML Core
//! section 5.4), and not a step further.
//!
//! One profile: the signature stands directly in the element that it signs, names it by its only
//! id, transforms it by "enveloped signature" and exclusive canonicalisation alone, and is made by
//! a key of the provider's metadata. Its `KeyInfo` is not looked at. All of that is settled before
//! any cryptography, and the signature is checked before what it covers is canonicalised, so that
//! a stranger's document costs little.

use aws_lc_rs::digest;
use serde::Serialize;
use uppsala::NodeId;

use super::certificate::{Certificate, SignatureAlg};
use super::xml::{DS, EXC_C14N, Xml};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Namespace prefixes that a signature may want kept, at most.
const MAX_PREFIXES: usize = 16;

/// Why a signature is not one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "signature", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignatureFault {
    /// The signature has other parts than a plain one, or several of one.
    Shape {
        /// Which element.
        at: &'static str,
    },
    /// It does not name the element in which it stands, by an id that occurs once.
    Reference,
    /// Another canonicalisation than the exclusive one without comments.
    Canonicalisation {
        /// Its URI.
        had: String,
    },
    /// Other transforms than "enveloped signature" followed by exclusive canonicalisation.
    Transforms,
    /// An algorithm that is not accepted: HMAC, SHA-1, DSA.
    Algorithm {
        /// Its URI.
        had: String,
    },
    /// None of the provider's certificates has made it.
    Key,
    /// What it covers has been changed.
    Digest,
}

impl std::fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { at } => write!(f, "its {at} is missing, repeated or out of place"),
            Self::Reference => {
                f.write_str("it does not name the element around it, by an id that occurs once")
            }
            Self::Canonicalisation { had } => write!(f, "canonicalised by {had}"),
            Self::Transforms => f.write_str("it has other transforms"),
            Self::Algorithm { had } => write!(f, "made with {had}"),
            Self::Key => f.write_str("none of the provider's certificates has made it"),
            Self::Digest => f.write_str("what it covers has been changed since"),
        }
    }
}

/// A signature, read but not checked.
pub(super) struct Signature {
    signed: NodeId,
    at: NodeId,
    info: NodeId,
    info_prefixes: Vec<String>,
    prefixes: Vec<String>,
    pub alg: SignatureAlg,
    hash: &'static digest::Algorithm,
    /// Of what it covers, once it is checked.
    pub digest: Vec<u8>,
    value: Vec<u8>,
}

impl Signature {
    /// Reads the signature at this place.
    ///
    /// ATTACK: several SignedInfo or references, objects, other transforms, no digest
    /// (corpus/saml/signature/, corpus/saml/transforms/).
    pub(super) fn read(xml: &Xml<'_>, at: NodeId) -> Result<Self, SignatureFault> {
        use SignatureFault::{Canonicalisation, Reference, Shape};
        let signed = xml.parent(at).ok_or(Reference)?;
        let [info, value] = parts(xml, at, ["SignedInfo", "SignatureValue"], Some("KeyInfo"))?;
        let [method, algorithm, reference] =
            parts(xml, info, ["CanonicalizationMethod", "SignatureMethod", "Reference"], None)?;

        let uri = |node| xml.attribute(node, "Algorithm").unwrap_or_default();
        if uri(method) != EXC_C14N {
            return Err(Canonicalisation { had: uri(method).to_owned() });
        }
        let alg = SignatureAlg::named(uri(algorithm))
            .ok_or_else(|| SignatureFault::Algorithm { had: uri(algorithm).to_owned() })?;
        if xml.elements(algorithm).next().is_some() {
            return Err(Shape { at: "SignatureMethod" });
        }

        refers_to(xml, reference, signed)?;
        let [transforms, digest_method, digest_value] =
            parts(xml, reference, ["Transforms", "DigestMethod", "DigestValue"], None)?;
        let chain: Vec<NodeId> = xml.elements(transforms).collect();
        let [enveloped, canonical] = chain.as_slice() else {
            return Err(SignatureFault::Transforms);
        };
        let is_transform = |node| xml.is(node, DS, "Transform");
        if !is_transform(*enveloped)
            || !is_transform(*canonical)
            || uri(*enveloped) != ENVELOPED
            || xml.elements(*enveloped).next().is_some()
            || uri(*canonical) != EXC_C14N
        {
            return Err(SignatureFault::Transforms);
        }
        let hash = digest_named(uri(digest_method))
            .ok_or_else(|| SignatureFault::Algorithm { had: uri(digest_method).to_owned() })?;
        Ok(Self {
            signed,
            at,
            info,
            info_prefixes: prefixes(xml, method).ok_or(Shape { at: "CanonicalizationMethod" })?,
            prefixes: prefixes(xml, *canonical).ok_or(SignatureFault::Transforms)?,
            alg,
            hash,
            digest: xml.base64(digest_value).ok_or(Shape { at: "DigestValue" })?,
            value: xml.base64(value).ok_or(Shape { at: "SignatureValue" })?,
        })
    }

    /// Whether the signature is by one of these certificates and covers the element around it.
    ///
    /// ATTACK: a key in KeyInfo, an HMAC under the public key, another provider's key
    /// (corpus/saml/signature/): only keys of the metadata are tried, each as what it is.
    pub(super) fn check<'t>(
        &self,
        xml: &Xml<'_>,
        trusted: &'t [Certificate],
    ) -> Result<&'t Certificate, SignatureFault> {
        let info = xml
            .canonical(self.info, None, &self.info_prefixes)
            .ok_or(SignatureFault::Shape { at: "SignedInfo" })?;
        let by = trusted
            .iter()
            .find(|certificate| certificate.verifies(self.alg, &info, &self.value))
            .ok_or(SignatureFault::Key)?;
        let covered = xml
            .canonical(self.signed, Some(self.at), &self.prefixes)
            .ok_or(SignatureFault::Digest)?;
        // The digest is public: comparing it needs no constant time.
        match digest::digest(self.hash, &covered).as_ref() == self.digest {
            true => Ok(by),
            false => Err(SignatureFault::Digest),
        }
    }

    /// Whether SHA-1 is used anywhere in it.
    pub(super) fn is_sha1(&self) -> bool {
        self.alg == SignatureAlg::RsaSha1 || *self.hash == digest::SHA1_FOR_LEGACY_USE_ONLY
    }
}

/// The signatures that stand in the element. There must be no others in the whole document.
pub(super) fn signatures(xml: &Xml<'_>, element: NodeId) -> Vec<NodeId> {
    xml.named(element, DS, "Signature").collect()
}

/// The children of an element: exactly these, in this order, and perhaps one more.
fn parts<const N: usize>(
    xml: &Xml<'_>,
    element: NodeId,
    names: [&'static str; N],
    optional: Option<&str>,
) -> Result<[NodeId; N], SignatureFault> {
    let mut children = xml.elements(element);
    let mut found = [element; N];
    for (place, at) in found.iter_mut().zip(names) {
        *place = children
            .next()
            .filter(|child| xml.is(*child, DS, at))
            .ok_or(SignatureFault::Shape { at })?;
    }
    let more: Vec<NodeId> = children.collect();
    match more.as_slice() {
        [] => Ok(found),
        [one] if optional.is_some_and(|name| xml.is(*one, DS, name)) => Ok(found),
        _ => Err(SignatureFault::Shape { at: names.last().copied().unwrap_or_default() }),
    }
}

/// ATTACK: signature wrapping (corpus/saml/wrapping/): the reference must name the very
/// element around the signature, and no other element may have that id.
fn refers_to(xml: &Xml<'_>, reference: NodeId, signed: NodeId) -> Result<(), SignatureFault> {
    let id = xml.attribute(signed, "ID").filter(|id| !id.is_empty());
    let uri = xml.attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#'));
    let bearers = xml.ids().filter(|(_, it)| Some(*it) == id).count();
    match id.is_some() && id == uri && bearers == 1 {
        true => Ok(()),
        false => Err(SignatureFault::Reference),
    }
}

/// The prefixes that exclusive canonicalisation shall treat like the inclusive one.
fn prefixes(xml: &Xml<'_>, method: NodeId) -> Option<Vec<String>> {
    let parameters: Vec<NodeId> = xml.elements(method).collect();
    let list = match parameters.as_slice() {
        [] => return Some(Vec::new()),
        [one] if xml.is(*one, EXC_C14N, "InclusiveNamespaces") => {
            xml.attribute(*one, "PrefixList")?
        }
        _ => return None,
    };
    let prefixes: Vec<String> = list.split_ascii_whitespace().map(str::to_owned).collect();
    (prefixes.len() <= MAX_PREFIXES).then_some(prefixes)
}

fn digest_named(uri: &str) -> Option<&'static digest::Algorithm> {
    Some(match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => &digest::SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &digest::SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &digest::SHA512,
        "http://www.w3.org/2000/09/xmldsig#sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        _ => return None,
    })
}
