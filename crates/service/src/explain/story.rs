//! The story as data: what `--format json` prints and [`super::text`] renders.

use serde::Serialize;

use super::cause::{self, Cause};
use super::diff::{Difference, difference, nearest};
use super::smallest_change::{self, Change};
use crate::audit::ours::{
    Aggregate, Check, ConditionTrace, DecisionRecord, DocumentFinding, Element, Layer,
    SignatureTrace, StatementAt, StatementTrace, Verdict,
};
use crate::audit::{Event, Mark, Outcome};

/// Most statements of one decision that are shown: the nearest ones.
const MAX_SHOWN: usize = 5;

/// The whole story of one decision.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    /// `ALLOW`, `DENY`, `FAIL` or `REJECT`.
    pub verdict: &'static str,
    /// `service:Action`.
    pub action: String,
    /// The resource that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who asked.
    pub who: String,
    /// False if that is only what the caller claims.
    pub proven: bool,
    /// From where.
    pub source_ip: String,
    /// When, as `2026-01-01T00:00:00Z`.
    pub when: String,
    /// The id in the client's answer.
    pub request_id: String,
    /// The revision of the configuration that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What the client was told: code and message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<(String, String)>,
    /// The checks in order.
    pub checks: Vec<Line>,
    /// The decisions in order.
    pub decisions: Vec<DecisionStory>,
    /// Why, plainly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The smallest change that would allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Where this server does more than AWS would.
    pub ours: Vec<String>,
    /// What was computed for a signature that did not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureTrace>,
    /// Findings in policy documents that the call brought along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<DocumentFinding>,
    /// Set if this entry stands for many calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// Parts of the entry that its size bound cut away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trimmed: Vec<String>,
}

/// One check or condition: a mark, a name, wanted and had.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// How it went.
    pub mark: Mark,
    /// Check name, or operator and key.
    pub name: String,
    /// What would have passed; several for a condition with several values.
    pub wanted: Vec<String>,
    /// What was there; none if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub had: Option<String>,
    /// Where they part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// True if AWS would not make this check or not see this key.
    pub ours: bool,
}

/// One decision of the policy evaluator.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionStory {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// How it went.
    pub mark: Mark,
    /// The layer and statement that decided, in one sentence.
    pub sentence: String,
    /// The statements that were nearest to another answer.
    pub statements: Vec<StatementStory>,
    /// How many more were looked at.
    pub more_statements: usize,
}

/// One statement.
#[derive(Debug, Clone, Serialize)]
pub struct StatementStory {
    /// Where it stands, in words.
    pub place: String,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// True if all of it matched.
    pub matched: bool,
    /// Where it stopped matching, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Its conditions, or the element that did not match.
    pub lines: Vec<Line>,
}

impl Story {
    /// Tells the story of `event`.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let ours = &event.vestibule;
        let checks = ours.checks.iter().map(|check| Line::of_check(check)).collect();
        let decisions = ours.decisions.iter().map(DecisionStory::of).collect();
        let service = event.event_source.split('.').next().unwrap_or_default();
        let denied = denied(event);
        let resource = match (denied, event.resources.first()) {
            (_, Some(resource)) => Some(resource.arn.clone()),
            (Some(decision), None) => Some(decision.resource.clone()),
            (None, None) => ours.decisions.first().map(|d| d.resource.clone()),
        };
        Self {
            verdict: verdict(ours.outcome),
            action: format!("{service}:{}", event.event_name),
            resource: resource.filter(|r| !r.is_empty() && r != "*"),
            who: event.user_identity.who(),
            proven: ours.proven,
            source_ip: event.source_ip_address.clone(),
            when: when(event),
            request_id: event.request_id.clone(),
            revision: ours.revision,
            answered: event
                .error_code
                .as_ref()
                .map(|code| (code.to_string(), event.error_message.clone().unwrap_or_default())),
            checks,
            decisions,
            cause: cause::of(event),
            change: smallest_change::of(event),
            ours: ours_lines(event),
            signature: ours.signature.as_deref().cloned(),
            diagnostics: ours.diagnostics.clone(),
            aggregate: ours.aggregate.as_deref().cloned(),
            trimmed: ours.trimmed.iter().map(ToString::to_string).collect(),
        }
    }

    /// The first thing that did not hold: a check, else a condition of the nearest statement.
    #[must_use]
    pub fn first_fault(&self) -> Option<&Line> {
        let failed = |line: &&Line| line.mark == Mark::Fail;
        self.checks.iter().find(failed).or_else(|| {
            let denied = self.decisions.iter().find(|d| d.mark == Mark::Fail)?;
            let allows = denied.statements.iter().filter(|s| s.effect == "Allow" && !s.matched);
            allows.flat_map(|s| &s.lines).find(failed)
        })
    }
}

impl Line {
    fn of_check(check: &Check) -> Self {
        let (wanted, had) = cause::readable_times(check);
        let wanted: Vec<String> = wanted.into_iter().collect();
        let difference = match (check.verdict, wanted.first(), &had) {
            (Mark::Fail, Some(wanted), Some(had)) if comparable(&check.name) => {
                difference(wanted, had, false)
            }
            _ => None,
        };
        Self {
            mark: check.verdict,
            name: check.name.to_string(),
            wanted,
            had,
            difference,
            note: check.note.as_ref().filter(|n| !n.is_empty()).map(ToString::to_string),
            ours: check.ours,
        }
    }

    fn of_condition(condition: &ConditionTrace) -> Self {
        let had = condition.had.as_ref().map(|had| had.join(", "));
        let pattern = is_pattern(&condition.operator);
        let difference = match (&had, condition.matched) {
            (Some(had), false) if is_text(&condition.operator) => {
                nearest(&condition.wanted, had, pattern)
                    .and_then(|wanted| difference(wanted, had, pattern))
            }
            _ => None,
        };
        let note = (!condition.written.is_empty())
            .then(|| format!("written as {}", condition.written.join(", ")));
        Self {
            mark: if condition.matched { Mark::Pass } else { Mark::Fail },
            name: format!("{} {}", condition.operator, condition.key),
            wanted: condition.wanted.clone(),
            had,
            difference,
            note,
            ours: condition.ours,
        }
    }

    /// The wanted text that was missed most narrowly.
    #[must_use]
    pub fn nearest_wanted(&self) -> Option<&str> {
        let had = self.had.as_deref().unwrap_or_default();
        nearest(&self.wanted, had, is_pattern(&self.name))
    }

    /// What was there, or that nothing was.
    #[must_use]
    pub fn had_text(&self) -> &str {
        self.had.as_deref().unwrap_or("nothing")
    }
}

impl DecisionStory {
    fn of(decision: &DecisionRecord) -> Self {
        let mut ranked: Vec<&StatementTrace> = match decision.verdict {
            Verdict::Allowed => Vec::new(),
            Verdict::ExplicitDeny => {
                decision.statements.iter().filter(|s| s.deny && s.matched).collect()
            }
            Verdict::ImplicitDeny => decision
                .statements
                .iter()
                .filter(|s| !s.deny && decision.layer.is_none_or(|layer| layer == s.at.layer))
                .filter(|s| s.failed != Some(Element::Action))
                .collect(),
        };
        ranked.sort_by_key(|s| distance(s));
        let shown: Vec<StatementStory> =
            ranked.iter().take(MAX_SHOWN).map(|s| StatementStory::of(s)).collect();
        Self {
            action: decision.action.to_string(),
            resource: decision.resource.clone(),
            mark: if decision.verdict == Verdict::Allowed { Mark::Pass } else { Mark::Fail },
            sentence: sentence(decision),
            more_statements: match decision.verdict {
                Verdict::Allowed => 0,
                _ => decision.statements.len().saturating_sub(shown.len()),
            },
            statements: shown,
        }
    }
}

impl StatementStory {
    fn of(trace: &StatementTrace) -> Self {
        let stopped = trace.failed.map(|element| match element {
            Element::Action => "it is for other actions".to_owned(),
            Element::Resource => "it is for other resources".to_owned(),
            Element::Principal => "it is for other principals".to_owned(),
            Element::Condition => "its condition does not hold".to_owned(),
        });
        let mut lines: Vec<Line> = trace.conditions.iter().map(Line::of_condition).collect();
        if let (Some(element), false) = (trace.failed, trace.wanted.is_empty()) {
            let name = match element {
                Element::Action => "Action",
                Element::Resource => "Resource",
                Element::Principal => "Principal",
                Element::Condition => "Condition",
            };
            lines.push(Line {
                mark: Mark::Fail,
                name: name.to_owned(),
                wanted: trace.wanted.clone(),
                had: trace.had.clone(),
                // Only resources are patterns of one kind with what was asked.
                difference: trace.had.as_deref().filter(|_| element == Element::Resource).and_then(
                    |had| nearest(&trace.wanted, had, true).and_then(|w| difference(w, had, true)),
                ),
                note: None,
                ours: false,
            });
        }
        Self {
            place: place(&trace.at),
            effect: if trace.deny { "Deny" } else { "Allow" },
            matched: trace.matched,
            stopped,
            lines,
        }
    }
}

/// The decision that refused the call, if policy did.
pub(super) fn denied(event: &Event) -> Option<&DecisionRecord> {
    if !event.refused() {
        return None;
    }
    event.vestibule.decisions.iter().find(|d| d.verdict != Verdict::Allowed)
}

/// Of the statements that could have allowed, the one that came closest.
pub(super) fn closest(decision: &DecisionRecord) -> Option<&StatementTrace> {
    decision
        .statements
        .iter()
        .filter(|s| !s.deny && !s.matched)
        .filter(|s| decision.layer.is_none_or(|layer| layer == s.at.layer))
        .filter(|s| s.failed != Some(Element::Action))
        .min_by_key(|s| distance(s))
}

/// `statement 1 "Sid" of policy (role trust policy)`.
pub(super) fn place(at: &StatementAt) -> String {
    let sid = at.sid.as_ref().map_or_else(String::new, |sid| format!(" \"{sid}\""));
    let words = at.layer.words();
    if at.policy.is_empty() || at.layer == Layer::Trust {
        format!("statement {}{sid} of the {words}", at.statement)
    } else {
        let policy = super::short_arn(&at.policy);
        format!("statement {}{sid} of {policy} ({words})", at.statement)
    }
}

/// True for operators that compare texts or ARNs: only there is a caret of use.
fn is_text(operator: &str) -> bool {
    operator.contains("String") || operator.contains("Arn")
}

/// True for operators whose values are patterns.
pub(super) fn is_pattern(operator: &str) -> bool {
    operator.contains("Like") || operator.contains("Arn")
}

/// Checks whose wanted and had are two texts of one kind.
fn comparable(name: &str) -> bool {
    matches!(name, "issuer" | "audience" | "roles" | "host" | "type")
}

/// How far a statement was from matching: smaller is nearer.
fn distance(trace: &StatementTrace) -> (u8, usize) {
    let stage = match trace.failed {
        None => 0,
        Some(Element::Condition) => 1,
        Some(Element::Resource) => 2,
        Some(Element::Principal) => 3,
        Some(Element::Action) => 4,
    };
    (stage, trace.conditions.iter().filter(|c| !c.matched).count())
}

fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "ALLOW",
        Outcome::Denied | Outcome::Unauthenticated => "DENY",
        Outcome::Failed => "FAIL",
        Outcome::Malformed => "REJECT",
    }
}

fn when(event: &Event) -> String {
    let seconds = event.event_time.as_second();
    jiff::Timestamp::from_second(seconds).unwrap_or(event.event_time).to_string()
}

fn sentence(decision: &DecisionRecord) -> String {
    let action = &decision.action;
    match (decision.verdict, &decision.determining, decision.layer) {
        (Verdict::Allowed, Some(at), _) => format!("{action} is allowed by {}", place(at)),
        (Verdict::Allowed, None, Some(Layer::Service)) => {
            format!("{action} needs no policy: the service allows it")
        }
        (Verdict::Allowed, None, _) => format!("{action} is allowed"),
        (Verdict::ExplicitDeny, Some(at), _) => format!("{action} is denied by {}", place(at)),
        (Verdict::ExplicitDeny, None, Some(layer)) => {
            format!("{action} is denied by a {}", layer.words())
        }
        (Verdict::ExplicitDeny, None, None) => format!("{action} is denied by a policy"),
        (Verdict::ImplicitDeny, _, Some(layer)) => {
            format!("no {} allows {action}", layer.words())
        }
        (Verdict::ImplicitDeny, _, None) => format!("nothing allows {action}"),
    }
}

fn ours_lines(event: &Event) -> Vec<String> {
    let ours = &event.vestibule;
    let mut lines = Vec::new();
    for key in &ours.extended_keys {
        lines.push(format!(
            "condition key {key} is there by this server's configuration: AWS would not see it"
        ));
    }
    for tag in &ours.mapped_tags {
        lines.push(format!(
            "tag {}={} was made from the claim {} by this server's configuration: \
             AWS would not make it",
            tag.tag, tag.value, tag.claim
        ));
    }
    for check in ours.checks.iter().filter(|c| c.ours && c.verdict == Mark::Fail) {
        lines.push(format!("check {} is this server's own: AWS does not make it", check.name));
    }
    lines
}
