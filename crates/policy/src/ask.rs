//! The question: may this principal do this action on this resource, given this context?

use std::sync::Arc;

use crate::arn::{AccountId, first_five_colons};
use crate::choices::Choices;
use crate::compile::{Compiled, Named};
use crate::context::Context;
use crate::decide::each_set;
use crate::hash::{hash, lower};
use crate::principal::Principal;

/// `service:Name`, with the lower-case form by which actions are compared (spec A3).
#[derive(Clone, Debug)]
pub struct ActionName {
    text: Arc<str>,
    lower: Arc<str>,
    hash: u64,
    service: u64,
}

impl ActionName {
    /// Takes `service:Name` as it is; an action no policy can name is simply never allowed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lower: Arc<str> = lower(text).into();
        let service = lower.split(':').next().unwrap_or_default();
        Self {
            hash: hash(lower.as_bytes()),
            service: hash(service.as_bytes()),
            lower,
            text: text.into(),
        }
    }

    /// As given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn lower(&self) -> &str {
        &self.lower
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn service_hash(&self) -> u64 {
        self.service
    }
}

/// What is asked for: an ARN, or `*` for actions without resource types (spec A4).
#[derive(Clone, Debug)]
pub struct ResourceName {
    text: Arc<str>,
    colons: Option<[u16; 5]>,
    hash: u64,
}

impl ResourceName {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { colons: first_five_colons(text), hash: hash(text.as_bytes()), text: text.into() }
    }

    /// `*`: the action has no resource types.
    #[must_use]
    pub fn any() -> Self {
        Self::new("*")
    }

    /// As given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// The six colon parts, for an ARN.
    pub(crate) fn parts(&self) -> Option<[&str; 6]> {
        split_arn(&self.text, self.colons?)
    }
}

/// The six parts of an ARN whose first five colons are known.
pub(crate) fn split_arn(text: &str, [a, b, c, d, e]: [u16; 5]) -> Option<[&str; 6]> {
    let cut = |from: u16, to: u16| text.get(usize::from(from) + 1..usize::from(to));
    Some([
        text.get(..usize::from(a))?,
        cut(a, b)?,
        cut(b, c)?,
        cut(c, d)?,
        cut(d, e)?,
        text.get(usize::from(e) + 1..)?,
    ])
}

/// One question to [`decide`](crate::decide()).
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who asks.
    pub principal: Principal,
    /// What they want to do.
    pub action: ActionName,
    /// On what.
    pub resource: ResourceName,
    /// Who owns the resource. None when the resource has no owner apart from the caller
    /// (`*`): then the call counts as within the caller's account.
    pub resource_account: Option<AccountId>,
    /// The condition keys. `aws:PrincipalArn` and the like are the caller's to set.
    pub context: Context,
    /// The resource's policy must allow, whoever asks (role trust, KMS keys; spec A9 5d).
    pub requires_resource_policy: bool,
    /// The readings chosen where sources disagree.
    pub choices: Choices,
}

impl Ask {
    /// A question within the caller's account and with an empty context.
    #[must_use]
    pub fn new(principal: Principal, action: &str, resource: &str) -> Self {
        Self {
            principal,
            action: ActionName::new(action),
            resource: ResourceName::new(resource),
            resource_account: None,
            context: Context::new(),
            requires_resource_policy: false,
            choices: Choices::CHOSEN,
        }
    }

    /// With the resource's owner.
    #[must_use]
    pub fn owned_by(mut self, account: AccountId) -> Self {
        self.resource_account = Some(account);
        self
    }

    /// With these condition keys.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// The resource's policy must allow (role trust).
    #[must_use]
    pub fn requiring_resource_policy(mut self) -> Self {
        self.requires_resource_policy = true;
        self
    }

    /// Whether caller and resource belong to the same account.
    #[must_use]
    pub fn is_same_account(&self) -> bool {
        self.resource_account.is_none() || self.resource_account == self.principal.account()
    }
}

/// The policies that bear on one question, by layer. Absent is not empty: `None` means that the
/// layer does not apply, while a layer without a matching Allow blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// Service control policies, one set per level from the organization's root to the account.
    /// `None`: not in an organization, management account, or service-linked role.
    pub scps: Option<&'a [Arc<Compiled>]>,
    /// Resource control policies, likewise, of the resource owner's account.
    pub rcps: Option<&'a [Arc<Compiled>]>,
    /// The policy of the VPC endpoint the request came through.
    pub endpoint: Option<&'a Compiled>,
    /// The resource's policy; for a role, its trust policy.
    pub resource: Option<&'a Compiled>,
    /// The caller's policies: its own set, and one per group.
    pub identity: &'a [Arc<Compiled>],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a Compiled>,
    /// The session policies. `None`: none were passed (a federated user's session without any
    /// gets nothing from the identity side).
    pub session: Option<&'a [Arc<Compiled>]>,
}

impl<'a> Sources<'a> {
    /// Every policy that is there, in layer order.
    #[must_use]
    pub fn policies(&self) -> Vec<&'a Named> {
        each_set(self).flat_map(|(.., set)| set.policies()).collect()
    }
}
