//! Service-linked roles: made for one AWS service, by the name that the service chose, and changed
//! by nobody. They are kept so that infrastructure code finds what it made; no service takes them.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use policy::SetBy;
use serde::{Deserialize, Serialize};
use store::seal::Purpose;

use super::bearer::{self, Role, find, put, vacant};
use super::entity::{INVALID_INPUT, NO_SUCH_ENTITY, UNMODIFIABLE_ENTITY, arn};
use super::role::{self, OneRole};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::ids::{Prefix, UniqueId};
use crate::record::{Policies, RoleRecord};
use crate::world::{self, Change, Kind};

/// The actions of this file.
pub const ACTIONS: [Entry; 3] = [
    Entry::of::<CreateServiceLinkedRole>(),
    Entry::of::<DeleteServiceLinkedRole>(),
    Entry::of::<GetServiceLinkedRoleDeletionStatus>(),
];

const PATH: &str = "/aws-service-role/";
/// The sub-key by which a deletion's name is known for one of ours.
const TASK: Purpose = Purpose::new("deletion task");

/// A service that has such roles. Source: IAM User Guide, "AWS services that work with IAM".
#[derive(Deserialize)]
struct Service {
    service: String,
    name: String,
    /// Whether there may be several, told apart by a suffix.
    #[serde(default)]
    suffix: bool,
}

static SERVICES: LazyLock<Vec<Service>> =
    LazyLock::new(|| serde_json::from_str(include_str!("service_linked.json")).unwrap_or_default());

/// The service whose role it is.
fn service_of(role: &RoleRecord) -> Option<&str> {
    role.path.strip_prefix(PATH)?.strip_suffix('/')
}

/// That a role may be changed.
///
/// # Errors
/// `UnmodifiableEntity` for one that is linked to a service.
pub fn changeable(role: &RoleRecord) -> Result<()> {
    match service_of(role) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            UNMODIFIABLE_ENTITY,
            format!(
                "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
                role.name
            ),
        )),
    }
}

/// That a path is not the services' own.
///
/// # Errors
/// `InvalidInput`.
pub fn keep_out(path: Option<&str>) -> Result<()> {
    match path.is_some_and(|path| path.starts_with(PATH)) {
        true => Err(Error::new(INVALID_INPUT, format!("The path {PATH} is reserved for AWS."))),
        false => Ok(()),
    }
}

/// `CreateServiceLinkedRole`
pub struct CreateServiceLinkedRole;

/// Its input.
#[derive(Deserialize)]
pub struct CreateInput {
    #[serde(rename = "AWSServiceName")]
    service: String,
    #[serde(rename = "Description")]
    description: Option<String>,
    #[serde(rename = "CustomSuffix")]
    suffix: Option<String>,
}

impl CreateInput {
    fn path(&self) -> String {
        format!("{PATH}{}/", self.service)
    }

    fn known(&self) -> Option<&'static Service> {
        SERVICES.iter().find(|known| known.service == self.service)
    }

    fn name(&self) -> String {
        let name = self.known().map_or("", |known| &known.name);
        let suffix = self.suffix.as_ref().map_or_else(String::new, |suffix| format!("_{suffix}"));
        format!("AWSServiceRoleFor{name}{suffix}")
    }
}

impl Action for CreateServiceLinkedRole {
    const NAME: &'static str = "CreateServiceLinkedRole";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneRole;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = arn("role", &account, &input.path(), &input.name());
        let ask = Ask::identity(cx, "iam:CreateServiceLinkedRole", &arn, account);
        Ok(vec![ask.key("iam:AWSServiceName", &input.service, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneRole>> {
        let account = cx.account()?;
        let known = input.known().ok_or_else(|| {
            let text = format!("Service Linked Roles are not supported for {}", input.service);
            Error::new(INVALID_INPUT, text)
        })?;
        if input.suffix.is_some() && !known.suffix {
            let text = format!("Custom suffix is not allowed for {}", input.service);
            return Err(Error::new(INVALID_INPUT, text));
        }
        let name = input.name();
        if account.roles.find(&name).is_some() {
            let text = format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            );
            return Err(Error::new(INVALID_INPUT, text));
        }
        vacant::<Role>(account, &name)?;
        let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": input.service}, "Action": "sts:AssumeRole",
        }]});
        let record = RoleRecord {
            account: account.record.id,
            path: input.path(),
            name,
            id: UniqueId::fresh(Prefix::Role),
            created: cx.now.as_millisecond(),
            description: input.description,
            max_session: role::DEFAULT_SESSION,
            trust: trust.to_string(),
            policies: Policies::default(),
            boundary: None,
            tags: Vec::new(),
        };
        Ok(Done::write(OneRole::of(cx, &record), put::<Role>(record)))
    }
}

/// `DeleteServiceLinkedRole`: at once, as no service here uses one.
pub struct DeleteServiceLinkedRole;

/// Its result: what to ask for afterwards.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteOutput {
    deletion_task_id: String,
}

/// What is asked about a role of that name, with the service that it is linked to.
fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
    let ask = bearer::ask::<Role>(cx, action, name)?;
    let role = cx.account()?.roles.find(name);
    Ok(match role.and_then(|role| service_of(&role.record)) {
        Some(service) => ask.key("iam:AWSServiceName", service, SetBy::Resource),
        None => ask,
    })
}

impl Action for DeleteServiceLinkedRole {
    const NAME: &'static str = "DeleteServiceLinkedRole";
    const EFFECT: Effect = Effect::Write;
    type Input = bearer::Named;
    type Output = DeleteOutput;

    fn asks(cx: &Cx<'_>, input: &bearer::Named) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: bearer::Named,
        _permit: Permit<Self>,
    ) -> Result<Done<DeleteOutput>> {
        let account = cx.caller.account()?;
        let role = find::<Role>(&cx.world, account, &input.name)?;
        let Some(service) = service_of(role) else {
            return Err(bearer::missing("role", &input.name));
        };
        let task = format!("task{PATH}{service}/{}", role.name);
        let proof = cx.plane.keyring.seal(TASK, format!("{account}/{task}").as_bytes(), &[]);
        let proof = proof.map_err(|error| Error::internal(error.to_string()))?;
        let deletion_task_id = format!("{task}/{}", HEXLOWER.encode(&proof));
        let id = world::named(&account, &role.name);
        Ok(Done::write(DeleteOutput { deletion_task_id }, vec![Change::Delete(Kind::Role, id)]))
    }
}

/// `GetServiceLinkedRoleDeletionStatus`: a deletion that was begun has succeeded.
pub struct GetServiceLinkedRoleDeletionStatus;

/// Its input.
#[derive(Deserialize)]
pub struct StatusInput {
    #[serde(rename = "DeletionTaskId")]
    id: String,
}

impl StatusInput {
    /// Path and name of the role, and the proof that we deleted it.
    fn parts(&self) -> Option<(&str, &str)> {
        let (task, proof) = self.id.rsplit_once('/')?;
        Some((task.strip_prefix("task")?, proof))
    }
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusOutput {
    status: &'static str,
}

impl Action for GetServiceLinkedRoleDeletionStatus {
    const NAME: &'static str = "GetServiceLinkedRoleDeletionStatus";
    const EFFECT: Effect = Effect::Read;
    type Input = StatusInput;
    type Output = StatusOutput;

    fn asks(cx: &Cx<'_>, input: &StatusInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let role = input.parts().map_or("/", |(role, _)| role);
        let arn = arn("role", &account, role, "");
        Ok(vec![Ask::identity(cx, "iam:GetServiceLinkedRoleDeletionStatus", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: StatusInput,
        _permit: Permit<Self>,
    ) -> Result<Done<StatusOutput>> {
        let account = cx.caller.account()?;
        let ours = input.parts().is_some_and(|(role, proof)| {
            let about = format!("{account}/task{role}");
            let proof = HEXLOWER.decode(proof.as_bytes()).unwrap_or_default();
            cx.plane.keyring.open(TASK, about.as_bytes(), &proof).is_ok()
        });
        match ours {
            true => Ok(Done::read(StatusOutput { status: "SUCCEEDED" })),
            false => Err(Error::new(
                NO_SUCH_ENTITY,
                format!("Deletion task {} cannot be found.", input.id),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_names_each_service_once() {
        let rows: Vec<Service> = serde_json::from_str(include_str!("service_linked.json")).unwrap();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.service).collect();
        assert_eq!(names.len(), SERVICES.len());
    }
}
