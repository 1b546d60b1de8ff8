use proptest::prelude::*;

use super::*;

#[test]
fn writers_are_merged_by_time() {
    let bench = Bench::new();
    let (left, mut other) = (bench.open(), bench.options.clone());
    other.writer = writer("other");
    let right = Log::open(other).unwrap().0;
    for (log, at, body) in [
        (&left, 10, "a"),
        (&right, 11, "b"),
        (&right, 12, "c"),
        (&left, 13, "d"),
        (&left, 12, "e"),
        (&right, 14, "f"),
    ] {
        write(log, at, body).unwrap();
    }
    assert_eq!(bench.told(), "abcdef", "e came after d in its own log");
    assert_eq!(bench.told_backward(), "fcedba", "and d before e; c and e have one time");
}

#[test]
fn a_cursor_goes_on_where_it_ended() {
    let mut bench = Bench::new();
    bench.options.segment_bytes = 100;
    let log = bench.open();
    let mut cursor = Cursor::start();
    let mut told = String::new();
    for round in 0..10 {
        for at in 0..round {
            write(&log, at, &round.to_string()).unwrap();
        }
        let mut forward = bench.reader().forward(&cursor).unwrap();
        let new: String = forward.by_ref().map(|entry| tell(&entry.unwrap())).collect();
        assert_eq!(new, round.to_string().repeat(round as usize));
        told += &new;
        // As it is kept in an index.
        let kept: Vec<String> = forward.cursor().positions().map(|p| p.to_string()).collect();
        cursor = kept.iter().map(|p| p.parse::<Position>().unwrap()).collect();
    }
    assert_eq!(bench.told(), told);
    assert!(bench.segments().len() > 5);

    // What was read is deleted; the cursor stands.
    drop(log);
    let limits = Limits { age: Duration::ZERO, bytes: 0 };
    retain(&bench.options.folder, limits, Millis(0)).unwrap();
    write(&bench.open(), 1_000_000, "new").unwrap();
    let forward = bench.reader().forward(&cursor).unwrap();
    assert_eq!(forward.map(|entry| tell(&entry.unwrap())).collect::<String>(), "new");
}

#[test]
fn a_cursor_in_the_middle_takes_each_record_once() {
    let bench = Bench::new();
    let log = bench.open();
    for at in 0..5 {
        write(&log, at, &at.to_string()).unwrap();
    }
    let mut forward = bench.reader().forward(&Cursor::start()).unwrap();
    forward.nth(1).unwrap().unwrap();
    let rest = bench.reader().forward(forward.cursor()).unwrap();
    assert_eq!(rest.map(|entry| tell(&entry.unwrap())).collect::<String>(), "234");
}

#[test]
fn readers_follow_a_writer_without_gaps() {
    const RECORDS: usize = 20_000;
    let mut bench = Bench::new();
    bench.options.segment_bytes = 64 << 10;
    let log = bench.open();
    let writing = std::thread::spawn(move || {
        for number in 0..RECORDS {
            let body = format!("{number:0width$}", width = 1 + number % 100);
            let append = log.append(
                Millis(number as u64),
                body.as_bytes(),
                Durability::Written,
                Urgency::Ordinary,
            );
            if number % 50 == 0 {
                append.wait().unwrap();
            }
        }
    });
    let (mut cursor, mut next) = (Cursor::start(), 0);
    while next < RECORDS {
        let mut forward = bench.reader().forward(&cursor).unwrap();
        for entry in forward.by_ref() {
            match entry.unwrap() {
                Entry::Record(record) => {
                    let text = std::str::from_utf8(&record.body).unwrap();
                    assert_eq!(text.parse(), Ok(next));
                    next += 1;
                }
                Entry::Damage(damage) => panic!("{damage:?}"),
            }
        }
        cursor = forward.cursor().clone();
        std::thread::yield_now();
    }
    writing.join().unwrap();
    let backward = bench.reader().backward().unwrap().map(|entry| tell(&entry.unwrap()));
    let backward: Vec<usize> = backward.map(|text| text.parse().unwrap()).collect();
    assert_eq!(backward, (0..RECORDS).rev().collect::<Vec<_>>());
}

#[test]
fn other_files_are_passed_over() {
    let bench = Bench::new();
    assert_eq!(bench.told(), "", "no folder yet");
    let log = bench.open();
    write(&log, 1, "a").unwrap();
    for name in ["node.+5.log", "node.x.log", "NODE.1.log", "notes.txt", "node.1.log.gz"] {
        fs::write(bench.options.folder.join(name), "?").unwrap();
    }
    assert_eq!(bench.told(), "a");
    let elsewhere = Position { writer: writer("node"), segment: 9, offset: 0 };
    assert_eq!(bench.reader().record(&elsewhere).unwrap(), None);
    let between = Position { segment: 1, offset: 29, ..elsewhere };
    assert_eq!(bench.reader().record(&between).unwrap(), None, "within a record");
    for offset in [1 << 20, 1 << 63, u64::MAX] {
        let beyond = Position { offset, ..between.clone() };
        assert_eq!(bench.reader().record(&beyond).unwrap(), None, "after the end");
        let cursor: Cursor = [beyond].into_iter().collect();
        assert_eq!(bench.reader().forward(&cursor).unwrap().count(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..<_>::default() })]

    /// Whatever is appended comes back, over any segments and restarts, whatever was in it.
    #[test]
    fn what_is_appended_comes_back(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..30),
        segment_bytes in 50..2000_u64,
        restart in 0..30_usize,
    ) {
        let mut bench = Bench::new();
        bench.options.segment_bytes = segment_bytes;
        let mut log = Some(bench.open());
        for (number, body) in bodies.iter().enumerate() {
            if number == restart {
                drop(log.take());
                log = Some(bench.open());
            }
            let log = log.as_ref().unwrap();
            drop(log.append(Millis(9), body, Durability::Written, Urgency::Ordinary));
        }
        drop(log);
        let body = |entry: io::Result<Entry>| match entry.unwrap() {
            Entry::Record(record) => record.body,
            Entry::Damage(damage) => panic!("{damage:?}"),
        };
        let forward: Vec<_> =
            bench.reader().forward(&Cursor::start()).unwrap().map(body).collect();
        prop_assert_eq!(&forward, &bodies);
        let mut backward: Vec<_> = bench.reader().backward().unwrap().map(body).collect();
        backward.reverse();
        prop_assert_eq!(&backward, &bodies);
    }
}
