//! casbin. Plain: a policy line per statement. Its matcher is tried on every line; the language has no
//! way to say which lines belong to an action, so there is no indexed form.

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use serde::Serialize;

use crate::{
    Engine,
    workload::{CASES, PRINCIPAL_TAGS, Workload, resource_tags},
};

const MODEL: &str = r#"
[request_definition]
r = sub, obj, act

[policy_definition]
p = act, folder, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.eft == "allow" && r.act == p.act && keyMatch(r.obj.name, p.folder) && r.obj.project == r.sub.project) || (p.eft == "deny" && r.obj.classification == "secret" && r.sub.clearance != "high")
"#;

#[derive(Clone, Serialize, Hash)]
struct Subject {
    project: &'static str,
    cost_center: &'static str,
    department: &'static str,
    clearance: &'static str,
    team: &'static str,
}

#[derive(Clone, Serialize, Hash)]
struct Object {
    name: String,
    project: &'static str,
    cost_center: &'static str,
    classification: &'static str,
    stage: &'static str,
    owner: &'static str,
}

pub fn engine(workload: &Workload) -> Engine {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut lines: Vec<Vec<String>> = workload
        .allowing()
        .map(|number| {
            vec![format!("Read{number}"), format!("project-{number}/*"), "allow".to_owned()]
        })
        .collect();
    lines.push(vec!["*".to_owned(), "*".to_owned(), "deny".to_owned()]);
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_str(MODEL).await.expect("a valid model");
        let mut enforcer =
            Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
        enforcer.add_policies(lines).await.expect("policy lines");
        enforcer
    });
    let [(_, project), (_, cost_center), (_, department), (_, clearance), (_, team)] =
        PRINCIPAL_TAGS;
    let subject = Subject { project, cost_center, department, clearance, team };
    let middle = workload.middle();
    let requests: Vec<(Subject, Object, String)> = CASES
        .iter()
        .map(|case| {
            let [(_, project), (_, cost_center), (_, classification), (_, stage), (_, owner)] =
                resource_tags(case);
            let name = format!("project-{middle}/report");
            let object = Object { name, project, cost_center, classification, stage, owner };
            (subject.clone(), object, format!("Read{middle}"))
        })
        .collect();
    Box::new(move |number| enforcer.enforce(requests[number].clone()).expect("a decision"))
}
