//! Federated callers; the bearer of a verified OIDC token, and the condition keys that its claims
//! become. The bearer of an assertion is in `asserted.rs`.

use std::sync::Arc;

use claims::Finding;
use claims::oidc::Verified;
use policy::{Arn, Context, SetBy, Tag};
use serde_json::Value;

use super::asserted::Asserted;
use super::tags::SessionTags;
use super::token_cache::Proven;
use crate::cx::Cx;
use crate::error::Code;
use crate::receipt;
use crate::record::OidcProviderRecord;
use crate::settings::{ClaimKind, ExtendedClaim};

/// The token does not satisfy a check.
pub const INVALID_IDENTITY_TOKEN: Code = Code::new("InvalidIdentityToken", 400);
/// Its time is over.
pub const EXPIRED_TOKEN: Code = Code::new("ExpiredTokenException", 400);

/// A proven federated caller.
#[derive(Clone, Debug)]
pub enum Federated {
    /// The bearer of a token.
    Oidc(Arc<Federation>),
    /// The bearer of an assertion.
    Saml(Arc<Asserted>),
}

/// Every check of a token or an assertion, into the receipt.
pub fn record_findings(cx: &mut Cx<'_>, findings: Vec<Finding>) {
    receipt::findings(findings).for_each(|check| cx.receipt.check(check));
}

/// The bearer of a verified OIDC token.
#[derive(Debug)]
pub struct Federation {
    /// The registration under which it was verified.
    pub provider: Arc<OidcProviderRecord>,
    /// `arn:aws:iam::…:oidc-provider/…`
    pub provider_arn: Arn,
    /// The verdict on the token.
    pub(super) proven: Arc<Proven>,
    /// Session tags from AWS's tags claim, and those that the configuration maps (ours).
    pub tags: SessionTags,
    /// Keys of the tags that the configuration maps.
    pub(super) mapped: Vec<String>,
}

impl Federation {
    /// The token's claims.
    pub fn verified(&self) -> &Verified {
        &self.proven.verified
    }

    /// Sets the provider's condition keys: AWS's own, the issuer's catalogue, and the extended
    /// ones that the configuration declares.
    pub fn set_keys(&self, context: &mut Context, extended: &[ExtendedClaim]) {
        let prefix = &self.provider.url;
        let key = |name: &str| format!("{prefix}:{name}");
        let verified = self.verified();
        context.set(&key("aud"), &verified.audience, SetBy::TokenClaim);
        context.set(&key("sub"), &verified.subject, SetBy::TokenClaim);
        match verified.original_audience.as_slice() {
            [one] => context.set(&key("oaud"), one, SetBy::TokenClaim),
            many => context.set_many(&key("oaud"), many, SetBy::TokenClaim),
        };
        for claim in policy::key::claims_of(prefix) {
            let name = key(&claim.claim);
            if context.find_key(&name).is_some() {
                continue;
            }
            if claim.multivalued {
                if let Some(texts) = verified.claims.texts(&claim.claim) {
                    context.set_many(&name, texts, SetBy::TokenClaim);
                }
            } else if let Some(text) = verified.claims.value(&claim.claim).and_then(scalar) {
                context.set(&name, &text, SetBy::TokenClaim);
            }
        }
        context.set(
            "sts:RoleAuthorizedByIdp",
            if verified.role_authorized_by_idp { "true" } else { "false" },
            SetBy::TokenClaim,
        );
        for tag in self.tags.tags.iter().filter(|tag| self.mapped.contains(&tag.key)) {
            context.set(&format!("aws:RequestTag/{}", tag.key), &tag.value, SetBy::MappedTag);
        }
        for claim in extended {
            let name = key(&claim.name);
            // ATTACK: a claim `SUB` must never stand in for `sub` (corpus/tokens/oidc): a key that
            // is set already, in whatever case, is AWS's and stays.
            if context.find_key(&name).is_some() {
                continue;
            }
            match verified.claims.value(&claim.name).and_then(|value| typed(value, claim.kind)) {
                Some(Typed::One(text)) => {
                    context.set(&name, &text, SetBy::ExtendedClaim);
                }
                Some(Typed::Many(texts)) => {
                    context.set_many(&name, texts, SetBy::ExtendedClaim);
                }
                None => {}
            }
        }
    }

    /// The claims that stay condition keys in the session: `amr`, `aud`, `sub` (IAM User Guide).
    pub fn kept_claims(&self) -> Vec<(String, Vec<String>)> {
        let prefix = &self.provider.url;
        let mut kept = vec![
            (format!("{prefix}:aud"), vec![self.verified().audience.clone()]),
            (format!("{prefix}:sub"), vec![self.verified().subject.clone()]),
        ];
        if let Some(amr) = self.verified().claims.texts("amr") {
            kept.push((format!("{prefix}:amr"), amr.into_iter().map(str::to_owned).collect()));
        }
        kept
    }
}

/// The tags of the tags claim, then those that the configuration maps; the claim's own win.
pub fn session_tags(
    claimed: &claims::tags::SessionTags,
    mapped: Vec<(String, String)>,
) -> (Vec<Tag>, Vec<String>) {
    let mut tags: Vec<Tag> = claimed
        .principal
        .iter()
        .map(|(key, value)| Tag::new(key.as_str(), value.as_str()))
        .collect();
    for (key, value) in mapped {
        if !tags.iter().any(|tag| super::tags::same(&tag.key, &key)) {
            tags.push(Tag::new(key, value));
        }
    }
    (tags, claimed.transitive.clone())
}

enum Typed {
    One(String),
    Many(Vec<String>),
}

fn typed(value: &Value, kind: ClaimKind) -> Option<Typed> {
    match (kind, value) {
        (ClaimKind::String, Value::String(text)) => Some(Typed::One(text.clone())),
        (ClaimKind::Number, Value::Number(number)) => Some(Typed::One(number.to_string())),
        (ClaimKind::Bool, Value::Bool(flag)) => Some(Typed::One(flag.to_string())),
        (ClaimKind::List, Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map(Typed::Many),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
