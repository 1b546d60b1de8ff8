//! A decision on compiled policies allocates nothing, whatever it comes to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::hint::black_box;
use std::sync::Arc;

use allocation_counter::measure;
use policy::{
    Ask, Compiled, Context, Document, Kind, Named, NoRecord, PolicyId, PolicyKind, SetBy, Sources,
    Strictness, Verdict, decide,
};

/// A hundred projects with a statement each, and a Deny over all of them.
fn policies() -> [Arc<Compiled>; 1] {
    let mut statements: Vec<String> = (0..100)
        .map(|n| {
            format!(
                r#"{{"Effect":"Allow","Action":"app:Read{n}","Resource":"arn:aws:app:us-east-1:111122223333:project-{n}/*",
                  "Condition":{{"StringEquals":{{"aws:ResourceTag/project":"${{aws:PrincipalTag/project}}"}}}}}}"#
            )
        })
        .collect();
    statements.push(
        r#"{"Effect":"Deny","Action":"app:*","Resource":"*","Condition":{
          "StringLike":{"aws:ResourceTag/class":"sec*"},
          "ForAnyValue:StringNotEquals":{"aws:TagKeys":["open","known"]},
          "DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},
          "IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]},
          "NumericLessThan":{"aws:MultiFactorAuthAge":"300"},
          "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}}"#
            .to_owned(),
    );
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let document = Document::parse(&text, Kind::Identity, Strictness::Stored).unwrap();
    let id = PolicyId::new("p", PolicyKind::Inline);
    [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))]
}

fn ask(project: &str, class: &str) -> Ask {
    let mut context = Context::new();
    for (key, value) in [
        ("aws:PrincipalTag/project", "heart"),
        ("aws:ResourceTag/project", project),
        ("aws:ResourceTag/class", class),
        ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
        ("aws:SourceIp", "10.1.2.3"),
        ("aws:MultiFactorAuthAge", "20"),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/ann"),
    ] {
        context.set(key, value, SetBy::Simulation);
    }
    context.set_many("aws:TagKeys", ["strange"], SetBy::Simulation);
    let user = policy::case::principal("user/ann").unwrap();
    let resource = "arn:aws:app:us-east-1:111122223333:project-50/report";
    Ask::new(user, "app:Read50", resource).with_context(context)
}

#[test]
fn a_decision_allocates_nothing() {
    let identity = policies();
    let sources = Sources { identity: &identity, ..Sources::default() };
    for (project, class, wanted) in [
        ("heart", "open", Verdict::Allow),
        ("sun", "open", Verdict::ImplicitDeny),
        ("heart", "secret", Verdict::ExplicitDeny),
    ] {
        let ask = ask(project, class);
        let verdict = || decide(black_box(&ask), &sources, &mut NoRecord).verdict;
        assert_eq!(verdict(), wanted);
        let counted = measure(|| assert_eq!(verdict(), wanted));
        assert_eq!(counted.count_total, 0, "{wanted:?}");
    }
}
