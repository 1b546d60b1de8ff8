//! What the judges' findings look like in the log book: token checks and policy decisions become
//! the receipt's own data here, and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use claims::{Claims, Finding, Verdict as Judged};
use policy::document::Effect;
use policy::record::{Asked, StatementRecord};
use policy::{Ask, Decision, Diagnostic, PolicyId, Position, Record, SetBy, Verdict};
use serde_json::Value;

use crate::audit::Draft;
use crate::audit::draft::bounded_claims;
use crate::audit::ours::{
    self, Check, ConditionTrace, DecisionRecord, DocumentFinding, Element, KeyRead, Layer,
    StatementAt, StatementTrace,
};

/// AWS puts this action to no policy.
pub fn public(draft: &mut Draft, action: &str, reason: &'static str) {
    draft.decision(DecisionRecord {
        action: action.to_owned().into(),
        resource: "*".to_owned(),
        verdict: ours::Verdict::Allowed,
        layer: Some(Layer::Service),
        ..DecisionRecord::default()
    });
    draft.check(Check::pass("policy").note(reason));
}

/// An allow, compactly: what decided.
pub fn allowed(draft: &mut Draft, ask: &Ask, decision: &Decision) {
    draft.decision(compact(ask, decision));
}

/// Whether the context has keys that AWS would not see.
pub fn has_own_keys(ask: &Ask) -> bool {
    ask.context.iter().any(|entry| is_ours(entry.set_by()))
}

/// An allow whose context had keys of ours: which of them its conditions read is told too.
pub fn allowed_by_own_keys(
    draft: &mut Draft,
    ask: &Ask,
    decision: &Decision,
    record: Option<&Record<'_>>,
) {
    let read = record.into_iter().flat_map(|record| &record.keys);
    let keys = read.filter(|read| is_ours(read.set_by)).map(|read| KeyRead {
        key: read.key.to_string().into(),
        values: Some(ours::bounded_list(&read.values)),
        ours: true,
    });
    draft.decision(DecisionRecord { keys: keys.collect(), ..compact(ask, decision) });
}

/// A denial, with all that the evaluator saw.
pub fn denied(draft: &mut Draft, ask: &Ask, record: &Record<'_>) {
    let trust = record.decision.trust;
    let statements = record.layers.iter().flat_map(|layer| {
        let shown = shown(layer.layer, trust);
        layer.policies.iter().flat_map(move |policy| {
            let traced = move |it| traced(shown, &policy.policy, it, &record.asked);
            policy.statements.iter().map(traced)
        })
    });
    let keys = record.keys.iter().map(|read| KeyRead {
        key: read.key.to_string().into(),
        values: Some(ours::bounded_list(&read.values)),
        ours: is_ours(read.set_by),
    });
    let missing = record.missing.iter().map(|missing| KeyRead {
        key: missing.key.clone().into(),
        values: None,
        ours: false,
    });
    draft.decision(DecisionRecord {
        keys: keys.chain(missing).collect(),
        statements: about_it_first(statements.collect()),
        ..compact(ask, &record.decision)
    });
}

/// Statements about the action come first, so that the bound cuts the others.
fn about_it_first(mut statements: Vec<StatementTrace>) -> Vec<StatementTrace> {
    statements.sort_by_key(|statement| statement.failed == Some(Element::Action));
    statements.truncate(ours::MAX_STATEMENTS);
    statements
}

fn traced(
    layer: Layer,
    policy: &PolicyId,
    statement: &StatementRecord<'_>,
    asked: &Asked,
) -> StatementTrace {
    use policy::record::Element as Failed;
    StatementTrace {
        at: StatementAt {
            layer,
            policy: name(policy),
            statement: statement.index,
            sid: statement.sid.as_deref().map(str::to_owned),
        },
        deny: statement.effect == Effect::Deny,
        matched: statement.applies,
        failed: statement.failed.first().map(|element| match element {
            Failed::Principal => Element::Principal,
            Failed::Action => Element::Action,
            Failed::Resource => Element::Resource,
            Failed::Condition => Element::Condition,
        }),
        had: statement.failed.first().and_then(|element| match element {
            Failed::Principal => Some(asked.principal.clone()),
            Failed::Action => Some(asked.action.clone()),
            Failed::Resource => Some(asked.resource.clone()),
            Failed::Condition => None,
        }),
        wanted: ours::bounded_list(&statement.wanted),
        conditions: statement
            .conditions
            .iter()
            .map(|condition| ConditionTrace {
                operator: condition.operator.to_string(),
                key: condition.key.to_string(),
                wanted: ours::bounded_list(&condition.wanted),
                written: ours::bounded_list(&condition.written),
                had: condition.had.as_deref().map(ours::bounded_list),
                matched: condition.holds,
                ours: condition.set_by.is_some_and(is_ours),
            })
            .collect(),
    }
}

/// A key that AWS would not see.
fn is_ours(set_by: SetBy) -> bool {
    matches!(set_by, SetBy::ExtendedClaim | SetBy::MappedTag)
}

fn name(policy: &PolicyId) -> String {
    policy.arn.as_ref().map_or_else(|| policy.name.clone(), ToString::to_string)
}

/// A token's claims, within the log book's bounds.
pub fn claims(claims: &Claims) -> Arc<BTreeMap<String, Value>> {
    bounded_claims(claims.iter().map(|(name, value)| (name.to_owned(), value.clone())))
}

/// The checks of a token.
pub fn findings(findings: Vec<Finding>) -> impl Iterator<Item = Check> {
    findings.into_iter().map(finding)
}

fn finding(finding: Finding) -> Check {
    let Finding { check, verdict, wanted, had, note } = finding;
    let made = match verdict {
        Judged::Pass => Check::pass(check.name()),
        Judged::Fail => Check::fail(check.name()),
        Judged::Skipped => Check::skipped(check.name()),
    };
    let made = match wanted.is_empty() && had.is_empty() {
        true => made,
        false => made.wanted(wanted).had(had),
    };
    let made = if note.is_empty() { made } else { made.note(note) };
    if check.is_ours() { made.ours() } else { made }
}

/// A finding in a policy document, with its place in the text.
pub fn diagnostic(text: &str, diagnostic: &Diagnostic) -> DocumentFinding {
    let at = Position::of(text, diagnostic.span.start);
    let (start, end) = (diagnostic.span.start as usize, diagnostic.span.end as usize);
    DocumentFinding {
        code: diagnostic.code.clone().into(),
        message: diagnostic.message.clone(),
        line: at.line,
        column: at.column,
        text: text.get(start..end).map(|text| text.chars().take(120).collect()),
        help: diagnostic.help.clone(),
    }
}

fn compact(ask: &Ask, decision: &Decision) -> DecisionRecord {
    let layer = decision.layer.map(|layer| shown(layer, decision.trust));
    DecisionRecord {
        action: ask.action.as_str().to_owned().into(),
        resource: ask.resource.as_str().to_owned(),
        verdict: match decision.verdict {
            Verdict::Allow => ours::Verdict::Allowed,
            Verdict::ImplicitDeny => ours::Verdict::ImplicitDeny,
            Verdict::ExplicitDeny => ours::Verdict::ExplicitDeny,
        },
        layer,
        determining: decision.determining.first().map(|statement| StatementAt {
            layer: layer.unwrap_or(Layer::Identity),
            policy: name(&statement.policy),
            statement: statement.index,
            sid: statement.sid.clone(),
        }),
        ..DecisionRecord::default()
    }
}

fn shown(layer: policy::Layer, trust: bool) -> Layer {
    match layer {
        policy::Layer::Identity => Layer::Identity,
        policy::Layer::Boundary => Layer::Boundary,
        policy::Layer::Session => Layer::Session,
        policy::Layer::Resource if trust => Layer::Trust,
        policy::Layer::Resource => Layer::Resource,
        policy::Layer::Scp => Layer::Scp,
        policy::Layer::Rcp => Layer::Rcp,
        policy::Layer::Endpoint => Layer::Resource,
    }
}
