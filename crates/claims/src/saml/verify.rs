//! The judgement of a response: every check once.
//!
//! Read [`judge`] from top to bottom: that *is* the order. Each check pushes one finding; the
//! first that fails decides the result, and the rest are made all the same, for the explanation.

mod aws;
mod conditions;
mod proof;

pub(super) use aws::pair;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::attribute::{Attributes, Key};
use super::certificate::Certificate;
use super::encryption::DecryptionKey;
use super::failure::Failure;
use crate::tags::SessionTags;
use crate::{Check, Checks, Finding, Text, UnixTime};

/// What a provider accepts, and where it is meant to lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRules {
    /// The entity id of the provider's metadata, the only issuer. `None` skips that check, where
    /// there is no metadata.
    pub entity_id: Option<String>,
    /// How strict to be.
    pub checks: Checks,
    /// Audiences besides AWS's own.
    pub audiences: Vec<String>,
    /// Recipients and destinations besides AWS's own sign-in addresses.
    pub addresses: Vec<String>,
    /// Seconds that the provider's clock and ours may differ, both ways.
    pub skew: i64,
    /// Whether an assertion in plain text is refused.
    pub encryption_required: bool,
}

impl ProviderRules {
    /// Five minutes, as AWS gives for web identity tokens.
    pub const SKEW: i64 = crate::failure::LEEWAY;

    /// The same for a server that others reach by this URL: `<url>/saml` is its address, as
    /// `https://signin.aws.amazon.com/saml` is AWS's, and both are its audiences. None for no URL.
    #[must_use]
    pub fn at(mut self, url: &str) -> Self {
        let url = url.trim_end_matches('/');
        if !url.is_empty() {
            let address = format!("{url}/saml");
            self.audiences.extend([url.to_owned(), address.clone()]);
            self.addresses.push(address);
        }
        self
    }
}

/// What is asked for: the pair that the Role attribute must have.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// ARN of the role.
    pub role: &'a str,
    /// ARN of the provider.
    pub provider: &'a str,
}

/// All that a judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The response's XML.
    pub response: &'a [u8],
    /// The provider's rules.
    pub rules: &'a ProviderRules,
    /// The provider's certificates.
    pub certificates: &'a [Certificate],
    /// The keys that assertions may be encrypted to.
    pub keys: &'a [DecryptionKey],
    /// What is asked for. `None` skips that check.
    pub wanted: Option<Wanted<'a>>,
    /// The time.
    pub now: UnixTime,
}

/// A judgement.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every check, in order.
    pub findings: Vec<Finding>,
    /// What the assertion says, as far as it could be read; nobody vouches for it.
    pub said: Said,
    /// The proven assertion, or the first failure.
    pub result: Result<Verified, Failure>,
}

/// A judgement without certificates.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Every check, in order; the signatures are skipped.
    pub findings: Vec<Finding>,
    /// What the assertion says, as far as it could be read.
    pub said: Said,
    /// The assertion, which nobody has proven, or the first failure.
    pub result: Result<Unproven, Failure>,
}

/// What an assertion says before anything is judged: for explanations alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its id.
    pub id: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// The text of its NameID.
    pub subject: Option<String>,
    /// All attributes whose values are text.
    pub attributes: Vec<(String, Vec<String>)>,
    /// All together, if it is refused although nothing is missing: expired, forged or for somebody
    /// else. What is accepted is the result itself.
    pub complete: Option<Box<Presented>>,
}

/// What an assertion says, once all of it has been judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Presented {
    /// The assertion's id.
    pub id: String,
    /// The assertion's issuer. AWS's `saml:iss`.
    pub issuer: String,
    /// The text of its NameID. AWS's `saml:sub`.
    pub subject: String,
    /// `persistent`, `transient` and so on for formats of SAML 2.0, else the whole URI. AWS's
    /// `saml:sub_type`.
    pub subject_type: String,
    /// The Recipient of the subject's confirmation, which AWS takes for `saml:aud`.
    pub recipient: String,
    /// The pairs of the Role attribute: role and provider.
    pub roles: Vec<(String, String)>,
    /// RoleSessionName.
    pub session_name: String,
    /// SessionDuration, in seconds.
    pub session_duration: Option<i64>,
    /// The earliest SessionNotOnOrAfter: no session lasts longer.
    pub session_ends: Option<UnixTime>,
    /// SourceIdentity.
    pub source_identity: Option<String>,
    /// PrincipalTag and TransitiveTagKeys.
    pub tags: SessionTags,
    /// The condition keys of the eduPerson and X.500 families.
    pub keys: Vec<Key>,
    /// From when on it is refused as expired, skew included.
    pub refused_from: UnixTime,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// Whether a certificate has proven all this.
    pub signature_checked: bool,
    /// The digest of all this that was signed; empty where nobody has proven it.
    #[serde(skip)]
    pub digest: Vec<u8>,
}

/// An assertion whose signature and contents have been checked. Only [`verify`] makes one.
///
/// INVARIANT: credentials are issued for this type alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Verified(Presented);

/// An assertion that would do if somebody proved it. Only for explanations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Unproven(Presented);

impl Deref for Verified {
    type Target = Presented;

    fn deref(&self) -> &Presented {
        &self.0
    }
}

impl Deref for Unproven {
    type Target = Presented;

    fn deref(&self) -> &Presented {
        &self.0
    }
}

/// Judges a response.
#[must_use]
pub fn verify(input: &Input<'_>) -> Outcome {
    let (findings, said, result) = judge(input, true);
    Outcome { findings, said, result: result.map(Verified) }
}

/// Judges all of a response but its signatures, where no certificates are at hand.
#[must_use]
pub fn inspect(input: &Input<'_>) -> Inspection {
    let (findings, said, result) = judge(input, false);
    Inspection { findings, said, result: result.map(Unproven) }
}

type Judged = (Vec<Finding>, Said, Result<Presented, Failure>);

fn judge(input: &Input<'_>, prove: bool) -> Judged {
    let mut record = Record::new(input, prove);
    // What it is, who says so, and whether they do.
    let Some(outer) = record.response() else { return record.unreadable() };
    let opened = record.opened(&outer);
    let inner = opened.as_ref().and_then(|plain| record.decrypted(plain));
    let assertion = match (&outer.assertion, &inner) {
        (proof::Holder::Plain(assertion), _) => Some((&outer.xml, *assertion)),
        (proof::Holder::Encrypted(_), inner) => inner.as_ref().map(|xml| (xml, xml.root())),
    };
    let Some((xml, assertion)) = assertion else { return record.unreadable() };
    record.signature(xml, assertion);
    // About whom, to whom, and when.
    let id = record.assertion_id(xml, assertion);
    let issuer = record.issuer(xml, assertion);
    record.envelope(&outer, issuer.as_deref());
    let subject = record.subject(xml, assertion);
    let confirmation = record.confirmation(xml, assertion);
    let conditions = record.conditions(xml, assertion);
    let statements = record.statements(xml, assertion);
    // What for.
    let attributes = Attributes::read(xml, assertion);
    let roles = record.roles(&attributes);
    let session_name = record.session_name(&attributes);
    let session_duration = record.session_duration(&attributes);
    let source_identity = record.source_identity(&attributes);
    let tags = record.tags(&attributes);
    let keys = attributes.keys();

    record.said = Said {
        id: id.clone(),
        issuer: issuer.clone(),
        subject: subject.as_ref().map(|it| it.name.clone()),
        attributes: attributes.into_readable(),
        complete: None,
    };
    let complete = || {
        let (subject, confirmation, statements) = (subject?, confirmation?, statements?);
        let closes = confirmation.closes.min(conditions?.unwrap_or(UnixTime(i64::MAX)));
        Some(Presented {
            id: id?,
            issuer: issuer?,
            subject: subject.name,
            subject_type: subject.kind,
            recipient: confirmation.recipient,
            roles: roles?,
            session_name: session_name?,
            session_duration: session_duration?,
            session_ends: statements.ends,
            source_identity: source_identity?,
            tags: tags?,
            keys,
            refused_from: closes.plus(input.rules.skew),
            encrypted: record.encrypted,
            signature_checked: prove,
            digest: std::mem::take(&mut record.digest),
        })
    };
    let presented = complete();
    record.finish(presented)
}

/// The findings so far, and the first failure.
struct Record<'a> {
    input: &'a Input<'a>,
    prove: bool,
    encrypted: bool,
    digest: Vec<u8>,
    findings: Vec<Finding>,
    said: Said,
    first: Option<Failure>,
}

impl<'a> Record<'a> {
    fn new(input: &'a Input<'a>, prove: bool) -> Self {
        let findings = Vec::with_capacity(24);
        let (digest, said) = (Vec::new(), Said::default());
        Self { input, prove, encrypted: false, digest, findings, said, first: None }
    }

    fn strict(&self) -> bool {
        self.input.rules.checks == Checks::Strict
    }

    fn pass(&mut self, check: Check, wanted: impl Into<Text>, had: impl Into<Text>) {
        self.findings.push(Finding::pass(check, wanted, had));
    }

    fn skip(&mut self, check: Check, note: impl Into<Text>) {
        self.findings.push(Finding::skipped(check, note));
    }

    fn fail(&mut self, wanted: impl Into<Text>, had: impl Into<Text>, failure: Failure) {
        self.fail_noted(wanted, had, "", failure);
    }

    fn fail_noted(
        &mut self,
        wanted: impl Into<Text>,
        had: impl Into<Text>,
        note: impl Into<Text>,
        failure: Failure,
    ) {
        self.findings.push(Finding::fail(failure.check(), wanted, had).noted(note));
        self.first.get_or_insert(failure);
    }

    /// A check that AWS does not make: in aws mode it is told, and decides nothing.
    fn ours(
        &mut self,
        check: Check,
        wanted: impl Into<Text>,
        had: impl Into<Text>,
        failure: Option<Failure>,
    ) {
        match failure {
            None => self.pass(check, wanted, had),
            Some(failure) if self.strict() => {
                self.fail_noted(wanted, had, "aws mode does not make this check", failure);
            }
            Some(_) => {
                let (wanted, had) = (wanted.into(), had.into());
                let note = format!("AWS does not check this: strict wants {wanted}, it has {had}");
                self.skip(check, note);
            }
        }
    }

    /// A part that must be there once.
    fn missing<T>(&mut self, check: Check, what: &'static str) -> Option<T> {
        let had = "missing, repeated or malformed";
        self.fail(what, had, Failure::Part { what, check });
        None
    }

    fn unreadable(self) -> Judged {
        self.finish(None)
    }

    fn finish(mut self, presented: Option<Presented>) -> Judged {
        let result = match (self.first, presented) {
            (None, Some(presented)) => Ok(presented),
            // INVARIANT: whatever is missing has already failed above.
            (first, presented) => {
                self.said.complete = presented.map(Box::new);
                let inner = first.unwrap_or(Failure::Unsigned);
                Err(match self.encrypted {
                    true => Failure::Hidden { inner: Box::new(inner) },
                    false => inner,
                })
            }
        };
        (self.findings, self.said, result)
    }
}
