//! Calls in the name of an account's administrator, by whoever holds the master key.
//!
//! The owner of the data folder may do everything anyway; going through the front of the service
//! (signed, authorized, recorded) keeps one way in, and leaves a receipt of what was done.

use std::net::{IpAddr, Ipv4Addr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use policy::AccountId;
use serde_json::Value;
use service::{
    dispatch::HttpCall,
    plane::{ACCESS_KEY, Plane},
};
use wire::sigv4::{AccessKeyId, PayloadHash, SecretKey, Signer, Style};

use crate::client::Api;

/// The user that every account begins with.
const ADMIN: &str = "admin";

/// An administrator's key in use.
pub struct Operator<'p> {
    plane: &'p Plane,
    key: AccessKeyId,
    secret: SecretKey,
}

/// A call that was not done.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// AWS's error code; `Operator` when there was no call at all.
    pub code: String,
    /// What AWS says.
    pub message: String,
}

impl<'p> Operator<'p> {
    /// The administrator of `account`.
    ///
    /// # Errors
    /// There is no such account, or its user `admin` has no active access key any more.
    pub fn of(plane: &'p Plane, account: AccountId) -> Result<Operator<'p>, Refused> {
        let world = plane.world();
        if world.account(&account).is_none() {
            return Err(Refused::before(format!("there is no account {account}")));
        }
        let key = world.keys_of(&account, Some(ADMIN)).into_iter().find(|key| key.active);
        let key = key.ok_or_else(|| {
            Refused::before(format!("user {ADMIN} of account {account} has no active access key"))
        })?;
        let lost = || Refused::before("the administrator's key does not open".to_owned());
        let envelope = STANDARD.decode(&key.sealed_secret).map_err(|_| lost())?;
        let id = key.id.as_str();
        let secret = plane.keyring.open(ACCESS_KEY, id.as_bytes(), &envelope);
        let secret = secret.map_err(|_| lost())?;
        let secret = std::str::from_utf8(&secret).map_err(|_| lost())?;
        Ok(Operator { plane, key: AccessKeyId::new(id), secret: SecretKey::new(secret) })
    }

    /// Calls an action of the query protocol; the answer's XML.
    ///
    /// # Errors
    /// What AWS would say.
    pub async fn call(&self, service: Api, action: &str, input: &Value) -> Result<String, Refused> {
        let body = form(service, action, input);
        let mut parts = http::Request::post("/")
            .header(http::header::HOST, "operator.vestibule")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::USER_AGENT, concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .body(())
            .map_err(|error| Refused::before(error.to_string()))?
            .into_parts()
            .0;
        let signer = Signer {
            access_key_id: self.key.clone(),
            secret: self.secret.clone(),
            security_token: None,
            region: self.plane.settings.region.clone(),
            service: service.name().to_owned(),
            style: Style::Plain,
        };
        let payload = PayloadHash::of(body.as_bytes());
        signer
            .sign(&mut parts, &payload, self.plane.now())
            .map_err(|error| Refused::before(error.to_string()))?;
        call(self.plane, parts, body).await
    }
}

/// Calls an action without any signature, as a bearer of a token does.
///
/// # Errors
/// What AWS would say.
pub async fn unsigned(
    plane: &Plane,
    service: Api,
    action: &str,
    input: &Value,
) -> Result<String, Refused> {
    let body = form(service, action, input);
    let parts = http::Request::post("/")
        .header(http::header::HOST, "operator.vestibule")
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(())
        .map_err(|error| Refused::before(error.to_string()))?
        .into_parts()
        .0;
    call(plane, parts, body).await
}

async fn call(plane: &Plane, parts: http::request::Parts, body: String) -> Result<String, Refused> {
    let source_ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let body = Bytes::from(body);
    let call = HttpCall { parts, body, source_ip, secure: true, tls: None };
    let answer = plane.handle(call).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 {
        return Ok(text);
    }
    let code = element(&text, "Code").unwrap_or_else(|| answer.status.to_string());
    Err(Refused { code, message: element(&text, "Message").unwrap_or_default() })
}

impl Refused {
    fn before(message: String) -> Refused {
        Refused { code: "Operator".to_owned(), message }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refused {}

/// The query protocol's form: `Tags.member.1.Key=…`.
fn form(service: Api, action: &str, input: &Value) -> String {
    let mut pairs = vec![
        ("Action".to_owned(), action.to_owned()),
        ("Version".to_owned(), service.version().to_owned()),
    ];
    flatten(&mut pairs, "", input);
    wire::query::encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn flatten(pairs: &mut Vec<(String, String)>, at: &str, value: &Value) {
    let below = |name: &str| match at {
        "" => name.to_owned(),
        at => format!("{at}.{name}"),
    };
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((at.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => pairs.push((at.to_owned(), value.to_string())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(pairs, &below(&format!("member.{}", index + 1)), item);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                flatten(pairs, &below(name), item);
            }
        }
    }
}

/// The text of the first element of this name in an answer of our own.
pub fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    Some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_becomes_the_query_protocols_form() {
        let input = json!({
            "UserName": "a b",
            "Tags": [{ "Key": "k", "Value": "v" }, { "Key": "l", "Value": "" }],
            "MaxSessionDuration": 3600,
            "Path": null,
        });
        assert_eq!(
            form(Api::Iam, "CreateUser", &input),
            "Action=CreateUser&Version=2010-05-08&MaxSessionDuration=3600\
             &Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l&Tags.member.2.Value=\
             &UserName=a%20b"
        );
    }

    #[test]
    fn an_element_is_read_and_unescaped() {
        let xml = "<Error><Code>X</Code><Message>a &lt;b&gt; &amp;amp;</Message></Error>";
        assert_eq!(element(xml, "Message").unwrap(), "a <b> &amp;");
        assert_eq!(element(xml, "Type"), None);
    }
}
