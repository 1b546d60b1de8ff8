use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use super::*;

const TOKEN: Purpose = Purpose::new("session-token");
const SECRET: Purpose = Purpose::new("access-key-secret");
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn ring() -> Keyring {
    Keyring::from_value(KEY).unwrap()
}

#[test]
fn what_is_sealed_opens() {
    for length in [0, 1, 600, 100_000] {
        let text = vec![7; length];
        let envelope = ring().seal(TOKEN, b"ASIA1", &text).unwrap();
        assert_eq!(envelope.len(), length + OVERHEAD);
        assert_eq!(*ring().open(TOKEN, b"ASIA1", &envelope).unwrap(), text);
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let ring = ring();
    let envelope = ring.seal(TOKEN, b"ASIA1", b"secret").unwrap();
    for bit in 0..envelope.len() * 8 {
        let mut flipped = envelope.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let wanted = match bit / 8 {
            0 => SealError::Malformed,
            1..=4 => SealError::UnknownGeneration(Generation(u32::from_be_bytes(
                flipped[1..5].try_into().unwrap(),
            ))),
            _ => SealError::Forged,
        };
        assert_eq!(ring.open(TOKEN, b"ASIA1", &flipped), Err(wanted), "bit {bit}");
    }
    for length in 0..envelope.len() {
        assert!(ring.open(TOKEN, b"ASIA1", &envelope[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_seal_is_for_one_purpose_one_subject_one_ring() {
    let envelope = ring().seal(TOKEN, b"ASIA1", b"secret").unwrap();
    assert!(ring().open(TOKEN, b"ASIA1", &envelope).is_ok());
    assert_eq!(ring().open(SECRET, b"ASIA1", &envelope), Err(SealError::Forged));
    assert_eq!(ring().open(TOKEN, b"ASIA2", &envelope), Err(SealError::Forged));
    let other = Keyring::generate().unwrap();
    assert_eq!(other.open(TOKEN, b"ASIA1", &envelope), Err(SealError::Forged));
}

/// What was sealed by the first build must open in every later one.
#[test]
fn an_old_envelope_opens() {
    let envelope = "0100000001";
    let sealed = ring().seal(TOKEN, b"ASIA1", b"secret").unwrap();
    assert_eq!(hexadecimal(&sealed[..5]), envelope);
    let kept = bytes(include_str!("vector.hex").trim());
    assert_eq!(*ring().open(TOKEN, b"ASIA1", &kept).unwrap(), b"a session from the first day");
}

#[test]
fn the_newest_seals_and_all_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.keys");
    let first = Keyring::create(&path).unwrap();
    let old = first.seal(TOKEN, b"", b"old").unwrap();

    let second = Keyring::rotate(&path).unwrap();
    assert_eq!(second.newest(), Generation(2));
    let new = second.seal(TOKEN, b"", b"new").unwrap();
    assert_eq!(new[1..5], [0, 0, 0, 2]);
    assert_eq!(first.open(TOKEN, b"", &new), Err(SealError::UnknownGeneration(Generation(2))));

    let loaded = Keyring::load(&path).unwrap();
    assert_eq!(loaded.generations().collect::<Vec<_>>(), [Generation(1), Generation(2)]);
    assert_eq!(*loaded.open(TOKEN, b"", &old).unwrap(), b"old");
    assert_eq!(*loaded.open(TOKEN, b"", &new).unwrap(), b"new");
}

#[test]
fn a_key_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.keys");
    Keyring::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(Keyring::create(&path), Err(KeyError::Io(..))), "never over another");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refused = Keyring::load(&path).unwrap_err();
        assert!(matches!(refused, KeyError::Exposed(_, found) if found == mode), "{refused}");
        assert!(matches!(Keyring::rotate(&path), Err(KeyError::Exposed(..))));
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Keyring::load(&path).unwrap();
    }
    Keyring::rotate(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(Keyring::load(folder.path()), Err(KeyError::Io(..))), "a folder");
}

#[test]
fn values_of_the_environment() {
    let hexadecimal = "30313233343536373839616263646566".repeat(2);
    let several = format!("3:{KEY},1:{hexadecimal}");
    let envelope = ring().seal(TOKEN, b"", b"x").unwrap();
    for value in
        [KEY, hexadecimal.as_str(), &hexadecimal.to_uppercase(), &format!(" {KEY}\n"), &several]
    {
        let ring = Keyring::from_value(value).unwrap();
        assert_eq!(*ring.open(TOKEN, b"", &envelope).unwrap(), b"x", "{value}");
    }
    assert_eq!(Keyring::from_value(&several).unwrap().newest(), Generation(3));
}

#[test]
fn what_is_no_ring_is_refused_without_telling_keys() {
    let short = KEY.replacen("MDEy", "", 1);
    let cases = [
        (String::new(), "there is no master key"),
        ("# only a comment\n\n".into(), "there is no master key"),
        (format!("1 {KEY}\n1 {KEY}"), "master key 1 stands twice"),
        (format!("# one\n1 {KEY}\n{KEY}"), "line 3 is not a number and 32 bytes in base64"),
        (format!("1 {short}"), "line 1 is not a number and 32 bytes in base64"),
        (format!("-1 {KEY}"), "line 1 is not a number and 32 bytes in base64"),
        (format!("1 {}", "+1".repeat(32)), "line 1 is not a number and 32 bytes in base64"),
        (format!("4294967296 {KEY}"), "line 1 is not a number and 32 bytes in base64"),
    ];
    for (text, wanted) in cases {
        let refused = Keyring::from_text(&text).unwrap_err().to_string();
        assert_eq!(refused, wanted, "{text}");
    }
    assert!(Keyring::from_text(&format!("1 {KEY}")).is_ok(), "the twin without a fault");
    assert!(!format!("{:?}", ring()).contains("MDEy"));
    assert_eq!(format!("{:?}", ring()), "Keyring([Generation(1)])");
}

#[test]
fn a_purpose_has_one_sealer() {
    let ring = ring();
    let one = ring.sealer(TOKEN).unwrap();
    assert!(Arc::ptr_eq(&one, &ring.sealer(TOKEN).unwrap()));
    assert!(!Arc::ptr_eq(&one, &ring.sealer(SECRET).unwrap()));
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}
