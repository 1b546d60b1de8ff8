//! A provider that withdraws a key: what was verified with it no longer counts, once we know.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use claims::Claims;
use claims::jose::{Alg, SigningKey, jwks};
use serde_json::json;
use service::idp::ProviderSettings;
use service::settings::{Provider, Providers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{HOME, Reply, Town, trusts};

/// An identity provider on loopback whose published keys the test changes.
struct Idp {
    /// Host and port.
    name: String,
    published: Arc<Mutex<String>>,
    fetches: Arc<AtomicUsize>,
}

impl Idp {
    async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let discovery = json!({
            "issuer": format!("http://{name}"),
            "jwks_uri": format!("http://{name}/jwks"),
        });
        let idp = Self { name, published: Arc::default(), fetches: Arc::default() };
        idp.publish(keys);
        let (published, fetches) = (Arc::clone(&idp.published), Arc::clone(&idp.fetches));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let body = if head.starts_with(b"GET /jwks ") {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    published.lock().unwrap().clone()
                } else {
                    discovery.to_string()
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        idp
    }

    fn publish(&self, keys: &[&SigningKey]) {
        *self.published.lock().unwrap() = jwks(keys.iter().copied()).to_string();
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// A town in which the role `web` trusts this provider.
    async fn town(&self) -> Town {
        let arn = format!("arn:aws:iam::{HOME}:oidc-provider/{}", self.name);
        let reach = ProviderSettings { allow_http_loopback: true, ..ProviderSettings::default() };
        let settings = Provider { reach, ..Provider::default() };
        let town = Town::with(Providers::new([(arn.clone(), settings)].into())).await;
        let url = format!("http://{}", self.name);
        let input = [("Url", url.as_str()), ("ClientIDList.member.1", "vestibule")];
        town.set_up("CreateOpenIDConnectProvider", &input).await;
        let actions = ["sts:AssumeRoleWithWebIdentity"];
        town.role("web", &trusts(&json!({"Federated": arn}), &actions, None), None).await;
        town
    }

    /// A token that lives for a day.
    fn token(&self, town: &Town, key: &SigningKey) -> String {
        let claims = json!({
            "iss": format!("http://{}", self.name), "aud": "vestibule", "sub": "anna",
            "iat": town.now(), "exp": town.now() + 86_400,
        });
        key.sign(&Claims::new(claims.as_object().unwrap().clone())).unwrap()
    }
}

async fn present(town: &Town, token: &str) -> Reply {
    let role = format!("arn:aws:iam::{HOME}:role/web");
    let input =
        [("RoleArn", role.as_str()), ("RoleSessionName", "s1"), ("WebIdentityToken", token)];
    town.call(None, "sts", "AssumeRoleWithWebIdentity", &input).await
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Alg::Es256, kid).unwrap()
}

#[track_caller]
fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.text("Code")), (400, "InvalidIdentityToken".to_owned()));
    assert!(reply.failed().starts_with("key: "), "{}", reply.failed());
}

#[tokio::test]
async fn a_withdrawn_key_opens_nothing_although_its_token_was_verified() {
    let (old, new) = (key("old"), key("new"));
    let idp = Idp::start(&[&old]).await;
    let town = idp.town().await;
    let verified = idp.token(&town, &old);
    present(&town, &verified).await.ok();
    present(&town, &verified).await.ok();
    assert_eq!(idp.fetches(), 1);

    idp.publish(&[&new]);
    present(&town, &verified).await.ok();
    assert_eq!(idp.fetches(), 1, "nobody knows yet");
    // A token of the new key makes us look.
    let other = idp.token(&town, &new);
    present(&town, &other).await.ok();
    refused(&present(&town, &verified).await);
    present(&town, &other).await.ok();
}

#[tokio::test]
async fn a_key_that_stays_beside_a_new_one_goes_on() {
    let (old, new) = (key("old"), key("new"));
    let idp = Idp::start(&[&old]).await;
    let town = idp.town().await;
    let verified = idp.token(&town, &old);
    present(&town, &verified).await.ok();
    idp.publish(&[&new, &old]);
    present(&town, &idp.token(&town, &new)).await.ok();
    present(&town, &verified).await.ok();
    assert_eq!(idp.fetches(), 2);
}

#[tokio::test]
async fn another_key_under_the_old_ones_id_is_another_key() {
    let (old, imposter) = (key("one"), key("one"));
    let idp = Idp::start(&[&old]).await;
    let town = idp.town().await;
    let verified = idp.token(&town, &old);
    present(&town, &verified).await.ok();
    idp.publish(&[&imposter]);
    town.pass(3600);
    let reply = present(&town, &verified).await;
    assert_eq!((reply.status, reply.text("Code")), (400, "InvalidIdentityToken".to_owned()));
    assert!(reply.failed().starts_with("signature: "), "{}", reply.failed());
}

#[tokio::test]
async fn verified_tokens_do_not_keep_stale_keys_alive() {
    let (old, new) = (key("old"), key("new"));
    let idp = Idp::start(&[&old]).await;
    let town = idp.town().await;
    let verified = idp.token(&town, &old);
    present(&town, &verified).await.ok();
    // Keys are fresh for an hour when the provider does not say.
    town.pass(3600);
    present(&town, &verified).await.ok();
    assert_eq!(idp.fetches(), 2, "they were looked after, for this token alone");
    idp.publish(&[&new]);
    town.pass(3600);
    refused(&present(&town, &verified).await);
}
