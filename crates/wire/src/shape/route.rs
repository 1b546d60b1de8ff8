//! Which operation a request asks for.

use std::fmt;

use super::model::{Model, Operation};
use super::{cloudtrail, iam, sts};
use crate::json11::Target;
use crate::query::Form;

/// The request names no operation that the models know. `Display` is AWS's sentence, in the
/// namespace [`crate::query_xml::AWS_FAULT`] since no service is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoOperation {
    /// No `Action`. Code `MissingAction`, status 400.
    Missing,
    /// No such action in that version, or no such version. Code `InvalidAction`, status 400 (JSON:
    /// `UnknownOperationException`, 400, without a message).
    Unknown {
        /// The action, cut at 128 characters.
        action: String,
        /// The version, cut likewise.
        version: String,
    },
}

impl fmt::Display for NoOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => {
                f.write_str("The request is missing an action or a required parameter.")
            }
            Self::Unknown { action, version } => {
                write!(f, "Could not find operation {action} for version {version}")
            }
        }
    }
}

impl std::error::Error for NoOperation {}

impl NoOperation {
    fn unknown(action: &str, version: &str) -> Self {
        let cut = |text: &str| text.chars().take(128).collect();
        Self::Unknown { action: cut(action), version: cut(version) }
    }
}

/// The operation that a form's `Action` and `Version` name. The version tells the service.
///
/// # Errors
/// [`NoOperation`].
pub fn by_action(form: &Form<'_>) -> Result<&'static Operation, NoOperation> {
    let action = form.action().filter(|a| !a.is_empty()).ok_or(NoOperation::Missing)?;
    let version = form.version().unwrap_or("NO_VERSION_SPECIFIED");
    let model: Option<&'static Model> = match version {
        "2011-06-15" => Some(sts()),
        "2010-05-08" => Some(iam()),
        _ => None,
    };
    model
        .and_then(|model| model.operation(action))
        .ok_or_else(|| NoOperation::unknown(action, version))
}

/// The operation that an `X-Amz-Target` names.
///
/// # Errors
/// [`NoOperation::Unknown`].
pub fn by_target(target: Target<'_>) -> Result<&'static Operation, NoOperation> {
    let model = cloudtrail();
    Some(model)
        .filter(|model| model.target == target.prefix)
        .and_then(|model| model.operation(target.operation))
        .ok_or_else(|| NoOperation::unknown(target.operation, target.prefix))
}
