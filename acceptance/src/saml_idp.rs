//! SAML identity providers that we did not write: pysaml2 from PyPI, which signs by xmlsec1 (C), and
//! samlp from npm, which signs by xml-crypto (JavaScript).

use std::{cell::RefCell, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::LineChild,
    tools::{self, Tools},
};

/// A running provider with keys of its own.
pub struct SamlIdp {
    metadata: String,
    private_key: String,
    process: RefCell<LineChild>,
    _folder: TempDir,
}

impl SamlIdp {
    /// Starts pysaml2.
    pub fn pysaml2() -> SamlIdp {
        SamlIdp::start("pysaml2", Tools::find().python(), "idps/pysaml2/idp.py")
    }

    /// Starts samlp.
    pub fn samlp() -> SamlIdp {
        SamlIdp::start("samlp", Tools::find().node(), "idps/samlp/idp.mjs")
    }

    fn start(name: &'static str, program: PathBuf, script: &str) -> SamlIdp {
        let folder = TempDir::new().expect("a folder for the provider's keys");
        let script = tools::home().join(script);
        let mut process =
            LineChild::start(name, tools::command(program).arg(script).arg(folder.path()));
        loop {
            let Ok(said) = serde_json::from_str::<Value>(&process.line()) else { continue };
            let text = |name| said.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(metadata), Some(private_key)) = (text("metadata"), text("private_key")) {
                let process = RefCell::new(process);
                return SamlIdp { metadata, private_key, process, _folder: folder };
            }
        }
    }

    /// The private key that it encrypts assertions to: the service's.
    pub fn private_key(&self) -> &str {
        &self.private_key
    }

    /// Its metadata.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// A response about this subject, in base64; `how` says what is signed and encrypted, and by which hash.
    ///
    /// # Panics
    /// The provider cannot make it.
    pub fn response(&self, subject: &str, attributes: &Value, how: &Value) -> String {
        let made = self.try_response(subject, attributes, how);
        made.unwrap_or_else(|error| panic!("no response by {how}: {error}"))
    }

    /// The same, or why the provider itself will not make it.
    ///
    /// # Errors
    /// The provider's own words.
    pub fn try_response(
        &self,
        subject: &str,
        attributes: &Value,
        how: &Value,
    ) -> Result<String, String> {
        let prefixed = attributes.as_object().into_iter().flatten().map(|(name, values)| {
            (format!("https://aws.amazon.com/SAML/Attributes/{name}"), values.clone())
        });
        let attributes = Value::Object(prefixed.collect());
        let asked = json!({"subject": subject, "attributes": attributes, "how": how});
        let answer = self.process.borrow_mut().ask(&asked);
        let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        text("response").ok_or_else(|| text("error").unwrap_or_else(|| answer.to_string()))
    }
}
