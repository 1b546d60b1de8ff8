//! ARNs of roles and SAML providers in requests.

use policy::{AccountId, Arn};

use crate::error::{Error, Result, code};

/// A role's ARN and its account.
///
/// # Errors
/// `ValidationError` `… is invalid`, as AWS answers for what is no role's ARN.
pub fn role(text: &str) -> Result<(Arn, AccountId)> {
    let invalid = || Error::new(code::VALIDATION_ERROR, format!("{text} is invalid"));
    let arn = Arn::parse(text).map_err(|_| invalid())?;
    let account = arn.account_id().ok_or_else(invalid)?;
    let is_role = arn.partition() == "aws"
        && arn.service() == "iam"
        && arn.region().is_empty()
        && arn.resource().strip_prefix("role/").is_some_and(|name| !name.is_empty());
    if is_role { Ok((arn, account)) } else { Err(invalid()) }
}

/// A SAML provider's ARN.
///
/// # Errors
/// `ValidationError` `… is invalid`.
pub fn saml_provider(text: &str) -> Result<Arn> {
    let is_one = |arn: &Arn| {
        arn.partition() == "aws"
            && arn.service() == "iam"
            && arn.region().is_empty()
            && arn.account_id().is_some()
            && arn.resource().strip_prefix("saml-provider/").is_some_and(|it| !it.is_empty())
    };
    let found = Arn::parse(text).ok().filter(is_one);
    found.ok_or_else(|| Error::new(code::VALIDATION_ERROR, format!("{text} is invalid")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_role_arns_pass() {
        assert!(role("arn:aws:iam::111122223333:role/a/b").is_ok());
        for wrong in [
            "arn::b:::something/test-role",
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:us-east-1:111122223333:role/a",
            "arn:aws:iam::1111:role/a-long-enough-name",
        ] {
            let error = role(wrong).unwrap_err();
            assert_eq!(error.message.unwrap(), format!("{wrong} is invalid"));
        }
    }
}
