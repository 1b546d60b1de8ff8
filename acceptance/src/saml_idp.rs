//! pysaml2 from PyPI, which signs by xmlsec1: a SAML identity provider that we did not write.

use std::cell::RefCell;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::LineChild,
    tools::{self, Tools},
};

/// A running provider with keys of its own.
pub struct SamlIdp {
    metadata: String,
    process: RefCell<LineChild>,
    _folder: TempDir,
}

impl SamlIdp {
    /// Starts it.
    pub fn start() -> SamlIdp {
        let folder = TempDir::new().expect("a folder for the provider's keys");
        let script = tools::home().join("idps/pysaml2/idp.py");
        let python = Tools::find().python();
        let mut process =
            LineChild::start("pysaml2", tools::command(python).arg(script).arg(folder.path()));
        let metadata = loop {
            let line = process.line();
            if let Ok(said) = serde_json::from_str::<Value>(&line)
                && let Some(metadata) = said.get("metadata").and_then(Value::as_str)
            {
                break metadata.to_owned();
            }
        };
        SamlIdp { metadata, process: RefCell::new(process), _folder: folder }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// A response about this subject, in base64; `how` says what is signed, and by which hash.
    pub fn response(&self, subject: &str, attributes: &Value, how: &Value) -> String {
        let prefixed = attributes.as_object().into_iter().flatten().map(|(name, values)| {
            (format!("https://aws.amazon.com/SAML/Attributes/{name}"), values.clone())
        });
        let attributes = Value::Object(prefixed.collect());
        let asked = json!({"subject": subject, "attributes": attributes, "how": how});
        let answer = self.process.borrow_mut().ask(&asked);
        let response = answer.get("response").and_then(Value::as_str);
        response.unwrap_or_else(|| panic!("no response: {answer}")).to_owned()
    }
}
