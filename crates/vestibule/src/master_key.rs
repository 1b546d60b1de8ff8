//! Where the master key comes from: a file, the environment, or a program's output.

use std::{path::Path, process::Command};

use store::seal::{KeyError, Keyring};
use zeroize::Zeroizing;

use crate::{
    config::{self, MasterKey},
    data::DataFolder,
};

/// The master keys, and what the operator must be told about them.
pub struct Keys {
    /// The ring.
    pub ring: Keyring,
    /// The key lies in the data folder: who copies the folder has both.
    pub beside_the_data: bool,
}

/// Why there is no master key. Holds no part of it.
#[derive(Debug)]
pub struct NoKey(String);

/// The master keys that the settings name; the default file is made when it does not exist.
///
/// # Errors
/// [`NoKey`]. A key file that others can read is refused.
pub fn open(settings: &MasterKey, folder: &DataFolder) -> Result<Keys, NoKey> {
    let outside = |ring| Keys { ring, beside_the_data: false };
    if let Some(name) = &settings.env {
        let value = config::environment(name).map(Zeroizing::new);
        let value = value.ok_or_else(|| NoKey(format!("the variable {name} is not set")))?;
        return read(&value).map(outside).map_err(|error| NoKey(format!("${name}: {error}")));
    }
    if let Some(words) = &settings.command {
        return printed(words).map(outside);
    }
    let path = settings.file.clone().unwrap_or_else(|| folder.master_key());
    let ring = if path.exists() { Keyring::load(&path) } else { Keyring::create(&path) };
    let ring = ring.map_err(|error| NoKey(error.to_string()))?;
    Ok(Keys { ring, beside_the_data: within(&path, folder.path()) })
}

/// Adds a generation to the key file.
///
/// # Errors
/// [`NoKey`]; a key that comes from the environment or a program is rotated where it comes from.
pub fn rotate(settings: &MasterKey, folder: &DataFolder) -> Result<Keyring, NoKey> {
    if settings.env.is_some() || settings.command.is_some() {
        let text = "it does not come from a file; add a generation where it comes from";
        return Err(NoKey(text.to_owned()));
    }
    let path = settings.file.clone().unwrap_or_else(|| folder.master_key());
    Keyring::rotate(&path).map_err(|error| NoKey(error.to_string()))
}

/// A key file's text or a single value: either may be in a variable or printed.
fn read(text: &str) -> Result<Keyring, KeyError> {
    if text.trim().contains(['\n', ' ']) {
        Keyring::from_text(text)
    } else {
        Keyring::from_value(text)
    }
}

fn printed(words: &[String]) -> Result<Keyring, NoKey> {
    let (program, arguments) =
        words.split_first().ok_or_else(|| NoKey("the command names no program".to_owned()))?;
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| NoKey(format!("{program}: {error}")))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        // What it printed on stderr may hold anything; only how it ended is told.
        return Err(NoKey(format!("{program} ended with {}", output.status)));
    }
    let text = std::str::from_utf8(&printed)
        .map_err(|_| NoKey(format!("{program} printed something that is not text")))?;
    read(text).map_err(|error| NoKey(format!("what {program} printed: {error}")))
}

fn within(path: &Path, folder: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.starts_with(folder))
}

impl std::fmt::Display for NoKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "master key: {}", self.0)
    }
}

impl std::error::Error for NoKey {}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(root: &Path) -> DataFolder {
        DataFolder::open(&root.join("d")).unwrap()
    }

    #[test]
    fn the_default_key_is_made_once_and_known_to_lie_beside_the_data() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let first = open(&MasterKey::default(), &folder).unwrap();
        assert!(first.beside_the_data);
        let text = std::fs::read(folder.master_key()).unwrap();
        open(&MasterKey::default(), &folder).unwrap();
        assert_eq!(std::fs::read(folder.master_key()).unwrap(), text);

        let elsewhere = MasterKey { file: Some(root.path().join("k")), ..MasterKey::default() };
        assert!(!open(&elsewhere, &folder).unwrap().beside_the_data);
    }

    #[test]
    fn what_an_older_generation_sealed_still_opens_after_a_rotation() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let settings = MasterKey::default();
        let purpose = store::seal::Purpose::new("test");
        let before = open(&settings, &folder).unwrap().ring;
        let sealed = before.seal(purpose, b"", b"a session").unwrap();

        let after = rotate(&settings, &folder).unwrap();
        assert!(after.newest() > before.newest());
        assert_eq!(after.open(purpose, b"", &sealed).unwrap().as_slice(), b"a session");
        let newer = after.seal(purpose, b"", b"another").unwrap();
        assert!(before.open(purpose, b"", &newer).is_err(), "an older ring knows no newer key");

        let command = Some(vec!["true".to_owned()]);
        let told = rotate(&MasterKey { command, ..settings }, &folder).err().unwrap().to_string();
        assert!(told.contains("does not come from a file"), "{told}");
    }

    #[test]
    fn a_program_may_print_the_key_and_its_failure_is_told_without_its_words() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let command = |script: &str| {
            let words = ["sh", "-c", script].map(str::to_owned).to_vec();
            open(&MasterKey { command: Some(words), ..MasterKey::default() }, &folder)
        };
        let key = "00".repeat(31) + "01";
        assert!(!command(&format!("echo {key}")).unwrap().beside_the_data);
        let told = command("echo secret >&2; exit 3").err().unwrap().to_string();
        assert!(told.contains("sh ended with") && !told.contains("secret"), "{told}");
        let told = command("echo not-a-key").err().unwrap().to_string();
        assert!(!told.contains("not-a-key"), "{told}");
        assert!(!folder.master_key().exists(), "no key is made when another was named");
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_by_name() {
        let root = tempfile::tempdir().unwrap();
        let settings =
            MasterKey { env: Some("VESTIBULE_NO_SUCH".to_owned()), ..MasterKey::default() };
        let told = open(&settings, &folder(root.path())).err().unwrap().to_string();
        assert_eq!(told, "master key: the variable VESTIBULE_NO_SUCH is not set");
    }
}
