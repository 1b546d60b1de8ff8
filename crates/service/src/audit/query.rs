//! Questions to the log book: what is looked for, by whom, and how the pages hang together.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::segment::Position;

use super::event::Event;
use super::index::{Slot, bits, hash, hash32};

/// Whose side of the log book is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it: whoever holds the data folder.
    Operator,
    /// Only the entries of this account.
    Account(String),
}

/// A property that an entry must have. Texts compare exactly, as in CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// `eventID`.
    EventId(String),
    /// `requestID` (not one of CloudTrail's).
    RequestId(String),
    /// `eventName`.
    EventName(String),
    /// `readOnly`.
    ReadOnly(bool),
    /// The user's or session's name.
    Username(String),
    /// A resource's type.
    ResourceType(String),
    /// A resource's ARN, or the last part of it.
    ResourceName(String),
    /// `eventSource`.
    EventSource(String),
    /// The access key that signed.
    AccessKeyId(String),
}

/// What is looked for. Entries must have all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose side.
    pub scope: Scope,
    /// Not before this time, in microseconds since 1970.
    pub from: Option<i64>,
    /// Not after this time.
    pub to: Option<i64>,
    /// Only refusals.
    pub refused: bool,
    /// Only control-plane calls.
    pub management: bool,
    /// Further properties.
    pub attributes: Vec<Attribute>,
}

impl Query {
    /// Everything that `scope` sees.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self { scope, from: None, to: None, refused: false, management: false, attributes: vec![] }
    }

    /// The entries of one request.
    #[must_use]
    pub fn request(scope: Scope, request_id: &str) -> Self {
        let attributes = vec![Attribute::RequestId(request_id.to_owned())];
        Self { attributes, ..Self::all(scope) }
    }

    /// Whether an entry with this slot may match: hashes only.
    pub(super) fn may_match(&self, slot: &Slot) -> bool {
        let flag = |flag: u32| slot.flags & flag != 0;
        let scope = match &self.scope {
            Scope::Operator => true,
            Scope::Account(account) => slot.account == hash(account),
        };
        scope
            && self.from.is_none_or(|from| slot.at >= from)
            && self.to.is_none_or(|to| slot.at <= to)
            && (!self.refused || flag(Slot::REFUSED))
            && (!self.management || flag(Slot::MANAGEMENT))
            && self.attributes.iter().all(|attribute| match attribute {
                Attribute::EventId(id) => slot.event == hash(id),
                Attribute::RequestId(id) => slot.request == hash(id),
                Attribute::EventName(name) => slot.name == hash32(name),
                Attribute::ReadOnly(yes) => flag(Slot::READ_ONLY) == *yes,
                Attribute::Username(name) => slot.user == hash32(name),
                Attribute::ResourceType(text) | Attribute::ResourceName(text) => {
                    slot.resources & bits(text) == bits(text)
                }
                Attribute::EventSource(name) => slot.source == hash32(name),
                Attribute::AccessKeyId(id) => slot.key == hash32(id),
            })
    }

    /// Whether `event` matches.
    ///
    /// INVARIANT: the only gate between an account and the entries of others; it looks at the entry
    /// itself, never at the index.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let at = event.vestibule.at_micros;
        let scope = match &self.scope {
            Scope::Operator => true,
            Scope::Account(account) => event.recipient_account_id.as_deref() == Some(account),
        };
        scope
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at <= to)
            && (!self.refused || event.refused())
            && (!self.management || event.management_event)
            && self.attributes.iter().all(|attribute| match attribute {
                Attribute::EventId(id) => event.event_id == *id,
                Attribute::RequestId(id) => event.request_id == *id,
                Attribute::EventName(name) => event.event_name == *name,
                Attribute::ReadOnly(yes) => event.read_only == *yes,
                Attribute::Username(name) => event.username() == Some(name),
                Attribute::ResourceType(kind) => event.resources.iter().any(|r| r.kind == *kind),
                Attribute::ResourceName(name) => {
                    let named = |arn: &str| arn == name || super::index::short(arn) == name;
                    event.resources.iter().any(|r| named(&r.arn))
                }
                Attribute::EventSource(source) => event.event_source == *source,
                Attribute::AccessKeyId(id) => {
                    event.user_identity.access_key_id.as_deref() == Some(id)
                }
            })
    }

    /// What binds a page to its question.
    fn mark(&self) -> u64 {
        hash(&format!("{self:?}"))
    }
}

/// Where the next page begins: for each writer, before which place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Places(pub Vec<Position>);

/// The text is not the token of a page of this question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadToken;

impl Places {
    /// As an opaque text, good only for the same question.
    pub fn token(&self, query: &Query) -> String {
        let places: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        URL_SAFE_NO_PAD.encode(format!("1 {:016x} {}", query.mark(), places.join(" ")))
    }

    /// From such a text.
    pub fn parse(token: &str, query: &Query) -> Result<Self, BadToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
        let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
        let mut parts = text.split(' ');
        if parts.next() != Some("1") || parts.next() != Some(&format!("{:016x}", query.mark())) {
            return Err(BadToken);
        }
        let places: Result<Vec<Position>, _> = parts.map(str::parse).collect();
        places.map(Self).map_err(|_| BadToken)
    }
}
