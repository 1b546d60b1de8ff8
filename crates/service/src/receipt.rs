//! What the judges' findings look like in the log book: token checks and policy decisions become
//! the receipt's own data here, and nowhere else.

use claims::{Finding, Verdict as Judged};
use policy::{Ask, Decision, Diagnostic, Position, Record, Verdict};

use crate::audit::Draft;
use crate::audit::ours::{self, Check, DecisionRecord, DocumentFinding, Layer, StatementAt};

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

/// A denial, with all that the evaluator saw.
pub fn denied(draft: &mut Draft, ask: &Ask, decision: &Decision, _record: &Record) {
    draft.decision(compact(ask, decision));
}

/// A check of a token.
pub fn finding(finding: &Finding) -> Check {
    let check = match finding.verdict {
        Judged::Pass => Check::pass(finding.check.name()),
        Judged::Fail => Check::fail(finding.check.name()),
        Judged::Skipped => Check::skipped(finding.check.name()),
    };
    let check = match finding.wanted.is_empty() && finding.had.is_empty() {
        true => check,
        false => check.wanted(finding.wanted.clone()).had(finding.had.clone()),
    };
    let check = match finding.note.is_empty() {
        true => check,
        false => check.note(finding.note.clone()),
    };
    if finding.check == claims::Check::Mapping { check.ours() } else { check }
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
            policy: match &statement.policy.arn {
                Some(arn) => arn.to_string(),
                None => statement.policy.name.clone(),
            },
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
