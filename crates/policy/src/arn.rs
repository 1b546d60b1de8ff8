//! Amazon resource names and account ids: the two identifiers every crate shares.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A twelve-digit AWS account id. Leading zeros are part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// Reads exactly twelve ASCII digits.
    ///
    /// # Errors
    /// [`ArnFault::Account`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ArnFault> {
        let bytes: [u8; 12] = text.as_bytes().try_into().map_err(|_| ArnFault::Account)?;
        if bytes.iter().all(u8::is_ascii_digit) { Ok(Self(bytes)) } else { Err(ArnFault::Account) }
    }

    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// `arn:aws:iam::ACCOUNT:root`, the account's root user and the name of the whole account in
    /// a resource policy.
    #[must_use]
    pub fn root_arn(&self) -> Arn {
        Arn::build("aws", "iam", "", self.as_str(), "root")
    }
}

/// Why a text is not an ARN or an account id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArnFault {
    /// Not twelve digits.
    Account,
    /// Does not begin with `arn:`.
    Prefix,
    /// Fewer than six colon-separated parts.
    Parts,
    /// Longer than [`Arn::MAX`] bytes.
    Length,
}

impl fmt::Display for ArnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "an account id has twelve digits",
            Self::Prefix => "an ARN begins with \"arn:\"",
            Self::Parts => "an ARN has six parts: arn:partition:service:region:account:resource",
            Self::Length => "the ARN is too long",
        })
    }
}

impl std::error::Error for ArnFault {}

/// An ARN, split at its first five colons. Cheap to clone; compared by its text, case-sensitively.
#[derive(Clone)]
pub struct Arn {
    text: Arc<str>,
    colons: [u16; 5],
}

impl Arn {
    /// The longest ARN accepted, in bytes (the service models say 2048).
    pub const MAX: usize = 8192;

    /// Splits `text` at its first five colons; the parts may be empty and are not judged further.
    ///
    /// # Errors
    /// See [`ArnFault`].
    pub fn parse(text: &str) -> Result<Self, ArnFault> {
        if text.len() > Self::MAX {
            return Err(ArnFault::Length);
        }
        if !text.starts_with("arn:") {
            return Err(ArnFault::Prefix);
        }
        let colons = first_five_colons(text).ok_or(ArnFault::Parts)?;
        Ok(Self { text: text.into(), colons })
    }

    /// Puts an ARN together from parts that hold no colon (but for the resource).
    #[must_use]
    pub fn build(
        partition: &str,
        service: &str,
        region: &str,
        account: &str,
        resource: &str,
    ) -> Self {
        let text = format!("arn:{partition}:{service}:{region}:{account}:{resource}");
        let colons = first_five_colons(&text).unwrap_or_default();
        Self { text: text.into(), colons }
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn part(&self, from: usize, to: usize) -> &str {
        let start = self.colons.get(from).map_or(0, |at| usize::from(*at) + 1);
        let end = self.colons.get(to).map_or(self.text.len(), |at| usize::from(*at));
        self.text.get(start..end).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0, 1)
    }

    /// `iam`, `s3`, …
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(1, 2)
    }

    /// The region; empty for global resources.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2, 3)
    }

    /// The account part as text; empty for S3 buckets.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(3, 4)
    }

    /// The account part, when it is one.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(self.account()).ok()
    }

    /// All after the fifth colon.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(4, 5)
    }

    /// The resource part before its first `/` (`role` in `role/path/name`).
    #[must_use]
    pub fn resource_type(&self) -> &str {
        self.resource().split('/').next().unwrap_or_default()
    }

    /// The resource part after its last `/` (`name` in `role/path/name`).
    #[must_use]
    pub fn resource_name(&self) -> &str {
        self.resource().rsplit('/').next().unwrap_or_default()
    }
}

/// Offsets of the first five colons of `text`, when there are five within 64 KiB.
pub(crate) fn first_five_colons(text: &str) -> Option<[u16; 5]> {
    let mut colons = [0; 5];
    let mut found = memchr::memchr_iter(b':', text.as_bytes());
    for slot in &mut colons {
        *slot = u16::try_from(found.next()?).ok()?;
    }
    Some(colons)
}

macro_rules! as_text {
    ($type:ty, $parse:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl FromStr for $type {
            type Err = ArnFault;
            fn from_str(text: &str) -> Result<Self, ArnFault> {
                $parse(text)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                $parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
as_text!(AccountId, AccountId::parse);
as_text!(Arn, Arn::parse);

impl PartialEq for Arn {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Arn {}
impl std::hash::Hash for Arn {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl PartialOrd for Arn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Arn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_at_the_fifth_colon() {
        let arn = Arn::parse("arn:aws:logs:eu-west-1:111122223333:log-group:/a:*").unwrap();
        assert_eq!(arn.partition(), "aws");
        assert_eq!(arn.service(), "logs");
        assert_eq!(arn.region(), "eu-west-1");
        assert_eq!(arn.account_id(), Some(AccountId::parse("111122223333").unwrap()));
        assert_eq!(arn.resource(), "log-group:/a:*");
        let role = Arn::parse("arn:aws:iam::111122223333:role/p/R").unwrap();
        assert_eq!((role.resource_type(), role.resource_name()), ("role", "R"));
    }

    #[test]
    fn what_is_not_an_arn_is_named() {
        assert_eq!(Arn::parse("aws:s3:::b").unwrap_err(), ArnFault::Prefix);
        assert_eq!(Arn::parse("arn:aws:s3::b").unwrap_err(), ArnFault::Parts);
        assert_eq!(AccountId::parse("11112222333").unwrap_err(), ArnFault::Account);
        assert_eq!(AccountId::parse("11112222333x").unwrap_err(), ArnFault::Account);
    }

    #[test]
    fn arns_and_accounts_are_texts_wherever_they_are_written() {
        let text = "arn:aws:iam::111122223333:role/R";
        let arn: Arn = text.parse().unwrap();
        let read: Arn = serde_json::from_str(&format!("{text:?}")).unwrap();
        assert_eq!((&read, serde_json::to_string(&arn).unwrap()), (&arn, format!("{text:?}")));
        assert_eq!(
            (arn.as_ref(), format!("{arn}"), format!("{arn:?}")),
            (text, text.into(), text.into())
        );
        assert_eq!((arn.service(), arn.region()), ("iam", ""));
        let account: AccountId = "111122223333".parse().unwrap();
        assert_eq!(serde_json::to_string(&account).unwrap(), "\"111122223333\"");
        let other: Arn = "arn:aws:iam::111122223333:role/S".parse().unwrap();
        assert!(arn < other && std::collections::HashSet::from([arn]).contains(&read));
        let long = format!("arn:aws:iam::111122223333:role/{}", "r".repeat(Arn::MAX));
        for (wrong, why) in [
            ("aws", "an ARN begins with \"arn:\""),
            ("arn:aws", "an ARN has six parts: arn:partition:service:region:account:resource"),
            (&long, "the ARN is too long"),
        ] {
            assert_eq!(Arn::parse(wrong).unwrap_err().to_string(), why);
            assert!(serde_json::from_str::<Arn>(&format!("{wrong:?}")).is_err());
        }
        let fault = AccountId::parse("1").unwrap_err();
        assert_eq!(fault.to_string(), "an account id has twelve digits");
    }
}
