//! Builds the binary and the load generator for speed, and runs the one against the other.

use crate::{Outcome, process};

/// Runs the named benchmarks (all that need no rivals, when none is named).
///
/// # Errors
/// A build failed, or the run itself.
pub fn run(arguments: &[String]) -> Outcome {
    let rivals = arguments.iter().any(|argument| argument == "policy");
    let manifest = if rivals { "bench/policy/Cargo.toml" } else { "bench/Cargo.toml" };
    let program =
        if rivals { "bench/target/release/bench-policy" } else { "bench/target/release/bench" };
    if !rivals {
        process::run(process::cargo().args(["build", "--release", "--package", "vestibule"]))?;
    }
    process::run(process::cargo().args(["build", "--release", "--manifest-path", manifest]))?;
    let target = process::root().join("target/release/vestibule");
    process::run(
        process::command(process::root().join(program))
            .env("VESTIBULE_BIN", target)
            .args(arguments.iter().filter(|argument| *argument != "policy")),
    )
}
