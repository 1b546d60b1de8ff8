//! Hostile documents and requests cost what their size costs, and no more.
//!
//! Each test does the same work at one size and at four times that size, takes the best of several
//! runs of each, and asks that the larger took less than ten times as long: four times is linear,
//! sixteen times would be quadratic. No absolute time is asserted.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what goes wrong here fails the test")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use policy::{
    Ask, Compiled, Context, Document, FullRecord, Kind, Named, NoRecord, PolicyId, PolicyKind,
    SetBy, Sources, Strictness, Verdict, decide, needs,
};

fn best_of(runs: usize, work: &mut impl FnMut()) -> Duration {
    let mut once = || {
        let start = processor_time();
        work();
        processor_time() - start
    };
    (0..runs).map(|_| once()).min().unwrap()
}

/// Of this thread: what others do on the machine meanwhile does not count.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// `work(size)` prepares and returns what is measured.
fn grows_in_line<W: FnMut()>(what: &str, size: usize, work: impl Fn(usize) -> W) {
    // A busy machine can spoil one comparison, but not three.
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let small = best_of(5, &mut work(size)).max(Duration::from_micros(1));
        let large = best_of(5, &mut work(size * 4));
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        if ratio < 10.0 {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{what}: four times the size takes {ratios:.1?} times as long");
}

fn parse(text: &str) -> Document {
    Document::parse(text, Kind::Identity, Strictness::Stored).unwrap()
}

fn compile(text: &str) -> [Arc<Compiled>; 1] {
    let id = PolicyId::new("p", PolicyKind::Inline);
    [Arc::new(Compiled::new([Named::new(id, Arc::new(parse(text)))]))]
}

fn document(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

fn allow(resource: &str) -> String {
    document(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}"#))
}

fn when(condition: &str) -> String {
    document(&format!(
        r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#
    ))
}

fn ask(resource: &str, context: Context) -> Ask {
    let user = policy::case::principal("user/ann").unwrap();
    Ask::new(user, "s3:GetObject", resource).with_context(context)
}

/// Decides over and over; the answer must be this one.
fn decides(text: &str, ask: Ask, wanted: Verdict) -> impl FnMut() + use<> {
    let identity = compile(text);
    move || {
        let sources = Sources { identity: &identity, ..Sources::default() };
        for _ in 0..5 {
            assert_eq!(decide(black_box(&ask), &sources, &mut NoRecord).verdict, wanted);
        }
    }
}

fn name(key: &str, value: &str) -> Context {
    let mut context = Context::new();
    context.set(key, value, SetBy::Request);
    context
}

#[test]
fn stars_do_not_go_back() {
    // ATTACK: a*a*a*…b against aaa…: exponential or quadratic in naive matchers.
    grows_in_line("a*a*…b as resource", 1_000, |n| {
        let text = allow(&format!("arn:aws:s3:::{}b", "a*".repeat(n)));
        let request = format!("arn:aws:s3:::{}", "a".repeat(n * 10));
        decides(&text, ask(&request, Context::new()), Verdict::ImplicitDeny)
    });
    grows_in_line("a*a*…b in a condition", 1_000, |n| {
        let text = when(&format!(r#""StringLike":{{"x:Any":"{}b"}}"#, "a*".repeat(n)));
        let context = name("x:Any", &"a".repeat(n * 10));
        decides(&text, ask("*", context), Verdict::ImplicitDeny)
    });
    grows_in_line("*a*a*… in an action", 1_000, |n| {
        let text = document(&format!(
            r#"{{"Effect":"Allow","Action":"s3:{}b","Resource":"*"}}"#,
            "*a".repeat(n)
        ));
        let user = policy::case::principal("user/ann").unwrap();
        decides(
            &text,
            Ask::new(user, &format!("s3:{}", "a".repeat(n * 4)), "*"),
            Verdict::ImplicitDeny,
        )
    });
}

#[test]
fn question_marks_cost_by_the_request() {
    // ATTACK: a run that mixes letters and ? has no quick search; for a given policy its cost is in
    // line with the request, and for a given request with the policy.
    let run = |n: usize| format!("arn:aws:s3:::*{}b*", "a?".repeat(n));
    grows_in_line("*a?a?…b* by request", 2_000, |n| {
        let request = format!("arn:aws:s3:::{}", "a".repeat(n));
        decides(&allow(&run(50)), ask(&request, Context::new()), Verdict::ImplicitDeny)
    });
    grows_in_line("*a?a?…b* by policy", 50, |n| {
        let request = format!("arn:aws:s3:::{}", "a".repeat(4_000));
        decides(&allow(&run(n)), ask(&request, Context::new()), Verdict::ImplicitDeny)
    });
}

#[test]
fn variables_cost_by_their_number_and_length() {
    grows_in_line("many variables", 300, |n| {
        let text = allow(&format!("arn:aws:s3:::b/{}x", "${aws:username}*".repeat(n)));
        let request = format!("arn:aws:s3:::b/{}", "a".repeat(n * 20));
        decides(&text, ask(&request, name("aws:username", "aa")), Verdict::ImplicitDeny)
    });
    grows_in_line("a long value", 10_000, |n| {
        let text = allow("arn:aws:s3:::b/*${aws:username}*${aws:username}x");
        let request = format!("arn:aws:s3:::b/{}", "a".repeat(n * 3));
        decides(&text, ask(&request, name("aws:username", &"a".repeat(n))), Verdict::ImplicitDeny)
    });
    grows_in_line("variables that stand nowhere", 300, |n| {
        let text = allow(&format!("arn:aws:s3:::b/{}", "${x:Gone}".repeat(n)));
        decides(&text, ask("arn:aws:s3:::b/k", Context::new()), Verdict::ImplicitDeny)
    });
    grows_in_line("an ARN made of variables only", 300, |n| {
        let text = allow(&"${aws:username}*".repeat(n));
        let request = format!("arn:aws:s3:::b/{}", "a".repeat(n * 20));
        decides(&text, ask(&request, name("aws:username", ":")), Verdict::ImplicitDeny)
    });
}

#[test]
fn documents_are_read_and_compiled_in_line_with_their_size() {
    let statement = |n: usize| {
        format!(
            r#"{{"Sid":"s{n}","Effect":"Allow","Action":"s3:G{n}*","Resource":"arn:aws:s3:::b{n}/*"}}"#
        )
    };
    let statements = |n: usize| document(&(0..n).map(statement).collect::<Vec<_>>().join(","));
    grows_in_line("reading statements", 300, |n| {
        let text = statements(n);
        move || drop(black_box(parse(&text)))
    });
    grows_in_line("compiling statements", 300, |n| {
        let text = statements(n);
        move || drop(black_box(compile(&text)))
    });
    grows_in_line("printing statements", 300, |n| {
        let document = parse(&statements(n));
        move || drop(black_box(document.print()))
    });
    grows_in_line("explaining statements", 300, |n| {
        let identity = compile(&statements(n));
        let ask = ask("arn:aws:s3:::b/k", Context::new());
        move || {
            let sources = Sources { identity: &identity, ..Sources::default() };
            let mut recorder = FullRecord::new();
            decide(&ask, &sources, &mut recorder);
            drop(black_box(recorder.into_record(&ask, &sources)));
            drop(black_box(needs(&ask.action, Some(&ask.resource), &sources)));
        }
    });
    grows_in_line("faults", 1_000, |n| {
        let members: Vec<String> = (0..n).map(|n| format!(r#""m{n}":1"#)).collect();
        let text = format!("{{{}}}", members.join(","));
        move || drop(Document::parse(&text, Kind::Identity, Strictness::Stored).unwrap_err())
    });
    grows_in_line("escapes", 3_000, |n| {
        let text = when(&format!(r#""StringEquals":{{"x:Any":"{}"}}"#, "\\u00e9".repeat(n)));
        move || drop(black_box(parse(&text)))
    });
}

#[test]
fn values_cost_by_their_number() {
    let values = |n: usize| (0..n).map(|n| format!(r#""v{n}""#)).collect::<Vec<_>>().join(",");
    grows_in_line("values wanted", 1_000, |n| {
        let text = when(&format!(r#""StringEquals":{{"x:Any":[{}]}}"#, values(n)));
        decides(&text, ask("*", name("x:Any", "w")), Verdict::ImplicitDeny)
    });
    grows_in_line("values had", 1_000, |n| {
        let text =
            when(&format!(r#""ForAllValues:StringNotEquals":{{"aws:TagKeys":[{}]}}"#, values(50)));
        let mut context = Context::new();
        context.set_many("aws:TagKeys", (0..n).map(|n| format!("w{n}")), SetBy::Request);
        decides(&text, ask("*", context), Verdict::Allow)
    });
    grows_in_line("keys in the context", 1_000, |n| {
        let text = when(r#""StringEquals":{"x:K1":"1"}"#);
        move || {
            let mut context = Context::new();
            for n in 0..n {
                context.set(&format!("x:K{n}"), "1", SetBy::Request);
            }
            decides(&text, ask("*", context), Verdict::Allow)();
        }
    });
    grows_in_line("digits", 5_000, |n| {
        let text = when(r#""NumericEquals":{"x:Any":"1"}"#);
        decides(&text, ask("*", name("x:Any", &"1".repeat(n))), Verdict::ImplicitDeny)
    });
}

#[test]
fn depth_and_size_have_limits() {
    let refused = |text: &str| {
        Document::parse(text, Kind::Identity, Strictness::Stored).unwrap_err().diagnostics
    };
    // ATTACK: a tower of brackets that overflows the stack of a recursive reader.
    for tower in ["[", "{\"a\":", "{\"Statement\":["] {
        let text = tower.repeat(Document::MAX_CHARACTERS / tower.len());
        assert_eq!(refused(&text)[0].code, "json", "{tower}");
    }
    let long = allow(&format!("arn:aws:s3:::{}", "a".repeat(Document::MAX_CHARACTERS)));
    assert!(!refused(&long).is_empty());
    // Its twin, of the greatest length.
    let short = allow("arn:aws:s3:::");
    let most = Document::MAX_CHARACTERS - short.len();
    parse(&allow(&format!("arn:aws:s3:::{}", "a".repeat(most))));
}

#[test]
fn numbers_with_great_exponents_are_not_written_out() {
    // ATTACK: 1e2000000000 has two thousand million digits.
    let text = when(r#""NumericLessThan":{"x:Any":"1e2000000001"}"#);
    decides(&text, ask("*", name("x:Any", "1e2000000000")), Verdict::Allow)();
    decides(&text, ask("*", name("x:Any", "1e2000000002")), Verdict::ImplicitDeny)();
}
