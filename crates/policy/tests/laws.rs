//! What holds of every question, whatever its policies say.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "what goes wrong here fails the test"
)]

#[path = "question/question.rs"]
#[allow(dead_code, reason = "shared with the comparison of the two implementations")]
mod question;
#[path = "reference/interpreter.rs"]
#[allow(dead_code, reason = "shared with the comparison of the two implementations")]
mod reference;

use std::collections::BTreeMap;

use policy::{
    ActionName, Choices, Decision, Document, FullRecord, Grant, Kind, Layer, NoRecord,
    ResourceName, Strictness, Verdict, decide, needs,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::question::generate::{self, case, doc, docs, statement};
use crate::question::{Case, Doc, Patterns, Statement};

fn answer(case: &Case) -> Decision {
    case.decide(&mut NoRecord).unwrap()
}

/// Verdict and layer: what does not name statements.
fn outcome(case: &Case) -> (Verdict, Option<Layer>, Option<u8>, Grant) {
    let decision = answer(case);
    (decision.verdict, decision.layer, decision.level, decision.grant)
}

/// A copy with each document changed.
fn with_docs(case: &Case, mut change: impl FnMut(&mut Doc)) -> Case {
    let mut changed = case.clone();
    changed.docs_mut().for_each(&mut change);
    changed
}

/// One statement for each pattern of a list.
fn split(
    statement: &Statement,
    list: impl Fn(&mut Statement) -> Option<&mut Patterns>,
) -> Vec<Statement> {
    let mut whole = statement.clone();
    let Some(patterns) = list(&mut whole).filter(|patterns| !patterns.negated) else {
        return vec![statement.clone()];
    };
    let all = std::mem::take(&mut patterns.list);
    let one = |pattern: String| {
        let mut part = whole.clone();
        if let Some(patterns) = list(&mut part) {
            patterns.list = vec![pattern];
        }
        part
    };
    all.into_iter().map(one).collect()
}

fn rotate<T>(list: &mut [T], by: &Index) {
    if !list.is_empty() {
        list.rotate_left(by.index(list.len()));
    }
}

/// `POLICY_CASES` raises the number of cases, as for the comparison of the two implementations.
fn config() -> ProptestConfig {
    let all = std::env::var("POLICY_CASES").map_or(4_000, |n| n.parse().unwrap());
    ProptestConfig {
        cases: all / 8,
        max_global_rejects: all,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]
    /// Adding a Deny statement never turns a no into a yes.
    #[test]
    fn a_deny_never_widens(
        case in case(), deny in statement(generate::Layer::Caller), version: bool,
    ) {
        let before = answer(&case);
        let version = version.then_some("2012-10-17");
        let deny = Statement { effect: "Deny", ..deny };
        prop_assume!(version.is_some() || !generate::is_of_2012(&deny));
        let mut more = case.clone();
        more.identity.push(vec![Doc { version, statements: vec![deny] }]);
        let after = answer(&more);
        prop_assert!(before.is_allow() || !after.is_allow());
        // And when it does not deny, it changes nothing.
        prop_assert!(after.verdict == Verdict::ExplicitDeny || after == before);
    }

    /// A boundary where there was none turns no no into a yes; and leaves a yes that a resource's policy
    /// gives to this very caller, or to everyone, untouched by silence.
    #[test]
    fn a_boundary_only_narrows(case in case(), boundary in docs(generate::Layer::Caller)) {
        let case = Case { boundary: None, ..case };
        let bounded = Case { boundary: Some(boundary), ..case.clone() };
        narrows(&case, &bounded)?;
    }

    /// The same of session policies. A federated user's session without any has nothing from the
    /// caller's side, so there it is the empty list that is added to.
    #[test]
    fn session_policies_only_narrow(case in case(), session in docs(generate::Layer::Caller)) {
        prop_assume!(!matches!(case.principal, policy::Principal::FederatedUser { .. }));
        let case = Case { session: None, ..case };
        let narrowed = Case { session: Some(vec![session]), ..case.clone() };
        narrows(&case, &narrowed)?;
    }

    /// An Allow in boundary or session policies alone never grants.
    #[test]
    fn narrowing_layers_never_grant(
        case in case(), boundary in docs(generate::Layer::Caller), session in docs(generate::Layer::Caller),
    ) {
        prop_assume!(!matches!(case.principal, policy::Principal::Root { .. }));
        let bare = Case {
            identity: Vec::new(),
            resource_policy: None,
            requires_resource_policy: false,
            boundary: Some(boundary),
            session: Some(vec![session]),
            ..case
        };
        prop_assert!(!answer(&bare).is_allow());
    }

    /// Another Allow on the caller's side never turns a yes into a no.
    #[test]
    fn an_allow_never_narrows(case in case(), more in statement(generate::Layer::Caller)) {
        let allow = Statement { effect: "Allow", ..more };
        let mut wider = case.clone();
        wider.identity.push(vec![Doc { version: Some("2012-10-17"), statements: vec![allow] }]);
        prop_assert!(!answer(&case).is_allow() || answer(&wider).is_allow());
    }

    /// The order of statements, policies, members and list values does not matter.
    #[test]
    fn order_does_not_matter(case in case(), by: Index) {
        let mut turned = with_docs(&case, |doc| {
            rotate(&mut doc.statements, &by);
            for statement in &mut doc.statements {
                rotate(&mut statement.action.list, &by);
                statement.resource.iter_mut().for_each(|r| rotate(&mut r.list, &by));
                let principals = statement.principal.iter_mut().flat_map(|p| p.members.values_mut());
                principals.for_each(|list| rotate(list, &by));
                // Values are not turned where an unreadable ARN makes their order count (A6).
                let lines = statement.conditions.iter_mut();
                let plain = lines.filter(|((operator, _), _)| !operator.contains("Arn"));
                plain.for_each(|(_, values)| rotate(values, &by));
            }
        });
        for set in &mut turned.identity {
            rotate(set, &by);
        }
        rotate(&mut turned.identity, &by);
        prop_assert_eq!(outcome(&case), outcome(&turned));
    }

    /// The order of JSON members does not matter: the engine, given a document with its members
    /// the other way round, reads an equal one.
    #[test]
    fn member_order_does_not_matter(doc in doc(generate::Layer::Resource)) {
        let read = |text: &str| Document::parse(text, Kind::Resource, Strictness::Session).unwrap();
        let reversed = question::ascii(&reversed(&doc.json()));
        let (one, other) = (read(&doc.text()), read(&reversed));
        prop_assert_eq!(one.version(), other.version());
        for (one, other) in one.statements().iter().zip(other.statements()) {
            prop_assert_eq!(&one.action, &other.action);
            prop_assert_eq!(&one.resource, &other.resource);
            prop_assert_eq!(sorted(one), sorted(other));
        }
    }

    /// A statement with a list says what several statements with one entry each say.
    #[test]
    fn splitting_action_and_resource_lists_changes_nothing(case in case()) {
        let apart = with_docs(&case, |doc| {
            let by_action = doc.statements.iter().flat_map(|s| split(s, |s| Some(&mut s.action)));
            let apart = by_action.flat_map(|s| split(&s, |s| s.resource.as_mut()));
            doc.statements = apart.collect();
        });
        prop_assert_eq!(outcome(&case), outcome(&apart));
    }

    /// Printing and reading again changes nothing, and printing is settled after one round.
    #[test]
    fn printing_is_faithful(doc in doc(generate::Layer::Resource)) {
        let read = doc.parse(Kind::Resource).unwrap();
        let printed = read.print();
        let again = Document::parse(&printed, Kind::Resource, Strictness::Session).unwrap();
        prop_assert_eq!(&read, &again);
        prop_assert_eq!(printed, again.print());
    }

    /// A printed document decides as the written one.
    #[test]
    fn printing_decides_alike(case in case()) {
        let printed = with_docs(&case, |_| {});
        let Ok(built) = case.build() else { return Err(TestCaseError::fail("refused")) };
        let sources = built.sources();
        let reprinted: Vec<_> = sources.identity.iter().map(|set| {
            let again = set.policies().iter().map(|named| {
                let text = named.document.print();
                let kind = named.document.kind();
                let document = Document::parse(&text, kind, Strictness::Session).unwrap();
                policy::Named::new(named.id.clone(), document.into())
            });
            std::sync::Arc::new(policy::Compiled::new(again))
        }).collect();
        let ask = printed.ask();
        let reread = policy::Sources { identity: &reprinted, ..sources };
        let (one, other) = (decide(&ask, &sources, &mut NoRecord), decide(&ask, &reread, &mut NoRecord));
        prop_assert_eq!((one.verdict, one.layer, one.grant), (other.verdict, other.layer, other.grant));
        let indexes = |d: &Decision| d.determining.iter().map(|id| id.index).collect::<Vec<_>>();
        prop_assert_eq!(indexes(&one), indexes(&other));
    }

    /// The recorder watches and does not meddle: what it kept says what was decided.
    #[test]
    fn explanation_and_decision_never_differ(case in case()) {
        let quiet = answer(&case);
        let built = case.build().unwrap();
        let (ask, sources) = (case.ask(), built.sources());
        let mut recorder = FullRecord::new();
        let loud = decide(&ask, &sources, &mut recorder);
        prop_assert_eq!(&quiet, &loud);
        let record = recorder.into_record(&ask, &sources).unwrap();
        prop_assert_eq!(&record.decision, &quiet);
        // Every determining statement is recorded as one that applied.
        for id in quiet.determining.iter() {
            let mut policies = record.layers.iter().flat_map(|layer| &layer.policies);
            let policy = policies.find(|p| p.policy == *id.policy).unwrap();
            let statement = policy.statements.iter().find(|s| s.index == id.index).unwrap();
            prop_assert!(statement.applies && statement.failed.is_empty(), "{:?}", statement);
        }
        // And of a layer said to be silent, no Allow applied.
        if let (Verdict::ImplicitDeny, Some(layer)) = (quiet.verdict, quiet.layer)
            && matches!(layer, Layer::Identity | Layer::Boundary)
        {
            let layers = record.layers.iter().filter(|l| l.layer == layer);
            let statements = layers.flat_map(|l| &l.policies).flat_map(|p| &p.statements);
            for statement in statements {
                prop_assert!(!statement.applies, "{:?}", statement);
            }
        }
    }

    /// A recorded explanation survives being written and read.
    #[test]
    fn a_record_is_data(case in case()) {
        let built = case.build().unwrap();
        let (ask, sources) = (case.ask(), built.sources());
        let mut recorder = FullRecord::new();
        decide(&ask, &sources, &mut recorder);
        let record = recorder.into_record(&ask, &sources).unwrap();
        let text = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(record, serde_json::from_str(&text).unwrap());
    }

    /// Keys that `needs` does not mention do not matter, with the resource known and unknown.
    #[test]
    fn needs_is_sound(case in case()) {
        let built = case.build().unwrap();
        let sources = built.sources();
        let action = ActionName::new(&case.action);
        let resource = ResourceName::new(&case.resource);
        let before = decide(&case.ask(), &sources, &mut NoRecord);
        for resource in [Some(&resource), None] {
            let needed = needs(&action, resource, &sources);
            let mut less = case.clone();
            less.context.retain(|key, _| needed.mentions(key));
            prop_assert_eq!(&before, &decide(&less.ask(), &sources, &mut NoRecord));
        }
    }

    /// Keys compare without regard to case, in conditions and in variables.
    #[test]
    fn the_case_of_keys_does_not_matter(case in case()) {
        let mut shouted = case.clone();
        shouted.context = case.context.iter().map(|(k, v)| (k.to_uppercase(), v.clone())).collect();
        prop_assert_eq!(answer(&case), answer(&shouted));
    }

    /// Nor does that of actions.
    #[test]
    fn the_case_of_actions_does_not_matter(case in case()) {
        let shouted = Case { action: case.action.to_uppercase(), ..case.clone() };
        prop_assert_eq!(answer(&case), answer(&shouted));
    }
}

/// `narrower` is `wider` with a layer more on the caller's side.
fn narrows(wider: &Case, narrower: &Case) -> Result<(), TestCaseError> {
    let (before, after) = (answer(wider), answer(narrower));
    // NotPrincipal in a Deny hits every principal with a boundary (A1): that narrows, too. In an Allow it
    // does not look at the boundary.
    prop_assert!(before.is_allow() || !after.is_allow());
    let bypasses = matches!(before.grant, Grant::Exact | Grant::Star)
        && wider.choices == Choices::CHOSEN
        && before.layer == Some(Layer::Resource);
    if before.is_allow() && bypasses {
        prop_assert!(after.verdict != Verdict::ImplicitDeny, "the documented bypass");
    }
    Ok(())
}

/// What a statement says, regardless of order.
fn sorted(statement: &policy::document::Statement) -> BTreeMap<(String, String), Vec<String>> {
    let lines = statement.conditions.iter().flatten();
    let texts = |line: &policy::document::ConditionLine| {
        line.values.iter().map(|value| value.text.text.clone()).collect()
    };
    lines.map(|l| ((l.operator.text.clone(), l.key.text.clone()), texts(l))).collect()
}

/// JSON with the members of every object in reverse.
fn reversed(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let texts: Vec<String> = members
                .iter()
                .rev()
                .map(|(name, value)| format!("{}:{}", serde_json::json!(name), reversed(value)))
                .collect();
            format!("{{{}}}", texts.join(","))
        }
        serde_json::Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(reversed).collect();
            format!("[{}]", texts.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// The law of splitting does not hold of the `Not…` lists: entries apart exclude less.
#[test]
fn splitting_negated_lists_widens() {
    for (element, other) in [("NotAction", "Resource"), ("NotResource", "Action")] {
        let list = if element == "NotAction" {
            ["s3:GetObject", "s3:PutObject"]
        } else {
            ["arn:aws:s3:::b/k", "arn:aws:s3:::c/*"]
        };
        let statement = |list: serde_json::Value| serde_json::json!({"Effect": "Allow", element: list, other: "*"});
        let together = vec![statement(serde_json::json!(list))];
        let apart = list.iter().map(|one| statement(serde_json::json!(one))).collect();
        assert!(!allows(together), "{element}: both are excluded");
        assert!(
            allows(apart),
            "{element}: each is allowed by the statement that excludes the other"
        );
    }
}

fn allows(statements: Vec<serde_json::Value>) -> bool {
    let json = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    let document = Document::parse(&json.to_string(), Kind::Identity, Strictness::Stored).unwrap();
    let id = policy::PolicyId::new("p", policy::PolicyKind::Inline);
    let set = policy::Compiled::new([policy::Named::new(id, document.into())]);
    let identity = [set.into()];
    let user = policy::Principal::User {
        arn: policy::Arn::parse("arn:aws:iam::111122223333:user/ann").unwrap(),
        id: policy::UniqueId::new("AIDAANNXXXXXXXXXXXXX"),
        account: policy::AccountId::parse("111122223333").unwrap(),
    };
    let ask = policy::Ask::new(user, "s3:GetObject", "arn:aws:s3:::b/k");
    let sources = policy::Sources { identity: &identity, ..policy::Sources::default() };
    decide(&ask, &sources, &mut NoRecord).is_allow()
}
