//! A small AWS client for the program's own commands: signs, sends, and reads the answer.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use wire::query;
use wire::sigv4::{AccessKeyId, PayloadHash, SecretKey, SecurityToken, Signer, Style};

/// A server to call.
pub struct Client {
    base: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// Credentials to call with.
#[derive(Clone)]
pub struct Credentials {
    /// The key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: SecretKey,
    /// The session token, of temporary credentials.
    pub token: Option<SecurityToken>,
}

/// The query APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// STS.
    Sts,
    /// IAM.
    Iam,
}

impl Api {
    /// The name in a signature's scope.
    pub fn name(self) -> &'static str {
        match self {
            Api::Sts => "sts",
            Api::Iam => "iam",
        }
    }

    /// The `Version` parameter.
    pub fn version(self) -> &'static str {
        match self {
            Api::Sts => "2011-06-15",
            Api::Iam => "2010-05-08",
        }
    }
}

/// An answer.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The id of the request and of the decision.
    pub request_id: String,
    /// The XML.
    pub body: String,
}

/// Why there was no answer.
#[derive(Debug)]
pub struct NoAnswer(String);

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoAnswer {}

impl Client {
    /// A client of the server at `base`, a plain `http` URL without a slash at its end.
    pub fn new(base: &str) -> Self {
        let pool = Pool::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { base: base.to_owned(), pool }
    }

    /// Calls an action; unsigned without credentials.
    ///
    /// # Errors
    /// [`NoAnswer`] when the server cannot be reached or does not speak HTTP.
    pub async fn call(
        &self,
        api: Api,
        action: &str,
        parameters: &[(&str, &str)],
        credentials: Option<&Credentials>,
        now: Timestamp,
    ) -> Result<Reply, NoAnswer> {
        let failed = |error: &dyn std::fmt::Display| NoAnswer(format!("{}: {error}", self.base));
        let named = [("Action", action), ("Version", api.version())];
        let body = query::encode(named.into_iter().chain(parameters.iter().copied()));
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/", self.base))
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(())
            .map_err(|error| failed(&error))?;
        let (mut parts, ()) = request.into_parts();
        if let Some(credentials) = credentials {
            let signer = Signer {
                access_key_id: AccessKeyId::new(&credentials.access_key_id),
                secret: credentials.secret.clone(),
                security_token: credentials.token.clone(),
                region: "us-east-1".to_owned(),
                service: api.name().to_owned(),
                style: Style::Plain,
            };
            let payload = PayloadHash::of(body.as_bytes());
            signer.sign(&mut parts, &payload, now).map_err(|error| failed(&error))?;
        }
        let request = Request::from_parts(parts, Full::from(Bytes::from(body)));
        let answer = self.pool.request(request).await.map_err(|error| failed(&error))?;
        let header = answer.headers().get("x-amzn-requestid").and_then(|id| id.to_str().ok());
        let request_id = header.unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(|error| failed(&error))?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Reply { status, request_id, body })
    }
}

impl Reply {
    /// Whether the call got what it asked for.
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// The text of the first element of that name.
    pub fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
    }

    /// The credentials in the answer.
    pub fn credentials(&self) -> Option<Credentials> {
        Some(Credentials {
            access_key_id: self.element("AccessKeyId")?.to_owned(),
            secret: SecretKey::new(self.element("SecretAccessKey")?),
            token: self.element("SessionToken").map(SecurityToken::new),
        })
    }
}
