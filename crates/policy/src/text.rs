//! Sentences: how AWS words a denial (spec A11), rendered from data and written nowhere by hand.

use serde::{Deserialize, Serialize};

use crate::ask::Ask;
use crate::decision::{Decision, Layer, PolicyKind, Verdict};

/// Why a request was refused, as far as its caller may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The caller's ARN, or `anonymous`.
    pub principal: String,
    /// `service:Action`
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Implicit or explicit.
    pub verdict: Verdict,
    /// The layer that refused.
    pub layer: Option<Layer>,
    /// The resource's policy is a role's trust policy.
    pub trust: bool,
    /// The caller came with a token or assertion and proved no AWS identity.
    pub federated: bool,
    /// ARN of the denying policy, if it has one and the caller may know it.
    pub policy: Option<String>,
}

/// How much of a denial a service tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ` on resource: …`
    pub resource: bool,
    /// S3 puts the resource in double quotes.
    pub quoted: bool,
    /// ` because …` or ` with an explicit deny in …`
    pub reason: bool,
}

impl Style {
    /// IAM and most others.
    pub const FULL: Self = Self { resource: true, quoted: false, reason: true };
    /// STS on AssumeRole: no reason, so that a caller cannot tell which side refused.
    pub const ASSUME_ROLE: Self = Self { resource: true, quoted: false, reason: false };
    /// S3.
    pub const S3: Self = Self { resource: true, quoted: true, reason: true };
}

impl Denial {
    /// What is to be said of a refused question. None when it was allowed.
    #[must_use]
    pub fn of(ask: &Ask, decision: &Decision) -> Option<Self> {
        if decision.is_allow() {
            return None;
        }
        Some(Self {
            principal: ask.principal.shown().into_owned(),
            action: ask.action.as_str().to_owned(),
            resource: ask.resource.as_str().to_owned(),
            verdict: decision.verdict,
            layer: decision.layer,
            trust: decision.trust,
            federated: ask.principal.is_unsigned_federation(),
            policy: known_policy(ask, decision),
        })
    }

    /// AWS's sentence.
    #[must_use]
    pub fn sentence(&self, style: Style) -> String {
        let action = &self.action;
        if self.federated {
            return format!("Not authorized to perform {action}");
        }
        let mut text = format!("User: {} is not authorized to perform: {action}", self.principal);
        if style.resource {
            text.push_str(" on resource: ");
            let quote = if style.quoted { "\"" } else { "" };
            text.extend([quote, &self.resource, quote]);
        }
        if style.reason {
            text.push_str(&self.reason());
        }
        text
    }

    fn reason(&self) -> String {
        let Some(layer) = self.layer else { return String::new() };
        let policy = match layer {
            Layer::Scp => "service control policy",
            Layer::Rcp => "resource control policy",
            Layer::Endpoint => "VPC endpoint policy",
            Layer::Resource if self.trust => "role trust policy",
            Layer::Resource => "resource-based policy",
            Layer::Identity => "identity-based policy",
            Layer::Boundary => "permissions boundary",
            Layer::Session => "session policy",
        };
        if self.verdict == Verdict::ImplicitDeny {
            return format!(" because no {policy} allows the {} action", self.action);
        }
        let article = match layer {
            Layer::Resource if self.trust => "the",
            Layer::Identity => "an",
            _ => "a",
        };
        let arn = self.policy.as_ref().map(|arn| format!(": {arn}")).unwrap_or_default();
        format!(" with an explicit deny in {article} {policy}{arn}")
    }
}

/// The ARN of the policy with the Deny, when it has one and belongs to the caller's account or
/// organization.
fn known_policy(ask: &Ask, decision: &Decision) -> Option<String> {
    if decision.verdict != Verdict::ExplicitDeny {
        return None;
    }
    let id = decision.determining.first()?;
    let arn = id.policy.arn.as_ref()?;
    let own = match id.policy.kind {
        PolicyKind::Managed | PolicyKind::Boundary | PolicyKind::SessionManaged => {
            arn.account() == "aws" || arn.account_id() == ask.principal.account()
        }
        PolicyKind::Scp => true,
        PolicyKind::Rcp => ask.is_same_account(),
        _ => false,
    };
    own.then(|| arn.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        AccountId, Arn, Compiled, Document, Kind, Named, NoRecord, PolicyId, Sources, Strictness,
        decide,
    };

    fn denial(verdict: Verdict, layer: Layer) -> Denial {
        Denial {
            principal: "arn:aws:iam::111122223333:user/ann".into(),
            action: "s3:GetObject".into(),
            resource: "arn:aws:s3:::b/k".into(),
            verdict,
            layer: Some(layer),
            trust: false,
            federated: false,
            policy: None,
        }
    }

    #[test]
    fn every_layer_has_its_words() {
        use Verdict::{ExplicitDeny, ImplicitDeny};
        let rows = [
            (Layer::Identity, "identity-based policy", "an identity-based policy"),
            (Layer::Resource, "resource-based policy", "a resource-based policy"),
            (Layer::Boundary, "permissions boundary", "a permissions boundary"),
            (Layer::Session, "session policy", "a session policy"),
            (Layer::Scp, "service control policy", "a service control policy"),
            (Layer::Rcp, "resource control policy", "a resource control policy"),
            (Layer::Endpoint, "VPC endpoint policy", "a VPC endpoint policy"),
        ];
        let head = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: \
                    s3:GetObject on resource: arn:aws:s3:::b/k";
        for (layer, implicit, explicit) in rows {
            assert_eq!(
                denial(ImplicitDeny, layer).sentence(Style::FULL),
                format!("{head} because no {implicit} allows the s3:GetObject action")
            );
            assert_eq!(
                denial(ExplicitDeny, layer).sentence(Style::FULL),
                format!("{head} with an explicit deny in {explicit}")
            );
        }
        let trust = Denial { trust: true, ..denial(ExplicitDeny, Layer::Resource) };
        assert!(trust.sentence(Style::FULL).ends_with("an explicit deny in the role trust policy"));
    }

    #[test]
    fn services_tell_more_or_less() {
        let denial = denial(Verdict::ExplicitDeny, Layer::Identity);
        assert!(denial.sentence(Style::S3).contains("on resource: \"arn:aws:s3:::b/k\" with"));
        assert!(denial.sentence(Style::ASSUME_ROLE).ends_with("on resource: arn:aws:s3:::b/k"));
        let arn = Some("arn:aws:iam::111122223333:policy/P".to_owned());
        let named = Denial { policy: arn, ..denial.clone() };
        assert!(
            named.sentence(Style::FULL).ends_with("policy: arn:aws:iam::111122223333:policy/P")
        );
        let action = "sts:AssumeRoleWithWebIdentity".to_owned();
        let token = Denial { federated: true, action, ..denial };
        let said = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        assert_eq!(token.sentence(Style::FULL), said);
    }

    /// What is said of a question that a Deny in one policy answered.
    fn said(kind: PolicyKind, document: Kind, arn: &str, owner: Option<&str>) -> Option<String> {
        let principal = if document == Kind::Rcp { r#""Principal":"*","# } else { "" };
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny",{principal}"Action":"s3:*","Resource":"*"}}]}}"#
        );
        let document = Document::parse(&text, document, Strictness::Stored).unwrap();
        let id = PolicyId::new("p", kind).with_arn(Arn::parse(arn).unwrap());
        let set = [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))];
        let sources = match kind {
            PolicyKind::Scp => Sources { scps: Some(&set), ..Sources::default() },
            PolicyKind::Rcp => Sources { rcps: Some(&set), ..Sources::default() },
            _ => Sources { identity: &set, ..Sources::default() },
        };
        let mut ask = Ask::new(crate::case::principal("user/ann").unwrap(), "s3:GetObject", "*");
        if let Some(owner) = owner {
            ask = ask.owned_by(AccountId::parse(owner).unwrap());
        }
        let denial = Denial::of(&ask, &decide(&ask, &sources, &mut NoRecord)).unwrap();
        assert_eq!((denial.verdict, denial.federated), (Verdict::ExplicitDeny, false));
        denial.policy
    }

    #[test]
    fn the_denying_policy_is_named_to_those_it_belongs_to() {
        let own = "arn:aws:iam::111122223333:policy/P";
        let theirs = "arn:aws:iam::444455556666:policy/P";
        let named = Some(own.to_owned());
        let identity = |kind, arn| said(kind, Kind::Identity, arn, None);
        assert_eq!(identity(PolicyKind::Managed, own), named);
        assert_eq!(identity(PolicyKind::Boundary, own), named);
        assert_eq!(identity(PolicyKind::Managed, theirs), None);
        assert_eq!(identity(PolicyKind::Inline, own), None);
        let aws = "arn:aws:iam::aws:policy/P";
        assert_eq!(identity(PolicyKind::Managed, aws).as_deref(), Some(aws));
        assert_eq!(said(PolicyKind::Scp, Kind::Scp, theirs, None).as_deref(), Some(theirs));
        let rcp = |owner| said(PolicyKind::Rcp, Kind::Rcp, own, Some(owner));
        assert_eq!((rcp("111122223333"), rcp("444455556666")), (named, None));
    }

    #[test]
    fn of_an_allow_nothing_is_said_and_of_a_missing_one_no_policy() {
        let ask = Ask::new(crate::case::principal("root").unwrap(), "s3:GetObject", "*");
        let decided = decide(&ask, &Sources::default(), &mut NoRecord);
        assert_eq!(Denial::of(&ask, &decided), None);
        let ask = Ask::new(crate::case::principal("user/ann").unwrap(), "s3:GetObject", "*");
        let decided = decide(&ask, &Sources::default(), &mut NoRecord);
        assert_eq!(Denial::of(&ask, &decided).unwrap().policy, None);
    }
}
