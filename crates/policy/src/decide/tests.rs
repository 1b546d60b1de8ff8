use super::*;
use crate::context::{Context, SetBy};
use crate::{
    AccountId, Arn, Document, Kind, Named, NoRecord, PolicyId, PolicyKind, Strictness, UniqueId,
};

pub(crate) fn set(kind: Kind, text: &str) -> Arc<Compiled> {
    let document = Document::parse(text, kind, Strictness::Stored).unwrap_or_else(|rejection| {
        panic!("{rejection}: {:?}", rejection.diagnostics);
    });
    let id = PolicyId::new("p", PolicyKind::Inline);
    Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))
}

fn user() -> Principal {
    Principal::User {
        arn: Arn::parse("arn:aws:iam::111122223333:user/ann").unwrap(),
        id: UniqueId::new("AIDAAAAAAAAAAAAAAAAA"),
        account: AccountId::parse("111122223333").unwrap(),
    }
}

#[test]
fn tags_must_be_equal_and_a_deny_wins() {
    let identity = [set(
        Kind::Identity,
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Same","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*",
             "Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
            {"Sid":"No","Effect":"Deny","Action":"*","Resource":"*",
             "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#,
    )];
    let sources = Sources { identity: &identity, ..Sources::default() };
    let answer = |team: &str, secure: &str| {
        let mut context = Context::new();
        context
            .set("aws:PrincipalTag/team", "red", SetBy::Session)
            .set("aws:ResourceTag/team", team, SetBy::Resource)
            .set("aws:SecureTransport", secure, SetBy::Network);
        let ask = Ask::new(user(), "s3:GetObject", "arn:aws:s3:::b/k").with_context(context);
        let decision = decide(&ask, &sources, &mut NoRecord);
        let sid = decision.determining.first().and_then(|id| id.sid.clone());
        (decision.verdict, decision.layer, sid)
    };
    let identity = Some(Layer::Identity);
    assert_eq!(answer("red", "true"), (Verdict::Allow, identity, Some("Same".into())));
    assert_eq!(answer("blue", "true"), (Verdict::ImplicitDeny, identity, None));
    assert_eq!(answer("red", "false"), (Verdict::ExplicitDeny, identity, Some("No".into())));
}
