//! The engine and the reference interpreter answer alike.
//!
//! `POLICY_CASES` raises the number of cases. Half of them come from a fixed seed, so that a failure in
//! one place is a failure everywhere; half from a random one, which is printed and can be given
//! back as `POLICY_SEED`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what goes wrong here fails the test"
)]

#[path = "question/question.rs"]
#[allow(dead_code, reason = "shared with the laws")]
mod question;
#[path = "reference/interpreter.rs"]
mod reference;

use policy::NoRecord;
use proptest::prelude::Rng as _;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::question::{Case, answer, generate};

fn cases() -> u32 {
    std::env::var("POLICY_CASES").map_or(4_000, |n| n.parse().unwrap())
}

fn seed(number: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

fn runner(seed_number: u64) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed(seed_number));
    TestRunner::new_with_rng(Config::default(), rng)
}

/// None: agree. Some: what each says.
fn disagreement(case: &Case) -> Option<String> {
    let engine = match case.decide(&mut NoRecord) {
        Ok(decision) => answer(&decision),
        Err(refused) => return Some(format!("the generator wrote a refused policy: {refused}")),
    };
    let reference = case.reference();
    (engine != reference).then(|| format!("engine:    {engine:?}\nreference: {reference:?}"))
}

fn agree(seed_number: u64, count: u32) {
    let mut runner = runner(seed_number);
    let strategy = generate::case();
    let mut verdicts = std::collections::BTreeMap::new();
    for number in 0..count {
        let mut tree = strategy.new_tree(&mut runner).unwrap();
        let case = tree.current();
        let Some(mut told) = disagreement(&case) else {
            let answer = case.reference();
            *verdicts.entry(format!("{:?} {:?}", answer.verdict, answer.layer)).or_insert(0) += 1;
            continue;
        };
        // Make it smaller as long as it still disagrees.
        let mut smallest = case;
        let mut alive = tree.simplify();
        for _ in 0..20_000 {
            if !alive {
                break;
            }
            let case = tree.current();
            if let Some(again) = disagreement(&case) {
                (smallest, told) = (case, again);
                alive = tree.simplify();
            } else {
                alive = tree.complicate();
            }
        }
        panic!("seed {seed_number}, case {number}:\n{told}\n{}", smallest.shown());
    }
    if std::env::var_os("POLICY_CASES").is_some() {
        println!("{verdicts:#?}");
    }
}

#[test]
fn engine_and_reference_agree_from_a_fixed_seed() {
    agree(20_240_229, cases() / 2);
}

#[test]
fn engine_and_reference_agree_from_a_random_seed() {
    let random = || TestRunner::default().new_rng().next_u64();
    let seed = std::env::var("POLICY_SEED").map_or_else(|_| random(), |n| n.parse().unwrap());
    println!("POLICY_SEED={seed}");
    agree(seed, cases() / 2);
}
