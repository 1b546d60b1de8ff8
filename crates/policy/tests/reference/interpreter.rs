//! A second reading of the IAM language, for comparison with the engine.
//!
//! It follows the words of the documentation and cares for nothing but clarity: it walks the JSON
//! of every policy for every question, compiles nothing, indexes nothing and shares no code with
//! the engine but the plain types of questions and answers. Start at [`Question::decide`].

mod condition;
mod literal;
mod pattern;
mod principal;

use std::collections::BTreeMap;

use policy::{AccountId, Choices, Grant, Kind, Layer, Principal, Verdict};
use serde_json::Value;

/// A condition key's values, and whether they came as a list.
#[derive(Clone, Debug)]
pub struct Had {
    pub values: Vec<String>,
    pub list: bool,
}

/// The condition keys of a request, by lower-cased name.
pub type Keys = BTreeMap<String, Had>;

/// One policy document with a name of its own.
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: String,
    pub kind: Kind,
    pub json: Value,
}

/// Policies that belong together, in order.
pub type Set = Vec<Policy>;

/// All that bears on one question.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub scps: Option<Vec<Set>>,
    pub rcps: Option<Vec<Set>>,
    pub endpoint: Option<Set>,
    pub resource: Option<Set>,
    pub identity: Vec<Set>,
    pub boundary: Option<Set>,
    pub session: Option<Vec<Set>>,
}

/// May this principal do this action on this resource?
pub struct Question<'a> {
    pub principal: &'a Principal,
    pub action: &'a str,
    pub resource: &'a str,
    pub resource_account: Option<AccountId>,
    pub requires_resource_policy: bool,
    pub keys: &'a Keys,
    pub choices: Choices,
    pub layers: &'a Layers,
}

/// The answer, and the statements (policy name, index) that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub verdict: Verdict,
    pub layer: Option<Layer>,
    pub level: Option<u8>,
    pub determining: Vec<(String, usize)>,
}

/// A statement that applies, and how closely its principal names the caller.
#[derive(Clone, Debug)]
struct Applies {
    grant: Grant,
    id: (String, usize),
}

impl Question<'_> {
    /// Spec A9, from top to bottom.
    pub fn decide(&self) -> Answer {
        // 1. Any Deny that matches, in any layer, ends it.
        for (layer, level, set) in self.all_sets() {
            if layer == Layer::Scp && !self.scps_bind_the_caller() {
                continue;
            }
            if let Some(deny) = self.applying(set, "Deny").first() {
                return Answer {
                    verdict: Verdict::ExplicitDeny,
                    layer: Some(layer),
                    level,
                    determining: vec![deny.id.clone()],
                };
            }
        }
        // 2. and 3. Every level of SCPs, then of RCPs, must allow.
        if self.scps_bind_the_caller()
            && let Some(level) = self.first_silent(&self.layers.scps)
        {
            return implicit_deny(Layer::Scp, Some(level));
        }
        if let Some(level) = self.first_silent(&self.layers.rcps) {
            return implicit_deny(Layer::Rcp, Some(level));
        }
        if let Some(endpoint) = &self.layers.endpoint
            && !self.allows(endpoint)
        {
            return implicit_deny(Layer::Endpoint, None);
        }
        // 4. The resource policy's Allow that names the caller most closely.
        let allows = self.layers.resource.as_ref().map(|set| self.applying(set, "Allow"));
        let mut best: Option<Applies> = None;
        for allow in allows.unwrap_or_default() {
            if best.as_ref().is_none_or(|best| allow.grant > best.grant) {
                best = Some(allow);
            }
        }
        let grant = best.as_ref().map_or(Grant::None, |best| best.grant);
        // 7. Services, anonymous callers and bearers of tokens have nothing but that.
        if self.has_no_identity_side() {
            return match (grant, best) {
                (Grant::Star | Grant::Provider | Grant::Service, Some(best)) => {
                    allow(Layer::Resource, vec![best.id])
                }
                _ => implicit_deny(Layer::Resource, None),
            };
        }
        // 6. Across accounts both sides must allow.
        let caller = self.principal.account();
        let same_account = self.resource_account.is_none() || self.resource_account == caller;
        if !same_account {
            let Some(best) = best else { return implicit_deny(Layer::Resource, None) };
            return self.caller_side(Some(best));
        }
        // 5. Within the account.
        let bypasses = self.choices.exact_grant_bypasses_narrowing;
        match (grant, best) {
            (Grant::Exact | Grant::Star, Some(best)) if bypasses => {
                allow(Layer::Resource, vec![best.id])
            }
            (Grant::Account, Some(best)) if self.choices.account_grant_suffices => {
                allow(Layer::Resource, vec![best.id])
            }
            (Grant::Exact | Grant::Star | Grant::Role | Grant::MakingUser, Some(best)) => {
                match self.narrowing() {
                    Some(layer) => implicit_deny(layer, None),
                    None => allow(Layer::Resource, vec![best.id]),
                }
            }
            (Grant::None, _) if self.requires_resource_policy => {
                implicit_deny(Layer::Resource, None)
            }
            (_, best) => self.caller_side(best.filter(|_| self.requires_resource_policy)),
        }
    }

    /// Identity, boundary and session policies must all allow. `also` is the statement of the
    /// resource's policy without which that would not have been enough.
    fn caller_side(&self, also: Option<Applies>) -> Answer {
        let mut determining: Vec<_> = also.map(|also| also.id).into_iter().collect();
        let is_root = matches!(self.principal, Principal::Root { .. });
        let identity =
            self.layers.identity.iter().flat_map(|set| self.applying(set, "Allow")).next();
        let layer = match identity {
            Some(statement) => {
                determining.push(statement.id);
                Some(Layer::Identity)
            }
            // The root user needs no policy.
            None if is_root => None,
            None => return implicit_deny(Layer::Identity, None),
        };
        match self.narrowing() {
            Some(layer) => implicit_deny(layer, None),
            None => Answer { verdict: Verdict::Allow, layer, level: None, determining },
        }
    }

    /// The layer that narrows the caller's permissions down to a no, if one does.
    fn narrowing(&self) -> Option<Layer> {
        if let Some(boundary) = &self.layers.boundary
            && !self.allows(boundary)
        {
            return Some(Layer::Boundary);
        }
        let session_allows = match &self.layers.session {
            Some(sets) => sets.iter().any(|set| self.allows(set)),
            None => !matches!(self.principal, Principal::FederatedUser { .. }),
        };
        (!session_allows).then_some(Layer::Session)
    }

    fn scps_bind_the_caller(&self) -> bool {
        !self.has_no_identity_side()
    }

    fn has_no_identity_side(&self) -> bool {
        matches!(
            self.principal,
            Principal::Anonymous
                | Principal::Service { .. }
                | Principal::WebIdentity { .. }
                | Principal::Saml { .. }
        )
    }

    fn all_sets(&self) -> Vec<(Layer, Option<u8>, &Set)> {
        let layers = self.layers;
        let mut all = Vec::new();
        for (level, set) in (0..).zip(layers.scps.iter().flatten()) {
            all.push((Layer::Scp, Some(level), set));
        }
        for (level, set) in (0..).zip(layers.rcps.iter().flatten()) {
            all.push((Layer::Rcp, Some(level), set));
        }
        all.extend(layers.endpoint.iter().map(|set| (Layer::Endpoint, None, set)));
        all.extend(layers.resource.iter().map(|set| (Layer::Resource, None, set)));
        all.extend(layers.identity.iter().map(|set| (Layer::Identity, None, set)));
        all.extend(layers.boundary.iter().map(|set| (Layer::Boundary, None, set)));
        all.extend(layers.session.iter().flatten().map(|set| (Layer::Session, None, set)));
        all
    }

    fn first_silent(&self, levels: &Option<Vec<Set>>) -> Option<u8> {
        let silent = levels.as_ref()?.iter().position(|set| !self.allows(set))?;
        Some(u8::try_from(silent).unwrap())
    }

    fn allows(&self, set: &Set) -> bool {
        !self.applying(set, "Allow").is_empty()
    }

    /// The statements of this effect that apply, in order.
    fn applying(&self, set: &Set, effect: &str) -> Vec<Applies> {
        let mut found = Vec::new();
        for policy in set {
            for (index, statement) in statements(&policy.json).into_iter().enumerate() {
                if statement["Effect"] != effect {
                    continue;
                }
                let reading = Reading { question: self, policy, statement };
                if let Some(grant) = reading.applies() {
                    found.push(Applies { grant, id: (policy.name.clone(), index) });
                }
            }
        }
        found
    }
}

fn implicit_deny(layer: Layer, level: Option<u8>) -> Answer {
    Answer { verdict: Verdict::ImplicitDeny, layer: Some(layer), level, determining: Vec::new() }
}

fn allow(layer: Layer, determining: Vec<(String, usize)>) -> Answer {
    Answer { verdict: Verdict::Allow, layer: Some(layer), level: None, determining }
}

/// One value or a list of them.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    }
}

fn statements(policy: &Value) -> Vec<&Value> {
    list(&policy["Statement"])
}

/// The text of a JSON scalar: numbers and booleans are taken as their text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One statement held against a question.
struct Reading<'a> {
    question: &'a Question<'a>,
    policy: &'a Policy,
    statement: &'a Value,
}

impl Reading<'_> {
    /// None: does not apply.
    fn applies(&self) -> Option<Grant> {
        let grant = self.principal()?;
        (self.action() && self.resource() && self.condition()).then_some(grant)
    }

    /// `${…}` has a meaning only in documents of 2012.
    fn has_variables(&self) -> bool {
        self.policy.json["Version"] == "2012-10-17"
    }

    /// Spec A3.
    fn action(&self) -> bool {
        let named = |member: &str| {
            let patterns = list(&self.statement[member]);
            patterns.iter().any(|p| self.action_matches(p.as_str().unwrap()))
        };
        if self.statement.get("Action").is_some() { named("Action") } else { !named("NotAction") }
    }

    fn action_matches(&self, pattern: &str) -> bool {
        if pattern == "*" {
            return true;
        }
        if pattern == "*:*" {
            return self.question.choices.star_colon_star_is_all;
        }
        let Some((vendor, name)) = pattern.split_once(':') else { return false };
        // Vendors are not patterns, and junk never matches.
        if vendor.contains(['*', '?']) || name.is_empty() {
            return false;
        }
        if name.contains(|c: char| c.is_whitespace() || c == ',' || c == ':') {
            return false;
        }
        let glob = pattern::Text::of(
            &pattern.to_lowercase(),
            pattern::Reads::WILDCARDS,
            self.question.keys,
        );
        glob.matches(&self.question.action.to_lowercase())
    }

    /// Spec A4.
    fn resource(&self) -> bool {
        let outcomes = |member: &str| -> Vec<pattern::Outcome> {
            let patterns = list(&self.statement[member]);
            let matching = |p: &&Value| self.resource_matches(p.as_str().unwrap());
            patterns.iter().map(matching).collect()
        };
        if self.statement.get("Resource").is_some() {
            return outcomes("Resource").contains(&pattern::Outcome::Matches);
        }
        if self.statement.get("NotResource").is_some() {
            // What cannot be resolved must not flip to "everything else".
            return outcomes("NotResource").iter().all(|o| *o == pattern::Outcome::Differs);
        }
        // A trust policy is about its role.
        true
    }

    fn resource_matches(&self, pattern: &str) -> pattern::Outcome {
        let short = match self.policy.kind {
            Kind::Identity | Kind::Boundary | Kind::Session => pattern::Short::Padded,
            Kind::Resource | Kind::Trust => pattern::Short::PaddedIfWildcard,
            Kind::Scp => pattern::Short::PaddedIfTrailingStar,
            Kind::Rcp => pattern::Short::Never,
        };
        let keys = self.question.keys;
        pattern::arn_matches(pattern, self.has_variables(), short, self.question.resource, keys)
    }
}
