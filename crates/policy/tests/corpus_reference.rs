//! The reference interpreter passes the corpus that the engine passes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what goes wrong here fails the test"
)]

#[path = "reference/interpreter.rs"]
mod reference;

use std::path::{Path, PathBuf};

use policy::{AccountId, Choices, Kind, Layer, Verdict};
use serde_json::{Value, json};

use crate::reference::{Answer, Had, Keys, Layers, Policy, Question, Set};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn keys(context: &Value) -> Keys {
    let members = context.as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let had = |values: &Value| match values {
        Value::Array(values) => Had { values: values.iter().map(text).collect(), list: true },
        value => Had { values: vec![text(value)], list: false },
    };
    members.map(|(key, values)| (key.to_lowercase(), had(values))).collect()
}

/// The documents of a set, and for each statement its `Sid`.
fn set(documents: &Value, kind: Kind) -> Set {
    let policy = |json: &Value| Policy { name: json.to_string(), kind, json: json.clone() };
    items(documents).map(policy).collect()
}

fn layers(policies: &Value) -> Layers {
    let some = |name: &str| Some(&policies[name]).filter(|value| !value.is_null());
    let levels = |name: &str, kind| {
        some(name).map(|levels| items(levels).map(|level| set(level, kind)).collect())
    };
    let trust = some("trust").map(|documents| set(documents, Kind::Trust));
    Layers {
        scps: levels("scp", Kind::Scp),
        rcps: levels("rcp", Kind::Rcp),
        endpoint: some("endpoint").map(|documents| set(documents, Kind::Resource)),
        resource: trust.or_else(|| Some(set(some("resource")?, Kind::Resource))),
        identity: vec![set(&policies["identity"], Kind::Identity)],
        boundary: some("boundary").map(|documents| set(documents, Kind::Boundary)),
        session: some("session").map(|documents| vec![set(documents, Kind::Session)]),
    }
}

fn choices(case: &Value) -> Choices {
    case.get("choices").map_or(Choices::CHOSEN, |c| serde_json::from_value(c.clone()).unwrap())
}

fn answer(case: &Value, layers: &Layers) -> Answer {
    let account = |text: &Value| AccountId::parse(text.as_str().unwrap()).unwrap();
    let question = Question {
        principal: &policy::case::principal(case["principal"].as_str().unwrap()).unwrap(),
        action: case["action"].as_str().unwrap(),
        resource: case["resource"].as_str().unwrap(),
        resource_account: case.get("resource_account").map(account),
        requires_resource_policy: case["requires_resource_policy"] == true,
        keys: &keys(&case["context"]),
        choices: choices(case),
        layers,
    };
    question.decide()
}

fn sid((policy, index): &(String, usize)) -> String {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statement = policy["Statement"].get(index).unwrap_or(&policy["Statement"]);
    statement["Sid"].as_str().unwrap_or_default().to_owned()
}

fn run_case(case: &Value) -> Result<(), String> {
    let expect = &case["expect"];
    let answer = answer(case, &layers(&case["policies"]));
    let determining: Vec<String> = answer.determining.iter().map(sid).collect();
    let had = json!({
        "verdict": answer.verdict,
        "layer": answer.layer,
        "level": answer.level,
        "determining": determining,
    });
    for member in ["verdict", "layer", "level", "determining"] {
        let wanted = expect.get(member);
        if wanted.is_some_and(|wanted| *wanted != had[member]) {
            return Err(format!("{member}: wanted {}, had {}", expect[member], had[member]));
        }
    }
    Ok(())
}

fn run_condition(case: &Value) -> Result<(), String> {
    let version = case["version"].as_str().unwrap_or("2012-10-17");
    let statement = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": case["if"]});
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let holds = |statements: Value, yes: Verdict| {
        let document = json!({"Version": version, "Statement": statements});
        let kind = if case["loose"] == true { Kind::Session } else { Kind::Identity };
        let identity = vec![set(&json!([document]), kind)];
        let layers = Layers { identity, ..Layers::default() };
        let mut asked = case.clone();
        asked["principal"] = json!("user/ann");
        asked["action"] = json!("s3:GetObject");
        asked["resource"] = json!("arn:aws:s3:::b/k");
        let answer = answer(&asked, &layers);
        assert!(answer.layer == Some(Layer::Identity));
        answer.verdict == yes
    };
    let allow = holds(json!([statement("Allow")]), Verdict::Allow);
    let deny = holds(json!([everything, statement("Deny")]), Verdict::ExplicitDeny);
    let wanted = case["holds"].as_bool().unwrap();
    let wanted_deny = case.get("holds_in_deny").map_or(wanted, |holds| holds.as_bool().unwrap());
    if (allow, deny) == (wanted, wanted_deny) {
        return Ok(());
    }
    Err(format!("wanted {wanted}, in a Deny {wanted_deny}; had {allow}, in a Deny {deny}"))
}

#[test]
fn the_reference_passes_the_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/policy");
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    let mut count = 0;
    let mut faults = Vec::new();
    for path in &all {
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = items(&file["cases"]).map(|case| (case, run_case(case)));
        let conditions = items(&file["conditions"]).map(|case| (case, run_condition(case)));
        for (case, outcome) in cases.chain(conditions) {
            count += 1;
            if let Err(fault) = outcome {
                let shown = path.strip_prefix(&root).unwrap().display();
                faults.push(format!("{shown}: {}: {fault}", case["name"]));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count} fail:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 600, "only {count} cases");
}
