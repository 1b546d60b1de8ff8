//! Why an assertion was refused, and what to mend at the identity provider or here. Held by
//! `corpus/explain/calls/saml.txt`, which has a line for every refusal of `corpus/saml/`.

use claims::saml::AWS_PREFIX;
use serde_json::json;

use super::cause::{ago, ahead};
use super::mending::{Mending, mending};
use super::smallest_change::{Change, advice, change};
use crate::audit::Event;
use crate::audit::ours::{Check, check};

/// The mending of a check of `AssumeRoleWithSAML` that did not hold.
pub(super) fn of_check(event: &Event, failed: &Check) -> Option<Mending> {
    if event.event_name != "AssumeRoleWithSAML" {
        return None;
    }
    let mut found = of_named(event, failed)?;
    if failed.ours {
        found
            .change
            .text
            .push_str(" AWS does not check this; checks = \"aws\" in the provider's settings leaves it out here too.");
    }
    Some(found)
}

fn of_named(event: &Event, failed: &Check) -> Option<Mending> {
    let wanted = failed.wanted.as_deref().unwrap_or_default();
    let had = failed.had.as_deref().unwrap_or_default();
    let note = failed.note.as_deref().unwrap_or_default();
    let provider = event.vestibule.provider.as_deref().unwrap_or("the provider");
    Some(match failed.name.as_ref() {
        check::PROVIDER => {
            let account = event.recipient_account_id.as_deref().unwrap_or("the role's account");
            mending(
                "saml-provider-missing",
                format!(
                    "Account {account} has no SAML provider {had}; it must be in the role's own account."
                ),
                advice(
                    "Name the provider as it is registered (iam:ListSAMLProviders), in PrincipalArn and in the \
                     attribute Role; or register it (iam:CreateSAMLProvider).",
                ),
            )
        }
        "structure" => structure(wanted, had),
        "encryption" => encryption(provider, had),
        "signature" => signature("assertion", had),
        "response-signature" => signature("response", had),
        "weak-hash" => {
            mending("saml-sha1", "The signature uses SHA-1, which can be forged.", algorithm())
        }
        "issuer" if had.contains(':') => issuer(wanted, had),
        "roles" => role(wanted, note),
        "session-name" if had == "none" => mending(
            "saml-session-name",
            sentence(&["The session has no name: ", note]),
            release("RoleSessionName", "one value, such as the user's e-mail address"),
        ),
        "session-name" => mending(
            "saml-session-name",
            format!("RoleSessionName must be {wanted}; it is {had}."),
            release("RoleSessionName", "one value of 2 to 64 letters, digits and _+=,.@-"),
        ),
        "session-duration" => mending(
            "saml-session-duration",
            format!("SessionDuration must be {wanted}; it is {had}."),
            release("SessionDuration", "whole seconds from 900 to 43200, or not at all"),
        ),
        "source-identity" => mending(
            "saml-source-identity",
            format!("SourceIdentity must be one value of {wanted}; it is {had}."),
            release("SourceIdentity", "one value of 2 to 64 letters, digits and _+=,.@-"),
        ),
        "tags" => {
            let (tag, values) = had.split_once(" with ").unwrap_or((had, "several values"));
            mending(
                "saml-tag",
                format!(
                    "The attribute PrincipalTag:{tag} comes with {values}: a session tag is one text."
                ),
                release(&format!("PrincipalTag:{tag}"), "exactly one value of plain text"),
            )
        }
        "audience-restriction" => mending(
            "saml-audience",
            audience(wanted, had),
            advice(format!(
                "At the identity provider, set the audience (the service provider's entity id) to {wanted}; or add \
             its audience to audiences in the provider's settings."
            )),
        ),
        "recipient" | "destination" => mending(
            "saml-address",
            match had.strip_prefix("none") {
                Some(rest) => format!("The {} is missing{rest}.", failed.name),
                None => format!("The response was made to be sent to {had}."),
            },
            advice(format!(
                "At the identity provider, set the assertion consumer service to {wanted}; or add its address to \
                 addresses in the provider's settings."
            )),
        ),
        "expiry" => mending(
            "saml-expired",
            format!("{} ended {} before the call.", first_word(wanted), ago(event, had)?),
            advice("Sign in again right before the call; a response is good for minutes."),
        ),
        "window-start" => mending(
            "saml-not-yet-valid",
            format!("{} begins only {} after the call.", first_word(wanted), ahead(event, had)?),
            advice("Set the identity provider's or this server's clock right."),
        ),
        "one-time-use" => mending(
            "saml-used",
            format!("Wanted was {wanted}; this is {had}."),
            advice("Sign in again."),
        ),
        "status" => mending(
            "saml-status",
            format!(
                "The identity provider does not say that the sign-in succeeded: its status is {had}."
            ),
            advice("Sign in again; the identity provider's own log says why it did not succeed."),
        ),
        "bearer" => mending(
            "saml-part",
            format!("The subject must be confirmed as its bearer ({wanted}); the method is {had}."),
            advice("At the identity provider, choose the Web Browser SSO profile."),
        ),
        "unknown-conditions" => mending(
            "saml-condition",
            format!(
                "The assertion has a condition that nobody here can judge, {had}; known are {wanted}."
            ),
            advice("At the identity provider, take that condition off."),
        ),
        "response-issuer" => mending(
            "saml-issuer",
            format!("The response is by {had}, and the assertion in it by {wanted}."),
            advice("None: a response must come from the issuer of its assertion."),
        ),
        "subject" if had.contains("EncryptedID") => mending(
            "saml-encryption",
            "The name alone is encrypted, and only whole assertions are opened.",
            advice("At the identity provider, encrypt the assertion instead of the name in it."),
        ),
        _ if had.starts_with("missing") => mending(
            "saml-part",
            format!("What must be there once and well-formed is {had}: {wanted}."),
            advice("At the identity provider, choose the Web Browser SSO profile, which has it."),
        ),
        _ => return None,
    })
}

fn structure(wanted: &str, had: &str) -> Mending {
    let why = match (wanted, had) {
        ("exactly one assertion", _) => {
            "The response has no assertion, or several: that is how forged ones are brought in.".to_owned()
        }
        ("no further assertion, response or signature anywhere in the document", _) => {
            "Besides its assertion the document has another assertion, response or signature: that is how \
             forged ones are wrapped in signed ones."
                .to_owned()
        }
        (_, "a document type declaration") => {
            "The document has a document type declaration, which can define what is not signed.".to_owned()
        }
        (_, "something else" | "missing, repeated or malformed") => format!("What was sent is not {wanted}."),
        _ => format!("What was sent cannot be read as {wanted}: {had}."),
    };
    let change = "Send the form's field SAMLResponse as it comes from the identity provider: whole, in base64, \
                  and altered by nothing in between.";
    mending("saml-structure", why, advice(change))
}

fn encryption(provider: &str, had: &str) -> Mending {
    let (why, change) = match had {
        "an assertion in plain text" => (
            "The provider requires encrypted assertions, and this one is not.",
            change(
                "Let the identity provider encrypt, or let this provider take plain assertions too \
                 (iam:UpdateSAMLProvider).",
                json!({"SAMLProviderArn": provider, "AssertionEncryptionMode": "Allowed"}),
            ),
        ),
        "the provider has no private key" => (
            "The assertion is encrypted, and this provider has no key that could open it.",
            advice(
                "Add the private key of the certificate that the identity provider encrypts to (iam:UpdateSAMLProvider, AddPrivateKey).",
            ),
        ),
        "none of the keys opens it" => (
            "None of this provider's private keys opens the assertion: it is encrypted to another certificate, or was altered.",
            advice(
                "Give the identity provider the certificate of a key that was added here (iam:GetSAMLProvider names them).",
            ),
        ),
        "other algorithms, or another shape" => (
            "The assertion is encrypted in a way that is not taken.",
            advice(
                "At the identity provider, choose AES-128 or AES-256 in GCM, under RSA-OAEP, for the whole assertion.",
            ),
        ),
        _ => (
            "The assertion is encrypted by AES-CBC, which anybody can alter, in a response without a signature of its own that holds.",
            advice(
                "At the identity provider, choose AES-GCM, or sign the response too. AWS takes it as it is: so does checks = \"aws\".",
            ),
        ),
    };
    mending("saml-encryption", why, change)
}

fn signature(of: &str, had: &str) -> Mending {
    let none = || {
        advice(
            "None: what it says must not be believed. Sign in again, and send what comes unaltered.",
        )
    };
    let profile = "At the identity provider, sign with enveloped signature and exclusive canonicalisation without \
                   comments alone (SAML Core 5.4).";
    match had {
        "no signature in the assertion" => mending(
            "saml-unsigned",
            "The assertion itself is not signed; a signature of the response alone is not enough for AWS either.",
            advice("At the identity provider, let assertions be signed."),
        ),
        "none of the provider's certificates has made it" => mending(
            "saml-signature-key",
            format!(
                "No certificate of the provider's metadata has made the {of}'s signature: the identity provider \
                 has a new one, or this is another's."
            ),
            advice(
                "If the identity provider has a new certificate, upload its metadata of today \
                 (iam:UpdateSAMLProvider); the old and the new may both stand in it.",
            ),
        ),
        "what it covers has been changed since" => mending(
            "saml-altered",
            format!(
                "The {of} was altered after it was signed: by somebody, or by something that formats XML."
            ),
            none(),
        ),
        "it does not name the element around it, by an id that occurs once" => mending(
            "saml-wrapped",
            format!(
                "The {of}'s signature is for another element than the one it stands in: that is how forged ones are wrapped."
            ),
            none(),
        ),
        _ if had.starts_with("made with") => mending(
            "saml-algorithm",
            format!("The {of}'s signature is {had}, which is not taken."),
            algorithm(),
        ),
        "it has other transforms" => mending(
            "saml-transforms",
            format!(
                "The {of}'s signature is over something else than the {of} as it stands: it has other transforms."
            ),
            advice(profile),
        ),
        _ if had.starts_with("canonicalised by") => {
            mending("saml-transforms", format!("The {of}'s signature is {had}."), advice(profile))
        }
        _ => mending(
            "saml-signature",
            format!("The {of}'s signature is not a plain one: {had}."),
            none(),
        ),
    }
}

fn issuer(wanted: &str, had: &str) -> Mending {
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let why = match bare(wanted) == bare(had) {
        true => format!(
            "The assertion's issuer is {had}, and the provider's metadata has {wanted}: they are compared \
             character by character."
        ),
        false => format!(
            "The assertion's issuer is {had}, and this provider's metadata is {wanted}'s: the call names the wrong \
             provider, or the metadata is another tenant's."
        ),
    };
    mending(
        "saml-issuer",
        why,
        advice(format!(
            "Name the provider whose metadata has entityID {had}; or upload that metadata here (iam:UpdateSAMLProvider)."
        )),
    )
}

fn role(wanted: &str, note: &str) -> Mending {
    let text = "At the identity provider, release the role with its provider for this user.";
    let attribute = format!("{AWS_PREFIX}Role");
    mending(
        "saml-role",
        sentence(&["The assertion does not offer this role by this provider: ", note]),
        change(text, json!({ attribute: wanted })),
    )
}

fn audience(wanted: &str, had: &str) -> String {
    if had == "none" {
        return "The assertion is for no audience in particular.".to_owned();
    }
    match wanted.split(" or ").find(|it| it.eq_ignore_ascii_case(had)) {
        Some(own) => {
            format!("The assertion's audience {had} differs from {own} in capital letters.")
        }
        None => format!("The assertion was made for {had}."),
    }
}

fn algorithm() -> Change {
    advice(
        "At the identity provider, choose RSA with SHA-256, for the signature and for the digest.",
    )
}

fn release(attribute: &str, what: &str) -> Change {
    advice(format!("At the identity provider, release {AWS_PREFIX}{attribute} with {what}."))
}

/// `Conditions` of `Conditions after 1800000000`.
fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn sentence(parts: &[&str]) -> String {
    format!("{}.", parts.concat().trim_end_matches('.'))
}
