use proptest::prelude::*;

use super::*;
use crate::compile::statement::Unwatched;
use crate::context::{Context, SetBy};
use crate::decision::{Grant, PolicyKind};
use crate::{AccountId, Arn, Ask, Principal, Strictness, UniqueId};

fn asker() -> Principal {
    Principal::User {
        arn: Arn::parse("arn:aws:iam::111122223333:user/ann").unwrap(),
        id: UniqueId::new("AIDAAAAAAAAAAAAAAAAA"),
        account: AccountId::parse("111122223333").unwrap(),
    }
}

fn action() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "s3:Get", "s3:Put", "S3:G*", "s3:*", "sqs:Get", "*", "*:*", "sqs:?et",
    ])
    .prop_map(str::to_owned)
}

fn resource() -> impl Strategy<Value = String> {
    let ids = vec![
        "a",
        "a/*",
        "a/b",
        "ab",
        "ab*",
        "a/b/*",
        "abc/x",
        "*",
        "${aws:username}",
        "a/${k:t}",
        "b?",
    ];
    let arn = prop::sample::select(ids).prop_map(|id| format!("arn:aws:s3:::{id}"));
    prop_oneof![8 => arn, 1 => Just("*".to_owned()), 1 => Just("arn:aws:*::a:x".replace("aws:*", "aws:s3"))]
}

fn condition() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "{}",
        r#"{"StringEquals":{"k:t":"x"}}"#,
        r#"{"StringEquals":{"k:t":["x","y"]}}"#,
        r#"{"StringEquals":{"k:u":"x"},"Bool":{"k:b":"true"}}"#,
        r#"{"StringEqualsIfExists":{"k:t":"z"}}"#,
        r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["x","z"]}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"y"}}"#,
        r#"{"StringNotEquals":{"k:t":"x"}}"#,
        r#"{"StringEquals":{"k:t":"${aws:username}"}}"#,
    ])
    .prop_map(str::to_owned)
}

fn statement() -> impl Strategy<Value = String> {
    let negation = prop::sample::select(vec![
        ("Action", "Resource"),
        ("NotAction", "Resource"),
        ("Action", "NotResource"),
    ]);
    let weighted = prop_oneof![6 => Just(("Action", "Resource")), 1 => negation];
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    let resources = prop::collection::vec(resource(), 1..3);
    (effect, weighted, action(), resources, condition()).prop_map(
        |(effect, (action_name, resource_name), action, resources, condition)| {
            format!(
                r#"{{"Effect":"{effect}","{action_name}":"{action}","{resource_name}":{resources:?},"Condition":{condition}}}"#
            )
        },
    )
}

proptest! {
    /// The index must name every statement that applies: what it leaves out must not apply.
    #[test]
    fn index_agrees_with_scan(
        statements in prop::collection::vec(statement(), 1..60),
        action in prop::sample::select(vec!["s3:Get", "s3:Put", "sqs:Get", "x:y"]),
        resource in prop::sample::select(vec![
            "arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::a/b/c", "arn:aws:s3:::abc/x", "arn:aws:s3:::b1", "arn:aws:s3:::x", "*",
        ]),
        tag in prop::option::of(prop::sample::select(vec!["x", "y", "z"])),
        keys in prop::option::of(prop::collection::vec(prop::sample::select(vec!["x", "y", "z"]), 0..3)),
    ) {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let document = Document::parse(&text, Kind::Identity, Strictness::Stored).unwrap();
        let id = PolicyId::new("p", PolicyKind::Inline);
        let set = Compiled::new([Named::new(id, Arc::new(document))]);
        let mut context = Context::new();
        context.set("aws:username", "x", SetBy::Principal).set("k:b", "true", SetBy::Request);
        if let Some(tag) = tag {
            context.set("k:t", tag, SetBy::Resource).set("K:U", tag, SetBy::Resource);
        }
        if let Some(keys) = keys {
            context.set_many("aws:TagKeys", keys, SetBy::Request);
        }
        let ask = Ask::new(asker(), action, resource).with_context(context);
        let scene = Scene::new(&ask, false);
        for effect in [Effect::Allow, Effect::Deny] {
            let applies = |s: &Statement| s.evaluate(&scene, &mut Unwatched) != Grant::None;
            let scan: Vec<u32> = (0..).zip(set.statements())
                .filter(|(_, s)| s.id.effect == effect && applies(s)).map(|(n, _)| n).collect();
            let mut found = Vec::new();
            set.candidates(effect, &scene, &mut |ordinal, statement| {
                if applies(statement) { found.push(ordinal); }
                ControlFlow::Continue(())
            });
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found, scan);
        }
    }
}

#[test]
fn positions_are_counted_in_characters() {
    let text = "{\"Statement\":[\n {\"Sid\":\"é\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Effect\":\"Deny\",\"Principal\":\"*\",\n\"Action\":\"*\",\"Resource\":\"*\"}]}";
    let document = Document::parse(text, Kind::Resource, Strictness::Stored).unwrap();
    let set =
        Compiled::new([Named::new(PolicyId::new("p", PolicyKind::Resource), Arc::new(document))]);
    let first = &set.statements()[0].id;
    assert_eq!(
        (first.start, first.end),
        (Position { line: 2, column: 2 }, Position { line: 2, column: 74 })
    );
    assert_eq!(set.statements()[1].id.end, Position { line: 3, column: 29 });
    assert_eq!(Position::of(text, first.span.end), first.end);
}

/// The statement that allows `s3:Get` on `resource` with `k:t` set, by its `Sid`.
fn allowing(statements: &[String], resource: &str, value: &str) -> Option<String> {
    use crate::{NoRecord, Sources, decide};
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let document = Document::parse(&text, Kind::Identity, Strictness::Stored).unwrap();
    let id = PolicyId::new("p", PolicyKind::Inline);
    let set = [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))];
    let mut ask = Ask::new(asker(), "s3:Get", resource);
    ask.context.set("k:t", value, SetBy::Request);
    let decision = decide(&ask, &Sources { identity: &set, ..Sources::default() }, &mut NoRecord);
    decision.determining.first().and_then(|id| id.sid.clone())
}

#[test]
fn many_statements_that_differ_in_a_constant_are_told_apart_by_it() {
    let statement = |n: usize| {
        format!(
            r#"{{"Sid":"S{n}","Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{{"StringEquals":{{"k:t":"v{n}"}}}}}}"#
        )
    };
    let mut statements: Vec<String> = (0..64).map(statement).collect();
    statements.push(statement(64).replace("StringEquals", "StringLike"));
    assert_eq!(allowing(&statements, "*", "v7").as_deref(), Some("S7"));
    assert_eq!(allowing(&statements, "*", "v64").as_deref(), Some("S64"), "none of the constants");
    assert_eq!(allowing(&statements, "*", "v65"), None);
}

#[test]
fn prefixes_of_more_lengths_than_the_index_keeps_are_all_found() {
    let statement = |n: usize| {
        let prefix = "x".repeat(n);
        format!(
            r#"{{"Sid":"S{n}","Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::{n}{prefix}*"}}"#
        )
    };
    let statements: Vec<String> = (10..60).map(statement).collect();
    for n in [10, 33, 59] {
        let resource = format!("arn:aws:s3:::{n}{}/k", "x".repeat(n));
        assert_eq!(allowing(&statements, &resource, ""), Some(format!("S{n}")));
    }
    assert_eq!(allowing(&statements, "arn:aws:s3:::9xxxxxxxxx/k", ""), None);
}
