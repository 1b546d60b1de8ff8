//! Licences, banned crates and sources, by the lists in `deny.toml`.
//!
//! `cargo deny` reads the same file and is run as well where it is installed; building it takes longer
//! than all of our tests, so what the project relies on is checked here from `cargo metadata`.

use std::fs;

use serde::Deserialize;

use crate::graph::{Graph, Package};
use crate::{Outcome, process, spdx};

#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    allow: Vec<String>,
    #[serde(rename = "crate")]
    package: String,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    package: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// Checks every package that the everyday build can link, tests included.
///
/// # Errors
/// Names each package and the list it fails.
pub fn run() -> Outcome {
    let text = fs::read_to_string(process::root().join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let rules: Rules = toml::from_str(&text).map_err(|error| format!("deny.toml: {error}"))?;
    let graph = Graph::of("Cargo.toml")?;
    let faults: Vec<String> =
        graph.packages.iter().flat_map(|package| faults(&rules, package)).collect();
    if !faults.is_empty() {
        return Err(format!("{} faults\n  {}", faults.len(), faults.join("\n  ")));
    }
    println!("supply: {} packages; licences, bans and sources are as listed", graph.packages.len());
    if process::find("cargo-deny").is_some() {
        process::run(process::cargo().args(["deny", "check", "licenses", "bans", "sources"]))?;
    }
    Ok(())
}

fn faults(rules: &Rules, package: &Package) -> Vec<String> {
    let mut faults = Vec::new();
    let named = format!("{} {}", package.name, package.version);
    if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.package == package.name) {
        faults.push(format!("{named} is banned: {}", ban.reason));
    }
    if let Some(source) = &package.source {
        let known = source
            .strip_prefix("registry+")
            .is_some_and(|url| rules.sources.allow_registry.iter().any(|allowed| allowed == url));
        if !known {
            faults.push(format!("{named} comes from {source}"));
        }
    }
    let allowed = |licence: &str| {
        let exceptions = rules.licenses.exceptions.iter();
        rules.licenses.allow.iter().any(|allowed| allowed == licence)
            || exceptions
                .filter(|exception| exception.package == package.name)
                .any(|exception| exception.allow.iter().any(|allowed| allowed == licence))
    };
    let expression = package.license.as_deref().unwrap_or_default();
    if !spdx::satisfied(expression, &allowed) {
        faults.push(format!("{named} is licensed {expression:?}"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT"]
            exceptions = [{ allow = ["ISC"], crate = "spared" }]
            [bans]
            deny = [{ crate = "ring", reason = "one crypto library" }]
            [sources]
            allow-registry = ["https://example.org/index"]
            "#,
        )
        .unwrap()
    }

    fn package(name: &str, license: &str, source: &str) -> Package {
        serde_json::from_value(serde_json::json!({
            "id": "x", "name": name, "version": "1.0.0", "license": license, "source": source
        }))
        .unwrap()
    }

    #[test]
    fn each_list_refuses_what_it_does_not_name() {
        let here = "registry+https://example.org/index";
        for (package, expected) in [
            (package("fine", "MIT", here), vec![]),
            (package("spared", "ISC", here), vec![]),
            (package("other", "ISC", here), vec!["other 1.0.0 is licensed \"ISC\""]),
            (package("ring", "MIT", here), vec!["ring 1.0.0 is banned: one crypto library"]),
            (
                package("far", "MIT", "git+https://example.org/far"),
                vec!["far 1.0.0 comes from git+https://example.org/far"],
            ),
        ] {
            assert_eq!(faults(&rules(), &package), expected);
        }
    }
}
