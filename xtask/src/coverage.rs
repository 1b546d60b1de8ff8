//! How much of the policy language its own tests run: lines of `crates/policy/src`, tests apart.
//!
//! Builds the crate's tests with the compiler's own counters into a folder of their own, runs them,
//! and counts a line as run when some test ran any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Outcome, process, source};

/// The crate that is measured.
const CRATE: &str = "policy";
/// Below this share of lines the task fails, in percent.
const LEAST: f64 = 95.0;

/// Measures; with `--lines`, names every line that no test runs.
///
/// # Errors
/// LLVM's tools are missing, a test failed, or the share is too small.
pub fn run(arguments: &[String]) -> Outcome {
    let tools = tools()?;
    let work = process::root().join("target/coverage");
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    for old in profiles(&work)? {
        fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
    }
    let tests = || {
        let mut cargo = process::cargo();
        cargo
            .args(["test", "--quiet", "--package", CRATE, "--all-targets"])
            .env("RUSTFLAGS", "-C instrument-coverage")
            .env("CARGO_TARGET_DIR", &work)
            .env("LLVM_PROFILE_FILE", work.join("%p-%m.profraw"));
        cargo
    };
    let built = process::output(tests().args(["--no-run", "--message-format", "json"]))?;
    process::run(&mut tests())?;
    let merged = work.join("merged.profdata");
    let mut merge = process::command(tools.join("llvm-profdata"));
    merge.args(["merge", "--sparse", "--output"]).arg(&merged).args(profiles(&work)?);
    process::output(&mut merge)?;
    let mut export = process::command(tools.join("llvm-cov"));
    export.args(["export", "--format=lcov", "--instr-profile"]).arg(&merged);
    objects(&mut export, &built);
    report(&process::output(&mut export)?, arguments.iter().any(|it| it == "--lines"))
}

/// Where the toolchain keeps `llvm-profdata` and `llvm-cov`, of the very version of its compiler.
fn tools() -> Outcome<PathBuf> {
    let rustc = |argument: [&str; 2]| {
        process::output(process::command("rustc").args(argument)).map(|it| it.trim().to_owned())
    };
    let root = PathBuf::from(rustc(["--print", "sysroot"])?);
    let host = rustc(["--print", "host-tuple"])?;
    let folder = root.join("lib/rustlib").join(host).join("bin");
    match folder.join("llvm-cov").is_file() {
        true => Ok(folder),
        false => Err("LLVM's tools are missing: rustup component add llvm-tools".to_owned()),
    }
}

fn profiles(work: &Path) -> Outcome<Vec<PathBuf>> {
    let failed = |error| format!("{}: {error}", work.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(work).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "profraw") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Adds the test programs that cargo says it built.
fn objects(export: &mut Command, built: &str) {
    let messages = built.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs =
        messages.filter_map(|message| message.get("executable")?.as_str().map(str::to_owned));
    for program in programs {
        export.args(["--object", &program]);
    }
}

/// Tells each file that has lines no test runs, and the whole.
fn report(lcov: &str, lines: bool) -> Outcome {
    let own = process::root().join("crates").join(CRATE).join("src");
    let counted = counts(lcov);
    let (mut all, mut run) = (0, 0);
    for path in source::rust_files(&own)? {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let code: BTreeSet<usize> = source::code_lines(&text).map(|(number, _)| number).collect();
        let Some(counts) = counted.get(&path) else { continue };
        let counts = counts.iter().filter(|(line, _)| code.contains(line));
        let never: Vec<usize> = counts.clone().filter(|(_, n)| **n == 0).map(|(l, _)| *l).collect();
        let here = counts.count();
        all += here;
        run += here - never.len();
        if !never.is_empty() {
            let shown = source::from_root(&path);
            println!("coverage: {shown}: {} of {here} lines are never run", never.len());
            if lines {
                println!("  {never:?}");
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "lines of code are far fewer than 2^52")]
    let share = 100.0 * run as f64 / f64::max(all as f64, 1.0);
    println!("coverage: the tests of {CRATE} run {run} of {all} lines: {share:.1} %");
    match share >= LEAST {
        true => Ok(()),
        false => Err(format!("less than {LEAST} %")),
    }
}

/// How often each line ran, by file. A line that several programs have ran as often as all together.
fn counts(lcov: &str) -> BTreeMap<PathBuf, BTreeMap<usize, u64>> {
    let mut files: BTreeMap<PathBuf, BTreeMap<usize, u64>> = BTreeMap::new();
    let mut file = PathBuf::new();
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = PathBuf::from(path);
        } else if let Some((number, count)) =
            line.strip_prefix("DA:").and_then(|line| line.split_once(','))
            && let (Ok(number), Ok(count)) = (number.parse(), count.parse::<u64>())
        {
            *files.entry(file.clone()).or_default().entry(number).or_default() += count;
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_file_over_all_programs() {
        let lcov = "SF:/a.rs\nDA:1,0\nDA:2,3\nend_of_record\nSF:/b.rs\nDA:1,1\nSF:/a.rs\nDA:1,2\n";
        let counted = counts(lcov);
        assert_eq!(counted[Path::new("/a.rs")], BTreeMap::from([(1, 2), (2, 3)]));
        assert_eq!(counted[Path::new("/b.rs")], BTreeMap::from([(1, 1)]));
    }
}
