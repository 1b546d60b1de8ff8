//! A whole plane within the test's process: memory for a store, a folder of its own for the log
//! book, a clock that the test turns, and calls that are really signed and really decoded.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claims::Claims;
use claims::jose::{Alg, SigningKey, jwks};
use http::{Method, Request};
use jiff::Timestamp;
use policy::AccountId;
use serde_json::{Value, json};
use service::audit::query::Scope;
use service::audit::{BookOptions, Event, LogBook, Mark, Reader};
use service::dispatch::HttpCall;
use service::idp::network::NetworkPolicy;
use service::idp::{self, fetch::Fetcher};
use service::plane::{Parts, Plane};
use service::settings::{Provider, Providers, Settings};
use store::Store;
use store::memory::MemoryStore;
use store::seal::Keyring;
use store::segment::WriterId;
use wire::sigv4::{AccessKeyId, PayloadHash, SecretKey, SecurityToken, Signer, Style};

/// The account of most tests.
pub const HOME: &str = "111122223333";
/// Another account of the same installation.
pub const AWAY: &str = "444455556666";
/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

/// An installation, and the world's clock.
pub struct Town {
    pub plane: Arc<Plane>,
    /// The administrator of [`HOME`].
    pub admin: Keys,
    pub store: Arc<MemoryStore>,
    clock: Arc<AtomicI64>,
    log: tempfile::TempDir,
}

/// Credentials of somebody.
#[derive(Clone)]
pub struct Keys {
    pub id: String,
    secret: String,
    token: Option<String>,
}

/// What a call was answered.
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub request_id: String,
    pub encoded_message: Option<String>,
    reader: Reader,
}

impl Town {
    /// With [`HOME`] and its administrator.
    pub async fn new() -> Self {
        Self::with(Providers::default()).await
    }

    /// The same, with settings for OIDC providers.
    pub async fn with(providers: Providers) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let mut town = Self::open(providers, Arc::new(MemoryStore::new()), clock).await;
        let admin = town.plane.bootstrap(None).await.unwrap().unwrap();
        town.admin = Keys::long_term(admin.access_key.as_str(), &admin.secret);
        town
    }

    /// Another process on the same store: it learns of commits only when it looks.
    pub async fn beside(&self) -> Self {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let town = Self::open(self.plane.settings.providers.clone(), store, clock).await;
        Self { admin: self.admin.clone(), ..town }
    }

    /// The same installation after its process has ended and begun again.
    pub async fn restarted(self) -> Self {
        self.plane.finish().await;
        let Self { plane, admin, store, clock, log } = self;
        let providers = plane.settings.providers.clone();
        drop(plane);
        let town = Self::open_with(providers, store, clock, log).await;
        Self { admin, ..town }
    }

    async fn open(providers: Providers, store: Arc<MemoryStore>, clock: Arc<AtomicI64>) -> Self {
        let log = tempfile::tempdir().unwrap();
        Self::open_with(providers, store, clock, log).await
    }

    async fn open_with(
        providers: Providers,
        store: Arc<MemoryStore>,
        clock: Arc<AtomicI64>,
        log: tempfile::TempDir,
    ) -> Self {
        let options = BookOptions {
            reserve_bytes: 0,
            segment_bytes: 1 << 20,
            ..BookOptions::new(log.path(), WriterId::new("test").unwrap())
        };
        let (book, _) = LogBook::open(options).unwrap();
        let (ticks, fetcher_ticks) = (Arc::clone(&clock), Arc::clone(&clock));
        let fetcher = Fetcher::new(
            NetworkPolicy::default(),
            Arc::new(move || u64::try_from(fetcher_ticks.load(Ordering::SeqCst)).unwrap()),
        );
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let plane = Plane::open(Parts {
            settings: Settings {
                region: "us-east-1".to_owned(),
                public_url: "https://vestibule.test".to_owned(),
                regions: None,
                account: AccountId::parse(HOME).unwrap(),
                providers,
                issuing: service::audit::Durability::Written,
            },
            keyring: Keyring::from_value(&"5a".repeat(32)).unwrap(),
            store: shared,
            book: Arc::new(book),
            idp: idp::jwks::Keys::new(fetcher, 64),
            clock: Arc::new(move || {
                Timestamp::from_millisecond(ticks.load(Ordering::SeqCst)).unwrap()
            }),
        })
        .await
        .unwrap();
        let admin = Keys::long_term("", "");
        Self { plane: Arc::new(plane), admin, store, clock, log }
    }

    /// Another account, and its administrator.
    pub async fn account(&self, id: &str) -> Keys {
        let id = AccountId::parse(id).unwrap();
        let admin = self.plane.create_account(id, "other", None).await.unwrap();
        Keys::long_term(admin.access_key.as_str(), &admin.secret)
    }

    /// Turns the clock.
    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Seconds since the epoch.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst) / 1000
    }

    /// Calls IAM.
    pub async fn iam(&self, keys: &Keys, action: &str, input: &[(&str, &str)]) -> Reply {
        self.call(Some(keys), "iam", action, input).await
    }

    /// Calls STS.
    pub async fn sts(&self, keys: &Keys, action: &str, input: &[(&str, &str)]) -> Reply {
        self.call(Some(keys), "sts", action, input).await
    }

    /// Calls IAM as the administrator, who must succeed.
    pub async fn set_up(&self, action: &str, input: &[(&str, &str)]) -> Reply {
        self.iam(&self.admin, action, input).await.ok()
    }

    /// Any call of the query protocol; unsigned without keys.
    pub async fn call(
        &self,
        keys: Option<&Keys>,
        service: &str,
        action: &str,
        input: &[(&str, &str)],
    ) -> Reply {
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", action), ("Version", version)])
            .extend_pairs(input)
            .finish();
        self.form(keys, service, form).await
    }

    /// The same, from a body.
    pub async fn form(&self, keys: Option<&Keys>, service: &str, body: String) -> Reply {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", format!("{service}.vestibule.test"))
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        self.send(keys, service, request.body(body).unwrap()).await
    }

    /// Any call of the JSON protocol.
    pub async fn json(&self, keys: Option<&Keys>, target: &str, input: &Value) -> Reply {
        self.json_body(keys, target, input.to_string()).await
    }

    /// The same, from a body.
    pub async fn json_body(&self, keys: Option<&Keys>, target: &str, body: String) -> Reply {
        let service = if target.contains("Organizations") { "organizations" } else { "cloudtrail" };
        let request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", format!("{service}.vestibule.test"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        self.send(keys, service, request.body(body).unwrap()).await
    }

    /// Calls Organizations as the administrator, who must succeed; what it answers.
    pub async fn organizations(&self, action: &str, input: &Value) -> Value {
        let reply = self.organizations_as(&self.admin, action, input).await.ok();
        serde_json::from_str(&reply.body).unwrap()
    }

    /// Calls Organizations.
    pub async fn organizations_as(&self, keys: &Keys, action: &str, input: &Value) -> Reply {
        self.json(Some(keys), &format!("AWSOrganizationsV20161128.{action}"), input).await
    }

    async fn send(&self, keys: Option<&Keys>, service: &str, request: Request<String>) -> Reply {
        let (mut parts, body) = request.into_parts();
        let body = Bytes::from(body);
        if let Some(keys) = keys {
            let signer = Signer {
                access_key_id: AccessKeyId::new(&keys.id),
                secret: SecretKey::new(keys.secret.as_str()),
                security_token: keys.token.as_deref().map(SecurityToken::new),
                region: "us-east-1".to_owned(),
                service: service.to_owned(),
                style: Style::Plain,
            };
            signer.sign(&mut parts, &PayloadHash::of(&body), self.plane.now()).unwrap();
        }
        let source_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let call = HttpCall { parts, body, source_ip, secure: true, tls: None };
        let answer = self.plane.handle(call).await;
        Reply {
            status: answer.status,
            body: String::from_utf8(answer.body).unwrap(),
            encoded_message: answer.encoded_message,
            reader: self.plane.book.reader(),
            request_id: answer.request_id,
        }
    }

    /// The administrator of a member account, as the managing account's administrator becomes it.
    pub async fn enter(&self, account: &str) -> Keys {
        let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
        let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
        self.sts(&self.admin, "AssumeRole", &input).await.ok().keys()
    }

    /// A user of [`HOME`] with one inline policy, and its long-term key.
    pub async fn user(&self, name: &str, policy: Option<&Value>) -> Keys {
        self.user_of(&self.admin, name, policy).await
    }

    /// A user of the administrator's account.
    pub async fn user_of(&self, admin: &Keys, name: &str, policy: Option<&Value>) -> Keys {
        self.iam(admin, "CreateUser", &[("UserName", name)]).await.ok();
        if let Some(policy) = policy {
            let text = policy.to_string();
            let input = [("UserName", name), ("PolicyName", "own"), ("PolicyDocument", &text)];
            self.iam(admin, "PutUserPolicy", &input).await.ok();
        }
        self.key_of(admin, name).await
    }

    /// A new long-term key of a user.
    pub async fn key_of(&self, admin: &Keys, name: &str) -> Keys {
        let made = self.iam(admin, "CreateAccessKey", &[("UserName", name)]).await.ok();
        Keys::long_term(&made.text("AccessKeyId"), &made.text("SecretAccessKey"))
    }

    /// A role of [`HOME`]; its ARN.
    pub async fn role(&self, name: &str, trust: &Value, policy: Option<&Value>) -> String {
        self.role_of(&self.admin, name, trust, policy).await
    }

    /// A role of the administrator's account; its ARN.
    pub async fn role_of(
        &self,
        admin: &Keys,
        name: &str,
        trust: &Value,
        policy: Option<&Value>,
    ) -> String {
        let text = trust.to_string();
        let input = [("RoleName", name), ("AssumeRolePolicyDocument", text.as_str())];
        let made = self.iam(admin, "CreateRole", &input).await.ok();
        if let Some(policy) = policy {
            let text = policy.to_string();
            let input = [("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", &text)];
            self.iam(admin, "PutRolePolicy", &input).await.ok();
        }
        made.text("Arn")
    }
}

impl Keys {
    pub fn long_term(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned(), token: None }
    }

    /// The same with another session token.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl Reply {
    /// It must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    /// It must have been refused, with this code and text.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str, message: &str) -> Self {
        let got = (self.status, self.text("Code"), self.text("Message"));
        assert_eq!(got, (status, code.to_owned(), message.to_owned()), "{}", self.body);
        self
    }

    /// It must have been denied by policy, with this text.
    #[track_caller]
    pub fn denied(self, message: &str) -> Self {
        self.refused(403, "AccessDenied", message)
    }

    /// The credentials in it.
    pub fn keys(&self) -> Keys {
        let keys = Keys::long_term(&self.text("AccessKeyId"), &self.text("SecretAccessKey"));
        keys.with_token(Some(&self.text("SessionToken")))
    }

    /// The text of the first element of that name; empty if there is none.
    pub fn text(&self, element: &str) -> String {
        self.all(element).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements of that name.
    pub fn all(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let after = self.body.split(&open).skip(1);
        let texts = after.filter_map(|rest| rest.split(&close).next());
        texts.map(unescaped).collect()
    }

    /// The policy document in the first element of that name.
    pub fn document(&self, element: &str) -> Value {
        let text = self.text(element);
        let text = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What the log book has of it; another account's copy comes after the caller's own.
    #[track_caller]
    pub fn event(&self) -> Event {
        self.events().remove(0)
    }

    /// All entries that the log book has of it.
    pub fn events(&self) -> Vec<Event> {
        self.reader.by_request(Scope::Operator, &self.request_id).unwrap()
    }

    /// What the log book says decided in the end: verdict, layer, action.
    #[track_caller]
    pub fn why(&self) -> String {
        Self::why_of(&self.event())
    }
    /// The same as the log book of one account has it.
    pub fn why_in(&self, account: &str) -> String {
        Self::why_of(&self.event_in(account))
    }
    pub fn event_in(&self, account: &str) -> Event {
        let own = |event: &Event| event.recipient_account_id.as_deref() == Some(account);
        self.events().into_iter().find(own).unwrap_or_else(|| panic!("{account} has no event"))
    }
    fn why_of(event: &Event) -> String {
        let event = serde_json::to_value(event).unwrap();
        let decisions = event["vestibule"]["decisions"].as_array().cloned().unwrap_or_default();
        let last = decisions.last().unwrap_or_else(|| panic!("no decision in {event:#}"));
        let text = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("verdict"), text("layer"), text("action"))
    }

    /// The check that failed, as the log book has it: its name, and what was there.
    #[track_caller]
    pub fn failed(&self) -> String {
        let event = self.event();
        let mut checks = event.vestibule.checks.iter();
        let failed = checks.find(|check| check.verdict == Mark::Fail);
        let failed = failed.unwrap_or_else(|| panic!("nothing failed: {:#?}", event.vestibule));
        format!("{}: {}", failed.name, failed.had.as_deref().unwrap_or_default())
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A policy of one statement that allows.
pub fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    let statement =
        json!({"Effect": "Allow", "Action": action.into(), "Resource": resource.into()});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// A trust policy of one statement that allows.
pub fn trusts(principal: &Value, actions: &[&str], condition: Option<Value>) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": actions});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// An OpenID Connect issuer with a key of its own.
pub struct Issuer {
    /// Without scheme.
    pub name: &'static str,
    key: SigningKey,
}

impl Issuer {
    pub fn new(name: &'static str) -> Self {
        Self { name, key: SigningKey::generate(Alg::Es256, "key-1").unwrap() }
    }

    /// Settings that give the plane this issuer's keys.
    pub fn settings(&self) -> Provider {
        let text = jwks([&self.key]).to_string();
        let reach = idp::ProviderSettings { static_jwks: Some(text.into()), ..Default::default() };
        Provider { reach, ..Default::default() }
    }

    /// The ARN of its registration.
    pub fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:oidc-provider/{}", self.name)
    }

    /// The claims that every token needs, and those that are given.
    pub fn claims(&self, now: i64, more: &Value) -> Value {
        let mut claims = json!({
            "iss": format!("https://{}", self.name), "aud": "vestibule", "sub": "anna",
            "iat": now, "exp": now + 300, "jti": "t-1",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    /// A signed token; a claim that is given as null is left out.
    pub fn token(&self, now: i64, more: &Value) -> String {
        let claims = self.claims(now, more);
        self.key.sign(&Claims::new(claims.as_object().unwrap().clone())).unwrap()
    }

    /// Registers it.
    pub async fn register(&self, town: &Town, admin: &Keys) {
        let url = format!("https://{}", self.name);
        let input = [("Url", url.as_str()), ("ClientIDList.member.1", "vestibule")];
        town.iam(admin, "CreateOpenIDConnectProvider", &input).await.ok();
    }
}

/// A virtual MFA device, as an authenticator app has it.
pub struct Device {
    pub serial: String,
    key: hmac::Key,
}

impl Device {
    /// A new one in [`HOME`].
    pub async fn new(town: &Town, name: &str) -> Self {
        let made = town.set_up("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]).await;
        let base32 = STANDARD.decode(made.text("Base32StringSeed")).unwrap();
        let seed = data_encoding::BASE32.decode(&base32).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
        Self { serial: made.text("SerialNumber"), key }
    }

    /// The code that it shows so many steps from now (RFC 6238).
    pub fn code(&self, town: &Town, ahead: i64) -> String {
        let tag = hmac::sign(&self.key, &(town.now() / 30 + ahead).to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let word = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap());
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    /// Enables it for a user, by its codes of this step and of the next.
    pub async fn enable(&self, town: &Town, user: &str) {
        let input = [
            ("UserName", user),
            ("SerialNumber", self.serial.as_str()),
            ("AuthenticationCode1", &self.code(town, 0)),
            ("AuthenticationCode2", &self.code(town, 1)),
        ];
        town.set_up("EnableMFADevice", &input).await;
    }
}
