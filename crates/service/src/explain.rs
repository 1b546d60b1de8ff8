//! The whole story of one decision, from its entry in the log book and nothing else.
//!
//! [`story`] turns an [`Event`] into data (what `--format json` prints), [`text`] turns that into
//! what a person reads, [`reason_line`] is the one line for `tail`. Pure functions: the same
//! event tells the same story on any machine, in ten years too. Every word of the event may come
//! from a stranger, so [`text`] lets no control character through.

pub mod cause;
pub mod diff;
mod mending;
mod saml;
mod session;
pub mod smallest_change;
pub mod story;
pub mod text;

pub use cause::Cause;
pub use diff::Difference;
pub use smallest_change::Change;
pub use story::{DecisionStory, Line, StatementStory, Story};
pub use text::text;

use jiff::Timestamp;
use policy::Principal;
use policy::text::{Denial, Style};

use crate::audit::{Draft, Event, Outcome};
use crate::caller::Caller;
use crate::receipt;

#[cfg(test)]
mod tests;

/// The whole story of `event`.
#[must_use]
pub fn story(event: &Event) -> Story {
    Story::of(event)
}

/// The story of a question that nobody's call has put: a simulation's, or a test's. No request, no
/// connection, and a time only where there is one.
#[must_use]
pub fn question(ask: &policy::Ask, record: &policy::Record, now: Option<Timestamp>) -> Story {
    let action = ask.action.as_str();
    let (service, name) = action.split_once(':').unwrap_or(("", action));
    let begun = now.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut draft = Draft::new("", begun);
    draft.call(format!("{service}.amazonaws.com"), name.to_owned(), true);
    let caller = Caller { principal: ask.principal.clone(), ..Caller::anonymous() };
    draft.caller(caller.identity(), true);
    if let Principal::WebIdentity { provider, .. } = &ask.principal {
        draft.provider(provider);
    }
    match Denial::of(ask, &record.decision) {
        None => {
            receipt::allowed(&mut draft, ask, &record.decision);
            draft.allowed();
        }
        Some(denial) => {
            receipt::denied(&mut draft, ask, record);
            let style = if record.decision.trust { Style::ASSUME_ROLE } else { Style::FULL };
            draft.refused(Outcome::Denied, "AccessDenied", &denial.sentence(style));
        }
    }
    let mut story = Story::of(&draft.finish(begun));
    story.who = ask.principal.shown().into_owned();
    if now.is_none() {
        story.when.clear();
    }
    story
}

/// Why a response that nobody has sent would be refused, and what would mend it; none if it would not.
#[must_use]
pub fn assertion(findings: &[claims::Finding], now: Timestamp) -> Option<(Cause, Change)> {
    let mut draft = Draft::new("", now);
    draft.call("sts.amazonaws.com", "AssumeRoleWithSAML".to_owned(), true);
    receipt::findings(findings.to_vec()).for_each(|check| draft.check(check));
    draft.refused(Outcome::Unauthenticated, "", "");
    let event = draft.finish(now);
    cause::of(&event).zip(smallest_change::of(&event))
}

/// One line that says what happened and, for a refusal, why: which claim or rule, what was
/// wanted, what was there. For `tail` and for the demo.
#[must_use]
pub fn reason_line(event: &Event) -> String {
    let story = Story::of(event);
    let mut line = format!("{} {}", story.verdict, event.event_name);
    if let Some(resource) = &story.resource {
        line.push(' ');
        line.push_str(short_arn(resource));
    }
    if let Some(many) = &event.vestibule.aggregate {
        line.push_str(&format!(" ×{} from {}", many.count, many.source));
    }
    if event.vestibule.outcome != Outcome::Allowed {
        line.push_str(": ");
        line.push_str(&reason(event, &story));
    }
    text::plain(&line)
}

/// Why it was refused, in one sentence without a line break.
#[must_use]
pub fn reason(event: &Event, story: &Story) -> String {
    if let Some(fault) = story.first_fault() {
        let mut said = String::new();
        if let Some(text) = story.cause.as_ref().map(|cause| &cause.text) {
            let tells = |part: Option<&str>| part.is_some_and(|part| text.contains(part));
            if tells(fault.nearest_wanted()) && tells(fault.had.as_deref()) {
                return text.clone();
            }
            said.push_str(text.trim_end_matches('.'));
            said.push_str(" — ");
        }
        said.push_str(claim_name(&fault.name));
        if let Some(wanted) = fault.nearest_wanted() {
            said.push_str(&format!(": wanted {wanted}, had {}", fault.had_text()));
        } else if let Some(note) = &fault.note {
            said.push_str(&format!(": {note}"));
        }
        return said;
    }
    if let Some(cause) = &story.cause {
        return cause.text.clone();
    }
    match (&event.error_code, &event.error_message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_string(),
        _ => event.vestibule.outcome.word().to_owned(),
    }
}

/// The claim that a token's check is about, as the field calls it.
fn claim_name(check: &str) -> &str {
    match check {
        "issuer" => "iss",
        "audience" => "aud",
        "expiry" => "exp",
        "not-before" => "nbf",
        "issued-at" => "iat",
        other => other,
    }
}

/// The part of an ARN after account and service, which is what people call the thing.
pub(crate) fn short_arn(arn: &str) -> &str {
    match arn.splitn(6, ':').nth(5) {
        Some(rest) if arn.starts_with("arn:") && !rest.is_empty() => rest,
        _ => arn,
    }
}
