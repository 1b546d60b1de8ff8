use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use store::{Receipt, Revision, StoredReceipt};

use super::*;
use crate::audit::draft::bounded_claims;
use crate::audit::{Check, Draft, Outcome, Query, Scope, UserIdentity};

pub(in crate::audit) fn writer() -> WriterId {
    WriterId::new("test").unwrap()
}

pub(in crate::audit) fn open(folder: &Path, segment_bytes: u64) -> LogBook {
    let mut options = BookOptions::new(folder, writer());
    options.segment_bytes = segment_bytes;
    options.reserve_bytes = 0;
    LogBook::open(options).unwrap().0
}

pub(in crate::audit) fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap()
}

/// The `n`th event: of one of two accounts, every third refused.
pub(in crate::audit) fn event(n: usize) -> Box<Event> {
    let time = at(n as i64 * 1_000_000);
    let account = if n.is_multiple_of(2) { "111111111111" } else { "222222222222" };
    let mut draft = Draft::new(&format!("request-{n}"), time);
    draft.from("203.0.113.9", "test", None);
    let names = ["GetRole", "CreateRole", "DeleteRole"];
    draft.call("iam.amazonaws.com", names[n % 3], n.is_multiple_of(3));
    let arn = format!("arn:aws:iam::{account}:user/anna");
    draft.caller(UserIdentity::user("AIDA", &arn, account, "anna", "AKIA1", None), true);
    draft.account(account);
    let role = format!("arn:aws:iam::{account}:role/role-{}", n % 5);
    draft.resource(Some(account), "AWS::IAM::Role", &role);
    if n.is_multiple_of(3) {
        draft.refused(Outcome::Denied, "AccessDenied", "no");
    } else {
        draft.allowed();
    }
    draft.finish(time)
}

fn stranger(n: usize) -> Box<Event> {
    let time = at(n as i64);
    let mut draft = Draft::new(&format!("stranger-{n}"), time);
    draft.from("198.51.100.7", "curl", None);
    draft.refused(Outcome::Unauthenticated, "InvalidClientTokenId", "no");
    draft.finish(time)
}

fn everything(reader: &Reader) -> Vec<Event> {
    let page = reader.page(&Query::all(Scope::Operator), 10_000, None).unwrap();
    assert!(page.next.is_none());
    page.events
}

#[tokio::test]
async fn an_event_is_found_at_once_after_a_restart_and_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 1 << 20);
    for n in 0..10 {
        book.append(event(n), Durability::Written).await.unwrap();
    }
    let found = |reader: Reader| {
        let events = reader.by_request(Scope::Operator, "request-7").unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event_id, event(7).event_id);
        assert!(reader.by_request(Scope::Operator, "request-77").unwrap().is_empty());
        let last = reader.last(Scope::Operator, false).unwrap().unwrap();
        assert_eq!(last.request_id, "request-9");
        let refused = reader.last(Scope::Account("111111111111".into()), true).unwrap().unwrap();
        assert_eq!(refused.request_id, "request-6");
    };
    found(book.reader());
    found(Reader::open(folder.path()));
    assert_eq!(book.figures().written, 10);
    drop(book);
    found(Reader::open(folder.path()));
    found(open(folder.path(), 1 << 20).reader());
}

#[tokio::test]
async fn a_flood_is_counted_and_the_counts_add_up_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 1 << 20);
    for n in 0..2000 {
        book.append(stranger(n), Durability::Written).await.unwrap();
    }
    let counted = book.figures().counted;
    assert!(counted > 1000, "{counted}");
    assert_eq!(book.figures().written + counted, 2000);
    book.tick(at(1_000_000)).await;
    assert_eq!(book.figures().counted_waiting, counted, "its window has not passed");
    book.finish(at(1_000_000)).await;
    let events = everything(&book.reader());
    let told: u64 = events
        .iter()
        .map(|event| event.vestibule.aggregate.as_ref().map_or(1, |many| many.count))
        .sum();
    assert_eq!(told, 2000);
    assert_eq!(book.figures().counted_waiting, 0);
}

#[tokio::test]
async fn a_receipt_is_delivered_once_however_often_it_is_handed_in() {
    let folder = tempfile::tempdir().unwrap();
    let receipt = |n: usize| {
        let event = event(n);
        StoredReceipt {
            revision: Revision(1),
            receipt: Receipt {
                event: event.event_id.clone().into(),
                body: serde_json::to_vec(&event).unwrap(),
            },
        }
    };
    let book = open(folder.path(), 1 << 20);
    book.append(event(1), Durability::Written).await.unwrap();
    book.deliver(&[receipt(1), receipt(2)]).await.unwrap();
    book.deliver(&[receipt(1), receipt(2)]).await.unwrap();
    drop(book);
    let book = open(folder.path(), 1 << 20);
    book.deliver(&[receipt(1), receipt(2), receipt(3)]).await.unwrap();
    let ids: Vec<String> =
        everything(&book.reader()).into_iter().map(|event| event.request_id).collect();
    assert_eq!(ids, ["request-3", "request-2", "request-1"]);
}

#[tokio::test]
async fn listeners_hear_what_is_written_in_this_process_and_in_others() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 4096);
    book.append(event(0), Durability::Written).await.unwrap();
    let mut heard = book.subscribe();
    let mut follow = Reader::open(folder.path()).follow().unwrap();
    assert!(follow.poll(100).unwrap().is_empty(), "what was there is passed over");
    for n in 1..20 {
        book.append(event(n), Durability::Written).await.unwrap();
    }
    let mut read = follow.poll(3).unwrap();
    read.extend(follow.poll(100).unwrap());
    for (n, event) in read.iter().enumerate() {
        assert_eq!(event.request_id, format!("request-{}", n + 1));
        assert_eq!(heard.recv().await.unwrap().request_id, event.request_id);
    }
    assert_eq!(read.len(), 19);
}

#[tokio::test]
async fn old_segments_go_with_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = BookOptions::new(folder.path(), writer());
    options.segment_bytes = 4096;
    options.reserve_bytes = 0;
    options.keep.bytes = 20_000;
    let (book, _) = LogBook::open(options).unwrap();
    for n in 0..100 {
        book.append(event(n), Durability::Written).await.unwrap();
    }
    let files = || std::fs::read_dir(folder.path().join("index")).unwrap().count();
    drop(book);
    let before = files();
    let mut options = BookOptions::new(folder.path(), writer());
    options.keep.bytes = 20_000;
    options.reserve_bytes = 0;
    let (book, _) = LogBook::open(options).unwrap();
    book.tick(at(0)).await;
    assert!(files() < before, "{} of {before}", files());
    let left = everything(&book.reader());
    assert!(left.len() < 50, "{}", left.len());
    assert_eq!(left[0].request_id, "request-99");
}

#[tokio::test]
async fn an_event_whose_client_has_gone_away_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 1 << 20);
    for n in 0..50 {
        let event = event(n);
        let mut call = Box::pin(book.append(event.clone(), Durability::Synced));
        let begun = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx)));
        let _ = begun.await;
        drop(call);
    }
    // Appends are in order, so once this one is told, the others are on the disk.
    book.append(event(50), Durability::Synced).await.unwrap();
    // Bounded by the runner's own limit: the spawned ends of the calls need their turns.
    while everything(&book.reader()).len() < 51 {
        tokio::task::yield_now().await;
    }
    let mut ids: Vec<String> =
        everything(&book.reader()).into_iter().map(|event| event.request_id).collect();
    ids.sort();
    let mut wanted: Vec<String> = (0..=50).map(|n| format!("request-{n}")).collect();
    wanted.sort();
    assert_eq!(ids, wanted);
}

#[tokio::test]
async fn an_event_of_any_size_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 1 << 20);
    let mut huge = event(1);
    huge.user_agent = "x".repeat(3 << 20);
    book.append(huge.clone(), Durability::Synced).await.unwrap();
    let back = &book.reader().by_request(Scope::Operator, "request-1").unwrap()[0];
    assert!(!back.vestibule.trimmed.is_empty());
    assert_eq!(back.event_id, huge.event_id);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever a client puts its token, and whatever the service hands to the draft: neither the
    /// token nor a secret is in the entry.
    #[test]
    fn no_token_and_no_secret_reaches_an_entry(
        claims in "[A-Za-z0-9_-]{20,60}",
        signature in "[A-Za-z0-9_-]{20,60}",
        secret in "[A-Za-z0-9/+]{40}",
        session in "[A-Za-z0-9/+]{60,90}",
    ) {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{claims}.{signature}");
        let mut draft = Draft::new(&token, at(0));
        draft.call(token.clone(), token.clone(), true);
        draft.from("::1", &format!("agent {token}"), None);
        draft.request(&json!({
            "WebIdentityToken": token,
            "RoleSessionName": token,
            "Nested": [{ "Deep": { "SecretAccessKey": secret, "Text": format!("a {token} b") } }],
            "EncodedMessage": session,
        }));
        draft.response(&json!({
            "Credentials": { "SecretAccessKey": secret, "SessionToken": session, "AccessKeyId": "ASIA" },
            "AccessKey": { "SecretAccessKey": secret },
        }));
        draft.claims(bounded_claims([("act".to_owned(), json!({ "token": token }))].into_iter()));
        draft.check(Check::fail("x").wanted(token.clone()).had(token.clone()).note(token.clone()));
        draft.cause(format!("because {token}"));
        draft.resource(None, "AWS::IAM::Role", &token);
        draft.mapped_tag("claim", "tag", &token);
        draft.signature(&format!("GET\n/{token}"), "sts", None);
        draft.allowed();
        let mut event = draft.finish(at(1));
        event.request_id = "r".into();
        event.error_message = None;
        let text = serde_json::to_string(&event).unwrap();
        for hidden in [&token, &claims, &signature, &secret, &session] {
            prop_assert!(!text.contains(hidden.as_str()), "{hidden} in {text}");
        }
        prop_assert!(text.contains("ASIA"));
        prop_assert!(text.contains(&crate::audit::redact::digest_of(session.as_bytes())));
    }
}

/// `cargo test -p service --release -- --ignored --nocapture takes`
#[tokio::test]
#[ignore = "a measurement"]
async fn an_entry_takes_a_few_microseconds() {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/explain/allowed.json"),
    )
    .unwrap();
    let event: Event = serde_json::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), 64 << 20);
    let timed = |name: &str, count: u32, took: std::time::Duration| {
        println!("{name}: {:.2} us", took.as_secs_f64() * 1e6 / f64::from(count));
    };
    let start = std::time::Instant::now();
    let mut bytes = 0;
    for _ in 0..20_000 {
        bytes += trim::encode(&event, trim::DEFAULT_LIMIT).unwrap().len();
    }
    timed("encode", 20_000, start.elapsed());
    println!("bytes: {}", bytes / 20_000);
    let output = json!({"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "x",
        "SessionToken": "t".repeat(600), "Expiration": "2026-03-23T02:39:57Z"}});
    let start = std::time::Instant::now();
    for _ in 0..20_000 {
        assert!(crate::audit::redact::to_raw(&output).is_some());
    }
    timed("filter an answer", 20_000, start.elapsed());
    let start = std::time::Instant::now();
    for _ in 0..5_000 {
        book.append(Box::new(event.clone()), Durability::Written).await.unwrap();
    }
    timed("append, one by one", 5_000, start.elapsed());
}
