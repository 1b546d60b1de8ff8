//! `AssumeRoleWithSAML`: the outer door for enterprises. The response is verified against the
//! provider's metadata, the assertion is held against the role's trust policy, and only then is a
//! session issued, tagged from its attributes.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64_simd::STANDARD;
use claims::saml::{self, Failure, ProviderRules, Said, Verified, Wanted as Pair};
use claims::{Check, Checks, Finding, UnixTime};
use policy::{AccountId, Arn, Principal, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::arn;
use super::asserted::{Asserted, name_qualifier};
use super::assume::{self, AssumedRoleUser, PolicyArn, Shown, Wanted};
use super::duration;
use super::federation::{EXPIRED_TOKEN, Federated, INVALID_IDENTITY_TOKEN, record_findings};
use super::tags::{self, SessionTags};
use super::used::{Digest, LONGEST, Standing};
use crate::action::{Action, Ask, Done, Effect, Proof};
use crate::audit::UserIdentity;
use crate::audit::draft::bounded_claims;
use crate::audit::ours::{AssertionUse, check};
use crate::authorize::{Permit, no_such_role};
use crate::caller::Caller;
use crate::credentials::Credentials;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::settings;
use crate::world::SamlProvider;

/// The action.
pub struct AssumeRoleWithSaml;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_arn: String,
    principal_arn: String,
    #[serde(rename = "SAMLAssertion")]
    response: Zeroizing<String>,
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
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u64>,
    session_token_size: usize,
    session_token_utilization: usize,
    subject: String,
    subject_type: String,
    issuer: String,
    audience: String,
    name_qualifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

impl Action for AssumeRoleWithSaml {
    const NAME: &'static str = "AssumeRoleWithSAML";
    const EFFECT: Effect = Effect::Issue;
    const PROOF: Proof = Proof::Token;
    type Input = Input;
    type Output = Output;

    async fn prove(cx: &mut Cx<'_>, input: &Input) -> Result<()> {
        let (role_arn, account) = arn::role(&input.role_arn)?;
        cx.receipt.account(account.as_str());
        cx.receipt.resource(Some(account.as_str()), "AWS::IAM::Role", role_arn.as_str());
        let provider_arn = arn::saml_provider(&input.principal_arn)?;
        cx.receipt.provider(provider_arn.as_str());
        let provider =
            registered(cx, account, &provider_arn).ok_or_else(|| no_provider(&provider_arn))?;
        let kind = "AWS::IAM::SAMLProvider";
        cx.receipt.resource(Some(account.as_str()), kind, provider_arn.as_str());

        let verified = verify(cx, &provider, &decoded(&input.response), input)?;
        let recalled = cx.plane.used.recall(cx.plane.book.reader(), cx.now).await;
        recalled.map_err(Error::unavailable)?;
        let once = once(cx, &provider, &verified, input)?;
        admit(cx, provider, verified, once)
    }

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let (role_arn, _) = arn::role(&input.role_arn)?;
        let asserted = asserted(cx)?;
        let Some(role) = cx.world.role_by_arn(&role_arn) else {
            return Err(no_such_role(cx, "sts:AssumeRoleWithSAML", &role_arn));
        };
        let shown = Shown {
            name: &asserted.verified.session_name,
            passed: &asserted.tags.tags,
            tags: &asserted.tags,
            source_identity: asserted.verified.source_identity.as_deref(),
        };
        let action = "sts:AssumeRoleWithSAML";
        Ok(assume::trust_asks(cx, action, role, &shown, |it| asserted.set_keys(it)))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let (role_arn, _) = arn::role(&input.role_arn)?;
        let Some(role) = cx.world.role_by_arn(&role_arn).cloned() else {
            return Err(Error::internal("the role that was asked for is gone within one call"));
        };
        let asserted = Arc::clone(asserted(cx)?);
        let wanted = wanted(cx, &asserted, &input);
        let issued = assume::issue(cx, &role, wanted)?;
        use_up(cx, &asserted)?;
        let verified = &asserted.verified;
        Ok(Done::read(Output {
            session_token_size: issued.credentials.token_size(),
            session_token_utilization: issued.credentials.token_utilization(),
            credentials: issued.credentials,
            assumed_role_user: issued.user,
            packed_policy_size: issued.packed,
            subject: verified.subject.clone(),
            subject_type: verified.subject_type.clone(),
            issuer: verified.issuer.clone(),
            audience: verified.recipient.clone(),
            name_qualifier: asserted.name_qualifier.clone(),
            source_identity: verified.source_identity.clone(),
        }))
    }
}

/// What the base64 says, whose blanks do not matter; nothing if it is none.
fn decoded(text: &str) -> Vec<u8> {
    let plain = STANDARD.decode_to_vec(text).or_else(|_| {
        let plain: String = text.split_ascii_whitespace().collect();
        STANDARD.decode_to_vec(plain)
    });
    plain.unwrap_or_default()
}

fn verify(
    cx: &mut Cx<'_>,
    provider: &SamlProvider,
    response: &[u8],
    input: &Input,
) -> Result<Verified> {
    let record = &provider.record;
    let own = settings(cx, provider);
    let rules = ProviderRules {
        entity_id: Some(record.entity_id.clone()),
        checks: own.map(|it| it.checks).unwrap_or_default(),
        audiences: own.map(|it| it.saml.audiences.clone()).unwrap_or_default(),
        addresses: own.map(|it| it.saml.addresses.clone()).unwrap_or_default(),
        skew: own.and_then(|it| it.saml.skew).unwrap_or(ProviderRules::SKEW),
        encryption_required: record.encryption_required == Some(true),
    }
    .at(&cx.plane.settings.public_url);
    let keys = cx.plane.saml_keys.of(cx.plane, record)?;
    let outcome = saml::verify(&saml::Input {
        response,
        rules: &rules,
        certificates: &provider.certificates,
        keys: &keys,
        wanted: Some(Pair { role: &input.role_arn, provider: &input.principal_arn }),
        now: UnixTime(cx.now.as_second()),
    });
    record_findings(cx, outcome.findings);
    record_said(cx, provider, outcome.said, input);
    outcome.result.map_err(|failure| refused(&failure))
}

/// The assertion holds: from here on its bearer is the caller.
fn admit(
    cx: &mut Cx<'_>,
    provider: Arc<SamlProvider>,
    verified: Verified,
    once: Option<(Digest, Digest)>,
) -> Result<()> {
    let name_qualifier = name_qualifier(&verified.issuer, &provider.record);
    cx.receipt.caller(UserIdentity::saml(&name_qualifier, &verified.subject), true);
    let asked = verified.tags.principal.iter();
    let passed: Vec<Tag> =
        asked.map(|(key, value)| Tag::new(key.as_str(), value.as_str())).collect();
    let tags = tags::merge(&passed, &verified.tags.transitive, &SessionTags::default())?;
    let principal =
        Principal::Saml { provider: provider.arn.clone(), account: provider.record.account };
    let asserted = Asserted { provider, verified, tags, name_qualifier, once };
    cx.caller = Caller::federated(principal, Federated::Saml(Arc::new(asserted)));
    Ok(())
}

/// In strict mode, what is good only once; refuses what is used already.
fn once(
    cx: &mut Cx<'_>,
    provider: &SamlProvider,
    verified: &Verified,
    input: &Input,
) -> Result<Option<(Digest, Digest)>> {
    const WANTED: &str = "an assertion that was not used before for this role";
    if settings(cx, provider).is_some_and(|it| it.checks == Checks::Aws) {
        let note = "AWS takes an assertion as often as it comes";
        record_findings(cx, vec![Finding::skipped(Check::OneTimeUse, note)]);
        return Ok(None);
    }
    let now = UnixTime(cx.now.as_second());
    let bytes = str::as_bytes;
    let assertion = [provider.arn.as_str(), &verified.id, &input.role_arn].map(bytes);
    let assertion = digest_of(&assertion);
    let seconds = input.duration_seconds.map(|it| it.to_string()).unwrap_or_default();
    let policy = input.policy.as_deref().unwrap_or_default();
    let arns = input.policy_arns.iter().filter_map(|it| it.arn.as_deref());
    // The signed digest stands for all that the assertion says.
    let mut request = vec![verified.digest.as_slice()];
    request.extend([policy, &seconds].into_iter().chain(arns).map(bytes));
    let request = digest_of(&request);

    let standing = match verified.refused_from > now.plus(LONGEST) {
        true => None,
        false => Some(cx.plane.used.standing(&assertion, &request, now)),
    };
    let finding = match standing {
        Some(Standing::Fresh) => Finding::pass(Check::OneTimeUse, WANTED, "a fresh one"),
        Some(Standing::Retried) => {
            Finding::pass(Check::OneTimeUse, WANTED, "the same request again, within a minute")
        }
        _ => Finding::fail(Check::OneTimeUse, WANTED, unfit(standing))
            .noted("aws mode does not make this check"),
    };
    record_findings(cx, vec![finding]);
    match standing {
        Some(Standing::Fresh | Standing::Retried) => Ok(Some((assertion, request))),
        _ => Err(used(verified.encrypted)),
    }
}

/// Notes the use, now that there is something to show for it.
fn use_up(cx: &mut Cx<'_>, asserted: &Asserted) -> Result<()> {
    let Some((assertion, request)) = asserted.once else { return Ok(()) };
    let (until, now) = (asserted.verified.refused_from, UnixTime(cx.now.as_second()));
    match cx.plane.used.claim(assertion, request, until, now) {
        // A retried one too: the first event may be what could not be written.
        Standing::Fresh | Standing::Retried => {
            let (assertion, request) = (hex::encode(assertion), hex::encode(request));
            cx.receipt.used(AssertionUse { assertion, request, until: until.0 });
            Ok(())
        }
        // Another call with the same assertion has been quicker.
        Standing::Used | Standing::Full => Err(used(asserted.verified.encrypted)),
    }
}

fn unfit(standing: Option<Standing>) -> &'static str {
    match standing {
        None => "one that ends more than a day from now, longer than it would be remembered",
        Some(Standing::Full) => "one more than can be remembered",
        Some(_) => "one that was used",
    }
}

/// AWS has no such refusal: what is used up is told like what has expired.
fn used(encrypted: bool) -> Error {
    let inner = Failure::Expired { what: "one use", at: UnixTime(0) };
    match encrypted {
        true => refused(&Failure::Hidden { inner: Box::new(inner) }),
        false => refused(&inner),
    }
}

fn digest_of(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut half = Digest::default();
    half.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    half
}

fn wanted<'a>(cx: &Cx<'_>, asserted: &'a Asserted, input: &'a Input) -> Wanted<'a> {
    let verified = &asserted.verified;
    let left = verified.session_ends.map(|ends| ends.0 - cx.now.as_second());
    // The attribute only shortens, and only what the call does not say.
    let named = verified.session_duration.filter(|_| input.duration_seconds.is_none());
    Wanted {
        name: &verified.session_name,
        seconds: input.duration_seconds,
        token_size: input.minimum_session_token_size,
        at_most: [left, named.map(|it| it.min(duration::DEFAULT))].into_iter().flatten().min(),
        policy: input.policy.as_deref(),
        policy_arns: &input.policy_arns,
        tags: asserted.tags.clone(),
        source_identity: verified.source_identity.clone(),
        federated_provider: Some(asserted.provider.arn.to_string()),
        claims: asserted.kept_claims(),
        mfa: false,
    }
}

fn asserted<'a>(cx: &'a Cx<'_>) -> Result<&'a Arc<Asserted>> {
    match &cx.caller.federation {
        Some(Federated::Saml(asserted)) => Ok(asserted),
        _ => Err(Error::internal("a federated caller was not proven")),
    }
}

/// The provider of exactly this ARN, in the role's account.
fn registered(cx: &Cx<'_>, account: AccountId, arn: &Arn) -> Option<Arc<SamlProvider>> {
    let name = arn.resource().strip_prefix("saml-provider/")?;
    let found = cx.world.account(&account)?.saml_providers.get(name)?;
    (found.arn == *arn).then(|| Arc::clone(found))
}

fn no_provider(arn: &Arn) -> Error {
    Error::new(INVALID_IDENTITY_TOKEN, "Specified provider doesn't exist").failing(
        check::PROVIDER,
        "a SAML provider of the role's account",
        arn.to_string(),
    )
}

fn settings<'p>(cx: &Cx<'p>, provider: &SamlProvider) -> Option<&'p settings::Provider> {
    cx.plane.settings.providers.get(provider.arn.as_str())
}

/// What the response says, proven or not, for the log book: who, and every attribute.
fn record_said(cx: &mut Cx<'_>, provider: &SamlProvider, said: Said, input: &Input) {
    cx.receipt.request(&request_parameters(&said, input));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let qualifier = name_qualifier(&text(&said.issuer), &provider.record);
    cx.receipt.caller(UserIdentity::saml(&qualifier, &text(&said.subject)), false);
    let own = [("saml:iss", said.issuer), ("saml:sub", said.subject)];
    let own = own.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    let attributes = said.attributes.into_iter().map(|(name, mut values)| match values.pop() {
        Some(only) if values.is_empty() => (name, only.into()),
        last => (name, values.into_iter().chain(last).collect()),
    });
    cx.receipt.claims(bounded_claims(own.chain(attributes)));
}

/// As CloudTrail shows them: what came in the assertion stands beside what came in the call.
fn request_parameters(said: &Said, input: &Input) -> Value {
    let values = |name: &str| {
        let name = format!("{}{name}", saml::AWS_PREFIX);
        said.attributes.iter().find(|(it, _)| *it == name).map(|(_, values)| values.clone())
    };
    let only = |name: &str| values(name).and_then(|it| it.into_iter().next());
    let prefix = format!("{}PrincipalTag:", saml::AWS_PREFIX);
    let tags = said.attributes.iter().filter_map(|(name, values)| {
        Some((name.strip_prefix(&prefix)?.to_owned(), Value::from(values.first()?.as_str())))
    });
    let tags: serde_json::Map<String, Value> = tags.collect();
    let mut shown = json!({
        "SAMLAssertionID": said.id,
        "RoleSessionName": only("RoleSessionName"),
        "DurationSeconds": input.duration_seconds,
        "RoleArn": input.role_arn,
        "PrincipalArn": input.principal_arn,
        "SourceIdentity": only("SourceIdentity"),
        "PrincipalTags": (!tags.is_empty()).then_some(tags),
        "TransitiveTagKeys": values("TransitiveTagKeys"),
        "Policy": input.policy,
    });
    if let Value::Object(members) = &mut shown {
        members.retain(|_, value| !value.is_null());
    }
    shown
}

fn refused(failure: &Failure) -> Error {
    let code = if failure.is_expired() { EXPIRED_TOKEN } else { INVALID_IDENTITY_TOKEN };
    Error::new(code, failure.client_text()).because(format!("{failure:?}"))
}
