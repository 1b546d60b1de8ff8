//! What the providers can be set to, as tables: `acceptance/idps/*/variants.json`. Each variant leads to
//! a tagged session and a second one behind it, or to a refusal with its reason; or the provider itself
//! will not make it.

use acceptance::{SamlIdp, Setup};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    attributes,
    door::{Door, PROVIDER, arn},
};

#[derive(Deserialize)]
struct Variant {
    name: String,
    /// As the provider's own script reads it.
    how: Value,
    #[serde(flatten)]
    then: Then,
    /// What becomes of it with `checks = "aws"`, where that is something else.
    aws: Option<Then>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Then {
    /// These members of the answer, and a session that its tags open things to.
    Session(Map<String, Value>),
    /// Code, text, and which checks failed as the log book has it.
    Refused([String; 3]),
    /// The provider's words.
    Unable(String),
}

/// Holds every variant of a table against what became of it: strictly, and as AWS would.
pub fn judge(
    strict: &Door,
    aws: &Door,
    table: &str,
    respond: impl Fn(&Value) -> Result<String, String>,
) {
    let table: Vec<Variant> = serde_json::from_str(table).expect("a table of variants");
    let mut faults = Vec::new();
    for Variant { name, how, then, aws: also } in table {
        let response = respond(&how);
        for (mode, door, then) in
            [("strict", strict, &then), ("aws", aws, also.as_ref().unwrap_or(&then))]
        {
            let became = match &response {
                Err(error) => Then::Unable(error.clone()),
                Ok(response) => became(door, response, then),
            };
            if became != *then {
                faults.push(format!("{name} ({mode}): {became:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "otherwise than the table says:\n{}", faults.join("\n"));
}

fn became(door: &Door, response: &str, then: &Then) -> Then {
    match door.knock(response) {
        Ok(session) => {
            door.pass(&session);
            let told = match then {
                Then::Session(told) => told.keys().collect(),
                _ => Vec::new(),
            };
            Then::Session(told.into_iter().map(|it| (it.clone(), session[it].clone())).collect())
        }
        Err(refusal) => {
            let text = refusal.message.split(" (Service: ").next().unwrap_or_default();
            Then::Refused([refusal.code.clone(), text.to_owned(), door.failed(&refusal)])
        }
    }
}

fn judge_all(idp: &SamlIdp, table: &str) {
    let open = |setup| Door::open(setup, idp.metadata(), idp.private_key());
    let attributes = attributes(&arn("door"));
    judge(&open(Setup::default()), &open(like_aws()), table, |how| {
        idp.try_response("alice", &attributes, how)
    });
}

/// A server that checks what AWS checks.
pub fn like_aws() -> Setup {
    Setup { config: format!("[provider.\"{PROVIDER}\"]\nchecks = \"aws\"\n"), ..Setup::default() }
}

#[test]
fn all_that_pysaml2_can_sign_and_encrypt() {
    judge_all(&SamlIdp::pysaml2(), include_str!("../../idps/pysaml2/variants.json"));
}

#[test]
fn all_that_samlp_can_sign_and_encrypt() {
    judge_all(&SamlIdp::samlp(), include_str!("../../idps/samlp/variants.json"));
}
