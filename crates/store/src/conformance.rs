//! The contract of a [`Store`] as a test suite: a backend is done when it passes.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Change, Commit, Conflict, Document, DocumentId, Error, EventId, Kind, Note, Precondition,
    Revision, Store, Term,
};

const ROLE: Kind = Kind::new("role");
const USER: Kind = Kind::new("user");

type Shared = Arc<dyn Store>;

/// Runs every case on an empty store of its own.
pub async fn run(mut empty: impl FnMut() -> Shared) {
    commits_make_revisions(empty()).await;
    what_is_put_comes_back(empty()).await;
    load_filters_and_orders(empty()).await;
    the_expected_revision_must_stand(empty()).await;
    preconditions_hold_or_nothing_happens(empty()).await;
    deleting_what_is_not_there_fails(empty()).await;
    terms_find_documents(empty()).await;
    unique_terms_have_one_owner(empty()).await;
    uniqueness_is_judged_on_the_outcome(empty()).await;
    a_failing_commit_does_nothing(empty()).await;
    receipts_come_with_their_commit(empty()).await;
    receipts_are_not_taken_twice(empty()).await;
    changes_tell_the_difference(empty()).await;
    changes_start_anew_when_too_much_is_forgotten(empty()).await;
    large_bodies_come_back(empty()).await;
    limits_are_refused(empty()).await;
    of_conflicting_commits_one_wins(empty()).await;
    readers_see_whole_commits(empty()).await;
    waiting_ends_with_the_next_commit(empty()).await;
    a_commit_that_nobody_waits_for_is_made(empty()).await;
    of_notes_the_newest_is_kept_and_none_makes_a_revision(empty()).await;
    notes_beyond_their_limits_are_refused_whole(empty()).await;
}

async fn commits_make_revisions(store: Shared) {
    assert_eq!(store.revision().await, Ok(Revision::ZERO));
    assert_eq!(put(&store, [role("a")]).await, Ok(Revision(1)));
    assert_eq!(store.commit(Commit::on(Revision(1))).await, Ok(Revision(2)), "also an empty one");
    assert_eq!(store.revision().await, Ok(Revision(2)));
}

async fn what_is_put_comes_back(store: Shared) {
    let document = role("a")
        .with(Term::shared("path", "/x\0ü/"))
        .with(Term::unique("arn", "arn:1"))
        .with(Term::shared("path", "/x\0ü/"));
    put(&store, [document.clone()]).await.unwrap();
    let back = get(&store, "a").await.unwrap();
    assert_eq!((back.body, back.revision), (document.body, Revision(1)));
    assert_eq!(back.terms, [Term::unique("arn", "arn:1"), Term::shared("path", "/x\0ü/")]);

    put(&store, [role("a")]).await.unwrap();
    let back = get(&store, "a").await.unwrap();
    assert_eq!(
        (back.terms.len(), back.revision),
        (0, Revision(2)),
        "the terms go with the old one"
    );
    assert_eq!(store.get(&USER, &"a".into()).await, Ok(None), "another kind");
}

async fn load_filters_and_orders(store: Shared) {
    put(&store, [role("b"), user("z"), role("a")]).await.unwrap();
    put(&store, [role("B"), Document::new(Kind::new("group"), "g", "{}")]).await.unwrap();
    let ids = |kinds: Vec<Kind>| {
        let store = Arc::clone(&store);
        async move {
            let loaded = store.load(&kinds).await.unwrap();
            assert_eq!(loaded.revision, Revision(2));
            let id = |d: &Document| d.id.as_str().to_owned();
            loaded.documents.iter().map(id).collect::<String>()
        }
    };
    assert_eq!(ids(vec![]).await, "gBabz");
    assert_eq!(ids(vec![USER, ROLE, USER]).await, "Babz");
    assert_eq!(ids(vec![Kind::new("none")]).await, "");
}

async fn the_expected_revision_must_stand(store: Shared) {
    put(&store, [role("a")]).await.unwrap();
    for wrong in [0, 2] {
        let commit = Commit::on(Revision(wrong)).change(Change::put(role("b")));
        let current = Revision(1);
        let conflict = Error::Conflict(Conflict::Revision { current });
        assert_eq!(store.commit(commit).await, Err(conflict));
    }
    assert_eq!(get(&store, "b").await, None);
}

async fn preconditions_hold_or_nothing_happens(store: Shared) {
    put(&store, [role("a"), role("b")]).await.unwrap();
    store.commit(Commit::on(Revision(1)).change(Change::delete(ROLE, "b"))).await.unwrap();
    let cases = [
        ("a", Precondition::None, true),
        ("a", Precondition::Present, true),
        ("a", Precondition::Absent, false),
        ("a", Precondition::At(Revision(0)), true),
        ("a", Precondition::At(Revision(1)), false),
        ("b", Precondition::None, true),
        ("b", Precondition::Present, false),
        ("b", Precondition::Absent, true),
        ("b", Precondition::At(Revision(1)), false),
    ];
    for (id, only_if, holds) in cases {
        let before = store.load(&[]).await.unwrap();
        let written = before.documents.iter().find(|d| d.id.as_str() == id).map(|d| d.revision);
        // 0 stands for the revision of the document as it is now.
        let only_if = match (only_if, written) {
            (Precondition::At(Revision(0)), Some(now)) => Precondition::At(now),
            _ => only_if,
        };
        for change in [
            Change::Put { document: role(id), only_if },
            Change::Delete { kind: ROLE, id: id.into(), only_if },
        ] {
            let commit = Commit::on(before.revision).change(change);
            if !holds {
                let conflict = Conflict::Document { kind: ROLE, id: id.into() };
                assert_eq!(store.commit(commit).await, Err(Error::Conflict(conflict)), "{id}");
                assert_eq!(store.load(&[]).await.unwrap(), before);
            } else if matches!(commit.changes[..], [Change::Put { .. }]) {
                assert_eq!(store.commit(commit).await, Ok(before.revision.next()), "{id}");
            }
        }
        if id == "b" && holds {
            let gone = Commit::on(before.revision.next()).change(Change::delete(ROLE, "b"));
            store.commit(gone).await.unwrap();
        }
    }
}

async fn deleting_what_is_not_there_fails(store: Shared) {
    put(&store, [role("a")]).await.unwrap();
    let delete = |kind, id: &str| Commit::on(Revision(1)).change(Change::delete(kind, id));
    let missing = Error::NotFound { kind: USER, id: "a".into() };
    assert_eq!(store.commit(delete(USER, "a")).await, Err(missing));
    assert_eq!(store.commit(delete(ROLE, "a")).await, Ok(Revision(2)));
    assert_eq!(get(&store, "a").await, None);
}

async fn terms_find_documents(store: Shared) {
    let of = |d: Document, account: &str| d.with(Term::shared("account", account));
    put(&store, [of(role("b"), "1"), of(role("a"), "1"), of(role("c"), "2"), of(user("u"), "1")])
        .await
        .unwrap();
    assert_eq!(found(&store, "account", "1").await, "ab");
    assert_eq!(found(&store, "account", "2").await, "c");
    assert_eq!(found(&store, "account", "").await, "");
    assert_eq!(found(&store, "acc", "1").await, "");

    put(&store, [of(role("a"), "2")]).await.unwrap();
    store.commit(Commit::on(Revision(2)).change(Change::delete(ROLE, "c"))).await.unwrap();
    assert_eq!(found(&store, "account", "1").await, "b");
    assert_eq!(found(&store, "account", "2").await, "a");
}

async fn unique_terms_have_one_owner(store: Shared) {
    let named = |d: Document, name: &str| d.with(Term::unique("name", name));
    put(&store, [named(role("a"), "x")]).await.unwrap();
    let taken = Conflict::Term { kind: ROLE, name: "name".into(), value: "x".into() };
    assert_eq!(put(&store, [named(role("b"), "x")]).await, Err(Error::Conflict(taken.clone())));
    assert_eq!(
        put(&store, [named(role("b"), "y"), named(role("c"), "y")]).await,
        Err(Error::Conflict(Conflict::Term { kind: ROLE, name: "name".into(), value: "y".into() })),
        "within one commit",
    );
    put(&store, [named(user("a"), "x")]).await.expect("another kind");
    put(&store, [named(role("b"), "X")]).await.expect("another value");
    put(&store, [named(role("a"), "x")]).await.expect("its own");
    put(&store, [role("c").with(Term::shared("name", "x"))]).await.expect("not as unique");
    assert_eq!(found(&store, "name", "x").await, "ac");
    store.commit(Commit::on(Revision(5)).change(Change::delete(ROLE, "a"))).await.unwrap();
    put(&store, [named(role("d"), "x")]).await.expect("it is free again");
}

async fn uniqueness_is_judged_on_the_outcome(store: Shared) {
    let named = |id: &str, name: &str| role(id).with(Term::unique("name", name));
    put(&store, [named("a", "x"), named("b", "y")]).await.unwrap();
    put(&store, [named("a", "y"), named("b", "x")]).await.expect("two change places");
    let handed_over = Commit::on(Revision(2))
        .change(Change::put(named("c", "y")))
        .change(Change::delete(ROLE, "a"));
    store.commit(handed_over).await.expect("the old owner goes");
    assert_eq!(found(&store, "name", "y").await, "c");
}

async fn a_failing_commit_does_nothing(store: Shared) {
    put(&store, [role("a").with(Term::unique("name", "x")), role("b")]).await.unwrap();
    let before = store.load(&[]).await.unwrap();
    let base = || {
        Commit::on(Revision(1))
            .change(Change::put(role("new").with(Term::shared("account", "1"))))
            .change(Change::delete(ROLE, "b"))
            .receipt("event", "{}")
    };
    let failing = [
        base().change(Change::create(role("a"))),
        base().change(Change::delete(ROLE, "missing")),
        base().change(Change::put(role("c").with(Term::unique("name", "x")))),
        base().receipt("event", "{}"),
    ];
    for commit in failing {
        store.commit(commit.clone()).await.expect_err(&format!("{commit:?}"));
        assert_eq!(store.load(&[]).await.unwrap(), before);
        assert_eq!(found(&store, "account", "1").await, "");
        assert_eq!(events(&store).await, "");
        assert_eq!(store.changes_since(Revision(1)).await.unwrap().deleted, []);
    }
    store.commit(base()).await.expect("the twin without the fault");
}

async fn receipts_come_with_their_commit(store: Shared) {
    let commit = Commit::on(Revision(0)).receipt("b", "one").receipt("a", "two");
    store.commit(commit).await.unwrap();
    store.commit(Commit::on(Revision(1)).receipt("c", "three")).await.unwrap();
    let waiting = store.undelivered_receipts(10).await.unwrap();
    let told: Vec<_> = waiting
        .iter()
        .map(|s| (s.revision.0, s.receipt.event.as_str(), s.receipt.body.as_slice()))
        .collect();
    assert_eq!(told, [(1, "b", &b"one"[..]), (1, "a", b"two"), (2, "c", b"three")]);
    assert_eq!(store.undelivered_receipts(1).await.unwrap().len(), 1);

    let delivered: Vec<EventId> = ["b".into(), "c".into(), "unknown".into()].into();
    for _ in 0..2 {
        store.mark_delivered(&delivered).await.unwrap();
        assert_eq!(events(&store).await, "a");
    }
    assert_eq!(store.revision().await, Ok(Revision(2)), "a delivery is no commit");
}

async fn receipts_are_not_taken_twice(store: Shared) {
    store.commit(Commit::on(Revision(0)).receipt("a", "one")).await.unwrap();
    let again = || Commit::on(Revision(1)).receipt("a", "two");
    assert_eq!(store.commit(again()).await, Err(Error::Conflict(Conflict::Event("a".into()))));
    store.mark_delivered(&["a".into()]).await.unwrap();
    assert_eq!(store.commit(again()).await, Ok(Revision(2)));
}

async fn changes_tell_the_difference(store: Shared) {
    put(&store, [role("b"), role("a"), role("c")]).await.unwrap();
    put(&store, [role("a")]).await.unwrap();
    let went =
        Commit::on(Revision(2)).change(Change::delete(ROLE, "c")).change(Change::delete(ROLE, "b"));
    store.commit(went).await.unwrap();
    put(&store, [role("b")]).await.unwrap();

    let told = |since| {
        let store = Arc::clone(&store);
        async move {
            let changes = store.changes_since(Revision(since)).await.unwrap();
            assert_eq!(changes.revision, Revision(4));
            assert!(!changes.reset);
            let put = changes.documents.iter().map(|d| format!("+{}{}", d.id, d.revision));
            put.chain(changes.deleted.iter().map(|d| format!("-{}{}", d.id, d.revision)))
                .collect::<String>()
        }
    };
    assert_eq!(told(0).await, "+a2+b4-c3");
    assert_eq!(told(2).await, "+b4-c3");
    assert_eq!(told(3).await, "+b4");
    assert_eq!(told(4).await, "");
}

async fn changes_start_anew_when_too_much_is_forgotten(store: Shared) {
    put(&store, [role("a"), role("b")]).await.unwrap();
    store.commit(Commit::on(Revision(1)).change(Change::delete(ROLE, "a"))).await.unwrap();
    // In tests the deletions of 8 revisions are told.
    for _ in 3..=9 {
        put(&store, [role("c")]).await.unwrap();
    }
    let deletion = |changes: crate::Changes| (changes.reset, changes.deleted.len());
    assert_eq!(deletion(store.changes_since(Revision(1)).await.unwrap()), (false, 1));
    put(&store, [role("c")]).await.unwrap();
    for stranger in [0, 1, 11, u64::MAX] {
        let anew = store.changes_since(Revision(stranger)).await.unwrap();
        assert!(anew.reset, "{stranger}");
        assert_eq!(anew.documents.iter().map(|d| d.id.as_str()).collect::<String>(), "bc");
        assert_eq!((anew.deleted, anew.revision), (vec![], Revision(10)));
    }
    assert_eq!(deletion(store.changes_since(Revision(2)).await.unwrap()), (false, 0));
}

async fn large_bodies_come_back(store: Shared) {
    let body: Vec<u8> = (0..Document::MAX_BODY).map(|i| (i * 31 % 251) as u8).collect();
    put(&store, [Document::new(ROLE, "a", body.clone())]).await.unwrap();
    assert!(get(&store, "a").await.unwrap().body == body);
}

async fn limits_are_refused(store: Shared) {
    let many = |n: usize| (0..n).map(|i| Term::shared("t", i.to_string())).collect();
    let with = |terms: Vec<Term>| Document { terms, ..role("a") };
    let on = || Commit::on(Revision(0));
    let refused = [
        on().change(Change::put(role(""))),
        on().change(Change::put(role(&"x".repeat(DocumentId::MAX + 1)))),
        on().change(Change::put(Document::new(Kind::new(""), "a", ""))),
        on().change(Change::put(Document::new("k".repeat(Kind::MAX + 1).into(), "a", ""))),
        on().change(Change::put(Document::new(ROLE, "a", vec![0; Document::MAX_BODY + 1]))),
        on().change(Change::put(with(many(Document::MAX_TERMS + 1)))),
        on().change(Change::put(with(vec![Term::shared("t", "x".repeat(Term::MAX))]))),
        on().change(Change::put(with(vec![Term::shared("t", "x"), Term::unique("t", "x")]))),
        on().change(Change::put(role("a"))).change(Change::delete(ROLE, "a")),
        on().receipt("", ""),
        on().receipt("x".repeat(EventId::MAX + 1), ""),
        on().receipt("x", vec![0; Document::MAX_BODY + 1]),
        (0..=Commit::MAX_CHANGES).fold(on(), |c, i| c.receipt(i.to_string(), "")),
    ];
    for (case, commit) in refused.into_iter().enumerate() {
        let answer = store.commit(commit).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "case {case}: {answer:?}");
    }
    assert_eq!(store.revision().await, Ok(Revision::ZERO));
    let largest = on()
        .change(Change::put(with(many(Document::MAX_TERMS))))
        .change(Change::put(role(&"x".repeat(DocumentId::MAX))))
        .receipt("x".repeat(EventId::MAX), "");
    assert_eq!(store.commit(largest).await, Ok(Revision(1)));
}

async fn of_conflicting_commits_one_wins(store: Shared) {
    for round in 0..5 {
        let expected = Revision(round);
        let rivals: Vec<_> = (0..8)
            .map(|rival| {
                let store = Arc::clone(&store);
                let id = format!("{round}-{rival}");
                let commit =
                    Commit::on(expected).change(Change::put(role(&id))).receipt(id.as_str(), "{}");
                tokio::spawn(async move { store.commit(commit).await })
            })
            .collect();
        let mut won = 0;
        for rival in rivals {
            match rival.await.unwrap() {
                Ok(revision) => {
                    assert_eq!(revision, expected.next());
                    won += 1;
                }
                Err(error) => {
                    let current = expected.next();
                    assert_eq!(error, Error::Conflict(Conflict::Revision { current }));
                }
            }
        }
        assert_eq!(won, 1);
    }
    let ids = |d: Document| d.id.as_str().to_owned();
    let documents: BTreeSet<_> =
        store.load(&[]).await.unwrap().documents.into_iter().map(ids).collect();
    let receipts = store.undelivered_receipts(99).await.unwrap();
    let receipts: BTreeSet<_> =
        receipts.into_iter().map(|s| s.receipt.event.as_str().to_owned()).collect();
    assert_eq!(documents.len(), 5);
    assert_eq!(documents, receipts, "each winner has its receipt, no loser has");
}

async fn readers_see_whole_commits(store: Shared) {
    let pair = |n: u64| {
        let body = n.to_string();
        [Document::new(ROLE, "left", body.clone()), Document::new(ROLE, "right", body)]
    };
    put(&store, pair(1)).await.unwrap();
    let reading = Arc::clone(&store);
    let reader = tokio::spawn(async move {
        loop {
            let loaded = reading.load(&[]).await.unwrap();
            let bodies: Vec<_> = loaded.documents.iter().map(|d| &d.body).collect();
            let expected = loaded.revision.to_string().into_bytes();
            assert_eq!(bodies, [&expected, &expected]);
            if loaded.revision == Revision(30) {
                break;
            }
            tokio::task::yield_now().await;
        }
    });
    for n in 2..=30 {
        put(&store, pair(n)).await.unwrap();
    }
    reader.await.unwrap();
}

async fn waiting_ends_with_the_next_commit(store: Shared) {
    let waits = |since| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.wait_for_change(Revision(since)).await })
    };
    let (first, second) = (waits(0), waits(1));
    put(&store, [role("a")]).await.unwrap();
    assert_eq!(first.await.unwrap(), Ok(Revision(1)));
    assert!(!second.is_finished());
    put(&store, [role("a")]).await.unwrap();
    assert_eq!(second.await.unwrap(), Ok(Revision(2)));
    assert_eq!(store.wait_for_change(Revision(1)).await, Ok(Revision(2)), "already there");
}

async fn a_commit_that_nobody_waits_for_is_made(store: Shared) {
    let mut commit = store.commit(Commit::on(Revision(0)).change(Change::put(role("a"))));
    // Polled once, as a connection that is closed right after its request does.
    std::future::poll_fn(|cx| {
        let _ = commit.as_mut().poll(cx);
        std::task::Poll::Ready(())
    })
    .await;
    drop(commit);
    assert_eq!(store.wait_for_change(Revision(0)).await, Ok(Revision(1)));
}

async fn of_notes_the_newest_is_kept_and_none_makes_a_revision(store: Shared) {
    put(&store, [role("a")]).await.unwrap();
    let before = store.load(&[]).await.unwrap();
    let waits = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.wait_for_change(Revision(1)).await })
    };
    store.keep_notes(&[note("b", 5, "old"), note("a", 1, "x"), note("c", 1, "x")]).await.unwrap();
    let other = Note { kind: USER, ..note("a", 9, "of another kind") };
    store.keep_notes(&[note("b", 4, "older"), note("c", 1, "as old"), other]).await.unwrap();
    store
        .keep_notes(&[note("b", 6, "new"), Note { body: None, ..note("a", 0, "") }])
        .await
        .unwrap();
    store.keep_notes(&[Note { body: None, ..note("unknown", 0, "") }]).await.unwrap();
    store.keep_notes(&[]).await.unwrap();
    assert_eq!(store.notes(&ROLE).await.unwrap(), [note("b", 6, "new"), note("c", 1, "as old")]);
    assert_eq!(store.notes(&USER).await.unwrap().len(), 1);
    assert_eq!(store.notes(&Kind::new("none")).await.unwrap(), []);

    assert_eq!(store.load(&[]).await.unwrap(), before);
    assert!(store.changes_since(Revision(1)).await.unwrap().documents.is_empty());
    put(&store, [role("b")]).await.unwrap();
    assert_eq!(waits.await.unwrap(), Ok(Revision(2)), "a commit is what wakes");
}

async fn notes_beyond_their_limits_are_refused_whole(store: Shared) {
    let long = "x".repeat(DocumentId::MAX + 1);
    for wrong in [
        note("", 1, ""),
        note(&long, 1, ""),
        Note { kind: Kind::new(""), ..note("b", 1, "") },
        Note { body: Some(vec![0; Document::MAX_BODY + 1]), ..note("b", 1, "") },
    ] {
        let refused = store.keep_notes(&[note("a", 1, ""), wrong]).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    let many = vec![note("a", 1, ""); Note::MAX_AT_ONCE + 1];
    assert!(matches!(store.keep_notes(&many).await, Err(Error::Invalid(_))));
    assert_eq!(store.notes(&ROLE).await.unwrap(), []);
    store.keep_notes(many.get(1..).unwrap()).await.unwrap();
    assert_eq!(store.notes(&ROLE).await.unwrap(), [note("a", 1, "")]);
}

fn note(id: &str, at: i64, body: &str) -> Note {
    Note { kind: ROLE, id: id.into(), at, body: Some(body.into()) }
}

async fn put<const N: usize>(store: &Shared, documents: [Document; N]) -> crate::Result<Revision> {
    let mut commit = Commit::on(store.revision().await?);
    commit.changes.extend(documents.into_iter().map(Change::put));
    store.commit(commit).await
}

async fn get(store: &Shared, id: &str) -> Option<Document> {
    store.get(&ROLE, &id.into()).await.unwrap()
}

/// The ids of the roles with this term, one after the other.
async fn found(store: &Shared, term: &str, value: &str) -> String {
    let found = store.find(&ROLE, term, value).await.unwrap();
    found.iter().map(|d| d.id.as_str()).collect()
}

async fn events(store: &Shared) -> String {
    let waiting = store.undelivered_receipts(99).await.unwrap();
    waiting.iter().map(|s| s.receipt.event.as_str()).collect()
}

fn role(id: &str) -> Document {
    Document::new(ROLE, id, format!(r#"{{"name":"{id}"}}"#))
}

fn user(id: &str) -> Document {
    Document::new(USER, id, "{}")
}
