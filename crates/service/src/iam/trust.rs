//! Trust policies: bound to unique ids when they are written, shown with ARNs when they are read.
//!
//! So a role that is deleted and made anew under the same name is not trusted by accident: its id
//! is another one, and the old id is shown raw.

use policy::{AccountId, Arn, Document, Kind, Strictness};

use crate::error::{Error, Result, code};
use crate::ids::UniqueId;
use crate::world::World;

/// Reads a trust policy and binds its principals.
///
/// # Errors
/// `MalformedPolicyDocument`, in AWS's words: the document itself, an unknown principal, or too
/// many characters.
pub fn bind(world: &World, text: &str) -> Result<String> {
    let document = Document::parse(text, Kind::Trust, Strictness::Stored)
        .map_err(|rejection| Error::policy(text, &rejection))?;
    for principal in
        document.principals().filter(|p| p.kind == policy::document::PrincipalKind::Aws)
    {
        if !known(world, principal.value) {
            let text = format!("Invalid principal in policy: \"AWS\":\"{}\"", principal.value);
            return Err(Error::new(code::MALFORMED_POLICY_DOCUMENT, text));
        }
    }
    document.check_shared_issuers().map_err(|rejection| Error::policy(text, &rejection))?;
    let size = policy::document::quota_size(text);
    if size > policy::document::quota::TRUST {
        let text =
            format!("Cannot exceed quota for ACLSizePerRole: {}", policy::document::quota::TRUST);
        return Err(Error::new(super::entity::LIMIT_EXCEEDED, text));
    }
    let bound = document.map_principals(|value| unique_id(world, value));
    Ok(bound.source().to_owned())
}

/// The document as clients see it: unique ids of what still lives become ARNs again.
pub fn shown(world: &World, bound: &str) -> String {
    match Document::parse(bound, Kind::Trust, Strictness::Stored) {
        Ok(document) => document.map_principals(|value| arn_of(world, value)).source().to_owned(),
        Err(_) => bound.to_owned(),
    }
}

fn known(world: &World, value: &str) -> bool {
    if value == "*" || arn_of(world, value).is_some() {
        return true;
    }
    if let Ok(account) = AccountId::parse(value) {
        return world.account(&account).is_some();
    }
    let Ok(arn) = Arn::parse(value) else { return false };
    let Some(account) = arn.account_id().filter(|id| world.account(id).is_some()) else {
        return false;
    };
    match (arn.service(), arn.resource_type()) {
        ("iam", "root") => true,
        ("iam", "user" | "role") => unique_id(world, value).is_some(),
        ("sts", "assumed-role") => {
            let role = arn.resource_name().split('/').next().unwrap_or_default();
            world.account(&account).is_some_and(|account| account.roles.find(role).is_some())
        }
        ("sts", "federated-user") => true,
        _ => false,
    }
}

fn unique_id(world: &World, value: &str) -> Option<String> {
    let arn = Arn::parse(value).ok().filter(|arn| arn.service() == "iam")?;
    let account = world.account(&arn.account_id()?)?;
    let name = value.rsplit('/').next()?;
    match arn.resource_type() {
        "role" => {
            account.roles.find(name).filter(|it| it.arn == arn).map(|it| it.record.id.to_string())
        }
        "user" => {
            account.users.find(name).filter(|it| it.arn == arn).map(|it| it.record.id.to_string())
        }
        _ => None,
    }
}

fn arn_of(world: &World, value: &str) -> Option<String> {
    if !value.starts_with("AROA") && !value.starts_with("AIDA") {
        return None;
    }
    let id = UniqueId::from(value.to_owned());
    world.accounts().into_iter().find_map(|account| {
        let role = account.role_by_id(&id).map(|role| role.arn.to_string());
        role.or_else(|| account.user_by_id(&id).map(|user| user.arn.to_string()))
    })
}
