//! Users: create and read. What they share with roles and groups is in the files named for it.

use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::bearer::{User, ask, find, put, vacant};
use super::entity::{self, BoundaryView, TagView};
use super::mfa;
use super::policy::check_boundary;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::record::{AccessKeyRecord, UserRecord};
use crate::time::iso_seconds;
use crate::world::{Change, Entity, World};

/// The actions of this file.
pub const ACTIONS: [Entry; 2] = [Entry::of::<CreateUser>(), Entry::of::<GetUser>()];

/// A user as answers write it; an account's root, which has no name, among them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    user_id: String,
    arn: String,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

/// A user's view; lists leave the tags out, as AWS does.
pub fn view(record: &UserRecord, with_tags: bool) -> View {
    View {
        path: Some(record.path.clone()),
        user_name: Some(record.name.clone()),
        user_id: record.id.to_string(),
        arn: entity::arn("user", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        permissions_boundary: entity::boundary_view(record.boundary.as_ref()),
        tags: if with_tags { entity::views(&record.tags) } else { Vec::new() },
    }
}

/// What must be taken from a user before it can be deleted.
pub fn held(world: &World, record: &UserRecord) -> Option<&'static str> {
    if !world.keys_of(&record.account, Some(&record.name)).is_empty() {
        return Some("must delete access keys first.");
    }
    if !record.certificates.is_empty() {
        return Some("must delete signing certificates first.");
    }
    if !record.ssh_keys.is_empty() {
        return Some("must delete SSH public keys first.");
    }
    if !record.service_credentials.is_empty() {
        return Some("must delete service specific credentials first.");
    }
    if record.login.is_some() {
        return Some("must delete login profile first.");
    }
    let mut devices = world
        .account(&record.account)
        .into_iter()
        .flat_map(|account| mfa::of_user(account, &record.name));
    if devices.next().is_some() {
        return Some("must delete MFA device first.");
    }
    (!record.groups.is_empty()).then_some("must remove users from group first.")
}

/// The user's access keys and MFA devices under another name.
pub fn held_under(world: &World, record: &UserRecord, name: &str) -> Vec<Change> {
    let keys = world.keys_of(&record.account, Some(&record.name));
    let renamed =
        |key: &AccessKeyRecord| AccessKeyRecord { user: Some(name.to_owned()), ..key.clone() };
    let keys = keys.into_iter().map(|key| Change::Put(Entity::AccessKey(renamed(key))));
    let account = world.account(&record.account);
    let devices = account.into_iter().flat_map(|it| mfa::devices_under(it, record, name));
    keys.chain(devices).collect()
}

/// Whom a call means that may leave the user's name out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A user.
    User(String),
    /// The account itself.
    Root,
}

impl Whom {
    /// The named user, or else the one who calls.
    ///
    /// # Errors
    /// `ValidationError` for a role's session, which is no user.
    pub fn of(cx: &Cx<'_>, name: Option<&str>) -> Result<Self> {
        match (name, &cx.caller.principal) {
            (Some(name), _) => Ok(Self::User(name.to_owned())),
            (None, policy::Principal::User { arn, .. }) => {
                Ok(Self::User(arn.as_str().rsplit('/').next().unwrap_or_default().to_owned()))
            }
            (None, policy::Principal::Root { .. }) => Ok(Self::Root),
            (None, _) => Err(Error::new(
                code::VALIDATION_ERROR,
                "Must specify userName when calling with non-User credentials",
            )),
        }
    }

    /// What is asked about the user, or the account's root.
    ///
    /// # Errors
    /// If nobody is proven.
    pub fn ask(&self, cx: &Cx<'_>, action: &str) -> Result<Ask> {
        match self {
            Self::User(name) => ask::<User>(cx, action, name),
            Self::Root => {
                let account = cx.caller.account()?;
                let arn = account.root_arn();
                Ok(Ask::identity(cx, &format!("iam:{action}"), arn.as_str(), account))
            }
        }
    }

    /// That the user exists.
    ///
    /// # Errors
    /// `NoSuchEntity`, in AWS's words.
    pub fn check(&self, cx: &Cx<'_>) -> Result<()> {
        match self {
            Self::User(name) => find::<User>(&cx.world, cx.caller.account()?, name).map(|_| ()),
            Self::Root => Ok(()),
        }
    }

    /// The user's name; the root has none.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(name) => Some(name),
            Self::Root => None,
        }
    }
}

/// One user.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneUser {
    user: View,
}

/// `CreateUser`
pub struct CreateUser;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    path: Option<String>,
    #[serde(rename = "UserName")]
    name: String,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreateUser {
    const NAME: &'static str = "CreateUser";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneUser;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let path = input.path.as_deref().unwrap_or("/");
        let arn = entity::arn("user", &account, path, &input.name);
        let mut ask = Ask::identity(cx, "iam:CreateUser", &arn, account).request_tags(&input.tags);
        if let Some(boundary) = &input.permissions_boundary {
            ask = ask.key("iam:PermissionsBoundary", boundary, SetBy::Request);
        }
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagUser"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneUser>> {
        let account = cx.caller.account()?;
        vacant::<User>(cx.account()?, &input.name)?;
        entity::check_tags(&input.tags)?;
        check_boundary(&cx.world, account, input.permissions_boundary.as_deref())?;
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let record = UserRecord {
            boundary: input.permissions_boundary,
            tags: input.tags,
            ..UserRecord::new(account, input.name, path, cx.now.as_millisecond())
        };
        Ok(Done::write(OneUser { user: view(&record, true) }, put::<User>(record)))
    }
}

/// `GetUser`: without a name, the caller.
pub struct GetUser;

/// Its input.
#[derive(Deserialize)]
pub struct GetInput {
    #[serde(rename = "UserName")]
    name: Option<String>,
}

impl Action for GetUser {
    const NAME: &'static str = "GetUser";
    const EFFECT: Effect = Effect::Read;
    type Input = GetInput;
    type Output = OneUser;

    fn asks(cx: &Cx<'_>, input: &GetInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: GetInput, _permit: Permit<Self>) -> Result<Done<OneUser>> {
        let account = cx.account()?;
        let user = match Whom::of(cx, input.name.as_deref())? {
            Whom::User(name) => view(find::<User>(&cx.world, account.record.id, &name)?, true),
            Whom::Root => View {
                path: None,
                user_name: None,
                user_id: account.record.id.to_string(),
                arn: account.record.id.root_arn().to_string(),
                create_date: iso_seconds(account.record.created),
                permissions_boundary: None,
                tags: Vec::new(),
            },
        };
        Ok(Done::read(OneUser { user }))
    }
}
