//! Instance profiles: what hands a role to a machine. Each has one role at most.

mod roles;

use policy::Tag;
use serde::{Deserialize, Serialize};

use super::entity::{self, DELETE_CONFLICT, ENTITY_ALREADY_EXISTS, LIMIT_EXCEEDED, NO_SUCH_ENTITY};
use super::page::{Listing, Wanted, page};
use super::role;
use super::tags::{ListTags, TagEntity, Tagged, UntagEntity};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::ids::{Prefix, UniqueId};
use crate::record::InstanceProfileRecord;
use crate::time::iso_seconds;
use crate::world::{self, Change, Entity, Kind, World};

pub use self::roles::{held, of_role};

/// Instance profiles of one account. Source: IAM quotas.
pub const MAX_PROFILES: usize = 1000;

/// The actions of this noun.
pub const ACTIONS: [Entry; 10] = [
    Entry::of::<roles::AddRoleToInstanceProfile>(),
    Entry::of::<CreateInstanceProfile>(),
    Entry::of::<DeleteInstanceProfile>(),
    Entry::of::<GetInstanceProfile>(),
    Entry::of::<ListInstanceProfiles>(),
    Entry::of::<roles::ListInstanceProfilesForRole>(),
    Entry::of::<ListTags<InstanceProfile>>(),
    Entry::of::<roles::RemoveRoleFromInstanceProfile>(),
    Entry::of::<TagEntity<InstanceProfile>>(),
    Entry::of::<UntagEntity<InstanceProfile>>(),
];

/// An instance profile as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    path: String,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: String,
    create_date: String,
    roles: Vec<role::View>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<entity::TagView>,
}

/// An instance profile's view; lists leave its tags out, as AWS does.
pub fn view(world: &World, record: &InstanceProfileRecord, listed: bool) -> View {
    let account = world.account(&record.account);
    let role = account.zip(record.role.as_ref()).and_then(|(it, name)| it.roles.find(name));
    View {
        path: record.path.clone(),
        instance_profile_name: record.name.clone(),
        instance_profile_id: record.id.to_string(),
        arn: arn(record),
        create_date: iso_seconds(record.created),
        roles: role.into_iter().map(|role| role::view(world, &role.record)).collect(),
        tags: if listed { Vec::new() } else { entity::views(&record.tags) },
    }
}

fn arn(record: &InstanceProfileRecord) -> String {
    entity::arn("instance-profile", &record.account, &record.path, &record.name)
}

/// What is asked about a profile that is named.
fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
    let found = cx.account()?.instance_profiles.find(name);
    let found = found.map(|record| (arn(record), record.tags.as_slice()));
    entity::ask(cx, action, "instance-profile", found, name)
}

/// The profile of that name.
fn find(cx: &Cx<'_>, name: &str) -> Result<InstanceProfileRecord> {
    let found = cx.account()?.instance_profiles.find(name);
    found.map(|record| InstanceProfileRecord::clone(record)).ok_or_else(|| {
        Error::new(NO_SUCH_ENTITY, format!("Instance Profile {name} cannot be found."))
    })
}

fn put(record: InstanceProfileRecord) -> Vec<Change> {
    vec![Change::Put(Entity::InstanceProfile(record))]
}

/// Instance profiles, to what all tagged entities share.
pub struct InstanceProfile;

impl Tagged for InstanceProfile {
    const TAG: &'static str = "TagInstanceProfile";
    const UNTAG: &'static str = "UntagInstanceProfile";
    const LIST_TAGS: &'static str = "ListInstanceProfileTags";
    type Record = InstanceProfileRecord;

    fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
        ask(cx, action, name)
    }
    fn find(cx: &Cx<'_>, name: &str) -> Result<InstanceProfileRecord> {
        find(cx, name)
    }
    fn tags(record: &InstanceProfileRecord) -> &[Tag] {
        &record.tags
    }
    fn set_tags(record: &mut InstanceProfileRecord, tags: Vec<Tag>) {
        record.tags = tags;
    }
    fn put(record: InstanceProfileRecord) -> Vec<Change> {
        put(record)
    }
}

/// A name alone.
#[derive(Deserialize)]
pub struct Named {
    #[serde(rename = "InstanceProfileName")]
    name: String,
}

/// One instance profile.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneProfile {
    instance_profile: View,
}

/// Instance profiles by pages.
fn listed<'a>(
    cx: &Cx<'_>,
    records: impl Iterator<Item = &'a InstanceProfileRecord>,
    wanted: &Wanted,
) -> Result<Listing<View>> {
    let page = page(cx.operation.name, records, |record| record.name.to_ascii_lowercase(), wanted)?;
    Ok(page.map(|record| view(&cx.world, record, true)).listed("InstanceProfiles"))
}

/// `CreateInstanceProfile`
pub struct CreateInstanceProfile;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    #[serde(rename = "InstanceProfileName")]
    name: String,
    path: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreateInstanceProfile {
    const NAME: &'static str = "CreateInstanceProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneProfile;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let path = input.path.as_deref().unwrap_or("/");
        let arn = entity::arn("instance-profile", &account, path, &input.name);
        let ask = Ask::identity(cx, "iam:CreateInstanceProfile", &arn, account);
        let ask = ask.request_tags(&input.tags);
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagInstanceProfile"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneProfile>> {
        let account = cx.account()?;
        if account.instance_profiles.find(&input.name).is_some() {
            let text = format!("Instance Profile {} already exists.", input.name);
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        if account.instance_profiles.len() >= MAX_PROFILES {
            let text =
                format!("Cannot exceed quota for InstanceProfilesPerAccount: {MAX_PROFILES}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        entity::check_tags(&input.tags)?;
        let record = InstanceProfileRecord {
            account: account.record.id,
            name: input.name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: UniqueId::fresh(Prefix::InstanceProfile),
            created: cx.now.as_millisecond(),
            role: None,
            tags: input.tags,
        };
        let instance_profile = view(&cx.world, &record, false);
        Ok(Done::write(OneProfile { instance_profile }, put(record)))
    }
}

/// `GetInstanceProfile`
pub struct GetInstanceProfile;

impl Action for GetInstanceProfile {
    const NAME: &'static str = "GetInstanceProfile";
    const EFFECT: Effect = Effect::Read;
    type Input = Named;
    type Output = OneProfile;

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<OneProfile>> {
        let record = find(cx, &input.name)?;
        Ok(Done::read(OneProfile { instance_profile: view(&cx.world, &record, false) }))
    }
}

/// `DeleteInstanceProfile`: only one without a role.
pub struct DeleteInstanceProfile;

impl Action for DeleteInstanceProfile {
    const NAME: &'static str = "DeleteInstanceProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = find(cx, &input.name)?;
        if record.role.is_some() {
            let text = format!("Cannot delete entity, {}", roles::HELD);
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        let id = world::named(&record.account, &record.name);
        Ok(Done::write((), vec![Change::Delete(Kind::InstanceProfile, id)]))
    }
}

/// `ListInstanceProfiles`
pub struct ListInstanceProfiles;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "PathPrefix")]
    path_prefix: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListInstanceProfiles {
    const NAME: &'static str = "ListInstanceProfiles";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let arn = entity::arn("instance-profile", &account, prefix, "");
        Ok(vec![Ask::identity(cx, "iam:ListInstanceProfiles", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let all = cx.account()?.instance_profiles.iter().map(|record| &**record);
        let found = all.filter(|record| record.path.starts_with(prefix));
        Ok(Done::read(listed(cx, found, &input.wanted)?))
    }
}
