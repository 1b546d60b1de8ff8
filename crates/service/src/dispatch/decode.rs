//! From bytes to a known action with its input, or a refusal in the client's own protocol.

use std::borrow::Cow;

use serde_json::Value;
use wire::error_body::Dialect;
use wire::json11;
use wire::query::{Form, FormError};
use wire::query_xml::AWS_FAULT;
use wire::shape::{Model, Operation, Refusal};

use super::HttpCall;
use crate::action::Entry;
use crate::audit::{Draft, TlsDetails};
use crate::cx::Origin;
use crate::error::{Code, Error, Result, code};
use crate::registry::{self, Api};
use crate::settings::Settings;

const SERIALIZATION: Code = Code::new("SerializationException", 400);
const TOO_LARGE: Code = Code::new("RequestEntityTooLarge", 413);
const UNKNOWN_OPERATION: Code = Code::new("UnknownOperationException", 400);
const VALIDATION_EXCEPTION: Code = Code::new("ValidationException", 400);

/// A known action.
#[derive(Clone, Copy)]
pub struct Called {
    /// Whose action.
    pub api: &'static Api,
    /// The action.
    pub entry: &'static Entry,
    /// Its model.
    pub operation: &'static Operation,
}

/// A call of a known action.
pub struct Decoded<'a> {
    /// Which.
    pub called: Called,
    payload: Payload<'a>,
}

enum Payload<'a> {
    Form(Form<'a>),
    Json(Value),
}

/// What is no call of a known action.
pub struct Undecoded {
    /// What the client is told.
    pub error: Error,
    /// In which protocol.
    pub dialect: Dialect<'static>,
    /// For the log book: which service was meant.
    pub source: Cow<'static, str>,
    /// For the log book: which action was meant.
    pub name: String,
}

impl Called {
    /// How errors of this call are written.
    pub fn dialect(self) -> Dialect<'static> {
        match self.operation.namespace {
            "" => Dialect::Json11,
            namespace => Dialect::Query { namespace },
        }
    }
}

impl Decoded<'_> {
    /// The input, of the model's types and within its constraints.
    ///
    /// # Errors
    /// All violations at once, as AWS gives them.
    pub fn input(&self) -> Result<Value> {
        match &self.payload {
            Payload::Form(form) => {
                self.called.operation.decode(form).map_err(|refusal| match refusal {
                    Refusal::Malformed { .. } => {
                        Error::silent(code::MALFORMED_INPUT).because(refusal.to_string())
                    }
                    Refusal::Invalid(_) => Error::new(code::VALIDATION_ERROR, refusal.to_string()),
                })
            }
            Payload::Json(body) => {
                self.called.operation.decode_json(body).map_err(|refusal| match refusal {
                    Refusal::Malformed { .. } => {
                        Error::silent(SERIALIZATION).because(refusal.to_string())
                    }
                    Refusal::Invalid(_) => Error::new(VALIDATION_EXCEPTION, refusal.to_string()),
                })
            }
        }
    }
}

/// The protocol that a call's head announces.
pub fn spoken(call: &HttpCall) -> Dialect<'static> {
    match call.parts.headers.contains_key(json11::TARGET) {
        true => Dialect::Json11,
        false => Dialect::Query { namespace: AWS_FAULT },
    }
}

/// Finds out what is called.
pub fn decode(call: &HttpCall) -> std::result::Result<Decoded<'_>, Box<Undecoded>> {
    match spoken(call) {
        Dialect::Json11 => json(call),
        Dialect::Query { .. } => query(call),
    }
}

fn query(call: &HttpCall) -> std::result::Result<Decoded<'_>, Box<Undecoded>> {
    let undecoded = |error, name: &str| {
        let dialect = Dialect::Query { namespace: AWS_FAULT };
        Box::new(Undecoded { error, dialect, source: "vestibule".into(), name: name.to_owned() })
    };
    let form = Form::read(&call.parts, &call.body).map_err(|error| {
        let code = match error {
            FormError::TooLarge => TOO_LARGE,
            _ => code::MALFORMED_INPUT,
        };
        undecoded(Error::silent(code).because(error.to_string()), "Unknown")
    })?;
    let Some(action) = form.action().map(shortened) else {
        let text = "Missing Action";
        return Err(undecoded(Error::new(code::MISSING_ACTION, text), "Unknown"));
    };
    let version = form.version().map_or_else(|| "NO_VERSION_SPECIFIED".to_owned(), shortened);
    let found = QUERY_MODELS.iter().map(|model| model()).find(|model| model.version == version);
    let known = found.and_then(|model| known(model, &action));
    let Some(called) = known else {
        let text = format!("Could not find operation {action} for version {version}");
        return Err(undecoded(Error::new(code::INVALID_ACTION, text), &action));
    };
    Ok(Decoded { called, payload: Payload::Form(form) })
}

fn json(call: &HttpCall) -> std::result::Result<Decoded<'_>, Box<Undecoded>> {
    let undecoded = |error, name: &str| {
        let dialect = Dialect::Json11;
        Box::new(Undecoded { error, dialect, source: "vestibule".into(), name: name.to_owned() })
    };
    let target = json11::target(&call.parts);
    let name = target.map_or("Unknown", |target| target.operation);
    let known = target.and_then(|target| {
        // SDKs send the short prefix, older ones the long: the last segment decides.
        let last = |prefix: &'_ str| prefix.rsplit('.').next().map(str::to_owned);
        let mut models = JSON_MODELS.iter().map(|model| model());
        let model = models.find(|model| last(model.target) == last(target.prefix))?;
        known(model, target.operation)
    });
    let Some(called) = known else {
        return Err(undecoded(Error::silent(UNKNOWN_OPERATION), name));
    };
    let body = json11::read(&call.body).map_err(|error| {
        undecoded(Error::silent(SERIALIZATION).because(error.to_string()), name)
    })?;
    Ok(Decoded { called, payload: Payload::Json(body) })
}

/// No name is longer; what a stranger sends is not echoed at any length.
fn shortened(name: &str) -> String {
    name.chars().take(128).collect()
}

/// Services that speak the query protocol, found by their `Version`.
const QUERY_MODELS: &[fn() -> &'static Model] = &[wire::shape::sts, wire::shape::iam];

/// Services that speak JSON, found by the prefix of their targets.
const JSON_MODELS: &[fn() -> &'static Model] =
    &[wire::shape::cloudtrail, wire::shape::organizations];

fn known(model: &'static Model, action: &str) -> Option<Called> {
    let api = registry::api(model.service)?;
    Some(Called { api, entry: api.action(action)?, operation: model.operation(action)? })
}

/// Where the call comes from.
pub fn origin(call: &HttpCall, settings: &Settings) -> Origin {
    let header = |name| call.parts.headers.get(name).and_then(|value| value.to_str().ok());
    let host = wire::sigv4::host(&call.parts).unwrap_or_default();
    Origin {
        ip: call.source_ip,
        secure: call.secure,
        user_agent: header(http::header::USER_AGENT).map(str::to_owned),
        referer: header(http::header::REFERER).map(str::to_owned),
        region: settings.region.clone(),
        host: host.to_owned(),
        tls: call.tls.clone(),
    }
}

/// Tells the receipt where the call comes from.
pub fn describe(origin: &Origin, draft: &mut Draft) {
    let tls = origin.tls.as_ref().map(|(version, suite)| TlsDetails {
        tls_version: version.clone().into(),
        cipher_suite: suite.clone().into(),
        client_provided_host_header: origin.host.clone(),
    });
    draft.from(&origin.ip.to_string(), origin.user_agent.as_deref().unwrap_or_default(), tls);
    draft.region(origin.region.clone());
}
