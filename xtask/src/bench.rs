//! Builds the binary and the load generator for speed, and runs the one against the other.

use crate::{Outcome, process};

/// Runs the named benchmarks; without a name, all that need no rivals.
///
/// # Errors
/// A build failed, or the run itself.
pub fn run(arguments: &[String]) -> Outcome {
    // The rivals are heavy to build: they are a package of their own, for when they are asked for.
    let (policy, server): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| *argument == "policy");
    let release = |package: &[&str]| {
        process::run(process::cargo().args(["build", "--release"]).args(package))
    };
    let run = |program: &str, arguments: &[&String]| {
        let built = process::root().join("bench/target/release").join(program);
        process::run(
            process::command(built)
                .env("VESTIBULE_BIN", process::root().join("target/release/vestibule"))
                .args(arguments),
        )
    };
    if !policy.is_empty() {
        release(&["--manifest-path", "bench/policy/Cargo.toml"])?;
        let flags: Vec<&String> = server.into_iter().filter(|name| name.starts_with('-')).collect();
        return run("bench-policy", &flags);
    }
    release(&["--package", "vestibule"])?;
    release(&["--manifest-path", "bench/Cargo.toml"])?;
    run("bench", &server)
}
