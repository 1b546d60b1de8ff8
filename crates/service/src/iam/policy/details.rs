//! A managed policy with all its versions and their documents.

use serde::Serialize;

use super::usage::Usage;
use super::{Managed, versions, view};

/// A policy as `GetAccountAuthorizationDetails` tells it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Details {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: String,
    update_date: String,
    policy_version_list: Vec<versions::View>,
}

/// All there is to tell.
pub fn of(policy: &Managed, usage: &Usage<'_>) -> Details {
    let it = view(policy, usage, false);
    Details {
        policy_name: it.policy_name,
        policy_id: it.policy_id,
        arn: it.arn,
        path: it.path,
        default_version_id: it.default_version_id,
        attachment_count: it.attachment_count,
        permissions_boundary_usage_count: it.permissions_boundary_usage_count,
        is_attachable: it.is_attachable,
        description: it.description,
        create_date: it.create_date,
        update_date: it.update_date,
        policy_version_list: versions::with_documents(policy),
    }
}
