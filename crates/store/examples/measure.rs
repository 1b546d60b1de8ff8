//! How fast the store is on this machine: `cargo run --release -p store --example measure`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for its author's terminal")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use store::{
    Change, Commit, Document, Kind, Store,
    seal::{Keyring, Purpose},
    segment::{Cursor, Durability, Log, Millis, Options, Reader, Urgency, WriterId},
    sqlite::SqliteStore,
};

fn main() {
    seals();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for callers in [1, 16, 64, 512] {
        runtime.block_on(appends("written", callers, Durability::Written));
    }
    for callers in [1, 16, 64, 512] {
        runtime.block_on(appends("synced", callers, Durability::Synced));
    }
    enqueue();
    runtime.block_on(commits());
}

fn seals() {
    const ROUNDS: u32 = 200_000;
    let ring = Keyring::generate().unwrap();
    let purpose = Purpose::new("measure");
    let text = vec![7; 600];
    let envelope = ring.seal(purpose, b"ASIAEXAMPLE", &text).unwrap();
    let each = time(ROUNDS, || drop(ring.seal(purpose, b"ASIAEXAMPLE", &text).unwrap()));
    println!("seal of 600 bytes: {each:?}");
    let each = time(ROUNDS, || drop(ring.open(purpose, b"ASIAEXAMPLE", &envelope).unwrap()));
    println!("open of 600 bytes: {each:?}");
}

async fn appends(name: &str, callers: usize, durability: Durability) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(folder.path(), WriterId::new("measure").unwrap());
    let log = Arc::new(Log::open(options).unwrap().0);
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let (body, mut count) = (vec![b'x'; 600], 0_u32);
                while began.elapsed() < Duration::from_secs(2) {
                    log.append(Millis(1), &body, durability, Urgency::Ordinary).await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    let rate = f64::from(total) / began.elapsed().as_secs_f64();
    println!("{name}, {callers} callers: {rate:.0} appends/s");
    if callers == 512 {
        drop(log);
        let began = Instant::now();
        let read = Reader::new(folder.path()).forward(&Cursor::start()).unwrap().count();
        let rate = read as f64 / began.elapsed().as_secs_f64();
        println!("  read back {read}: {rate:.0} records/s");
    }
}

/// What an append costs its caller, when nobody waits for the answer.
fn enqueue() {
    const ROUNDS: u32 = 400_000;
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path(), WriterId::new("measure").unwrap());
    options.queue_bytes = usize::MAX;
    let log = Log::open(options).unwrap().0;
    let body = vec![b'x'; 600];
    let began = Instant::now();
    let each = time(ROUNDS, || {
        drop(log.append(Millis(1), &body, Durability::Written, Urgency::Ordinary));
    });
    drop(log);
    let rate = f64::from(ROUNDS) / began.elapsed().as_secs_f64();
    println!("append without waiting: {each:?} for the caller, {rate:.0} written/s in all");
}

async fn commits() {
    const ROUNDS: u32 = 500;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    let began = Instant::now();
    for round in 0..ROUNDS {
        let document = Document::new(Kind::new("role"), round.to_string(), vec![b'x'; 2000]);
        let commit = Commit::on(store.revision().await.unwrap());
        let commit = commit.change(Change::create(document)).receipt(round.to_string(), "{}");
        store.commit(commit).await.unwrap();
    }
    println!("commit: {:?}", began.elapsed() / ROUNDS);
    let began = Instant::now();
    let loaded = store.load(&[]).await.unwrap().documents.len();
    println!("load of {loaded} documents: {:?}", began.elapsed());
}

fn time(rounds: u32, mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    (0..rounds).for_each(|_| work());
    began.elapsed() / rounds
}
