//! Measures the server beside the limits of the machine it runs on, in one run.
//!
//! The server has core 0 to itself (`--threads 1`, pinned), the load generator core 1. Three limits are
//! measured in the same run: V, RSA-2048 verifications per second on the server's core; H, what a bare
//! server of the same HTTP stack answers to the very same requests there; and one fdatasync on the disk
//! that holds the data folder. Every figure is the median of several runs; progress goes to stderr.

mod assertion;
mod bare;
mod figures;
mod load;
mod machine;
mod report;
mod server;
mod token;

use std::{process::ExitCode, time::Duration};

use crate::report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
Usage: cargo xtask bench [NAME…] [--json] [--runs N] [--seconds N] [--tokens N]
                         [--assertions N]

  web-identity     (a) exchanges of distinct tokens beside V, of the same tokens again beside H
  signed           (b) GetCallerIdentity and AssumeRole beside H
  start            (c) start to first answer; memory idle and under load
  latency          (c) p99 at half load beside one fdatasync
  saml             (d) AssumeRoleWithSAML beside V: strict, each assertion once; one signature, two, and
                   encrypted
  policy           the policy engine beside cedar-policy, regorus and casbin

Without a name: all but policy. The runs of saml share the assertions, however long they take.
";

/// How long and how often to measure.
#[derive(Clone, Copy)]
struct Effort {
    runs: usize,
    length: Duration,
    tokens: usize,
    assertions: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let mut names = Vec::new();
    let mut json = false;
    let length = Duration::from_secs(3);
    let mut effort = Effort { runs: 5, length, tokens: 60_000, assertions: 30_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Outcome<u64> {
            let text = arguments.next().ok_or(format!("{argument} wants a number"))?;
            text.parse().map_err(|_| format!("{argument} wants a number, not {text:?}"))
        };
        match argument.as_str() {
            "--bare" => return bare::serve(),
            "--json" => json = true,
            "--runs" => effort.runs = number()?.max(1) as usize,
            "--seconds" => effort.length = Duration::from_secs(number()?.max(1)),
            "--tokens" => effort.tokens = number()?.max(1) as usize,
            "--assertions" => effort.assertions = number()?.max(1) as usize,
            "--help" | "--list" => {
                print!("{HELP}");
                return Ok(());
            }
            name => names.push(name.to_owned()),
        }
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    let known = ["web-identity", "signed", "start", "latency", "saml"];
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("no benchmark is called {unknown:?}\n\n{HELP}"));
    }
    let mut report = Report::new(json);
    let bench = figures::Bench::prepare(effort, &mut report)?;
    if wanted("web-identity") {
        bench.web_identity(&mut report)?;
    }
    if wanted("signed") {
        bench.signed(&mut report)?;
    }
    if wanted("start") {
        bench.start(&mut report)?;
    }
    if wanted("latency") {
        bench.latency(&mut report)?;
    }
    if wanted("saml") {
        bench.saml(&mut report)?;
    }
    report.end();
    Ok(())
}
