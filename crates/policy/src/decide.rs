//! The evaluation order, readable top to bottom (spec A9).
//!
//! 1. A matching Deny anywhere ends it.
//! 2. Every level of service control policies must allow, 3. then of resource control policies,
//!    then the VPC endpoint's policy.
//! 4. How closely does the resource's policy name the caller?
//! 5. Within the account, an exact grant suffices; otherwise the caller's policies, boundary and
//!    session policies must all allow.
//! 6. Across accounts, both sides must.
//! 7. Services, anonymous callers and bearers of tokens have no side of their own.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::ask::{Ask, Sources};
use crate::compile::{Compiled, Scene, Unwatched};
use crate::decision::{Decision, Determining, Grant, Layer, StatementId, Verdict};
use crate::document::Effect;
use crate::principal::Principal;
use crate::record::Recorder;

/// Answers one question. Total: every input has an answer, and the answer is no unless every
/// layer that must say yes does.
pub fn decide<R: Recorder>(ask: &Ask, sources: &Sources<'_>, recorder: &mut R) -> Decision {
    let scene = Scene::new(ask, sources.boundary.is_some());
    let decision = Procedure { ask, sources, scene: &scene }.run();
    recorder.decided(ask, sources, &decision);
    decision
}

/// The Allow that a layer found.
#[derive(Default)]
struct Allowed<'a> {
    grant: Grant,
    statement: Option<&'a Arc<StatementId>>,
}

impl Allowed<'_> {
    fn is_yes(&self) -> bool {
        self.statement.is_some()
    }
}

struct Procedure<'a> {
    ask: &'a Ask,
    sources: &'a Sources<'a>,
    scene: &'a Scene<'a>,
}

impl<'a> Procedure<'a> {
    fn run(&self) -> Decision {
        if let Some(denied) = self.explicit_deny() {
            return denied;
        }
        if self.has_organization()
            && let Some(level) = self.first_silent_level(self.sources.scps)
        {
            return self.implicit_deny(Layer::Scp, level, Grant::None);
        }
        if let Some(level) = self.first_silent_level(self.sources.rcps) {
            return self.implicit_deny(Layer::Rcp, level, Grant::None);
        }
        if let Some(endpoint) = self.sources.endpoint
            && !self.first_allow(endpoint).is_yes()
        {
            return self.implicit_deny(Layer::Endpoint, None, Grant::None);
        }
        let resource = self.sources.resource.map(|set| self.closest_allow(set)).unwrap_or_default();
        match &self.ask.principal {
            Principal::Anonymous
            | Principal::Service { .. }
            | Principal::WebIdentity { .. }
            | Principal::Saml { .. } => self.without_identity(&resource),
            _ if self.ask.is_same_account() => self.same_account(&resource),
            _ => self.cross_account(&resource),
        }
    }

    /// Step 1, over all layers in the order in which a denial names them.
    fn explicit_deny(&self) -> Option<Decision> {
        let bound = |layer| layer != Layer::Scp || self.has_organization();
        each_set(self.sources).filter(|(layer, ..)| bound(*layer)).find_map(
            |(layer, level, set)| {
                let statement = self.first_match(set, Effect::Deny)?;
                Some(Decision {
                    verdict: Verdict::ExplicitDeny,
                    layer: Some(layer),
                    level,
                    grant: Grant::None,
                    trust: self.is_trust(),
                    determining: Determining::of(Some(Arc::clone(statement)), None),
                })
            },
        )
    }

    /// Step 7. Only what the resource's policy says to them directly, or to everyone, counts.
    fn without_identity(&self, resource: &Allowed<'a>) -> Decision {
        match resource.grant {
            Grant::Star | Grant::Provider | Grant::Service => {
                self.allow(Layer::Resource, resource, None)
            }
            _ => self.implicit_deny(Layer::Resource, None, Grant::None),
        }
    }

    /// Step 5.
    fn same_account(&self, resource: &Allowed<'a>) -> Decision {
        let choices = &self.ask.choices;
        let granted = || self.allow(Layer::Resource, resource, None);
        match resource.grant {
            // 5a: named exactly, or as everyone: nothing on the caller's side narrows it.
            Grant::Exact | Grant::Star if choices.exact_grant_bypasses_narrowing => granted(),
            Grant::Account if choices.account_grant_suffices => granted(),
            // 5b, 5c: named by role, or through the user who made the session.
            Grant::Exact | Grant::Star | Grant::Role | Grant::MakingUser => {
                self.narrowed(resource.grant).unwrap_or_else(granted)
            }
            // 5d: the resource's policy has the word, and is silent.
            Grant::None if self.ask.requires_resource_policy => {
                self.implicit_deny(Layer::Resource, None, Grant::None)
            }
            // 5e: the caller's own policies, with the account's consent where that is needed.
            _ => self.caller_side(resource),
        }
    }

    /// Step 6: the resource's owner and the caller's side must both allow.
    fn cross_account(&self, resource: &Allowed<'a>) -> Decision {
        if resource.grant == Grant::None {
            return self.implicit_deny(Layer::Resource, None, Grant::None);
        }
        self.caller_side(resource)
    }

    fn caller_side(&self, resource: &Allowed<'a>) -> Decision {
        // The root user needs no policy of its own.
        let root = matches!(self.ask.principal, Principal::Root { .. });
        let sets = self.sources.identity.iter();
        let identity = sets.map(|set| self.first_allow(set)).find(Allowed::is_yes);
        if identity.is_none() && !root {
            return self.implicit_deny(Layer::Identity, None, resource.grant);
        }
        self.narrowed(resource.grant)
            .unwrap_or_else(|| self.allow(Layer::Identity, resource, identity.as_ref()))
    }

    /// The denial by boundary or session policies, which never grant but must allow.
    fn narrowed(&self, grant: Grant) -> Option<Decision> {
        if let Some(boundary) = self.sources.boundary
            && !self.first_allow(boundary).is_yes()
        {
            return Some(self.implicit_deny(Layer::Boundary, None, grant));
        }
        let allowed = match self.sources.session {
            Some(sets) => sets.iter().any(|set| self.first_allow(set).is_yes()),
            // A federated user's session is its session policies.
            None => !matches!(self.ask.principal, Principal::FederatedUser { .. }),
        };
        (!allowed).then(|| self.implicit_deny(Layer::Session, None, grant))
    }

    /// SCPs bind users, roles and root users; not services, nor callers without an account.
    fn has_organization(&self) -> bool {
        use Principal::{FederatedUser, RoleSession, Root, User};
        matches!(
            self.ask.principal,
            Root { .. } | User { .. } | RoleSession { .. } | FederatedUser { .. }
        )
    }

    /// The first level without an Allow; the inner value is its number.
    #[expect(clippy::option_option, reason = "the number has the form a decision keeps")]
    fn first_silent_level(&self, levels: Option<&'a [Arc<Compiled>]>) -> Option<Option<u8>> {
        let silent = levels?.iter().position(|set| !self.first_allow(set).is_yes())?;
        Some(u8::try_from(silent).ok())
    }

    fn first_allow(&self, set: &'a Compiled) -> Allowed<'a> {
        let statement = self.first_match(set, Effect::Allow);
        let grant = if statement.is_some() { Grant::Account } else { Grant::None };
        Allowed { grant, statement }
    }

    /// The first statement in policy and statement order that applies.
    fn first_match(&self, set: &'a Compiled, effect: Effect) -> Option<&'a Arc<StatementId>> {
        let mut first = u32::MAX;
        set.candidates(effect, self.scene, &mut |ordinal, statement| {
            if ordinal >= first {
                return ControlFlow::Break(());
            }
            if statement.evaluate(self.scene, &mut Unwatched) == Grant::None {
                return ControlFlow::Continue(());
            }
            first = ordinal;
            ControlFlow::Break(())
        });
        set.statements().get(first as usize).map(|statement| &statement.id)
    }

    /// Step 4: the Allow that names the caller most closely, the first of these.
    fn closest_allow(&self, set: &'a Compiled) -> Allowed<'a> {
        let mut closest = (Grant::None, u32::MAX);
        set.candidates(Effect::Allow, self.scene, &mut |ordinal, statement| {
            let grant = statement.evaluate(self.scene, &mut Unwatched);
            if grant > closest.0 || (grant == closest.0 && ordinal < closest.1) {
                closest = (grant, ordinal);
            }
            ControlFlow::Continue(())
        });
        let (grant, ordinal) = closest;
        if grant == Grant::None {
            return Allowed::default();
        }
        let statement = set.statements().get(ordinal as usize).map(|statement| &statement.id);
        Allowed { grant, statement }
    }

    fn is_trust(&self) -> bool {
        self.sources.resource.is_some_and(Compiled::is_trust)
    }

    fn implicit_deny(&self, layer: Layer, level: Option<u8>, grant: Grant) -> Decision {
        Decision {
            verdict: Verdict::ImplicitDeny,
            layer: Some(layer),
            level,
            grant,
            trust: self.is_trust(),
            determining: Determining::none(),
        }
    }

    fn allow(
        &self,
        layer: Layer,
        resource: &Allowed<'a>,
        identity: Option<&Allowed<'a>>,
    ) -> Decision {
        let identity = identity.and_then(|allowed| allowed.statement.cloned());
        let both = layer == Layer::Resource
            || self.ask.requires_resource_policy
            || !self.ask.is_same_account();
        let resource_statement = resource.statement.filter(|_| both).cloned();
        let by_root = layer == Layer::Identity && identity.is_none();
        Decision {
            verdict: Verdict::Allow,
            layer: if by_root { None } else { Some(layer) },
            level: None,
            grant: resource.grant,
            trust: self.is_trust(),
            determining: Determining::of(resource_statement, identity),
        }
    }
}

/// Every set of policies that bears on a question, in layer order, with the level of SCPs and RCPs.
pub(crate) fn each_set<'a>(
    sources: &Sources<'a>,
) -> impl Iterator<Item = (Layer, Option<u8>, &'a Compiled)> {
    let levels = |layer: Layer, sets: Option<&'a [Arc<Compiled>]>| {
        sets.unwrap_or_default()
            .iter()
            .enumerate()
            .map(move |(level, set)| (layer, u8::try_from(level).ok(), &**set))
    };
    let plain =
        |layer: Layer, sets: &'a [Arc<Compiled>]| sets.iter().map(move |set| (layer, None, &**set));
    let one =
        |layer: Layer, set: Option<&'a Compiled>| set.map(|set| (layer, None, set)).into_iter();
    levels(Layer::Scp, sources.scps)
        .chain(levels(Layer::Rcp, sources.rcps))
        .chain(one(Layer::Endpoint, sources.endpoint))
        .chain(one(Layer::Resource, sources.resource))
        .chain(plain(Layer::Identity, sources.identity))
        .chain(one(Layer::Boundary, sources.boundary))
        .chain(plain(Layer::Session, sources.session.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
