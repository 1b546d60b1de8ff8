//! Who may depend on whom: the table of ARCHITECTURE.md, held against what cargo would really link.

use std::fs;

use crate::graph::Graph;
use crate::{Outcome, process, source};

struct Layer {
    name: &'static str,
    /// Our own crates that it may name.
    ours: &'static [&'static str],
    /// Foreign crates that must not be linked into it, however indirectly.
    never: &'static [&'static [&'static str]],
    /// Paths that its source must not mention, for what only a feature separates.
    unspoken: &'static [&'static str],
}

const RUNTIME: &[&str] = &["tokio", "hyper", "hyper-util", "axum", "async-std", "smol"];
const HTTP: &[&str] = &["http", "http-body", "h2"];
const DATABASE: &[&str] =
    &["rusqlite", "libsqlite3-sys", "sqlx", "tokio-postgres", "postgres", "redb", "sled"];
const RANDOM: &[&str] = &["rand", "rand_core", "getrandom", "fastrand", "uuid", "ulid"];
const CRYPTO: &[&str] = &["aws-lc-rs", "rustls"];
const WEB: &[&str] = &["axum"];

const CLOCK: &[&str] = &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
const HTTP_SERVER: &[&str] = &["hyper::server", "hyper_util::server"];

const LAYERS: &[Layer] = &[
    Layer {
        name: "policy",
        ours: &[],
        never: &[RUNTIME, HTTP, DATABASE, RANDOM, CRYPTO],
        unspoken: CLOCK,
    },
    Layer { name: "claims", ours: &[], never: &[RUNTIME, HTTP, DATABASE, RANDOM], unspoken: CLOCK },
    Layer { name: "wire", ours: &[], never: &[RUNTIME, DATABASE], unspoken: CLOCK },
    Layer { name: "store", ours: &[], never: &[HTTP], unspoken: &[] },
    Layer {
        name: "service",
        ours: &["policy", "claims", "wire", "store"],
        never: &[WEB],
        unspoken: HTTP_SERVER,
    },
    Layer {
        name: "gateway",
        ours: &["service", "policy", "claims", "wire"],
        never: &[],
        unspoken: &[],
    },
    Layer { name: "web", ours: &["service", "claims"], never: &[], unspoken: &[] },
    Layer {
        name: "vestibule",
        ours: &["policy", "claims", "wire", "store", "service", "gateway", "web"],
        never: &[],
        unspoken: &[],
    },
    // They drive the binary from outside: a line from them into a crate would be a short cut.
    Layer { name: "acceptance", ours: &[], never: &[], unspoken: &[] },
    Layer { name: "xtask", ours: &[], never: &[], unspoken: &[] },
];

/// Checks every package of the workspace against its row of the table.
///
/// # Errors
/// Names each edge that the table does not allow, with the chain that leads to it.
pub fn run() -> Outcome {
    let graph = Graph::of("Cargo.toml")?;
    let mut faults = Vec::new();
    for package in graph.members() {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
            faults.push(format!("{}: has no row in the table of layers", package.name));
            continue;
        };
        for named in graph.own_dependencies(package) {
            if !layer.ours.contains(&named) {
                faults.push(format!("{} must not depend on {named}", package.name));
            }
        }
        let linked = graph.linked(package);
        for banned in layer.never.iter().copied().flatten() {
            if let Some(chain) = linked.get(banned) {
                faults.push(format!(
                    "{} must not link {banned}: {}",
                    package.name,
                    chain.join(" → ")
                ));
            }
        }
        faults.extend(spoken(layer)?);
    }
    if faults.is_empty() {
        println!("layers: every edge is one that the table allows");
        return Ok(());
    }
    Err(format!("{} edges too many\n  {}", faults.len(), faults.join("\n  ")))
}

fn spoken(layer: &Layer) -> Outcome<Vec<String>> {
    let mut faults = Vec::new();
    if layer.unspoken.is_empty() {
        return Ok(faults);
    }
    for path in source::rust_files(&process::root().join("crates").join(layer.name).join("src"))? {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for (number, line) in source::code_lines(&text) {
            for phrase in layer.unspoken {
                if line.contains(phrase) {
                    let place = source::from_root(&path);
                    faults.push(format!("{place}:{number}: {} must not use {phrase}", layer.name));
                }
            }
        }
    }
    Ok(faults)
}
