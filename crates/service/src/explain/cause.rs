//! Why a call was refused, plainly, in the words of the field.
//!
//! Looks at the first thing that failed: a check first, because nothing is decided about a caller
//! that was not proven; then the decision that said no.

use jiff::Timestamp;
use serde::Serialize;

use super::diff::nearest;
use super::short_arn;
use super::story::{closest, denied, is_pattern, place};
use crate::audit::event::Text;
use crate::audit::ours::{
    Check, ConditionTrace, DecisionRecord, Element, Layer, StatementTrace, Verdict, check,
};
use crate::audit::{Event, Mark};

/// A plain cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A stable name, such as `issuer-trailing-slash`.
    pub code: Text,
    /// One or two sentences.
    pub text: String,
    /// What the field's experience says to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

pub(super) fn cause(code: &'static str, text: impl Into<String>) -> Cause {
    Cause { code: code.into(), text: text.into(), hint: None }
}

/// The cause of a refusal; none for what was allowed or is not understood.
#[must_use]
pub fn of(event: &Event) -> Option<Cause> {
    if !event.refused() {
        return None;
    }
    if let Some(many) = &event.vestibule.aggregate {
        let text = format!(
            "{} calls from {} were refused for the same reason; the flood limit wrote only the \
             first ones in full.",
            many.count, many.source
        );
        return Some(cause("flood", text));
    }
    let failed = event.vestibule.checks.iter().find(|c| c.verdict == Mark::Fail);
    let found = match (failed, denied(event)) {
        (Some(check), _) => of_check(event, check),
        (None, Some(decision)) => of_decision(event, decision),
        (None, None) => event.vestibule.signature.as_ref().map(|_| of_signature(event)),
    };
    found
        .or_else(|| {
            let finding = event.vestibule.diagnostics.first()?;
            let text =
                format!("{} (line {}, column {})", finding.message, finding.line, finding.column);
            Some(Cause { code: finding.code.clone(), text, hint: None })
        })
        .or_else(|| event.vestibule.cause.clone().map(|text| cause("stated", text)))
}

fn of_check(event: &Event, failed: &Check) -> Option<Cause> {
    if let Some(found) = super::mending::of_check(event, failed) {
        return Some(found.cause);
    }
    let wanted = failed.wanted.as_deref().unwrap_or_default();
    let had = failed.had.as_deref().unwrap_or_default();
    let stated = event.vestibule.cause.clone();
    Some(match failed.name.as_ref() {
        "issuer" | check::PROVIDER => issuer(event, wanted, had),
        "audience" => audience(event, wanted, had),
        "expiry" => match ago(event, had) {
            Some(time) => {
                cause("token-expired", format!("The token expired {time} before the call."))
            }
            None => cause("token-times", "The token's exp is not a usable time."),
        },
        "not-before" => match ahead(event, had) {
            Some(time) => cause(
                "token-not-yet-valid",
                format!("The token becomes valid only {time} after the call; check both clocks."),
            ),
            None => cause("token-times", "The token's nbf is not a usable time."),
        },
        "issued-at" => match ahead(event, had) {
            Some(time) => cause(
                "token-from-the-future",
                format!("The token says it was issued {time} after the call; check both clocks."),
            ),
            None => cause("token-times", "The token's iat is not a usable time."),
        },
        "signature" => cause(
            "token-signature",
            "The token's content is not what the issuer's key signed: it was altered, or signed \
             by somebody else under the same key id.",
        ),
        "key" => cause(
            "token-key-unknown",
            "The issuer publishes no usable key for this token: it was signed by another issuer, \
             or with a key that has been withdrawn.",
        ),
        "algorithm" => {
            cause("token-algorithm", "Tokens must be signed with RS256/384/512 or ES256/384/512.")
        }
        "tags" => {
            cause("session-tags", "The session tags do not have the form that AWS documents.")
        }
        "roles" => cause(
            "role-not-in-token",
            "The token's roles claim lists the roles it may be used for, and this one is not \
             among them.",
        ),
        check::ROLE => cause(
            "role-missing",
            "There is no such role in that account. The client is told only that it is not \
             authorized, as on AWS, so that nobody can probe for names.",
        ),
        check::PROVIDER_REACHED => cause(
            "provider-unreachable",
            stated.unwrap_or_else(|| "The identity provider's keys could not be had.".to_owned()),
        ),
        check::REQUEST_SIGNATURE => of_signature(event),
        _ => return stated.map(|text| cause("stated", text)),
    })
}

fn issuer(event: &Event, wanted: &str, had: &str) -> Cause {
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    if had.ends_with('/') && !wanted.ends_with('/') && bare(had) == bare(wanted) {
        return cause(
            "issuer-trailing-slash",
            "The token's iss ends in a slash and the provider's URL does not; issuers are \
             compared character by character.",
        );
    }
    if wanted.ends_with('/') && !had.ends_with('/') && bare(had) == bare(wanted) {
        return cause(
            "issuer-trailing-slash",
            "The provider's URL ends in a slash and the token's iss does not; issuers are \
             compared character by character.",
        );
    }
    if had.eq_ignore_ascii_case(wanted) {
        return cause(
            "issuer-case",
            "The token's iss differs from the provider's URL only in capital letters.",
        );
    }
    let account = event.recipient_account_id.as_deref().unwrap_or("the role's account");
    cause(
        "provider-missing",
        format!("Account {account} has no OIDC provider for the issuer of this token."),
    )
}

fn audience(event: &Event, wanted: &str, had: &str) -> Cause {
    if had.is_empty() {
        return cause("audience-missing", "The token names no audience.");
    }
    if event.vestibule.claims.contains_key("azp") {
        return cause(
            "audience-azp",
            "The token has azp, and then azp is the audience that counts; it is not among the \
             provider's client ids.",
        );
    }
    if had.contains(", ") {
        return cause(
            "audience-many",
            "The token has several audiences and no azp that says which one it was issued to.",
        );
    }
    if had.eq_ignore_ascii_case(wanted) {
        return cause("audience-case", "The audience differs only in capital letters.");
    }
    cause(
        "audience",
        "The token was issued for another audience than the provider's client ids: the job asked \
         its issuer for the wrong aud, or the client id is not registered.",
    )
}

fn of_signature(event: &Event) -> Cause {
    let hint = event.vestibule.signature.as_ref().and_then(|s| s.hint.clone());
    cause(
        "request-signature",
        hint.unwrap_or_else(|| {
            "The signature was made with another secret key, or over another request than the \
             one that arrived. Compare the canonical request below with the client's \
             (`aws --debug` prints it)."
                .to_owned()
        }),
    )
}

fn of_decision(event: &Event, decision: &DecisionRecord) -> Option<Cause> {
    if let Some(found) = super::session::of_decision(decision) {
        return Some(found.cause);
    }
    if decision.verdict == Verdict::ExplicitDeny {
        let text = match &decision.determining {
            Some(at) => {
                format!("A Deny matched: {}. No Allow, however wide, outweighs it.", place(at))
            }
            None => "A Deny matched. No Allow, however wide, outweighs it.".to_owned(),
        };
        return Some(cause("explicit-deny", text));
    }
    if let Some((code, brings)) = beside_the_assumption(event, decision)
        && decision.layer.is_none_or(Layer::on_resource_side)
    {
        let near = closest(decision).filter(|near| near.failed == Some(Element::Condition));
        if let Some(found) = near.and_then(|near| of_statement(event, near)) {
            return Some(found);
        }
        let action = &decision.action;
        let text = format!("{brings}, and no statement of the trust policy allows {action}.");
        return Some(cause(code, text));
    }
    if let Some(found) = closest(decision).and_then(|near| of_statement(event, near)) {
        return Some(found);
    }
    let action = &decision.action;
    let resource = short_arn(&decision.resource);
    Some(match decision.layer {
        Some(Layer::Boundary) => cause(
            "boundary",
            format!(
                "The caller's own policies are not enough: its permissions boundary does not \
                 allow {action}, and a boundary limits whatever they grant."
            ),
        ),
        Some(Layer::Session) => cause(
            "session-policy",
            format!(
                "The session was made with a session policy that does not allow {action}; a \
                 session can do only what both it and the role's policies allow."
            ),
        ),
        Some(Layer::Scp) => cause(
            "scp",
            format!("A service control policy of the organization does not allow {action}."),
        ),
        Some(Layer::Rcp) => cause(
            "rcp",
            format!("A resource control policy of the organization does not allow {action}."),
        ),
        Some(Layer::Trust) => {
            cause("trust", format!("No statement of {resource}'s trust policy is for this caller."))
        }
        Some(layer) => {
            cause("no-allow", format!("No {} allows {action} on {resource}.", layer.words()))
        }
        None if is_foreign(event, &decision.resource) => cause(
            "no-allow-abroad",
            format!(
                "{resource} is of another account: its own policy has to let the caller in, and a \
                 policy of the caller's account has to allow {action} besides."
            ),
        ),
        None => cause("no-allow", format!("Nothing allows {action} on {resource}.")),
    })
}

/// Whether a resource is of another account than the caller.
fn is_foreign(event: &Event, arn: &str) -> bool {
    let (own, owner) = (event.user_identity.account_id.as_deref(), arn.split(':').nth(4));
    own.zip(owner).is_some_and(|(own, owner)| !owner.is_empty() && own != owner)
}

/// What must be allowed besides the assumption of a role, and what made it necessary.
fn beside_the_assumption(
    event: &Event,
    decision: &DecisionRecord,
) -> Option<(&'static str, String)> {
    let whose = match event.event_name.as_ref() {
        "AssumeRoleWithSAML" => "The assertion",
        "AssumeRoleWithWebIdentity" => "The token",
        _ => "The call",
    };
    Some(match decision.action.as_ref() {
        "sts:TagSession" if !event.vestibule.mapped_tags.is_empty() => (
            "tag-session-missing",
            "The provider's configuration makes session tags out of claims".to_owned(),
        ),
        "sts:TagSession" => ("tag-session-missing", format!("{whose} carries session tags")),
        "sts:SetSourceIdentity" => {
            ("set-source-identity-missing", format!("{whose} sets a source identity"))
        }
        _ => return None,
    })
}

fn of_statement(event: &Event, near: &StatementTrace) -> Option<Cause> {
    match near.failed? {
        Element::Condition => {
            let missed = near.conditions.iter().find(|c| !c.matched)?;
            Some(of_condition(event, missed))
        }
        Element::Resource => Some(cause(
            "other-resource",
            format!("{} allows the action, but on other resources.", capital(&place(&near.at))),
        )),
        Element::Principal => Some(cause(
            "other-principal",
            format!("{} is for another principal.", capital(&place(&near.at))),
        )),
        Element::Action => None,
    }
}

fn of_condition(event: &Event, missed: &ConditionTrace) -> Cause {
    let had = missed.had.as_ref().map(|had| had.join(", "));
    let pattern = is_pattern(&missed.operator);
    let wanted = nearest(&missed.wanted, had.as_deref().unwrap_or_default(), pattern);
    let wanted = wanted.unwrap_or_default();
    if let Some(known) = of_claim(event, missed, wanted, had.as_deref()) {
        return known;
    }
    let key = &missed.key;
    let Some(had) = had else {
        return super::mending::of_missing(missed).cause;
    };
    if !missed.written.is_empty() {
        let variable = missed.written.join(", ");
        return cause(
            "abac-mismatch",
            format!("{key} is {had}, and {variable} is {wanted} for this caller: they differ."),
        );
    }
    if had.eq_ignore_ascii_case(wanted) {
        return cause("case", format!("{key} differs from the policy only in capital letters."));
    }
    if missed.operator.contains("StringEquals") && wanted.contains(['*', '?']) {
        return cause(
            "wildcard-in-equals",
            format!(
                "{} compares character by character, so the wildcard in {wanted} means itself; \
                 StringLike knows wildcards.",
                missed.operator
            ),
        );
    }
    cause("condition", format!("{key} is {had}; the policy wants {wanted}."))
}

/// What the claims crate knows about issuers and their habits.
fn of_claim(
    event: &Event,
    missed: &ConditionTrace,
    wanted: &str,
    had: Option<&str>,
) -> Option<Cause> {
    if event.vestibule.claims.is_empty() {
        return None;
    }
    let claims = event.vestibule.claims.as_ref().clone().into_iter().collect();
    let difference = claims::oidc::diagnose::Difference {
        key: &missed.key,
        operator: &missed.operator,
        wanted,
        had,
    };
    let found = claims::oidc::causes(&claims::Claims::new(claims), &difference);
    let known = found.into_iter().next()?;
    let hint = Some(known.fix).filter(|fix| !fix.is_empty());
    Some(Cause { code: known.code.into(), text: known.text, hint })
}

/// Wanted and had of a check, with seconds since 1970 turned into dates.
pub(super) fn readable_times(check: &Check) -> (Option<String>, Option<String>) {
    let wanted = check.wanted.as_deref().filter(|text| !text.is_empty());
    let had = check.had.as_deref().filter(|text| !text.is_empty());
    let both = |f: fn(&str) -> String| (wanted.map(f), had.map(f));
    match check.name.as_ref() {
        "expiry" | "not-before" | "issued-at" | "window-start" | check::SESSION_EXPIRY => {
            both(dated)
        }
        _ => both(str::to_owned),
    }
}

/// `text` with its last word, if that is a plausible Unix time, as a date.
#[must_use]
pub fn dated(text: &str) -> String {
    let (before, last) = match text.rsplit_once(' ') {
        Some((before, last)) => (format!("{before} "), last),
        None => (String::new(), text),
    };
    match last.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) if time.as_second() > 86_400 => format!("{before}{time}"),
        _ => text.to_owned(),
    }
}

pub(super) fn ago(event: &Event, had: &str) -> Option<String> {
    let then: i64 = had.parse().ok()?;
    Some(span(event.event_time.as_second().checked_sub(then)?))
}

pub(super) fn ahead(event: &Event, had: &str) -> Option<String> {
    let then: i64 = had.parse().ok()?;
    Some(span(then.checked_sub(event.event_time.as_second())?))
}

/// `2 h 3 min`: two units are enough.
pub(super) fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s} s"),
        60..3600 => joined(s / 60, "min", s % 60, "s"),
        3600..86_400 => joined(s / 3600, "h", s % 3600 / 60, "min"),
        _ => joined(s / 86_400, "d", s % 86_400 / 3600, "h"),
    }
}

fn joined(a: i64, unit_a: &str, b: i64, unit_b: &str) -> String {
    if b == 0 { format!("{a} {unit_a}") } else { format!("{a} {unit_a} {b} {unit_b}") }
}

/// The first number in a text such as `at most 3600`.
pub(super) fn figure(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()).unwrap_or(text)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
