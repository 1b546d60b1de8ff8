//! From records to what decides: documents parsed, policies compiled per principal and layer.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::saml::Certificate;
use policy::{AccountId, Arn, Compiled, Document, Named, PolicyId, PolicyKind, Strictness};

use super::Corrupt;
use super::account::{Account, ManagedPolicy, Role, SamlProvider, User};
use crate::iam::aws_managed;
use crate::record::{
    InlinePolicy, Policies, PolicyRecord, RoleRecord, SamlProviderRecord, UserRecord,
};

/// An IAM entity's ARN.
pub(super) fn arn(kind: &str, account: &AccountId, path: &str, name: &str) -> Arn {
    Arn::build("aws", "iam", "", account.as_str(), &format!("{kind}{path}{name}"))
}

pub(super) fn managed(record: &PolicyRecord) -> Result<ManagedPolicy, Corrupt> {
    let arn = arn("policy", &record.account, &record.path, &record.name);
    let text = record
        .versions
        .iter()
        .find(|version| version.number == record.default_version)
        .map_or("", |version| version.document.as_str());
    let document = parse(text, policy::Kind::Identity, arn.as_str())?;
    Ok(ManagedPolicy { record: record.clone(), arn, document })
}

pub(super) fn saml_provider(record: &SamlProviderRecord) -> SamlProvider {
    let der = |text: &String| STANDARD.decode(text).ok();
    let certificates = record.certificates.iter().filter_map(der);
    SamlProvider {
        arn: arn("saml-provider", &record.account, "/", &record.name),
        certificates: certificates.filter_map(|der| Certificate::from_der(&der)).collect(),
        record: record.clone(),
    }
}

pub(super) fn role(account: &Account, record: RoleRecord) -> Result<Role, Corrupt> {
    let arn = arn("role", &record.account, &record.path, &record.name);
    let trust = parse(&record.trust, policy::Kind::Trust, arn.as_str())?;
    let trust_id = PolicyId::new("trust policy", PolicyKind::Trust).with_owner(arn.clone());
    let trust = Compiled::new([Named { id: trust_id, document: trust }]);
    Ok(Role {
        trust: Arc::new(trust),
        identity: Arc::new(Compiled::new(policies_of(account, &record.policies, &arn)?)),
        boundary: boundary(account, record.boundary.as_deref()),
        arn,
        record,
    })
}

pub(super) fn user(account: &Account, record: UserRecord) -> Result<User, Corrupt> {
    let arn = arn("user", &record.account, &record.path, &record.name);
    let mut named = policies_of(account, &record.policies, &arn)?;
    for name in &record.groups {
        if let Some(group) = account.groups.find(name) {
            named.extend(policies_of(account, &group.record.policies, &group.arn)?);
        }
    }
    Ok(User {
        identity: Arc::new(Compiled::new(named)),
        boundary: boundary(account, record.boundary.as_deref()),
        arn,
        record,
    })
}

/// What one entity bears itself: its inline policies, then those attached to it.
///
/// # Errors
/// A stored document that cannot be read.
pub fn policies_of(
    account: &Account,
    policies: &Policies,
    owner: &Arn,
) -> Result<Vec<Named>, Corrupt> {
    let mut named = inline(policies, owner)?;
    let arns = policies.attached.iter();
    named.extend(arns.filter_map(|arn| named_managed(account, arn, PolicyKind::Managed)));
    Ok(named)
}

/// The managed policy of that ARN, the account's own or AWS's, as it is in force.
pub fn document_of(account: &Account, arn: &str) -> Option<Arc<Document>> {
    match account.policy_by_arn(arn) {
        Some(policy) => Some(Arc::clone(&policy.document)),
        None => aws_managed::document(arn),
    }
}

/// What AWS attaches as a resource control policy at every level, and nobody detaches. Its "*" is
/// what no policy of an operator's own may say, so it is read as the policy of a resource.
///
/// # Errors
/// None; the text is part of the program.
pub fn rcp_full_access() -> Result<Named, Corrupt> {
    const NAME: &str = "RCPFullAWSAccess";
    let document = parse(RCP_FULL_ACCESS, policy::Kind::Resource, NAME)?;
    Ok(Named::new(PolicyId::new(NAME, PolicyKind::Rcp), document))
}

const RCP_FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// An organization's policies, level by level.
pub(super) fn levels(
    levels: Option<&[Vec<InlinePolicy>]>,
    kind: policy::Kind,
) -> Result<Option<Vec<Arc<Compiled>>>, Corrupt> {
    let Some(levels) = levels else { return Ok(None) };
    let id = if kind == policy::Kind::Scp { PolicyKind::Scp } else { PolicyKind::Rcp };
    let named = |policy: &InlinePolicy| {
        let id = match Arn::parse(&policy.name) {
            Ok(arn) => PolicyId::new(arn.resource_name(), id).with_arn(arn),
            Err(_) => PolicyId::new(policy.name.as_str(), id),
        };
        Ok(Named::new(id, parse(&policy.document, kind, &policy.name)?))
    };
    let level = |policies: &Vec<InlinePolicy>| {
        let given = policies.iter().map(named);
        let full = (kind == policy::Kind::Rcp).then(rcp_full_access);
        let all = given.chain(full).collect::<Result<Vec<_>, Corrupt>>()?;
        Ok(Arc::new(Compiled::new(all)))
    };
    levels.iter().map(level).collect::<Result<Vec<_>, _>>().map(Some)
}

fn inline(policies: &Policies, owner: &Arn) -> Result<Vec<Named>, Corrupt> {
    policies
        .inline
        .iter()
        .map(|policy| {
            let id = PolicyId::new(policy.name.as_str(), PolicyKind::Inline);
            Ok(Named {
                id: id.with_owner(owner.clone()),
                document: parse(&policy.document, policy::Kind::Identity, owner.as_str())?,
            })
        })
        .collect()
}

/// A managed policy as a layer names it; none if it does not exist.
pub fn named_managed(account: &Account, arn: &str, kind: PolicyKind) -> Option<Named> {
    let document = document_of(account, arn)?;
    let parsed = Arn::parse(arn).ok()?;
    Some(Named { id: PolicyId::new(parsed.resource_name(), kind).with_arn(parsed), document })
}

/// A boundary whose policy is gone allows nothing: it is still attached.
fn boundary(account: &Account, arn: Option<&str>) -> Option<Arc<Compiled>> {
    let named = named_managed(account, arn?, PolicyKind::Boundary);
    Some(Arc::new(Compiled::new(named)))
}

fn parse(text: &str, kind: policy::Kind, whose: &str) -> Result<Arc<Document>, Corrupt> {
    Document::parse(text, kind, Strictness::Stored)
        .map(Arc::new)
        .map_err(|rejection| Corrupt { document: whose.to_owned(), reason: rejection.message })
}
