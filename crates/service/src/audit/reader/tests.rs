use std::collections::HashSet;
use std::path::Path;

use super::*;
use crate::audit::book::tests::{at, event, open, writer};
use crate::audit::lookup::{LookupAttribute, LookupInput, lookup_events};
use crate::audit::{Attribute, Durability, LogBook};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const COUNT: usize = 300;

async fn filled(folder: &Path) -> LogBook {
    let book = open(folder, 16 << 10);
    for n in 0..COUNT {
        book.append(event(n), Durability::Written).await.unwrap();
    }
    book
}

fn pages(reader: &Reader, query: &Query, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = reader.page(query, limit, token.as_deref()).unwrap();
        assert!(page.events.len() <= limit);
        ids.extend(page.events.into_iter().map(|event| event.request_id));
        token = page.next;
        if token.is_none() {
            return ids;
        }
    }
}

fn expected(of: impl Fn(usize) -> bool) -> Vec<String> {
    (0..COUNT).rev().filter(|n| of(*n)).map(|n| format!("request-{n}")).collect()
}

fn asks_everything(reader: &Reader) {
    assert_eq!(pages(reader, &Query::all(Scope::Operator), 7), expected(|_| true));
    let one = Scope::Account(ONE.to_owned());
    assert_eq!(pages(reader, &Query::all(one.clone()), 50), expected(|n| n % 2 == 0));
    let refused = Query { refused: true, ..Query::all(one) };
    assert_eq!(pages(reader, &refused, 3), expected(|n| n % 6 == 0));
}

#[tokio::test]
async fn pages_hold_everything_once_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let book = filled(folder.path()).await;
    assert!(std::fs::read_dir(folder.path().join("segments")).unwrap().count() > 5);
    asks_everything(&book.reader());
    asks_everything(&Reader::open(folder.path()));
    drop(book);
    asks_everything(&Reader::open(folder.path()));
    asks_everything(&open(folder.path(), 16 << 10).reader());
}

#[tokio::test]
async fn a_lost_a_torn_or_a_rotten_index_costs_nothing_but_time() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()).await);
    let mut files: Vec<_> = std::fs::read_dir(folder.path().join("index"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 5);
    std::fs::remove_file(&files[1]).unwrap();
    let mut rotten = std::fs::read(&files[2]).unwrap();
    rotten[100] ^= 1;
    std::fs::write(&files[2], rotten).unwrap();
    // The last one is short: the server died before its slots were written.
    std::fs::write(files.last().unwrap(), [0u8; 30]).unwrap();
    asks_everything(&Reader::open(folder.path()));
    asks_everything(&open(folder.path(), 16 << 10).reader());
}

#[tokio::test]
async fn an_account_sees_its_own_side_only() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 1 << 20);
    let mut own = event(0);
    own.vestibule.checks.push(crate::audit::Check::fail("role").into());
    let copy = own.for_account(TWO);
    book.append(own.clone(), Durability::Written).await.unwrap();
    book.append(Box::new(copy.clone()), Durability::Written).await.unwrap();
    let reader = book.reader();
    let seen = |scope: Scope| reader.by_request(scope, "request-0").unwrap();
    let one = seen(Scope::Account(ONE.to_owned()));
    let two = seen(Scope::Account(TWO.to_owned()));
    assert_eq!((one.len(), two.len(), seen(Scope::Operator).len()), (1, 1, 2));
    assert!(seen(Scope::Account("333333333333".to_owned())).is_empty());
    assert_eq!(one[0].shared_event_id, two[0].shared_event_id);
    assert!(one[0].shared_event_id.is_some());
    assert_ne!(one[0].event_id, two[0].event_id);
    assert_eq!(one[0].user_identity.user_name.as_deref(), Some("anna"));
    let outside = serde_json::to_value(&two[0].user_identity).unwrap();
    let wanted = serde_json::json!({"type": "AWSAccount", "principalId": "AIDA", "accountId": ONE});
    assert_eq!(outside, wanted);
}

#[tokio::test]
async fn a_token_serves_its_own_question_only() {
    let folder = tempfile::tempdir().unwrap();
    let book = filled(folder.path()).await;
    let one = Query::all(Scope::Account(ONE.to_owned()));
    let two = Query::all(Scope::Account(TWO.to_owned()));
    let reader = book.reader();
    let token = reader.page(&one, 5, None).unwrap().next.unwrap();
    assert!(reader.page(&one, 5, Some(&token)).is_ok());
    for bad in [token.as_str(), "", "AAAA", "!"] {
        let answer = reader.page(&two, 5, Some(bad));
        assert!(matches!(answer, Err(QueryError::BadToken)), "{bad}");
    }
}

#[tokio::test]
async fn pages_stay_complete_while_events_arrive_and_another_writer_writes() {
    let folder = tempfile::tempdir().unwrap();
    let book = filled(folder.path()).await;
    let mut options = crate::audit::BookOptions::new(folder.path(), WriterId::new("cli").unwrap());
    options.reserve_bytes = 0;
    let other = LogBook::open(options).unwrap().0;
    let mut late = event(1000);
    late.vestibule.at_micros = at(150 * 1_000_000 + 1).as_microsecond();
    other.append(late.clone(), Durability::Written).await.unwrap();
    let reader = book.reader();
    let query = Query::all(Scope::Operator);
    let first = reader.page(&query, 100, None).unwrap();
    book.append(event(2000), Durability::Written).await.unwrap();
    let second = reader.page(&query, 100, first.next.as_deref()).unwrap();
    let third = reader.page(&query, 200, second.next.as_deref()).unwrap();
    assert!(third.next.is_none());
    let all: Vec<String> = [first.events, second.events, third.events]
        .concat()
        .into_iter()
        .map(|event| event.request_id)
        .collect();
    let distinct: HashSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (COUNT + 1, COUNT + 1));
    let place = all.iter().position(|id| id == "request-1000").unwrap();
    assert_eq!((all[place - 1].as_str(), all[place + 1].as_str()), ("request-151", "request-150"));
}

#[tokio::test]
async fn every_attribute_selects_what_has_it_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let book = filled(folder.path()).await;
    let reader = book.reader();
    let ask = |attribute: Attribute| {
        let mut query = Query::all(Scope::Operator);
        query.attributes.push(attribute);
        pages(&reader, &query, 500)
    };
    let text = |s: &str| s.to_owned();
    assert_eq!(ask(Attribute::EventId(event(5).event_id)), ["request-5"]);
    assert_eq!(ask(Attribute::EventName(text("GetRole"))), expected(|n| n % 3 == 0));
    assert_eq!(ask(Attribute::ReadOnly(false)), expected(|n| n % 3 != 0));
    assert_eq!(ask(Attribute::Username(text("anna"))).len(), COUNT);
    assert!(ask(Attribute::Username(text("Anna"))).is_empty());
    assert_eq!(ask(Attribute::ResourceName(text("role-2"))), expected(|n| n % 5 == 2));
    let arn = format!("arn:aws:iam::{ONE}:role/role-2");
    assert_eq!(ask(Attribute::ResourceName(arn)), expected(|n| n % 10 == 2));
    assert_eq!(ask(Attribute::ResourceType(text("AWS::IAM::Role"))).len(), COUNT);
    assert!(ask(Attribute::ResourceType(text("AWS::IAM::User"))).is_empty());
    assert_eq!(ask(Attribute::EventSource(text("iam.amazonaws.com"))).len(), COUNT);
    assert!(ask(Attribute::EventSource(text("sts.amazonaws.com"))).is_empty());
    assert_eq!(ask(Attribute::AccessKeyId(text("AKIA1"))).len(), COUNT);
    assert!(ask(Attribute::AccessKeyId(text("AKIA2"))).is_empty());
}

#[tokio::test]
async fn lookup_events_answers_as_cloudtrail_does() {
    let folder = tempfile::tempdir().unwrap();
    let book = filled(folder.path()).await;
    let reader = book.reader();
    let by = |key: &str, value: &str| LookupInput {
        lookup_attributes: vec![LookupAttribute {
            attribute_key: key.to_owned(),
            attribute_value: value.to_owned(),
        }],
        ..LookupInput::default()
    };
    let output = lookup_events(&reader, ONE, &by("EventName", "CreateRole")).unwrap();
    assert_eq!(output.events.len(), 50);
    // Those were all, but only looking further tells: as on AWS, the next page may be empty.
    let next =
        LookupInput { next_token: output.next_token.clone(), ..by("EventName", "CreateRole") };
    let rest = lookup_events(&reader, ONE, &next).unwrap();
    assert!(rest.events.is_empty() && rest.next_token.is_none());
    let shown = serde_json::to_value(&output.events[0]).unwrap();
    let whole: serde_json::Value =
        serde_json::from_str(shown["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(whole["eventName"], "CreateRole");
    assert_eq!(whole["recipientAccountId"], ONE);
    assert_eq!((&shown["ReadOnly"], &shown["Username"]), (&"false".into(), &"anna".into()));
    assert_eq!(shown["Resources"][0]["ResourceType"], "AWS::IAM::Role");

    let second = |n: usize| at(n as i64 * 1_000_000).as_second() as f64;
    let times = LookupInput {
        start_time: Some(second(10)),
        end_time: Some(second(13)),
        ..LookupInput::default()
    };
    let output = lookup_events(&reader, TWO, &times).unwrap();
    let ids: Vec<String> = output.events.into_iter().map(|e| e.event_id).collect();
    assert_eq!(ids, [event(13).event_id, event(11).event_id]);

    let code = |input: LookupInput| lookup_events(&reader, ONE, &input).unwrap_err().code();
    let plain = LookupInput::default;
    assert_eq!(code(by("Colour", "red")), "InvalidLookupAttributesException");
    assert_eq!(code(by("ReadOnly", "maybe")), "InvalidLookupAttributesException");
    assert_eq!(
        code(LookupInput { max_results: Some(51), ..plain() }),
        "InvalidMaxResultsException"
    );
    assert_eq!(code(LookupInput { max_results: Some(0), ..plain() }), "InvalidMaxResultsException");
    let token = Some("x".to_owned());
    assert_eq!(code(LookupInput { next_token: token, ..plain() }), "InvalidNextTokenException");
    let (start_time, end_time) = (Some(2e9), Some(1e9));
    let backward = LookupInput { start_time, end_time, ..plain() };
    assert_eq!(code(backward), "InvalidTimeRangeException");
    let nan = LookupInput { start_time: Some(f64::NAN), ..plain() };
    assert_eq!(code(nan), "InvalidTimeRangeException");
}

#[test]
fn a_reader_of_nothing_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let reader = Reader::open(&folder.path().join("missing"));
    assert!(reader.last(Scope::Operator, false).unwrap().is_none());
    assert!(reader.by_request(Scope::Operator, "x").unwrap().is_empty());
    assert!(reader.follow().unwrap().poll(1).unwrap().is_empty());
    assert_eq!(writer().as_str(), "test");
}
