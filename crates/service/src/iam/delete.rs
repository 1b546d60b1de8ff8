//! Deletion of roles, users and groups: only what nothing hangs on any more.

use std::marker::PhantomData;

use super::bearer::{Bearer, Group, Named, Role, User, ask, find};
use super::entity::DELETE_CONFLICT;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::world::{self, Change};

/// The actions of this file.
pub const ACTIONS: [Entry; 3] =
    [Entry::of::<Delete<Role>>(), Entry::of::<Delete<User>>(), Entry::of::<Delete<Group>>()];

/// `DeleteRole`, `DeleteUser`, `DeleteGroup`
pub struct Delete<B>(PhantomData<B>);

impl<B: Bearer> Action for Delete<B> {
    const NAME: &'static str = B::DELETE;
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.caller.account()?;
        let record = find::<B>(&cx.world, account, &input.name)?;
        B::changeable(record)?;
        let policies = B::policies(record);
        let held = match () {
            () if !policies.attached.is_empty() => Some("must detach all policies first."),
            () if !policies.inline.is_empty() => Some("must delete policies first."),
            () => B::held(&cx.world, record),
        };
        if let Some(held) = held {
            return Err(Error::new(DELETE_CONFLICT, format!("Cannot delete entity, {held}")));
        }
        let id = world::named(&account, B::name(record));
        Ok(Done::write((), vec![Change::Delete(B::STORED, id)]))
    }
}
