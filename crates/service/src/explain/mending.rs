//! Why and what to do about it, where both follow from one thing that failed: told together, so that
//! they cannot disagree.

use super::cause::{Cause, cause};
use super::smallest_change::{Change, advice};
use super::{saml, session};
use crate::audit::Event;
use crate::audit::ours::{Check, ConditionTrace};

/// Why a call was refused, and what would have let it through.
pub(super) struct Mending {
    pub cause: Cause,
    pub change: Change,
}

pub(super) fn mending(code: &'static str, why: impl Into<String>, change: Change) -> Mending {
    Mending { cause: cause(code, why), change }
}

/// For a check that did not hold.
pub(super) fn of_check(event: &Event, failed: &Check) -> Option<Mending> {
    saml::of_check(event, failed).or_else(|| session::of_check(event, failed))
}

/// For a condition on something that the call does not carry.
pub(super) fn of_missing(condition: &ConditionTrace) -> Mending {
    let key = condition.key.as_str();
    let wanted = condition.wanted.first().map_or("", String::as_str);
    let (family, tag) = key.split_once('/').unwrap_or((key, ""));
    let pair = serde_json::json!({ "Key": tag, "Value": wanted });
    let with = |text: &str, json| Change { text: text.to_owned(), json: Some(json) };
    let why = format!("The policy asks for {key}, and this request does not carry it.");
    let change = match family.to_ascii_lowercase().as_str() {
        "iam:permissionsboundary" => with(
            "Name that boundary in the call, or set it for the user or role first.",
            serde_json::json!({ "PermissionsBoundary": wanted }),
        ),
        "aws:requesttag" => with("Send that tag along with the call.", pair),
        "aws:principaltag" => {
            with("Tag the caller: its user or role, or its session when it begins.", pair)
        }
        "sts:sourceidentity" => {
            with("Send it along with the call.", serde_json::json!({ "SourceIdentity": wanted }))
        }
        "aws:sourceidentity" => with(
            "Begin the caller's session with it.",
            serde_json::json!({ "SourceIdentity": wanted }),
        ),
        family if family.ends_with(":resourcetag") => with("Tag the resource.", pair),
        _ => advice(format!(
            "Call in a way that carries {key}; without it the condition {} cannot hold.",
            condition.operator
        )),
    };
    mending("key-missing", why, change)
}
