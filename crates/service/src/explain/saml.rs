//! Why an assertion was refused, and what to mend at the identity provider.

use super::Cause;
use super::cause::{ago, ahead, cause};
use crate::audit::Event;
use crate::audit::ours::{Check, check};

/// The cause of a check of `AssumeRoleWithSAML` that did not hold.
pub(super) fn of_check(event: &Event, failed: &Check) -> Option<Cause> {
    let wanted = failed.wanted.as_deref().unwrap_or_default();
    let had = failed.had.as_deref().unwrap_or_default();
    let note = failed.note.as_deref().unwrap_or_default();
    let account = event.recipient_account_id.as_deref().unwrap_or("the role's account");
    Some(match failed.name.as_ref() {
        check::PROVIDER => cause(
            "saml-provider-missing",
            format!(
                "Account {account} has no SAML provider {had}. The provider must be in the role's \
                 own account, and the Role attribute must name it."
            ),
        ),
        "structure" => {
            cause("saml-structure", format!("What was sent is not {wanted} that is read: {had}."))
        }
        "encryption" => {
            cause("saml-encryption", sentence(&["Wanted was ", wanted, "; it has ", had]))
        }
        "signature" | "response-signature" if had.starts_with("no signature") => cause(
            "saml-unsigned",
            "The assertion itself is not signed. Let the identity provider sign assertions; a \
             signature of the response alone is not enough for AWS either.",
        ),
        "signature" | "response-signature" => cause(
            "saml-signature",
            format!(
                "A signature does not hold: {had}. If the identity provider has a new certificate, \
                 upload its metadata again."
            ),
        ),
        "weak-hash" => cause(
            "saml-sha1",
            "The signature uses SHA-1. Choose RSA with SHA-256 at the identity provider.",
        ),
        "issuer" => cause(
            "saml-issuer",
            format!(
                "The assertion's issuer is {had}, and this provider's metadata is {wanted}'s: the \
                 Role attribute names the wrong provider, or the metadata is another tenant's."
            ),
        ),
        "roles" => cause("saml-role", sentence(&["The pair is not in the attribute Role: ", note])),
        "session-name" if !note.is_empty() && had == "none" => {
            cause("saml-session-name", sentence(&["There is no RoleSessionName: ", note]))
        }
        "session-name" | "session-duration" | "source-identity" => cause(
            "saml-attribute",
            format!("The attribute must hold {wanted}, and it holds {had}."),
        ),
        "tags" => cause("saml-tag", sentence(&[had, ": ", note])),
        "audience-restriction" => cause(
            "saml-audience",
            format!(
                "The assertion was made for {had}. At the identity provider, set the audience (the \
                 service provider's entity id) to {wanted}."
            ),
        ),
        "recipient" | "destination" => cause(
            "saml-address",
            format!(
                "The assertion was sent to {had}. At the identity provider, set the assertion \
                 consumer service to {wanted}, or add its address to the provider's settings."
            ),
        ),
        "expiry" => match ago(event, had) {
            Some(time) => cause(
                "saml-expired",
                format!("{} ended {time} before the call.", first_word(wanted)),
            ),
            None => return None,
        },
        "window-start" => match ahead(event, had) {
            Some(time) => cause(
                "saml-not-yet-valid",
                format!(
                    "{} begins only {time} after the call; check both clocks.",
                    first_word(wanted)
                ),
            ),
            None => return None,
        },
        "one-time-use" => cause(
            "saml-used",
            format!("Wanted was {wanted}; this is {had}. Sign in again for another session."),
        ),
        "status" => cause("saml-status", format!("The identity provider says {had}, not success.")),
        "subject"
        | "subject-confirmation"
        | "conditions"
        | "authn-statement"
        | "bearer"
        | "unknown-conditions"
        | "response-issuer" => {
            cause("saml-part", format!("The response should have {wanted}, and has: {had}."))
        }
        _ => return None,
    })
}

/// `Conditions` of `Conditions after 1800000000`.
fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn sentence(parts: &[&str]) -> String {
    format!("{}.", parts.concat().trim_end_matches('.'))
}
