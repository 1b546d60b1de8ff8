//! `AssumeRoleWithWebIdentity`: the outer door. The token is verified, its claims are held against
//! the role's trust policy, and only then is a session issued, tagged from the claims.
//!
//! The order of checks is AWS's as far as it is known: the token's shape, its issuer's
//! registration in the role's account, the token itself, then the role.

use std::collections::BTreeMap;
use std::sync::Arc;

use claims::oidc::{self, Input as Judged, Issuer, ProviderRules};
use claims::{Claims, Failure, UnixTime};
use policy::{Arn, Principal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::arn;
use super::assume::{self, AssumedRoleUser, PolicyArn, Shown, Wanted};
use super::federation::{
    self, EXPIRED_TOKEN, Federated, Federation, INVALID_IDENTITY_TOKEN, record_findings,
};
use super::tags::{self, SessionTags};
use super::token_cache::{Key, Proven, TokenReceipt};
use crate::action::{Action, Ask, Done, Effect, Proof};
use crate::audit::UserIdentity;
use crate::audit::ours::check;
use crate::authorize::{Permit, no_such_role};
use crate::caller::Caller;
use crate::credentials::Credentials;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::idp::tls::VerifiedBy;
use crate::idp::{self, IdpError, ProviderKey};
use crate::receipt;
use crate::record::OidcProviderRecord;

const IDP_COMMUNICATION_ERROR: Code = Code::new("IDPCommunicationError", 400);
const IDP_REJECTED_CLAIM: Code = Code::new("IDPRejectedClaim", 403);

/// The action.
pub struct AssumeRoleWithWebIdentity;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_arn: String,
    role_session_name: String,
    web_identity_token: Zeroizing<String>,
    provider_id: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<u16>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
    subject_from_web_identity_token: String,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u64>,
    session_token_size: usize,
    session_token_utilization: usize,
    provider: String,
    audience: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

impl Action for AssumeRoleWithWebIdentity {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const EFFECT: Effect = Effect::Issue;
    const PROOF: Proof = Proof::Token;
    type Input = Input;
    type Output = Output;

    async fn prove(cx: &mut Cx<'_>, input: &Input) -> Result<()> {
        let (role_arn, account) = arn::role(&input.role_arn)?;
        cx.receipt.account(account.as_str());
        cx.receipt.resource(Some(account.as_str()), "AWS::IAM::Role", role_arn.as_str());
        refuse_built_in(input.provider_id.as_deref())?;

        let key = Key {
            fingerprint: oidc::fingerprint(&input.web_identity_token),
            role: role_arn.as_str().into(),
        };
        let known = cx.plane.tokens.find(&key, UnixTime(cx.now.as_second()));
        if let Some(proven) = &known
            && let Some(provider) = still_registered(cx, &proven.provider)
            && cx.plane.idp.are_current(&proven.provider, &proven.held)
        {
            cx.receipt.claims(Arc::clone(&proven.receipt.claims));
            return admit(cx, provider, Arc::clone(proven));
        }

        let token =
            oidc::peek(&input.web_identity_token).map_err(|failure| refused(cx, &failure))?;
        let claims = receipt::claims(token.claims());
        cx.receipt.claims(Arc::clone(&claims));
        record_bearer(cx, token.claims());
        let issuer = token.issuer().map_err(|failure| refused(cx, &failure))?.to_owned();
        let provider =
            registered(cx, account, &issuer).ok_or_else(|| no_provider(cx, account, &issuer))?;
        let proven = verify(cx, &token, &provider, &key.role, claims, known).await?;
        cx.plane.tokens.keep(key, Arc::clone(&proven));
        // The provider may have taken its time: what was revoked meanwhile counts.
        cx.world = cx.plane.world();
        cx.receipt.revision(cx.world.revision.0);
        let provider = still_registered(cx, &proven.provider)
            .ok_or_else(|| no_provider(cx, account, &issuer))?;
        admit(cx, provider, proven)
    }

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let (role_arn, _) = arn::role(&input.role_arn)?;
        let federation = federation(cx)?;
        let Some(role) = cx.world.role_by_arn(&role_arn) else {
            return Err(no_such_role(cx, "sts:AssumeRoleWithWebIdentity", &role_arn));
        };
        let shown = Shown {
            name: &input.role_session_name,
            passed: &federation.tags.tags,
            tags: &federation.tags,
            source_identity: federation.verified().source_identity.as_deref(),
        };
        let settings = cx.plane.settings.providers.get(federation.provider_arn.as_str());
        let extended = settings.map_or(&[][..], |settings| &settings.extended_claims);
        let own_keys = |context: &mut policy::Context| federation.set_keys(context, extended);
        Ok(assume::trust_asks(cx, "sts:AssumeRoleWithWebIdentity", role, &shown, own_keys))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let (role_arn, _) = arn::role(&input.role_arn)?;
        let Some(role) = cx.world.role_by_arn(&role_arn).cloned() else {
            return Err(Error::internal("the role that was asked for is gone within one call"));
        };
        let federation = Arc::clone(federation(cx)?);
        let wanted = wanted(&federation, &input);
        let source_identity = wanted.source_identity.clone();
        let issued = assume::issue(cx, &role, wanted)?;
        Ok(Done::read(Output {
            session_token_size: issued.credentials.token_size(),
            session_token_utilization: issued.credentials.token_utilization(),
            credentials: issued.credentials,
            subject_from_web_identity_token: federation.verified().subject.clone(),
            assumed_role_user: issued.user,
            packed_policy_size: issued.packed,
            provider: federation.provider_arn.to_string(),
            audience: federation.verified().audience.clone(),
            source_identity,
        }))
    }
}

/// Verifies a token with the provider's keys as they are now; what is `known` of it stays so if
/// these are the very keys that it was verified with.
async fn verify(
    cx: &mut Cx<'_>,
    token: &oidc::Unverified<'_>,
    provider: &OidcProviderRecord,
    role: &str,
    claims: Arc<BTreeMap<String, Value>>,
    known: Option<Arc<Proven>>,
) -> Result<Arc<Proven>> {
    let arn = provider_arn(provider);
    cx.receipt.provider(arn.as_str());
    // What no key can mend is refused before the provider is asked for any.
    token.admissible().map_err(|failure| refused(cx, &failure))?;
    let settings = cx.plane.settings.providers.get(arn.as_str());
    let issuer = idp::issuer(&provider.url, settings.map(|it| &it.reach));
    let reach = idp::Provider {
        key: Arc::new(ProviderKey { account: provider.account, arn, revision: provider.revision }),
        issuer: Arc::new(issuer.clone()),
        thumbprints: provider.thumbprints.iter().filter_map(|text| text.parse().ok()).collect(),
        settings: Arc::new(settings.map(|it| it.reach.clone()).unwrap_or_default()),
    };
    let found = cx.plane.idp.find(&reach, token.kid()).await;
    let held = found.map_err(|error| unreachable(&error))?;
    let same =
        |proven: &Arc<Proven>| proven.provider == reach.key && Arc::ptr_eq(&proven.held, &held);
    if let Some(proven) = known.filter(same) {
        return Ok(proven);
    }
    let rules = ProviderRules {
        issuer,
        client_ids: provider.client_ids.clone(),
        checks: settings.map(|it| it.checks).unwrap_or_default(),
    };
    let outcome = oidc::verify(&Judged {
        token,
        rules: &rules,
        keys: &held.keys,
        role: Some(role),
        now: UnixTime(cx.now.as_second()),
    });
    match outcome.result {
        Ok(verified) => Ok(Arc::new(Proven {
            provider: reach.key,
            receipt: TokenReceipt {
                claims,
                checks: receipt::findings(outcome.findings).map(Arc::new).collect(),
            },
            verified,
            held,
        })),
        Err(failure) => {
            record_findings(cx, outcome.findings);
            Err(failed(&failure))
        }
    }
}

/// The token holds: from here on its bearer is the caller.
fn admit(cx: &mut Cx<'_>, provider: Arc<OidcProviderRecord>, proven: Arc<Proven>) -> Result<()> {
    let arn = &proven.provider.arn;
    cx.receipt.provider(arn.as_str());
    proven.receipt.checks.iter().for_each(|check| cx.receipt.check(Arc::clone(check)));
    let verified = &proven.verified;
    let identity = UserIdentity::web_identity(arn.as_str(), &verified.audience, &verified.subject);
    cx.receipt.caller(identity, true);
    additional(cx, &proven);

    if let Some(identity) = &verified.source_identity
        && !is_source_identity(identity)
    {
        return Err(Error::new(
            INVALID_IDENTITY_TOKEN,
            "source_identity passed in claim is not in correct format.",
        )
        .failing("source-identity", "2 to 64 of [\\w+=,.@-], not aws:", identity.clone()));
    }
    let mut mapped = Vec::new();
    if let Some(settings) = cx.plane.settings.providers.get(arn.as_str()) {
        let applied = settings.tag_mapping.apply(&verified.claims);
        record_findings(cx, applied.findings);
        mapped = applied.result.map_err(|failure| failed(&failure))?;
        for (tag, value) in &mapped {
            let rule = settings.tag_mapping.0.iter().find(|rule| rule.tag == *tag);
            let claim = rule.map_or("", |rule| rule.claim.as_str());
            cx.receipt.mapped_tag(claim, tag, value);
        }
    }
    let mapped_keys = mapped.iter().map(|(tag, _)| tag.clone()).collect();
    let (passed, transitive) = federation::session_tags(&verified.tags, mapped);
    let tags = tags::merge(&passed, &transitive, &SessionTags::default())?;
    let principal =
        Principal::WebIdentity { provider: arn.as_str().into(), account: provider.account };
    let provider_arn = arn.clone();
    let federation = Federation { provider, provider_arn, proven, tags, mapped: mapped_keys };
    cx.caller = Caller::federated(principal, Federated::Oidc(Arc::new(federation)));
    Ok(())
}

/// As the `SourceIdentity` parameter of AssumeRole is constrained.
fn is_source_identity(text: &str) -> bool {
    let permitted = |c: u8| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c);
    (2..=64).contains(&text.len())
        && text.bytes().all(permitted)
        && !text.to_ascii_lowercase().starts_with("aws:")
}

/// What CloudTrail shows beside the call: what vouched for the provider's server, and whether the
/// roles claim names the role (only where there is one).
fn additional(cx: &mut Cx<'_>, proven: &Proven) {
    #[derive(Serialize)]
    struct Facts {
        #[serde(
            rename = "identityProviderConnectionVerificationMethod",
            skip_serializing_if = "Option::is_none"
        )]
        method: Option<&'static str>,
        #[serde(rename = "RoleAuthorizedByIdp", skip_serializing_if = "Option::is_none")]
        role_authorized: Option<&'static str>,
    }
    let facts = Facts {
        method: proven.held.verified_by.map(VerifiedBy::as_str),
        role_authorized: proven.verified.role_authorized_by_idp.then_some("true"),
    };
    if let Ok(facts) = serde_json::value::to_raw_value(&facts) {
        cx.receipt.additional(facts);
    }
}

fn wanted<'a>(federation: &Federation, input: &'a Input) -> Wanted<'a> {
    Wanted {
        name: &input.role_session_name,
        seconds: input.duration_seconds,
        token_size: input.minimum_session_token_size,
        at_most: None,
        policy: input.policy.as_deref(),
        policy_arns: &input.policy_arns,
        tags: federation.tags.clone(),
        source_identity: federation.verified().source_identity.clone(),
        federated_provider: Some(federation.provider_arn.to_string()),
        claims: federation.kept_claims(),
        mfa: false,
    }
}

fn federation<'a>(cx: &'a Cx<'_>) -> Result<&'a Arc<Federation>> {
    match &cx.caller.federation {
        Some(Federated::Oidc(federation)) => Ok(federation),
        _ => Err(Error::internal("a federated caller was not proven")),
    }
}

/// The account's registration of exactly this issuer.
fn registered(
    cx: &Cx<'_>,
    account: policy::AccountId,
    issuer: &str,
) -> Option<Arc<OidcProviderRecord>> {
    let url = Issuer::registered_name_of(issuer)?;
    cx.world.account(&account)?.oidc_providers.get(url).cloned()
}

/// The provider under which a token was verified, if it is still the very same.
fn still_registered(cx: &Cx<'_>, key: &ProviderKey) -> Option<Arc<OidcProviderRecord>> {
    let url = key.arn.resource().strip_prefix("oidc-provider/")?;
    let provider = cx.world.account(&key.account)?.oidc_providers.get(url)?;
    (provider.revision == key.revision).then(|| Arc::clone(provider))
}

fn no_provider(cx: &Cx<'_>, account: policy::AccountId, issuer: &str) -> Error {
    // The nearest registration tells what is different, a trailing slash for example.
    let bare = |url: &str| {
        let name = url.split_once("://").map_or(url, |(_, name)| name);
        name.trim_end_matches('/').to_ascii_lowercase()
    };
    let providers = cx.world.account(&account).map(|account| &account.oidc_providers);
    let nearest = providers.and_then(|all| all.values().find(|it| bare(&it.url) == bare(issuer)));
    let wanted = nearest.map(|provider| {
        let settings = cx.plane.settings.providers.get(provider_arn(provider).as_str());
        idp::issuer(&provider.url, settings.map(|it| &it.reach)).to_string()
    });
    let wanted = wanted.unwrap_or_else(|| "a registered OpenID Connect provider".to_owned());
    Error::new(
        INVALID_IDENTITY_TOKEN,
        format!("No OpenIDConnect provider found in your account for {issuer}"),
    )
    .failing(check::PROVIDER, wanted, issuer)
}

/// The built-in providers take opaque tokens of their own, which nobody here can verify.
fn refuse_built_in(provider_id: Option<&str>) -> Result<()> {
    match provider_id {
        None => Ok(()),
        Some("www.amazon.com") => Err(Error::new(
            INVALID_IDENTITY_TOKEN,
            "Provided Token is not a Login With Amazon token",
        )),
        Some("graph.facebook.com") => {
            Err(Error::new(IDP_REJECTED_CLAIM, "Provided Token is not a Facebook token"))
        }
        Some(other) => Err(Error::new(
            INVALID_IDENTITY_TOKEN,
            format!("No OpenIDConnect provider found in your account for {other}"),
        )),
    }
}

fn provider_arn(provider: &OidcProviderRecord) -> Arn {
    let resource = format!("oidc-provider/{}", provider.url);
    Arn::build("aws", "iam", "", provider.account.as_str(), &resource)
}

/// Whoever the token says it is, before anything is proven.
fn record_bearer(cx: &mut Cx<'_>, claims: &Claims) {
    let text = |name| claims.text(name).unwrap_or_default();
    cx.receipt.caller(UserIdentity::web_identity(text("iss"), text("aud"), text("sub")), false);
}

/// A token that could not be read far enough to be judged.
fn refused(cx: &mut Cx<'_>, failure: &Failure) -> Error {
    record_findings(cx, oidc::Outcome::unreadable(failure.clone()).findings);
    failed(failure)
}

fn failed(failure: &Failure) -> Error {
    let code = match failure {
        Failure::Expired { .. } => EXPIRED_TOKEN,
        Failure::SubjectNull => code::INTERNAL_FAILURE,
        _ => INVALID_IDENTITY_TOKEN,
    };
    Error::new(code, failure.client_text()).because(format!("{failure:?}"))
}

fn unreachable(error: &IdpError) -> Error {
    match error {
        IdpError::Certificate { .. } => Error::new(
            INVALID_IDENTITY_TOKEN,
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
        ),
        IdpError::Unreachable { .. } | IdpError::BadDocument { .. } => {
            Error::new(IDP_COMMUNICATION_ERROR, "Could not connect to the identity provider")
        }
    }
    .failing(check::PROVIDER_REACHED, "the provider's keys", error.to_string())
}
