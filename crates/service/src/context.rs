//! The condition keys that every request has: the global ones (IAM User Guide, "AWS global
//! condition context keys"). Keys of one action are set by that action's asks.

use jiff::Timestamp;
use policy::{AccountId, Context, Principal, SetBy};

use crate::caller::Caller;
use crate::cx::Cx;
use crate::record::Membership;
use crate::time::iso_seconds;
use crate::world::World;

/// About as many keys as a tagged session has.
const ROOM: usize = 32;

/// The keys of the caller, its session, its connection and the clock.
pub fn global(cx: &Cx<'_>) -> Context {
    let mut context = of_caller(&cx.caller, &cx.world, cx.now);
    network(&mut context, cx);
    context
}

/// The keys of a caller and its session, and of the clock: all that is known without a connection.
pub fn of_caller(caller: &Caller, world: &World, now: Timestamp) -> Context {
    let mut context = Context::with_capacity(ROOM);
    clock(&mut context, now);
    let own = caller.principal.account();
    principal(&mut context, caller, own.and_then(|own| membership(world, &own)));
    session(&mut context, caller, now);
    context
}

fn clock(context: &mut Context, now: Timestamp) {
    context.set("aws:CurrentTime", &iso_seconds(now.as_millisecond()), SetBy::Clock);
    context.set("aws:EpochTime", &now.as_second().to_string(), SetBy::Clock);
}

fn network(context: &mut Context, cx: &Cx<'_>) {
    let origin = cx.origin;
    context.set("aws:SourceIp", &origin.ip.to_string(), SetBy::Network);
    context.set(
        "aws:SecureTransport",
        if origin.secure { "true" } else { "false" },
        SetBy::Network,
    );
    let region = cx.caller.region.as_ref().unwrap_or(&origin.region);
    context.set("aws:RequestedRegion", region, SetBy::Request);
    if let Some(agent) = &origin.user_agent {
        context.set("aws:UserAgent", agent, SetBy::Request);
    }
    if let Some(referer) = &origin.referer {
        context.set("aws:referer", referer, SetBy::Request);
    }
    context.set("aws:ViaAWSService", "false", SetBy::Network);
}

/// The place of a resource's owner in an organization.
pub fn resource_organization(context: &mut Context, world: &World, owner: &AccountId) {
    if let Some(membership) = membership(world, owner) {
        context.set("aws:ResourceOrgID", &membership.organization, SetBy::Organization);
        context.set_many("aws:ResourceOrgPaths", [&membership.path], SetBy::Organization);
    }
}

fn membership<'w>(world: &'w World, account: &AccountId) -> Option<&'w Membership> {
    world.account(account)?.record.membership.as_ref()
}

fn principal(context: &mut Context, caller: &Caller, membership: Option<&Membership>) {
    let (kind, id, name) = match &caller.principal {
        Principal::Anonymous | Principal::Service { .. } => {
            ("Anonymous", Some("anonymous".to_owned()), None)
        }
        Principal::Root { account } => ("Account", Some(account.to_string()), None),
        Principal::User { id, arn, .. } => {
            ("User", Some(id.to_string()), Some(arn.resource_name().to_owned()))
        }
        Principal::FederatedUser { arn, account, .. } => {
            ("FederatedUser", Some(format!("{account}:{}", arn.resource_name())), None)
        }
        Principal::RoleSession { role_id, session_arn, .. } => {
            let session = session_arn.as_str().rsplit('/').next().unwrap_or_default();
            ("AssumedRole", Some(format!("{role_id}:{session}")), None)
        }
        // As captured from AWS: a federated caller shows as a user whose id is its provider.
        Principal::WebIdentity { provider, .. } => ("User", Some(provider.to_string()), None),
        Principal::Saml { provider, .. } => ("User", Some(provider.to_string()), None),
    };
    context.set("aws:PrincipalType", kind, SetBy::Principal);
    if let Some(id) = id {
        context.set("aws:userid", &id, SetBy::Principal);
    }
    if let Some(name) = name {
        context.set("aws:username", name.rsplit('/').next().unwrap_or(&name), SetBy::Principal);
    }
    if let Some(arn) = caller.principal.key_arn() {
        context.set("aws:PrincipalArn", arn.as_str(), SetBy::Principal);
    }
    match caller.principal.account() {
        Some(account) => context.set("aws:PrincipalAccount", account.as_str(), SetBy::Principal),
        None => context.set("aws:PrincipalAccount", "anonymous", SetBy::Principal),
    };
    if let Some(membership) = membership {
        context.set("aws:PrincipalOrgID", &membership.organization, SetBy::Organization);
        context.set_many("aws:PrincipalOrgPaths", [&membership.path], SetBy::Organization);
    }
    context.set("aws:PrincipalIsAWSService", "false", SetBy::Principal);
    context.set_tags("aws:PrincipalTag/", &caller.own_tags, SetBy::Principal);
    match &caller.principal {
        Principal::WebIdentity { provider, .. } => {
            context.set("aws:FederatedProvider", provider, SetBy::Principal);
        }
        Principal::Saml { provider, .. } => {
            context.set("aws:FederatedProvider", provider.as_str(), SetBy::Principal);
        }
        _ => {}
    }
}

fn session(context: &mut Context, caller: &Caller, now: Timestamp) {
    let Some(session) = &caller.session else { return };
    context.set("aws:TokenIssueTime", &iso_seconds(session.issued), SetBy::Session);
    let present = if session.mfa.is_some() { "true" } else { "false" };
    context.set("aws:MultiFactorAuthPresent", present, SetBy::Session);
    if let Some(proven) = session.mfa {
        let age = (now.as_millisecond() - proven) / 1000;
        context.set("aws:MultiFactorAuthAge", &age.to_string(), SetBy::Session);
    }
    context.set_tags("aws:PrincipalTag/", &session.tags, SetBy::Session);
    if let Some(identity) = &session.source_identity {
        context.set("aws:SourceIdentity", identity, SetBy::Session);
    }
    if let Some(provider) = &session.federated_provider {
        context.set("aws:FederatedProvider", provider, SetBy::Session);
    }
    for (key, values) in &session.claims {
        match values.as_slice() {
            [one] if !key.ends_with(":amr") => context.set(key, one, SetBy::Session),
            many => context.set_many(key, many, SetBy::Session),
        };
    }
}
