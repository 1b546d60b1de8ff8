//! `ListPolicies`.

use serde::Deserialize;

use super::usage::Usage;
use super::{Managed, View, view};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::iam::page::{Listing, Wanted, page};

/// The action.
pub struct ListPolicies;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    scope: Option<Scope>,
    #[serde(default)]
    only_attached: bool,
    path_prefix: Option<String>,
    policy_usage_filter: Option<UsageFilter>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Whose policies.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum Scope {
    /// Everyone's.
    All,
    /// AWS's.
    #[serde(rename = "AWS")]
    Aws,
    /// The account's own.
    Local,
}

/// Used as what.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum UsageFilter {
    /// Attached to an entity.
    PermissionsPolicy,
    /// An entity's boundary.
    PermissionsBoundary,
}

impl Input {
    /// The usage filter alone filters nothing, as on AWS.
    fn takes(&self, policy: &Managed, usage: &Usage<'_>) -> bool {
        let (attachments, boundaries) = usage.of(policy.arn());
        let used = match self.policy_usage_filter {
            _ if !self.only_attached => true,
            None => attachments + boundaries > 0,
            Some(UsageFilter::PermissionsPolicy) => attachments > 0,
            Some(UsageFilter::PermissionsBoundary) => boundaries > 0,
        };
        used && policy.path().starts_with(self.path_prefix.as_deref().unwrap_or("/"))
    }
}

impl Action for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Listing<View>;

    /// AWS names no ARN here: only a policy for all resources allows it.
    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let resource = format!("policy path {}", input.path_prefix.as_deref().unwrap_or("/"));
        Ok(vec![Ask::identity(cx, "iam:ListPolicies", &resource, cx.caller.account()?)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: Input,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let account = cx.account()?;
        let usage = Usage::in_account(account);
        let scope = input.scope.unwrap_or(Scope::All);
        let all = Managed::all(account, scope != Scope::Aws, scope != Scope::Local).into_iter();
        let found = all.filter(|policy| input.takes(policy, &usage));
        let page = page(cx.operation.name, found, |policy| policy.arn().to_owned(), &input.wanted)?;
        Ok(Done::read(page.map(|policy| view(&policy, &usage, true)).listed("Policies")))
    }
}
