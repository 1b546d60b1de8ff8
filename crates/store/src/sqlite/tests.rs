use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Change, Conflict, Precondition, Receipt, Term, memory::MemoryStore};

const ROLE: Kind = Kind::new("role");

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("data/store.db")
}

fn one(id: &str) -> Commit {
    Commit::on(Revision::ZERO).change(Change::put(Document::new(ROLE, id, "{}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    crate::conformance::run(|| {
        number += 1;
        Arc::new(SqliteStore::open(&folder.path().join(format!("{number}.db"))).unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_commit_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.commit(one("a").receipt("event", "{}")).await.unwrap();
    let note = crate::Note { kind: ROLE, id: "a".into(), at: 1, body: Some(b"n".into()) };
    store.keep_notes(std::slice::from_ref(&note)).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&file(&folder)).unwrap();
    assert_eq!(store.revision().await, Ok(Revision(1)));
    assert_eq!(store.get(&ROLE, &"a".into()).await.unwrap().unwrap().body, b"{}");
    assert_eq!(store.undelivered_receipts(9).await.unwrap().len(), 1);
    assert_eq!(store.notes(&ROLE).await.unwrap(), [note]);
}

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.commit(one("a")).await.unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path().join("data")), 0o700);
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        assert_eq!(mode(folder.path().join("data").join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn commits_are_synced() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let settings = store.writer.ask(|connection| {
        let ask = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
        let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        Ok((ask("PRAGMA synchronous")?, journal))
    });
    assert_eq!(settings.await, Ok((2, "wal".into())), "2 is FULL");
}

#[tokio::test]
async fn another_process_is_heard_and_conflicts() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) =
        (SqliteStore::open(&file(&folder)).unwrap(), SqliteStore::open(&file(&folder)).unwrap());
    let heard = here.wait_for_change(Revision::ZERO);
    there.commit(one("a")).await.unwrap();
    assert_eq!(heard.await, Ok(Revision(1)));
    let current = Revision(1);
    let conflict = Error::Conflict(Conflict::Revision { current });
    assert_eq!(here.commit(one("b")).await, Err(conflict));
}

#[test]
fn many_processes_may_start_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(SqliteStore::open(&path).unwrap()));
        }
    });
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&file(&folder)).unwrap());
    let raw = Connection::open(file(&folder)).unwrap();
    raw.execute("INSERT INTO migration VALUES (999)", []).unwrap();
    let refused = SqliteStore::open(&file(&folder)).err().unwrap();
    assert!(matches!(&refused, Error::Unavailable(why) if why.contains("schema 999")), "{refused}");
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(SqliteStore::open(&foreign), Err(Error::Corrupt(_))));
    let raw = Connection::open(&foreign).unwrap();
    let tables =
        raw.query_row("SELECT group_concat(name) FROM sqlite_schema", [], |row| row.get(0));
    assert_eq!(tables, Ok("t".to_owned()));

    let text = folder.path().join("text.db");
    fs::write(&text, "not a database, but longer than the header of one. ".repeat(9)).unwrap();
    assert!(matches!(SqliteStore::open(&text), Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.commit(one("a")).await.unwrap();
    let limit = |pages: &'static str| {
        store.writer.ask(move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok(())
        })
    };
    limit("40").await.unwrap();
    let big = |expected| {
        Commit::on(Revision(expected))
            .change(Change::put(Document::new(ROLE, "small", "{}")))
            .change(Change::put(Document::new(ROLE, "big", vec![b'x'; 1 << 20])))
            .receipt("event", "{}")
    };
    let refused = store.commit(big(1)).await.unwrap_err();
    assert!(matches!(&refused, Error::Unavailable(why) if why.contains("full")), "{refused}");
    assert_eq!(store.revision().await, Ok(Revision(1)));
    assert_eq!(store.load(&[]).await.unwrap().documents.len(), 1);
    assert_eq!(store.undelivered_receipts(9).await, Ok(vec![]));
    limit("100000").await.unwrap();
    assert_eq!(store.commit(big(1)).await, Ok(Revision(2)));
}

#[tokio::test]
async fn a_locked_database_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.writer.ask(|connection| Ok(connection.busy_timeout(Duration::ZERO)?)).await.unwrap();
    let other = Connection::open(file(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.commit(one("a")).await, Err(Error::Unavailable(_))));
    assert_eq!(store.revision().await, Ok(Revision::ZERO), "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.commit(one("a")).await, Ok(Revision(1)));
}

#[test]
fn a_question_after_the_end_is_answered() {
    let workers = Workers::start("none", Vec::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(workers.ask(|_| Ok(())));
    assert!(matches!(answer, Err(Error::Unavailable(_))));
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof!["a", "b", "c"]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(ROLE), Just(Kind::new("user"))]
}

fn term() -> impl Strategy<Value = Term> {
    let name = prop_oneof![Just("n"), Just("m")];
    (name, "[xy]", any::<bool>()).prop_map(|(name, value, unique)| Term {
        name: name.into(),
        value,
        unique,
    })
}

fn change() -> impl Strategy<Value = Change> {
    let only_if = prop_oneof![
        4 => Just(Precondition::None),
        1 => Just(Precondition::Absent),
        1 => Just(Precondition::Present),
        1 => (0..6_u64).prop_map(|at| Precondition::At(Revision(at))),
    ];
    let terms = proptest::collection::vec(term(), 0..3);
    (kind(), id(), terms, any::<u8>(), only_if, 0..4).prop_map(
        |(kind, id, terms, body, only_if, delete)| match delete {
            0 => Change::Delete { kind, id: id.into(), only_if },
            _ => Change::Put {
                document: Document { terms, ..Document::new(kind, id, vec![body]) },
                only_if,
            },
        },
    )
}

#[derive(Clone, Debug)]
enum Step {
    Commit { behind: u64, changes: Vec<Change>, events: Vec<u8> },
    Deliver(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let event = || proptest::collection::vec(0..4_u8, 0..3);
    let behind = prop_oneof![9 => Just(0), 1 => Just(1_u64)];
    prop_oneof![
        5 => (behind, proptest::collection::vec(change(), 0..4), event())
            .prop_map(|(behind, changes, events)| Step::Commit { behind, changes, events }),
        1 => event().prop_map(Step::Deliver),
    ]
}

/// Everything that can be asked, in one text.
async fn everything(store: &dyn Store) -> String {
    let mut told = vec![format!("{:?}", store.load(&[]).await)];
    let newest = store.revision().await.unwrap().0;
    for since in 0..=newest + 1 {
        told.push(format!("{:?}", store.changes_since(Revision(since)).await));
    }
    for document in store.load(&[]).await.unwrap().documents {
        told.push(format!("{:?} {:?}", document.terms, document.body));
    }
    for kind in [ROLE, Kind::new("user")] {
        for (name, value) in [("n", "x"), ("n", "y"), ("m", "x"), ("m", "y")] {
            told.push(format!("{:?}", store.find(&kind, name, value).await));
        }
    }
    told.push(format!("{:?}", store.undelivered_receipts(99).await));
    told.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..<_>::default() })]

    /// Memory is the model: whatever is done to both, both say the same.
    #[test]
    fn sqlite_and_memory_agree(steps in proptest::collection::vec(step(), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let memory = MemoryStore::new();
            let sqlite = SqliteStore::open(&file(&folder)).unwrap();
            for step in steps {
                match step {
                    Step::Commit { behind, changes, events } => {
                        let newest = memory.revision().await.unwrap().0;
                        let receipt = |event: u8| Receipt {
                            event: event.to_string().into(),
                            body: vec![event],
                        };
                        let commit = Commit {
                            expected: Revision(newest.saturating_sub(behind)),
                            changes,
                            receipts: events.into_iter().map(receipt).collect(),
                        };
                        let wanted = memory.commit(commit.clone()).await;
                        assert_eq!(sqlite.commit(commit).await, wanted);
                    }
                    Step::Deliver(events) => {
                        let events: Vec<EventId> =
                            events.iter().map(|event| event.to_string().into()).collect();
                        memory.mark_delivered(&events).await.unwrap();
                        sqlite.mark_delivered(&events).await.unwrap();
                    }
                }
            }
            assert_eq!(everything(&sqlite).await, everything(&memory).await);
        });
    }
}
