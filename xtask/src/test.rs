//! Every check and every test, cheapest first; the test runner comes last, so that its summary is the
//! last thing said.

use std::process::ExitCode;

use crate::setup::{self, Runner};
use crate::{Outcome, layers, process, sizes, supply};

/// A check's name, and the check.
type Check = (&'static str, fn() -> Outcome);

/// Runs everything; `filters` go to the test runner as they are.
///
/// A check that fails does not keep the tests from running: both are told in one go.
///
/// # Errors
/// The set-up or a build failed, or a check did.
pub fn run(filters: &[String]) -> Outcome<ExitCode> {
    let kit = setup::run()?;
    let checks: [Check; 6] = [
        ("rustfmt", || process::run(process::cargo().args(["fmt", "--all", "--check"]))),
        ("layers", layers::run),
        ("sizes", sizes::run),
        ("supply", supply::run),
        ("clippy", clippy),
        ("doc tests", || {
            process::run(process::cargo().args(["test", "--quiet", "--workspace", "--doc"]))
        }),
    ];
    let mut faults = Vec::new();
    for (name, check) in checks {
        if let Err(why) = check() {
            eprintln!("✗ {name}: {why}");
            faults.push(name);
        }
    }
    process::run(process::cargo().args(["build", "--package", "vestibule"]))?;
    process::run(process::cargo().args([
        "build",
        "--manifest-path",
        "acceptance/rust-sdk/Cargo.toml",
    ]))?;

    let mut tests = match &kit.runner {
        Runner::Nextest(program) => {
            let mut tests = process::command(program);
            tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(filters);
            tests
        }
        Runner::Cargo => {
            let mut tests = process::cargo();
            tests.args(["test", "--workspace", "--no-fail-fast", "--all-targets"]).args(filters);
            tests
        }
    };
    let status = tests.status().map_err(|error| format!("the test runner: {error}"))?;
    match (status.success(), faults.is_empty()) {
        (true, true) => Ok(ExitCode::SUCCESS),
        (_, false) => Err(format!("failed before the tests: {}", faults.join(", "))),
        (false, true) => Ok(ExitCode::FAILURE),
    }
}

fn clippy() -> Outcome {
    process::run(
        process::cargo()
            .args(["clippy", "--quiet", "--workspace", "--all-targets"])
            .args(["--", "--deny", "warnings"]),
    )
}
