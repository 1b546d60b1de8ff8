//! What an operator may choose, as plain data. The configuration file is read elsewhere.

use std::collections::HashMap;

use policy::AccountId;

use crate::idp;

/// Settings of the whole installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region that answers name where the client named none.
    pub region: String,
    /// Region names accepted in a signature's scope; none accepts every well-formed name.
    pub regions: Option<Vec<String>>,
    /// The account that the first start makes, with its administrator.
    pub account: AccountId,
    /// Settings of OIDC providers that AWS has no field for, by provider ARN.
    pub providers: HashMap<String, Provider>,
}

/// What AWS has no field for, of one OIDC provider.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// How strictly a token is read.
    pub checks: claims::Checks,
    /// Claims that become condition keys although AWS would not see them, with their types.
    /// Empty is AWS's own set.
    pub extended_claims: Vec<ExtendedClaim>,
    /// Claims that become session tags although the token has no tags claim for them: ours.
    pub tag_mapping: claims::mapping::Mapping,
    /// How the provider is reached.
    pub reach: idp::ProviderSettings,
}

/// A claim that the configuration declares as a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedClaim {
    /// The claim's name, exactly.
    pub name: String,
    /// Its type; a claim of another type is left out.
    pub kind: ClaimKind,
}

/// The type of an extended claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimKind {
    /// A JSON string.
    String,
    /// An array of strings: a multivalued key.
    List,
    /// A JSON number.
    Number,
    /// A JSON boolean.
    Bool,
}
