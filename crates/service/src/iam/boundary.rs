//! Permissions boundaries of roles and users.

use std::marker::PhantomData;

use policy::SetBy;
use serde::Deserialize;

use super::bearer::{Named, Principal, Role, User, ask, find_to_change, put};
use super::entity::NO_SUCH_ENTITY;
use super::policy::check_boundary;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};

/// The actions of this file.
pub const ACTIONS: [Entry; 4] = [
    Entry::of::<PutBoundary<Role>>(),
    Entry::of::<PutBoundary<User>>(),
    Entry::of::<DeleteBoundary<Role>>(),
    Entry::of::<DeleteBoundary<User>>(),
];

/// `Put…PermissionsBoundary`
pub struct PutBoundary<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct PutInput {
    #[serde(alias = "RoleName", alias = "UserName")]
    name: String,
    #[serde(rename = "PermissionsBoundary")]
    permissions_boundary: String,
}

impl<B: Principal> Action for PutBoundary<B> {
    const NAME: &'static str = B::PUT_BOUNDARY;
    const EFFECT: Effect = Effect::Write;
    type Input = PutInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &PutInput) -> Result<Vec<Ask>> {
        let ask = ask::<B>(cx, Self::NAME, &input.name)?;
        Ok(vec![ask.key("iam:PermissionsBoundary", &input.permissions_boundary, SetBy::Request)])
    }

    async fn run(cx: &mut Cx<'_>, input: PutInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.caller.account()?;
        let mut record = find_to_change::<B>(cx, &input.name)?;
        check_boundary(&cx.world, account, Some(&input.permissions_boundary))?;
        *B::boundary_mut(&mut record) = Some(input.permissions_boundary);
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `Delete…PermissionsBoundary`
pub struct DeleteBoundary<B>(PhantomData<B>);

impl<B: Principal> Action for DeleteBoundary<B> {
    const NAME: &'static str = B::DELETE_BOUNDARY;
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_to_change::<B>(cx, &input.name)?;
        if B::boundary_mut(&mut record).take().is_none() {
            let text = format!("{} has no permissions boundary.", input.name);
            return Err(Error::new(NO_SUCH_ENTITY, text));
        }
        Ok(Done::write((), put::<B>(record)))
    }
}
