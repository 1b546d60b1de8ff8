//! The smallest change that would have let a call through: where, what, and the exact JSON.
//!
//! Smallest means: one value, one action or one number, never a wildcard. It is an answer to
//! "what would allow this", not advice to do it; for a refusal that policy is meant to make, the
//! text says so. Nothing is offered where only a better token helps.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::short_arn;
use super::story::{closest, denied, place};
use crate::audit::ours::{
    Check, ConditionTrace, DecisionRecord, Element, Layer, StatementTrace, Verdict, check,
};
use crate::audit::{Event, IdentityKind, Mark};

/// A change that would have let the call through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What to do where, in a sentence.
    pub text: String,
    /// The exact fragment to add or to put in place, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
}

pub(super) fn change(text: impl Into<String>, json: Value) -> Change {
    Change { text: text.into(), json: Some(json) }
}

pub(super) fn advice(text: impl Into<String>) -> Change {
    Change { text: text.into(), json: None }
}

/// The smallest change that would have let `event`'s call through.
#[must_use]
pub fn of(event: &Event) -> Option<Change> {
    if !event.refused() || event.vestibule.aggregate.is_some() {
        return None;
    }
    if let Some(failed) = event.vestibule.checks.iter().find(|c| c.verdict == Mark::Fail) {
        return for_check(event, failed);
    }
    let decision = denied(event)?;
    let guarded = |condition: &ConditionTrace| {
        !condition.matched && condition.key.eq_ignore_ascii_case("sts:ExternalId")
    };
    // ATTACK: dropping the condition would make the role's owner a confused deputy.
    if decision.statements.iter().any(|s| !s.deny && s.conditions.iter().any(guarded)) {
        return Some(advice(
            "The caller must send the ExternalId that the role's owner agreed on with it. Do not \
             lift that condition: it keeps others from using the caller against the role.",
        ));
    }
    if let Some(found) = super::session::of_decision(decision) {
        return Some(found.change);
    }
    match decision.verdict {
        Verdict::ExplicitDeny => Some(except(event, decision)),
        _ => Some(allow(event, decision)),
    }
}

fn for_check(event: &Event, failed: &Check) -> Option<Change> {
    if let Some(found) = super::mending::of_check(event, failed) {
        return Some(found.change);
    }
    let wanted = failed.wanted.as_deref().unwrap_or_default();
    let had = failed.had.as_deref().unwrap_or_default();
    let provider = event.vestibule.provider.as_deref().unwrap_or("the provider");
    Some(match failed.name.as_ref() {
        "audience" if !had.is_empty() && !had.contains(", ") => change(
            format!(
                "Request the token for audience {wanted}; or, if {had} is yours, add it to the \
                 client ids of {} (iam:AddClientIDToOpenIDConnectProvider).",
                short_arn(provider)
            ),
            json!({ "ClientID": had, "OpenIDConnectProviderArn": provider }),
        ),
        "issuer" | check::PROVIDER if had.starts_with("https://") || had.starts_with("http://") => {
            change(
                "If this issuer is to be trusted, register it exactly as the token spells it \
                 (iam:CreateOpenIDConnectProvider).",
                json!({ "Url": had }),
            )
        }
        "expiry" => advice("Fetch a new token right before the call; tokens are not renewed here."),
        "not-before" | "issued-at" => {
            advice("Set the issuer's or this server's clock right; 5 minutes are forgiven.")
        }
        "signature" | "algorithm" | "structure" | "duplicates" | "critical" | "type" => {
            advice("None: such a token must never be accepted. Fetch one from the issuer itself.")
        }
        "key" => advice(
            "If the issuer has just changed its keys, see that its JWKS serves the new one; \
             it is fetched again by itself.",
        ),
        "roles" => advice("Have the issuer put this role's ARN into the token's roles claim."),
        check::ROLE => advice("Create the role, or correct its name and account in the call."),
        check::REQUEST_SIGNATURE => advice(
            "Sign with the secret key of this access key, and let nothing between client and \
             server alter host, path, query or body.",
        ),
        _ => return None,
    })
}

/// For an explicit Deny: the exception in the statement that denies.
fn except(event: &Event, decision: &DecisionRecord) -> Change {
    let where_ = match &decision.determining {
        Some(at) => place(at),
        None => "the statement that denies".to_owned(),
    };
    let text = format!(
        "Only {where_} can give way: no Allow outweighs it. To except this caller and nobody \
         else, add this to its Condition."
    );
    match principal_arn(event) {
        Some(arn) => change(text, json!({ "ArnNotEquals": { "aws:PrincipalArn": arn } })),
        None => advice(format!("Only {where_} can give way: no Allow outweighs it.")),
    }
}

/// For an implicit deny: the nearest statement bent, or a new one.
fn allow(event: &Event, decision: &DecisionRecord) -> Change {
    if let Some(near) = closest(decision) {
        match near.failed {
            Some(Element::Condition) => {
                if let Some(found) = bend_condition(near) {
                    return found;
                }
            }
            Some(Element::Resource) if !near.wanted.is_empty() => {
                let mut list = near.wanted.clone();
                list.push(decision.resource.clone());
                return change(
                    format!("Add the resource to {}.", place(&near.at)),
                    json!({ "Resource": list }),
                );
            }
            _ => {}
        }
    }
    if decision.layer == Some(Layer::Trust)
        || matches!(decision.action.as_ref(), "sts:TagSession" | "sts:SetSourceIdentity")
    {
        return trust_statement(event, decision);
    }
    let statement = json!({
        "Effect": "Allow",
        "Action": decision.action,
        "Resource": decision.resource,
    });
    let text = match decision.layer {
        Some(Layer::Boundary) => "Add this statement to the caller's permissions boundary.",
        Some(Layer::Session) => {
            "Make the session with a session policy that has this statement too."
        }
        Some(Layer::Scp) => "Add this statement to the service control policy.",
        Some(Layer::Rcp) => "Add this statement to the resource control policy.",
        Some(Layer::Resource) => {
            let mut statement = statement;
            if let (Some(map), Some(arn)) = (statement.as_object_mut(), principal_arn(event)) {
                map.insert("Principal".to_owned(), json!({ "AWS": arn }));
            }
            return change("Add this statement to the resource's policy.", statement);
        }
        _ => "Add this statement to one of the caller's policies.",
    };
    change(text, statement)
}

/// Bends the one condition that does not hold; none if several do not.
fn bend_condition(near: &StatementTrace) -> Option<Change> {
    let missed: Vec<&ConditionTrace> = near.conditions.iter().filter(|c| !c.matched).collect();
    let where_ = place(&near.at);
    let mut fragment = Map::new();
    for condition in &missed {
        let Some(had) = condition.had.as_ref() else {
            return Some(super::mending::of_missing(condition).change);
        };
        if !condition.written.is_empty() {
            return Some(abac(condition, had));
        }
        if condition.operator.contains("Not") || !addable(&condition.operator) {
            return Some(advice(format!(
                "Change the condition {} {} of {where_}.",
                condition.operator, condition.key
            )));
        }
        let mut list = condition.wanted.clone();
        list.extend(had.iter().filter(|v| !condition.wanted.contains(v)).cloned());
        let block = fragment.entry(condition.operator.clone()).or_insert_with(|| json!({}));
        if let Some(block) = block.as_object_mut() {
            block.insert(condition.key.clone(), json!(list));
        }
    }
    if fragment.is_empty() {
        return None;
    }
    let what = if missed.len() == 1 { "this value" } else { "these values" };
    Some(change(format!("Let {where_} accept {what} too."), Value::Object(fragment)))
}

/// Operators to whose values another one can simply be added.
fn addable(operator: &str) -> bool {
    ["StringEquals", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "NumericEquals"]
        .iter()
        .any(|name| operator.contains(name))
}

/// A comparison with a variable: the policy does what it says, the tags differ.
fn abac(condition: &ConditionTrace, had: &[String]) -> Change {
    let wanted = condition.wanted.first().map_or("", String::as_str);
    let key = condition.key.as_str();
    let text = format!(
        "None in the policy, which keeps these apart on purpose: the two tags would have to be \
         equal, {key} being {wanted} instead of {}.",
        had.join(", ")
    );
    match key.split_once("ResourceTag/").or_else(|| key.split_once("ExistingObjectTag/")) {
        Some((_, tag)) => change(text, json!({ "Key": tag, "Value": wanted })),
        None => advice(text),
    }
}

fn trust_statement(event: &Event, decision: &DecisionRecord) -> Change {
    // The same trust may allow the assumption itself already: then one more action will do.
    let granted = event.vestibule.decisions.iter().find(|other| {
        other.verdict == Verdict::Allowed
            && other.action.starts_with("sts:AssumeRole")
            && other.determining.as_ref().is_some_and(|at| at.layer == Layer::Trust)
    });
    if let Some((granted, at)) = granted.and_then(|g| g.determining.as_ref().map(|at| (g, at))) {
        return change(
            format!("Add {} to the actions of {}.", decision.action, place(at)),
            json!({ "Action": [granted.action, decision.action] }),
        );
    }
    let role = short_arn(&decision.resource);
    let assumed = event.vestibule.decisions.iter().find(|other| {
        other.verdict == Verdict::Allowed && other.action.starts_with("sts:AssumeRole")
    });
    if let Some(assumed) = assumed {
        let text = format!(
            "Add {} to the actions of the statement of {role}'s trust policy that allows {}.",
            decision.action, assumed.action
        );
        return change(text, json!({ "Action": [assumed.action, decision.action] }));
    }
    let principal = match event.user_identity.kind {
        IdentityKind::WebIdentityUser | IdentityKind::SAMLUser => event
            .vestibule
            .provider
            .as_ref()
            .or(event.user_identity.identity_provider.as_ref())
            .map(|arn| json!({ "Federated": arn })),
        _ => principal_arn(event).map(|arn| json!({ "AWS": arn })),
    };
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Allow"));
    if let Some(principal) = principal {
        statement.insert("Principal".to_owned(), principal);
    }
    statement.insert("Action".to_owned(), json!(decision.action));
    let claims = &event.vestibule.claims;
    if let Some(sent_to) = checked(event, "recipient") {
        let pinned = json!({ "StringEquals": { "saml:aud": sent_to } });
        statement.insert("Condition".to_owned(), pinned);
    }
    let provider = event.user_identity.identity_provider.as_deref().unwrap_or_default();
    if let Some((_, name)) = provider.split_once("-provider/") {
        // Never without the claims that tell this caller from all others of the issuer.
        let mut pinned = Map::new();
        for claim in ["aud", "sub"] {
            if let Some(Value::String(value)) = claims.get(claim) {
                pinned.insert(format!("{name}:{claim}"), json!(value));
            }
        }
        statement.insert("Condition".to_owned(), json!({ "StringEquals": pinned }));
    }
    change(format!("Add this statement to the trust policy of {role}."), Value::Object(statement))
}

/// What a check of that name found.
fn checked<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.vestibule.checks.iter().find(|check| check.name == name)?.had.as_deref()
}

/// The ARN that `aws:PrincipalArn` has for this caller: a session's is its role's.
fn principal_arn(event: &Event) -> Option<String> {
    let identity = &event.user_identity;
    let issuer = identity.session_context.as_ref().and_then(|s| s.session_issuer.as_ref());
    match (identity.kind, issuer) {
        (IdentityKind::AssumedRole, Some(role)) => Some(role.arn.clone()),
        _ => identity.arn.clone(),
    }
}
