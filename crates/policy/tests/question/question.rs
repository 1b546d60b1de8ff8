//! A question with all its policies as plain data: generated, written to the corpus, and put to
//! both implementations.

pub mod generate;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{
    AccountId, Ask, Choices, Compiled, Context, Decision, Document, Kind, Named, PolicyId,
    PolicyKind, Principal, Recorder, SetBy, Sources, Strictness, decide,
};
use serde_json::{Map, Value, json};

use crate::reference::{Answer, Had, Keys, Layers, Policy, Question};

/// One value or a list of values of a condition key.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    One(String),
    Many(Vec<String>),
}

/// `Action`/`NotAction` or `Resource`/`NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub struct Patterns {
    pub negated: bool,
    pub list: Vec<String>,
}

/// `Principal`/`NotPrincipal`; no members: the bare `"*"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Principals {
    pub negated: bool,
    pub members: BTreeMap<&'static str, Vec<String>>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub effect: &'static str,
    pub principal: Option<Principals>,
    pub action: Patterns,
    pub resource: Option<Patterns>,
    /// (operator, key) → values.
    pub conditions: BTreeMap<(String, String), Vec<String>>,
}

/// One policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    pub version: Option<&'static str>,
    pub statements: Vec<Statement>,
}

/// The documents of one set.
pub type Docs = Vec<Doc>;

/// The question.
#[derive(Clone, Debug)]
pub struct Case {
    pub principal: Principal,
    pub action: String,
    pub resource: String,
    pub resource_account: Option<AccountId>,
    pub requires_resource_policy: bool,
    pub context: BTreeMap<String, Values>,
    pub choices: Choices,
    pub scps: Option<Vec<Docs>>,
    pub rcps: Option<Vec<Docs>>,
    pub endpoint: Option<Docs>,
    /// A trust policy rather than another resource's.
    pub trust: bool,
    pub resource_policy: Option<Docs>,
    pub identity: Vec<Docs>,
    pub boundary: Option<Docs>,
    pub session: Option<Vec<Docs>>,
}

fn one_or_list(list: &[String]) -> Value {
    // A list of one is written without brackets, so that both forms are met.
    match list {
        [one] => json!(one),
        list => json!(list),
    }
}

impl Statement {
    pub fn json(&self) -> Value {
        let mut members = Map::new();
        members.insert("Effect".into(), json!(self.effect));
        if let Some(principal) = &self.principal {
            let name = if principal.negated { "NotPrincipal" } else { "Principal" };
            let listed =
                |(kind, list): (&&str, &Vec<String>)| ((*kind).to_owned(), one_or_list(list));
            let block = match principal.members.is_empty() {
                true => json!("*"),
                false => Value::Object(principal.members.iter().map(listed).collect()),
            };
            members.insert(name.into(), block);
        }
        let name = if self.action.negated { "NotAction" } else { "Action" };
        members.insert(name.into(), one_or_list(&self.action.list));
        if let Some(resource) = &self.resource {
            let name = if resource.negated { "NotResource" } else { "Resource" };
            members.insert(name.into(), one_or_list(&resource.list));
        }
        if !self.conditions.is_empty() {
            let mut operators = Map::new();
            for ((operator, key), values) in &self.conditions {
                let keys = operators.entry(operator.clone()).or_insert_with(|| json!({}));
                keys[key] = one_or_list(values);
            }
            members.insert("Condition".into(), Value::Object(operators));
        }
        Value::Object(members)
    }
}

impl Doc {
    pub fn json(&self) -> Value {
        let mut members = Map::new();
        if let Some(version) = self.version {
            members.insert("Version".into(), json!(version));
        }
        let statements: Vec<Value> = self.statements.iter().map(Statement::json).collect();
        members.insert("Statement".into(), json!(statements));
        Value::Object(members)
    }

    /// As JSON in ASCII: policies may hold no character beyond U+00FF, but any may be escaped.
    pub fn text(&self) -> String {
        ascii(&self.json().to_string())
    }

    pub fn parse(&self, kind: Kind) -> Result<Document, policy::Rejection> {
        // The lenient reading, so that malformed literals come to be evaluated.
        Document::parse(&self.text(), kind, Strictness::Session)
    }
}

pub fn ascii(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The layers of a case, compiled by the engine.
#[derive(Debug, Default)]
pub struct Built {
    scps: Option<Vec<Arc<Compiled>>>,
    rcps: Option<Vec<Arc<Compiled>>>,
    endpoint: Option<Compiled>,
    resource: Option<Compiled>,
    identity: Vec<Arc<Compiled>>,
    boundary: Option<Compiled>,
    session: Option<Vec<Arc<Compiled>>>,
}

impl Built {
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            scps: self.scps.as_deref(),
            rcps: self.rcps.as_deref(),
            endpoint: self.endpoint.as_ref(),
            resource: self.resource.as_ref(),
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_deref(),
        }
    }
}

type Refused = String;

fn compile(
    layer: &str,
    set: usize,
    docs: &Docs,
    kind: Kind,
    as_what: PolicyKind,
) -> Result<Compiled, Refused> {
    let named = docs.iter().enumerate().map(|(number, doc)| {
        let document = doc.parse(kind).map_err(|rejection| {
            format!("{layer}: {}: {:?}\n{}", rejection, rejection.diagnostics, doc.text())
        })?;
        let id = PolicyId::new(name(layer, set, number), as_what);
        Ok(Named::new(id, Arc::new(document)))
    });
    Ok(Compiled::new(named.collect::<Result<Vec<_>, Refused>>()?))
}

fn name(layer: &str, set: usize, number: usize) -> String {
    format!("{layer}.{set}.{number}")
}

impl Case {
    pub fn resource_kind(&self) -> Kind {
        if self.trust { Kind::Trust } else { Kind::Resource }
    }

    pub fn context(&self) -> Context {
        let mut context = Context::new();
        for (key, values) in &self.context {
            match values {
                Values::One(value) => context.set(key, value, SetBy::Request),
                Values::Many(values) => context.set_many(key, values, SetBy::Request),
            };
        }
        context
    }

    pub fn ask(&self) -> Ask {
        let mut ask = Ask::new(self.principal.clone(), &self.action, &self.resource);
        ask.resource_account = self.resource_account;
        ask.requires_resource_policy = self.requires_resource_policy;
        ask.choices = self.choices;
        ask.with_context(self.context())
    }

    /// Compiles the policies; the reason, should one be refused.
    pub fn build(&self) -> Result<Built, Refused> {
        let many = |layer: &str, sets: &[Docs], kind, as_what| {
            let sets = sets.iter().enumerate();
            let compiled =
                sets.map(|(set, docs)| compile(layer, set, docs, kind, as_what).map(Arc::new));
            compiled.collect::<Result<Vec<_>, Refused>>()
        };
        let one = |layer: &str, docs: &Option<Docs>, kind, as_what| {
            docs.as_ref().map(|docs| compile(layer, 0, docs, kind, as_what)).transpose()
        };
        let of = |sets: &Option<Vec<Docs>>| sets.clone();
        let resource_kind = self.resource_kind();
        let resource_as = if self.trust { PolicyKind::Trust } else { PolicyKind::Resource };
        Ok(Built {
            scps: of(&self.scps)
                .map(|sets| many("scp", &sets, Kind::Scp, PolicyKind::Scp))
                .transpose()?,
            rcps: of(&self.rcps)
                .map(|sets| many("rcp", &sets, Kind::Rcp, PolicyKind::Rcp))
                .transpose()?,
            endpoint: one("endpoint", &self.endpoint, Kind::Resource, PolicyKind::Endpoint)?,
            resource: one("resource", &self.resource_policy, resource_kind, resource_as)?,
            identity: many("identity", &self.identity, Kind::Identity, PolicyKind::Inline)?,
            boundary: one("boundary", &self.boundary, Kind::Boundary, PolicyKind::Boundary)?,
            session: of(&self.session)
                .map(|sets| many("session", &sets, Kind::Session, PolicyKind::SessionInline))
                .transpose()?,
        })
    }

    /// What the engine says.
    pub fn decide(&self, recorder: &mut impl Recorder) -> Result<Decision, Refused> {
        Ok(decide(&self.ask(), &self.build()?.sources(), recorder))
    }

    /// What the reference says.
    pub fn reference(&self) -> Answer {
        let keys: Keys = self
            .context
            .iter()
            .map(|(key, values)| {
                let had = match values {
                    Values::One(value) => Had { values: vec![value.clone()], list: false },
                    Values::Many(values) => Had { values: values.clone(), list: true },
                };
                (key.to_lowercase(), had)
            })
            .collect();
        let set = |layer: &str, set: usize, docs: &Docs, kind: Kind| -> Vec<Policy> {
            let named = docs.iter().enumerate();
            let policy = |(number, doc): (usize, &Doc)| Policy {
                name: name(layer, set, number),
                kind,
                json: doc.json(),
            };
            named.map(policy).collect()
        };
        let sets = |layer: &str, all: &[Docs], kind: Kind| -> Vec<Vec<Policy>> {
            all.iter().enumerate().map(|(number, docs)| set(layer, number, docs, kind)).collect()
        };
        let layers = Layers {
            scps: self.scps.as_ref().map(|all| sets("scp", all, Kind::Scp)),
            rcps: self.rcps.as_ref().map(|all| sets("rcp", all, Kind::Rcp)),
            endpoint: self.endpoint.as_ref().map(|docs| set("endpoint", 0, docs, Kind::Resource)),
            resource: self
                .resource_policy
                .as_ref()
                .map(|docs| set("resource", 0, docs, self.resource_kind())),
            identity: sets("identity", &self.identity, Kind::Identity),
            boundary: self.boundary.as_ref().map(|docs| set("boundary", 0, docs, Kind::Boundary)),
            session: self.session.as_ref().map(|all| sets("session", all, Kind::Session)),
        };
        let question = Question {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account,
            requires_resource_policy: self.requires_resource_policy,
            keys: &keys,
            choices: self.choices,
            layers: &layers,
        };
        question.decide()
    }

    /// The case as one of `corpus/policy/`, with the answer the reference gives.
    pub fn corpus_json(&self) -> Value {
        // Statements are named, so that the corpus can tell which decided.
        let sid = |layer: &str, set: usize, doc: usize, n: usize| format!("{layer}{set}x{doc}x{n}");
        let docs = |layer: &str, set: usize, docs: &Docs| -> Vec<Value> {
            let named = |(number, doc): (usize, &Doc)| {
                let mut json = doc.json();
                for (n, statement) in (0..).zip(json["Statement"].as_array_mut().unwrap()) {
                    statement["Sid"] = json!(sid(layer, set, number, n));
                }
                json
            };
            docs.iter().enumerate().map(named).collect()
        };
        let levels = |layer: &str, sets: &[Docs]| -> Value {
            sets.iter().enumerate().map(|(set, all)| json!(docs(layer, set, all))).collect()
        };
        let flat = |layer: &str, sets: &[Docs]| -> Value {
            sets.iter().enumerate().flat_map(|(set, all)| docs(layer, set, all)).collect()
        };
        let resource = self.resource_policy.as_ref().map(|all| docs("resource", 0, all));
        let policies = json!({
            "scp": self.scps.as_deref().map(|sets| levels("scp", sets)),
            "rcp": self.rcps.as_deref().map(|sets| levels("rcp", sets)),
            "endpoint": self.endpoint.as_ref().map(|all| docs("endpoint", 0, all)),
            if self.trust { "trust" } else { "resource" }: resource,
            "identity": flat("identity", &self.identity),
            "boundary": self.boundary.as_ref().map(|all| docs("boundary", 0, all)),
            "session": self.session.as_deref().map(|sets| flat("session", sets)),
        });
        let context: Map<String, Value> = self
            .context
            .iter()
            .map(|(key, values)| {
                let values = match values {
                    Values::One(value) => json!(value),
                    Values::Many(values) => json!(values),
                };
                (key.clone(), values)
            })
            .collect();
        let answer = self.reference();
        let determining = answer.determining.iter().map(|(policy, statement)| {
            let mut parts = policy.split('.');
            let layer = parts.next().unwrap();
            let [set, doc] = [parts.next(), parts.next()].map(|n| n.unwrap().parse().unwrap());
            sid(layer, set, doc, *statement)
        });
        let determining: Vec<String> = determining.collect();
        let mut case = json!({
            "name": "",
            "rule": "",
            "principal": short_form(&self.principal),
            "action": self.action,
            "resource": self.resource,
            "resource_account": self.resource_account,
            "requires_resource_policy": self.requires_resource_policy,
            "context": context,
            "policies": without_nulls(policies),
            "expect": without_nulls(json!({
                "verdict": answer.verdict,
                "layer": answer.layer,
                "level": answer.level,
                "determining": determining,
            })),
        });
        if self.choices != Choices::CHOSEN {
            case["choices"] = json!(self.choices);
        }
        without_nulls(case)
    }

    /// The case for people.
    pub fn shown(&self) -> String {
        serde_json::to_string_pretty(&self.corpus_json()).unwrap()
    }

    /// Every document of the case, for laws that change them all.
    pub fn docs_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        let sets = self.scps.iter_mut().flatten().flatten();
        let sets = sets.chain(self.rcps.iter_mut().flatten().flatten());
        let sets = sets.chain(self.endpoint.iter_mut().flatten());
        let sets = sets.chain(self.resource_policy.iter_mut().flatten());
        let sets = sets.chain(self.identity.iter_mut().flatten());
        let sets = sets.chain(self.boundary.iter_mut().flatten());
        sets.chain(self.session.iter_mut().flatten().flatten())
    }
}

/// A decision in the reference's terms.
pub fn answer(decision: &Decision) -> Answer {
    let ids = decision.determining.iter();
    Answer {
        verdict: decision.verdict,
        layer: decision.layer,
        level: decision.level,
        determining: ids.map(|id| (id.policy.name.clone(), id.index as usize)).collect(),
    }
}

/// A principal as the corpus writes it.
fn short_form(principal: &Principal) -> String {
    let after = |arn: &policy::Arn, prefix: &str| {
        arn.resource().strip_prefix(prefix).unwrap_or_default().to_owned()
    };
    match principal {
        Principal::Anonymous => "anonymous".to_owned(),
        Principal::Root { account } => format!("root@{account}"),
        Principal::User { arn, account, .. } => format!("user/{}@{account}", after(arn, "user/")),
        Principal::RoleSession { role_arn, session_arn, account, .. } => {
            let session = session_arn.resource().rsplit('/').next().unwrap_or_default();
            format!("role/{}:{session}@{account}", after(role_arn, "role/"))
        }
        Principal::FederatedUser { arn, user_arn, account, .. } => {
            let [session, user] = [after(arn, "federated-user/"), after(user_arn, "user/")];
            format!("federated/{session}:{user}@{account}")
        }
        Principal::WebIdentity { provider, account } => format!("oidc:{provider}@{account}"),
        Principal::Saml { provider, account } => format!("saml:{}@{account}", provider.as_str()),
        Principal::Service { name } => format!("service:{name}"),
    }
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}
