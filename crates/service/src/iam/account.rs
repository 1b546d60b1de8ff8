//! The account itself: its alias, and what is in it by number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bearer::{Bearer, Group, Role, User};
use super::entity::{ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY};
use super::page::{Listing, Wanted, page};
use super::{
    access_key, attached, credentials, group, instance_profile, policy, server_certificate,
};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::AccountRecord;
use crate::world::{Account, Change, Entity, World};

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<CreateAccountAlias>(),
    Entry::of::<DeleteAccountAlias>(),
    Entry::of::<GetAccountSummary>(),
    Entry::of::<ListAccountAliases>(),
    Entry::of::<SetSecurityTokenServicePreferences>(),
];

/// It takes nothing.
#[derive(Deserialize)]
pub struct Nothing {}

/// An alias.
#[derive(Deserialize)]
pub struct AliasInput {
    #[serde(rename = "AccountAlias")]
    alias: String,
}

/// What is asked about the account itself.
///
/// # Errors
/// If nobody is proven.
pub fn ask(cx: &Cx<'_>, action: &str) -> Result<Vec<Ask>> {
    Ok(vec![Ask::identity(cx, &format!("iam:{action}"), "*", cx.caller.account()?)])
}

fn named(account: &Account, alias: Option<String>) -> Vec<Change> {
    let record = AccountRecord { alias, ..account.record.clone() };
    vec![Change::Put(Entity::Account(record))]
}

/// `CreateAccountAlias`: takes the place of the one there is.
pub struct CreateAccountAlias;

impl Action for CreateAccountAlias {
    const NAME: &'static str = "CreateAccountAlias";
    const EFFECT: Effect = Effect::Write;
    type Input = AliasInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &AliasInput) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: AliasInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let wanted = Some(input.alias.as_str());
        if cx.world.accounts().iter().any(|account| account.record.alias.as_deref() == wanted) {
            let text = format!("The account alias {} already exists.", input.alias);
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        let changes = named(cx.account()?, Some(input.alias));
        Ok(Done::write((), changes))
    }
}

/// `DeleteAccountAlias`
pub struct DeleteAccountAlias;

impl Action for DeleteAccountAlias {
    const NAME: &'static str = "DeleteAccountAlias";
    const EFFECT: Effect = Effect::Write;
    type Input = AliasInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &AliasInput) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: AliasInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.account()?;
        if account.record.alias.as_deref() != Some(input.alias.as_str()) {
            let text = format!("The account alias {} cannot be found.", input.alias);
            return Err(Error::new(NO_SUCH_ENTITY, text));
        }
        Ok(Done::write((), named(account, None)))
    }
}

/// `ListAccountAliases`
pub struct ListAccountAliases;

impl Action for ListAccountAliases {
    const NAME: &'static str = "ListAccountAliases";
    const EFFECT: Effect = Effect::Read;
    type Input = Wanted;
    type Output = Listing<String>;

    fn asks(cx: &Cx<'_>, _input: &Wanted) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: Wanted,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<String>>> {
        let alias = cx.account()?.record.alias.clone();
        let page = page(cx.operation.name, alias, String::clone, &input)?;
        Ok(Done::read(page.listed("AccountAliases")))
    }
}

/// `SetSecurityTokenServicePreferences`: kept and told again; here all tokens are of one form.
pub struct SetSecurityTokenServicePreferences;

/// Its input.
#[derive(Deserialize)]
pub struct PreferencesInput {
    #[serde(rename = "GlobalEndpointTokenVersion")]
    version: String,
}

impl Action for SetSecurityTokenServicePreferences {
    const NAME: &'static str = "SetSecurityTokenServicePreferences";
    const EFFECT: Effect = Effect::Write;
    type Input = PreferencesInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &PreferencesInput) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PreferencesInput,
        _permit: Permit<Self>,
    ) -> Result<Done<()>> {
        let version = if input.version == "v1Token" { 1 } else { 2 };
        let account = cx.account()?.record.clone();
        let record = AccountRecord { token_version: Some(version), ..account };
        Ok(Done::write((), vec![Change::Put(Entity::Account(record))]))
    }
}

/// `GetAccountSummary`
pub struct GetAccountSummary;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryOutput {
    summary_map: BTreeMap<&'static str, usize>,
}

impl Action for GetAccountSummary {
    const NAME: &'static str = "GetAccountSummary";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = SummaryOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<SummaryOutput>> {
        Ok(Done::read(SummaryOutput { summary_map: summary(&cx.world, cx.account()?) }))
    }
}

/// Every key that AWS's summary has; what does not exist here is none.
fn summary(world: &World, account: &Account) -> BTreeMap<&'static str, usize> {
    use ::policy::document::quota;

    let versions = account.policies.iter().map(|policy| policy.record.versions.len()).sum();
    let in_use = account.mfa_devices.values().filter(|it| it.enabled.is_some()).count();
    let root_keys = world.keys_of(&account.record.id, None).len();
    BTreeMap::from([
        ("AccessKeysPerUserQuota", access_key::MAX_KEYS),
        ("AccountAccessKeysPresent", root_keys.min(1)),
        ("AccountMFAEnabled", 0),
        ("AccountPasswordPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", quota::TRUST),
        ("AttachedPoliciesPerGroupQuota", attached::MAX_ATTACHED),
        ("AttachedPoliciesPerRoleQuota", attached::MAX_ATTACHED),
        ("AttachedPoliciesPerUserQuota", attached::MAX_ATTACHED),
        ("GlobalEndpointTokenVersion", account.record.token_version.unwrap_or(2).into()),
        ("GroupPolicySizeQuota", Group::INLINE_QUOTA),
        ("Groups", account.groups.len()),
        ("GroupsPerUserQuota", group::MAX_GROUPS),
        ("GroupsQuota", Group::QUOTA.1),
        ("InstanceProfiles", account.instance_profiles.len()),
        ("InstanceProfilesQuota", instance_profile::MAX_PROFILES),
        ("MFADevices", account.mfa_devices.len()),
        ("MFADevicesInUse", in_use),
        ("Policies", account.policies.len()),
        ("PoliciesQuota", policy::MAX_POLICIES),
        ("PolicySizeQuota", quota::MANAGED),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", policy::MAX_POLICIES * policy::MAX_VERSIONS),
        ("Providers", account.oidc_providers.len() + account.saml_providers.len()),
        ("RolePolicySizeQuota", Role::INLINE_QUOTA),
        ("Roles", account.roles.len()),
        ("RolesQuota", Role::QUOTA.1),
        ("ServerCertificates", account.server_certificates.len()),
        ("ServerCertificatesQuota", server_certificate::MAX_CERTIFICATES),
        ("SigningCertificatesPerUserQuota", credentials::MAX_CERTIFICATES),
        ("UserPolicySizeQuota", User::INLINE_QUOTA),
        ("Users", account.users.len()),
        ("UsersQuota", User::QUOTA.1),
        ("VersionsPerPolicyQuota", policy::MAX_VERSIONS),
    ])
}
