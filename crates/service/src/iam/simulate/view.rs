//! What a simulation answers, as AWS writes it.

use std::collections::BTreeMap;

use policy::{Position, Verdict};
use serde::{Serialize, Serializer};

/// The answer about one action.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    pub eval_action_name: String,
    pub eval_resource_name: String,
    #[serde(serialize_with = "word")]
    pub eval_decision: Verdict,
    pub matched_statements: Vec<Matched>,
    pub missing_context_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations_decision_detail: Option<Organizations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<Boundary>,
    /// Empty for resources of the caller's account, absent where no resource was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_specific_results: Option<Vec<ResourceResult>>,
}

/// The answer about one resource. Lists that would be empty are left out here, and only here.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceResult {
    pub eval_resource_name: String,
    #[serde(serialize_with = "word")]
    pub eval_resource_decision: Verdict,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matched_statements: Vec<Matched>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_context_values: Vec<String>,
    #[serde(skip_serializing_if = "Details::is_empty")]
    pub eval_decision_details: Details,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<Boundary>,
    /// Told for the action as a whole.
    #[serde(skip)]
    pub organizations: Option<bool>,
}

/// What each kind of policy says, of a resource of another account.
#[derive(Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Details(pub BTreeMap<&'static str, Word>);

impl Details {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A statement that made the answer.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Matched {
    pub source_policy_id: String,
    pub source_policy_type: &'static str,
    pub start_position: Position,
    pub end_position: Position,
    #[serde(skip)]
    pub denies: bool,
}

/// What the organization's policies say.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Organizations {
    pub allowed_by_organizations: bool,
}

/// What the permissions boundary says.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Boundary {
    pub allowed_by_permissions_boundary: bool,
}

/// A decision in the simulator's words.
#[derive(Clone, Copy)]
pub struct Word(pub Verdict);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        word(&self.0, to)
    }
}

fn word<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match verdict {
        Verdict::Allow => "allowed",
        Verdict::ExplicitDeny => "explicitDeny",
        Verdict::ImplicitDeny => "implicitDeny",
    })
}
