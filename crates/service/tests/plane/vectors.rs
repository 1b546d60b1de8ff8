//! The wire, byte for byte: of every action what botocore sends for its smallest input and for a fuller
//! one (`corpus/wire/requests.json`), and what it is answered (`corpus/wire/answers.json`), which
//! botocore reads in `acceptance/tests/wire.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::registry::{APIS, Api};
use wire::query::Form;

use crate::registry::{Minimal, corpus_root, minimal, model};
use crate::scene::{Scene, json_input};
use crate::support::{Issuer, Reply};

/// Texts that are another each time, in the elements and members of these names.
const RANDOM: [&str; 10] = [
    "Base32StringSeed",
    "DecodedMessage",
    "DeletionTaskId",
    "JobId",
    "Marker",
    "NextToken",
    "QRCodePNG",
    "SecretAccessKey",
    "SessionToken",
    "WebIdentityToken",
];
/// How ids of IAM begin.
const IDS: [&str; 9] = ["AGPA", "AIDA", "AIPA", "AKIA", "ANPA", "APKA", "AROA", "ASCA", "ASIA"];

/// Bodies by size (`smallest`, `fuller`) by action by API.
type Requests = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

/// What a call was answered, but for what is another each time.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Answer {
    api: String,
    action: String,
    /// `nobody`, `other`, `right`: the callers of the matrix; `fuller`: the right one, with more input.
    to: String,
    status: u16,
    body: String,
}

pub fn requests() -> Requests {
    let text = std::fs::read_to_string(corpus_root().join("wire/requests.json")).unwrap();
    let mut all: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    all.remove("source");
    all.into_iter().map(|(api, it)| (api, serde_json::from_value(it).unwrap())).collect()
}

#[tokio::test]
async fn what_botocore_sends_is_decoded_to_the_input_that_was_meant() {
    let scene = Scene::whole(&Issuer::new("idp.test")).await;
    let requests = requests();
    let fuller = std::fs::read_to_string(corpus_root().join("wire/fuller.json")).unwrap();
    let inputs =
        [("smallest", minimal()), ("fuller", serde_json::from_str::<Minimal>(&fuller).unwrap())];
    let mut sent = BTreeSet::new();
    for api in APIS {
        for (size, inputs) in &inputs {
            for (action, input) in &inputs[api.name] {
                let input = scene.fill(input);
                let operation = model(api).operation(action).unwrap();
                let name = format!("{size} {}:{action}", api.name);
                let body = scene.body(api, &requests[api.name][action][*size]);
                let (had, meant) = match model(api).target {
                    "" => {
                        let own = input.iter().map(|(name, it)| (name.as_str(), it.as_str()));
                        let own = wire::query::encode(own);
                        let [had, own] =
                            [&body, &own].map(|it| Form::parse(it.as_bytes()).unwrap());
                        assert_eq!(had.action(), Some(action.as_str()));
                        assert_eq!(had.version(), Some(model(api).version));
                        (operation.decode(&had), operation.decode(&own))
                    }
                    _ => {
                        let had = wire::json11::read(body.as_bytes()).unwrap();
                        (operation.decode_json(&had), operation.decode_json(&json_input(&input)))
                    }
                };
                assert_eq!(had.unwrap(), meant.unwrap(), "{name}");
                sent.insert(name);
            }
        }
    }
    let written = requests.iter().flat_map(|(api, actions)| {
        let sizes = |(action, sizes): (&String, &BTreeMap<String, String>)| {
            sizes.keys().map(|size| format!("{size} {api}:{action}")).collect::<Vec<_>>()
        };
        actions.iter().flat_map(sizes).collect::<Vec<_>>()
    });
    assert_eq!(written.collect::<BTreeSet<_>>(), sent);
}

impl Answer {
    pub fn of(api: &Api, action: &str, to: &str, scene: &Scene, reply: &Reply) -> Self {
        let body = scene.masked(&reply.body).replace(&reply.request_id, "{request}");
        let body = shortened(body);
        let body = RANDOM.iter().fold(body, |body, name| hidden(&body, name));
        Self {
            api: api.name.to_owned(),
            action: action.to_owned(),
            to: to.to_owned(),
            status: reply.status,
            body: without_ids(&body),
        }
    }

    fn name(&self) -> String {
        format!("{}:{} to {}", self.api, self.action, self.to)
    }

    /// What must be the same each time: a refusal whole, of an answer what there is in it.
    fn shape(&self) -> (u16, BTreeSet<String>) {
        let shape = match self.status {
            200 if self.body.starts_with('<') => elements(&self.body),
            200 => members(&serde_json::from_str(&self.body).unwrap(), ""),
            _ => [self.body.clone()].into(),
        };
        (self.status, shape)
    }
}

/// The answers are as they were written.
pub fn compare(answers: &[Answer]) {
    let shapes = |answers: &[Answer]| -> BTreeMap<String, _> {
        answers.iter().map(|it| (it.name(), it.shape())).collect()
    };
    let (now, then) = (shapes(answers), shapes(&recorded()));
    assert_eq!(now.keys().collect::<Vec<_>>(), then.keys().collect::<Vec<_>>());
    for (name, shape) in now {
        assert_eq!(shape, then[&name], "{name}");
    }
}

fn recorded() -> Vec<Answer> {
    let text = std::fs::read_to_string(corpus_root().join("wire/answers.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// One line each; what has not changed but by chance stays as it was.
pub fn written(answers: &[Answer]) -> String {
    let then: BTreeMap<String, Answer> = recorded().into_iter().map(|it| (it.name(), it)).collect();
    let kept = |now: &Answer| match then.get(&now.name()) {
        Some(then) if then.shape() == now.shape() => then.clone(),
        _ => now.clone(),
    };
    let lines: Vec<_> =
        answers.iter().map(|it| serde_json::to_string(&kept(it)).unwrap()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// A log book's answer is as long as the test: a few events show what they look like.
fn shortened(body: String) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(&body) else { return body };
    match members.get_mut("Events").and_then(Value::as_array_mut) {
        Some(events) => {
            events.truncate(3);
            Value::Object(members).to_string()
        }
        None => body,
    }
}

/// The content of the elements or members of that name as something that is the same each time, and is
/// base64, for those that must be.
fn hidden(body: &str, name: &str) -> String {
    let (open, close) = match body.starts_with('<') {
        true => (format!("<{name}>"), "<"),
        false => (format!("\"{name}\":\""), "\""),
    };
    let mut parts = body.split(&open);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(close).unwrap();
        out.push_str(&format!("{open}aGlkZGVu{close}{rest}"));
    }
    out
}

fn without_ids(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for word in body.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()) {
        let id = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let start = IDS.iter().find(|start| id.len() >= 16 && id.starts_with(**start));
        let end = word.strip_prefix(id).unwrap_or_default();
        match start {
            Some(start) => out.extend([start, "EXAMPLEEXAMPLE12", end]),
            None => out.push_str(word),
        }
    }
    out
}

/// The paths of all elements.
fn elements(xml: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut path: Vec<&str> = Vec::new();
    for tag in xml.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        path.push(tag.trim_end_matches('/').split(' ').next().unwrap());
        found.insert(path.join("/"));
        if tag.ends_with('/') {
            path.pop();
        }
    }
    found
}

/// The paths of all members.
fn members(value: &Value, at: &str) -> BTreeSet<String> {
    match value {
        Value::Object(members) => {
            let below =
                |(name, value): (&String, &Value)| self::members(value, &format!("{at}/{name}"));
            members.iter().flat_map(below).chain([at.to_owned()]).collect()
        }
        Value::Array(items) => {
            items.iter().flat_map(|item| members(item, at)).chain([at.to_owned()]).collect()
        }
        _ => [at.to_owned()].into(),
    }
}
