//! An organization's policies over an account, as data: what the operator puts there binds the
//! account's principals (SCPs) and resources (RCPs), level by level.

use policy::{AccountId, Document, Kind, Strictness};
use serde::Deserialize;
use serde_json::Value;

use super::{BootstrapError, Plane};
use crate::audit::{Draft, UserIdentity};
use crate::ids;
use crate::record::{AccountRecord, InlinePolicy};
use crate::world::{Change, Entity};

/// What binds an account: lists of policies by level, from the organization's root down. A level
/// without a matching Allow blocks; no levels at all means no organization.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Service control policies.
    #[serde(default)]
    pub scps: Option<Vec<Vec<OrganizationPolicy>>>,
    /// Resource control policies.
    #[serde(default)]
    pub rcps: Option<Vec<Vec<OrganizationPolicy>>>,
}

/// One policy of an organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPolicy {
    /// Its name.
    pub name: String,
    /// The document.
    pub document: Value,
}

impl Plane {
    /// Puts an account under these policies, in place of those that were there.
    ///
    /// # Errors
    /// An account or a document that is none; nothing is changed then.
    pub async fn guard(&self, id: AccountId, wanted: Organization) -> Result<(), BootstrapError> {
        let _writer = self.writer().await;
        let world = self.world();
        let account = world.account(&id).ok_or(BootstrapError::Missing(id))?;
        if let Some(membership) = &account.record.membership {
            let text = format!("{id} belongs to {}, which has them", membership.organization);
            return Err(BootstrapError::Policy(text));
        }
        let record = AccountRecord {
            scps: wanted.scps.map(|levels| checked(levels, Kind::Scp)).transpose()?,
            rcps: wanted.rcps.map(|levels| checked(levels, Kind::Rcp)).transpose()?,
            ..account.record.clone()
        };
        let now = self.now();
        let mut draft = Draft::new(&ids::uuid(), now);
        draft.call("vestibule", "GuardAccount", false);
        let operator = Some("operator".to_owned());
        draft.caller(UserIdentity { invoked_by: operator, ..UserIdentity::unknown() }, true);
        draft.account(id.as_str());
        draft.request(&serde_json::json!({ "Scps": record.scps, "Rcps": record.rcps }));
        draft.allowed();
        let event = draft.finish(now);
        self.commit(&world, &[Change::Put(Entity::Account(record))], &event).await?;
        self.deliver_receipts().await
    }
}

fn checked(
    levels: Vec<Vec<OrganizationPolicy>>,
    kind: Kind,
) -> Result<Vec<Vec<InlinePolicy>>, BootstrapError> {
    let one = |policy: OrganizationPolicy| {
        let text = policy.document.to_string();
        Document::parse(&text, kind, Strictness::Stored).map_err(|rejection| {
            BootstrapError::Policy(format!("{}: {}", policy.name, rejection.message))
        })?;
        Ok(InlinePolicy { name: policy.name, document: text })
    };
    levels.into_iter().map(|level| level.into_iter().map(one).collect()).collect()
}
