//! New names and paths for users and groups. What knows them by name follows in the same commit;
//! trust policies know users by their unique ids, and need not.

use std::marker::PhantomData;

use serde::Deserialize;

use super::bearer::{Group, Renamed, User, ask, find, put, taken};
use super::entity;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::world::{self, Change};

/// The actions of this file.
pub const ACTIONS: [Entry; 2] = [Entry::of::<Update<User>>(), Entry::of::<Update<Group>>()];

/// About what an entity is, and about what it becomes.
pub fn both(now: Ask, then: &str) -> Vec<Ask> {
    let mut renamed = now.clone();
    renamed.question.resource = policy::ResourceName::new(then);
    vec![now, renamed]
}

/// `UpdateUser`, `UpdateGroup`
pub struct Update<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct Input {
    #[serde(alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(rename = "NewPath")]
    path: Option<String>,
    #[serde(alias = "NewUserName", alias = "NewGroupName")]
    new_name: Option<String>,
}

impl<B: Renamed> Action for Update<B> {
    const NAME: &'static str = B::UPDATE;
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    /// The caller must be allowed on what it is, and on what it becomes (IAM User Guide,
    /// "Renaming an IAM user").
    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let now = ask::<B>(cx, Self::NAME, &input.name)?;
        let found = cx.world.account(&account).and_then(|account| B::lookup(account, &input.name));
        let path = found.map_or("/", |(record, _)| B::path(record));
        let path = input.path.as_deref().unwrap_or(path);
        let name = input.new_name.as_deref().unwrap_or(&input.name);
        let arn = entity::arn(B::KIND, &account, path, name);
        Ok(both(now, &arn))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.account()?;
        let record = find::<B>(&cx.world, account.record.id, &input.name)?;
        let old = B::name(record);
        let name = input.new_name.unwrap_or_else(|| old.to_owned());
        let moved = !name.eq_ignore_ascii_case(old);
        if moved && B::lookup(account, &name).is_some() {
            return Err(taken::<B>(&name));
        }
        let mut changes = Vec::new();
        if moved {
            let id = world::named(&account.record.id, old);
            changes.push(Change::Delete(B::STORED, id));
        }
        if name != old {
            changes.extend(B::followers(&cx.world, record, &name));
        }
        let path = input.path.unwrap_or_else(|| B::path(record).to_owned());
        let mut record = record.clone();
        B::rename(&mut record, name, path);
        changes.extend(put::<B>(record));
        Ok(Done::write((), changes))
    }
}
