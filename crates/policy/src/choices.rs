//! Every point where the sources on IAM disagree or are silent, as a named switch.
//!
//! `CHOSEN` is what this project does. Sources: UG = IAM User Guide; SD = captures of real AWS
//! answers published by others; CC = an open-source simulator and its tests; AG = captures of STS
//! answers. Each switch has its twin cases in the topic of `corpus/policy/` that it belongs to.

use serde::{Deserialize, Serialize};

/// The readings in force. Copied into every [`Ask`](crate::Ask), so that a test can turn one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a panel of independent switches")]
pub struct Choices {
    /// A resource policy that names the exact session (or user, or `*`) allows although session
    /// policy, boundary and identity policies are silent. UG and SD: yes. CC: no.
    pub exact_grant_bypasses_narrowing: bool,
    /// `{"AWS":"*"}` in a role's trust policy matches OIDC and SAML callers. UG's wording would
    /// permit it; SD captured no.
    pub star_trust_matches_federation: bool,
    /// `{"AWS":"*"}` in a trust policy frees a caller of the same account from needing
    /// `sts:AssumeRole` in its own policies. Follows from the bypass rule; AG only saw
    /// that cross-account callers are not freed.
    pub star_trust_suffices_in_account: bool,
    /// The action pattern `*:*` matches every action. CC: nothing. Believed: all.
    pub star_colon_star_is_all: bool,
    /// `ForAnyValue:…IfExists` is true for a missing key. Documentation suggests yes; SD: no.
    pub for_any_if_exists_true_when_missing: bool,
    /// An empty text value counts as a missing key for `ForAllValues` and `Null`. UG says so for
    /// ForAllValues; SD captured an empty tag value as present.
    pub empty_value_is_missing: bool,
    /// A number that cannot be read satisfies `NumericNotEquals`. SD: yes in enforcement, no in
    /// AWS's simulator, which turns this off.
    pub unreadable_number_is_not_equal: bool,
    /// In a same-account simulation a resource policy that names the account suffices alone
    /// (SD, simulator only; never in enforcement).
    pub account_grant_suffices: bool,
    /// `Federated` principals of resource policies other than role trust match later requests of
    /// sessions whose `aws:FederatedProvider` equals them. Unknown; documented only for trust.
    pub provider_grant_outside_trust: bool,
}

impl Choices {
    /// What this project does.
    pub const CHOSEN: Self = Self {
        exact_grant_bypasses_narrowing: true,
        star_trust_matches_federation: false,
        star_trust_suffices_in_account: true,
        star_colon_star_is_all: true,
        for_any_if_exists_true_when_missing: false,
        empty_value_is_missing: false,
        unreadable_number_is_not_equal: true,
        account_grant_suffices: false,
        provider_grant_outside_trust: true,
    };
}

impl Default for Choices {
    fn default() -> Self {
        Self::CHOSEN
    }
}
