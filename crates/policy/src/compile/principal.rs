//! Whom a statement of a resource or trust policy names (spec A7).

use crate::arn::{AccountId, Arn};
use crate::decision::Grant;
use crate::document::{Effect, PrincipalBlock, PrincipalKind};
use crate::principal::Principal;

use super::Scene;

#[derive(Debug)]
pub(super) struct PrincipalTest {
    negated: bool,
    list: Box<[Who]>,
}

#[derive(Debug)]
enum Who {
    Everyone,
    Account(AccountId),
    /// `AIDA…`, `AROA…`
    Id(Box<str>),
    /// Of a user, role, session or federated user.
    Named(Box<str>),
    Provider(Box<str>),
    Service(Box<str>),
    /// Canonical ids are turned into accounts when stored; one left over names nobody.
    Nobody,
}

impl Who {
    fn compile(kind: PrincipalKind, text: &str) -> Self {
        match kind {
            PrincipalKind::Federated => Self::Provider(text.into()),
            PrincipalKind::Service => Self::Service(text.into()),
            PrincipalKind::CanonicalUser => Self::Nobody,
            PrincipalKind::Aws if text == "*" => Self::Everyone,
            PrincipalKind::Aws => {
                if let Ok(account) = AccountId::parse(text) {
                    return Self::Account(account);
                }
                let Ok(arn) = Arn::parse(text) else { return Self::Id(text.into()) };
                match arn.account_id() {
                    Some(account) if arn.service() == "iam" && arn.resource() == "root" => {
                        Self::Account(account)
                    }
                    _ => Self::Named(text.into()),
                }
            }
        }
    }

    fn grant(&self, trust: bool, scene: &Scene<'_>) -> Grant {
        let principal = &scene.ask.principal;
        let choices = &scene.ask.choices;
        let if_so = |is: bool, grant| if is { grant } else { Grant::None };
        match (self, principal) {
            // In other policies, as those of RCPs and endpoints, everyone is everyone.
            (Self::Everyone, _) if !trust => Grant::Star,
            (Self::Everyone, Principal::WebIdentity { .. } | Principal::Saml { .. }) => {
                if_so(choices.star_trust_matches_federation, Grant::Star)
            }
            (Self::Everyone, Principal::Anonymous | Principal::Service { .. }) => Grant::None,
            (Self::Everyone, _) if !choices.star_trust_suffices_in_account => Grant::Account,
            (Self::Everyone, _) => Grant::Star,
            (Self::Account(account), principal) => {
                let signed = !principal.is_unsigned_federation();
                if_so(signed && principal.account() == Some(*account), Grant::Account)
            }
            (Self::Id(id), Principal::User { id: own, .. }) => {
                if_so(**id == *own.as_str(), Grant::Exact)
            }
            (Self::Id(id), Principal::FederatedUser { user_id, .. }) => {
                if_so(**id == *user_id.as_str(), Grant::MakingUser)
            }
            (Self::Id(id), Principal::RoleSession { role_id, .. }) => {
                if_so(**id == *role_id.as_str(), Grant::Role)
            }
            (Self::Named(name), Principal::User { arn, .. }) => {
                if_so(**name == *arn.as_str(), Grant::Exact)
            }
            (Self::Named(name), Principal::FederatedUser { arn, user_arn, .. }) => {
                let making = if_so(**name == *user_arn.as_str(), Grant::MakingUser);
                making.max(if_so(**name == *arn.as_str(), Grant::Exact))
            }
            (Self::Named(name), Principal::RoleSession { role_arn, session_arn, .. }) => {
                let role = if_so(**name == *role_arn.as_str(), Grant::Role);
                role.max(if_so(**name == *session_arn.as_str(), Grant::Exact))
            }
            (Self::Provider(name), Principal::WebIdentity { provider, .. }) => {
                if_so(**name == **provider, Grant::Provider)
            }
            (Self::Provider(name), Principal::Saml { provider, .. }) => {
                if_so(**name == *provider.as_str(), Grant::Provider)
            }
            (Self::Provider(name), Principal::RoleSession { .. })
                if !trust && choices.provider_grant_outside_trust =>
            {
                let entry = scene.ask.context.find_key("aws:federatedprovider");
                if_so(entry.and_then(|e| e.single()) == Some(name), Grant::Role)
            }
            (Self::Service(name), Principal::Service { name: own }) => {
                if_so(**name == **own, Grant::Service)
            }
            _ => Grant::None,
        }
    }
}

impl PrincipalTest {
    pub(super) fn compile(block: &PrincipalBlock) -> Self {
        let named = block.members.iter().flat_map(|member| {
            member.list.iter().map(|value| Who::compile(member.kind, &value.text))
        });
        let star = block.star.then_some(Who::Everyone);
        Self { negated: block.negated, list: star.into_iter().chain(named).collect() }
    }

    pub(super) fn names_provider(&self) -> bool {
        self.list.iter().any(|who| matches!(who, Who::Provider(_)))
    }

    pub(super) fn grant(&self, effect: Effect, trust: bool, scene: &Scene<'_>) -> Grant {
        let grants = self.list.iter().map(|who| who.grant(trust, scene));
        if !self.negated {
            return grants.max().unwrap_or_default();
        }
        let applies = match effect {
            // Everyone is denied who is not listed in every form they have: the session, its role
            // and the account. A principal with a permissions boundary is always denied (A1).
            Effect::Deny => scene.bounded || !self.lists_every_form(trust, scene),
            Effect::Allow => self.list.iter().all(|who| who.grant(trust, scene) == Grant::None),
        };
        if applies { Grant::Account } else { Grant::None }
    }

    fn lists_every_form(&self, trust: bool, scene: &Scene<'_>) -> bool {
        let grants = |wanted: &[Grant]| {
            self.list.iter().any(|who| {
                let named = match who {
                    // A session is listed by its own ARN, its role by another entry.
                    Who::Everyone => return who.grant(trust, scene) != Grant::None,
                    who => who.grant(trust, scene),
                };
                wanted.contains(&named)
            })
        };
        let account = || grants(&[Grant::Account]);
        match &scene.ask.principal {
            Principal::Anonymous => grants(&[]),
            Principal::Root { .. } => account(),
            Principal::User { .. } | Principal::FederatedUser { .. } => {
                grants(&[Grant::Exact]) && account()
            }
            Principal::RoleSession { .. } => {
                grants(&[Grant::Exact]) && grants(&[Grant::Role]) && account()
            }
            Principal::WebIdentity { .. } | Principal::Saml { .. } => grants(&[Grant::Provider]),
            Principal::Service { .. } => grants(&[Grant::Service]),
        }
    }
}
