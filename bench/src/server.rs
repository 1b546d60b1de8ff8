//! Servers under measurement: ours, set up as a team would have it, and the bare one.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use http::{HeaderValue, Request, header};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use wire::sigv4::{AccessKeyId, PayloadHash, SecretKey, SecurityToken, Signer, Style};

use crate::{Outcome, machine, token};

/// The account that the server starts with.
const ACCOUNT: &str = "111122223333";

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

/// What signs a request.
#[derive(Clone)]
pub struct Key {
    id: String,
    secret: String,
    token: Option<String>,
}

impl Server {
    /// The bare one, on the server's core.
    pub fn bare() -> Outcome<Server> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = machine::on_server_core(own);
        Ok(Server::boot(command.arg("--bare"), "bare ready ")?.0)
    }

    /// Ours, on the server's core with one worker thread, on the data in `folder`. The key is there on
    /// the first start only.
    pub fn vestibule(folder: &Path) -> Outcome<(Server, Option<Key>)> {
        let program = std::env::var_os("VESTIBULE_BIN").ok_or("VESTIBULE_BIN names no binary")?;
        let mut command = machine::on_server_core(Path::new(&program));
        command.current_dir(folder).args([
            "up",
            "--port",
            "0",
            "--data",
            "data",
            "--config",
            "vestibule.toml",
        ]);
        Server::boot(&mut command, "vestibule ready ")
    }

    fn boot(command: &mut Command, ready: &str) -> Outcome<(Server, Option<Key>)> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?);
        let (mut id, mut secret) = (None, None);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err(format!("{command:?} ended before it was ready"));
            }
            let value = |name: &str| {
                let (_, value) = line.split_once(name)?;
                value.split_whitespace().next().map(str::to_owned)
            };
            id = value("AWS_ACCESS_KEY_ID=").or(id);
            secret = value("AWS_SECRET_ACCESS_KEY=").or(secret);
            if let Some(url) = line.trim().strip_prefix(ready) {
                let address = url.trim_start_matches("http://").trim_end_matches('/');
                let address = address.parse().map_err(|_| format!("no address: {url}"))?;
                // Whatever it still prints has somewhere to go.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                let key = id.zip(secret).map(|(id, secret)| Key { id, secret, token: None });
                return Ok((Server { address, process }, key));
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends one request on a connection of its own and gives the answer's body.
    ///
    /// # Errors
    /// Any status but 200.
    pub fn ask(&self, request: &[u8]) -> Outcome<String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.address);
        let mut stream = TcpStream::connect(self.address).map_err(told)?;
        stream.write_all(request).map_err(told)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = stream.read(&mut chunk).map_err(told)?;
            answer.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                if read == 0 {
                    return Err(format!("no answer but {text:?}"));
                }
                continue;
            };
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())
                .unwrap_or_default();
            if body.len() >= length || read == 0 {
                return match head.split(' ').nth(1) {
                    Some("200") => Ok(body.to_owned()),
                    _ => Err(text.into_owned()),
                };
            }
        }
    }
}

impl Server {
    fn iam(&self, admin: &Key, action: &str, fields: &[(&str, &str)]) -> Outcome {
        let mut form = vec![("Action", action), ("Version", "2010-05-08")];
        form.extend(fields);
        self.ask(&admin.sign(self.address, "iam", &form)?).map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The role that tokens open.
pub fn role_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/developer")
}

/// The role that sessions go on to.
pub fn next_role_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/next")
}

/// The SAML provider whose assertions open it.
pub fn saml_provider_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:saml-provider/Corp")
}

/// Writes the server's settings; the OIDC provider's keys come from a file, so that nothing is
/// fetched. `issuing` is what is done before issued credentials leave; none for the default.
pub fn settings(folder: &Path, key_set: &serde_json::Value, issuing: Option<&str>) -> Outcome {
    let provider = provider_arn();
    let issuing =
        issuing.map_or(String::new(), |level| format!("[log_book]\nissuing = \"{level}\"\n"));
    let text = format!(
        "accounts = [\"{ACCOUNT}\"]\n\
         [listen]\nthreads = 1\n\
         {issuing}\
         [provider.\"{provider}\"]\nstatic_jwks = \"jwks.json\"\n"
    );
    fs::write(folder.join("vestibule.toml"), text)
        .and_then(|()| fs::write(folder.join("jwks.json"), key_set.to_string()))
        .map_err(|error| format!("{}: {error}", folder.display()))
}

fn provider_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", issuer_host())
}

fn issuer_host() -> &'static str {
    token::ISSUER.trim_start_matches("https://")
}

/// Provider, roles and policies: trust by audience and by the token's tags, a session policy's worth of
/// ABAC behind it.
pub fn set_up(server: &Server, admin: &Key) -> Outcome {
    let provider = [("Url", token::ISSUER), ("ClientIDList.member.1", token::CLIENT)];
    server.iam(admin, "CreateOpenIDConnectProvider", &provider)?;
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn()},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        "Condition": {
            "StringEquals": {format!("{}:aud", issuer_host()): token::CLIENT},
            "StringLike": {
                format!("{}:sub", issuer_host()): "system:serviceaccount:heart:*",
                "aws:RequestTag/access-project": ["heart", "sun", "lightning"],
            },
        },
    });
    set_up_role(server, admin, &trust)?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": role_arn()},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }]});
    let role = [("RoleName", "next"), ("AssumeRolePolicyDocument", &trust.to_string())];
    server.iam(admin, "CreateRole", &role)
}

/// The same for a SAML provider with this metadata and this key to encrypt to.
pub fn set_up_saml(server: &Server, admin: &Key, metadata: &str, private_key: &str) -> Outcome {
    let provider = [
        ("Name", "Corp"),
        ("SAMLMetadataDocument", metadata),
        ("AssertionEncryptionMode", "Allowed"),
        ("AddPrivateKey", private_key),
    ];
    server.iam(admin, "CreateSAMLProvider", &provider)?;
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"Federated": saml_provider_arn()},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": {
            "StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"},
            "StringLike": {
                "saml:sub": "worker-*@heart.example",
                "aws:RequestTag/access-project": ["heart", "sun", "lightning"],
            },
        },
    });
    set_up_role(server, admin, &trust)
}

/// The role that the door opens, behind this statement of trust.
fn set_up_role(server: &Server, admin: &Key, trust: &serde_json::Value) -> Outcome {
    let trust = json!({"Version": "2012-10-17", "Statement": [trust]});
    let role = [("RoleName", "developer"), ("AssumeRolePolicyDocument", &trust.to_string())];
    server.iam(admin, "CreateRole", &role)?;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Action": ["iam:GetRole", "iam:TagRole"], "Resource": "*",
            "Condition": {"StringEquals": {
                "aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}"
            }},
        },
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": next_role_arn()},
    ]});
    let policy = policy.to_string();
    let policy =
        [("RoleName", "developer"), ("PolicyName", "own-project"), ("PolicyDocument", &policy)];
    server.iam(admin, "PutRolePolicy", &policy)
}

/// The exchange of a token, unsigned.
pub fn exchange(server: SocketAddr, token: &str) -> Vec<u8> {
    unsigned(
        server,
        &[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &role_arn()),
            ("RoleSessionName", "worker"),
            ("WebIdentityToken", token),
        ],
    )
}

/// The exchange of a SAML response in base64, unsigned.
pub fn saml_exchange(server: SocketAddr, response: &str) -> Vec<u8> {
    unsigned(
        server,
        &[
            ("Action", "AssumeRoleWithSAML"),
            ("Version", "2011-06-15"),
            ("RoleArn", &role_arn()),
            ("PrincipalArn", &saml_provider_arn()),
            ("SAMLAssertion", response),
        ],
    )
}

fn unsigned(server: SocketAddr, fields: &[(&str, &str)]) -> Vec<u8> {
    let form = form(fields);
    format!(
        "POST / HTTP/1.1\r\nhost: {server}\r\nuser-agent: bench\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

impl Key {
    /// The credentials in an answer of STS.
    pub fn of(answer: &str) -> Outcome<Key> {
        let element = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>"))?;
            rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
        };
        Ok(Key {
            id: element("AccessKeyId").ok_or("no key id in the answer")?,
            secret: element("SecretAccessKey").ok_or("no secret in the answer")?,
            token: element("SessionToken"),
        })
    }

    /// A signed request of the query protocol, as bytes.
    pub fn sign(
        &self,
        server: SocketAddr,
        service: &str,
        fields: &[(&str, &str)],
    ) -> Outcome<Vec<u8>> {
        let body = form(fields);
        let request = Request::post("/")
            .header(header::HOST, server.to_string())
            .header(header::USER_AGENT, "bench")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(())
            .map_err(|error| error.to_string())?;
        let (mut parts, ()) = request.into_parts();
        let signer = Signer {
            access_key_id: AccessKeyId::new(&self.id),
            secret: SecretKey::new(self.secret.clone()),
            security_token: self.token.clone().map(SecurityToken::new),
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
            style: Style::Plain,
        };
        signer
            .sign(&mut parts, &PayloadHash::of(body.as_bytes()), Timestamp::now())
            .map_err(|error| error.to_string())?;
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &parts.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_bytes());
        Ok(bytes)
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}
