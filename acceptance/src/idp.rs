//! `oidc-provider` from npm: a certified OpenID provider that we did not write.

use std::{cell::RefCell, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    authority::Authority,
    child::LineChild,
    tools::{self, Tools},
};

/// On some machines it has been seen to hang at its start, for reasons of its own; then another is
/// started.
const STARTS: usize = 3;
/// What a start may take; usually it is half a second.
const START: Duration = Duration::from_secs(40);

/// A running provider. Its clients are `rs256` and `es256` (their tokens are signed so), and
/// `stranger-rs256`, `stranger-es256` beside them.
pub struct OidcProvider {
    issuer: String,
    authority: Authority,
    process: RefCell<LineChild>,
}

impl OidcProvider {
    /// Starts it on a free loopback port, over TLS by an authority of its own.
    pub fn start() -> OidcProvider {
        OidcProvider::start_by(Authority::new())
    }

    /// The same, with a certificate of this authority.
    pub fn start_by(authority: Authority) -> OidcProvider {
        let mut last = String::new();
        for _ in 0..STARTS {
            let mut process = LineChild::start(
                "oidc-provider",
                tools::command(Tools::find().node())
                    .env("NODE_EXTRA_CA_CERTS", authority.root())
                    .arg(tools::home().join("idps/oidc-provider/server.mjs"))
                    .args([authority.chain(), authority.key()]),
            );
            match ready(&mut process) {
                Ok(issuer) => {
                    return OidcProvider { issuer, authority, process: RefCell::new(process) };
                }
                Err(why) => last = why,
            }
        }
        panic!("{last}");
    }

    /// Its issuer, `https://localhost:PORT`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer without its scheme, as provider ARNs and condition keys have it.
    pub fn host(&self) -> &str {
        self.issuer.trim_start_matches("https://")
    }

    /// The loopback port it listens on.
    pub fn port(&self) -> u16 {
        let port = self.issuer.rsplit(':').next().and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("no port in {}", self.issuer))
    }

    /// What its certificate can be checked by.
    pub fn root(&self) -> PathBuf {
        self.authority.root()
    }

    /// The thumbprint that IAM would want for it.
    pub fn thumbprint(&self) -> &str {
        self.authority.thumbprint()
    }

    /// Logs `account` in at `client`, by the authorization-code flow with PKCE through the provider's
    /// own pages, and gives the ID token. The account's tokens carry `claims`.
    pub fn mint(&self, client: &str, account: &str, claims: Value) -> String {
        let order = json!({"mint": {"client": client, "account": account, "claims": claims}});
        let token = self.order(&order);
        token.as_str().unwrap_or_else(|| panic!("a token is a text: {token}")).to_owned()
    }

    /// Makes new signing keys and signs with them from now on. The old ones stay published when they are
    /// `kept`. Gives the ids of all keys then published.
    pub fn rotate(&self, kept: bool) -> Value {
        self.order(&json!({"rotate": {"keep": kept}}))
    }

    /// Ends it: from now on nobody answers at its address.
    pub fn stop(&self) {
        self.process.borrow_mut().kill();
    }

    fn order(&self, order: &Value) -> Value {
        let mut answer = self.process.borrow_mut().ask(order);
        match answer.get_mut("done") {
            Some(done) => done.take(),
            None => panic!("the identity provider refused {order}: {answer}"),
        }
    }
}

/// Waits for the line that names its issuer.
fn ready(process: &mut LineChild) -> Result<String, String> {
    loop {
        let line = process.line_within(START)?;
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(issuer) = said.get("ready").and_then(Value::as_str) {
            return Ok(issuer.to_owned());
        }
    }
}
