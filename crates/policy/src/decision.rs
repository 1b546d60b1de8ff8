//! The answer, and what decided it: data that is logged, shown and compared.

use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::arn::Arn;
use crate::diagnostic::{Position, Span};
use crate::document::Effect;

/// Yes, no because nothing says yes, no because something says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every layer that must allow does, and none denies.
    Allow,
    /// A layer that must allow does not.
    ImplicitDeny,
    /// A Deny statement matched.
    ExplicitDeny,
}

/// A layer of policies, in the order in which a denial names one (spec A11, UNSURE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Service control policies of the caller's organization.
    Scp,
    /// Resource control policies of the resource owner's organization.
    Rcp,
    /// The VPC endpoint's policy.
    Endpoint,
    /// The policy on the resource; for a role, its trust policy.
    Resource,
    /// The caller's own policies: inline, managed, group.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

/// How closely a resource policy's Allow names the caller (spec A9 step 4), loosest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Not at all.
    #[default]
    None,
    /// As part of an account: the caller's own policies must allow too.
    Account,
    /// By its role: boundary and session policies must allow too.
    Role,
    /// Through the IAM user that made the federated session: boundary and session policies
    /// must allow too.
    MakingUser,
    /// As everyone.
    Star,
    /// By the identity provider that vouches for it.
    Provider,
    /// As an AWS service.
    Service,
    /// Exactly: this user, this session, this federated user.
    Exact,
}

/// What kind of thing a policy is attached as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// Embedded in a user, group or role.
    Inline,
    /// Attached by ARN.
    Managed,
    /// A permissions boundary.
    Boundary,
    /// Passed inline when the session was made.
    SessionInline,
    /// Passed by ARN when the session was made.
    SessionManaged,
    /// A role's trust policy.
    Trust,
    /// A resource's policy.
    Resource,
    /// A VPC endpoint's policy.
    Endpoint,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

/// Which policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct PolicyId {
    /// The friendly name (`PolicyInputList.1` in a simulation).
    pub name: String,
    /// The ARN, for policies that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<Arn>,
    /// How it is attached.
    pub kind: PolicyKind,
    /// ARN of the user, group, role or resource that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arn>,
}

impl PolicyId {
    /// A policy with a name only.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: PolicyKind) -> Self {
        Self { name: name.into(), arn: None, kind, owner: None }
    }

    /// With its ARN.
    #[must_use]
    pub fn with_arn(mut self, arn: Arn) -> Self {
        self.arn = Some(arn);
        self
    }

    /// With the entity that carries it.
    #[must_use]
    pub fn with_owner(mut self, owner: Arn) -> Self {
        self.owner = Some(owner);
        self
    }
}

/// Which statement of which policy, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementId {
    /// The policy.
    pub policy: Arc<PolicyId>,
    /// `Sid`, if written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// From 0.
    pub index: u32,
    /// Allow or Deny.
    pub effect: Effect,
    /// Bytes of the policy's text.
    pub span: Span,
    /// First character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

/// The statements that made the answer: none for an implicit denial, the one Deny for an
/// explicit one; for an Allow the first granting statement of the resource side, of the identity
/// side, or of both when both were needed. Held inline, so that deciding allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Determining([Option<Arc<StatementId>>; 2]);

impl Determining {
    /// No statement.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These two, where present.
    #[must_use]
    pub fn of(first: Option<Arc<StatementId>>, second: Option<Arc<StatementId>>) -> Self {
        // The first place is filled first, so that equality is that of the lists.
        if first.is_some() { Self([first, second]) } else { Self([second, None]) }
    }

    /// The statements in order.
    pub fn iter(&self) -> impl Iterator<Item = &StatementId> {
        self.0.iter().flatten().map(|id| &**id)
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<&StatementId> {
        self.iter().next()
    }
}

impl Serialize for Determining {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for id in self.iter() {
            list.serialize_element(id)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Determining {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut all = Vec::<StatementId>::deserialize(from)?.into_iter().map(Arc::new);
        Ok(Self([all.next(), all.next()]))
    }
}

/// The answer to one [`Ask`](crate::Ask).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes or no, and which no.
    pub verdict: Verdict,
    /// The layer that decided: where the Deny stands, where the Allow is missing, or which side
    /// granted. None only for a root user's allow, which needs no statement.
    pub layer: Option<Layer>,
    /// For SCPs and RCPs, the level counted from the organization's root, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// How closely the resource policy named the caller.
    pub grant: Grant,
    /// The resource's policy is a role's trust policy.
    pub trust: bool,
    /// The statements that made the answer.
    pub determining: Determining,
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.verdict == Verdict::Allow
    }
}
