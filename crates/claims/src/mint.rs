//! Realistic claims from profiles, for tests, demonstrations and the test issuer.
//!
//! A profile (`profiles/*.json`) is dated data: what an issuer's tokens look like, with parameters
//! such as `repo` or `environment` and the issuer's own rules for deriving `sub` from them.
//! [`mint`] fills one in; [`crate::jose::SigningKey::sign`] makes a token of the result.
//!
//! Templates: `{name}` stands for a parameter, `{name|before:/}` and `{name|after:/}` for a part
//! of it, `{name|colon}` for it with `:` written `%3A`. A claim named `x?` is left out when it
//! comes out empty. `{"$time": n}` is the issue time plus n seconds, `{"$number": "…"}` a
//! number, `{"$groups": […]}` the groups (with a default), `{"$first": […]}` the first entry whose
//! `if` holds (`name`, `name=value`, `name=prefix*`, several joined by `,`).

mod template;

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::jose::Alg;
use crate::{Claims, UnixTime};

use template::Filling;

/// What an issuer's tokens look like.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, such as `github`.
    pub name: String,
    /// The issuer's name for people.
    pub title: String,
    /// The day on which this was last compared with its sources.
    pub as_of: String,
    /// Where the shape is documented.
    pub source: String,
    /// The issuer; may contain parameters.
    pub issuer: String,
    /// The algorithm that it signs with.
    pub alg: Alg,
    /// Seconds from issue to expiry.
    pub lifetime: i64,
    /// Parameters and their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The claims' templates, without `iss`, `iat` and `exp`, which every token has.
    pub claims: Map<String, Value>,
}

/// What to change about a profile's token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Values for the profile's parameters. `seed` changes ids that are otherwise derived.
    pub parameters: BTreeMap<String, String>,
    /// Another issuer.
    pub issuer: Option<String>,
    /// Another subject than the profile's rules give.
    pub subject: Option<String>,
    /// Another audience; several make an array.
    pub audience: Vec<String>,
    /// Session tags, as AWS's nested claim.
    pub tags: Vec<(String, String)>,
    /// Keys of the tags that are transitive.
    pub transitive: Vec<String>,
    /// AWS's source-identity claim.
    pub source_identity: Option<String>,
    /// AWS's roles claim.
    pub roles: Vec<String>,
    /// Groups, in the profile's groups claim, else in `groups`.
    pub groups: Vec<String>,
    /// Seconds from issue to expiry.
    pub lifetime: Option<i64>,
    /// Claims to set as they are, last of all.
    pub claims: Map<String, Value>,
    /// Claims to leave out.
    pub without: Vec<String>,
}

/// Why nothing was minted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MintFault {
    /// The profile has no such parameter.
    UnknownParameter {
        /// What was given.
        name: String,
        /// What it has.
        known: Vec<String>,
    },
    /// A template of the profile cannot be filled in.
    Template {
        /// The template.
        template: String,
    },
}

impl std::fmt::Display for MintFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownParameter { name, known } => {
                write!(f, "this profile has no parameter {name:?}; it has {}", known.join(", "))
            }
            Self::Template { template } => write!(f, "cannot fill in the template {template:?}"),
        }
    }
}

impl std::error::Error for MintFault {}

/// Name, alternative names, text.
const PROFILES: &[(&str, &[&str], &str)] = &[
    ("auth0", &[], include_str!("../profiles/auth0.json")),
    ("bitbucket", &[], include_str!("../profiles/bitbucket.json")),
    ("buildkite", &[], include_str!("../profiles/buildkite.json")),
    ("circleci", &[], include_str!("../profiles/circleci.json")),
    ("cognito", &[], include_str!("../profiles/cognito.json")),
    ("cognito-identity", &[], include_str!("../profiles/cognito-identity.json")),
    ("entra", &["azure"], include_str!("../profiles/entra.json")),
    ("generic", &[], include_str!("../profiles/generic.json")),
    ("github", &[], include_str!("../profiles/github.json")),
    ("gitlab", &[], include_str!("../profiles/gitlab.json")),
    ("google", &[], include_str!("../profiles/google.json")),
    ("keycloak", &[], include_str!("../profiles/keycloak.json")),
    ("kubernetes", &["k8s", "eks"], include_str!("../profiles/kubernetes.json")),
    ("okta", &[], include_str!("../profiles/okta.json")),
    ("terraform", &["hcp"], include_str!("../profiles/terraform.json")),
];

impl Profile {
    /// The built-in profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PROFILES
            .iter()
            .find(|(own, others, _)| *own == name || others.contains(&name))
            .and_then(|(_, _, text)| serde_json::from_str(text).ok())
    }

    /// The names of all built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|(name, ..)| *name)
    }
}

/// The claims of a token of this profile, issued `now`. The same input gives the same claims.
///
/// # Errors
/// If a parameter is not the profile's, or the profile itself is wrong.
pub fn mint(profile: &Profile, overrides: &Overrides, now: UnixTime) -> Result<Claims, MintFault> {
    let mut parameters = profile.parameters.clone();
    for (name, value) in &overrides.parameters {
        if name != "seed" && !parameters.contains_key(name) {
            let known = profile.parameters.keys().cloned().collect();
            return Err(MintFault::UnknownParameter { name: name.clone(), known });
        }
        parameters.insert(name.clone(), value.clone());
    }
    let uuid = uuid_of(&json!([profile.name, parameters, overrides.subject, now]));
    parameters.insert("uuid".to_owned(), uuid);
    let mut filling = Filling { parameters, groups: &overrides.groups, now };

    let issuer = match &overrides.issuer {
        Some(issuer) => issuer.clone(),
        None => filling.text(&profile.issuer)?,
    };
    filling.parameters.insert("issuer".to_owned(), issuer.clone());
    let lifetime = overrides.lifetime.unwrap_or(profile.lifetime);
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), Value::String(issuer));
    claims.insert("iat".to_owned(), Value::from(now.0));
    claims.insert("exp".to_owned(), Value::from(now.plus(lifetime).0));
    for (name, template) in &profile.claims {
        if let Some((name, value)) = filling.member(name, template)? {
            claims.insert(name, value);
        }
    }
    overrides.put_into(&mut claims, profile);
    Ok(Claims::new(claims))
}

impl Overrides {
    fn put_into(&self, claims: &mut Map<String, Value>, profile: &Profile) {
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        if let Some(subject) = &self.subject {
            put("sub", json!(subject));
        }
        match self.audience.as_slice() {
            [] => {}
            [only] => drop(put("aud", json!(only))),
            many => drop(put("aud", json!(many))),
        }
        let has_groups = profile.claims.values().any(|value| value.get("$groups").is_some());
        if !self.groups.is_empty() && !has_groups {
            put("groups", json!(self.groups));
        }
        if !self.tags.is_empty() || !self.transitive.is_empty() {
            let tags: Map<String, Value> =
                self.tags.iter().map(|(key, value)| (key.clone(), json!([value]))).collect();
            let claim = match self.transitive.as_slice() {
                [] => json!({ "principal_tags": tags }),
                keys => json!({ "principal_tags": tags, "transitive_tag_keys": keys }),
            };
            put("https://aws.amazon.com/tags", claim);
        }
        if let Some(identity) = &self.source_identity {
            put("https://aws.amazon.com/source_identity", json!(identity));
        }
        if !self.roles.is_empty() {
            put("https://aws.amazon.com/roles", json!(self.roles));
        }
        for (name, value) in &self.claims {
            put(name, value.clone());
        }
        for name in &self.without {
            claims.remove(name);
        }
    }
}

/// An id in the form of a random UUID (RFC 9562 section 5.4), derived from what it stands for.
fn uuid_of(what: &Value) -> String {
    let hash = digest::digest(&digest::SHA256, what.to_string().as_bytes());
    let mut hex = String::with_capacity(36);
    for (place, byte) in hash.as_ref().iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        hex.push_str(&format!("{byte:02x}"));
    }
    hex
}

#[cfg(test)]
mod tests;
