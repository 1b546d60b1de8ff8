use super::*;

fn write_all(log: &Log, count: usize, write: fn(&Log, u64, &str) -> Answer) -> usize {
    (0..count).take_while(|_| write(log, 1, &"x".repeat(100)).is_ok()).count()
}

#[test]
fn the_reserve_keeps_the_log_writable() {
    let bench = Bench::new();
    let log = bench.open();
    let mut space = log.watch_space();
    assert_eq!(write_all(&log, 10, write), 10);
    assert_eq!(log.space(), Space::Ample);

    bench.disk.set_free(200);
    assert_eq!(
        write_all(&log, 10, write),
        2,
        "one fits, the one that is torn goes on in the reserve"
    );
    assert_eq!(log.space(), Space::Reserve);
    assert!(space.has_changed().unwrap());
    assert_eq!(*space.borrow_and_update(), Space::Reserve);
    assert_eq!(write(&log, 1, "x"), Err(AppendError::Full), "also what would fit");
    assert_eq!(bench.told().len(), 1200);

    // 4096 bytes hold the header and 33 records; one is there already. Cutting the torn one gave
    // the disk back 124 bytes or so, hence one or two more.
    let reserved = write_all(&log, 99, write_reserved);
    assert!((32..=34).contains(&reserved), "{reserved}");
    assert_eq!(log.space(), Space::Exhausted);
    assert_eq!(write_reserved(&log, 1, &"x".repeat(100)), Err(AppendError::Full));
    assert_eq!(bench.told().len(), 1200 + reserved * 100, "everything acknowledged, nothing else");
    assert_eq!(log.failure(), None);
}

#[test]
fn whoever_fills_the_disk_does_not_get_the_reserve() {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    bench.disk.set_free(0);
    write(&log, 1, "b").expect("goes to the reserve");
    bench.disk.set_free(0);
    let kept = write_all(&log, 99, write_reserved);
    assert_eq!(kept, 32);
}

#[test]
fn space_comes_back() {
    let bench = Bench::new();
    let log = bench.open();
    bench.disk.set_free(50);
    write(&log, 1, "aaa").expect("goes to the reserve");
    assert_eq!(write(&log, 2, "-"), Err(AppendError::Full));
    write_reserved(&log, 3, "b").unwrap();

    bench.disk.mend();
    write_reserved(&log, 4, "c").unwrap();
    let mut space = log.watch_space();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(space.wait_for(|space| *space == Space::Ample)).unwrap();
    write(&log, 5, "d").unwrap();
    assert_eq!(bench.told(), "aaabcd");
    for number in bench.segments() {
        let length = fs::metadata(bench.path(number)).unwrap().len();
        assert!(length < 200, "the reserve was cut to its content: {length}");
    }
    // And there is a reserve again.
    bench.disk.set_free(0);
    write(&log, 6, "e").unwrap();
    assert_eq!(log.space(), Space::Reserve);
}

#[test]
fn a_log_opens_on_a_full_disk() {
    let bench = Bench::new();
    write(&bench.open(), 1, "a").unwrap();
    fs::remove_file(bench.options.folder.join(names::reserve(&bench.options.writer))).unwrap();
    bench.disk.set_free(10);
    let log = bench.open();
    assert_eq!(log.space(), Space::Exhausted);
    assert_eq!(write(&log, 2, "b"), Err(AppendError::Full));
    assert_eq!(write_reserved(&log, 2, "b"), Err(AppendError::Full));
    assert_eq!(bench.segments(), [1], "no empty segment is left");
}

#[test]
fn without_a_reserve_nothing_is_taken() {
    let mut bench = Bench::new();
    bench.options.reserve_bytes = 0;
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    bench.disk.set_free(10);
    assert_eq!(write_reserved(&log, 2, "b"), Err(AppendError::Full));
    bench.disk.mend();
    // The retry comes before the next batch.
    write_reserved(&log, 3, "c").unwrap();
    write(&log, 4, "d").unwrap();
    assert_eq!(bench.told(), "acd");
}

#[test]
fn a_crash_on_the_reserve_loses_nothing() {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    bench.disk.set_free(0);
    write(&log, 1, "b").unwrap();
    // As a crash leaves it: the reserve is a segment with zeros behind its records.
    let copy = Bench::new();
    fs::create_dir(&copy.options.folder).unwrap();
    for number in bench.segments() {
        fs::copy(bench.path(number), copy.path(number)).unwrap();
    }
    let last = copy.segments()[1];
    assert_eq!(fs::metadata(copy.path(last)).unwrap().len(), 4096);
    let (log, recovery) = copy.open_telling();
    assert_eq!(recovery.torn, None, "zeros are not torn");
    assert!(fs::metadata(copy.path(last)).unwrap().len() < 100);
    write(&log, 2, "c").unwrap();
    assert_eq!(copy.told(), "abc");
}
