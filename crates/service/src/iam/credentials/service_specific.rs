//! Passwords and API keys for single AWS services. The secret is told once, when it is made or made
//! again; kept is its hash. Source: IAM API Reference, CreateServiceSpecificCredential.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::SetBy;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{One, Several, ask_one, holder, place, room, status};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::iam::bearer::{User, ask, put};
use crate::iam::entity::INVALID_INPUT;
use crate::iam::page::{Listing, Wanted, page};
use crate::iam::user::Whom;
use crate::ids::{self, Prefix, UniqueId};
use crate::record::{Millis, ServiceCredential, UserCredential, UserRecord};
use crate::time::iso_seconds;

/// The service takes no such credentials.
const NOT_SUPPORTED: Code = Code::new("NotSupportedService", 404);

/// Credentials of one user for one service. Source: CreateServiceSpecificCredential.
const MAX_CREDENTIALS: usize = 2;

/// Services that take a name and a password.
const BY_PASSWORD: [&str; 2] = ["cassandra.amazonaws.com", "codecommit.amazonaws.com"];
/// Services that take an API key, and what one begins with.
const BY_KEY: [(&str, &str); 2] =
    [("bedrock.amazonaws.com", "ABSK"), ("logs.amazonaws.com", "ACWL")];

const SERVICE_NAME: &str = "iam:ServiceSpecificCredentialServiceName";

const DAY: Millis = 86_400_000;

/// What an API key of the service begins with; none for those with passwords.
///
/// # Errors
/// `NotSupportedService`
fn key_prefix(service: &str) -> Result<Option<&'static str>> {
    if BY_PASSWORD.contains(&service) {
        return Ok(None);
    }
    let found = BY_KEY.iter().find(|(name, _)| *name == service);
    found.map(|(_, prefix)| Some(*prefix)).ok_or_else(|| {
        let text = format!("The service {service} does not support service-specific credentials.");
        Error::new(NOT_SUPPORTED, text)
    })
}

/// These credentials, to what all kinds share.
pub struct ServiceSpecific;

impl Several for ServiceSpecific {
    const NOUN: &'static str = "Service Specific Credential";
    const UPDATE: &'static str = "UpdateServiceSpecificCredential";
    const DELETE: &'static str = "DeleteServiceSpecificCredential";
    type Of = ServiceCredential;

    fn of(user: &UserRecord) -> &[UserCredential<ServiceCredential>] {
        &user.service_credentials
    }
    fn of_mut(user: &mut UserRecord) -> &mut Vec<UserCredential<ServiceCredential>> {
        &mut user.service_credentials
    }
    fn keyed(ask: Ask, of: &ServiceCredential) -> Ask {
        ask.key(SERVICE_NAME, &of.service, SetBy::Resource)
    }
}

/// A credential as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    user_name: String,
    service_name: String,
    service_specific_credential_id: String,
    status: &'static str,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_credential_alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shown_once")]
    service_password: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shown_once")]
    service_credential_secret: Option<Zeroizing<String>>,
}

fn shown_once<S: Serializer>(
    secret: &Option<Zeroizing<String>>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(secret.as_ref().map_or("", |secret| secret))
}

fn view(user: &UserRecord, credential: &UserCredential<ServiceCredential>) -> View {
    let of = &credential.of;
    let alias = Some(of.alias.clone());
    let (service_user_name, service_credential_alias) =
        if BY_PASSWORD.contains(&of.service.as_str()) { (alias, None) } else { (None, alias) };
    View {
        user_name: user.name.clone(),
        service_name: of.service.clone(),
        service_specific_credential_id: credential.id.clone(),
        status: status(credential.active),
        create_date: iso_seconds(credential.created),
        expiration_date: of.expires.map(iso_seconds),
        service_user_name,
        service_credential_alias,
        service_password: None,
        service_credential_secret: None,
    }
}

/// Gives a credential another secret, and tells it.
fn with_secret(
    user: &UserRecord,
    credential: &mut UserCredential<ServiceCredential>,
) -> Result<OneCredential> {
    let random = Zeroizing::new(STANDARD.encode(ids::random::<32>()));
    let prefix = key_prefix(&credential.of.service)?;
    let secret = match prefix {
        None => random,
        Some(prefix) => {
            let inner = Zeroizing::new(format!("{}:{}", credential.of.alias, *random));
            Zeroizing::new(format!("{prefix}{}", STANDARD.encode(inner.as_bytes())))
        }
    };
    credential.of.hash = STANDARD.encode(digest(&SHA256, secret.as_bytes()));
    let mut told = view(user, credential);
    match prefix {
        None => told.service_password = Some(secret),
        Some(_) => told.service_credential_secret = Some(secret),
    }
    Ok(OneCredential { credential: told })
}

/// One credential.
#[derive(Serialize)]
pub struct OneCredential {
    #[serde(rename = "ServiceSpecificCredential")]
    credential: View,
}

/// `CreateServiceSpecificCredential`
pub struct CreateServiceSpecificCredential;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    user_name: String,
    service_name: String,
    credential_age_days: Option<i64>,
}

impl Action for CreateServiceSpecificCredential {
    const NAME: &'static str = "CreateServiceSpecificCredential";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneCredential;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let mut ask = ask::<User>(cx, Self::NAME, &input.user_name)?;
        ask = ask.key(SERVICE_NAME, &input.service_name, SetBy::Request);
        if let Some(days) = input.credential_age_days {
            let age = "iam:ServiceSpecificCredentialAgeDays";
            ask = ask.key(age, &days.to_string(), SetBy::Request);
        }
        Ok(vec![ask])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneCredential>> {
        let mut user = holder(cx, Some(&input.user_name))?;
        let by_key = key_prefix(&input.service_name)?.is_some();
        if input.credential_age_days.is_some() && !by_key {
            let text =
                format!("CredentialAgeDays is not supported for service {}.", input.service_name);
            return Err(Error::new(INVALID_INPUT, text));
        }
        let others = user.service_credentials.iter();
        let others: Vec<_> = others.filter(|it| it.of.service == input.service_name).collect();
        room("ServiceSpecificCredentialsPerUser", others.len(), MAX_CREDENTIALS)?;
        let created = cx.now.as_millisecond();
        // The second one of a service needs another name.
        let plain = format!("{}-at-{}", user.name, user.account);
        let numbered = format!("{}+1-at-{}", user.name, user.account);
        let taken = others.iter().any(|it| it.of.alias == plain);
        let mut credential = UserCredential {
            id: UniqueId::fresh(Prefix::ServiceCredential).to_string(),
            active: true,
            created,
            of: ServiceCredential {
                service: input.service_name,
                alias: if taken { numbered } else { plain },
                hash: String::new(),
                expires: input.credential_age_days.map(|days| created + days * DAY),
            },
        };
        let output = with_secret(&user, &mut credential)?;
        user.service_credentials.push(credential);
        Ok(Done::write(output, put::<User>(user)))
    }
}

/// `ResetServiceSpecificCredential`: another secret in place of the last.
pub struct ResetServiceSpecificCredential;

impl Action for ResetServiceSpecificCredential {
    const NAME: &'static str = "ResetServiceSpecificCredential";
    const EFFECT: Effect = Effect::Write;
    type Input = One;
    type Output = OneCredential;

    fn asks(cx: &Cx<'_>, input: &One) -> Result<Vec<Ask>> {
        Ok(vec![ask_one::<ServiceSpecific>(cx, Self::NAME, input)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: One,
        _permit: Permit<Self>,
    ) -> Result<Done<OneCredential>> {
        let mut user = holder(cx, input.user.as_deref())?;
        let place = place::<ServiceSpecific>(&user, &input.id)?;
        let mut credential = user.service_credentials.remove(place);
        let output = with_secret(&user, &mut credential)?;
        user.service_credentials.insert(place, credential);
        Ok(Done::write(output, put::<User>(user)))
    }
}

/// `ListServiceSpecificCredentials`: of one user, or of all for one service.
pub struct ListServiceSpecificCredentials;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInput {
    user_name: Option<String>,
    service_name: Option<String>,
    #[serde(default)]
    all_users: bool,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListServiceSpecificCredentials {
    const NAME: &'static str = "ListServiceSpecificCredentials";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        if !input.all_users {
            return Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?]);
        }
        if input.user_name.is_some() {
            let text = "UserName cannot be specified together with AllUsers.";
            return Err(Error::new(code::VALIDATION_ERROR, text));
        }
        let account = cx.caller.account()?;
        let all = format!("arn:aws:iam::{account}:user/");
        Ok(vec![Ask::identity(cx, "iam:ListServiceSpecificCredentials", &all, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        if let Some(service) = &input.service_name {
            key_prefix(service)?;
        }
        let users: Vec<UserRecord> = match (input.all_users, input.user_name.as_deref()) {
            (true, _) => cx.account()?.users.iter().map(|user| user.record.clone()).collect(),
            (false, name) => match Whom::of(cx, name)? {
                // An account's root has none, and may ask.
                Whom::Root => Vec::new(),
                Whom::User(name) => vec![holder(cx, Some(&name))?],
            },
        };
        let all =
            users.iter().flat_map(|user| user.service_credentials.iter().map(move |it| (user, it)));
        let wanted = |it: &UserCredential<ServiceCredential>| {
            input.service_name.as_ref().is_none_or(|service| it.of.service == *service)
        };
        let mut found: Vec<_> = all.filter(|(_, it)| wanted(it)).collect();
        found.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let page = page(cx.operation.name, found, |(_, it)| it.id.clone(), &input.wanted)?;
        let page = page.map(|(user, it)| view(user, it));
        Ok(Done::read(page.listed("ServiceSpecificCredentials")))
    }
}
