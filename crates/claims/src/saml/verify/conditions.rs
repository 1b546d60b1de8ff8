//! About whom the assertion is, to whom it is addressed, and when it holds (SAML Core sections 2.3
//! to 2.7; SAML Profiles section 4.1.4).

use uppsala::NodeId;

use super::Record;
use super::proof::Response;
use crate::saml::date;
use crate::saml::failure::Failure;
use crate::saml::xml::{SAML, SAMLP, Xml};
use crate::{Check, UnixTime};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// AWS strips this from `saml:sub_type`.
const NAME_ID_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";

/// AWS's own audiences.
const AUDIENCES: [&str; 2] = ["urn:amazon:webservices", "https://signin.aws.amazon.com/saml"];

pub(super) struct Subject {
    pub name: String,
    pub kind: String,
}

pub(super) struct Confirmation {
    pub recipient: String,
    pub closes: UnixTime,
}

pub(super) struct Statements {
    pub ends: Option<UnixTime>,
}

impl Record<'_> {
    /// The assertion's id, version and time.
    pub(super) fn assertion_id(&mut self, xml: &Xml<'_>, assertion: NodeId) -> Option<String> {
        let id = xml.attribute(assertion, "ID").filter(|id| (1..=256).contains(&id.len()));
        let version = xml.attribute(assertion, "Version");
        let issued = xml.attribute(assertion, "IssueInstant").and_then(date::from_xml);
        match (id, version, issued) {
            (Some(id), Some("2.0"), Some(_)) => Some(id.to_owned()),
            _ => self.missing(Check::Structure, "ID, Version 2.0 and IssueInstant"),
        }
    }

    /// The assertion's issuer is the provider.
    pub(super) fn issuer(&mut self, xml: &Xml<'_>, assertion: NodeId) -> Option<String> {
        let issuer = xml.only(assertion, SAML, "Issuer").and_then(|node| xml.text(node));
        let Some(had) = issuer.filter(|text| !text.is_empty()) else {
            return self.missing(Check::Issuer, "Issuer");
        };
        match self.input.rules.entity_id.clone() {
            None => self.skip(Check::Issuer, "not checked: no metadata at hand"),
            Some(wanted) if wanted == had => self.pass(Check::Issuer, wanted, had.clone()),
            Some(wanted) => {
                let failure = Failure::Issuer { wanted: wanted.clone(), had: had.clone() };
                self.fail(wanted, had.clone(), failure);
            }
        }
        Some(had)
    }

    /// What only the response says, none of which AWS asks.
    pub(super) fn envelope(&mut self, response: &Response<'_>, issuer: Option<&str>) {
        let (xml, root) = (&response.xml, response.xml.root());
        let own = xml.named(root, SAML, "Issuer").next().and_then(|node| xml.text(node));
        match own {
            None => self.skip(Check::ResponseIssuer, "the response names no issuer"),
            Some(own) => {
                let failure = (Some(own.as_str()) != issuer).then_some(Failure::ResponseIssuer);
                let wanted = issuer.unwrap_or_default().to_owned();
                self.ours(Check::ResponseIssuer, wanted, own, failure);
            }
        }

        let code = xml
            .only(root, SAMLP, "Status")
            .and_then(|status| xml.only(status, SAMLP, "StatusCode"))
            .and_then(|code| xml.attribute(code, "Value"))
            .unwrap_or("none")
            .to_owned();
        let failure = (code != SUCCESS).then(|| Failure::Status { had: code.clone() });
        self.ours(Check::Status, SUCCESS, code, failure);

        let signed = xml.only(root, crate::saml::xml::DS, "Signature").is_some();
        let wanted = self.addresses();
        match xml.attribute(root, "Destination").filter(|it| !it.is_empty()) {
            // SAML Bindings section 3.5.5.2: a message that is signed must say where it goes.
            None if signed => {
                let failure = Failure::Destination { had: String::new() };
                self.ours(Check::Destination, wanted, "none, in a signed response", Some(failure));
            }
            None => self.skip(Check::Destination, "the response names none"),
            Some(had) => {
                let failure = Failure::Destination { had: had.to_owned() };
                let failure = (!self.is_own(had)).then_some(failure);
                self.ours(Check::Destination, wanted, had.to_owned(), failure);
            }
        }
    }

    /// About whom.
    pub(super) fn subject(&mut self, xml: &Xml<'_>, assertion: NodeId) -> Option<Subject> {
        const WHAT: &str = "one NameID with a Format";
        let subject = xml.only(assertion, SAML, "Subject");
        if subject.is_some_and(|subject| xml.only(subject, SAML, "EncryptedID").is_some()) {
            let failure = Failure::Part { what: WHAT, check: Check::Subject };
            self.fail(WHAT, "an EncryptedID, which is not opened", failure);
            return None;
        }
        let name_id = subject.and_then(|subject| xml.only(subject, SAML, "NameID"));
        let name = name_id.and_then(|node| xml.text(node)).filter(|name| !name.is_empty());
        let format = name_id.and_then(|node| xml.attribute(node, "Format"));
        let (Some(name), Some(format)) = (name, format.filter(|it| !it.is_empty())) else {
            return self.missing(Check::Subject, WHAT);
        };
        let kind = format.strip_prefix(NAME_ID_FORMAT).unwrap_or(format).to_owned();
        self.pass(Check::Subject, WHAT, format!("{name} ({kind})"));
        Some(Subject { name, kind })
    }

    /// That whoever bears the assertion is its subject, here and now.
    pub(super) fn confirmation(
        &mut self,
        xml: &Xml<'_>,
        assertion: NodeId,
    ) -> Option<Confirmation> {
        const WHAT: &str = "one SubjectConfirmation with Recipient and NotOnOrAfter";
        let check = Check::SubjectConfirmation;
        let subject = xml.only(assertion, SAML, "Subject")?;
        let confirmation = xml.only(subject, SAML, "SubjectConfirmation");
        let data = confirmation.and_then(|it| xml.only(it, SAML, "SubjectConfirmationData"));
        let (Some(confirmation), Some(data)) = (confirmation, data) else {
            return self.missing(check, WHAT);
        };
        let recipient = xml.attribute(data, "Recipient").filter(|it| !it.is_empty());
        let closes = xml.attribute(data, "NotOnOrAfter").and_then(date::from_xml);
        let opens = xml.attribute(data, "NotBefore").map(date::from_xml);
        let (Some(recipient), Some(closes), Ok(opens)) = (recipient, closes, flat(opens)) else {
            return self.missing(check, WHAT);
        };
        self.pass(check, WHAT, WHAT);

        let method = xml.attribute(confirmation, "Method").unwrap_or("none").to_owned();
        let failure = (method != BEARER).then(|| Failure::Bearer { had: method.clone() });
        self.ours(Check::Bearer, BEARER, method, failure);
        let failure = Failure::Recipient { had: recipient.to_owned() };
        let failure = (!self.is_own(recipient)).then_some(failure);
        self.ours(Check::Recipient, self.addresses(), recipient.to_owned(), failure);
        self.opened_at("SubjectConfirmationData", opens);
        self.closed_at("SubjectConfirmationData", Some(closes));
        Some(Confirmation { recipient: recipient.to_owned(), closes })
    }

    /// On what conditions; gives the end of their window.
    pub(super) fn conditions(
        &mut self,
        xml: &Xml<'_>,
        assertion: NodeId,
    ) -> Option<Option<UnixTime>> {
        const WHAT: &str = "one Conditions";
        let Some(conditions) = xml.only(assertion, SAML, "Conditions") else {
            return self.missing(Check::Conditions, WHAT);
        };
        let time = |name| flat(xml.attribute(conditions, name).map(date::from_xml));
        let (Ok(opens), Ok(closes)) = (time("NotBefore"), time("NotOnOrAfter")) else {
            return self.missing(Check::Conditions, "well-formed times in Conditions");
        };
        self.pass(Check::Conditions, WHAT, WHAT);

        let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
        let unknown = xml
            .elements(conditions)
            .find(|it| xml.namespace(*it) != SAML || !known.contains(&xml.local(*it)));
        let failure =
            unknown.map(|node| Failure::UnknownCondition { had: xml.local(node).to_owned() });
        let had = unknown.map_or("those", |node| xml.local(node)).to_owned();
        self.ours(Check::UnknownConditions, known.join(", "), had, failure);

        self.audience(xml, conditions);
        self.opened_at("Conditions", opens);
        self.closed_at("Conditions", closes);
        Some(closes)
    }

    /// Every restriction must have one of our audiences (SAML Core section 2.5.1.4).
    fn audience(&mut self, xml: &Xml<'_>, conditions: NodeId) {
        let wanted: Vec<&str> = AUDIENCES
            .into_iter()
            .chain(self.input.rules.audiences.iter().map(String::as_str))
            .collect();
        let restrictions: Vec<Vec<String>> = xml
            .named(conditions, SAML, "AudienceRestriction")
            .map(|it| xml.named(it, SAML, "Audience").filter_map(|a| xml.text(a)).collect())
            .collect();
        let own =
            |audiences: &Vec<String>| audiences.iter().any(|it| wanted.contains(&it.as_str()));
        let holds = !restrictions.is_empty() && restrictions.iter().all(own);
        let had = restrictions.concat();
        let shown = if had.is_empty() { "none".to_owned() } else { had.join(", ") };
        let failure = (!holds).then_some(Failure::Audience { had });
        self.ours(Check::AudienceRestriction, wanted.join(" or "), shown, failure);
    }

    /// That the subject has signed in, and how long that lasts.
    pub(super) fn statements(&mut self, xml: &Xml<'_>, assertion: NodeId) -> Option<Statements> {
        const WHAT: &str = "an AuthnStatement";
        let mut found = false;
        let mut ends: Option<UnixTime> = None;
        for statement in xml.named(assertion, SAML, "AuthnStatement") {
            found = true;
            let end = xml.attribute(statement, "SessionNotOnOrAfter").map(date::from_xml);
            let Ok(end) = flat(end) else {
                return self.missing(Check::AuthnStatement, "a well-formed SessionNotOnOrAfter");
            };
            ends = [ends, end].into_iter().flatten().min();
        }
        if !found {
            return self.missing(Check::AuthnStatement, WHAT);
        }
        self.pass(Check::AuthnStatement, WHAT, WHAT);
        if let Some(ends) = ends {
            // The session itself has no leeway: what has ended is not begun.
            self.closed("AuthnStatement", ends, 0);
        }
        Some(Statements { ends })
    }

    fn opened_at(&mut self, what: &'static str, opens: Option<UnixTime>) {
        let Some(at) = opens else { return };
        let latest = self.input.now.plus(self.input.rules.skew);
        let failure = (latest < at).then_some(Failure::NotYetValid { at });
        let wanted = format!("{what} not after {latest}");
        self.ours(Check::WindowStart, wanted, at.to_string(), failure);
    }

    fn closed_at(&mut self, what: &'static str, closes: Option<UnixTime>) {
        if let Some(at) = closes {
            self.closed(what, at, self.input.rules.skew);
        }
    }

    fn closed(&mut self, what: &'static str, at: UnixTime, skew: i64) {
        let now = self.input.now;
        let (wanted, had) = (format!("{what} after {}", now.plus(-skew)), at.to_string());
        match now < at.plus(skew) {
            true => self.pass(Check::Expiry, wanted, had),
            false => self.fail(wanted, had, Failure::Expired { what, at }),
        }
    }

    fn addresses(&self) -> String {
        let own = self.input.rules.addresses.iter().map(String::as_str);
        let all: Vec<&str> = std::iter::once("AWS's sign-in address").chain(own).collect();
        all.join(" or ")
    }

    fn is_own(&self, address: &str) -> bool {
        is_sign_in(address) || self.input.rules.addresses.iter().any(|own| own == address)
    }
}

/// An attribute that may be absent, but not malformed.
fn flat(time: Option<Option<UnixTime>>) -> Result<Option<UnixTime>, ()> {
    match time {
        Some(None) => Err(()),
        Some(Some(time)) => Ok(Some(time)),
        None => Ok(None),
    }
}

/// AWS's sign-in addresses: global, regional, and with the provider's own id for encryption.
fn is_sign_in(address: &str) -> bool {
    let Some((host, path)) = address.strip_prefix("https://").and_then(|it| it.split_once('/'))
    else {
        return false;
    };
    let region =
        |it: &str| !it.is_empty() && it.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    let host_fits = host == "signin.aws.amazon.com"
        || host.strip_suffix(".signin.aws.amazon.com").is_some_and(region);
    host_fits && (path == "saml" || path.strip_prefix("saml/acs/").is_some_and(region))
}
