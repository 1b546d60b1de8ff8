//! Roles: create, read, update, delete, tag. Their policies are in [`super::inline`] and
//! [`super::attached`].

use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::bearer::{Named, Role, ask, find};
use super::entity::{self, DELETE_CONFLICT, ENTITY_ALREADY_EXISTS, TagView, encoded};
use super::page::{Page, Wanted, page};
use super::trust;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::ids::{Prefix, UniqueId};
use crate::record::{Policies, RoleRecord};
use crate::time::iso_seconds;
use crate::world::{self, Change, Entity, Kind, World};

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<CreateRole>(),
    Entry::of::<DeleteRole>(),
    Entry::of::<GetRole>(),
    Entry::of::<ListRoles>(),
    Entry::of::<UpdateAssumeRolePolicy>(),
];

/// A role as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleView {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    max_session_duration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

/// A permissions boundary as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundaryView {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

/// A boundary's view.
pub fn boundary_view(arn: Option<&String>) -> Option<BoundaryView> {
    arn.map(|arn| BoundaryView {
        permissions_boundary_type: "Policy",
        permissions_boundary_arn: arn.clone(),
    })
}

/// A role's view; lists leave the tags out, as AWS does.
pub fn view(world: &World, record: &RoleRecord, with_tags: bool) -> RoleView {
    RoleView {
        path: record.path.clone(),
        role_name: record.name.clone(),
        role_id: record.id.to_string(),
        arn: entity::arn("role", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        assume_role_policy_document: encoded(&trust::shown(world, &record.trust)),
        description: record.description.clone(),
        max_session_duration: record.max_session,
        permissions_boundary: boundary_view(record.boundary.as_ref()),
        tags: if with_tags { entity::views(&record.tags) } else { Vec::new() },
    }
}

/// One role.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneRole {
    role: RoleView,
}

/// `CreateRole`
pub struct CreateRole;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    path: Option<String>,
    #[serde(rename = "RoleName")]
    name: String,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreateRole {
    const NAME: &'static str = "CreateRole";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneRole;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let path = input.path.as_deref().unwrap_or("/");
        let arn = entity::arn("role", &account, path, &input.name);
        let mut ask = Ask::identity(cx, "iam:CreateRole", &arn, account).request_tags(&input.tags);
        if let Some(boundary) = &input.permissions_boundary {
            ask = ask.key("iam:PermissionsBoundary", boundary, SetBy::Request);
        }
        Ok(match input.tags.is_empty() {
            true => vec![ask],
            false => vec![ask.clone(), ask.about("iam:TagRole")],
        })
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneRole>> {
        let account = cx.caller.account()?;
        if find::<Role>(&cx.world, account, &input.name).is_ok() {
            let text = format!("Role with name {} already exists.", input.name);
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        entity::check_tags(&input.tags)?;
        super::policy::check_boundary(&cx.world, account, input.permissions_boundary.as_deref())?;
        let record = RoleRecord {
            account,
            name: input.name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: UniqueId::fresh(Prefix::Role),
            created: cx.now.as_millisecond(),
            description: input.description,
            max_session: input.max_session_duration.unwrap_or(3600),
            trust: trust::bind(&cx.world, &input.assume_role_policy_document)?,
            policies: Policies::default(),
            boundary: input.permissions_boundary,
            tags: input.tags,
            last_used: None,
        };
        let role = view(&cx.world, &record, true);
        Ok(Done::write(OneRole { role }, vec![Change::Put(Entity::Role(record))]))
    }
}

/// `GetRole`
pub struct GetRole;

impl Action for GetRole {
    const NAME: &'static str = "GetRole";
    const EFFECT: Effect = Effect::Read;
    type Input = Named;
    type Output = OneRole;

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Role>(cx, "GetRole", &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<OneRole>> {
        let record = find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        Ok(Done::read(OneRole { role: view(&cx.world, record, true) }))
    }
}

/// `DeleteRole`
pub struct DeleteRole;

impl Action for DeleteRole {
    const NAME: &'static str = "DeleteRole";
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Role>(cx, "DeleteRole", &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        if !record.policies.attached.is_empty() {
            let text = "Cannot delete entity, must detach all policies first.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        if !record.policies.inline.is_empty() {
            let text = "Cannot delete entity, must delete policies first.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        let id = world::named(&record.account, &record.name);
        Ok(Done::write((), vec![Change::Delete(Kind::Role, id)]))
    }
}

/// `ListRoles`
pub struct ListRoles;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInput {
    path_prefix: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOutput {
    roles: Vec<RoleView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListRoles {
    const NAME: &'static str = "ListRoles";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = ListOutput;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let arn = format!("arn:aws:iam::{account}:role{prefix}");
        Ok(vec![Ask::identity(cx, "iam:ListRoles", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<ListOutput>> {
        let account = cx.account()?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let roles = account.roles.iter().filter(|role| role.record.path.starts_with(prefix));
        let Page { items, is_truncated, marker } =
            page(roles, |role| role.record.name.to_ascii_lowercase(), &input.wanted)?;
        let roles = items.into_iter().map(|role| view(&cx.world, &role.record, false)).collect();
        Ok(Done::read(ListOutput { roles, is_truncated, marker }))
    }
}

/// `UpdateAssumeRolePolicy`
pub struct UpdateAssumeRolePolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrustInput {
    #[serde(rename = "RoleName")]
    name: String,
    policy_document: String,
}

impl Action for UpdateAssumeRolePolicy {
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = TrustInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &TrustInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Role>(cx, "UpdateAssumeRolePolicy", &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: TrustInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        let trust = trust::bind(&cx.world, &input.policy_document)?;
        let record = RoleRecord { trust, ..record.clone() };
        Ok(Done::write((), vec![Change::Put(Entity::Role(record))]))
    }
}
