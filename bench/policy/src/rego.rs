//! regorus. Plain: the statements are a list that the rule goes through. Indexed: they are an object by
//! action, which the rule looks into.

use regorus::{Engine as Regorus, Value};
use serde_json::json;

use crate::{
    Engine,
    workload::{CASES, PRINCIPAL_TAGS, Workload, resource_tags},
};

const COMMON: &str = r#"
package abac

default decision := "implicit deny"

denied if {
    input.resource.tags.classification == "secret"
    input.principal.tags.clearance != "high"
}

decision := "explicit deny" if denied
"#;

const PLAIN: &str = r#"
decision := "allow" if {
    not denied
    some statement in data.statements
    input.action == statement.action
    startswith(input.resource.name, statement.folder)
    input.resource.tags["access-project"] == input.principal.tags["access-project"]
}
"#;

const INDEXED: &str = r#"
decision := "allow" if {
    not denied
    folder := data.by_action[input.action]
    startswith(input.resource.name, folder)
    input.resource.tags["access-project"] == input.principal.tags["access-project"]
}
"#;

pub fn plain(workload: &Workload) -> Engine {
    let statements: Vec<_> = workload
        .allowing()
        .map(|number| json!({"action": format!("Read{number}"), "folder": format!("project-{number}/")}))
        .collect();
    engine(workload, PLAIN, &json!({"statements": statements}))
}

pub fn indexed(workload: &Workload) -> Engine {
    let by_action: serde_json::Map<String, serde_json::Value> = workload
        .allowing()
        .map(|number| (format!("Read{number}"), json!(format!("project-{number}/"))))
        .collect();
    engine(workload, INDEXED, &json!({"by_action": by_action}))
}

fn engine(workload: &Workload, rule: &str, data: &serde_json::Value) -> Engine {
    let value = |json: &serde_json::Value| {
        Value::from_json_str(&json.to_string()).expect("what JSON can say")
    };
    let tags = |pairs: &[(&str, &str)]| -> serde_json::Map<String, serde_json::Value> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
    };
    let mut regorus = Regorus::new();
    regorus.add_policy("abac.rego".to_owned(), format!("{COMMON}{rule}")).expect("a valid policy");
    regorus.add_data(value(data)).expect("data");
    let compiled =
        regorus.compile_with_entrypoint(&"data.abac.decision".into()).expect("an entry point");
    let middle = workload.middle();
    let inputs: Vec<Value> = CASES
        .iter()
        .map(|case| {
            value(&json!({
                "action": format!("Read{middle}"),
                "principal": {"tags": tags(&PRINCIPAL_TAGS)},
                "resource": {"name": format!("project-{middle}/report"), "tags": tags(&resource_tags(case))},
            }))
        })
        .collect();
    let allow = Value::from("allow");
    Box::new(move |number| {
        compiled.eval_with_input(inputs[number].clone()).expect("a decision") == allow
    })
}
