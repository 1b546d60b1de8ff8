//! All cases, by what the fault is in.

mod algorithms;
mod claims;
mod keys;
mod shape;
mod signatures;
mod tags;
mod times;

use crate::build::{Case, Keys};

fn all() -> Vec<Case> {
    let keys = Keys::load();
    [
        shape::cases(&keys),
        algorithms::cases(&keys),
        keys::cases(&keys),
        signatures::cases(&keys),
        claims::cases(&keys),
        times::cases(&keys),
        tags::cases(&keys),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
#[ignore = "writes the missing files of corpus/tokens/oidc"]
fn write_missing_files() {
    let written = all().iter().filter(|case| case.write()).count();
    println!("{written} written");
}

#[test]
fn every_case_has_its_own_file_and_every_file_its_case() {
    let mut names: Vec<String> = all().iter().map(Case::name).collect();
    names.sort();
    let mut files: Vec<String> = std::fs::read_dir(crate::run::corpus().join("oidc"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".json").to_owned())
        .collect();
    files.sort();
    assert_eq!(names, files);
}
