//! Causes that any issuer's tokens can have.

use super::{Case, Cause, cause, glob};

pub(super) fn look(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let wanted = case.difference.wanted;
    let Some(had) = case.difference.had else { return missing(case, causes) };
    mixed_up_key(case, had, causes);
    let wildcards = wanted.contains(['*', '?']);
    if wildcards && !case.takes_wildcards() && glob(wanted, had) {
        let operator = match case.difference.operator {
            "" => "This comparison is exact",
            operator => operator,
        };
        causes.push(cause(
            "wildcard-is-literal",
            format!("{operator} takes * and ? literally, so {wanted:?} only equals itself."),
            "Use StringLike for this value, or write it out in full.",
        ));
    }
    let same = |a: &str, b: &str| a == b || (case.takes_wildcards() && glob(a, b));
    if same(&wanted.to_lowercase(), &had.to_lowercase()) {
        causes.push(cause(
            "case-differs",
            "The two differ only in upper and lower case, which counts.",
            format!("Write it as the issuer does: {had}"),
        ));
    }
    if same(wanted.trim(), had.trim()) {
        causes.push(cause(
            "blanks-differ",
            "The two differ only in blanks at the beginning or the end.",
            "Remove the blanks.",
        ));
    }
    if same(wanted.trim_end_matches('/'), had.trim_end_matches('/')) {
        causes.push(cause(
            "trailing-slash",
            "The two differ only in a slash at the end, which counts.",
            format!("Write it as the issuer does: {had}"),
        ));
    }
    let bare = |text: &str| {
        let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        after.unwrap_or(text).to_owned()
    };
    if wanted != had && same(&bare(wanted), &bare(had)) {
        causes.push(cause(
            "scheme-differs",
            "The two differ only in https:// or http:// at the beginning.",
            format!("Write it as the issuer does: {had}"),
        ));
    }
    if case.claim == "aud" {
        authorized_party(case, had, causes);
    }
}

/// If nothing better is known: where the two begin to differ.
pub(super) fn point_at_the_difference(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let Some(had) = case.difference.had else { return };
    let wanted = case.difference.wanted;
    if wanted == had || wanted.contains(['*', '?']) {
        return;
    }
    let common: String =
        wanted.chars().zip(had.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    if common.chars().count() >= 4 {
        causes.push(cause(
            "differs-after",
            format!("The two agree up to {common:?} and differ from there."),
            format!("If this caller is meant, want: {had}"),
        ));
    }
}

fn missing(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let claim = case.claim;
    let differing =
        case.claims.iter().map(|(name, _)| name).find(|name| name.eq_ignore_ascii_case(claim));
    match (differing, case.claims.value(claim)) {
        (Some(name), None) => causes.push(cause(
            "claim-name-case",
            format!("The token has a claim {name:?}, not {claim:?}."),
            format!("Have the issuer send {claim:?}."),
        )),
        (_, Some(_)) => causes.push(cause(
            "claim-is-no-key",
            format!("The token has {claim:?}, but for this issuer it is no condition key."),
            "Use a claim that is one, such as sub; or declare an extended claim for this provider.",
        )),
        (None, None) if causes.is_empty() => causes.push(cause(
            "claim-missing",
            format!("The token has no claim {claim:?}."),
            "Have the issuer send it, or use another claim.",
        )),
        (None, None) => {}
    }
}

/// A subject wanted of `aud`, or an audience wanted of `sub`.
fn mixed_up_key(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    let other = match case.claim {
        "aud" => "sub",
        "sub" => "aud",
        _ => return,
    };
    let wanted = case.difference.wanted;
    let texts = case.claims.texts(other).unwrap_or_default();
    let means = |text: &&str| *text == wanted || (wanted.contains('*') && glob(wanted, text));
    if wanted != "*" && texts.iter().any(means) && !texts.contains(&had) {
        causes.push(cause(
            "key-mixed-up",
            format!("{wanted:?} is what this token has as {other}, not as {}.", case.claim),
            format!("Use the key ending in :{other} for this value."),
        ));
    }
}

fn authorized_party(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    let wanted = case.difference.wanted;
    let in_aud = case.claims.texts("aud").is_some_and(|all| all.contains(&wanted));
    if in_aud && case.claims.text("azp") == Some(had) {
        causes.push(cause(
            "azp-is-the-audience",
            format!(
                "aud has {wanted:?}, but the token has azp {had:?}, which then counts instead."
            ),
            format!("Register and want {had:?}; aud itself is the key ending in :oaud."),
        ));
    }
    if !in_aud && had.strip_prefix("api://") == Some(wanted) {
        causes.push(cause(
            "api-prefix",
            "The token's audience is the application id URI, with api:// before the id.",
            format!("Register and want {had:?}."),
        ));
    }
}
