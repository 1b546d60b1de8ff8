//! Lines of code per file: past the soft limit a stranger no longer sees where to cut.

use std::fs;

use crate::{Outcome, process, source};

/// Past this many lines of code a file is named.
const SOFT: usize = 400;
/// Past this many the check fails.
const HARD: usize = 700;

const FOLDERS: &[&str] =
    &["crates", "xtask/src", "acceptance/src", "acceptance/rust-sdk/src", "bench"];

/// Counts every source file of ours; comments, blank lines and tests are free.
///
/// # Errors
/// Names each file past the hard limit.
pub fn run() -> Outcome {
    let mut counted = Vec::new();
    for folder in FOLDERS {
        for path in source::rust_files(&process::root().join(folder))? {
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            counted.push((source::code_lines(&text).count(), source::from_root(&path)));
        }
    }
    counted.sort_by(|one, other| other.cmp(one));
    let total: usize = counted.iter().map(|(lines, _)| lines).sum();
    for (lines, path) in counted.iter().take_while(|(lines, _)| *lines > SOFT) {
        println!("sizes: {path} has {lines} lines of code (soft limit {SOFT})");
    }
    println!("sizes: {total} lines of code in {} files", counted.len());
    let over = counted.iter().filter(|(lines, _)| *lines > HARD).count();
    if over == 0 {
        Ok(())
    } else {
        Err(format!("{over} files past the hard limit of {HARD} lines"))
    }
}
