//! What a decision can leave behind: nothing, or everything.
//!
//! [`FullRecord`] runs the same evaluator over *every* statement, watched, where the decision ran
//! it over those that its index named. While recording it keeps a few bytes per statement and condition;
//! [`FullRecord::into_record`] spells them out as data.

mod missing;

use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Sources};
use crate::compile::{Compiled, Scene, Statement, Witness};
use crate::context::SetBy;
use crate::decide::each_set;
use crate::decision::{Decision, Grant, Layer, PolicyId};
use crate::diagnostic::{Position, Span};
use crate::document::{self, ConditionLine, Effect};
use crate::operator::Outcome;

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
    pub fn into_record(self, ask: &Ask, sources: &Sources<'_>) -> Option<Record> {
        let decision = self.decision?;
        let mut noted = self.statements.into_iter();
        let mut outcomes = self.conditions.into_iter();
        let mut layers: Vec<LayerRecord> = Vec::new();
        for (layer, level, set) in each_set(sources) {
            let policies = policies(ask, set, &mut noted, &mut outcomes);
            layers.push(LayerRecord { layer, level, policies });
        }
        let missing = missing::find(ask, sources, &decision, &layers);
        let keys = keys_read(ask, &layers);
        Some(Record { asked: Asked::of(ask), decision, layers, keys, missing })
    }
}

fn policies(
    ask: &Ask,
    set: &Compiled,
    noted: &mut impl Iterator<Item = Noted>,
    outcomes: &mut impl Iterator<Item = Outcome>,
) -> Vec<PolicyRecord> {
    let ids = set.policies().iter().map(|named| named.id.clone());
    let mut policies: Vec<PolicyRecord> =
        ids.map(|policy| PolicyRecord { policy, statements: Vec::new() }).collect();
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

fn statement_record(
    ask: &Ask,
    set: &Compiled,
    statement: &Statement,
    noted: Noted,
    outcomes: impl Iterator<Item = Outcome>,
) -> StatementRecord {
    let id = &statement.id;
    let document = set.policies().get(statement.policy as usize).map(|named| &named.document);
    let source = document.and_then(|d| d.statements().get(id.index as usize));
    let failed: Vec<Element> =
        ELEMENTS.into_iter().filter(|e| noted.failed & bit(*e) != 0).collect();
    let first = failed.first().copied();
    let wanted = source.zip(first).map(|(source, element)| listed(source, element));
    let lines = source.into_iter().flat_map(|s| s.conditions.iter().flatten());
    let conditions = lines.zip(&statement.conditions).zip(outcomes);
    StatementRecord {
        sid: id.sid.clone(),
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
                    key: line.key.text.clone(),
                    operator: line.operator.text.clone(),
                    written: match condition.wanted.variables().is_empty() {
                        true => Vec::new(),
                        false => line.values.iter().map(|v| v.text.text.clone()).collect(),
                    },
                    wanted: wanted_texts(ask, line, &condition.wanted),
                    had: entry.map(|entry| entry.values().map(str::to_owned).collect()),
                    set_by: entry.map(|entry| entry.set_by()),
                    how: outcome.how,
                    holds: outcome.holds,
                }
            })
            .collect(),
    }
}

/// What an element of a statement lists, as written.
fn listed(statement: &document::Statement, element: Element) -> Vec<String> {
    let texts = |list: &[document::Spanned]| list.iter().map(|item| item.text.clone()).collect();
    match element {
        Element::Action => texts(&statement.action.list),
        Element::Resource => {
            statement.resource.as_ref().map(|it| texts(&it.list)).unwrap_or_default()
        }
        Element::Principal => {
            let members = statement.principal.iter().flat_map(|block| &block.members);
            members.flat_map(|member| &member.list).map(|item| item.text.clone()).collect()
        }
        Element::Condition => Vec::new(),
    }
}

/// The values as written, with what their variables stood for.
fn wanted_texts(ask: &Ask, line: &ConditionLine, wanted: &crate::operator::Wanted) -> Vec<String> {
    let shown = wanted.shown(&ask.context);
    let written = line.values.iter().map(|value| &value.text.text);
    match shown {
        Some(shown) if !wanted.variables().is_empty() => shown,
        _ => written.cloned().collect(),
    }
}

/// The keys that conditions found, in order of first mention.
fn keys_read(ask: &Ask, layers: &[LayerRecord]) -> Vec<KeyRead> {
    let mut keys: Vec<KeyRead> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let policies = layers.iter().flat_map(|layer| &layer.policies);
    let statements = policies.flat_map(|policy| &policy.statements);
    // Statements about other actions or resources read nothing that mattered.
    let about = statements.filter(|s| s.failed.iter().all(|e| *e == Element::Condition));
    for condition in about.flat_map(|s| &s.conditions) {
        let Some(entry) = ask.context.find_key(&condition.key) else { continue };
        if seen.insert(entry.lower_key().to_owned()) {
            keys.push(KeyRead {
                key: entry.key().to_owned(),
                values: entry.values().map(str::to_owned).collect(),
                set_by: entry.set_by(),
            });
        }
    }
    keys
}

/// A whole evaluation as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub decision: Decision,
    /// Every set of policies that was there, in layer order.
    pub layers: Vec<LayerRecord>,
    /// The context keys that conditions of statements about this action and resource found.
    pub keys: Vec<KeyRead>,
    /// Keys that were not there, and whose presence could have changed the answer.
    pub missing: Vec<MissingKey>,
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
pub struct LayerRecord {
    /// Which layer.
    pub layer: Layer,
    /// Of an SCP or RCP, from the organization's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// In order.
    pub policies: Vec<PolicyRecord>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Which.
    pub policy: PolicyId,
    /// In order.
    pub statements: Vec<StatementRecord>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRecord {
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
    /// One past the last.
    pub end: Position,
    /// Whether it applied.
    pub applies: bool,
    /// The elements that did not match, the first first. Empty when it applied. Nothing after
    /// `Action` is looked at when that fails.
    pub failed: Vec<Element>,
    /// What the first element that did not match lists, as written; empty for conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<String>,
    /// For policies with a principal: how closely the caller was named, if it applied.
    pub grant: Grant,
    /// Every condition, in order; none for a statement about another action.
    pub conditions: Vec<ConditionRecord>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionRecord {
    /// As written.
    pub key: String,
    /// As written, with prefix and suffix.
    pub operator: String,
    /// The values wanted; policy variables replaced by what they stood for.
    pub wanted: Vec<String>,
    /// The values as written, where variables made them differ from `wanted`; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
    /// The values had; none when the key was missing.
    pub had: Option<Vec<String>>,
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
pub struct KeyRead {
    /// In the casing in which it was set.
    pub key: String,
    /// Its values.
    pub values: Vec<String>,
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
