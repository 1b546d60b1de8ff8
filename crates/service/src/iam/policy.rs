//! Customer-managed policies and their versions.

use policy::AccountId;

use super::entity::NO_SUCH_ENTITY;
use crate::error::{Error, Result, code};
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

/// A managed policy must exist to be attached.
///
/// # Errors
/// `ValidationError` for what is no ARN, `NoSuchEntity` for what does not exist.
pub fn attachable(world: &World, account: AccountId, arn: &str) -> Result<()> {
    if policy::Arn::parse(arn).is_err() {
        return Err(Error::new(code::VALIDATION_ERROR, "Invalid ARN:  Could not be parsed!"));
    }
    match world.account(&account).and_then(|account| document_of(account, arn)) {
        Some(_) => Ok(()),
        None => Err(Error::new(
            NO_SUCH_ENTITY,
            format!("Policy {arn} does not exist or is not attachable."),
        )),
    }
}
