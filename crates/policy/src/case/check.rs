//! How the cases of a file are run and compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Case, ConditionCase, DocumentCase, Expect, Fault, Policies, Reason, Values, principal,
};
use crate::ask::{Ask, Sources};
use crate::compile::{Compiled, Named};
use crate::context::{Context, SetBy};
use crate::decide::decide;
use crate::decision::{Decision, PolicyId, PolicyKind, Verdict};
use crate::document::{Document, Kind, Strictness};
use crate::layers::Layers;
use crate::record::{FullRecord, NoRecord, Record, StatementRecord};

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

/// Gives the text of a file that a case names, or says why it cannot.
pub type Load<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A document that stands in the case, or in the file that it names; with its name.
fn text_of(given: &RawValue, load: Load<'_>) -> Result<(Option<String>, String), String> {
    if !given.get().starts_with('"') {
        return Ok((None, given.get().to_owned()));
    }
    let file: String = serde_json::from_str(given.get()).map_err(|fault| fault.to_string())?;
    let text = load(&file)?;
    Ok((Some(file), text))
}

fn compile(
    texts: &[Box<RawValue>],
    kind: Kind,
    loose: bool,
    load: Load<'_>,
) -> Result<Arc<Compiled>, String> {
    let strictness = if loose { Strictness::Session } else { Strictness::Stored };
    let named = texts.iter().enumerate().map(|(n, given)| {
        let (file, text) = text_of(given, load)?;
        let name = file.unwrap_or_else(|| format!("policy {n}"));
        let document = Document::parse(&text, kind, strictness).map_err(|rejection| {
            format!("{name} ({kind:?}): {rejection} {:?}", rejection.diagnostics)
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
        Ok(Named::new(PolicyId::new(name, attached), Arc::new(document)))
    });
    Ok(Arc::new(Compiled::new(named.collect::<Result<Vec<_>, String>>()?)))
}

impl Policies {
    fn compile(&self, load: Load<'_>) -> Result<Layers, String> {
        let one = |texts: &Option<Vec<Box<RawValue>>>, kind| {
            texts.as_deref().map(|texts| compile(texts, kind, false, load)).transpose()
        };
        let levels = |levels: &Option<Vec<Vec<Box<RawValue>>>>, kind| {
            let all = levels.as_ref().map(|levels| {
                levels
                    .iter()
                    .map(|texts| compile(texts, kind, false, load))
                    .collect::<Result<_, _>>()
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
            identity: vec![compile(&self.identity, Kind::Identity, false, load)?],
            boundary: one(&self.boundary, Kind::Boundary)?,
            session: match &self.session {
                Some(texts) => Some(vec![compile(texts, Kind::Session, true, load)?]),
                None => None,
            },
        })
    }
}

/// Decides twice, recorded and not, and insists on one answer.
fn explain<'a>(ask: &'a Ask, sources: &Sources<'a>) -> Result<(Decision, Record<'a>), String> {
    let mut full = FullRecord::new();
    let decision = decide(ask, sources, &mut full);
    let record = full.into_record(ask, sources).ok_or("nothing was recorded")?;
    let quiet = decide(ask, sources, &mut NoRecord);
    let agreed = quiet == decision && record.decision == decision;
    if agreed { Ok((decision, record)) } else { Err("recorded and quiet differ".to_owned()) }
}

fn differ<T: PartialEq + Serialize>(what: &str, wanted: &T, had: &T) -> Result<(), Fault> {
    if wanted == had {
        return Ok(());
    }
    let shown = |it: &T| serde_json::to_string(it).unwrap_or_default();
    let compared = Some((shown(wanted), shown(had)));
    Err(Fault { what: what.to_owned(), compared, told: None })
}

/// Whatever kept a case from being compared.
impl From<String> for Fault {
    fn from(sentence: String) -> Self {
        Self { what: sentence, compared: None, told: None }
    }
}
impl From<&str> for Fault {
    fn from(sentence: &str) -> Self {
        sentence.to_owned().into()
    }
}

/// Where no file can be named.
pub fn no_files(_: &str) -> Result<String, String> {
    Err("a file cannot be named here".to_owned())
}

impl Case {
    /// Runs the case.
    ///
    /// # Errors
    /// What differed from the expectation.
    pub fn run(&self, load: Load<'_>) -> Result<(), Fault> {
        let mut ask = Ask::new(principal(&self.principal)?, &self.action, &self.resource)
            .with_context(context(&self.context));
        ask.resource_account = self.resource_account;
        ask.requires_resource_policy = self.requires_resource_policy;
        ask.choices = self.choices;
        let layers = self.policies.compile(load)?;
        let (decision, record) = explain(&ask, &layers.sources())?;
        self.expect.check(&decision, &record).map_err(|fault| {
            let told = Box::new((ask.clone(), record.into_owned()));
            Fault { told: Some(told), ..fault }
        })
    }
}

impl Expect {
    fn check(&self, decision: &Decision, record: &Record<'_>) -> Result<(), Fault> {
        differ("verdict", &self.verdict, &decision.verdict)?;
        if self.layer.is_some() {
            differ("layer", &self.layer, &decision.layer)?;
        }
        if self.level.is_some() {
            differ("level", &self.level, &decision.level)?;
        }
        if let Some(grant) = &self.grant {
            differ("grant", grant, &decision.grant)?;
        }
        if let Some(wanted) = &self.determining {
            let sids = decision.determining.iter().map(|id| id.sid.clone().unwrap_or_default());
            differ("determining", wanted, &sids.collect())?;
        }
        self.reason.as_ref().map_or(Ok(()), |reason| reason.check(record))
    }
}

impl Reason {
    fn check(&self, record: &Record<'_>) -> Result<(), Fault> {
        let policies = record.layers.iter().flat_map(|layer| &layer.policies);
        let mut statements = policies.flat_map(|policy| &policy.statements);
        let statement: &StatementRecord<'_> = match &self.sid {
            Some(sid) => statements.find(|s| s.sid.as_deref() == Some(sid)),
            None => statements.next(),
        }
        .ok_or("there is no such statement")?;
        differ("failed", &self.failed, &statement.failed.first())?;
        let condition = statement.conditions.iter().find(|condition| !condition.holds);
        if self.key.is_some() {
            differ("key", &self.key, &condition.map(|c| c.key.to_string()))?;
        }
        if self.how.is_some() {
            differ("how", &self.how, &condition.map(|c| c.how))?;
        }
        if let Some(missing) = &self.missing {
            let mut keys = record.missing.iter().map(|missing| &missing.key);
            if !keys.any(|key| key.eq_ignore_ascii_case(missing)) {
                let keys = record.missing.iter().map(|missing| &missing.key);
                return differ("missing", &vec![missing], &keys.collect());
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
    pub fn run(&self) -> Result<(), Fault> {
        let mut ask = Ask::new(principal("user/ann")?, "s3:GetObject", "arn:aws:s3:::b/k")
            .with_context(context(&self.context));
        ask.choices = self.choices;
        let layers = self.layers("Allow", "")?;
        let (allowed, record) = explain(&ask, &layers.sources())?;
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
        let identity = vec![compile(&[text], kind, self.loose, &no_files)?];
        Ok(Layers { identity, ..Layers::default() })
    }
}

impl DocumentCase {
    /// Runs the case.
    ///
    /// # Errors
    /// What differed from the expectation.
    pub fn run(&self, load: Load<'_>) -> Result<(), Fault> {
        let text = match (&self.document, &self.text) {
            (Some(document), None) => text_of(document, load)?.1,
            (None, Some(text)) => text.clone(),
            _ => return Err("one of document and text is needed".into()),
        };
        let strictness = if self.loose { Strictness::Session } else { Strictness::Stored };
        let parsed = Document::parse(&text, self.kind, strictness).and_then(|document| {
            if self.shared_issuers {
                document.check_shared_issuers()?;
            }
            Ok(document)
        });
        match (parsed, &self.refused) {
            (Ok(document), None) => {
                let again = Document::parse(&document.print(), self.kind, strictness)
                    .map_err(|rejection| format!("its print was refused: {rejection}"))?;
                let same = document == again;
                if same { Ok(()) } else { Err("its print says something else".into()) }
            }
            (Ok(_), Some(message)) => differ("message", &Some(message), &None),
            (Err(rejection), None) => Err(format!("refused: {rejection}").into()),
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
