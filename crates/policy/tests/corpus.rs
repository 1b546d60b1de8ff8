//! Runs every file of `corpus/policy/`.

use std::path::{Path, PathBuf};

use policy::Verdict;

#[test]
fn every_case_passes() {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/policy");
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    let mut count = 0;
    let mut faults = Vec::new();
    for path in &all {
        let shown = path.strip_prefix(&root).unwrap().display();
        let text = std::fs::read_to_string(path).unwrap();
        let outcomes = policy::case::run(&text).unwrap_or_else(|fault| panic!("{shown}: {fault}"));
        let file: policy::case::CaseFile = serde_json::from_str(&text).unwrap();
        for case in file.cases.iter().filter(|case| case.expect.verdict != Verdict::Allow) {
            if case.expect.layer.is_none() {
                faults.push(format!("{shown}: {} denies without its reason", case.name));
            }
        }
        let mut names = std::collections::HashSet::new();
        for outcome in outcomes {
            count += 1;
            if !names.insert(outcome.name.clone()) {
                faults.push(format!("{shown}: {} occurs twice", outcome.name));
            }
            if outcome.rule.is_empty() {
                faults.push(format!("{shown}: {} pins no rule", outcome.name));
            }
            if let Some(fault) = outcome.fault {
                faults.push(format!("{shown}: {}: {fault}", outcome.name));
            }
        }
    }
    println!("{count} cases in {} files", all.len());
    assert!(faults.is_empty(), "{} of {count} fail:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 300, "only {count} cases");
}
