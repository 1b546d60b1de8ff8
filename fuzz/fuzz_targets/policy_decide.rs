//! One policy, one question: the engine says what the reference interpreter says, and the
//! recorder what the decision says.
//!
//! Input, by lines: two digits for kind of policy and principal; action; resource; condition keys,
//! each as the letter of its name, `=` or `+` (one value, or one more of a list) and the value; an
//! empty line; the document.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use policy::{
    AccountId, Ask, Choices, Compiled, Context, Document, FullRecord, Kind, Named, NoRecord,
    PolicyId, PolicyKind, SetBy, Sources, Strictness, decide, needs,
};

#[path = "../../crates/policy/tests/reference/interpreter.rs"]
mod reference;

use reference::{Had, Keys, Layers, Policy, Question};

const PRINCIPALS: [&str; 8] = [
    "user/team/ann",
    "role/ops/deploy:run-1",
    "federated/bob:team/ann",
    "root",
    "anonymous",
    "service:ec2.amazonaws.com",
    "oidc:arn:aws:iam::111122223333:oidc-provider/idp.example/p",
    "saml:arn:aws:iam::111122223333:saml-provider/corp",
];

const KINDS: [Kind; 5] = [Kind::Identity, Kind::Session, Kind::Trust, Kind::Resource, Kind::Rcp];

/// Keys of which both implementations know what they are.
const KEYS: [&str; 16] = [
    "aws:username",
    "aws:PrincipalTag/team",
    "aws:ResourceTag/team",
    "aws:RequestTag/team",
    "aws:TagKeys",
    "aws:CalledVia",
    "sts:TransitiveTagKeys",
    "aws:SourceIp",
    "aws:CurrentTime",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalArn",
    "aws:FederatedProvider",
    "idp.example/p:sub",
    "idp.example/p:amr",
    "x:Any",
];

fn pick<T: Copy>(list: &[T], byte: u8) -> T {
    list[usize::from(byte.wrapping_sub(b'0')) % list.len()]
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let Some([kind, principal]) = lines.next().map(str::as_bytes).and_then(|l| l.get(..2)) else {
        return;
    };
    let (kind, principal) = (pick(&KINDS, *kind), pick(&PRINCIPALS, *principal));
    let (Some(action), Some(resource)) = (lines.next(), lines.next()) else { return };
    let mut keys = Keys::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_at_checked(1) else { return };
        let Some((sign, value)) = value.split_at_checked(1) else { return };
        let key = KEYS[usize::from(name.as_bytes()[0]) % KEYS.len()].to_lowercase();
        let list = sign == "+";
        let had = keys.entry(key).or_insert(Had { values: Vec::new(), list });
        if list != had.list {
            return;
        }
        if !list {
            had.values.clear();
        }
        had.values.push(value.to_owned());
    }
    let document: Vec<&str> = lines.collect();
    let text = document.join("\n");
    let Ok(document) = Document::parse(&text, kind, Strictness::Session) else { return };

    let principal = policy::case::principal(principal).unwrap();
    let account = AccountId::parse("111122223333").unwrap();
    let mut context = Context::new();
    for (key, had) in &keys {
        match &had.values[..] {
            [one] if !had.list => context.set(key, one, SetBy::Request),
            many => context.set_many(key, many, SetBy::Request),
        };
    }
    let mut ask = Ask::new(principal.clone(), action, resource).with_context(context);
    ask.resource_account = Some(account);
    let named = Named::new(PolicyId::new("p", PolicyKind::Inline), Arc::new(document));
    let set = Arc::new(Compiled::new([named]));
    let one = [Arc::clone(&set)];
    let mut sources = Sources::default();
    match kind {
        Kind::Identity => sources.identity = &one,
        Kind::Rcp => sources.rcps = Some(&one),
        Kind::Session => (sources.identity, sources.session) = (&one[..], Some(&one[..])),
        _ => sources.resource = Some(&set),
    }

    let quiet = decide(&ask, &sources, &mut NoRecord);
    let mut recorder = FullRecord::new();
    assert_eq!(decide(&ask, &sources, &mut recorder), quiet);
    assert_eq!(recorder.into_record(&ask, &sources).unwrap().decision, quiet);
    let needed = needs(&ask.action, Some(&ask.resource), &sources);
    let mut fewer = ask.clone();
    for key in keys.keys().filter(|key| !needed.mentions(key)) {
        fewer.context.remove(key);
    }
    assert_eq!(decide(&fewer, &sources, &mut NoRecord), quiet);

    // The reference writes numbers out digit by digit and knows only some keys.
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    if !is_plain(&text) || keys.values().any(|had| !had.values.iter().all(|v| is_plain(v))) {
        return;
    }
    let policy = || vec![Policy { name: "p".to_owned(), kind, json: json.clone() }];
    let mut layers = Layers::default();
    match kind {
        Kind::Identity => layers.identity = vec![policy()],
        Kind::Rcp => layers.rcps = Some(vec![policy()]),
        Kind::Session => {
            (layers.identity, layers.session) = (vec![policy()], Some(vec![policy()]));
        }
        _ => layers.resource = Some(policy()),
    }
    let answer = Question {
        principal: &principal,
        action,
        resource,
        resource_account: Some(account),
        requires_resource_policy: false,
        keys: &keys,
        choices: Choices::CHOSEN,
        layers: &layers,
    }
    .decide();
    let determining: BTreeMap<_, _> =
        quiet.determining.iter().map(|id| (id.index as usize, ())).collect();
    let wanted: BTreeMap<_, _> = answer.determining.iter().map(|(_, n)| (*n, ())).collect();
    assert_eq!((quiet.verdict, quiet.layer, determining), (answer.verdict, answer.layer, wanted));
});

/// Without exponents that would take for ever to write out, JSON numbers that `serde_json` spells
/// anew, or multivalued keys and claims that only the engine's catalogue knows.
fn is_plain(text: &str) -> bool {
    let lower = text.to_lowercase();
    let long_exponent = lower.as_bytes().windows(5).any(|w| {
        let digits = |b: &[u8]| b.iter().all(u8::is_ascii_digit);
        w[0] == b'e' && (digits(&w[1..]) || (matches!(w[1], b'+' | b'-') && digits(&w[2..])))
    });
    let unknown = ["saml:", "orgpaths", "list", "keys", "sts:r", "sts:i", "://", "s3:r", "\\u"];
    let known = lower.replace("aws:tagkeys", "").replace("sts:transitivetagkeys", "");
    !long_exponent && text.len() < 1_000 && !unknown.iter().any(|word| known.contains(word))
}
