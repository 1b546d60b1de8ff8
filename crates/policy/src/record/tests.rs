use std::sync::Arc;

use super::*;
use crate::decision::Verdict;
use crate::{
    AccountId, Arn, Context, Document, Kind, Named, PolicyKind, Principal, Strictness, UniqueId,
    decide,
};

fn explain(text: &str, context: Context) -> Record<'static> {
    let document = Document::parse(text, Kind::Identity, Strictness::Stored).unwrap();
    let id = PolicyId::new("p", PolicyKind::Inline);
    let identity = [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))];
    let sources = Sources { identity: &identity, ..Sources::default() };
    let principal = Principal::User {
        arn: Arn::parse("arn:aws:iam::111122223333:user/ann").unwrap(),
        id: UniqueId::new("AIDAAAAAAAAAAAAAAAAA"),
        account: AccountId::parse("111122223333").unwrap(),
    };
    let ask = Ask::new(principal, "s3:GetObject", "arn:aws:s3:::b/k").with_context(context);
    let mut record = FullRecord::new();
    let decision = decide(&ask, &sources, &mut record);
    let record = record.into_record(&ask, &sources).unwrap();
    assert_eq!(record.decision, decision);
    let json = serde_json::to_string(&record).unwrap();
    let read = serde_json::from_str(&json).unwrap();
    assert_eq!(record, read, "data survives writing");
    read
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
  {"Sid":"Put","Effect":"Allow","Action":"s3:PutObject","Resource":"*"},
  {"Sid":"Get","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{
    "StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"},
    "Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;

#[test]
fn a_failed_condition_is_told_with_both_sides() {
    let mut context = Context::new();
    context.set("aws:PrincipalTag/Team", "red", SetBy::MappedTag).set(
        "aws:ResourceTag/team",
        "blue",
        SetBy::Resource,
    );
    let record = explain(POLICY, context);
    assert_eq!(record.decision.verdict, Verdict::ImplicitDeny);
    let statements = &record.layers[0].policies[0].statements;
    assert_eq!(statements[0].failed, vec![Element::Action].into());
    assert_eq!(statements[1].failed, vec![Element::Condition].into());
    let tag = &statements[1].conditions[0];
    assert_eq!(
        (&*tag.wanted, tag.had.as_deref()),
        (&["red".into()][..], Some(&["blue".into()][..]))
    );
    assert_eq!((tag.set_by, tag.how, tag.holds), (Some(SetBy::Resource), How::Compared, false));
    let mfa = &statements[1].conditions[1];
    assert_eq!((mfa.had.as_deref(), mfa.how, mfa.holds), (None, How::KeyMissing, false));
    assert_eq!(record.missing, [], "the tag differs, so MFA alone would not have helped");
    assert_eq!(record.keys.len(), 1);
    assert_eq!(record.keys[0].set_by, SetBy::Resource);
}

#[test]
fn missing_keys_that_would_have_helped_are_named() {
    let mut context = Context::new();
    context.set("aws:ResourceTag/team", "red", SetBy::Resource);
    let record = explain(POLICY, context);
    let missing: Vec<_> = record.missing.iter().map(|m| (&*m.key, m.could)).collect();
    assert_eq!(
        missing,
        [("aws:principaltag/team", Could::Allow), ("aws:MultiFactorAuthPresent", Could::Allow)]
    );
}

#[test]
fn a_deny_that_holds_for_want_of_a_key_says_so() {
    let text = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"*","Resource":"*"},
      {"Effect":"Deny","Action":"*","Resource":"*","Condition":{
        "StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}]}"#;
    let record = explain(text, Context::new());
    assert_eq!(record.decision.verdict, Verdict::ExplicitDeny);
    let missing: Vec<_> = record.missing.iter().map(|m| (&*m.key, m.could)).collect();
    assert_eq!(missing, [("aws:SourceVpc", Could::LiftDeny)]);
}
