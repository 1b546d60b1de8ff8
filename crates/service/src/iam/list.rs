//! Lists of roles, users and groups, by path.

use std::marker::PhantomData;

use serde::Deserialize;

use super::bearer::{Bearer, Group, Role, User};
use super::page::{Listing, Wanted, page};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;

/// The actions of this file.
pub const ACTIONS: [Entry; 3] =
    [Entry::of::<List<Role>>(), Entry::of::<List<User>>(), Entry::of::<List<Group>>()];

/// `ListRoles`, `ListUsers`, `ListGroups`
pub struct List<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct Input {
    #[serde(rename = "PathPrefix")]
    path_prefix: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Input {
    fn prefix(&self) -> &str {
        self.path_prefix.as_deref().unwrap_or("/")
    }
}

impl<B: Bearer> Action for List<B> {
    const NAME: &'static str = B::LIST;
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Listing<B::View>;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = format!("arn:aws:iam::{account}:{}{}", B::KIND, input.prefix());
        Ok(vec![Ask::identity(cx, &format!("iam:{}", B::LIST), &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: Input,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<B::View>>> {
        let all = B::all(cx.account()?);
        let wanted = all.filter(|record| B::path(record).starts_with(input.prefix()));
        let page = page(
            cx.operation.name,
            wanted,
            |record| B::name(record).to_ascii_lowercase(),
            &input.wanted,
        )?;
        let page = page.map(|record| B::view(&cx.world, record));
        Ok(Done::read(page.listed(B::LIST_FIELD)))
    }
}
