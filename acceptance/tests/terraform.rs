//! What Terraform's AWS provider calls for IAM's and Organizations' resources, replayed by boto3 from
//! `corpus/terraform/`: made, read, read again without a difference, changed, deleted, gone. No call
//! waits for another to become visible: what was written is read at once.

use std::collections::BTreeMap;

use acceptance::{Boto3, Session, Setup, Vestibule};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    create: Vec<Call>,
    read: Vec<Call>,
    #[serde(default)]
    update: Vec<Call>,
    #[serde(default)]
    updated: Vec<Call>,
    delete: Vec<Call>,
    gone: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(default = "iam")]
    service: String,
    call: String,
    with: Value,
    /// What the answer must have, among other things.
    #[serde(default)]
    expect: Value,
    /// What later calls name as `${…}`: where it is in the answer.
    #[serde(default)]
    save: BTreeMap<String, String>,
    /// The code with which it must be refused.
    refused: Option<String>,
}

fn iam() -> String {
    "iam".to_owned()
}

struct Provider<'a> {
    admin: Session<'a>,
    saved: BTreeMap<String, String>,
}

impl Provider<'_> {
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let fill = |text: String, (name, it): (&String, &String)| {
                    text.replace(&format!("${{{name}}}"), it)
                };
                Value::String(self.saved.iter().fold(text.clone(), fill))
            }
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, it)| (name.clone(), self.filled(it))).collect()
            }
            other => other.clone(),
        }
    }

    /// Makes the calls in their order; what they answered, but for what is another each time.
    fn all(&mut self, whose: &str, calls: &[Call]) -> Vec<Value> {
        let mut answers = Vec::new();
        for call in calls {
            let about = format!("{whose}: {}", call.call);
            let with = self.filled(&call.with);
            if let Some(code) = &call.refused {
                assert_eq!(
                    self.admin.refused(&call.service, &call.call, with).code,
                    *code,
                    "{about}"
                );
                continue;
            }
            let mut answer = self.admin.ok(&call.service, &call.call, with);
            answer.as_object_mut().unwrap().remove("ResponseMetadata");
            assert!(has(&answer, &self.filled(&call.expect)), "{about}: {answer:#}");
            for (name, place) in &call.save {
                let value = answer.pointer(place).and_then(Value::as_str);
                self.saved.insert(name.clone(), value.expect(place).to_owned());
            }
            answers.push(answer);
        }
        answers
    }
}

/// Whether `answer` has all of `wanted`: members may be more, items may not.
pub fn has(answer: &Value, wanted: &Value) -> bool {
    match (answer, wanted) {
        (_, Value::Null) => true,
        (Value::Object(answer), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|found| has(found, value))),
        (Value::Array(answer), Value::Array(wanted)) => {
            answer.len() == wanted.len()
                && answer.iter().zip(wanted).all(|(found, value)| has(found, value))
        }
        (answer, wanted) => answer == wanted,
    }
}

#[test]
fn every_resource_is_made_read_changed_and_deleted() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/terraform");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 15, "{files:?}");
    for file in files {
        let whose = file.file_stem().unwrap().to_string_lossy().into_owned();
        let resource = std::fs::read_to_string(&file).unwrap();
        let resource: Resource = serde_json::from_str(&resource).expect(&whose);
        let mut provider = Provider { admin: boto3.signed(server.admin()), saved: BTreeMap::new() };
        provider.all(&whose, &resource.create);
        let made = provider.all(&whose, &resource.read);
        assert_eq!(provider.all(&whose, &resource.read), made, "{whose}: the plan is empty");
        if !resource.update.is_empty() {
            provider.all(&whose, &resource.update);
            let changed = provider.all(&whose, &resource.updated);
            assert_ne!(changed, made, "{whose}: something changed");
            assert_eq!(provider.all(&whose, &resource.updated), changed, "{whose}: and stays");
        }
        provider.all(&whose, &resource.delete);
        provider.all(&whose, &resource.gone);
    }
}
