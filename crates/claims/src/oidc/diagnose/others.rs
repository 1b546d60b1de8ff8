//! Issuers of which one or two peculiarities are worth a sentence.

use super::{Case, Cause, cause};

pub(super) fn look(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let Some(had) = case.difference.had else { return };
    match case.claim {
        "iss" => entra_version(case.difference.wanted, had, causes),
        "sub" => {
            terraform(case.difference.wanted, had, causes);
            buildkite(case, had, causes);
        }
        "aud" if case.claims.text("token_use") == Some("access") => causes.push(cause(
            "cognito-access-token",
            "This is a Cognito access token; only the ID token has an audience.",
            "Send the ID token.",
        )),
        _ => {}
    }
}

/// Version 1 tokens come from sts.windows.net with a slash at the end, version 2 tokens do not.
fn entra_version(wanted: &str, had: &str, causes: &mut Vec<Cause>) {
    let (v1, v2) = ("sts.windows.net/", "login.microsoftonline.com/");
    let swapped =
        (wanted.contains(v1) && had.contains(v2)) || (wanted.contains(v2) && had.contains(v1));
    if swapped {
        causes.push(cause(
            "entra-token-version",
            "Entra ID issues version 1 and version 2 tokens under different issuers.",
            format!(
                "Register {had} as the provider, or set accessTokenAcceptedVersion in the \
                 application's manifest."
            ),
        ));
    }
}

fn terraform(wanted: &str, had: &str, causes: &mut Vec<Cause>) {
    let split = |text: &str| {
        text.rsplit_once(":run_phase:").map(|(rest, phase)| (rest.to_owned(), phase.to_owned()))
    };
    if let (Some((want, want_phase)), Some((is, phase))) = (split(wanted), split(had))
        && want == is
        && want_phase != phase
    {
        causes.push(cause(
            "terraform-run-phase",
            format!(
                "The run is in phase {phase}, not {want_phase}: each phase has its own subject."
            ),
            "Want both phases with StringLike …:run_phase:*, or give each its own role.",
        ));
    }
}

/// Buildkite's subject goes on with commit and step, which change with every build.
fn buildkite(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    let wanted = case.difference.wanted;
    let is_buildkite = had.starts_with("organization:") && had.contains(":commit:");
    let up_to_commit = had.split(":commit:").next().unwrap_or_default();
    if is_buildkite && !wanted.contains('*') && wanted.starts_with(up_to_commit) {
        causes.push(cause(
            "buildkite-subject-names-commit",
            "Buildkite's subject goes on with commit and step, which differ in every build.",
            format!("Use StringLike with {up_to_commit}:*"),
        ));
    }
}
