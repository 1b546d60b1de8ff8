//! Why an assertion does not say what AWS wants to read, in plain words that name the attribute to
//! mend at the identity provider.

use super::attribute::{AWS_PREFIX, Attributes, Held};
use super::verify::{Wanted, pair};

/// Why the wanted pair is not among those of the Role attribute.
pub(super) fn role(attributes: &Attributes, wanted: &Wanted<'_>) -> String {
    let written = match attributes.aws("Role") {
        Held::Absent => return misnamed(attributes, "Role"),
        Held::Unreadable => return "a value of Role is not plain text".to_owned(),
        Held::Values([]) => return "the attribute Role has no value".to_owned(),
        Held::Values(written) => written,
    };
    let pairs: Vec<(String, String)> = written.iter().filter_map(|text| pair(text)).collect();
    if pairs.is_empty() {
        return "each value of Role must be the role's ARN, a comma, and the provider's ARN, \
                without spaces"
            .to_owned();
    }
    if written.iter().any(|text| same_but_for_blanks(text, wanted)) {
        return "the pair is there with blanks in it: remove them from the value of Role"
            .to_owned();
    }
    let same_role = pairs.iter().find(|(role, _)| role == wanted.role);
    let same_provider = pairs.iter().find(|(_, provider)| provider == wanted.provider);
    if let Some((_, provider)) = same_role {
        return match account(provider) == account(wanted.provider) {
            true => format!("the role is paired with another provider, {provider}"),
            false => format!("the role is paired with a provider of another account, {provider}"),
        };
    }
    if let Some((role, _)) = same_provider {
        let path = |arn: &str| arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        if role.eq_ignore_ascii_case(wanted.role) {
            return format!("the role is written {role}: ARNs are compared with case");
        }
        if path(role) == path(wanted.role) {
            return match account(role) == account(wanted.role) {
                true => format!("the role is written {role}: its path differs"),
                false => format!("the role is of another account: {role}"),
            };
        }
        return "the identity provider does not let this user have that role: add the pair to the \
                attribute Role"
            .to_owned();
    }
    "neither the role nor the provider is in the attribute Role".to_owned()
}

/// Which attribute was probably meant, if AWS's own of this name is absent.
pub(super) fn misnamed(attributes: &Attributes, name: &str) -> String {
    match near(attributes, name) {
        Some(had) => format!(
            "the identity provider calls the attribute {had}; its name must be {AWS_PREFIX}{name}, \
             with this case"
        ),
        None => format!("the identity provider releases no attribute {AWS_PREFIX}{name}"),
    }
}

/// What to say where there are no tags: none, or misnamed ones.
pub(super) fn or_none(attributes: &Attributes, name: &str) -> String {
    match near(attributes, name) {
        Some(_) => misnamed(attributes, &format!("{name}…")),
        None => "no PrincipalTag attributes".to_owned(),
    }
}

/// An attribute whose name differs by case, by prefix, or by scheme alone.
fn near<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    let wanted = name.to_ascii_lowercase();
    attributes.names().find(|had| {
        let last = had.rsplit('/').next().unwrap_or(had).to_ascii_lowercase();
        let is_aws = had.starts_with(AWS_PREFIX) && had.ends_with(name);
        !is_aws && if name.ends_with(':') { last.starts_with(&wanted) } else { last == wanted }
    })
}

fn same_but_for_blanks(text: &str, wanted: &Wanted<'_>) -> bool {
    let plain: String = text.split_whitespace().collect();
    plain != text
        && pair(&plain)
            .is_some_and(|(role, provider)| role == wanted.role && provider == wanted.provider)
}

fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}
