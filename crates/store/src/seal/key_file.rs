//! Where master keys come from: a file of its owner's alone, or one value of the environment.
//!
//! ```text
//! # Comments and empty lines are passed over.
//! 1 <32 bytes in base64>
//! 2 <32 bytes in base64>
//! ```
//!
//! The greatest number seals; all open. A line is dropped once nothing that it sealed is wanted.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::{Generation, Keyring, MasterKey};

/// The largest key file, in bytes.
const MAX_FILE: u64 = 64 << 10;

const PREFACE: &str = "\
# vestibule's master keys: number, then 32 bytes in base64. The greatest number seals, all open.
# Whoever has this file can read and make every session. Keep it 0600 and out of backups of data.
";

/// Why there is no keyring. It never holds a part of a key.
#[derive(Debug)]
pub enum KeyError {
    /// The file could not be read or written.
    Io(PathBuf, io::Error),
    /// Someone besides its owner may read or write the file, which has this mode.
    Exposed(PathBuf, u32),
    /// This line (from 1) is not a number and a key.
    Line(usize),
    /// This number stands twice.
    Twice(Generation),
    /// There is no key.
    Empty,
    /// The system gave no randomness.
    NoRandomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Exposed(path, mode) => write!(
                f,
                "{} has mode {mode:04o}: others may see the master keys; `chmod 600` it",
                path.display()
            ),
            Self::Line(line) => write!(f, "line {line} is not a number and 32 bytes in base64"),
            Self::Twice(generation) => write!(f, "master key {generation} stands twice"),
            Self::Empty => f.write_str("there is no master key"),
            Self::NoRandomness => f.write_str("the system gave no randomness"),
        }
    }
}

impl std::error::Error for KeyError {}

impl Keyring {
    /// A ring of one new key that is kept nowhere.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self::new(BTreeMap::from([(Generation(1), new_key()?)])))
    }

    /// The ring in the text of a key file.
    ///
    /// # Errors
    /// [`KeyError::Line`], [`KeyError::Twice`], [`KeyError::Empty`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        parse(text.lines()).map(Self::new)
    }

    /// The ring in one value: 32 bytes in hexadecimal or base64 (generation 1), or several
    /// `number:key` with commas between them.
    ///
    /// # Errors
    /// As [`Self::from_text`]; the line is the place in the list.
    pub fn from_value(value: &str) -> Result<Self, KeyError> {
        if let Some(key) = decode(value.trim()) {
            return Ok(Self::new(BTreeMap::from([(Generation(1), key)])));
        }
        let lines: Vec<_> =
            value.split(',').map(|part| Zeroizing::new(part.replacen(':', " ", 1))).collect();
        parse(lines.iter().map(|line| line.as_str())).map(Self::new)
    }

    /// The ring in a key file, which only its owner may be able to read or write.
    ///
    /// # Errors
    /// Every [`KeyError`] but `NoRandomness`.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_text(&read(path)?)
    }

    /// Makes a key file with one new key, mode 0600, where none is.
    ///
    /// # Errors
    /// [`KeyError::Io`] (also if there is one already), [`KeyError::NoRandomness`].
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let text = with_line(PREFACE, Generation(1), &new_key()?);
        write_new(path, &text)
            .and_then(|()| sync_folder(path))
            .map_err(|error| KeyError::Io(path.to_owned(), error))?;
        Self::from_text(&text)
    }

    /// Adds a generation to a key file, which is replaced in one step.
    ///
    /// # Errors
    /// Every [`KeyError`].
    pub fn rotate(path: &Path) -> Result<Self, KeyError> {
        let text = read(path)?;
        let newest = Self::from_text(&text)?.newest();
        let next = Generation(newest.0.checked_add(1).ok_or(KeyError::Twice(newest))?);
        let text = with_line(&text, next, &new_key()?);
        let ring = Self::from_text(&text)?;

        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        write_new(&beside, &text)
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| sync_folder(path))
            .map_err(|error| KeyError::Io(path.to_owned(), error))?;
        Ok(ring)
    }
}

fn parse<'a>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<Generation, MasterKey>, KeyError> {
    let mut keys = BTreeMap::new();
    for (number, line) in (1..).zip(lines.map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (generation, key) =
            line.split_once(char::is_whitespace).ok_or(KeyError::Line(number))?;
        let generation = generation.parse().map(Generation).map_err(|_| KeyError::Line(number))?;
        let key = decode(key.trim()).ok_or(KeyError::Line(number))?;
        if keys.insert(generation, key).is_some() {
            return Err(KeyError::Twice(generation));
        }
    }
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// 32 bytes in hexadecimal (64 digits) or base64 (44 characters): the lengths tell them apart.
fn decode(text: &str) -> Option<MasterKey> {
    let mut key = MasterKey::default();
    if text.len() == 64 {
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            // `from_str_radix` would take a sign.
            let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?;
        }
        return Some(key);
    }
    // The decoder wants room for what the length could hold at most.
    let mut room = Zeroizing::new([0; 33]);
    if text.len() != 44 || BASE64_STANDARD.decode_slice(text, room.as_mut_slice()).ok()? != 32 {
        return None;
    }
    key.copy_from_slice(room.first_chunk::<32>()?);
    Some(key)
}

fn new_key() -> Result<MasterKey, KeyError> {
    let mut key = MasterKey::default();
    rand::fill(key.as_mut_slice()).map_err(|_| KeyError::NoRandomness)?;
    Ok(key)
}

fn with_line(text: &str, generation: Generation, key: &MasterKey) -> Zeroizing<String> {
    let mut coded = Zeroizing::new([0; 44]);
    // INVARIANT: 32 bytes take exactly 44 characters of base64.
    let length = BASE64_STANDARD.encode_slice(key.as_slice(), coded.as_mut_slice()).unwrap_or(0);
    let coded = coded.get(..length).and_then(|coded| std::str::from_utf8(coded).ok());

    // In one piece, so that no half-grown copy of the keys stays behind in memory.
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 64));
    whole.push_str(text);
    if !text.is_empty() && !text.ends_with('\n') {
        whole.push('\n');
    }
    whole.push_str(&generation.to_string());
    whole.push(' ');
    whole.push_str(coded.unwrap_or_default());
    whole.push('\n');
    whole
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let io = |error| KeyError::Io(path.to_owned(), error);
    let file = File::open(path).map_err(io)?;
    // Of the opened file, not of the path: nobody can put another one there in between.
    let about = file.metadata().map_err(io)?;
    if !about.is_file() || about.len() > MAX_FILE {
        return Err(io(io::Error::other("a key file is a regular file of at most 64 KiB")));
    }
    let mode = about.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed(path.to_owned(), mode));
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
    file.take(MAX_FILE).read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
