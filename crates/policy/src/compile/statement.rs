//! One statement, ready to be evaluated: whom, what, on what, when.

use std::sync::Arc;

use super::Keys;
use super::principal::PrincipalTest;
use crate::ask::Ask;
use crate::decision::{Grant, StatementId};
use crate::document::{self, Document, Effect, Kind, Patterns, Version};
use crate::hash::{hash, lower};
use crate::operator::{Against, ArnPattern, How, Outcome, Test, Wanted, evaluate};
use crate::pattern::{Key, Match, Pattern, Syntax, Variable};

/// A question with what is worked out once for all statements.
pub(crate) struct Scene<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) parts: Option<[&'a str; 6]>,
    /// A permissions boundary is attached to the caller (matters to `NotPrincipal`).
    pub(crate) bounded: bool,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(ask: &'a Ask, bounded: bool) -> Self {
        Self { ask, parts: ask.resource.parts(), bounded }
    }
}

/// The elements of a statement in the order in which they are looked at.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "PascalCase")]
pub enum Element {
    /// `Principal`, `NotPrincipal`
    Principal,
    /// `Action`, `NotAction`
    Action,
    /// `Resource`, `NotResource`
    Resource,
    /// `Condition`
    Condition,
}

/// Watches one statement being evaluated.
pub(crate) trait Witness {
    /// Whether to go on after the first element that fails.
    const FULL: bool;
    fn element(&mut self, element: Element, applies: bool);
    fn condition(&mut self, outcome: Outcome);
}

/// Watches nothing.
pub(crate) struct Unwatched;

impl Witness for Unwatched {
    const FULL: bool = false;
    fn element(&mut self, _: Element, _: bool) {}
    fn condition(&mut self, _: Outcome) {}
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) id: Arc<StatementId>,
    /// Index among the set's policies.
    pub(crate) policy: u32,
    trust: bool,
    principal: Option<PrincipalTest>,
    pub(crate) action: ActionTest,
    pub(crate) resource: Option<ResourceTest>,
    pub(crate) conditions: Box<[Condition]>,
}

#[derive(Debug)]
pub(crate) struct ActionTest {
    pub(crate) negated: bool,
    pub(crate) list: Box<[ActionPattern]>,
}

#[derive(Debug)]
pub(crate) enum ActionPattern {
    /// `*`
    All,
    /// `*:*`: a choice.
    StarColonStar,
    /// No wildcard.
    Exact { lower: Box<str>, hash: u64 },
    /// A service and a glob, matched together.
    Glob { service: u64, pattern: Pattern },
    /// What no action can match (spec A3).
    Never,
}

#[derive(Debug)]
pub(crate) struct ResourceTest {
    pub(crate) negated: bool,
    /// None: never matches.
    pub(crate) list: Box<[Option<ArnPattern>]>,
}

#[derive(Debug)]
pub(crate) struct Condition {
    /// None: an unknown operator, never true.
    pub(crate) test: Option<Test>,
    pub(crate) key: Key,
    pub(crate) wanted: Wanted,
}

impl Statement {
    pub(super) fn compile(
        id: StatementId,
        policy: u32,
        document: &Document,
        source: &document::Statement,
        keys: &mut Keys,
    ) -> Self {
        let (kind, version) = (document.kind(), document.version());
        let conditions = source.conditions.iter().flatten().map(|line| Condition {
            test: line.test,
            key: keys.intern(&line.key.text),
            wanted: match line.test {
                Some(test) => {
                    let values = line.values.iter().map(|value| &*value.text.text);
                    Wanted::compile(test.operator, values, version)
                }
                None => Wanted::Truths(Box::default()),
            },
        });
        Self {
            id: Arc::new(id),
            policy,
            trust: kind == Kind::Trust,
            principal: source.principal.as_ref().map(PrincipalTest::compile),
            action: ActionTest {
                negated: source.action.negated,
                list: source.action.list.iter().map(|a| ActionPattern::compile(&a.text)).collect(),
            },
            resource: source.resource.as_ref().map(|r| ResourceTest::compile(r, kind, version)),
            conditions: conditions.collect(),
        }
    }

    /// Hands over every condition key, in lower case, that could matter to a question about this
    /// action and, if known, this resource: nothing, unless the statement is about them.
    pub(crate) fn mentions(
        &self,
        scene: &Scene<'_>,
        any_resource: bool,
        hear: &mut impl FnMut(&str),
    ) {
        let variable =
            |p: &Option<ArnPattern>| p.as_ref().is_some_and(|p| p.variables().next().is_some());
        let about = || {
            let dynamic = self.resource.iter().any(|test| test.list.iter().any(variable));
            any_resource || dynamic || self.resource_applies(scene)
        };
        if !self.action.applies(scene) || !about() {
            return;
        }
        self.resource_variables().for_each(|variable| hear(variable.key.as_str()));
        for condition in &self.conditions {
            hear(condition.key.as_str());
            condition.wanted.variables().iter().for_each(|variable| hear(variable.key.as_str()));
        }
        // A provider named as principal of a later request is looked up in the session.
        if self.principal.as_ref().is_some_and(PrincipalTest::names_provider) && !self.trust {
            hear("aws:federatedprovider");
        }
    }

    /// Whether the statement applies, and for policies with a principal how closely it names the
    /// caller ([`Grant::None`]: does not apply). The one evaluator: decisions run it unwatched,
    /// explanations watched.
    pub(crate) fn evaluate<W: Witness>(&self, scene: &Scene<'_>, witness: &mut W) -> Grant {
        let grant = match &self.principal {
            Some(test) => test.grant(self.id.effect, self.trust, scene),
            None => Grant::Account,
        };
        witness.element(Element::Principal, grant != Grant::None);
        if grant == Grant::None && !W::FULL {
            return Grant::None;
        }
        let action = self.action.applies(scene);
        witness.element(Element::Action, action);
        if !action {
            // What a statement about another action says of resources and conditions explains
            // nothing: not even the watched run looks.
            return Grant::None;
        }
        let resource = self.resource_applies(scene);
        witness.element(Element::Resource, resource);
        if !resource && !W::FULL {
            return Grant::None;
        }
        let conditions = self.conditions_hold(scene, witness);
        witness.element(Element::Condition, conditions);
        if resource && conditions { grant } else { Grant::None }
    }

    pub(crate) fn resource_variables(&self) -> impl Iterator<Item = &Variable> {
        let patterns = self.resource.iter().flat_map(|test| test.list.iter().flatten());
        patterns.flat_map(ArnPattern::variables)
    }

    fn resource_applies(&self, scene: &Scene<'_>) -> bool {
        // Trust policies have no resource: it is the role.
        self.resource.as_ref().is_none_or(|test| test.applies(scene))
    }

    fn conditions_hold<W: Witness>(&self, scene: &Scene<'_>, witness: &mut W) -> bool {
        let mut all = true;
        for condition in &self.conditions {
            let outcome = condition.evaluate(self.id.effect, scene);
            witness.condition(outcome);
            all &= outcome.holds;
            if !all && !W::FULL {
                break;
            }
        }
        all
    }
}

impl Condition {
    fn evaluate(&self, effect: Effect, scene: &Scene<'_>) -> Outcome {
        let Some(test) = self.test else {
            return Outcome { holds: false, how: How::UnknownOperator };
        };
        let context = &scene.ask.context;
        let entry = self.key.in_context(context);
        let against = Against { context, effect, choices: &scene.ask.choices };
        evaluate(test, &self.wanted, &self.key, entry, against)
    }
}

impl ActionPattern {
    fn compile(text: &str) -> Self {
        let lower = lower(text);
        let lower = &*lower;
        let Some((vendor, name)) = lower.split_once(':') else {
            return if lower == "*" { Self::All } else { Self::Never };
        };
        if vendor == "*" && name == "*" {
            return Self::StarColonStar;
        }
        let junk = |c: char| c.is_whitespace() || c == ',' || c == ':';
        if name.is_empty() || vendor.contains(['*', '?']) || name.contains(junk) {
            return Self::Never;
        }
        if name.contains(['*', '?']) {
            let syntax = Syntax { wildcards: true, variables: false };
            let pattern = Pattern::compile(lower, syntax);
            return Self::Glob { service: hash(vendor.as_bytes()), pattern };
        }
        Self::Exact { lower: lower.into(), hash: hash(lower.as_bytes()) }
    }

    fn matches(&self, scene: &Scene<'_>) -> bool {
        let action = &scene.ask.action;
        match self {
            Self::All => true,
            Self::StarColonStar => scene.ask.choices.star_colon_star_is_all,
            Self::Exact { lower, hash } => *hash == action.hash() && **lower == *action.lower(),
            Self::Glob { pattern, .. } => {
                pattern.matches(action.lower(), &scene.ask.context) == Match::Yes
            }
            Self::Never => false,
        }
    }
}

impl ActionTest {
    fn applies(&self, scene: &Scene<'_>) -> bool {
        self.list.iter().any(|pattern| pattern.matches(scene)) != self.negated
    }
}

impl ResourceTest {
    fn compile(patterns: &Patterns, kind: Kind, version: Version) -> Self {
        let variables = version == Version::V2012;
        let compile = |text: &str| {
            ArnPattern::compile(text, variables).or_else(|| {
                // A short ARN without variables: spec A4.6.
                let pads = match kind {
                    Kind::Identity | Kind::Boundary | Kind::Session => true,
                    Kind::Resource | Kind::Trust => text.contains(['*', '?']),
                    Kind::Scp => text.ends_with('*'),
                    Kind::Rcp => false,
                };
                let colons = text.bytes().filter(|b| *b == b':').count();
                let padded = || format!("{text}{}", ":*".repeat(5_usize.saturating_sub(colons)));
                pads.then(padded).and_then(|text| ArnPattern::compile(&text, variables))
            })
        };
        let list = patterns.list.iter().map(|pattern| compile(&pattern.text)).collect();
        Self { negated: patterns.negated, list }
    }

    /// An unresolved variable never matches; in `NotResource` it makes the statement not apply,
    /// so that it cannot flip to "everything" (spec A4.8).
    fn applies(&self, scene: &Scene<'_>) -> bool {
        let text = scene.ask.resource.as_str();
        let context = &scene.ask.context;
        let mut any = false;
        for pattern in self.list.iter().flatten() {
            match pattern.matches(text, scene.parts.as_ref(), context) {
                Match::Yes if !self.negated => return true,
                Match::Yes => any = true,
                Match::Unresolved if self.negated => return false,
                Match::Unresolved | Match::No => {}
            }
        }
        any != self.negated
    }
}
