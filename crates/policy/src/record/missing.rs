//! Which keys, had they been there, could have changed the answer.

use super::{Could, Element, LayerRecord, MissingKey, StatementRecord};
use crate::ask::{Ask, Sources};
use crate::compile::Statement;
use crate::decide::each_set;
use crate::decision::{Decision, Layer, Verdict};
use crate::document::Effect;
use crate::operator::How;

pub(super) fn find(
    ask: &Ask,
    sources: &Sources<'_>,
    decision: &Decision,
    layers: &[LayerRecord<'_>],
) -> Vec<MissingKey> {
    let mut found: Vec<MissingKey> = Vec::new();
    for (layer, (.., set)) in layers.iter().zip(each_set(sources)) {
        let records = layer.policies.iter().flat_map(|policy| {
            policy.statements.iter().map(|statement| (&policy.policy, statement))
        });
        for ((policy, record), statement) in records.zip(set.statements()) {
            let Some(could) = could(decision, layer, record) else { continue };
            for key in keys_at_fault(ask, statement, record) {
                let missing = MissingKey {
                    key,
                    layer: layer.layer,
                    policy: policy.clone(),
                    statement: record.index,
                    could,
                };
                if !found.contains(&missing) {
                    found.push(missing);
                }
            }
        }
    }
    found
}

/// What a change of this statement could bring, given the answer.
fn could(
    decision: &Decision,
    layer: &LayerRecord<'_>,
    record: &StatementRecord<'_>,
) -> Option<Could> {
    let applies = record.applies;
    // Only statements about this caller, action and resource.
    if record.failed.iter().any(|element| element != Element::Condition) && !applies {
        let resource_only = record.failed.iter().all(|e| e == Element::Resource);
        // A resource may fail for want of a variable's key.
        if !resource_only {
            return None;
        }
    }
    let silent = decision.layer == Some(layer.layer) && decision.level == layer.level;
    match (decision.verdict, record.effect) {
        (Verdict::ExplicitDeny, Effect::Deny) => applies.then_some(Could::LiftDeny),
        (Verdict::ExplicitDeny, Effect::Allow) => None,
        (Verdict::ImplicitDeny, Effect::Allow) => {
            // The resource's policy can always grant, if only through another layer's silence.
            let useful = silent || layer.layer == Layer::Resource;
            (!applies && useful).then_some(Could::Allow)
        }
        (Verdict::ImplicitDeny, Effect::Deny) => None,
        (Verdict::Allow, Effect::Deny) => (!applies).then_some(Could::Deny),
        (Verdict::Allow, Effect::Allow) => {
            let sole = decision.determining.iter().any(|id| id.span == record.span);
            (applies && sole).then_some(Could::LiftAllow)
        }
    }
}

/// The missing keys that made the statement apply or fail. Empty when another condition, whose key
/// is there, fails as well.
fn keys_at_fault(ask: &Ask, statement: &Statement, record: &StatementRecord<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    if record.failed.contains(Element::Resource) {
        let unresolved =
            statement.resource_variables().filter(|v| v.resolve(&ask.context).is_none());
        keys.extend(unresolved.map(|v| v.key.as_str().to_owned()));
        if keys.is_empty() {
            return keys;
        }
    }
    for (condition, line) in statement.conditions.iter().zip(&record.conditions) {
        let decided = record.applies || !line.holds;
        if !decided {
            continue;
        }
        let absent = line.had.is_none() && matches!(line.how, How::KeyMissing | How::Presence);
        let variables = condition.wanted.variables();
        let unresolved = variables.iter().filter(|v| v.resolve(&ask.context).is_none());
        let before = keys.len();
        if absent {
            keys.push(line.key.clone().into_owned());
        }
        keys.extend(unresolved.map(|v| v.key.as_str().to_owned()));
        if keys.len() == before && !record.applies {
            // Fails on a key that is there: nothing missing would have helped.
            return Vec::new();
        }
    }
    keys
}
