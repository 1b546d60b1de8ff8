//! Behaviour as data: the format of `corpus/policy/`, and how a case is run.
//!
//! The same files run in this crate's tests, by `vestibule test` beside files of anyone's own, and
//! seed the fuzzers. A file holds any of three lists: `cases` (a question, policies by layer, the expected answer and
//! reason), `conditions` (one `Condition` block against one context: does it hold?), `documents` (a text:
//! accepted, or refused with which message?). Unknown members are refused, so that a misspelt
//! expectation cannot pass unnoticed. `docs/guides/policy-tests.md` describes the members.

mod check;
mod principal;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::check::{Load, no_files};
pub use self::principal::{HOME, principal};
use crate::arn::AccountId;
use crate::ask::Ask;
use crate::choices::Choices;
use crate::decision::{Grant, Layer, Verdict};
use crate::document::Kind;
use crate::record::{Element, How, Record};

/// One file of the corpus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The rule that every case pins which names none itself (`A6`).
    #[serde(default)]
    pub rule: String,
    /// For the reader.
    #[serde(default)]
    pub about: String,
    /// Questions.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// Conditions.
    #[serde(default)]
    pub conditions: Vec<ConditionCase>,
    /// Documents.
    #[serde(default)]
    pub documents: Vec<DocumentCase>,
}

/// A question with its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// The rule it pins, if not the file's.
    #[serde(default)]
    pub rule: String,
    /// In short form, see [`principal`].
    pub principal: String,
    /// `service:Action`
    pub action: String,
    /// An ARN or `*`.
    pub resource: String,
    /// The resource's owner, if another account than the caller's.
    #[serde(default)]
    pub resource_account: Option<AccountId>,
    /// The resource's policy must allow.
    #[serde(default)]
    pub requires_resource_policy: bool,
    /// Condition keys.
    #[serde(default)]
    pub context: BTreeMap<String, Values>,
    /// Switches turned for this case.
    #[serde(default)]
    pub choices: Choices,
    /// The policies.
    #[serde(default)]
    pub policies: Policies,
    /// The answer.
    pub expect: Expect,
}

/// One value, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// A single-valued key.
    One(String),
    /// A multivalued key.
    Many(Vec<String>),
}

/// Documents by layer. A layer that is absent does not apply; `[]` applies and grants nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    scp: Option<Vec<Vec<Box<RawValue>>>>,
    rcp: Option<Vec<Vec<Box<RawValue>>>>,
    endpoint: Option<Vec<Box<RawValue>>>,
    resource: Option<Vec<Box<RawValue>>>,
    trust: Option<Vec<Box<RawValue>>>,
    identity: Vec<Box<RawValue>>,
    boundary: Option<Vec<Box<RawValue>>>,
    session: Option<Vec<Box<RawValue>>>,
}

/// The expected answer and reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Yes, or which no.
    pub verdict: Verdict,
    /// The layer that decided.
    #[serde(default)]
    pub layer: Option<Layer>,
    /// Of an SCP or RCP.
    #[serde(default)]
    pub level: Option<u8>,
    /// How closely the resource's policy named the caller.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// `Sid`s of the determining statements.
    #[serde(default)]
    pub determining: Option<Vec<String>>,
    /// Why a statement did or did not apply.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// What is expected of one statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Its `Sid`; the first statement of the first policy when absent.
    #[serde(default)]
    pub sid: Option<String>,
    /// The first element that failed; absent when the statement applied.
    #[serde(default)]
    pub failed: Option<Element>,
    /// The key of the first condition that did not hold.
    #[serde(default)]
    pub key: Option<String>,
    /// What decided that condition.
    #[serde(default)]
    pub how: Option<How>,
    /// A key whose absence could have changed the answer.
    #[serde(default)]
    pub missing: Option<String>,
}

/// A `Condition` block against a context. Run as an Allow and as a Deny.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionCase {
    /// Unique in its file.
    pub name: String,
    /// The rule it pins, if not the file's.
    #[serde(default)]
    pub rule: String,
    /// The block.
    #[serde(rename = "if")]
    pub block: Box<RawValue>,
    /// Condition keys.
    #[serde(default)]
    pub context: BTreeMap<String, Values>,
    /// Whether it holds.
    pub holds: bool,
    /// Whether it holds in a Deny statement, if that differs.
    #[serde(default)]
    pub holds_in_deny: Option<bool>,
    /// What decided the first condition.
    #[serde(default)]
    pub how: Option<How>,
    /// Judged as loosely as STS judges session policies.
    #[serde(default)]
    pub loose: bool,
    /// `2008-10-17`, if not the newer.
    #[serde(default)]
    pub version: Option<String>,
    /// Switches turned for this case.
    #[serde(default)]
    pub choices: Choices,
}

/// A document: accepted or refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentCase {
    /// Unique in its file.
    pub name: String,
    /// The rule it pins, if not the file's.
    #[serde(default)]
    pub rule: String,
    /// What it is attached as.
    pub kind: Kind,
    /// Judged as loosely as STS judges session policies.
    #[serde(default)]
    pub loose: bool,
    /// The document, when it is JSON.
    #[serde(default)]
    pub document: Option<Box<RawValue>>,
    /// The document as text, when it is not.
    #[serde(default)]
    pub text: Option<String>,
    /// AWS's message; absent when the document is accepted.
    #[serde(default)]
    pub refused: Option<String>,
    /// The code of the first diagnostic.
    #[serde(default)]
    pub diagnostic: Option<String>,
    /// The text that the first diagnostic marks.
    #[serde(default)]
    pub marks: Option<String>,
    /// Also apply the checks of shared issuers.
    #[serde(default)]
    pub shared_issuers: bool,
}

/// How a case came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case.
    pub name: String,
    /// The rule it pins.
    pub rule: String,
    /// What differed; none when it passed.
    pub fault: Option<Fault>,
}

/// What differed from what a case expects.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What was looked at, such as `verdict`; a whole sentence where nothing could be compared.
    pub what: String,
    /// What the case expects, and what was there instead; each as the case file writes it.
    pub compared: Option<(String, String)>,
    /// The question and its whole evaluation, of a case that came that far.
    pub told: Option<Box<(Ask, Record<'static>)>>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.compared {
            Some((wanted, had)) => write!(f, "{}: expected {wanted}, was {had}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Runs every case of a file that names no others.
///
/// # Errors
/// When the file is not of this format.
pub fn run(text: &str) -> Result<Vec<Outcome>, serde_json::Error> {
    run_with(text, &no_files)
}

/// Runs every case of a file; `load` gives the documents that it names by a text, in place of
/// writing them out.
///
/// # Errors
/// When the file is not of this format.
pub fn run_with(text: &str, load: Load<'_>) -> Result<Vec<Outcome>, serde_json::Error> {
    let file: CaseFile = serde_json::from_str(text)?;
    let outcome = |name: &str, rule: &str, result: Result<(), Fault>| Outcome {
        name: name.to_owned(),
        rule: if rule.is_empty() { file.rule.clone() } else { rule.to_owned() },
        fault: result.err(),
    };
    let cases = file.cases.iter().map(|case| outcome(&case.name, &case.rule, case.run(load)));
    let conditions = file.conditions.iter().map(|case| outcome(&case.name, &case.rule, case.run()));
    let documents =
        file.documents.iter().map(|case| outcome(&case.name, &case.rule, case.run(load)));
    Ok(cases.chain(conditions).chain(documents).collect())
}
