//! cedar-policy. Plain: a policy per statement. Indexed: Cedar has no index over policies, but tags of
//! an entity are found by a computed key, so the statements become tags of the principal, by action, and
//! one policy reads them.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::{
    Engine,
    workload::{CASES, PRINCIPAL_TAGS, Workload, resource_tags},
};

const DENY: &str = r#"
    forbid(principal, action, resource)
    when { resource.classification == "secret" } unless { principal.clearance == "high" };"#;

pub fn plain(workload: &Workload) -> Engine {
    let mut text = DENY.to_owned();
    for number in workload.allowing() {
        text += &format!(
            r#"permit(principal, action == Action::"Read{number}", resource in Folder::"project-{number}")
               when {{ resource["access-project"] == principal["access-project"] }};"#
        );
    }
    engine(workload, &text, |_| Vec::new())
}

pub fn indexed(workload: &Workload) -> Engine {
    let permit = r#"
        permit(principal, action, resource)
        when { principal.hasTag(context.action) && resource in principal.getTag(context.action) &&
               resource["access-project"] == principal["access-project"] };"#;
    engine(workload, &format!("{DENY}{permit}"), |workload| {
        let folder = |number| {
            RestrictedExpression::new_entity_uid(uid("Folder", &format!("project-{number}")))
        };
        workload.allowing().map(|number| (format!("Read{number}"), folder(number))).collect()
    })
}

fn engine(
    workload: &Workload,
    policies: &str,
    tags: fn(&Workload) -> Vec<(String, RestrictedExpression)>,
) -> Engine {
    let policies: PolicySet = policies.parse().expect("valid policies");
    let middle = workload.middle();
    let action = format!("Read{middle}");
    let attributes = |pairs: &[(&str, &str)]| -> HashMap<String, RestrictedExpression> {
        let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
        pairs.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect()
    };
    let cases: Vec<(Request, Entities)> = CASES
        .iter()
        .map(|case| {
            let folder = uid("Folder", &format!("project-{middle}"));
            let principal = Entity::new_with_tags(
                uid("User", "alice"),
                attributes(&PRINCIPAL_TAGS),
                HashSet::new(),
                tags(workload),
            );
            let resource = Entity::new(
                uid("Document", "report"),
                attributes(&resource_tags(case)),
                HashSet::from([folder.clone()]),
            );
            let folder = Entity::new_no_attrs(folder, HashSet::new());
            let entities = [principal.expect("a principal"), resource.expect("a resource"), folder];
            let entities = Entities::from_entities(entities, None).expect("entities");
            let context = Context::from_pairs([(
                "action".to_owned(),
                RestrictedExpression::new_string(action.clone()),
            )]);
            let request = Request::new(
                uid("User", "alice"),
                uid("Action", &action),
                uid("Document", "report"),
                context.expect("a context"),
                None,
            );
            (request.expect("a request"), entities)
        })
        .collect();
    let authorizer = Authorizer::new();
    Box::new(move |number| {
        let (request, entities) = &cases[number];
        authorizer.is_authorized(request, &policies, entities).decision() == Decision::Allow
    })
}

fn uid(kind: &str, name: &str) -> EntityUid {
    let kind: EntityTypeName = kind.parse().expect("a type");
    EntityUid::from_type_name_and_id(kind, cedar_policy::EntityId::new(name))
}
