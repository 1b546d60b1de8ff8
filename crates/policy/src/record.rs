//! What a decision can leave behind: nothing, or everything.
//!
//! [`FullRecord`] runs the same evaluator over *every* statement, watched, where the decision ran
//! it over those that its index named. While recording it keeps a few bytes per statement and condition;
//! [`FullRecord::into_record`] spells them out as data.

mod missing;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Sources};
use crate::compile::{Compiled, Named, Scene, Statement, Witness};
use crate::context::SetBy;
use crate::decide::each_set;
use crate::decision::{Decision, Grant, Layer, PolicyId};
use crate::diagnostic::{Position, Span};
use crate::document::{self, ConditionLine, ConditionValue, Effect, Spanned};
use crate::operator::{Outcome, Wanted};

pub use crate::compile::Element;
pub use crate::operator::How;

/// Is told of each decision, with all that went into it.
pub trait Recorder {
    /// A decision was made.
    fn decided(&mut self, ask: &Ask, sources: &Sources<'_>, decision: &Decision);
}

/// The hot path: hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecord;

impl Recorder for NoRecord {
    fn decided(&mut self, _: &Ask, _: &Sources<'_>, _: &Decision) {}
}

/// Keeps everything about one decision.
#[derive(Clone, Debug, Default)]
pub struct FullRecord {
    statements: Vec<Noted>,
    conditions: Vec<Outcome>,
    decision: Option<Decision>,
}

/// One statement as it was evaluated, in few bytes. Sets and statements are in the order of
/// [`each_set`].
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    failed: u8,
    grant: Grant,
}

impl Recorder for FullRecord {
    fn decided(&mut self, ask: &Ask, sources: &Sources<'_>, decision: &Decision) {
        self.statements.clear();
        self.conditions.clear();
        self.decision = Some(decision.clone());
        let scene = Scene::new(ask, sources.boundary.is_some());
        for (.., set) in each_set(sources) {
            for statement in set.statements() {
                let mut watch = Watch { failed: 0, conditions: &mut self.conditions };
                let grant = statement.evaluate(&scene, &mut watch);
                let failed = watch.failed;
                self.statements.push(Noted { failed, grant });
            }
        }
    }
}

struct Watch<'a> {
    failed: u8,
    conditions: &'a mut Vec<Outcome>,
}

impl Witness for Watch<'_> {
    const FULL: bool = true;
    fn element(&mut self, element: Element, applies: bool) {
        if !applies {
            self.failed |= bit(element);
        }
    }
    fn condition(&mut self, outcome: Outcome) {
        self.conditions.push(outcome);
    }
}

fn bit(element: Element) -> u8 {
    match element {
        Element::Principal => 1,
        Element::Action => 2,
        Element::Resource => 4,
        Element::Condition => 8,
    }
}

const ELEMENTS: [Element; 4] =
    [Element::Principal, Element::Action, Element::Resource, Element::Condition];

impl FullRecord {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Spells out what was heard. `ask` and `sources` are those of the decision. None when no
    /// decision was made.
    #[must_use]
    pub fn into_record<'a>(self, ask: &'a Ask, sources: &Sources<'a>) -> Option<Record<'a>> {
        let decision = self.decision?;
        let mut noted = self.statements.into_iter();
        let mut outcomes = self.conditions.into_iter();
        let mut layers: Vec<LayerRecord<'a>> = Vec::new();
        for (layer, level, set) in each_set(sources) {
            let policies = policies(ask, set, &mut noted, &mut outcomes);
            layers.push(LayerRecord { layer, level, policies });
        }
        let missing = missing::find(ask, sources, &decision, &layers);
        let keys = keys_read(ask, &layers);
        Some(Record { asked: Asked::of(ask), decision, layers, keys, missing })
    }
}

fn policies<'a>(
    ask: &'a Ask,
    set: &'a Compiled,
    noted: &mut impl Iterator<Item = Noted>,
    outcomes: &mut impl Iterator<Item = Outcome>,
) -> Vec<PolicyRecord<'a>> {
    let empty = |named: &Named| PolicyRecord {
        policy: named.id.clone(),
        statements: Vec::with_capacity(named.document.statements().len()),
    };
    let mut policies: Vec<PolicyRecord<'a>> = set.policies().iter().map(empty).collect();
    for statement in set.statements() {
        let Some(noted) = noted.next() else { break };
        // Statements about another action were not looked at further.
        let looked_at = noted.failed & bit(Element::Action) == 0;
        let outcomes = outcomes.take(if looked_at { statement.conditions.len() } else { 0 });
        let record = statement_record(ask, set, statement, noted, outcomes);
        if let Some(policy) = policies.get_mut(statement.policy as usize) {
            policy.statements.push(record);
        }
    }
    policies
}

fn statement_record<'a>(
    ask: &'a Ask,
    set: &'a Compiled,
    statement: &'a Statement,
    noted: Noted,
    outcomes: impl Iterator<Item = Outcome>,
) -> StatementRecord<'a> {
    let id = &statement.id;
    let document = set.policies().get(statement.policy as usize).map(|named| &named.document);
    let source = document.and_then(|d| d.statements().get(id.index as usize));
    let failed = Elements(noted.failed);
    let wanted = source.zip(failed.first()).map(|(source, element)| listed(source, element));
    let lines = source.into_iter().flat_map(|s| s.conditions.iter().flatten());
    let conditions = lines.zip(&statement.conditions).zip(outcomes);
    StatementRecord {
        sid: id.sid.as_deref().map(Cow::Borrowed),
        index: id.index,
        effect: id.effect,
        span: id.span,
        start: id.start,
        end: id.end,
        applies: noted.grant != Grant::None,
        failed,
        wanted: wanted.unwrap_or_default(),
        grant: noted.grant,
        conditions: conditions
            .map(|((line, condition), outcome)| {
                let entry = condition.key.in_context(&ask.context);
                ConditionRecord {
                    key: Cow::Borrowed(&line.key.text),
                    operator: Cow::Borrowed(&line.operator.text),
                    written: match condition.wanted.variables().is_empty() {
                        true => Vec::new(),
                        false => line.values.iter().map(written).collect(),
                    },
                    wanted: wanted_texts(ask, line, &condition.wanted),
                    had: entry.map(|entry| entry.values().map(Cow::Borrowed).collect()),
                    set_by: entry.map(|entry| entry.set_by()),
                    how: outcome.how,
                    holds: outcome.holds,
                }
            })
            .collect(),
    }
}

/// What an element of a statement lists, as written.
fn listed(statement: &document::Statement, element: Element) -> Vec<Cow<'_, str>> {
    let lists: Vec<&[Spanned]> = match element {
        Element::Action => return texts(&statement.action.list).collect(),
        Element::Resource => statement.resource.iter().map(|it| &*it.list).collect(),
        Element::Principal => {
            let members = statement.principal.iter().flat_map(|block| &block.members);
            members.map(|member| &*member.list).collect()
        }
        Element::Condition => Vec::new(),
    };
    lists.into_iter().flat_map(texts).collect()
}

fn texts(list: &[Spanned]) -> impl Iterator<Item = Cow<'_, str>> {
    list.iter().map(|item| Cow::Borrowed(item.text.as_str()))
}

fn written(value: &ConditionValue) -> Cow<'_, str> {
    Cow::Borrowed(&value.text.text)
}

/// The values as written, with what their variables stood for.
fn wanted_texts<'a>(ask: &Ask, line: &'a ConditionLine, wanted: &Wanted) -> Vec<Cow<'a, str>> {
    if !wanted.variables().is_empty()
        && let Some(shown) = wanted.shown(&ask.context)
    {
        return shown.into_iter().map(Cow::Owned).collect();
    }
    line.values.iter().map(written).collect()
}

/// The keys that conditions found, in order of first mention.
fn keys_read<'a>(ask: &'a Ask, layers: &[LayerRecord<'a>]) -> Vec<KeyRead<'a>> {
    let mut keys: Vec<KeyRead<'a>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let policies = layers.iter().flat_map(|layer| &layer.policies);
    let statements = policies.flat_map(|policy| &policy.statements);
    // Statements about other actions or resources read nothing that mattered.
    let about = statements.filter(|s| s.failed.iter().all(|e| e == Element::Condition));
    for condition in about.flat_map(|s| &s.conditions) {
        let Some(entry) = ask.context.find_key(&condition.key) else { continue };
        if seen.insert(entry.lower_key()) {
            keys.push(KeyRead {
                key: Cow::Borrowed(entry.key()),
                values: entry.values().map(Cow::Borrowed).collect(),
                set_by: entry.set_by(),
            });
        }
    }
    keys
}

/// A whole evaluation as data. Texts are those of the policies and of the question; one that is read
/// back owns them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub decision: Decision,
    /// Every set of policies that was there, in layer order.
    pub layers: Vec<LayerRecord<'a>>,
    /// The context keys that conditions of statements about this action and resource found.
    pub keys: Vec<KeyRead<'a>>,
    /// Keys that were not there, and whose presence could have changed the answer.
    pub missing: Vec<MissingKey>,
}

impl Record<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let layers = self.layers.into_iter().map(|layer| LayerRecord {
            policies: layer.policies.into_iter().map(PolicyRecord::into_owned).collect(),
            ..layer
        });
        let keys = self.keys.into_iter().map(|read| KeyRead {
            key: owned(read.key),
            values: all_owned(read.values),
            ..read
        });
        Record { layers: layers.collect(), keys: keys.collect(), ..self }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn all_owned(texts: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    texts.into_iter().map(owned).collect()
}

/// The question in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// As AWS names the caller in a denial.
    pub principal: String,
    /// `service:Action`
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Caller and resource belong to one account.
    pub same_account: bool,
}

impl Asked {
    fn of(ask: &Ask) -> Self {
        Self {
            principal: ask.principal.shown().into_owned(),
            action: ask.action.as_str().to_owned(),
            resource: ask.resource.as_str().to_owned(),
            same_account: ask.is_same_account(),
        }
    }
}

/// One set of policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRecord<'a> {
    /// Which layer.
    pub layer: Layer,
    /// Of an SCP or RCP, from the organization's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// In order.
    pub policies: Vec<PolicyRecord<'a>>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord<'a> {
    /// Which.
    pub policy: PolicyId,
    /// In order.
    pub statements: Vec<StatementRecord<'a>>,
}

impl PolicyRecord<'_> {
    fn into_owned(self) -> PolicyRecord<'static> {
        let statements = self.statements.into_iter().map(|statement| StatementRecord {
            sid: statement.sid.map(owned),
            wanted: all_owned(statement.wanted),
            conditions: statement.conditions.into_iter().map(ConditionRecord::into_owned).collect(),
            ..statement
        });
        PolicyRecord { statements: statements.collect(), ..self }
    }
}

impl ConditionRecord<'_> {
    fn into_owned(self) -> ConditionRecord<'static> {
        ConditionRecord {
            key: owned(self.key),
            operator: owned(self.operator),
            wanted: all_owned(self.wanted),
            written: all_owned(self.written),
            had: self.had.map(all_owned),
            ..self
        }
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRecord<'a> {
    /// `Sid`, if written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Cow<'a, str>>,
    /// From 0.
    pub index: u32,
    /// Allow or Deny.
    pub effect: Effect,
    /// Bytes of the policy's text.
    pub span: Span,
    /// First character.
    pub start: Position,
    /// One past the last.
    pub end: Position,
    /// Whether it applied.
    pub applies: bool,
    /// The elements that did not match, the first first. Empty when it applied. Nothing after
    /// `Action` is looked at when that fails.
    pub failed: Elements,
    /// What the first element that did not match lists, as written; empty for conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Cow<'a, str>>,
    /// For policies with a principal: how closely the caller was named, if it applied.
    pub grant: Grant,
    /// Every condition, in order; none for a statement about another action.
    pub conditions: Vec<ConditionRecord<'a>>,
}

/// Elements of a statement, few as they are, in the order of evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Element>", into = "Vec<Element>")]
pub struct Elements(u8);

impl Elements {
    /// In order.
    pub fn iter(self) -> impl Iterator<Item = Element> {
        ELEMENTS.into_iter().filter(move |element| self.contains(*element))
    }

    /// The first, if there is one.
    #[must_use]
    pub fn first(self) -> Option<Element> {
        self.iter().next()
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, element: Element) -> bool {
        self.0 & bit(element) != 0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Vec<Element>> for Elements {
    fn from(elements: Vec<Element>) -> Self {
        Self(elements.into_iter().fold(0, |bits, element| bits | bit(element)))
    }
}

impl From<Elements> for Vec<Element> {
    fn from(elements: Elements) -> Self {
        elements.iter().collect()
    }
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionRecord<'a> {
    /// As written.
    pub key: Cow<'a, str>,
    /// As written, with prefix and suffix.
    pub operator: Cow<'a, str>,
    /// The values wanted; policy variables replaced by what they stood for.
    pub wanted: Vec<Cow<'a, str>>,
    /// The values as written, where variables made them differ from `wanted`; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Cow<'a, str>>,
    /// The values had; none when the key was missing.
    pub had: Option<Vec<Cow<'a, str>>>,
    /// Who set the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<SetBy>,
    /// What decided.
    pub how: How,
    /// Whether it held.
    pub holds: bool,
}

/// A context key that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRead<'a> {
    /// In the casing in which it was set.
    pub key: Cow<'a, str>,
    /// Its values.
    pub values: Vec<Cow<'a, str>>,
    /// Who set it.
    pub set_by: SetBy,
}

/// A key that was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingKey {
    /// As written in the policy.
    pub key: String,
    /// The layer of the statement that asked for it.
    pub layer: Layer,
    /// The policy.
    pub policy: PolicyId,
    /// The statement, from 0.
    pub statement: u32,
    /// What the key's presence could have brought: an Allow that would have applied, a Deny that
    /// would have, or (for a Deny that held *because* the key was missing) its end.
    pub could: Could,
}

/// What a missing key could have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Could {
    /// An Allow statement failed only for want of it.
    Allow,
    /// A Deny statement failed only for want of it.
    Deny,
    /// A Deny statement applied only for want of it.
    LiftDeny,
    /// An Allow statement applied only for want of it.
    LiftAllow,
}

#[cfg(test)]
mod tests;
