//! `GetWebIdentityToken`: a signed token that tells services elsewhere who calls.

use claims::Claims;
use claims::jose::Alg;
use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::outbound::{ALGORITHMS, signing_key};
use super::tags::{self, SessionTags};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::iam::entity::with_tagging;
use crate::ids;
use crate::record::OutboundRecord;
use crate::time::iso_seconds;

/// Seconds of a token where the call names none. Source: GetWebIdentityToken.
const DEFAULT: i64 = 300;
/// Bytes of a token's claims; AWS names no number.
const MAX_CLAIMS: usize = 8 * 1024;
/// The claim that holds AWS's own.
const NAMESPACE: &str = "https://sts.amazonaws.com/";

const DISABLED: Code = Code::new("OutboundWebIdentityFederationDisabledException", 403);
const ESCALATION: Code = Code::new("SessionDurationEscalationException", 403);
const TOO_LARGE: Code = Code::new("JWTPayloadSizeExceededException", 400);

/// The action.
pub struct GetWebIdentityToken;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    audience: Vec<String>,
    duration_seconds: Option<i64>,
    signing_algorithm: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    web_identity_token: String,
    expiration: String,
}

impl Input {
    fn seconds(&self) -> i64 {
        self.duration_seconds.unwrap_or(DEFAULT)
    }

    fn algorithm(&self) -> Result<Alg> {
        let wanted = self.signing_algorithm.as_str();
        ALGORITHMS.into_iter().find(|alg| alg.name() == wanted).ok_or_else(|| {
            let text = format!(
                "1 validation error detected: Value '{wanted}' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RS256, ES384]"
            );
            Error::new(code::VALIDATION_ERROR, text)
        })
    }

    /// Everything that the token says.
    fn claims(&self, cx: &Cx<'_>, record: &OutboundRecord, until: i64) -> Result<Claims> {
        let principal = cx.caller.principal.key_arn();
        let principal = principal.ok_or_else(|| Error::internal("a caller without an ARN"))?;
        let account = &cx.account()?.record;
        let audience = match self.audience.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        let mut own = Map::new();
        own.insert("aws_account".to_owned(), json!(account.id));
        own.insert("principal_id".to_owned(), json!(principal.as_str()));
        let region = cx.caller.region.as_ref().unwrap_or(&cx.origin.region);
        own.insert("source_region".to_owned(), json!(region));
        if let Some(membership) = &account.membership {
            own.insert("org_id".to_owned(), json!(membership.organization));
            own.insert("ou_path".to_owned(), json!([membership.path]));
        }
        let session = cx.caller.session.as_deref();
        let mut principal_tags = cx.caller.own_tags.clone();
        if let Some(session) = session {
            let ends = iso_seconds(session.expires);
            own.insert("original_session_exp".to_owned(), json!(ends));
            if let Some(provider) = &session.federated_provider {
                own.insert("federated_provider".to_owned(), json!(provider));
            }
            let hidden =
                |tag: &Tag| session.tags.iter().any(|over| tags::same(&over.key, &tag.key));
            principal_tags.retain(|tag| !hidden(tag));
            principal_tags.extend(session.tags.iter().cloned());
        }
        for (name, tags) in [("principal_tags", &principal_tags), ("request_tags", &self.tags)] {
            if !tags.is_empty() {
                let tags: Map<_, _> =
                    tags.iter().map(|tag| (tag.key.clone(), json!(tag.value))).collect();
                own.insert(name.to_owned(), Value::Object(tags));
            }
        }
        let all = json!({
            "iss": record.issuer(cx.plane),
            "sub": principal.as_str(),
            "aud": audience,
            "iat": cx.now.as_second(),
            "exp": until,
            "jti": ids::uuid(),
            NAMESPACE: own,
        });
        if all.to_string().len() > MAX_CLAIMS {
            let text = "The requested token payload size exceeds the maximum allowed size. Reduce the number of request tags included in the call.";
            return Err(Error::new(TOO_LARGE, text));
        }
        Ok(Claims::new(all.as_object().cloned().unwrap_or_default()))
    }
}

impl Action for GetWebIdentityToken {
    const NAME: &'static str = "GetWebIdentityToken";
    const EFFECT: Effect = Effect::Issue;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        input.algorithm()?;
        let account = cx.caller.account()?;
        let ask = Ask::identity(cx, "sts:GetWebIdentityToken", "*", account);
        let mut ask = ask.request_tags(&input.tags);
        let context = &mut ask.question.context;
        context.set_many("sts:IdentityTokenAudience", &input.audience, SetBy::Request);
        context.set("sts:DurationSeconds", &input.seconds().to_string(), SetBy::Request);
        context.set("sts:SigningAlgorithm", &input.signing_algorithm, SetBy::Request);
        Ok(with_tagging(ask, &input.tags, "sts:TagGetWebIdentityToken"))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let record = cx.account()?.record.outbound.clone().filter(|record| record.enabled);
        let record = record.ok_or_else(|| {
            let text = "The outbound web identity federation feature is not enabled for this account. To use this feature, you must first enable it through the AWS Management Console or API.";
            Error::new(DISABLED, text)
        })?;
        tags::merge(&input.tags, &[], &SessionTags::default())?;
        let until = cx.now.as_second() + input.seconds();
        if cx.caller.session.as_ref().is_some_and(|session| until * 1000 > session.expires) {
            let text = "The requested token duration would extend the session beyond its original expiration time. You cannot use this operation to extend the lifetime of a session beyond what was granted when the session was originally created.";
            return Err(Error::new(ESCALATION, text));
        }
        let claims = input.claims(cx, &record, until)?;
        let key = signing_key(cx.plane, &record, input.algorithm()?)?;
        let signed = key.sign(&claims);
        let web_identity_token = signed.map_err(|error| Error::internal(error.to_string()))?;
        Ok(Done::read(Output { web_identity_token, expiration: iso_seconds(until * 1000) }))
    }
}
