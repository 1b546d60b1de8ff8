//! Rust source as lines: which of them are code, and which of those are not tests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, process};

/// Every `.rs` file under `folder` that is not a test: `tests.rs` and what lies in `tests/` are left out.
///
/// # Errors
/// A folder cannot be read. A folder that does not exist holds no files.
pub fn rust_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
            if path.file_stem().is_some_and(|stem| stem == "tests" || stem == "target") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The lines of `text` that hold code, with their numbers from one: no blank lines, no comments, and
/// nothing of an inline `#[cfg(test)]` module (which by the house's rule ends the file).
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_block_comment = false;
    let tests_start = text
        .lines()
        .zip(text.lines().skip(1))
        .position(|(line, next)| line == "#[cfg(test)]" && next.ends_with('{'));
    text.lines().enumerate().take(tests_start.unwrap_or(usize::MAX)).filter_map(
        move |(index, line)| {
            let trimmed = line.trim();
            if in_block_comment {
                in_block_comment = !trimmed.contains("*/");
                return None;
            }
            if trimmed.starts_with("/*") {
                in_block_comment = !trimmed.contains("*/");
                return None;
            }
            (!trimmed.is_empty() && !trimmed.starts_with("//")).then_some((index + 1, line))
        },
    )
}

/// The path as a reader of the repository would write it.
pub fn from_root(path: &Path) -> String {
    path.strip_prefix(process::root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<usize> {
        code_lines(text).map(|(number, _)| number).collect()
    }

    #[test]
    fn comments_and_blank_lines_are_not_code() {
        let text = "//! Doc.\n\nuse a;\n/* one\ntwo */\n  // why\nfn b() {} // trailing\n";
        assert_eq!(numbers(text), [3, 7]);
    }

    #[test]
    fn an_inline_test_module_is_not_counted_and_a_declared_one_is_one_line() {
        assert_eq!(numbers("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n"), [1]);
        assert_eq!(numbers("fn a() {}\n#[cfg(test)]\nmod tests;\n"), [1, 2, 3]);
    }
}
