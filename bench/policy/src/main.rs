//! The policy engine beside its rivals, on the same work in one run.
//!
//! A principal with N statements and five tags, a resource with five tags: an allow where two tags are
//! equal, and an explicit deny with an exception. Each engine gets the work in its own language, as
//! fairly as that allows, in its plain form and, where its language can express one, in a form that
//! finds the statements of an action without looking at the others; each file says how. Requests are
//! built beforehand, in each engine's own types: what is measured is one decision, warm, on one thread.

mod casbin;
mod cedar;
mod ours;
mod rego;
mod workload;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::workload::{CASES, Workload};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Something that decides the cases of a workload, by number, yes or no.
type Engine = Box<dyn FnMut(usize) -> bool>;

struct Contender {
    name: &'static str,
    version: &'static str,
    form: &'static str,
    build: fn(&Workload) -> Engine,
}

const CONTENDERS: [Contender; 6] = [
    Contender { name: "vestibule", version: "", form: "compiled", build: ours::engine },
    Contender { name: "cedar-policy", version: "4.14.1", form: "plain", build: cedar::plain },
    Contender { name: "cedar-policy", version: "4.14.1", form: "indexed", build: cedar::indexed },
    Contender { name: "regorus", version: "0.14.1", form: "plain", build: rego::plain },
    Contender { name: "regorus", version: "0.14.1", form: "indexed", build: rego::indexed },
    Contender { name: "casbin", version: "2.20.0", form: "plain", build: casbin::engine },
];

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let mut lines = Vec::new();
    for size in SIZES {
        let workload = Workload::new(size);
        let mut ours = [f64::NAN; CASES.len()];
        for contender in &CONTENDERS {
            eprintln!("▸ {size} statements: {} {}", contender.name, contender.form);
            let mut engine = (contender.build)(&workload);
            let mut row = [f64::NAN; CASES.len()];
            for (number, case) in CASES.iter().enumerate() {
                assert_eq!(engine(number), case.allowed, "{} {}", contender.name, case.name);
                row[number] = nanoseconds(|| engine(number));
            }
            if contender.name == "vestibule" {
                ours = row;
            }
            for ((case, value), own) in CASES.iter().zip(row).zip(ours) {
                if json {
                    println!(
                        "{}",
                        json!({
                            "name": format!("{} {} {} {size}", contender.name, contender.form, case.name),
                            "value": value, "unit": "ns", "ratio_to": "vestibule", "ratio": value / own,
                        })
                    );
                }
            }
            let cells: Vec<String> = row
                .iter()
                .zip(ours)
                .map(|(ns, own)| format!("{ns:>11.0} {:>7.1}×", ns / own))
                .collect();
            lines.push(format!(
                "{size:>10}  {:<13} {:<8} {:<9} {}",
                contender.name,
                contender.version,
                contender.form,
                cells.join(" ")
            ));
        }
    }
    let compile = ours::compile_rate();
    let recorded = ours::recorded();
    if json {
        for (name, value, unit) in [
            ("statements compiled", compile.per_second, "1/s"),
            ("memory per compiled statement", compile.bytes_each, "B"),
            ("decision with the recorder on, 100 statements", recorded, "ns"),
        ] {
            let ratio: Option<f64> = None;
            println!(
                "{}",
                json!({"name": name, "value": value, "unit": unit, "ratio_to": null, "ratio": ratio})
            );
        }
        return;
    }
    let heads: Vec<String> =
        CASES.iter().map(|case| format!("{:>14} ns    ×  ", case.name)).collect();
    println!("statements  engine        version  form      {}", heads.join(""));
    lines.iter().for_each(|line| println!("{line}"));
    println!(
        "\nvestibule compiles {:.0} statements per second (text to index), {:.0} bytes each; a decision \
         with the recorder on takes {recorded:.0} ns at 100 statements",
        compile.per_second, compile.bytes_each
    );
}

/// The median time of one call, over batches, after a warm-up.
fn nanoseconds(mut call: impl FnMut() -> bool) -> f64 {
    let start = Instant::now();
    let mut warm = 0u32;
    while start.elapsed() < Duration::from_millis(60) || warm < 3 {
        black_box(call());
        warm += 1;
    }
    // Batches of about 10 ms, so that reading the clock does not count.
    let batch = (u128::from(warm) * 10_000_000 / start.elapsed().as_nanos()).max(1);
    let mut taken: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..batch {
                black_box(call());
            }
            start.elapsed().as_nanos() as f64 / batch as f64
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 2]
}
