//! Whole calls, byte for byte as botocore sends and reads them: `corpus/wire/calls.json`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own reading of vectors"
)]

use std::collections::BTreeMap;

use http::Request;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::error_body::{self, Blame, Dialect, Fault};
use wire::shape::Model;
use wire::sigv4::{self, PayloadHash, Rules, SecretKey, SigningKeys};
use wire::{json11, query, query_xml, shape};

#[test]
fn requests_are_verified_and_decoded() {
    let keys = SigningKeys::default();
    for call in calls() {
        let (parts, body) = request(&call);
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let name = text(&call["name"]);
        let model = model(&call);
        let presented = sigv4::parse(&parts).unwrap();
        let operation = match json11::target(&parts) {
            Some(target) => {
                assert_eq!(target.prefix, model.target);
                model.operation(target.operation).unwrap()
            }
            None => {
                let form = query::Form::read(&parts, &body).unwrap();
                assert_eq!(form.version(), Some(model.version));
                model.operation(form.action().unwrap()).unwrap()
            }
        };
        assert_eq!(operation.name, text(&call["operation"]));
        assert_eq!(operation.unsigned, presented.is_none(), "{name}");
        if let Some(presented) = presented {
            let secret = SecretKey::new(text(&call["secret"]));
            let rules = Rules::plain(model.service, now);
            let payload = PayloadHash::of(&body);
            keys.verify(&presented, &parts, &payload, &secret, &rules).unwrap();
        }
        let input = match json11::target(&parts) {
            Some(_) => operation.decode_json(&json11::read(&body).unwrap()).unwrap(),
            None => operation.decode(&query::Form::read(&parts, &body).unwrap()).unwrap(),
        };
        assert_eq!(input, call["input"], "{name}");
    }
}

#[test]
fn answers_are_written_as_botocore_reads_them() {
    let mut written = 0;
    for call in calls() {
        let operation = model(&call).operation(text(&call["operation"])).unwrap();
        let id = text(&call["request_id"]);
        let output = &call["output"];
        let body = match (text(&call["name"]), operation.name) {
            (_, "GetCallerIdentity") => answer::<CallerIdentity>(operation, output, id),
            ("sts AssumeRoleWithWebIdentity 400", _) => failure(operation, output, id),
            (_, "AssumeRole" | "AssumeRoleWithWebIdentity") => {
                answer::<Assumed>(operation, output, id)
            }
            (_, "CreateRole") => answer::<CreatedRole>(operation, output, id),
            (_, "ListRoles") => answer::<ListedRoles>(operation, output, id),
            (_, "GetAccountSummary") => answer::<Summary>(operation, output, id),
            (_, "DeleteRole") => query_xml::response(operation, &(), id).unwrap(),
            (_, "CreateOpenIDConnectProvider") => answer::<Provider>(operation, output, id),
            _ => continue,
        };
        assert_eq!(String::from_utf8(body).unwrap(), text(&call["body"]));
        written += 1;
    }
    assert_eq!(written, 9);
}

fn answer<T: for<'d> Deserialize<'d> + Serialize>(
    operation: &shape::Operation,
    output: &Value,
    id: &str,
) -> Vec<u8> {
    let output: T = serde_json::from_value(output.clone()).unwrap();
    query_xml::response(operation, &output, id).unwrap()
}

fn failure(operation: &shape::Operation, output: &Value, id: &str) -> Vec<u8> {
    let error = &output["Error"];
    let fault = Fault {
        code: text(&error["Code"]),
        message: error["Message"].as_str(),
        blame: Blame::Sender,
    };
    let dialect = Dialect::Query { namespace: operation.namespace };
    let rendered = error_body::render(dialect, &fault, id);
    assert_eq!(rendered.content_type, "text/xml");
    rendered.body
}

fn calls() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/wire/calls.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn request(call: &Value) -> (Parts, Vec<u8>) {
    let request = &call["request"];
    let mut builder =
        Request::builder().method(text(&request["method"])).uri(text(&request["target"]));
    for pair in request["headers"].as_array().unwrap() {
        builder = builder.header(text(&pair[0]), text(&pair[1]));
    }
    let parts = builder.body(()).unwrap().into_parts().0;
    (parts, text(&request["body"]).into())
}

fn model(call: &Value) -> &'static Model {
    match text(&call["service"]) {
        "sts" => shape::sts(),
        "iam" => shape::iam(),
        _ => shape::cloudtrail(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    user_id: String,
    account: String,
    arn: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Credentials,
    subject_from_web_identity_token: Option<String>,
    assumed_role_user: Option<AssumedRoleUser>,
    packed_policy_size: Option<u32>,
    audience: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatedRole {
    role: Role,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedRoles {
    roles: Vec<Role>,
    is_truncated: bool,
    marker: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    tags: Vec<Tag>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    summary_map: BTreeMap<String, u32>,
}

#[derive(Serialize, Deserialize)]
struct Provider {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}
