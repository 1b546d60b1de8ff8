//! A read equals what was written: every action of IAM and Organizations that makes or changes something
//! (`corpus/wire/written.json`), and the reads that must show, at once and twice alike, every member that
//! was sent.
//!
//! In what a read must show, `$Name` is that member of what was written, whatever it is, and `${in.Name}`
//! the same within a text; `${name}` is what an earlier answer told.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{Boto3, SamlIdp, Session, Setup, Vestibule};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::terraform::has;

/// What is told to nobody, is there for the call alone, or is told in another form.
const UNTOLD: [&str; 7] = [
    "AddPrivateKey",
    "CredentialAgeDays",
    "GlobalEndpointTokenVersion",
    "IamUserAccessToBilling",
    "Password",
    "Url",
    "create_account.RoleName",
];

/// Held elsewhere: certificates and SSH keys by `corpus/terraform/`, codes and passwords by tests of their
/// own.
const ELSEWHERE: [&str; 11] = [
    "ChangePassword",
    "EnableMFADevice",
    "ResetServiceSpecificCredential",
    "ResyncMFADevice",
    "TagServerCertificate",
    "UpdateSSHPublicKey",
    "UpdateServerCertificate",
    "UpdateSigningCertificate",
    "UploadSSHPublicKey",
    "UploadServerCertificate",
    "UploadSigningCertificate",
];

const CHANGING: [&str; 11] =
    ["Add", "Attach", "Change", "Create", "Enable", "Move", "Put", "Re", "Set", "Tag", "Up"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default = "iam")]
    service: String,
    write: String,
    with: Map<String, Value>,
    #[serde(default)]
    save: BTreeMap<String, String>,
    reads: Vec<Read>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    call: String,
    with: Value,
    #[serde(default)]
    expect: Value,
    /// The code with which it must be refused.
    refused: Option<String>,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

fn iam() -> String {
    "iam".to_owned()
}

/// Texts by name, and the members of what was written.
struct Known {
    told: BTreeMap<String, String>,
    written: Map<String, Value>,
}

impl Known {
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                match text.strip_prefix('$').map(|name| self.written.get(name)) {
                    Some(Some(member)) => member.clone(),
                    _ => Value::String(self.text(text)),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, it)| (name.clone(), self.filled(it))).collect()
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let members = self
            .written
            .iter()
            .filter_map(|(name, it)| it.as_str().map(|it| (format!("${{in.{name}}}"), it)));
        let told = self.told.iter().map(|(name, it)| (format!("${{{name}}}"), it.as_str()));
        told.chain(members).fold(text.to_owned(), |text, (name, it)| text.replace(&name, it))
    }

    fn save(&mut self, places: &BTreeMap<String, String>, answer: &Value) {
        for (name, place) in places {
            let value = answer.pointer(place).and_then(Value::as_str).expect(place);
            self.told.insert(name.clone(), value.to_owned());
        }
    }
}

/// A document, of which clients show the value, as that value; anything else as it is.
fn shown(service: &str, value: &Value) -> Value {
    let document = value.as_str().filter(|text| service == "iam" && text.starts_with('{'));
    document.map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../../corpus/wire/written.json")).unwrap()
}

#[test]
fn a_read_equals_what_was_written_at_once_and_twice() {
    let idp = SamlIdp::pysaml2();
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let told = [("metadata", idp.metadata()), ("private-key", idp.private_key())];
    let told = told.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let mut known = Known { told, written: Map::new() };
    for row in rows() {
        known.written = Map::new();
        let with = known.filled(&Value::Object(row.with));
        let answer = admin.ok(&row.service, &row.write, with.clone());
        known.save(&row.save, &answer);
        let members = with.as_object().unwrap();
        known.written =
            members.iter().map(|(name, it)| (name.clone(), shown(&row.service, it))).collect();
        for read in row.reads {
            let about = format!("{} after {}", read.call, row.write);
            let with = known.filled(&read.with);
            if let Some(code) = read.refused {
                assert_eq!(admin.refused(&row.service, &read.call, with).code, code, "{about}");
                continue;
            }
            let answer = twice(&admin, &row.service, &read.call, &with, &about);
            let expected = known.filled(&read.expect);
            assert!(has(&answer, &expected), "{about}: wanted {expected:#} in {answer:#}");
            known.save(&read.save, &answer);
        }
    }
}

fn twice(admin: &Session, service: &str, call: &str, with: &Value, about: &str) -> Value {
    let [first, second] = [(); 2].map(|()| {
        let mut answer = admin.ok(service, call, with.clone());
        answer.as_object_mut().unwrap().remove("ResponseMetadata");
        answer
    });
    assert_eq!(first.to_string(), second.to_string(), "{about}, twice");
    first
}

/// The table leaves out no action, and none of the members that it sends.
#[test]
fn every_action_that_changes_something_is_read_back_in_every_member() {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let mut written = BTreeSet::new();
    for row in rows() {
        let shown: String =
            row.reads.iter().map(|read| format!("{} {}", read.with, read.expect)).collect();
        for member in row.with.keys() {
            let own = format!("{}.{member}", row.write);
            if UNTOLD.contains(&member.as_str()) || UNTOLD.contains(&own.as_str()) {
                continue;
            }
            let wanted = [format!("\"${member}\""), format!("${{in.{member}}}")];
            let tags = member == "Tags" && shown.contains("\"Tags\"");
            assert!(tags || wanted.iter().any(|it| shown.contains(it)), "{}: {member}", row.write);
        }
        written.insert((row.service, plain(&row.write)));
    }
    let served: Value =
        serde_json::from_str(include_str!("../../corpus/wire/minimal.json")).unwrap();
    for service in ["iam", "organizations"] {
        for action in served[service].as_object().unwrap().keys() {
            let changes = CHANGING.iter().any(|verb| action.starts_with(verb));
            let undoes = action.starts_with("Remove");
            if changes && !undoes && !ELSEWHERE.contains(&action.as_str()) {
                assert!(written.contains(&(service.to_owned(), plain(action))), "{action}");
            }
        }
    }
}
