//! One event, in CloudTrail's shape exactly, with our fields in one member beside AWS's.
//!
//! Member names, nesting and the form of times follow the CloudTrail record contents reference
//! (`docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents`).
//! Everything of ours lives under `vestibule`, so that a tool made for CloudTrail reads the rest.

use std::borrow::Cow;

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::identity::UserIdentity;
use super::ours::Ours;

/// CloudTrail's record version that these events follow.
pub const EVENT_VERSION: &str = "1.11";

/// Text that is nearly always one of the program's own constants, so that no allocation is needed.
pub type Text = Cow<'static, str>;

/// One entry of the log book.
///
/// Serializes as CloudTrail does; bounded in size by the log book (see [`crate::audit::trim`]).
/// Never holds a token or a secret: parameters and answers pass [`crate::audit::redact`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// CloudTrail's record version.
    pub event_version: Text,
    /// Who called, as far as it was known.
    pub user_identity: UserIdentity,
    /// When the call came in; whole seconds on the wire, as AWS writes it.
    #[serde(with = "whole_seconds")]
    pub event_time: Timestamp,
    /// The service's name, such as `sts.amazonaws.com`.
    pub event_source: Text,
    /// The action, such as `AssumeRoleWithWebIdentity`.
    pub event_name: Text,
    /// The region that the call was signed for, else the server's own.
    pub aws_region: Text,
    /// The client's address, after trusted proxies.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// The client's `User-Agent`, at most 1 KB.
    pub user_agent: String,
    /// The error's code as the client saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Text>,
    /// The error's message as the client saw it, at most 1 KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What the client sent, without tokens and secrets; `null` when nothing.
    pub request_parameters: Option<Box<RawValue>>,
    /// What it got, without secrets; `null` for failures and for calls that only read.
    pub response_elements: Option<Box<RawValue>>,
    /// AWS's other facts about this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_event_data: Option<Box<RawValue>>,
    /// The id that the client got in `x-amzn-RequestId`: the id of the decision.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// This entry's own id. Cross-account copies of one call have different ones.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// True if the action changes nothing (STS actions count as reading, as on AWS).
    pub read_only: bool,
    /// The resources touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Always `AwsApiCall` today.
    pub event_type: Text,
    /// True for control-plane calls.
    pub management_event: bool,
    /// The account whose log book this entry belongs to; absent when no account is known
    /// (a call so broken that it names none): only the operator sees such an entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_account_id: Option<String>,
    /// The same in both accounts' copies of a cross-account call.
    #[serde(rename = "sharedEventID", default, skip_serializing_if = "Option::is_none")]
    pub shared_event_id: Option<String>,
    /// `Management` or `Data`.
    pub event_category: Text,
    /// The transport, when it was TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_details: Option<TlsDetails>,
    /// What AWS does not tell: why.
    #[serde(default)]
    pub vestibule: Ours,
}

/// A resource that a call touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The account that owns it.
    #[serde(rename = "accountId", default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// CloudFormation's type name, such as `AWS::IAM::Role`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Its ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
}

/// How the call was transported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    /// Such as `TLSv1.3`.
    pub tls_version: Text,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: Text,
    /// The `Host` that the client sent.
    pub client_provided_host_header: String,
}

impl Event {
    /// The copy that the account of the role (or of another resource) gets of a call made by
    /// somebody of another account, as CloudTrail does (spec E): the caller is reduced to its
    /// account and unique id, both copies carry the same `sharedEventID`.
    ///
    /// Our own fields are cut to what each account may see: its own side. The caller's policies
    /// are not its business, so only decisions on its `resource` layer stay.
    #[must_use]
    pub fn for_account(&mut self, account: &str) -> Event {
        let shared = derived_id(&["shared", &self.request_id]);
        self.shared_event_id = Some(shared);
        let mut copy = self.clone();
        copy.event_id = derived_id(&["event", &self.request_id, account]);
        copy.recipient_account_id = Some(account.to_owned());
        copy.user_identity = self.user_identity.seen_from_outside();
        copy.vestibule.keep_resource_side();
        self.vestibule.keep_caller_side();
        copy
    }

    /// True if the call did not get what it asked for.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.vestibule.outcome.refused()
    }

    /// What CloudTrail's `LookupEvents` calls the user name: the name in the identity, a session's
    /// name for role sessions, else nothing.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.user_identity.display_name()
    }
}

/// An id in UUID form that follows from `parts`, so that the same call recorded twice (a receipt
/// delivered again after a crash) is the same event.
#[must_use]
pub fn derived_id(parts: &[&str]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = [0u8; 16];
    for (to, from) in id.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    // RFC 9562: version 8 (vendor-defined content), variant 10.
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in id.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// `2026-01-01T00:00:00Z`: CloudTrail drops the fraction.
pub(super) mod whole_seconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        let whole = Timestamp::from_second(at.as_second()).unwrap_or(*at);
        to.collect_str(&whole)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
