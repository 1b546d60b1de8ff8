//! Customer-managed policies and their versions.

use policy::AccountId;

use super::entity::NO_SUCH_ENTITY;
use crate::error::{Error, Result};
use crate::world::{World, document_of};

/// A permissions boundary must be a policy that exists.
///
/// # Errors
/// `NoSuchEntity`.
pub fn check_boundary(world: &World, account: AccountId, arn: Option<&str>) -> Result<()> {
    let Some(arn) = arn else { return Ok(()) };
    match world.account(&account).and_then(|account| document_of(account, arn)) {
        Some(_) => Ok(()),
        None => Err(Error::new(
            NO_SUCH_ENTITY,
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
    }
}
