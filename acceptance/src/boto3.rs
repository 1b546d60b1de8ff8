//! boto3, unmodified, as the tests' way to call the APIs.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::{Value, json};

use crate::{
    child::LineChild,
    tools::{self, Tools},
    vestibule::Vestibule,
};

/// What a call is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// The secret beside it.
    pub secret_access_key: String,
    /// Of a session only.
    pub session_token: Option<String>,
}

impl Credentials {
    /// The `Credentials` member of an answer of STS, or the `AccessKey` member of one of IAM.
    ///
    /// # Panics
    /// The answer has neither.
    pub fn of(answer: &Value) -> Credentials {
        let held = answer.get("Credentials").or(answer.get("AccessKey"));
        let held = held.unwrap_or_else(|| panic!("no credentials in {answer}"));
        let text = |name: &str| held.get(name).and_then(Value::as_str).map(str::to_owned);
        Credentials {
            access_key_id: text("AccessKeyId").expect("an access key id"),
            secret_access_key: text("SecretAccessKey").expect("a secret access key"),
            session_token: text("SessionToken"),
        }
    }
}

/// What a call was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error's code, as the client read it.
    pub code: String,
    /// The error's text.
    pub message: String,
    /// HTTP's status; 0 where the client does not tell.
    pub status: u64,
    /// The answer's headers, names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Refusal {
    /// Code and text together, to compare in one go.
    pub fn said(&self) -> (&str, &str) {
        (&self.code, &self.message)
    }
}

/// A running Python that makes calls for us.
pub struct Boto3 {
    process: RefCell<LineChild>,
}

impl Boto3 {
    /// Starts it, pointed at this server by `AWS_ENDPOINT_URL`.
    pub fn start(server: &Vestibule) -> Boto3 {
        let script = tools::home().join("clients/boto3/driver.py");
        let process = LineChild::start(
            "boto3",
            tools::command(Tools::find().python())
                .env("AWS_ENDPOINT_URL", server.url())
                .arg(script),
        );
        Boto3 { process: RefCell::new(process) }
    }

    /// Calls signed with these credentials.
    pub fn signed(&self, credentials: &Credentials) -> Session<'_> {
        Session { boto3: self, credentials: Some(credentials.clone()) }
    }

    /// Calls without a signature.
    pub fn anonymous(&self) -> Session<'_> {
        Session { boto3: self, credentials: None }
    }
}

/// One caller.
#[derive(Clone)]
pub struct Session<'a> {
    boto3: &'a Boto3,
    credentials: Option<Credentials>,
}

impl Session<'_> {
    /// Makes one call; operations and parameters are named as boto3 names them.
    ///
    /// # Errors
    /// What it was refused with; a lost connection has status 0 and the exception's name as code.
    pub fn call(
        &self,
        service: &str,
        operation: &str,
        parameters: Value,
    ) -> Result<Value, Refusal> {
        let credentials = self.credentials.as_ref().map(|held| {
            json!({
                "access_key_id": held.access_key_id,
                "secret_access_key": held.secret_access_key,
                "session_token": held.session_token,
            })
        });
        let mut answer = self.boto3.process.borrow_mut().ask(&json!({
            "service": service,
            "operation": operation,
            "parameters": parameters,
            "credentials": credentials,
        }));
        if let Some(result) = answer.get_mut("result") {
            return Ok(result.take());
        }
        let error = answer.get("error").unwrap_or_else(|| panic!("no answer: {answer}"));
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let headers = error.get("headers").and_then(Value::as_object).into_iter().flatten();
        Err(Refusal {
            code: text(error.get("code")),
            message: text(error.get("message")),
            status: error.get("status").and_then(Value::as_u64).unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), text(Some(value))))
                .collect(),
        })
    }

    /// A call that must be answered.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn ok(&self, service: &str, operation: &str, parameters: Value) -> Value {
        match self.call(service, operation, parameters.clone()) {
            Ok(result) => result,
            Err(refusal) => panic!("{service}:{operation} {parameters} was refused: {refusal:?}"),
        }
    }

    /// A call that must be refused.
    ///
    /// # Panics
    /// It is answered.
    #[track_caller]
    pub fn refused(&self, service: &str, operation: &str, parameters: Value) -> Refusal {
        match self.call(service, operation, parameters.clone()) {
            Ok(result) => panic!("{service}:{operation} {parameters} was allowed: {result}"),
            Err(refusal) => refusal,
        }
    }
}
