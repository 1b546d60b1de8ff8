//! vestibule: IAM's JSON, in documents of fifty statements as IAM's quotas make people cut them.

use std::{sync::Arc, time::Instant};

use policy::{
    AccountId, Arn, Ask, Compiled, Context, Document, FullRecord, Kind, Named, NoRecord, PolicyId,
    PolicyKind, Principal, SetBy, Sources, Strictness, Tag, UniqueId, decide,
};
use serde_json::{Value, json};

use crate::{
    Engine, nanoseconds,
    workload::{CASES, Case, PRINCIPAL_TAGS, Workload, resource_tags},
};

const PER_DOCUMENT: usize = 50;

fn texts(workload: &Workload) -> Vec<String> {
    let mut statements: Vec<Value> = workload
        .allowing()
        .map(|number| {
            json!({
                "Effect": "Allow",
                "Action": format!("app:Read{number}"),
                "Resource": format!("arn:aws:app:us-east-1:111122223333:project-{number}/*"),
                "Condition": {"StringEquals": {
                    "aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}"
                }},
            })
        })
        .collect();
    statements.push(json!({
        "Effect": "Deny", "Action": "app:*", "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:ResourceTag/classification": "secret"},
            "StringNotEquals": {"aws:PrincipalTag/clearance": "high"},
        },
    }));
    statements
        .chunks(PER_DOCUMENT)
        .map(|part| json!({"Version": "2012-10-17", "Statement": part}).to_string())
        .collect()
}

fn compile(texts: &[String]) -> Arc<Compiled> {
    let named = texts.iter().enumerate().map(|(number, text)| {
        let document = Document::parse(text, Kind::Identity, Strictness::Stored)
            .expect("the workload is valid");
        Named::new(PolicyId::new(format!("p{number}"), PolicyKind::Managed), Arc::new(document))
    });
    Arc::new(Compiled::new(named))
}

fn ask(workload: &Workload, case: &Case) -> Ask {
    let arn = |text: &str| Arn::parse(text).expect("an ARN");
    let account = AccountId::parse("111122223333").expect("an account");
    let principal = Principal::RoleSession {
        role_arn: arn("arn:aws:iam::111122223333:role/developer"),
        role_id: UniqueId::new("AROAEXAMPLEEXAMPLE123"),
        session_arn: arn("arn:aws:sts::111122223333:assumed-role/developer/alice"),
        account,
    };
    let tags = |pairs: &[(&str, &str)]| -> Vec<Tag> {
        let tag = |(key, value): &(&str, &str)| Tag::new(*key, *value);
        pairs.iter().map(tag).collect()
    };
    let mut context = Context::new();
    context.set_tags("aws:PrincipalTag/", &tags(&PRINCIPAL_TAGS), SetBy::Session);
    context.set_tags("aws:ResourceTag/", &tags(&resource_tags(case)), SetBy::Resource);
    let middle = workload.middle();
    let resource = format!("arn:aws:app:us-east-1:111122223333:project-{middle}/report");
    Ask::new(principal, &format!("app:Read{middle}"), &resource)
        .owned_by(account)
        .with_context(context)
}

pub fn engine(workload: &Workload) -> Engine {
    let identity = [compile(&texts(workload))];
    let asks: Vec<Ask> = CASES.iter().map(|case| ask(workload, case)).collect();
    Box::new(move |number| {
        let sources = Sources { identity: &identity, ..Sources::default() };
        decide(&asks[number], &sources, &mut NoRecord).is_allow()
    })
}

/// The time of one denial with everything recorded, at 100 statements.
pub fn recorded() -> f64 {
    let workload = Workload::new(100);
    let identity = [compile(&texts(&workload))];
    let ask = ask(&workload, &CASES[1]);
    nanoseconds(|| {
        let sources = Sources { identity: &identity, ..Sources::default() };
        let mut recorder = FullRecord::new();
        let decision = decide(&ask, &sources, &mut recorder);
        drop(recorder.into_record(&ask, &sources));
        decision.is_allow()
    })
}

pub struct CompileRate {
    pub per_second: f64,
    pub bytes_each: f64,
}

/// From text to index, and what that holds in memory (the texts it came from included).
pub fn compile_rate() -> CompileRate {
    const STATEMENTS: usize = 10_000;
    let texts = texts(&Workload::new(STATEMENTS));
    let before = resident();
    let kept: Vec<_> = (0..20).map(|_| compile(&texts)).collect();
    let bytes_each = (resident() - before) / (20 * STATEMENTS) as f64;
    drop(kept);
    let mut rates: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let compiled = compile(&texts);
            let rate = STATEMENTS as f64 / start.elapsed().as_secs_f64();
            drop(compiled);
            rate
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    CompileRate { per_second: rates[rates.len() / 2], bytes_each }
}

fn resident() -> f64 {
    let pages: f64 = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse().ok())
        .unwrap_or(f64::NAN);
    pages * 4096.0
}
