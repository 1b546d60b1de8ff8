mod faults;
mod full_disk;
mod reading;
mod recovery;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use self::faults::FaultyDisk;
use super::*;

/// A folder, and a log in it on a disk that fails when it is told to.
struct Bench {
    folder: TempDir,
    disk: Arc<FaultyDisk>,
    options: Options,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("log"), writer("node"));
        options.reserve_bytes = 4096;
        options.retry = Duration::ZERO;
        Self { folder, disk: Arc::new(FaultyDisk::default()), options }
    }

    fn open(&self) -> Log {
        self.open_telling().0
    }

    fn open_telling(&self) -> (Log, Recovery) {
        let disk = Arc::clone(&self.disk);
        Log::open_on(disk, self.options.clone()).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::new(&self.options.folder)
    }

    /// The bodies, forward, one after the other; damage as `!`.
    fn told(&self) -> String {
        self.reader()
            .forward(&Cursor::start())
            .unwrap()
            .map(|entry| tell(&entry.unwrap()))
            .collect()
    }

    fn told_backward(&self) -> String {
        self.reader().backward().unwrap().map(|entry| tell(&entry.unwrap())).collect()
    }

    fn segments(&self) -> Vec<u64> {
        self.reader().segments().unwrap().iter().map(|segment| segment.number).collect()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.options.folder.join(names::segment(&self.options.writer, number))
    }
}

fn tell(entry: &Entry) -> String {
    match entry {
        Entry::Record(record) => String::from_utf8(record.body.clone()).unwrap(),
        Entry::Damage(_) => "!".into(),
    }
}

fn writer(name: &str) -> WriterId {
    WriterId::new(name).unwrap()
}

fn write(log: &Log, at: u64, body: &str) -> Answer {
    log.append(Millis(at), body.as_bytes(), Durability::Written, Urgency::Ordinary).wait()
}

/// Whoever waits for a record writes it.
fn waited_for(append: Appended) -> JoinHandle<Answer> {
    std::thread::spawn(|| append.wait())
}

fn write_reserved(log: &Log, at: u64, body: &str) -> Answer {
    log.append(Millis(at), body.as_bytes(), Durability::Written, Urgency::Reserved).wait()
}

fn write_synced(log: &Log, at: u64, body: &str) -> Appended {
    log.append(Millis(at), body.as_bytes(), Durability::Synced, Urgency::Ordinary)
}

#[test]
fn names_and_positions_read_back() {
    for name in ["", "A", "a.b", "a/b", "ä", &"x".repeat(33)] {
        assert_eq!(WriterId::new(name), None, "{name}");
    }
    let position = Position { writer: writer("node-1"), segment: 17, offset: 28 };
    assert_eq!(position.to_string(), "node-1.17.28");
    assert_eq!("node-1.17.28".parse(), Ok(position));
    for text in ["", "node.1", "node.1.2.3", "node.x.1", "N.1.2"] {
        assert_eq!(text.parse::<Position>(), Err(names::NotAPosition), "{text}");
    }
    let (segment, reserve) = (names::segment(&writer("n"), 1), names::reserve(&writer("n")));
    assert_eq!(segment, "n.0000000000001.log");
    assert_eq!(segment.len(), reserve.len(), "a full folder has room for the new name");
}

#[tokio::test]
async fn appends_are_awaited_or_not() {
    let bench = Bench::new();
    let log = bench.open();
    let first = log.append(Millis(5), b"a", Durability::Written, Urgency::Ordinary).await.unwrap();
    assert_eq!((first.segment, first.offset), (5, frame::HEADER as u64));
    drop(log.append(Millis(6), b"b", Durability::Synced, Urgency::Ordinary));
    let third = write_synced(&log, 7, "c").await.unwrap();
    assert_eq!(bench.told(), "abc");
    let record = bench.reader().record(&third).unwrap().unwrap();
    assert_eq!((record.at, record.body), (Millis(7), b"c".to_vec()));
}

#[test]
fn the_largest_record_fits_and_no_larger() {
    let bench = Bench::new();
    let log = bench.open();
    let body = vec![b'x'; MAX_RECORD + 1];
    let append = |body| log.append(Millis(1), body, Durability::Written, Urgency::Ordinary).wait();
    assert_eq!(append(&body), Err(AppendError::TooLarge));
    let position = append(&body[1..]).unwrap();
    assert_eq!(bench.reader().record(&position).unwrap().unwrap().body, &body[1..]);
    append(&[]).unwrap();
    assert_eq!(bench.told().len(), MAX_RECORD);
}

#[test]
fn segments_end_by_size() {
    let mut bench = Bench::new();
    bench.options.segment_bytes = (frame::HEADER + 2 * (frame::HEAD + 10)) as u64;
    let log = bench.open();
    let numbers: Vec<_> =
        (1..=5).map(|at| write(&log, at, "0123456789").unwrap().segment).collect();
    assert_eq!(numbers, [1, 1, 3, 3, 5]);
    let larger = write(&log, 6, &"x".repeat(100)).unwrap();
    assert_eq!(larger.segment, 6, "a record larger than a segment has one of its own");
    assert_eq!(write(&log, 7, "").unwrap().segment, 7);
}

#[test]
fn segments_end_by_age_and_numbers_rise() {
    let mut bench = Bench::new();
    bench.options.segment_age = Duration::from_millis(100);
    let log = bench.open();
    let numbers =
        [1000, 1099, 1100, 500, 1150, 1200].map(|at| write(&log, at, "").unwrap().segment);
    assert_eq!(numbers, [1000, 1000, 1100, 1100, 1100, 1200]);
    drop(log);
    // The clock was set back.
    let log = bench.open();
    assert_eq!(write(&log, 3, "").unwrap().segment, 1201);
}

#[test]
fn one_writer_has_one_process() {
    let bench = Bench::new();
    let log = bench.open();
    let second = Log::open(bench.options.clone()).err().unwrap();
    assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
    let other = Options { writer: writer("other"), ..bench.options.clone() };
    Log::open(other).unwrap();
    drop(log);
    Log::open(bench.options.clone()).unwrap();
}

#[test]
fn one_sync_is_for_all_who_wait() {
    let bench = Bench::new();
    let log = bench.open();
    let sync = bench.disk.hold_syncs();
    let first = waited_for(write_synced(&log, 1, "a"));
    bench.disk.wait_for_held_sync();
    let rest: Vec<_> = (0..100).map(|_| write_synced(&log, 1, "b")).collect();
    // Written ones do not wait for the disk.
    write(&log, 1, "c").unwrap();
    drop(sync);
    first.join().unwrap().unwrap();
    rest.into_iter().for_each(|append| drop(append.wait().unwrap()));
    assert_eq!(bench.disk.syncs(), 2, "one for the first, one for the hundred");
}

#[test]
fn what_nobody_waits_for_is_written_all_the_same() {
    let bench = Bench::new();
    let log = bench.open();
    drop(log.append(Millis(1), b"a", Durability::Written, Urgency::Ordinary));
    drop(write_synced(&log, 1, "b"));
    drop(log);
    assert_eq!(bench.told(), "ab");

    // Neither does it wait for the log to be closed, or for the next record.
    let (log, before) = (bench.open(), bench.disk.writes());
    drop(log.append(Millis(2), b"c", Durability::Written, Urgency::Ordinary));
    bench.disk.wait_for_writes(before + 2); // the segment's header, and the record
    assert_eq!(bench.told(), "abc");
    drop(log);
}

#[tokio::test]
async fn records_that_come_together_are_written_together() {
    let bench = Bench::new();
    let log = Arc::new(bench.open());
    log.append(Millis(1), b"a", Durability::Written, Urgency::Ordinary).await.unwrap();
    let before = bench.disk.writes();
    let appends: Vec<_> = (0..10)
        .map(|_| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                log.append(Millis(1), b"b", Durability::Written, Urgency::Ordinary).await
            })
        })
        .collect();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    let writes = bench.disk.writes() - before;
    assert!(writes <= 2, "{writes}: at most one besides, by the thread that stands by");
}

#[test]
fn synced_means_all_before_it_too() {
    let mut bench = Bench::new();
    bench.options.segment_bytes = 60;
    let log = bench.open();
    let sync = bench.disk.hold_syncs();
    let appends: Vec<_> = (1..=3)
        .map(|at| log.append(Millis(at), &[0; 20], Durability::Written, Urgency::Ordinary))
        .collect();
    let last = write_synced(&log, 4, "last");
    appends.into_iter().for_each(|append| drop(append.wait().unwrap()));
    drop(sync);
    last.wait().unwrap();
    let files = bench.disk.synced();
    let expected: Vec<_> = (1..=4).map(|number| bench.path(number)).collect();
    assert_eq!(files, expected, "every segment, in order");
}

#[test]
fn a_failed_sync_ends_the_log() {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    bench.disk.fail_syncs();
    let failed = write_synced(&log, 2, "b").wait().unwrap_err();
    assert!(matches!(&failed, AppendError::Failed(why) if why.contains("sync")), "{failed}");
    bench.disk.mend();
    for urgency in [Urgency::Ordinary, Urgency::Reserved] {
        let refused = log.append(Millis(3), b"c", Durability::Written, urgency).wait();
        assert_eq!(refused, Err(failed.clone()), "also when the disk seems well again");
    }
    assert!(log.failure().unwrap().contains("sync"));
    drop(log);
    write(&bench.open(), 4, "d").unwrap();
}

#[test]
fn a_failed_write_ends_the_log_after_a_whole_record() {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    bench.disk.fail_writes_after(30);
    let failed = write(&log, 2, &"b".repeat(50)).unwrap_err();
    assert!(matches!(&failed, AppendError::Failed(why) if why.contains("write")), "{failed}");
    bench.disk.mend();
    assert_eq!(write(&log, 3, "c"), Err(failed));
    drop(log);
    let (log, recovery) = bench.open_telling();
    assert_eq!(recovery.torn, None, "the torn frame was taken back");
    write(&log, 4, "d").unwrap();
    assert_eq!(bench.told(), "ad");
}

#[test]
fn too_much_waiting_is_refused() {
    let mut bench = Bench::new();
    bench.options.queue_bytes = 1000;
    let log = bench.open();
    let hold = bench.disk.hold_writes();
    let append = || log.append(Millis(1), &[b'x'; 400], Durability::Written, Urgency::Ordinary);
    let first = waited_for(append());
    bench.disk.wait_for_held_write();
    let (second, third, fourth) = (append(), append(), append());
    assert_eq!(fourth.wait(), Err(AppendError::Stalled));
    drop(hold);
    first.join().unwrap().unwrap();
    for append in [second, third] {
        append.wait().unwrap();
    }
    append().wait().unwrap();
    assert_eq!(bench.told().len(), 1600);
}

#[test]
fn old_segments_go_by_age() {
    let mut bench = Bench::new();
    bench.options.segment_age = Duration::from_millis(10);
    let log = bench.open();
    for at in [100, 110, 120, 130] {
        write(&log, at, "x").unwrap();
    }
    let limits = Limits { age: Duration::from_millis(50), bytes: u64::MAX };
    let retire = |now| retain(&bench.options.folder, limits, Millis(now)).unwrap().segments;
    assert_eq!(retire(159), 0, "the first may hold records up to 110");
    assert_eq!(retire(160), 1);
    assert_eq!(bench.segments(), [110, 120, 130]);
    assert_eq!(retire(u64::MAX), 2, "not the one that is being written");
    write(&log, 131, "y").unwrap();
    assert_eq!(bench.told(), "xy");
    drop(log);
    assert_eq!(retire(u64::MAX), 1, "but when its writer is gone");
    assert!(bench.segments().is_empty());
}

#[test]
fn old_segments_go_by_size() {
    let mut bench = Bench::new();
    bench.options.segment_age = Duration::from_millis(10);
    let (log, mut other) = (bench.open(), bench.options.clone());
    other.writer = writer("a-neighbour");
    let neighbour = Log::open(other).unwrap().0;
    for at in [100, 120, 140] {
        write(&log, at, &"x".repeat(100)).unwrap();
        write(&neighbour, at + 5, &"y".repeat(100)).unwrap();
    }
    let each = (frame::HEADER + frame::HEAD + 100) as u64;
    let retire = |bytes| {
        let limits = Limits { age: Duration::MAX, bytes };
        retain(&bench.options.folder, limits, Millis(200)).unwrap()
    };
    assert_eq!(retire(6 * each), Retired::default());
    assert_eq!(retire(6 * each - 1), Retired { segments: 1, bytes: each });
    assert_eq!(bench.segments(), [105, 125, 145, 120, 140], "the oldest of all writers");
    assert_eq!(retire(0).segments, 3);
    assert_eq!(bench.segments(), [145, 140], "the two that are being written");
}

#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.folder.path().join("log")), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(&bench.options.folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "segment, reserve, lock");
}
