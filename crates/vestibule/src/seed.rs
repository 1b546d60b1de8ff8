//! Seed files: a start state, written down once, applied when a data folder is first served.
//!
//! The format is in `docs/seed.md`. A seed becomes a list of [`Step`]s, each a call that an
//! administrator could make; applying them needs no rights of its own. What is there already is
//! left, so that a seed that grew can be applied again.

mod format;

#[cfg(test)]
mod tests;

use std::path::Path;

use aws_lc_rs::digest;
use policy::AccountId;
use serde_json::Value;
use service::plane::Plane;

use crate::{
    client::Api,
    config::Faulty,
    data::{self, DataError, DataFolder},
    operator::{Operator, Refused, element},
};

/// A seed, read and checked for form.
#[derive(Debug)]
pub struct Seed {
    steps: Vec<Step>,
    digest: String,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// In which account.
    pub account: AccountId,
    /// The IAM action.
    pub action: &'static str,
    /// Its input.
    pub input: Value,
    /// What it is about, for messages: `role developer`.
    pub about: String,
    /// Only when the step before it made something new (a second access key is not the first).
    pub only_if_new: bool,
}

/// What applying a seed did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Calls that were done.
    pub done: usize,
    /// Things that were there already.
    pub present: usize,
    /// Access keys that were made: user, id, secret.
    pub keys: Vec<MadeKey>,
}

/// An access key that a seed made; shown once.
pub struct MadeKey {
    /// Account of the user.
    pub account: AccountId,
    /// The user.
    pub user: String,
    /// The key's id.
    pub id: String,
    /// Its secret.
    pub secret: zeroize::Zeroizing<String>,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "MadeKey({})", self.id)
    }
}

/// A seed stopped at a step.
#[derive(Debug)]
pub struct Stopped {
    /// What the step was about.
    pub about: String,
    /// Its action.
    pub action: &'static str,
    /// Why.
    pub refused: Refused,
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "seed: {} ({}): {}", self.about, self.action, self.refused)
    }
}

impl std::error::Error for Stopped {}

impl Seed {
    /// Reads a seed file: TOML when its name ends in `.toml`, else JSON. Documents that it names
    /// are read too.
    ///
    /// # Errors
    /// Everything that is wrong with its form, with positions.
    pub fn read(path: &Path, default_account: AccountId) -> Result<Seed, Faulty> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Faulty::whole(path, format!("cannot be read: {error}")))?;
        Seed::parse(path, &text, default_account)
    }

    /// Reads the text of a seed file.
    ///
    /// # Errors
    /// As [`Seed::read`].
    pub fn parse(path: &Path, text: &str, default_account: AccountId) -> Result<Seed, Faulty> {
        let steps = format::steps(path, text, default_account)?;
        // Documents in other files count as well.
        let whole = format!("{steps:?}");
        let digest = hex::encode(digest::digest(&digest::SHA256, whole.as_bytes()));
        Ok(Seed { steps, digest })
    }

    /// The calls, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether this seed was applied to `folder` completely.
    pub fn is_applied(&self, folder: &DataFolder) -> bool {
        std::fs::read_to_string(folder.seed_mark()).is_ok_and(|mark| mark.trim() == self.digest)
    }

    /// Remembers in `folder` that this seed was applied completely.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn mark_applied(&self, folder: &DataFolder) -> Result<(), DataError> {
        data::write_private(&folder.seed_mark(), self.digest.as_bytes())
    }

    /// Makes the calls, in order.
    ///
    /// # Errors
    /// The first call that is refused for another reason than that its subject exists.
    pub async fn apply(&self, plane: &Plane) -> Result<Applied, Stopped> {
        let mut applied = Applied::default();
        let mut new = false;
        for step in &self.steps {
            if step.only_if_new && !new {
                applied.present += 1;
                continue;
            }
            let stopped =
                |refused| Stopped { about: step.about.clone(), action: step.action, refused };
            let operator = Operator::of(plane, step.account).map_err(stopped)?;
            match operator.call(Api::Iam, step.action, &step.input).await {
                Ok(answer) => {
                    applied.done += 1;
                    new = true;
                    applied.keys.extend(made_key(step, &answer));
                }
                Err(refused) if refused.code == "EntityAlreadyExists" => {
                    applied.present += 1;
                    new = false;
                }
                Err(refused) => return Err(stopped(refused)),
            }
        }
        Ok(applied)
    }
}

fn made_key(step: &Step, answer: &str) -> Option<MadeKey> {
    if step.action != "CreateAccessKey" {
        return None;
    }
    Some(MadeKey {
        account: step.account,
        user: step.input.get("UserName")?.as_str()?.to_owned(),
        id: element(answer, "AccessKeyId")?,
        secret: element(answer, "SecretAccessKey")?.into(),
    })
}
