//! Which role is in which instance profile.

use policy::SetBy;
use serde::Deserialize;

use super::{View, ask, find, listed, put};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::bearer::{self, Bearer, Role};
use crate::iam::entity::{LIMIT_EXCEEDED, NO_SUCH_ENTITY};
use crate::iam::page::Listing;
use crate::iam::page::Wanted;
use crate::record::{InstanceProfileRecord, RoleRecord};
use crate::world::World;

/// What must be done before a role or a profile goes, in AWS's words.
pub const HELD: &str = "must remove roles from instance profile first.";

/// Whom a profile hands its role to.
const MACHINES: &str = "ec2.amazonaws.com";

/// The profiles that have the role.
pub fn of_role<'w>(
    world: &'w World,
    role: &RoleRecord,
) -> impl Iterator<Item = &'w InstanceProfileRecord> {
    let profiles = world
        .account(&role.account)
        .into_iter()
        .flat_map(|it| it.instance_profiles.iter().map(|record| &**record));
    let name = role.name.clone();
    profiles.filter(move |record| record.role.as_deref() == Some(name.as_str()))
}

/// What must be taken from a role before it can be deleted.
pub fn held(world: &World, role: &RoleRecord) -> Option<&'static str> {
    of_role(world, role).next().map(|_| HELD)
}

/// A profile and a role.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    instance_profile_name: String,
    role_name: String,
}

/// `AddRoleToInstanceProfile`: who does it passes the role to every machine with the profile.
pub struct AddRoleToInstanceProfile;

impl Action for AddRoleToInstanceProfile {
    const NAME: &'static str = "AddRoleToInstanceProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let pass = bearer::ask::<Role>(cx, "PassRole", &input.role_name)?;
        let pass = pass.key("iam:PassedToService", MACHINES, SetBy::Request);
        Ok(vec![ask(cx, Self::NAME, &input.instance_profile_name)?, pass])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find(cx, &input.instance_profile_name)?;
        let role = bearer::find::<Role>(&cx.world, record.account, &input.role_name)?;
        Role::changeable(role)?;
        if record.role.is_some() {
            let text = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        record.role = Some(role.name.clone());
        Ok(Done::write((), put(record)))
    }
}

/// `RemoveRoleFromInstanceProfile`
pub struct RemoveRoleFromInstanceProfile;

impl Action for RemoveRoleFromInstanceProfile {
    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.instance_profile_name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find(cx, &input.instance_profile_name)?;
        let role = bearer::find::<Role>(&cx.world, record.account, &input.role_name)?;
        if record.role.as_deref() != Some(role.name.as_str()) {
            let text = format!(
                "The role with name {} is not in instance profile {}.",
                role.name, record.name
            );
            return Err(Error::new(NO_SUCH_ENTITY, text));
        }
        record.role = None;
        Ok(Done::write((), put(record)))
    }
}

/// `ListInstanceProfilesForRole`
pub struct ListInstanceProfilesForRole;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "RoleName")]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListInstanceProfilesForRole {
    const NAME: &'static str = "ListInstanceProfilesForRole";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![bearer::ask::<Role>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let role = bearer::find::<Role>(&cx.world, cx.caller.account()?, &input.name)?;
        Ok(Done::read(listed(cx, of_role(&cx.world, role), &input.wanted)?))
    }
}
