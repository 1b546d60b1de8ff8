//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! Each task is one file; `test` runs them all in the order in which a mistake is cheapest to find.
#![expect(clippy::print_stdout, reason = "a task's findings are its output")]
#![expect(clippy::print_stderr, reason = "progress goes to the terminal, apart from the output")]

mod bench;
mod coverage;
mod graph;
mod layers;
mod process;
mod setup;
mod sizes;
mod source;
mod spdx;
mod supply;
mod test;

use std::process::ExitCode;

/// What a task gives back: nothing, or the sentence that says why it failed.
type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
Usage: cargo xtask TASK

  setup                  install what the tests need into acceptance/.work (quick when all is there)
  test [FILTER…]         setup, every check, every test; arguments go to the test runner
  layers                 who may depend on whom
  sizes                  lines of code per file: 400 is a warning, 700 a failure
  supply                 licences, banned crates and sources of all dependencies
  coverage [--lines]     which share of the policy crate's lines its own tests run
  bench [NAME…] [--json] measure beside the limits of this machine; names: see `bench --list`
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let done = |()| ExitCode::SUCCESS;
    let outcome = match task {
        "setup" => setup::run().map(|_| ExitCode::SUCCESS),
        "test" => test::run(rest),
        "layers" => layers::run().map(done),
        "sizes" => sizes::run().map(done),
        "supply" => supply::run().map(done),
        "coverage" => coverage::run(rest).map(done),
        "bench" => bench::run(rest).map(done),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(format!("no task is called {other:?}\n\n{HELP}")),
    };
    match outcome {
        Ok(code) => code,
        Err(why) => {
            eprintln!("xtask {task}: {why}");
            ExitCode::FAILURE
        }
    }
}
