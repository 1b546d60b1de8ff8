//! The clients that AWS's users have, in the mode that EKS puts them in: a token in a file, a role, and
//! where STS is.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{
    boto3::{Credentials, Refusal},
    tools::{self, Tools},
    vestibule::Vestibule,
};

/// One way to be a client of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// boto3, by its default chain.
    Boto3,
    /// The AWS CLI, version 1, by its default chain.
    AwsCliV1,
    /// The AWS CLI, version 2. Debian's reads no endpoint from the environment, so it is given
    /// `--endpoint-url`, and makes the exchange as a call of its own.
    AwsCliV2,
    /// The AWS SDK for JavaScript, by Node's default chain.
    JavaScript,
    /// The AWS SDK for Rust, by its default chain.
    Rust,
}

/// What the client finds in its environment.
pub struct WebIdentity<'a> {
    /// The token, which is put into a file.
    pub token: &'a str,
    /// `AWS_ROLE_ARN`.
    pub role_arn: &'a str,
    /// `AWS_ROLE_SESSION_NAME`.
    pub session: &'a str,
}

/// What GetCallerIdentity said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id.
    pub user_id: String,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 5] =
        [Client::Boto3, Client::AwsCliV1, Client::AwsCliV2, Client::JavaScript, Client::Rust];

    /// Lets the client exchange the token and ask who it then is.
    ///
    /// # Errors
    /// The refusal that the client told its user, as far as it told it.
    pub fn who_am_i(self, server: &Vestibule, found: &WebIdentity) -> Result<Identity, Refusal> {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(found.token.as_bytes()).expect("the token in it");
        let tools = Tools::find();
        let mut command = match self {
            Client::Boto3 => tools::command(tools.python()),
            Client::AwsCliV1 => tools::command(tools.aws_v1()),
            Client::AwsCliV2 => return cli_v2(server, found, file.path()),
            Client::JavaScript => tools::command(tools.node()),
            Client::Rust => tools::command(tools.rust_sdk()),
        };
        match self {
            Client::Boto3 => {
                command.arg(tools::home().join("clients/boto3/whoami.py"));
            }
            Client::JavaScript => {
                command.arg(tools::home().join("clients/js/whoami.mjs"));
            }
            Client::AwsCliV1 => {
                command.args(["sts", "get-caller-identity", "--output", "json"]);
            }
            Client::AwsCliV2 | Client::Rust => {}
        }
        command
            .env("AWS_ENDPOINT_URL_STS", server.url())
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", file.path())
            .env("AWS_ROLE_ARN", found.role_arn)
            .env("AWS_ROLE_SESSION_NAME", found.session);
        identity(&run(&mut command)?)
    }
}

fn cli_v2(server: &Vestibule, found: &WebIdentity, token: &Path) -> Result<Identity, Refusal> {
    let aws = || {
        let mut aws = tools::command(Tools::find().aws_v2());
        aws.args(["--endpoint-url", server.url(), "--output", "json", "sts"]);
        aws
    };
    let answer = run(aws()
        .args(["assume-role-with-web-identity", "--role-arn", found.role_arn])
        .args(["--role-session-name", found.session])
        .args(["--web-identity-token", &format!("file://{}", token.display())]))?;
    let credentials = Credentials::of(&answer);
    identity(&run(aws()
        .arg("get-caller-identity")
        .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
        .env("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default()))?)
}

/// Runs a client that prints JSON, or the AWS CLI's sentence for a refusal.
fn run(command: &mut Command) -> Result<Value, Refusal> {
    let Output { status, stdout, stderr } = command.output().expect("the client runs");
    let (said, complaint) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if let Ok(answer) = serde_json::from_str::<Value>(&said) {
        return Ok(answer);
    }
    // An error occurred (CODE) when calling the OPERATION operation: MESSAGE
    let refusal = complaint.split_once("An error occurred (").and_then(|(_, rest)| {
        let (code, rest) = rest.split_once(')')?;
        let (_, message) = rest.split_once(" operation: ")?;
        Some(refusal(code, message.trim_end()))
    });
    Err(refusal.unwrap_or_else(|| panic!("{command:?}: {status}\n{said}\n{complaint}")))
}

fn identity(answer: &Value) -> Result<Identity, Refusal> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    if let (Some(code), Some(message)) = (text("Code"), text("Message")) {
        return Err(refusal(&code, &message));
    }
    Ok(Identity {
        account: text("Account").unwrap_or_else(|| panic!("no account in {answer}")),
        arn: text("Arn").unwrap_or_else(|| panic!("no ARN in {answer}")),
        user_id: text("UserId").unwrap_or_else(|| panic!("no user id in {answer}")),
    })
}

fn refusal(code: &str, message: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        message: message.to_owned(),
        status: 0,
        headers: BTreeMap::new(),
    }
}
