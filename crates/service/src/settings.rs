//! What an operator may choose, as plain data. The configuration file is read elsewhere.

use std::collections::HashMap;

use policy::AccountId;

use crate::audit::Durability;
use crate::idp;

/// Settings of the whole installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region that answers name where the client named none.
    pub region: String,
    /// Region names accepted in a signature's scope; none accepts every well-formed name.
    pub regions: Option<Vec<String>>,
    /// The URL by which others reach the server, without a slash at the end: the issuer of tokens.
    pub public_url: String,
    /// The account that the first start makes, with its administrator.
    pub account: AccountId,
    /// Settings of OIDC providers that AWS has no field for.
    pub providers: Providers,
    /// How safe the receipt of issued credentials is before they leave.
    pub issuing: Durability,
}

/// Settings of identity providers, found by provider ARN.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// By ARN; `*` instead of the account means this provider in every account.
    by_arn: HashMap<String, Provider>,
    /// For every provider whose name begins with this, in every account.
    below: Option<(String, Provider)>,
}

impl Providers {
    /// Settings by ARN, where `*` instead of the account stands for every account.
    pub fn new(by_arn: HashMap<String, Provider>) -> Self {
        Self { by_arn, below: None }
    }

    /// The same for every provider whose name (URL without scheme) begins with `prefix`, unless it
    /// has settings of its own: the built-in test issuer has as many names as a test wants.
    #[must_use]
    pub fn all_below(self, prefix: String, provider: Provider) -> Self {
        Self { below: Some((prefix, provider)), ..self }
    }

    /// The same with other settings for one provider.
    #[must_use]
    pub fn with(mut self, arn: String, provider: Provider) -> Self {
        self.by_arn.insert(arn, provider);
        self
    }

    /// The settings of the provider with this ARN: its own, else those for every account.
    pub fn get(&self, arn: &str) -> Option<&Provider> {
        if let Some(own) = self.by_arn.get(arn) {
            return Some(own);
        }
        if self.by_arn.is_empty() && self.below.is_none() {
            return None;
        }
        // arn, aws, iam, no region, the account, and a resource that may have colons itself.
        let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let everywhere = arn.replacen(account, "*", 1);
        self.by_arn.get(&everywhere).or_else(|| {
            let (prefix, provider) = self.below.as_ref()?;
            let name = resource.strip_prefix("oidc-provider/")?;
            name.starts_with(prefix.as_str()).then_some(provider)
        })
    }
}

/// What AWS has no field for, of one identity provider.
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
    /// What a SAML provider's assertions may be addressed to.
    pub saml: Saml,
}

/// What AWS has no field for, of one SAML provider.
#[derive(Clone, Debug, Default)]
pub struct Saml {
    /// Audiences besides AWS's own.
    pub audiences: Vec<String>,
    /// Recipients and destinations besides AWS's sign-in addresses.
    pub addresses: Vec<String>,
    /// Seconds that clocks may differ; AWS's five minutes unless set.
    pub skew: Option<i64>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(providers: &Providers, arn: &str) -> Option<claims::Checks> {
        providers.get(arn).map(|provider| provider.checks)
    }

    #[test]
    fn a_providers_own_settings_come_before_those_for_every_account() {
        let aws = Provider { checks: claims::Checks::Aws, ..Provider::default() };
        let providers = Providers::new(HashMap::from([
            ("arn:aws:iam::111122223333:oidc-provider/idp.example".to_owned(), aws.clone()),
            ("arn:aws:iam::*:oidc-provider/idp.example".to_owned(), Provider::default()),
        ]))
        .all_below("127.0.0.1:1/_issuer/".to_owned(), aws);
        let found = |arn: String| checks(&providers, &arn);
        let of = |account: &str, name: &str| format!("arn:aws:iam::{account}:oidc-provider/{name}");
        assert_eq!(found(of("111122223333", "idp.example")), Some(claims::Checks::Aws));
        assert_eq!(found(of("444455556666", "idp.example")), Some(claims::Checks::Strict));
        assert_eq!(found(of("444455556666", "idp.example/x")), None);
        assert_eq!(found(of("444455556666", "127.0.0.1:1/_issuer/a")), Some(claims::Checks::Aws));
        assert_eq!(found(of("444455556666", "127.0.0.1:12/_issuer/a")), None);
        assert_eq!(checks(&Providers::default(), &of("444455556666", "idp.example")), None);
    }
}
