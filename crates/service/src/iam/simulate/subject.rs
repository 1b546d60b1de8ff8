//! Whose policies a simulation asks, under the names by which the simulator tells of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::{Arn, Compiled, Document, Kind, Named, PolicyId, PolicyKind, Strictness};
use serde::Deserialize;

use super::{Request, Source, SourceKind, invalid, last};
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::NO_SUCH_ENTITY;
use crate::record::Policies;
use crate::world::{self, Account, Corrupt};

/// The policies on one side, and who has them.
pub struct Subject {
    /// Identity policies.
    pub identity: Vec<Named>,
    /// The boundary: one policy, or none where an attached one is gone.
    pub boundary: Option<Vec<Named>>,
    /// The organization's policies by level.
    pub scps: Option<Vec<Arc<Compiled>>>,
    /// The entity, of a simulation of one.
    pub entity: Option<Entity>,
}

/// A stored user, group or role.
pub struct Entity {
    /// With its path.
    pub arn: Arn,
    /// `AIDA…`
    pub id: policy::UniqueId,
}

/// One level of an organization.
#[derive(Deserialize)]
pub struct Level {
    #[serde(default, rename = "ServiceControlPolicyInputList")]
    policies: Vec<String>,
}

/// Stored policies to leave out: of a type, by ARN, or one inline policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Exclusion {
    policy_type: Option<String>,
    policy_arn: Option<String>,
    inline_policy_identifier: Option<Inline>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    policy_name: String,
    attachment_type: String,
    attachment_name: String,
}

impl Subject {
    /// The policies of the input.
    ///
    /// # Errors
    /// `InvalidInput` for a policy that cannot be read, two boundaries, or an empty level.
    pub fn custom(request: &Request, organization: &[Level]) -> Result<Self> {
        let levels = organization.iter().zip(1..).map(|(level, at)| level.compile(at));
        let levels = levels.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            identity: given(request)?,
            boundary: given_boundary(request)?,
            scps: (!levels.is_empty()).then_some(levels),
            entity: None,
        })
    }

    /// The policies of a stored entity without those excluded, and those of the input.
    ///
    /// # Errors
    /// As [`Subject::custom`]; `NoSuchEntity`; `InvalidInput` for another account's.
    pub fn stored(
        cx: &Cx<'_>,
        source: &Source,
        request: &Request,
        exclusions: &[Exclusion],
    ) -> Result<Self> {
        let found = Found::of(cx, source)?;
        let excludes = |kind: &str| {
            exclusions.iter().any(|exclusion| exclusion.policy_type.as_deref() == Some(kind))
        };
        let kept = |named: &Named| !exclusions.iter().any(|it| it.covers(&named.id));
        let identity = found.identity.into_iter().filter(kept).map(renamed);
        let boundary = found.boundary.filter(|_| !excludes("permission-boundary"));
        let scps = cx.account()?.scps.clone();
        Ok(Self {
            identity: identity.chain(given(request)?).collect(),
            boundary: given_boundary(request)?.or(boundary),
            scps: scps.filter(|_| !excludes("scp")),
            entity: Some(found.entity),
        })
    }
}

/// What an entity has, as it is stored.
pub struct Found {
    /// Its own policies and its groups', each managed policy once.
    pub identity: Vec<Named>,
    /// Its boundary.
    pub boundary: Option<Vec<Named>>,
    /// Which it is.
    pub entity: Entity,
}

impl Found {
    /// Looks an entity up by its name.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for another account's.
    pub fn of(cx: &Cx<'_>, source: &Source) -> Result<Self> {
        let account = cx.account()?;
        let (own, theirs) = (account.record.id.as_str(), source.arn.account());
        if own != theirs {
            return Err(invalid(format!(
                "Invalid Policy Source Arn: caller's account {own} does not have access to \
                 policies in account {theirs}."
            )));
        }
        let found = find(account, source)
            .map_err(|corrupt| Error::internal(format!("{corrupt:?}")))?
            .ok_or_else(|| {
                Error::new(NO_SUCH_ENTITY, "Unable to retrieve specified IAM entity.")
            })?;
        let mut seen = BTreeSet::new();
        let first = |named: &Named| named.id.arn.clone().is_none_or(|arn| seen.insert(arn));
        let identity = found.identity.into_iter().filter(first).collect();
        Ok(Self { identity, ..found })
    }
}

fn find(account: &Account, source: &Source) -> std::result::Result<Option<Found>, Corrupt> {
    let of = |policies: &Policies, arn: &Arn| world::policies_of(account, policies, arn);
    let entity = |arn: &Arn, id: &str| Entity { arn: arn.clone(), id: policy::UniqueId::new(id) };
    let boundary = |arn: Option<&String>| {
        let arn = arn?;
        Some(world::named_managed(account, arn, PolicyKind::Boundary).into_iter().collect())
    };
    let name = source.name();
    Ok(match source.kind {
        SourceKind::User => match account.users.find(name) {
            None => None,
            Some(user) => {
                let mut identity = of(&user.record.policies, &user.arn)?;
                for group in user.record.groups.iter().filter_map(|it| account.groups.find(it)) {
                    identity.extend(of(&group.record.policies, &group.arn)?);
                }
                let boundary = boundary(user.record.boundary.as_ref());
                let entity = entity(&user.arn, user.record.id.as_str());
                Some(Found { identity, boundary, entity })
            }
        },
        SourceKind::Group => match account.groups.find(name) {
            None => None,
            Some(group) => {
                let identity = of(&group.record.policies, &group.arn)?;
                let entity = entity(&group.arn, group.record.id.as_str());
                Some(Found { identity, boundary: None, entity })
            }
        },
        SourceKind::Role => match account.roles.find(name) {
            None => None,
            Some(role) => {
                let identity = of(&role.record.policies, &role.arn)?;
                let boundary = boundary(role.record.boundary.as_ref());
                let entity = entity(&role.arn, role.record.id.as_str());
                Some(Found { identity, boundary, entity })
            }
        },
    })
}

/// Inline policies are told by whose they are: `user_anna_own`; others by their friendly name.
fn renamed(mut named: Named) -> Named {
    if let (PolicyKind::Inline, Some(owner)) = (named.id.kind, &named.id.owner) {
        named.id.name = format!("{}_{}_{}", owner.resource_type(), last(owner), named.id.name);
    }
    named
}

impl Exclusion {
    /// Whether it names this identity policy. Those of the input and boundaries are not its
    /// business, even where they are the same managed policy.
    fn covers(&self, id: &PolicyId) -> bool {
        let account = id.arn.as_ref().map(Arn::account);
        let of_type = match self.policy_type.as_deref() {
            Some("inline") => id.kind == PolicyKind::Inline,
            Some("aws-managed") => account == Some("aws"),
            Some("user-managed") => account.is_some_and(|account| account != "aws"),
            _ => false,
        };
        // The path may be left out of the ARN.
        let of_arn = id.arn.as_ref().zip(self.policy_arn.as_ref()).is_some_and(|(arn, wanted)| {
            let pathless = format!("arn:aws:iam::{}:policy/{}", arn.account(), last(arn));
            arn.as_str() == wanted || pathless == *wanted
        });
        let of_name = self.inline_policy_identifier.as_ref().zip(id.owner.as_ref());
        let of_name = of_name.is_some_and(|(inline, owner)| {
            id.kind == PolicyKind::Inline
                && id.name.eq_ignore_ascii_case(&inline.policy_name)
                && owner.resource_type() == inline.attachment_type
                && last(owner).eq_ignore_ascii_case(&inline.attachment_name)
        });
        of_type || of_arn || of_name
    }
}

impl Level {
    fn compile(&self, at: usize) -> Result<Arc<Compiled>> {
        if self.policies.is_empty() {
            return Err(invalid(format!(
                "Organization policy at index {at} must contain at least one service control \
                 policy"
            )));
        }
        let named = self.policies.iter().map(|text| {
            let wrong = format!("Organization policy at index {at} has invalid content");
            read(text, Kind::Scp, PolicyId::new("", PolicyKind::Scp), &wrong)
        });
        Ok(Arc::new(Compiled::new(named.collect::<Result<Vec<_>>>()?)))
    }
}

/// The identity policies of the input.
fn given(request: &Request) -> Result<Vec<Named>> {
    let numbered = request.policy_input_list.iter().zip(1..);
    let named = numbered.map(|(text, at)| {
        let id = PolicyId::new(format!("PolicyInputList.{at}"), PolicyKind::Inline);
        read(text, Kind::Identity, id, &invalid_item(at))
    });
    named.collect()
}

/// How AWS refuses a policy of the input.
pub fn invalid_item(at: usize) -> String {
    format!("Policy input list item {at} has invalid content")
}

fn given_boundary(request: &Request) -> Result<Option<Vec<Named>>> {
    match request.permissions_boundary_policy_input_list.as_slice() {
        [] => Ok(None),
        [text] => {
            let name = "PermissionsBoundaryPolicyInputList.1";
            let id = PolicyId::new(name, PolicyKind::Boundary);
            let wrong = "Permissions boundary policy input list item 1 has invalid content";
            Ok(Some(vec![read(text, Kind::Boundary, id, wrong)?]))
        }
        _ => Err(invalid("The list of Permissions Boundary policies cannot exceed 1 items.")),
    }
}

/// Reads a policy of the input. The client is told no more than that it is wrong, as by AWS; where
/// and why goes to the log book.
pub fn read(text: &str, kind: Kind, id: PolicyId, wrong: &str) -> Result<Named> {
    let parsed = Document::parse(text, kind, Strictness::Stored);
    let document = parsed.map_err(|rejection| {
        let precise = Error::policy(text, &rejection);
        Error { diagnostics: precise.diagnostics, ..invalid(wrong) }
    })?;
    Ok(Named::new(id, Arc::new(document)))
}
