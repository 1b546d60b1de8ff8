//! `kill -9` in the middle of writing: what was acknowledged is there afterwards.
//!
//! The test runs itself again as the process to be killed: a child test, ignored otherwise, that is
//! told the folder on its standard input and tells every acknowledgement on its standard output.
#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use store::{
    Change, Commit, Document, Kind, Store,
    segment::{Cursor, Durability, Entry, Log, Millis, Options, Reader, Urgency, WriterId},
    sqlite::SqliteStore,
};

const ROLE: Kind = Kind::new("role");

#[tokio::test]
async fn acknowledged_commits_outlive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        let acknowledged = kill_after("child_commits", folder.path(), 20 * round);
        let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
        let revision = store.revision().await.unwrap().0;
        // One more may have been made than its process could tell.
        assert!((acknowledged..=acknowledged + 1).contains(&revision), "{acknowledged} {revision}");
        let documents = store.load(&[]).await.unwrap().documents;
        let receipts = store.undelivered_receipts(usize::MAX).await.unwrap();
        assert_eq!(documents.len() as u64, revision);
        assert_eq!(receipts.len() as u64, revision);
        for (number, receipt) in (1..).zip(&receipts) {
            assert_eq!(receipt.revision.0, number);
            assert!(documents.iter().any(|d| d.id.as_str() == receipt.receipt.event.as_str()));
        }
    }
}

#[test]
fn acknowledged_records_outlive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for _ in 0..5 {
        acknowledged = kill_after("child_appends", folder.path(), acknowledged + 2000);
        // Opening mends what is torn.
        drop(Log::open(options(folder.path())).unwrap());
        let mut next = 0;
        for entry in Reader::new(folder.path()).forward(&Cursor::start()).unwrap() {
            let Entry::Record(record) = entry.unwrap() else { panic!("damage") };
            assert_eq!(record.body, body(next));
            next += 1;
        }
        assert!(next >= acknowledged, "{acknowledged} acknowledged, {next} found");
        acknowledged = next;
    }
}

/// Runs a child until it has acknowledged this much, kills it, and tells its last acknowledgement.
fn kill_after(child: &str, folder: &Path, enough: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{}", folder.display()).unwrap();
    let mut last = 0;
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("ack ") {
            // The last line may be torn by the kill.
            last = number.parse().unwrap_or(last).max(last);
        }
        if last >= enough && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the child ended by itself");
    child.wait().unwrap();
    last
}

fn told_folder() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn acknowledge(number: u64) {
    let mut out = io::stdout().lock();
    // In one write, whole or not at all but for the kill.
    out.write_all(format!("ack {number}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[tokio::test]
#[ignore = "the process that another test kills"]
async fn child_commits() {
    let store = SqliteStore::open(&Path::new(&told_folder()).join("store.db")).unwrap();
    let mut revision = store.revision().await.unwrap();
    loop {
        let id = format!("role-{revision}");
        let document = Document::new(ROLE, id.as_str(), vec![b'x'; 5000]);
        let commit = Commit::on(revision).change(Change::create(document)).receipt(id, "{}");
        revision = store.commit(commit).await.unwrap();
        acknowledge(revision.0);
    }
}

#[test]
#[ignore = "the process that another test kills"]
fn child_appends() {
    let folder = told_folder();
    let mut next = Reader::new(&folder).forward(&Cursor::start()).unwrap().count() as u64;
    let log = Log::open(options(Path::new(&folder))).unwrap().0;
    loop {
        let (at, text) = (Millis(next), body(next));
        let append = log.append(at, &text, Durability::Written, Urgency::Ordinary);
        next += 1;
        // Many are on their way at once, so that the kill comes into a group.
        if next.is_multiple_of(16) {
            append.wait().unwrap();
            acknowledge(next);
        }
    }
}

fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder, WriterId::new("node").unwrap());
    options.segment_bytes = 1 << 20;
    options
}

fn body(number: u64) -> Vec<u8> {
    format!("{number} ").repeat(1 + number as usize % 100).into_bytes()
}
