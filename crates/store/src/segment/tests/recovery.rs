use super::*;

/// A log of three records, closed; the bytes of its segment and where the last record begins.
fn three() -> (Bench, Vec<u8>, usize) {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "one").unwrap();
    write(&log, 2, "two").unwrap();
    let last = write(&log, 3, "three").unwrap().offset as usize;
    drop(log);
    let bytes = fs::read(bench.path(1)).unwrap();
    (bench, bytes, last)
}

#[test]
fn a_torn_end_is_cut_at_every_byte() {
    let (bench, bytes, last) = three();
    for length in last..bytes.len() {
        for zeros in [0, 100] {
            let mut torn = bytes[..length].to_vec();
            let seen = torn.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            torn.resize(length + zeros, 0);
            fs::write(bench.path(1), &torn).unwrap();
            assert_eq!(bench.told(), "onetwo", "a reader takes it for one that is being written");

            let (log, recovery) = bench.open_telling();
            let position = Position { writer: writer("node"), segment: 1, offset: last as u64 };
            let dropped = seen.saturating_sub(last) as u64;
            assert_eq!(recovery.torn, (dropped > 0).then_some((position, dropped)), "{length}");
            assert_eq!(fs::read(bench.path(1)).unwrap(), bytes[..last]);
            if dropped > 0 {
                let kept = fs::read(bench.path(1).with_extension("torn")).unwrap();
                assert_eq!(kept, bytes[last..seen], "nothing is destroyed");
            }
            let next = write(&log, 4, "four").unwrap().segment;
            drop(log);
            assert_eq!(bench.told(), "onetwofour");
            fs::remove_file(bench.path(next)).unwrap();
        }
    }
    fs::write(bench.path(1), &bytes).unwrap();
    assert_eq!(bench.open_telling().1.torn, None, "the twin that is whole");
    assert_eq!(bench.told(), "onetwothree");
}

#[test]
fn a_torn_header_is_no_segment() {
    let (bench, bytes, _) = three();
    for length in [0, 1, frame::HEADER - 1] {
        fs::write(bench.path(5), &bytes[..length]).unwrap();
        let (log, recovery) = bench.open_telling();
        assert_eq!(recovery.unreadable.is_some(), length > 0, "{length}");
        assert_eq!(write(&log, 4, "four").unwrap().segment, 6, "numbers are not used again");
        drop(log);
        let damage = if length > 0 { "!" } else { "" };
        assert_eq!(bench.told(), format!("onetwothree{damage}four"));
        assert_eq!(bench.told_backward(), format!("four{damage}threetwoone"));
        fs::remove_file(bench.path(6)).unwrap();
    }
}

#[test]
fn damage_in_the_middle_is_told_and_costs_one_record() {
    let (bench, bytes, last) = three();
    let second = frame::HEADER + frame::HEAD + 3;
    for byte in second..last {
        let mut rotten = bytes.clone();
        rotten[byte] ^= 0x10;
        fs::write(bench.path(1), &rotten).unwrap();
        assert_eq!(bench.told(), "one!three", "byte {byte}");
        assert_eq!(bench.told_backward(), "three!one", "byte {byte}");
        let damage = bench.reader().forward(&Cursor::start()).unwrap().nth(1).unwrap().unwrap();
        let position = Position { writer: writer("node"), segment: 1, offset: second as u64 };
        let length = (last - second) as u64;
        assert_eq!(damage, Entry::Damage(Damage { position: position.clone(), bytes: length }));
        assert_eq!(bench.reader().record(&position).unwrap(), None);

        let (_, recovery) = bench.open_telling();
        assert_eq!(recovery.torn, None, "what stands before a whole record is not torn");
        assert_eq!(fs::read(bench.path(1)).unwrap(), rotten, "and is left as it is");
    }
}

#[test]
fn damage_at_the_end_of_an_ended_segment_is_told() {
    let (bench, mut bytes, _) = three();
    write(&bench.open(), 5, "five").unwrap();
    assert_eq!(bench.told(), "onetwothreefive");
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(bench.path(1), &bytes).unwrap();
    assert_eq!(bench.told(), "onetwo!five");
    assert_eq!(bench.told_backward(), "five!twoone");
}

/// ATTACK: whoever has a say in what is recorded puts the bytes of a record into it, and hopes for
/// damage before them.
#[test]
fn a_record_within_a_record_is_none() {
    let bench = Bench::new();
    let log = bench.open();
    write(&log, 1, "one").unwrap();
    let bytes = fs::read(bench.path(1)).unwrap();
    // A true record of this very file, and ten thousand marks.
    let mut body = bytes[frame::HEADER..].to_vec();
    body.extend(bytes[frame::HEADER..frame::HEADER + 16].repeat(10_000));
    let append = log.append(Millis(2), &body, Durability::Written, Urgency::Ordinary);
    let forged = append.wait().unwrap();
    write(&log, 3, "three").unwrap();
    drop(log);
    let mut rotten = fs::read(bench.path(1)).unwrap();
    rotten[forged.offset as usize] ^= 1;
    fs::write(bench.path(1), &rotten).unwrap();
    assert_eq!(bench.told(), "one!three");
}
