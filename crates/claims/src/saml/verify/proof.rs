//! What the response is, and who vouches for its assertion.

use uppsala::NodeId;
use zeroize::Zeroizing;

use super::Record;
use crate::saml::certificate::Certificate;
use crate::saml::encryption::Encrypted;
use crate::saml::failure::Failure;
use crate::saml::signature::{Signature, signatures};
use crate::saml::xml::{DS, RESPONSE, SAML, SAMLP, Xml};
use crate::{Check, Finding, UnixTime};

/// A response that has the shape of one.
pub(super) struct Response<'a> {
    pub xml: Xml<'a>,
    pub assertion: Holder,
    /// Whether its own signature holds.
    signed: bool,
}

/// Where the assertion is.
pub(super) enum Holder {
    /// Here.
    Plain(NodeId),
    /// Within this, encrypted.
    Encrypted(NodeId),
}

const ONE_RESPONSE: &str = "one samlp:Response with one assertion";

impl<'a> Record<'a> {
    /// The response, if it is one.
    pub(super) fn response(&mut self) -> Option<Response<'a>> {
        let xml = match Xml::parse(self.input.response, RESPONSE) {
            Ok(xml) => xml,
            Err(why) => {
                self.fail(ONE_RESPONSE, why.to_string(), Failure::NotXml { why });
                return None;
            }
        };
        let assertion = match holder(&xml) {
            Ok(assertion) => assertion,
            Err(wanted) => {
                self.fail(wanted, "something else", Failure::Structure { wanted });
                return None;
            }
        };
        self.pass(Check::Structure, ONE_RESPONSE, ONE_RESPONSE);
        self.encrypted = matches!(assertion, Holder::Encrypted(_));
        let signed = match signatures(&xml, xml.root()).first() {
            None => {
                self.skip(Check::ResponseSignature, "the response itself is not signed");
                false
            }
            Some(at) => self.holds(Check::ResponseSignature, &xml, *at),
        };
        Some(Response { xml, assertion, signed })
    }

    /// The plaintext of an encrypted assertion.
    pub(super) fn opened(&mut self, response: &Response<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let input = self.input;
        let at = match response.assertion {
            Holder::Encrypted(at) => at,
            Holder::Plain(_) if input.rules.encryption_required => {
                let wanted = "an encrypted assertion: the provider requires it";
                self.fail(wanted, "an assertion in plain text", Failure::Encryption);
                return None;
            }
            Holder::Plain(_) => {
                self.skip(Check::Encryption, "the assertion is not encrypted");
                return None;
            }
        };
        let wanted = "encrypted by AES under RSA-OAEP, to a private key of the provider";
        if input.keys.is_empty() {
            self.fail(wanted, "the provider has no private key", Failure::Encryption);
            return None;
        }
        let Some(encrypted) = Encrypted::read(&response.xml, at) else {
            self.fail(wanted, "other algorithms, or another shape", Failure::Encryption);
            return None;
        };
        // ATTACK: CBC can be altered without a key. See the module on encryption.
        if encrypted.is_malleable() && self.strict() && !response.signed {
            let had = "AES-CBC in a response without a signature of its own that holds";
            let note = "sign the response too, or encrypt with AES-GCM; aws mode takes it as it is";
            self.fail_noted(wanted, had, note, Failure::Encryption);
            return None;
        }
        let opened = encrypted.open(input.keys);
        match &opened {
            Some(_) => self.pass(Check::Encryption, wanted, "encrypted so"),
            None => self.fail(wanted, "none of the keys opens it", Failure::Encryption),
        }
        opened
    }

    /// The decrypted text as a document of its own, under the same limits.
    pub(super) fn decrypted<'p>(&mut self, plain: &'p [u8]) -> Option<Xml<'p>> {
        let wanted = "one saml:Assertion";
        let xml = match Xml::parse(plain, RESPONSE) {
            Ok(xml) => xml,
            Err(why) => {
                self.fail(wanted, why.to_string(), Failure::NotXml { why });
                return None;
            }
        };
        if !xml.is(xml.root(), SAML, "Assertion") || !is_alone(&xml, xml.root()) {
            self.fail(wanted, "something else", Failure::Structure { wanted });
            return None;
        }
        Some(xml)
    }

    /// INVARIANT: the only place where it is decided whether an assertion is proven. All that is
    /// read later is read from this element of this document.
    pub(super) fn signature(&mut self, xml: &Xml<'_>, assertion: NodeId) {
        match signatures(xml, assertion).as_slice() {
            [at] => {
                self.holds(Check::Signature, xml, *at);
            }
            // ATTACK: stripped signatures; also a signature of the response alone, which AWS does
            // not take for one (corpus/saml/signature/).
            _ => {
                let wanted = "a signature of the assertion itself";
                self.fail(wanted, "no signature in the assertion", Failure::Unsigned);
            }
        }
    }

    fn holds(&mut self, check: Check, xml: &Xml<'_>, at: NodeId) -> bool {
        const WANTED: &str = "a signature by a certificate of the provider over the whole element";
        if !self.prove {
            self.skip(check, "not checked: no certificates at hand");
            return false;
        }
        let (trusted, now) = (self.input.certificates, self.input.now);
        let checked = Signature::read(xml, at).and_then(|signature| {
            let sha1 = signature.is_sha1().then_some(Failure::WeakHash);
            let had = signature.alg.name();
            self.ours(Check::WeakHash, "SHA-256, SHA-384 or SHA-512", had, sha1);
            signature.check(xml, trusted).map(|by| (by, signature.digest))
        });
        match checked {
            Ok((by, digest)) => {
                self.digest = digest;
                let had = format!("by certificate {}", short(&by.fingerprint));
                self.pass(check, WANTED, had);
                self.note_age(by, now);
                true
            }
            Err(why) => {
                let had = why.to_string();
                self.findings.push(Finding::fail(check, WANTED, had));
                self.first.get_or_insert(Failure::Signature { check, why });
                false
            }
        }
    }

    /// AWS takes signatures of certificates that have expired; whoever reads should know.
    fn note_age(&mut self, by: &Certificate, now: UnixTime) {
        if let Some(finding) = self.findings.last_mut()
            && !by.is_current(now)
        {
            finding.note = "that certificate is outside its dates, which AWS does not mind".into();
        }
    }
}

fn short(fingerprint: &str) -> &str {
    fingerprint.get(..16).unwrap_or(fingerprint)
}

/// Where the response's one assertion is.
///
/// ATTACK: signature wrapping (corpus/saml/wrapping/): a second assertion or response anywhere,
/// under whatever parent, and a signature anywhere but directly in the response or the assertion,
/// refuses the whole document.
fn holder(xml: &Xml<'_>) -> Result<Holder, &'static str> {
    let root = xml.root();
    if !xml.is(root, SAMLP, "Response") {
        return Err(ONE_RESPONSE);
    }
    if xml.attribute(root, "Version") != Some("2.0") {
        return Err("a response of SAML version 2.0");
    }
    let plain: Vec<NodeId> = xml.named(root, SAML, "Assertion").collect();
    let encrypted: Vec<NodeId> = xml.named(root, SAML, "EncryptedAssertion").collect();
    let holder = match (plain.as_slice(), encrypted.as_slice()) {
        ([one], []) => Holder::Plain(*one),
        ([], [one]) => Holder::Encrypted(*one),
        _ => return Err("exactly one assertion"),
    };
    let (Holder::Plain(assertion) | Holder::Encrypted(assertion)) = holder;
    match is_alone(xml, assertion) {
        true => Ok(holder),
        false => Err("no further assertion, response or signature anywhere in the document"),
    }
}

/// Whether there is nothing else in the document that could be taken for the assertion, its
/// response or their signatures. Names are compared without namespace and case on purpose.
fn is_alone(xml: &Xml<'_>, assertion: NodeId) -> bool {
    let mut in_response = 0;
    let mut in_assertion = 0;
    for node in xml.all(xml.root()) {
        let local = xml.local(node);
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        if is("Signature") || is("SignedInfo") {
            let parent = xml.parent(node);
            if is("SignedInfo") {
                continue; // Exactly one in each signature: asked where signatures are read.
            }
            if xml.namespace(node) != DS {
                return false;
            } else if parent == Some(assertion) {
                in_assertion += 1;
            } else if parent == Some(xml.root()) {
                in_response += 1;
            } else {
                return false;
            }
        } else if is("Assertion") || is("EncryptedAssertion") {
            if node != assertion {
                return false;
            }
        } else if is("Response") && node != xml.root() {
            return false;
        }
    }
    in_response <= 1 && in_assertion <= 1
}
