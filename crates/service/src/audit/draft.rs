//! An event in the making. `dispatch` opens one for every request before it reads it, and
//! finishes it after the answer is known, on every path.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::event::{EVENT_VERSION, Event, Resource, Text, TlsDetails, derived_id};
use super::identity::UserIdentity;
use super::ours::{
    AssertionUse, Check, DecisionRecord, DocumentFinding, MAX_CANONICAL, MAX_LIST, MAX_TEXT,
    MappedTag, Ours, Outcome, SignatureTrace, bounded, end_of,
};
use super::redact;

/// CloudTrail cuts the user agent and the message at 1 KB.
const MAX_LINE: usize = 1024;

/// An event in the making: set what is known as soon as it is known, then [`Draft::finish`].
#[derive(Debug, Clone)]
pub struct Draft {
    /// Boxed: a draft passes through many hands, and an event is large.
    event: Box<Event>,
    begun: Timestamp,
}

impl Draft {
    /// Begins the event of the request that will be answered with `request_id`.
    #[must_use]
    pub fn new(request_id: &str, now: Timestamp) -> Self {
        let event = Event {
            event_version: EVENT_VERSION.into(),
            user_identity: UserIdentity::unknown(),
            event_time: now,
            event_source: "vestibule".into(),
            event_name: "Unknown".into(),
            aws_region: "us-east-1".into(),
            source_ip_address: String::new(),
            user_agent: String::new(),
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: None,
            request_id: request_id.to_owned(),
            event_id: String::new(),
            read_only: true,
            resources: Vec::new(),
            event_type: "AwsApiCall".into(),
            management_event: true,
            recipient_account_id: None,
            shared_event_id: None,
            event_category: "Management".into(),
            tls_details: None,
            vestibule: Ours { at_micros: now.as_microsecond(), ..Ours::default() },
        };
        Self { event: Box::new(event), begun: now }
    }

    /// Which call it is: `sts.amazonaws.com`, `AssumeRole`. Set it with what the client wrote,
    /// even when there is no such action.
    pub fn call(&mut self, source: impl Into<Text>, name: impl Into<Text>, read_only: bool) {
        self.event.event_source = bounded(clean(source.into()), MAX_TEXT);
        self.event.event_name = bounded(clean(name.into()), MAX_TEXT);
        self.event.read_only = read_only;
    }

    /// A call of a data plane: `eventCategory` `Data`, no management event.
    pub fn data_plane(&mut self) {
        self.event.management_event = false;
        self.event.event_category = "Data".into();
    }

    /// Where it came from.
    pub fn from(&mut self, source_ip: &str, user_agent: &str, tls: Option<TlsDetails>) {
        self.event.source_ip_address = line(source_ip);
        self.event.user_agent = line(user_agent);
        self.event.tls_details = tls;
    }

    /// The region of the credential scope, or the server's.
    pub fn region(&mut self, region: impl Into<Text>) {
        self.event.aws_region = bounded(region.into(), 64);
    }

    /// Who called, as far as known. `proven` once the signature or the token held; until then the
    /// event counts as a stranger's and is subject to the flood limit.
    pub fn caller(&mut self, identity: UserIdentity, proven: bool) {
        self.event.user_identity = identity;
        self.event.vestibule.proven |= proven;
    }

    /// Whose log book it belongs to: the caller's account, or the role's for federated calls.
    pub fn account(&mut self, account: &str) {
        self.event.recipient_account_id = Some(bounded_string(account, MAX_TEXT));
    }

    /// What the client sent. Secrets are dropped and member names become CloudTrail's
    /// (see [`redact`]), so any serializable input may be handed in.
    pub fn request(&mut self, input: &impl Serialize) {
        self.event.request_parameters = redact::to_raw(input);
    }

    /// What the client got, likewise filtered. CloudTrail leaves it out for calls that only read.
    pub fn response(&mut self, output: &impl Serialize) {
        self.event.response_elements = redact::to_raw(output);
    }

    /// AWS's `additionalEventData`, already in CloudTrail's form.
    pub fn additional(&mut self, facts: Box<RawValue>) {
        self.event.additional_event_data = Some(facts);
    }

    /// A resource that the call touched.
    pub fn resource(&mut self, account: Option<&str>, kind: impl Into<Text>, arn: &str) {
        if self.event.resources.len() < MAX_LIST {
            self.event.resources.push(Resource {
                account_id: account.map(str::to_owned),
                kind: kind.into(),
                arn: bounded_string(arn, 2048),
            });
        }
    }

    /// The revision of the world that decided.
    pub fn revision(&mut self, revision: u64) {
        self.event.vestibule.revision = Some(revision);
    }

    /// The identity provider that was asked.
    pub fn provider(&mut self, arn: &str) {
        self.event.vestibule.provider = Some(bounded_string(arn, MAX_TEXT));
    }

    /// The assertion that credentials are issued for.
    pub fn used(&mut self, used: AssertionUse) {
        self.event.vestibule.used = Some(used);
    }

    /// The claims of the presented token, as [`bounded_claims`] makes them.
    pub fn claims(&mut self, claims: Arc<BTreeMap<String, Value>>) {
        self.event.vestibule.claims = claims;
    }

    /// A check, made or left out.
    pub fn check(&mut self, check: impl Into<Arc<Check>>) {
        if self.event.vestibule.checks.len() < MAX_LIST {
            self.event.vestibule.checks.push(check.into());
        }
    }

    /// A decision: full for a denial, compact for an allow.
    pub fn decision(&mut self, decision: DecisionRecord) {
        let ours = &mut self.event.vestibule;
        let extended = decision.keys.iter().filter(|k| k.ours).map(|k| k.key.to_string());
        for key in extended {
            if ours.extended_keys.len() < MAX_LIST && !ours.extended_keys.contains(&key) {
                ours.extended_keys.push(key);
            }
        }
        if ours.decisions.len() < MAX_LIST {
            ours.decisions.push(decision);
        }
    }

    /// What was computed for a signature that did not match.
    pub fn signature(&mut self, canonical_request: &str, string_to_sign: &str, hint: Option<&str>) {
        self.event.vestibule.signature = Some(Box::new(SignatureTrace {
            canonical_request: bounded_string(canonical_request, MAX_CANONICAL),
            string_to_sign: bounded_string(string_to_sign, MAX_CANONICAL),
            hint: hint.map(|text| bounded_string(text, MAX_TEXT)),
        }));
    }

    /// A tag that the configuration made out of a claim.
    pub fn mapped_tag(&mut self, claim: &str, tag: &str, value: &str) {
        if self.event.vestibule.mapped_tags.len() < MAX_LIST {
            self.event.vestibule.mapped_tags.push(MappedTag {
                claim: bounded_string(claim, 128),
                tag: bounded_string(tag, 128),
                value: bounded_string(value, MAX_TEXT),
            });
        }
    }

    /// A finding in a policy document that the call brought along.
    pub fn diagnostic(&mut self, finding: DocumentFinding) {
        if self.event.vestibule.diagnostics.len() < MAX_LIST {
            self.event.vestibule.diagnostics.push(finding);
        }
    }

    /// The precise cause, when the client is told less than this.
    pub fn cause(&mut self, cause: impl Into<String>) {
        self.event.vestibule.cause = Some(line(&cause.into()));
    }

    /// The call was refused or failed: what the client is told.
    pub fn refused(&mut self, outcome: Outcome, code: impl Into<Text>, message: &str) {
        self.event.vestibule.outcome = outcome;
        self.event.error_code = Some(bounded(code.into(), MAX_TEXT));
        self.event.error_message = Some(line(message)).filter(|m| !m.is_empty());
        self.event.response_elements = None;
    }

    /// The call got what it asked for.
    pub fn allowed(&mut self) {
        self.event.vestibule.outcome = Outcome::Allowed;
    }

    /// The event so far: for callers that set rare members by hand.
    pub fn event_mut(&mut self) -> &mut Event {
        &mut self.event
    }

    /// Ends the event. `now` gives the duration.
    #[must_use]
    pub fn finish(mut self, now: Timestamp) -> Box<Event> {
        let took = now.as_microsecond().saturating_sub(self.begun.as_microsecond());
        self.event.vestibule.duration_micros = u64::try_from(took).unwrap_or(0);
        if self.event.event_id.is_empty() {
            self.event.event_id = derived_id(&["event", &self.event.request_id]);
        }
        self.event
    }
}

/// A token's claims as the log book has them: long values are cut, nested ones too.
pub fn bounded_claims(
    claims: impl Iterator<Item = (String, Value)>,
) -> Arc<BTreeMap<String, Value>> {
    let bounded = |(name, value)| (redact::bounded_text(name, 128), redact::bounded_value(value));
    Arc::new(claims.take(MAX_LIST).map(bounded).collect())
}

fn line(text: &str) -> String {
    bounded_string(text, MAX_LINE)
}

/// Cut and free of tokens: everything that a client may have written passes here.
fn bounded_string(text: &str, limit: usize) -> String {
    let text = redact::scrubbed(text);
    match end_of(&text, limit) {
        None => text.into_owned(),
        Some(at) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}

fn clean(text: Text) -> Text {
    match redact::scrubbed(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(clean) => clean.into(),
    }
}
