//! What an AWS action is: its input, what must be allowed, and its effect.
//!
//! The types force the order. [`Action::asks`] has no default, so that it cannot be forgotten;
//! [`Action::run`] takes a [`Permit`], and only [`crate::authorize`] makes one. An effect on the
//! configuration is a list of [`Change`]s that the dispatcher commits, never a write of the
//! action's own: so one place authorizes again when the configuration changed in between.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use policy::{AccountId, SetBy, Tag};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::authorize::Permit;
use crate::context;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::world::{Change, Role};

/// One action of one API.
pub trait Action: Send + Sync + 'static {
    /// The name on the wire, such as `AssumeRole`.
    const NAME: &'static str;
    /// What it does to the world, which decides how durable its receipt must be.
    const EFFECT: Effect;
    /// How its caller is proven.
    const PROOF: Proof = Proof::Signature;
    /// The typed input, read after its shape has been checked.
    type Input: DeserializeOwned + Send + Sync;
    /// The typed result.
    type Output: Serialize + Send;

    /// Proves a caller that does not sign: verifies the token in the input and sets `cx.caller`.
    ///
    /// # Errors
    /// What is wrong with the token. An action whose proof is a token and that does not override
    /// this refuses.
    fn prove(_cx: &mut Cx<'_>, _input: &Self::Input) -> impl Future<Output = Result<()>> + Send {
        async {
            Err(Error::internal("this action proves its caller by a token, and does not say how"))
        }
    }

    /// The complete list of what must be allowed. An empty list denies.
    ///
    /// # Errors
    /// When the input names something that cannot be asked for, such as a malformed ARN.
    fn asks(cx: &Cx<'_>, input: &Self::Input) -> Result<Vec<Ask>>;

    /// The effect.
    ///
    /// # Errors
    /// Whatever AWS answers in that case.
    fn run(
        cx: &mut Cx<'_>,
        input: Self::Input,
        permit: Permit<Self>,
    ) -> impl Future<Output = Result<Done<Self::Output>>> + Send
    where
        Self: Sized;
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reads only.
    Read,
    /// Issues credentials; changes nothing.
    Issue,
    /// Changes the configuration.
    Write,
}

/// How an action's caller is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a SigV4 signature.
    Signature,
    /// By a token or an assertion in the input; a signature is not looked at.
    Token,
}

/// A result, and the changes of configuration that go with it.
#[derive(Debug)]
pub struct Done<O> {
    /// What the client gets.
    pub output: O,
    /// What shall be committed, in one step with the receipt.
    pub changes: Vec<Change>,
}

impl<O> Done<O> {
    /// A result that changes nothing.
    pub const fn read(output: O) -> Self {
        Self { output, changes: Vec::new() }
    }

    /// A result with its changes.
    pub const fn write(output: O, changes: Vec<Change>) -> Self {
        Self { output, changes }
    }
}

/// One thing that must be allowed.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The question to the policy engine, its context complete.
    pub question: policy::Ask,
    /// Whose policies decide.
    pub gate: Gate,
}

/// Whose policies decide an ask.
#[derive(Clone, Debug)]
pub enum Gate {
    /// The caller's own: identity policies, boundary, session policy.
    Identity,
    /// The role's trust policy, with the caller's own where the caller is an AWS principal.
    Trust(Arc<Role>),
    /// Anyone with a proven identity may, whatever policies say; the reason is AWS's own rule.
    Public(&'static str),
}

impl Ask {
    /// The caller's own policies must allow `action` on `resource`, which `owner` owns.
    pub fn identity(cx: &Cx<'_>, action: &str, resource: &str, owner: AccountId) -> Self {
        Self::new(cx, action, resource, owner, Gate::Identity)
    }

    /// The role's trust policy must allow `action` to the caller.
    pub fn trust(cx: &Cx<'_>, action: &str, role: &Arc<Role>) -> Self {
        let gate = Gate::Trust(Arc::clone(role));
        let mut ask = Self::new(cx, action, role.arn.as_str(), role.record.account, gate)
            .principal_tags(&role.record.tags);
        ask.question.requires_resource_policy = true;
        ask
    }

    /// AWS asks no policy for this action.
    pub fn public(cx: &Cx<'_>, action: &str, reason: &'static str) -> Self {
        Self {
            question: policy::Ask::new(cx.caller.principal.clone(), action, "*"),
            gate: Gate::Public(reason),
        }
    }

    /// The same question about another action: all else stays.
    #[must_use]
    pub fn about(&self, action: &str) -> Self {
        let mut other = self.clone();
        other.question.action = policy::ActionName::new(action);
        other
    }

    /// Adds a single-valued key.
    #[must_use]
    pub fn key(mut self, name: &str, value: &str, set_by: SetBy) -> Self {
        self.question.context.set(name, value, set_by);
        self
    }

    /// Adds `aws:RequestTag/…` for each tag and `aws:TagKeys`; nothing where there is no tag.
    #[must_use]
    pub fn request_tags(mut self, tags: &[Tag]) -> Self {
        if !tags.is_empty() {
            let context = &mut self.question.context;
            context.set_tags("aws:RequestTag/", tags, SetBy::Request);
            context.set_many("aws:TagKeys", tags.iter().map(|tag| &tag.key), SetBy::Request);
        }
        self
    }

    /// Adds the resource's tags, as `aws:ResourceTag/…`.
    #[must_use]
    pub fn resource_tags(mut self, tags: &[Tag]) -> Self {
        self.question.context.set_tags("aws:ResourceTag/", tags, SetBy::Resource);
        self
    }

    /// Adds the tags of a user or a role, as `aws:ResourceTag/…` and as `iam:ResourceTag/…`, which
    /// other resources do not have. Source: Service Authorization Reference, IAM.
    #[must_use]
    pub fn principal_tags(mut self, tags: &[Tag]) -> Self {
        self.question.context.set_tags("iam:ResourceTag/", tags, SetBy::Resource);
        self.resource_tags(tags)
    }

    fn new(cx: &Cx<'_>, action: &str, resource: &str, owner: AccountId, gate: Gate) -> Self {
        let mut context = context::global(cx);
        context.set("aws:ResourceAccount", owner.as_str(), SetBy::Resource);
        context::resource_organization(&mut context, &cx.world, &owner);
        let question = policy::Ask::new(cx.caller.principal.clone(), action, resource)
            .owned_by(owner)
            .with_context(context);
        Self { question, gate }
    }
}

/// A boxed future that borrows its call.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An action with its types erased: a row of a service's table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name on the wire.
    pub name: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// How its caller is proven.
    pub proof: Proof,
    /// Proves, authorizes, runs, and encodes.
    pub call: for<'a> fn(&'a mut Cx<'_>, Value) -> Pending<'a, Result<Answer>>,
}

/// What a call gives the dispatcher.
#[derive(Debug)]
pub struct Answer {
    /// The result, encoded for the service's protocol.
    pub body: Vec<u8>,
    /// What shall be committed.
    pub changes: Vec<Change>,
}
