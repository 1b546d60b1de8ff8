//! Behaviour as data: the format of `corpus/policy/`, and how a case is run.
//!
//! The same files run in this crate's tests and seed the fuzzers. A file
//! holds any of three lists: `cases` (a question, policies by layer, the expected answer and
//! reason), `conditions` (one `Condition` block against one context: does it hold?), `documents` (a text:
//! accepted, or refused with which message?). Unknown members are refused, so that a misspelt
//! expectation cannot pass unnoticed. `docs/policy-corpus.md` describes the members.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arn::{AccountId, Arn};
use crate::ask::{Ask, Sources};
use crate::choices::Choices;
use crate::compile::{Compiled, Named};
use crate::context::{Context, SetBy};
use crate::decide::decide;
use crate::decision::{Decision, Grant, Layer, PolicyId, PolicyKind, Verdict};
use crate::document::{Document, Kind, Strictness};
use crate::principal::{Principal, UniqueId};
use crate::record::{Element, FullRecord, How, NoRecord, Record, StatementRecord};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The case.
    pub name: String,
    /// The rule it pins.
    pub rule: String,
    /// What differed; none when it passed.
    pub fault: Option<String>,
}

/// Runs every case of a file.
///
/// # Errors
/// When the file is not of this format.
pub fn run(text: &str) -> Result<Vec<Outcome>, serde_json::Error> {
    let file: CaseFile = serde_json::from_str(text)?;
    let outcome = |name: &str, rule: &str, result: Result<(), String>| Outcome {
        name: name.to_owned(),
        rule: if rule.is_empty() { file.rule.clone() } else { rule.to_owned() },
        fault: result.err(),
    };
    let cases = file.cases.iter().map(|case| outcome(&case.name, &case.rule, case.run()));
    let conditions = file.conditions.iter().map(|case| outcome(&case.name, &case.rule, case.run()));
    let documents = file.documents.iter().map(|case| outcome(&case.name, &case.rule, case.run()));
    Ok(cases.chain(conditions).chain(documents).collect())
}

/// The account of principals that name none.
pub const HOME: &str = "111122223333";

/// Reads a principal's short form: `anonymous`, `root`, `user/path/Name`, `role/path/Name:session`,
/// `federated/Session:UserName`, `oidc:provider`, `saml:provider`, `service:name`; each but the
/// last may end in `@account`. The unique id of user `Ann` is `AIDAANN` padded with `X` to twenty
/// letters, of a role likewise with `AROA`.
///
/// # Errors
/// The text, when it is none of these.
pub fn principal(text: &str) -> Result<Principal, String> {
    let (name, account) = text.rsplit_once('@').unwrap_or((text, HOME));
    let account = AccountId::parse(account).map_err(|fault| format!("{text}: {fault}"))?;
    let iam = |resource: &str| Arn::build("aws", "iam", "", account.as_str(), resource);
    let sts = |resource: &str| Arn::build("aws", "sts", "", account.as_str(), resource);
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let id = |prefix: &str, name: &str| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let text: String = prefix.chars().chain(letters).collect();
        UniqueId::new(&format!("{:X<20}", text.to_ascii_uppercase()))
    };
    let sound = match name.split_once([':', '/']) {
        None if name == "anonymous" => Principal::Anonymous,
        None if name == "root" => Principal::Root { account },
        Some(("user", path)) => Principal::User {
            arn: iam(&format!("user/{path}")),
            id: id("AIDA", &last(path)),
            account,
        },
        Some(("role", rest)) => {
            let (path, session) = rest.rsplit_once(':').ok_or(text)?;
            Principal::RoleSession {
                role_arn: iam(&format!("role/{path}")),
                role_id: id("AROA", &last(path)),
                session_arn: sts(&format!("assumed-role/{}/{session}", last(path))),
                account,
            }
        }
        Some(("federated", rest)) => {
            let (session, user) = rest.split_once(':').ok_or(text)?;
            Principal::FederatedUser {
                arn: sts(&format!("federated-user/{session}")),
                user_arn: iam(&format!("user/{user}")),
                user_id: id("AIDA", &last(user)),
                account,
            }
        }
        Some(("oidc", provider)) => Principal::WebIdentity { provider: provider.into(), account },
        Some(("saml", provider)) => Principal::Saml {
            provider: Arn::parse(provider).map_err(|fault| format!("{text}: {fault}"))?,
            account,
        },
        Some(("service", name)) => Principal::Service { name: name.into() },
        _ => return Err(format!("not a principal: {text}")),
    };
    Ok(sound)
}

fn context(values: &BTreeMap<String, Values>) -> Context {
    let mut context = Context::with_capacity(values.len());
    for (key, values) in values {
        match values {
            Values::One(value) => context.set(key, value, SetBy::Simulation),
            Values::Many(values) => context.set_many(key, values, SetBy::Simulation),
        };
    }
    context
}

fn compile(texts: &[Box<RawValue>], kind: Kind, loose: bool) -> Result<Arc<Compiled>, String> {
    let strictness = if loose { Strictness::Session } else { Strictness::Stored };
    let named = texts.iter().enumerate().map(|(n, text)| {
        let document = Document::parse(text.get(), kind, strictness).map_err(|rejection| {
            format!("{kind:?} {n}: {rejection} {:?}", rejection.diagnostics)
        })?;
        let attached = match kind {
            Kind::Identity => PolicyKind::Inline,
            Kind::Boundary => PolicyKind::Boundary,
            Kind::Session => PolicyKind::SessionInline,
            Kind::Trust => PolicyKind::Trust,
            Kind::Resource => PolicyKind::Resource,
            Kind::Scp => PolicyKind::Scp,
            Kind::Rcp => PolicyKind::Rcp,
        };
        Ok(Named::new(PolicyId::new(n.to_string(), attached), Arc::new(document)))
    });
    Ok(Arc::new(Compiled::new(named.collect::<Result<Vec<_>, String>>()?)))
}

/// Everything [`Sources`] borrows.
struct Layers {
    scps: Option<Vec<Arc<Compiled>>>,
    rcps: Option<Vec<Arc<Compiled>>>,
    endpoint: Option<Arc<Compiled>>,
    resource: Option<Arc<Compiled>>,
    identity: Vec<Arc<Compiled>>,
    boundary: Option<Arc<Compiled>>,
    session: Option<Vec<Arc<Compiled>>>,
}

impl Policies {
    fn compile(&self) -> Result<Layers, String> {
        let one = |texts: &Option<Vec<Box<RawValue>>>, kind| {
            texts.as_deref().map(|texts| compile(texts, kind, false)).transpose()
        };
        let levels = |levels: &Option<Vec<Vec<Box<RawValue>>>>, kind| {
            let all = levels.as_ref().map(|levels| {
                levels.iter().map(|texts| compile(texts, kind, false)).collect::<Result<_, _>>()
            });
            all.transpose()
        };
        Ok(Layers {
            scps: levels(&self.scp, Kind::Scp)?,
            rcps: levels(&self.rcp, Kind::Rcp)?,
            endpoint: one(&self.endpoint, Kind::Resource)?,
            resource: match one(&self.trust, Kind::Trust)? {
                Some(trust) => Some(trust),
                None => one(&self.resource, Kind::Resource)?,
            },
            identity: vec![compile(&self.identity, Kind::Identity, false)?],
            boundary: one(&self.boundary, Kind::Boundary)?,
            session: match &self.session {
                Some(texts) => Some(vec![compile(texts, Kind::Session, true)?]),
                None => None,
            },
        })
    }
}

impl Layers {
    fn sources(&self) -> Sources<'_> {
        Sources {
            scps: self.scps.as_deref(),
            rcps: self.rcps.as_deref(),
            endpoint: self.endpoint.as_deref(),
            resource: self.resource.as_deref(),
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
        }
    }
}

/// Decides twice, recorded and not, and insists on one answer.
fn explain(ask: &Ask, sources: &Sources<'_>) -> Result<(Decision, Record), String> {
    let mut full = FullRecord::new();
    let decision = decide(ask, sources, &mut full);
    let record = full.into_record(ask, sources).ok_or("nothing was recorded")?;
    let quiet = decide(ask, sources, &mut NoRecord);
    let agreed = quiet == decision && record.decision == decision;
    if agreed { Ok((decision, record)) } else { Err("recorded and quiet differ".to_owned()) }
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, had: &T) -> Result<(), String> {
    if wanted == had { Ok(()) } else { Err(format!("{what}: expected {wanted:?}, was {had:?}")) }
}

impl Case {
    /// Runs the case.
    ///
    /// # Errors
    /// What differed from the expectation.
    pub fn run(&self) -> Result<(), String> {
        let mut ask = Ask::new(principal(&self.principal)?, &self.action, &self.resource)
            .with_context(context(&self.context));
        ask.resource_account = self.resource_account;
        ask.requires_resource_policy = self.requires_resource_policy;
        ask.choices = self.choices;
        let layers = self.policies.compile()?;
        let (decision, record) = explain(&ask, &layers.sources())?;
        let expect = &self.expect;
        differ("verdict", &expect.verdict, &decision.verdict)?;
        if expect.layer.is_some() || expect.verdict != Verdict::Allow {
            differ("layer", &expect.layer, &decision.layer)?;
        }
        if expect.level.is_some() {
            differ("level", &expect.level, &decision.level)?;
        }
        if let Some(grant) = &expect.grant {
            differ("grant", grant, &decision.grant)?;
        }
        if let Some(wanted) = &expect.determining {
            let sids = decision.determining.iter().map(|id| id.sid.clone().unwrap_or_default());
            differ("determining", wanted, &sids.collect())?;
        }
        expect.reason.as_ref().map_or(Ok(()), |reason| reason.check(&record))
    }
}

impl Reason {
    fn check(&self, record: &Record) -> Result<(), String> {
        let policies = record.layers.iter().flat_map(|layer| &layer.policies);
        let mut statements = policies.flat_map(|policy| &policy.statements);
        let statement: &StatementRecord = match &self.sid {
            Some(sid) => statements.find(|s| s.sid.as_ref() == Some(sid)),
            None => statements.next(),
        }
        .ok_or("there is no such statement")?;
        differ("failed", &self.failed.as_ref(), &statement.failed.first())?;
        let condition = statement.conditions.iter().find(|condition| !condition.holds);
        if self.key.is_some() {
            differ("key", &self.key, &condition.map(|c| c.key.clone()))?;
        }
        if self.how.is_some() {
            differ("how", &self.how, &condition.map(|c| c.how))?;
        }
        if let Some(missing) = &self.missing {
            let mut keys = record.missing.iter().map(|missing| &missing.key);
            if !keys.any(|key| key.eq_ignore_ascii_case(missing)) {
                return Err(format!("missing: expected {missing}, was {:?}", record.missing));
            }
        }
        Ok(())
    }
}

impl ConditionCase {
    /// Runs the case.
    ///
    /// # Errors
    /// What differed from the expectation.
    pub fn run(&self) -> Result<(), String> {
        let mut ask = Ask::new(principal("user/ann")?, "s3:GetObject", "arn:aws:s3:::b/k")
            .with_context(context(&self.context));
        ask.choices = self.choices;
        let (allowed, record) = explain(&ask, &self.layers("Allow", "")?.sources())?;
        differ("holds", &self.holds, &allowed.is_allow())?;
        if self.how.is_some() {
            let statements = record.layers.iter().flat_map(|layer| &layer.policies);
            let conditions = statements.flat_map(|p| &p.statements).flat_map(|s| &s.conditions);
            differ("how", &self.how, &conditions.map(|c| c.how).next())?;
        }
        let everything = r#"{"Effect":"Allow","Action":"*","Resource":"*"},"#;
        let (denied, _) = explain(&ask, &self.layers("Deny", everything)?.sources())?;
        let holds = self.holds_in_deny.unwrap_or(self.holds);
        let verdict = if holds { Verdict::ExplicitDeny } else { Verdict::Allow };
        differ("as a Deny", &verdict, &denied.verdict)
    }

    fn layers(&self, effect: &str, before: &str) -> Result<Layers, String> {
        let version = self.version.as_deref().unwrap_or("2012-10-17");
        let text = format!(
            r#"{{"Version":"{version}","Statement":[{before}{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{}}}]}}"#,
            self.block.get()
        );
        let text = RawValue::from_string(text).map_err(|fault| fault.to_string())?;
        let kind = if self.loose { Kind::Session } else { Kind::Identity };
        Ok(Layers {
            scps: None,
            rcps: None,
            endpoint: None,
            resource: None,
            identity: vec![compile(&[text], kind, self.loose)?],
            boundary: None,
            session: None,
        })
    }
}

impl DocumentCase {
    /// Runs the case.
    ///
    /// # Errors
    /// What differed from the expectation.
    pub fn run(&self) -> Result<(), String> {
        let text = match (&self.document, &self.text) {
            (Some(document), None) => document.get(),
            (None, Some(text)) => text,
            _ => return Err("one of document and text is needed".to_owned()),
        };
        let strictness = if self.loose { Strictness::Session } else { Strictness::Stored };
        let parsed = Document::parse(text, self.kind, strictness).and_then(|document| {
            if self.shared_issuers {
                document.check_shared_issuers()?;
            }
            Ok(document)
        });
        match (parsed, &self.refused) {
            (Ok(document), None) => {
                let again = Document::parse(&document.print(), self.kind, strictness)
                    .map_err(|rejection| format!("its print was refused: {rejection}"))?;
                differ("print", &document, &again)
            }
            (Ok(_), Some(message)) => Err(format!("accepted, expected {message:?}")),
            (Err(rejection), None) => Err(format!("refused: {rejection:?}")),
            (Err(rejection), Some(message)) => {
                differ("message", message, &rejection.message)?;
                let first = rejection.diagnostics.first().ok_or("there is no diagnostic")?;
                if let Some(code) = &self.diagnostic {
                    differ("diagnostic", code, &first.code)?;
                }
                let marked = text.get(first.span.start as usize..first.span.end as usize);
                let marks = self.marks.as_deref();
                if marks.is_some() { differ("marks", &marks, &marked) } else { Ok(()) }
            }
        }
    }
}
