//! The dependency graph as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

use crate::{Outcome, process};

/// Every package that one workspace can build, and who depends on whom.
#[derive(Debug, Deserialize)]
pub struct Graph {
    /// Every package that is compiled for any of ours: linked, or for a test or a build script.
    pub packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    id: String,
    /// Its name as in `Cargo.toml`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SPDX expression that its author wrote, when one was.
    pub license: Option<String>,
    /// Where cargo got it from; none for a path.
    pub source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Graph {
    /// Asks cargo for the graph of the workspace whose manifest lies at `manifest` (from the root),
    /// for this machine's target only.
    ///
    /// # Errors
    /// Cargo failed, or said something that is not its documented format.
    pub fn of(manifest: &str) -> Outcome<Graph> {
        let host = process::output(process::command("rustc").arg("-vV"))?
            .lines()
            .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
            .ok_or("rustc -vV names no host")?;
        let text = process::output(
            process::cargo()
                .args(["metadata", "--format-version", "1", "--filter-platform", &host])
                .args(["--manifest-path", manifest]),
        )?;
        let mut graph: Graph =
            serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        // The metadata also hold what only a feature nobody asked for would bring (`ring?/alloc`);
        // the tree does not.
        let tree = process::output(
            process::cargo()
                .args(["tree", "--workspace", "--edges", "all", "--prefix", "none"])
                .args(["--manifest-path", manifest]),
        )?;
        let compiled: BTreeSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or(rest)))
            .collect();
        graph.packages.retain(|package| {
            compiled.contains(&(package.name.as_str(), format!("v{}", package.version).as_str()))
        });
        Ok(graph)
    }

    /// The packages of this workspace itself.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Names of our own packages that `package` names in its manifest, tests aside.
    pub fn own_dependencies(&self, package: &Package) -> BTreeSet<&str> {
        self.edges(&package.id)
            .filter(|id| self.workspace_members.contains(*id))
            .filter_map(|id| self.package(id))
            .map(|package| package.name.as_str())
            .collect()
    }

    /// Everything that is linked into `package` outside its tests, each with a shortest chain of names
    /// that leads to it.
    pub fn linked<'a>(&'a self, package: &'a Package) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut chains: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
        let mut queue = VecDeque::from([(package.id.as_str(), vec![package.name.as_str()])]);
        let mut seen = BTreeSet::from([package.id.as_str()]);
        while let Some((id, chain)) = queue.pop_front() {
            for next in self.edges(id) {
                let Some(found) = self.package(next) else { continue };
                if seen.insert(next) {
                    let mut longer = chain.clone();
                    longer.push(&found.name);
                    chains.entry(&found.name).or_insert_with(|| longer.clone());
                    queue.push_back((next, longer));
                }
            }
        }
        chains
    }

    /// Edges that end up in the built crate: neither its tests' nor its build script's.
    fn edges<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        self.resolve
            .nodes
            .iter()
            .filter(move |node| node.id == id)
            .flat_map(|node| &node.deps)
            .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()))
            .map(|edge| edge.pkg.as_str())
    }

    fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}
