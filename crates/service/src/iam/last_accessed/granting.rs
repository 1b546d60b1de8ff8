//! Which policies grant anything of a service: an Allow statement that some action of it can match.
//! Resources, conditions, boundaries and Denies do not count, as on AWS.

use policy::Document;
use policy::document::{Effect as Says, Patterns};
use serde::{Deserialize, Serialize};

use super::subject::{self, Subject};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::INVALID_INPUT;
use crate::iam::page::{Page, Wanted, page};

/// Whether the policy grants some action of the service.
pub fn grants(document: &Document, service: &str) -> bool {
    let allows = document.statements().iter().filter(|it| it.effect == Says::Allow);
    allows.into_iter().any(|it| reaches(&it.action, service))
}

fn reaches(actions: &Patterns, service: &str) -> bool {
    // `*` alone, or `service:action`; a service's name has no wildcards in stored policies.
    let of_service = |text: &str| match text.split_once(':') {
        Some((prefix, action)) => prefix.eq_ignore_ascii_case(service).then_some(action == "*"),
        None => Some(true),
    };
    let mut list = actions.list.iter().filter_map(|it| of_service(&it.text));
    match actions.negated {
        false => list.next().is_some(),
        // Everything but these: nothing of a service that is excepted whole.
        true => !list.any(|whole| whole),
    }
}

/// `ListPoliciesGrantingServiceAccess`
pub struct ListPoliciesGrantingServiceAccess;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    arn: String,
    service_namespaces: Vec<String>,
    marker: Option<String>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policies_granting_service_access: Vec<OfService>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// The policies that grant something of one service.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfService {
    service_namespace: String,
    policies: Vec<Granting>,
}

/// One of them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Granting {
    policy_name: String,
    policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_name: Option<String>,
}

impl Action for ListPoliciesGrantingServiceAccess {
    const NAME: &'static str = "ListPoliciesGrantingServiceAccess";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![subject::ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.account()?;
        let subject = Subject::find(account, &input.arn)?;
        if let Subject::Policy(..) = subject {
            let text = "The ARN must be that of a user, a group or a role.";
            return Err(Error::new(INVALID_INPUT, text));
        }
        let held = subject.held(account);
        let mut services = input.service_namespaces;
        services.sort();
        services.dedup();
        let of_service = |service: String| {
            let granting = held.iter().filter(|it| grants(&it.document, &service));
            let policies = granting.map(|it| Granting {
                policy_name: it.name.clone(),
                policy_type: if it.arn.is_some() { "MANAGED" } else { "INLINE" },
                policy_arn: it.arn.clone(),
                entity_type: it.owner.as_ref().map(|(kind, _)| kind.to_ascii_uppercase()),
                entity_name: it.owner.as_ref().map(|(_, name)| name.clone()),
            });
            OfService { policies: policies.collect(), service_namespace: service }
        };
        let wanted = Wanted { marker: input.marker, max_items: None };
        let page = page(cx.operation.name, services, String::clone, &wanted)?;
        let Page { items, is_truncated, marker } = page.map(of_service);
        Ok(Done::read(Output { policies_granting_service_access: items, is_truncated, marker }))
    }
}
