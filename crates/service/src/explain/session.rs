//! What can be wrong with the session that calls, or with the one that a call asks for: its kind, its
//! age, its second factor, its tags.

use serde_json::json;

use super::cause::{cause, figure, span};
use super::mending::{Mending, mending};
use super::smallest_change::{Change, advice, change};
use super::story::place;
use crate::audit::ours::{Check, DecisionRecord, Verdict, check};
use crate::audit::{Event, IdentityKind};

/// The mending of a check of credentials, or of what a session is asked to be.
pub(super) fn of_check(event: &Event, failed: &Check) -> Option<Mending> {
    let wanted = failed.wanted.as_deref().unwrap_or_default();
    let had = failed.had.as_deref().unwrap_or_default();
    Some(match failed.name.as_ref() {
        check::DURATION => mending(
            "duration-above-maximum",
            format!(
                "The call asks for {had} seconds; the most it may ask for is {}.",
                figure(wanted)
            ),
            shorter(event, figure(wanted).parse().unwrap_or(3600), figure(had).parse().ok()?),
        ),
        check::SESSION_TAGS => mending(
            "session-tags",
            format!("Wanted were {wanted}; there was {had}."),
            advice(
                "Pass other session tags: those that are handed on need not be passed, and cannot be changed.",
            ),
        ),
        check::SOURCE_IDENTITY if wanted.starts_with("none") => mending(
            "source-identity-set",
            format!("Wanted was {wanted}; the call says {had}. It stays for the whole chain."),
            advice("Leave SourceIdentity out: it goes on by itself."),
        ),
        check::MFA => mending(
            "second-factor",
            format!("Wanted was {wanted}; it has {had}."),
            advice(
                "Wait for the device's next code: each is good once, and within about a minute.",
            ),
        ),
        check::SESSION_KIND => mending(
            "session-kind",
            format!("AWS takes this call only with {wanted}; it came with {had}."),
            advice(match had.contains("without a second factor") {
                true => {
                    "Begin the session with a second factor: GetSessionToken with SerialNumber and TokenCode. A role's session can call it too."
                }
                false => "Call with long-term keys, or assume a role and call with its session.",
            }),
        ),
        check::SESSION_EXPIRY => mending(
            "session-expired",
            "The temporary credentials have expired.",
            advice("Fetch new ones."),
        ),
        check::SESSION_TOKEN => mending(
            "session-token",
            format!("Temporary credentials are key, secret and session token together: {had}."),
            advice("Send all three as they were issued (AWS_SESSION_TOKEN is the third)."),
        ),
        check::ACCESS_KEY => access_key(had),
        _ => return None,
    })
}

/// The mending of a denial that the caller's session brought about.
pub(super) fn of_decision(decision: &DecisionRecord) -> Option<Mending> {
    let key = |it: &str, name: &str| it.eq_ignore_ascii_case(name);
    if decision.verdict == Verdict::ExplicitDeny {
        let denies = decision.statements.iter().find(|it| it.deny && it.matched)?;
        let aged = |it: &&_| key(it, "aws:TokenIssueTime");
        denies.conditions.iter().map(|it| it.key.as_str()).find(aged)?;
        return Some(mending(
            "session-revoked",
            format!(
                "The session began before the time from which {} takes sessions: it was revoked.",
                place(&denies.at)
            ),
            advice("Fetch new credentials: sessions that begin now are not denied."),
        ));
    }
    let missed = super::story::closest(decision)?.conditions.iter().find(|it| !it.matched)?;
    let had = missed.had.as_deref().and_then(<[String]>::first);
    let why = match () {
        () if key(&missed.key, "aws:MultiFactorAuthPresent") => {
            "The policy asks for a second factor (MFA), and this caller has shown none.".to_owned()
        }
        () if key(&missed.key, "aws:MultiFactorAuthAge") => {
            match had.and_then(|it| it.parse().ok()) {
                Some(age) => format!(
                    "The caller showed its second factor {} ago: {} {} does not hold.",
                    span(age),
                    missed.operator,
                    missed.wanted.join(", ")
                ),
                None => {
                    "The policy asks how long ago a second factor (MFA) was shown, and none was."
                        .to_owned()
                }
            }
        }
        () => return None,
    };
    Some(mending(
        "second-factor-missing",
        why,
        advice(
            "Call with a session that begins with a code of the caller's device: GetSessionToken, or AssumeRole, with SerialNumber and TokenCode.",
        ),
    ))
}

fn shorter(event: &Event, at_most: u64, asked: u64) -> Change {
    if event.user_identity.kind == IdentityKind::AssumedRole {
        return advice(
            "Ask for at most 3600 seconds: no setting lifts the limit for roles that a role's session assumes.",
        );
    }
    if asked > 43_200 {
        return advice(format!("Ask for at most {at_most} seconds; no role allows above 43200."));
    }
    change(
        format!("Ask for at most {at_most} seconds, or raise the role's maximum (iam:UpdateRole)."),
        json!({ "MaxSessionDuration": asked }),
    )
}

fn access_key(had: &str) -> Mending {
    let ours = "Use credentials that this server issued and that are still valid.";
    let (why, change) = match had {
        "the role is gone" | "the user is gone" | "the account is gone" => {
            (format!("The credentials outlived whom they stand for: {had}."), ours)
        }
        "the access key is inactive" => (
            "The access key is switched off.".to_owned(),
            "Switch it on (iam:UpdateAccessKey), or use another.",
        ),
        "a session token came with a long-term access key" => (
            "A session token came with a long-term access key, which has none.".to_owned(),
            "Clear AWS_SESSION_TOKEN, or use the key that the token came with.",
        ),
        _ => (
            "No active access key has this id here. Are these credentials for another server?"
                .to_owned(),
            ours,
        ),
    };
    Mending { cause: cause("access-key-unknown", why), change: advice(change) }
}
