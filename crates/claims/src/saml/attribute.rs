//! The attributes of an assertion: those that AWS acts on, and those that become condition keys.
//!
//! Names are compared exactly. Source: IAM User Guide, "Configure SAML assertions for the
//! authentication response"; "Available keys for SAML-based AWS STS federation".

use std::collections::BTreeMap;

use uppsala::NodeId;

use super::xml::{SAML, Xml};

/// What the names of AWS's own attributes begin with.
pub const AWS_PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/";

/// All attributes of an assertion by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    by_name: BTreeMap<String, Option<Vec<String>>>,
}

/// What one attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held<'a> {
    /// There is no such attribute.
    Absent,
    /// One of its values is not plain text.
    Unreadable,
    /// Its values, in order; those of several attributes of one name together.
    Values(&'a [String]),
}

impl Attributes {
    /// Those of all attribute statements of the assertion.
    pub(super) fn read(xml: &Xml<'_>, assertion: NodeId) -> Self {
        let mut by_name: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        for statement in xml.named(assertion, SAML, "AttributeStatement") {
            for attribute in xml.named(statement, SAML, "Attribute") {
                let Some(name) = xml.attribute(attribute, "Name") else { continue };
                let values = xml.named(attribute, SAML, "AttributeValue");
                let texts: Option<Vec<String>> = values.map(|value| xml.text(value)).collect();
                let held = by_name.entry(name.to_owned()).or_insert_with(|| Some(Vec::new()));
                match (held.as_mut(), texts) {
                    (Some(held), Some(texts)) => held.extend(texts),
                    _ => *held = None,
                }
            }
        }
        Self { by_name }
    }

    pub(super) fn held(&self, name: &str) -> Held<'_> {
        match self.by_name.get(name) {
            None => Held::Absent,
            Some(None) => Held::Unreadable,
            Some(Some(values)) => Held::Values(values),
        }
    }

    /// One of AWS's own.
    pub(super) fn aws(&self, name: &str) -> Held<'_> {
        self.held(&format!("{AWS_PREFIX}{name}"))
    }

    /// The names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Tags by key: `PrincipalTag:…`.
    pub(super) fn tags(&self) -> impl Iterator<Item = (&str, Held<'_>)> {
        self.by_name.keys().filter_map(|name| {
            let key = name.strip_prefix(AWS_PREFIX)?.strip_prefix("PrincipalTag:")?;
            Some((key, self.held(name)))
        })
    }

    /// Everything that could be read, for the log book and the preview.
    pub(super) fn into_readable(self) -> Vec<(String, Vec<String>)> {
        self.by_name.into_iter().filter_map(|(name, values)| Some((name, values?))).collect()
    }

    /// The condition keys that attributes become. Where two names stand for one key, the first
    /// that the assertion has counts; a single-valued key of an attribute with several values is
    /// left out, so that no policy is asked about one of them by chance.
    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for (name, key, many) in KEYS {
            let Held::Values(values) = self.held(name) else { continue };
            let fits = if many { !values.is_empty() } else { values.len() == 1 };
            if fits && !keys.iter().any(|known| known.name == key) {
                keys.push(Key { name: key, values: values.to_vec(), many });
            }
        }
        keys
    }
}

/// A condition key with its values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Key {
    /// Such as `saml:eduPersonAffiliation`.
    pub name: &'static str,
    /// One, unless the key is multivalued.
    pub values: Vec<String>,
    /// Whether the key is multivalued.
    pub many: bool,
}

/// Attribute, key, multivalued. `2.4.5.42` is as AWS prints it; X.500 has `2.5.4.42`.
const KEYS: [(&str, &str, bool); 30] = [
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "saml:eduPersonAffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "saml:eduPersonNickname", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "saml:eduPersonOrgDN", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "saml:eduPersonOrgUnitDN", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "saml:eduPersonPrimaryAffiliation", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "saml:eduPersonPrincipalName", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "saml:eduPersonEntitlement", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "saml:eduPersonPrimaryOrgUnitDN", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "saml:eduPersonScopedAffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "saml:eduPersonTargetedID", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "saml:eduPersonAssurance", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "saml:eduOrgHomePageURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "saml:eduOrgIdentityAuthNPolicyURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "saml:eduOrgLegalName", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "saml:eduOrgSuperiorURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "saml:eduOrgWhitePagesURI", true),
    ("urn:oid:2.5.4.3", "saml:cn", true),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "saml:name", false),
    ("http://schemas.xmlsoap.org/claims/CommonName", "saml:commonName", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "saml:givenName", false),
    ("urn:oid:2.4.5.42", "saml:givenName", false),
    ("urn:oid:2.5.4.42", "saml:givenName", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "saml:surname", false),
    ("urn:oid:2.5.4.4", "saml:surname", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "saml:mail", false),
    ("urn:oid:0.9.2342.19200300.100.1.3", "saml:mail", false),
    ("urn:oid:0.9.2342.19200300.100.1.1", "saml:uid", false),
    ("urn:oid:0.9.2342.19200300.100.1.45", "saml:organizationStatus", false),
    ("urn:oid:2.5.4.45", "saml:x500UniqueIdentifier", false),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        "saml:primaryGroupSID",
        false,
    ),
];
