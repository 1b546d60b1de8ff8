//! Measures decisions, compilation and recording on an attribute-based workload:
//! `cargo run --release -p policy --example speed`.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring tool")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use policy::{
    AccountId, Arn, Ask, Compiled, Context, Document, FullRecord, Kind, Named, NoRecord, PolicyId,
    PolicyKind, Principal, SetBy, Sources, Strictness, UniqueId, Verdict, decide,
};

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Every statement its own action and resource.
    Spread,
    /// One action, every statement its own resource.
    Resources,
    /// One action, any resource, every statement its own constant tag.
    Constants,
}

fn statement(shape: Shape, n: usize) -> String {
    let tag = n % 5;
    let (action, resource, extra) = match shape {
        Shape::Spread => (format!("svc{}:Act{n}", n % 20), format!("thing/{n}/*"), String::new()),
        Shape::Resources => ("svc0:Act".to_owned(), format!("thing/{n}/*"), String::new()),
        Shape::Constants => {
            ("svc0:Act".to_owned(), "*".to_owned(), format!(r#","aws:ResourceTag/unit":"u{n}""#))
        }
    };
    format!(
        r#"{{"Sid":"S{n}","Effect":"Allow","Action":"{action}","Resource":"arn:aws:svc:eu-west-1:111122223333:{resource}",
        "Condition":{{"StringEquals":{{"aws:ResourceTag/t{tag}":"${{aws:PrincipalTag/t{tag}}}"{extra}}}}}}}"#
    )
}

const DENY: &str = r#"{"Sid":"Deny","Effect":"Deny","Action":"*","Resource":"*",
    "Condition":{"StringEquals":{"aws:ResourceTag/sealed":"yes"},"StringNotEquals":{"aws:PrincipalTag/break-glass":"yes"}}}"#;

/// Documents hold at most 131,072 characters; hence several.
fn documents(shape: Shape, count: usize) -> Vec<String> {
    let all: Vec<String> = (0..count).map(|n| statement(shape, n)).collect();
    let wrap =
        |list: &[String]| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, list.join(","));
    let mut texts: Vec<String> = all.chunks(200).map(wrap).collect();
    texts.push(wrap(&[DENY.to_owned()]));
    texts
}

fn compile(texts: &[Arc<Document>]) -> Compiled {
    let named = texts.iter().enumerate().map(|(n, document)| {
        Named::new(PolicyId::new(format!("p{n}"), PolicyKind::Managed), Arc::clone(document))
    });
    Compiled::new(named)
}

fn context(team: &str, sealed: &str, unit: usize) -> Context {
    let mut context = Context::new();
    for n in 0..5 {
        context.set(&format!("aws:PrincipalTag/t{n}"), "red", SetBy::Session);
        context.set(&format!("aws:ResourceTag/t{n}"), team, SetBy::Resource);
    }
    context
        .set("aws:ResourceTag/sealed", sealed, SetBy::Resource)
        .set("aws:ResourceTag/unit", &format!("u{unit}"), SetBy::Resource)
        .set("aws:PrincipalTag/break-glass", "no", SetBy::Session)
        .set("aws:SourceIp", "10.0.0.1", SetBy::Network)
        .set("aws:SecureTransport", "true", SetBy::Network)
        .set("aws:username", "ann", SetBy::Principal);
    context
}

fn time(mut run: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..20_000 {
            run();
        }
        best = best.min(start.elapsed().as_secs_f64() / 20_000.0);
    }
    best * 1e9
}

fn main() {
    let principal = Principal::User {
        arn: Arn::parse("arn:aws:iam::111122223333:user/ann").unwrap(),
        id: UniqueId::new("AIDAAAAAAAAAAAAAAAAA"),
        account: AccountId::parse("111122223333").unwrap(),
    };
    println!(
        "shape      statements     allow  implicit  explicit (ns)   recorded   compile/s   parse/s"
    );
    for shape in [Shape::Spread, Shape::Resources, Shape::Constants] {
        for count in [10, 100, 1_000, 10_000] {
            let texts = documents(shape, count);
            let start = Instant::now();
            let parsed: Vec<Arc<Document>> = texts
                .iter()
                .map(|t| Arc::new(Document::parse(t, Kind::Identity, Strictness::Stored).unwrap()))
                .collect();
            let parse = count as f64 / start.elapsed().as_secs_f64();
            drop(compile(&parsed));
            let start = Instant::now();
            let set = compile(&parsed);
            let speed = count as f64 / start.elapsed().as_secs_f64();
            let identity = [Arc::new(set)];
            let sources = Sources { identity: &identity, ..Sources::default() };
            let n = count / 2;
            let (action, resource) = match shape {
                Shape::Spread => (format!("svc{}:Act{n}", n % 20), n),
                Shape::Resources | Shape::Constants => ("svc0:Act".to_owned(), n),
            };
            let arn = format!("arn:aws:svc:eu-west-1:111122223333:thing/{resource}/x");
            let ask = |team: &str, sealed: &str| {
                Ask::new(principal.clone(), &action, &arn).with_context(context(team, sealed, n))
            };
            let measure = |ask: Ask, wanted: Verdict| {
                let decision = decide(&ask, &sources, &mut NoRecord);
                if decision.verdict != wanted {
                    panic!("{shape:?} {count}: {decision:?}");
                }
                time(|| {
                    black_box(decide(black_box(&ask), &sources, &mut NoRecord));
                })
            };
            let allow = measure(ask("red", "no"), Verdict::Allow);
            let implicit = measure(ask("blue", "no"), Verdict::ImplicitDeny);
            let explicit = measure(ask("red", "yes"), Verdict::ExplicitDeny);
            let recorded = if count <= 100 {
                let ask = ask("blue", "no");
                let mut record = FullRecord::new();
                time(|| {
                    black_box(decide(black_box(&ask), &sources, &mut record));
                })
            } else {
                f64::NAN
            };
            println!(
                "{:<10} {count:>10} {allow:>9.0} {implicit:>9.0} {explicit:>9.0} {recorded:>15.0} {speed:>11.0} {parse:>9.0}",
                format!("{shape:?}")
            );
        }
    }
}
