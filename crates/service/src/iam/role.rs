//! Roles: create, read, update. What they share with users and groups is in the files named for
//! it: [`super::list`], [`super::delete`], [`super::inline`], [`super::attached`].

use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::bearer::{Named, Role, ask, find, find_to_change, put, vacant};
use super::entity::{self, BoundaryView, TagView, encoded};
use super::{service_linked, trust};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::ids::{Prefix, UniqueId};
use crate::record::{Millis, Policies, RoleRecord};
use crate::time::iso_seconds;
use crate::world::World;

/// Seconds that a session lasts at most when nothing is said. Source: CreateRole.
pub const DEFAULT_SESSION: i64 = 3600;
/// How long a role's use is told of: 400 days. Source: the page of `RoleLastUsed`.
const TOLD_FOR: Millis = 400 * 86_400 * 1000;

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<CreateRole>(),
    Entry::of::<GetRole>(),
    Entry::of::<UpdateAssumeRolePolicy>(),
    Entry::of::<UpdateRole>(),
    Entry::of::<UpdateRoleDescription>(),
];

/// A role as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<LastUsed>,
}

/// When a role was last used; empty where it was not in the days that are told of, as on AWS.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl LastUsed {
    /// What is known of the role.
    pub fn of(cx: &Cx<'_>, record: &RoleRecord) -> Self {
        let told = |at: Millis| cx.now.as_millisecond() - at < TOLD_FOR;
        let used = cx.plane.uses.of(record.id.as_str()).filter(|used| told(used.at));
        Self {
            last_used_date: used.as_ref().map(|used| iso_seconds(used.at)),
            region: used.map(|used| used.region),
        }
    }
}

/// A role's view in lists, which leave out its tags and when it was used, as AWS does.
pub fn view(world: &World, record: &RoleRecord) -> View {
    View {
        path: record.path.clone(),
        role_name: record.name.clone(),
        role_id: record.id.to_string(),
        arn: entity::arn("role", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        assume_role_policy_document: encoded(&trust::shown(world, &record.trust)),
        description: record.description.clone(),
        max_session_duration: record.max_session,
        permissions_boundary: entity::boundary_view(record.boundary.as_ref()),
        tags: Vec::new(),
        role_last_used: None,
    }
}

/// One role.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneRole {
    role: View,
}

impl OneRole {
    /// All of it.
    pub fn of(cx: &Cx<'_>, record: &RoleRecord) -> Self {
        let role = View {
            tags: entity::views(&record.tags),
            role_last_used: Some(LastUsed::of(cx, record)),
            ..view(&cx.world, record)
        };
        Self { role }
    }
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
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagRole"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneRole>> {
        let account = cx.caller.account()?;
        vacant::<Role>(cx.account()?, &input.name)?;
        service_linked::keep_out(input.path.as_deref())?;
        entity::check_tags(&input.tags)?;
        super::policy::check_boundary(&cx.world, account, input.permissions_boundary.as_deref())?;
        let record = RoleRecord {
            account,
            name: input.name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: UniqueId::fresh(Prefix::Role),
            created: cx.now.as_millisecond(),
            description: input.description,
            max_session: input.max_session_duration.unwrap_or(DEFAULT_SESSION),
            trust: trust::bind(&cx.world, &input.assume_role_policy_document)?,
            policies: Policies::default(),
            boundary: input.permissions_boundary,
            tags: input.tags,
        };
        Ok(Done::write(OneRole::of(cx, &record), put::<Role>(record)))
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
        Ok(Done::read(OneRole::of(cx, record)))
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
        let record = find_to_change::<Role>(cx, &input.name)?;
        let trust = trust::bind(&cx.world, &input.policy_document)?;
        Ok(Done::write((), put::<Role>(RoleRecord { trust, ..record })))
    }
}

/// `UpdateRole`: what is not given goes back to its default.
pub struct UpdateRole;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    #[serde(rename = "RoleName")]
    name: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
}

/// An empty result element.
#[derive(Serialize)]
pub struct Empty {}

impl Action for UpdateRole {
    const NAME: &'static str = "UpdateRole";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Role>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UpdateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Empty>> {
        let record = find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        if input.max_session_duration.is_some() {
            service_linked::changeable(record)?;
        }
        let record = RoleRecord {
            description: input.description,
            max_session: input.max_session_duration.unwrap_or(DEFAULT_SESSION),
            ..record.clone()
        };
        Ok(Done::write(Empty {}, put::<Role>(record)))
    }
}

/// `UpdateRoleDescription`
pub struct UpdateRoleDescription;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescriptionInput {
    #[serde(rename = "RoleName")]
    name: String,
    description: String,
}

impl Action for UpdateRoleDescription {
    const NAME: &'static str = "UpdateRoleDescription";
    const EFFECT: Effect = Effect::Write;
    type Input = DescriptionInput;
    type Output = OneRole;

    fn asks(cx: &Cx<'_>, input: &DescriptionInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Role>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: DescriptionInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneRole>> {
        let record = find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        let record = RoleRecord { description: Some(input.description), ..record.clone() };
        Ok(Done::write(OneRole::of(cx, &record), put::<Role>(record)))
    }
}
