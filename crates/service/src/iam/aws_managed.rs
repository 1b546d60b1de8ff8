//! The AWS-managed policies that are known here, as data: those whose text is short and stable.
//!
//! A policy that is not in the table does not exist: attaching it is refused, as for any other
//! missing policy. Source: AWS Managed Policy Reference.

use std::sync::{Arc, LazyLock};

use policy::{Document, Kind, Strictness};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A policy that AWS manages: one version, `v1`, that nobody changes.
pub struct AwsManaged {
    /// The name.
    pub name: String,
    /// `/`, `/job-function/`, `/service-role/`.
    pub path: String,
    /// `ANPA…`, the same everywhere.
    pub id: String,
    /// AWS's description.
    pub description: String,
    /// `arn:aws:iam::aws:policy/…`
    pub arn: String,
    /// The JSON text.
    pub text: String,
    /// The same, parsed.
    pub document: Arc<Document>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    path: String,
    id: String,
    description: String,
    document: Box<RawValue>,
}

static TABLE: LazyLock<Vec<AwsManaged>> = LazyLock::new(|| {
    let rows: Vec<Row> = serde_json::from_str(include_str!("aws_managed.json")).unwrap_or_default();
    rows.into_iter().filter_map(read).collect()
});

/// All, in the order of the table.
pub fn all() -> &'static [AwsManaged] {
    &TABLE
}

/// The policy of that ARN.
pub fn find(arn: &str) -> Option<&'static AwsManaged> {
    // Almost no ARN is one of these: spare the table.
    arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    TABLE.iter().find(|policy| policy.arn == arn)
}

/// The document of that ARN.
pub fn document(arn: &str) -> Option<Arc<Document>> {
    find(arn).map(|policy| Arc::clone(&policy.document))
}

fn read(row: Row) -> Option<AwsManaged> {
    let text = row.document.get().to_owned();
    let document = Document::parse(&text, Kind::Identity, Strictness::Stored).ok()?;
    Some(AwsManaged {
        arn: format!("arn:aws:iam::aws:policy{}{}", row.path, row.name),
        name: row.name,
        path: row.path,
        id: row.id,
        description: row.description,
        document: Arc::new(document),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_policy() {
        let rows: Vec<Row> = serde_json::from_str(include_str!("aws_managed.json")).unwrap();
        assert_eq!(all().len(), rows.len());
        assert!(find("arn:aws:iam::aws:policy/AdministratorAccess").is_some());
        assert!(find("arn:aws:iam::aws:policy/administratoraccess").is_none());
        assert!(find("arn:aws:iam::111122223333:policy/AdministratorAccess").is_none());
    }
}
