//! Questions in which the awkward values are likely. Every list is short and drawn from the same few words,
//! so that patterns, conditions and requests meet often.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{AccountId, Arn, Choices, Principal, UniqueId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Case, Doc, Docs, Patterns, Principals, Statement, Values};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const USER: &str = "arn:aws:iam::111122223333:user/team/ann";
const ROLE: &str = "arn:aws:iam::111122223333:role/ops/deploy";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/run-1";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/bob";
const OIDC: &str = "arn:aws:iam::111122223333:oidc-provider/idp.example/p";
const SAML: &str = "arn:aws:iam::111122223333:saml-provider/corp";
const USER_ID: &str = "AIDAANNXXXXXXXXXXXXX";
const ROLE_ID: &str = "AROADEPLOYXXXXXXXXXX";

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:getobject",
    "s3:PutObject",
    "s3:GetObjectAcl",
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:TagSession",
    "iam:GetRole",
    "execute-api:Invoke",
];

const ACTION_PATTERNS: &[&str] = &[
    "*",
    "*",
    "*:*",
    "s3:*",
    "S3:get*",
    "s3:Get?bject",
    "s3:GetObject",
    "S3:PUTOBJECT",
    "s3:*Object*",
    "s3:*Acl",
    "s3:Get Object",
    "s3:GetObject,PutObject",
    "s3:",
    "*:GetObject",
    "*:Get*",
    "sts:*",
    "sts:AssumeRole",
    "sts:AssumeRole*",
    "sts:TagSession",
    "iam:G*t*R*e",
    "execute-api:*",
    "s3:??tObject",
];

const TRUST_ACTIONS: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRole*",
    "sts:*",
    "sts:TagSession",
    "STS:assumerolewithwebidentity",
    "sts:AssumeRoleWithSAML",
];

const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/ann/k:1",
    "arn:aws:s3:::b/a*c",
    "arn:aws:s3:::b/\u{1F600}",
    "arn:aws:s3:::b/l1\nl2",
    "arn:aws:s3:::b/",
    "arn:aws:iam::111122223333:role/ops/deploy",
    "arn:aws:sqs:eu-west-1:111122223333:queue",
    "arn:aws:sqs:eu-west-1:444455556666:queue:x",
];

const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/?",
    "arn:aws:s3:::b/??",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}*",
    "arn:aws:s3:::${x:Bucket, 'b'}/k",
    "arn:aws:s3:::b/a${*}c",
    "arn:aws:s3:::b/${aws:TagKeys}",
    "arn:aws:s3:::b/${?}",
    "arn:*:s3:::b*",
    "arn:aws:s3:*:*:b/*k*",
    "arn:aws:s3:*:*:b/${aws:username}/*",
    "arn:aws:s3",
    "arn:aws:s3:::",
    "arn:aws:s3:*",
    "arn:aws:sqs:eu-west-1",
    "arn:aws:sqs:eu-*",
    "arn:aws:sqs:${aws:RequestedRegion}:*:queue",
    "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:queue",
    "arn:aws:sqs:*:111122223333:*",
    "arn:aws:sqs:eu-west-?:*:q*e*",
    "${x:Arn}",
    "${x:Arn}*",
    "${x:Arn, '*'}",
    "arn:aws:${x:Tail}",
    "arn:aws:iam::*:role/${aws:PrincipalTag/team}",
    "arn:aws:iam::111122223333:role/*/deploy",
    "arn:aws:iam::111122223333:role/ops/deploy",
    "arn:aws:iam::*:role/*",
];

/// (key, values that a request may have, whether it may come as a list)
const KEYS: &[(&str, Kind)] = &[
    ("aws:username", Kind::Text),
    ("aws:PrincipalTag/team", Kind::Text),
    ("aws:PrincipalTag/Team", Kind::Text),
    ("AWS:principaltag/TEAM", Kind::Text),
    ("aws:ResourceTag/team", Kind::Text),
    ("aws:RequestedRegion", Kind::Text),
    ("aws:PrincipalAccount", Kind::Text),
    ("x:Bucket", Kind::Text),
    ("x:Any", Kind::Any),
    ("x:Arn", Kind::Arn),
    ("x:Tail", Kind::Text),
    ("aws:TagKeys", Kind::Text),
    ("aws:tagkeys", Kind::Text),
    ("sts:TransitiveTagKeys", Kind::Text),
    ("aws:CalledVia", Kind::Text),
    ("idp.example/p:amr", Kind::Text),
    ("idp.example/p:sub", Kind::Text),
    ("aws:MultiFactorAuthPresent", Kind::Bool),
    ("aws:SecureTransport", Kind::Bool),
    ("aws:MultiFactorAuthAge", Kind::Number),
    ("aws:CurrentTime", Kind::Date),
    ("aws:EpochTime", Kind::Date),
    ("aws:SourceIp", Kind::Ip),
    ("aws:PrincipalArn", Kind::Arn),
    ("aws:SourceArn", Kind::Arn),
    ("aws:FederatedProvider", Kind::Provider),
    ("x:Binary", Kind::Binary),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Bool,
    Number,
    Date,
    Ip,
    Arn,
    Binary,
    Provider,
    Any,
}

const TEXTS: &[&str] = &[
    "",
    "ann",
    "Ann",
    "ANN",
    "a",
    "b",
    "k",
    "*",
    "?",
    "a*c",
    "${aws:username}",
    "red",
    "reD",
    "\u{1F600}",
    "\u{1F601}",
    "stra\u{df}e",
    "STRASSE",
    "\u{130}",
    "i\u{307}",
    "\u{3c3}",
    "\u{3c2}",
    "\u{3a3}",
    "a\u{3a3}",
    "a\u{3c2}",
    "\u{212a}",
    "k",
    "a/b",
    "a:b",
    "eu-west-1",
    HOME,
    "ops/deploy",
    "s3:::b",
    "e\u{301}",
    "\u{e9}",
    "x y",
];
const TEXTS_WANTED: &[&str] = &[
    "",
    "ann",
    "Ann",
    "a",
    "b",
    "*",
    "?",
    "??",
    "a*",
    "*n*",
    "a?n",
    "a*c",
    "a${*}c",
    "${*}",
    "${?}",
    "${$}{aws:username}",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "${AWS:USERNAME}",
    "x${aws:username}",
    "${aws:username}*",
    "*${aws:username}",
    "${x:Nope}",
    "${x:Nope, 'ann'}",
    "${x:Nope, '*'}",
    "${aws:TagKeys}",
    "${aws:TagKeys, 'a'}",
    "${aws:username, 'Ann'}",
    "red",
    "RED",
    "\u{1F600}",
    "stra\u{df}e",
    "strasse",
    "i\u{307}",
    "\u{130}",
    "\u{3c3}",
    "A\u{3a3}",
    "\u{212a}",
    "K",
    "a/*",
    "a:*",
    "*:b",
    "eu-*",
    HOME,
    "e\u{301}",
    "\u{e9}",
    "*\u{1F600}",
    "${x:Any}",
    "a*a*b",
];
const BOOLS: &[&str] = &["true", "false", "True", "FALSE", "", "1", "yes"];
const BOOLS_WANTED: &[&str] = &["true", "false", "TRUE", "False"];
const NUMBERS: &[&str] = &[
    "1",
    "01",
    "+1",
    "1.0",
    "1e0",
    "10e-1",
    "-1",
    "-0",
    "0",
    "0.0",
    "2",
    "1.00000000000000000000001",
    "1e30",
    "1000000000000000000000000000000",
    "",
    "x",
    "1,0",
    " 1",
    "1e",
    ".5",
    "0.5",
    "5.",
    "0x1",
    "--1",
    "NaN",
    "-1e-3",
    "-0.001",
    "1e400",
    "99e-400",
];
const DATES: &[&str] = &[
    "2024",
    "2024-01",
    "2024-01-01",
    "2024-01-01T00:00Z",
    "2024-01-01T00:00:00Z",
    "2024-02-29",
    "2024-01-01T00:00:00.000Z",
    "2024-01-01T01:00:00+01:00",
    "2023-12-31T23:00:00-01:00",
    "1704067200",
    "2024-01-01T00:00:00.5Z",
    "2024-01-01T00:00:00.500999Z",
    "2023-02-29",
    "2024-13-01",
    "x",
    "",
    "2024-01-01T00:00:00",
    "2024-01-01T24:00:00Z",
    "20240101",
    "0",
    "1969-12-31T23:59:59Z",
    "-1",
    "2024-01-01t00:00z",
    "2024-1-1",
    "1704067200.5",
    "1900-03-01",
    "2000-02-29T12:30:45.123Z",
];
const IPS: &[&str] = &[
    "10.0.0.1",
    "10.0.0.255",
    "10.0.1.0",
    "010.000.000.001",
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "::1",
    "2001:db8::1",
    "2001:DB8:0:0::1",
    "2001:db8:1::",
    "x",
    "",
    "10.0.0",
    "10.0.0.1/32",
    "256.0.0.1",
    "::",
    "0.0.0.0",
    "10.0.0.1 ",
    "::10.0.0.1",
];
const IPS_WANTED: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/24",
    "10.0.0.9/24",
    "0.0.0.0/0",
    "010.0.0.0/08",
    "10.0.0.1/32",
    "2001:db8::/32",
    "2001:db8::1/32",
    "2001:db8::1",
    "::/0",
    "::1/128",
    "x",
    "10.0.0.0/33",
    "2001:db8::/129",
    "10.0.0/8",
    "::ffff:10.0.0.0/120",
    "::ffff:10.0.0.1",
    "10.0.0.0/",
    "10.0.0.0/024",
];
const ARNS: &[&str] = &[
    USER,
    ROLE,
    SESSION,
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/a*c",
    "arn:aws:iam::1:user/a:role/x",
    "arn:aws:sns:eu-west-1:111122223333:t",
    "",
    "x",
    "arn:aws:s3",
    "a:b:c:d:e:f",
    "arn:aws:s3:::",
    "*",
    "arn:aws:iam::111122223333:role/ops/deploy:v",
    "s3:::b",
];
const ARNS_WANTED: &[&str] = &[
    USER,
    ROLE,
    SESSION,
    "*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::*:user/*",
    "arn:aws:s3:::b*",
    "arn:aws:s3:::*",
    "arn:*:*:*:*:*",
    "arn:aws:s3",
    "arn:aws:*",
    "x",
    "",
    "a:b:c:d:e:f",
    "arn:aws:iam::1:role/x",
    "arn:aws:iam::*:role/x",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:s3:::${x:Bucket}",
    "${x:Arn}",
    "arn:aws:${x:Tail}",
    "arn:aws:iam::${aws:PrincipalAccount}:user/*",
    "arn:aws:sns:*:??????????33:t",
    "arn:aws:s3:::b/a${*}c",
    "*:aws:s3:::b",
    "ARN:aws:s3:::b",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:s3:::${x:Nope}",
];
const BINARIES: &[&str] =
    &["", "YQ==", "YWI=", "YWJj", "YQ", "Y=Q=", "YR==", "*", "YQ==\n", "ICAg", "===="];
const BINARIES_WANTED: &[&str] = &["", "YQ==", "YWI=", "YWJj", "ICAg"];
const PROVIDERS: &[&str] = &[OIDC, SAML, "accounts.google.com", "x", ""];

impl Kind {
    fn had(self) -> BoxedStrategy<String> {
        let list = match self {
            Self::Text => TEXTS,
            Self::Bool => BOOLS,
            Self::Number => NUMBERS,
            Self::Date => DATES,
            Self::Ip => IPS,
            Self::Arn => ARNS,
            Self::Binary => BINARIES,
            Self::Provider => PROVIDERS,
            Self::Any => {
                return select(vec![TEXTS, BOOLS, NUMBERS, DATES, IPS, ARNS, BINARIES])
                    .prop_flat_map(words)
                    .boxed();
            }
        };
        words(list).boxed()
    }
}

fn words(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(list).prop_map(str::to_owned)
}

const FAMILIES: &[(&[&str], Kind)] = &[
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        Kind::Text,
    ),
    (&["Bool"], Kind::Bool),
    (&["Null"], Kind::Bool),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        Kind::Number,
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        Kind::Date,
    ),
    (&["IpAddress", "NotIpAddress"], Kind::Ip),
    (&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"], Kind::Arn),
    (&["BinaryEquals"], Kind::Binary),
];

/// One line of a condition: ((operator, key), values).
fn line() -> impl Strategy<Value = ((String, String), Vec<String>)> {
    let family = prop_oneof![4 => Just(0_usize), 8 => 1..FAMILIES.len()];
    family.prop_flat_map(|family| {
        let (operators, kind) = FAMILIES[family];
        let wanted = match kind {
            Kind::Bool => BOOLS_WANTED,
            Kind::Number => NUMBERS,
            Kind::Date => DATES,
            Kind::Ip => IPS_WANTED,
            Kind::Arn => ARNS_WANTED,
            Kind::Binary => BINARIES_WANTED,
            _ => TEXTS_WANTED,
        };
        let own: Vec<&str> = KEYS
            .iter()
            .filter(|(_, k)| *k == kind || *k == Kind::Any)
            .map(|(key, _)| *key)
            .collect();
        let all: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        let key = prop_oneof![3 => select(own), 1 => select(all)];
        let prefix = prop_oneof![
            4 => Just(""), 1 => Just("ForAllValues:"), 1 => Just("ForAnyValue:")
        ];
        let suffix = prop_oneof![3 => Just(""), 1 => Just("IfExists")];
        let values = vec(words(wanted), 1..4);
        (prefix, select(operators), suffix, key, values).prop_map(
            |(prefix, operator, suffix, key, values)| {
                let decorated = format!("{prefix}{operator}{suffix}");
                let operator = if operator == "Null" { "Null".to_owned() } else { decorated };
                ((operator, key.to_owned()), values)
            },
        )
    })
}

fn conditions() -> impl Strategy<Value = BTreeMap<(String, String), Vec<String>>> {
    let lines = prop_oneof![3 => 0_usize..2, 1 => 2_usize..4];
    lines.prop_flat_map(|count| vec(line(), count)).prop_map(|lines| lines.into_iter().collect())
}

fn patterns(list: &'static [&'static str], negatable: bool) -> impl Strategy<Value = Patterns> {
    let negated = if negatable {
        prop_oneof![5 => Just(false), 1 => Just(true)].boxed()
    } else {
        Just(false).boxed()
    };
    (negated, vec(words(list), 1..4)).prop_map(|(negated, list)| Patterns { negated, list })
}

const AWS: &[&str] = &[
    "*",
    HOME,
    AWAY,
    USER,
    ROLE,
    SESSION,
    FEDERATED,
    USER_ID,
    ROLE_ID,
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::111122223333:user/other",
    "arn:aws:iam::111122223333:role/deploy",
    "arn:aws:sts::111122223333:assumed-role/deploy/run-2",
];
const SERVICES: &[&str] = &["ec2.amazonaws.com", "lambda.amazonaws.com"];

fn principals(trust: bool) -> impl Strategy<Value = Principals> {
    let member = prop_oneof![
        6 => (Just("AWS"), vec(words(AWS), 1..5)),
        2 => (Just("Federated"), vec(words(&PROVIDERS[..3]), 1..2)),
        1 => (Just("Service"), vec(words(SERVICES), 1..3)),
    ];
    let members = if trust { 1_usize } else { 0 };
    let negated = prop_oneof![4 => Just(false), 1 => Just(!trust)];
    (negated, vec(member, members..3)).prop_map(|(negated, members)| Principals {
        negated,
        members: members.into_iter().collect(),
    })
}

/// The grammar of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    Caller,
    Scp,
    Rcp,
    Resource,
    Trust,
}

pub fn statement(layer: Layer) -> impl Strategy<Value = Statement> {
    let effect = match layer {
        Layer::Rcp => prop_oneof![1 => Just("Deny"), 2 => Just("Allow")].boxed(),
        _ => prop_oneof![1 => Just("Deny"), 3 => Just("Allow")].boxed(),
    };
    let action = match layer {
        Layer::Trust => patterns(TRUST_ACTIONS, false).boxed(),
        Layer::Rcp => patterns(&ACTION_PATTERNS[3..], false).boxed(),
        _ => patterns(ACTION_PATTERNS, true).boxed(),
    };
    let resource = match layer {
        Layer::Trust => Just(None).boxed(),
        _ => patterns(RESOURCE_PATTERNS, true).prop_map(Some).boxed(),
    };
    let principal = match layer {
        Layer::Caller | Layer::Scp => Just(None).boxed(),
        Layer::Rcp => Just(Some(Principals { negated: false, members: BTreeMap::new() })).boxed(),
        Layer::Resource => principals(false).prop_map(Some).boxed(),
        Layer::Trust => principals(true).prop_map(Some).boxed(),
    };
    (effect, principal, action, resource, conditions()).prop_map(
        |(effect, principal, action, resource, conditions)| Statement {
            effect,
            principal,
            action,
            resource,
            conditions,
        },
    )
}

/// `Allow` everything, so that what is interesting elsewhere is not always drowned.
fn open(layer: Layer) -> Statement {
    let list = |text: &str| Patterns { negated: false, list: vec![text.to_owned()] };
    let everyone = Principals { negated: false, members: BTreeMap::new() };
    let signed =
        Principals { negated: false, members: BTreeMap::from([("AWS", vec!["*".to_owned()])]) };
    Statement {
        effect: "Allow",
        principal: match layer {
            Layer::Caller | Layer::Scp => None,
            Layer::Trust => Some(signed),
            Layer::Resource | Layer::Rcp => Some(everyone),
        },
        action: list(match layer {
            Layer::Trust => "sts:*",
            Layer::Rcp => "s3:*",
            _ => "*",
        }),
        resource: (layer != Layer::Trust).then(|| list("*")),
        conditions: BTreeMap::new(),
    }
}

pub fn doc(layer: Layer) -> impl Strategy<Value = Doc> {
    let version =
        prop_oneof![4 => Just(Some("2012-10-17")), 1 => Just(Some("2008-10-17")), 1 => Just(None)];
    let one = prop_oneof![5 => statement(layer), 1 => Just(open(layer))];
    (version, vec(one, 1..4)).prop_map(move |(version, statements)| Doc {
        version,
        statements: statements.into_iter().map(|s| fit(s, layer, version)).collect(),
    })
}

/// Mends what this layer's grammar would refuse.
fn fit(mut statement: Statement, layer: Layer, version: Option<&str>) -> Statement {
    let variables = version == Some("2012-10-17");
    if let Some(resource) = &mut statement.resource {
        resource.negated &= layer != Layer::Rcp;
        // In 2008 a resource cannot be a bare variable; in an RCP it must have six parts.
        let fits = |text: &String| {
            let bare = !variables && text.starts_with("${");
            let short = text.split(':').count() < 6 && text != "*";
            !(bare || (short && layer == Layer::Rcp))
        };
        resource.list.retain(fits);
        if resource.list.is_empty() {
            resource.list.push("*".to_owned());
        }
    }
    if layer == Layer::Rcp {
        statement.action.list.retain(|text| !text.starts_with('*'));
        if statement.action.list.is_empty() {
            statement.action.list.push("s3:*".to_owned());
        }
    }
    statement
}

pub fn docs(layer: Layer) -> impl Strategy<Value = Docs> {
    prop_oneof![6 => vec(doc(layer), 1..2), 1 => vec(doc(layer), 0..4)]
}

fn levels(layer: Layer) -> impl Strategy<Value = Option<Vec<Docs>>> {
    let easy = Doc { version: None, statements: vec![open(layer)] };
    let level = (docs(layer), prop::bool::weighted(0.7)).prop_map(move |(mut docs, eased)| {
        docs.extend(eased.then(|| easy.clone()));
        docs
    });
    option::weighted(0.15, vec(level, 0..3))
}

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

pub fn principal() -> impl Strategy<Value = Principal> {
    let home = account(HOME);
    let user = Principal::User { arn: arn(USER), id: UniqueId::new(USER_ID), account: home };
    let session = Principal::RoleSession {
        role_arn: arn(ROLE),
        role_id: UniqueId::new(ROLE_ID),
        session_arn: arn(SESSION),
        account: home,
    };
    let federated = Principal::FederatedUser {
        arn: arn(FEDERATED),
        user_arn: arn(USER),
        user_id: UniqueId::new(USER_ID),
        account: home,
    };
    let web = Principal::WebIdentity { provider: Arc::from(OIDC), account: home };
    let saml = Principal::Saml { provider: arn(SAML), account: home };
    let service = Principal::Service { name: Arc::from("ec2.amazonaws.com") };
    prop_oneof![
        6 => Just(session),
        5 => Just(user),
        3 => Just(federated),
        2 => Just(web),
        1 => Just(saml),
        1 => Just(service),
        1 => Just(Principal::Root { account: home }),
        1 => Just(Principal::Anonymous),
    ]
}

pub fn context() -> impl Strategy<Value = BTreeMap<String, Values>> {
    let entry = select(KEYS).prop_flat_map(|(key, kind)| {
        let invented = key.starts_with("x:");
        let multivalued = ["TagKeys", "tagkeys", "CalledVia", ":amr"];
        let often = if multivalued.iter().any(|m| key.contains(m)) { 8 } else { 1 };
        let value = prop_oneof![
            5 => kind.had().prop_map(Values::One),
            often => vec(kind.had(), 0..4).prop_map(Values::Many),
            u32::from(invented) => vec(kind.had(), 0..3).prop_map(Values::Many),
        ];
        (Just(key.to_owned()), value)
    });
    let one_casing = |entries: Vec<(String, Values)>| {
        // A request has one value per key, in whatever casing.
        let mut seen = BTreeMap::new();
        for (key, values) in entries {
            seen.insert(key.to_lowercase(), (key, values));
        }
        seen.into_values().collect::<BTreeMap<_, _>>()
    };
    vec(entry, 0..10).prop_map(one_casing)
}

fn choices() -> impl Strategy<Value = Choices> {
    let turned = any::<[bool; 9]>().prop_map(|b| Choices {
        exact_grant_bypasses_narrowing: b[0],
        star_trust_matches_federation: b[1],
        star_trust_suffices_in_account: b[2],
        star_colon_star_is_all: b[3],
        for_any_if_exists_true_when_missing: b[4],
        empty_value_is_missing: b[5],
        unreadable_number_is_not_equal: b[6],
        account_grant_suffices: b[7],
        provider_grant_outside_trust: b[8],
    });
    prop_oneof![4 => Just(Choices::CHOSEN), 1 => turned]
}

fn layered() -> impl Strategy<Value = Case> {
    let owner = prop_oneof![
        3 => Just(Some(account(HOME))), 1 => Just(Some(account(AWAY))), 1 => Just(None)
    ];
    let question = (principal(), words(ACTIONS), words(RESOURCES), owner, context(), choices());
    let caller = (
        vec(docs(Layer::Caller), 0..3),
        option::weighted(0.3, docs(Layer::Caller)),
        option::weighted(0.3, vec(docs(Layer::Caller), 0..3)),
    );
    let resource = prop_oneof![
        4 => Just((None, false)),
        4 => docs(Layer::Resource).prop_map(|docs| (Some(docs), false)),
        3 => docs(Layer::Trust).prop_map(|docs| (Some(docs), true)),
    ];
    let endpoint = option::weighted(0.1, docs(Layer::Resource));
    let outside = (levels(Layer::Scp), levels(Layer::Rcp), endpoint, resource, any::<bool>());
    (question, caller, outside).prop_map(|(question, caller, outside)| {
        let (principal, mut action, mut resource, resource_account, context, choices) = question;
        let (identity, boundary, session) = caller;
        let (scps, rcps, endpoint, (resource_policy, trust), required) = outside;
        // A trust policy is asked about assuming its role.
        if trust {
            ROLE.clone_into(&mut resource);
            if !action.starts_with("sts:") {
                action = "sts:AssumeRole".to_owned();
            }
        }
        Case {
            principal,
            action,
            resource,
            resource_account,
            requires_resource_policy: trust || (required && resource_policy.is_some()),
            context,
            choices,
            scps,
            rcps,
            endpoint,
            trust,
            resource_policy,
            identity,
            boundary,
            session,
        }
    })
}

/// One statement, of which one element alone decides the answer.
fn focused() -> impl Strategy<Value = Case> {
    let of = |layer: Layer, part: u8| {
        (statement(layer), vec(line(), 1..4)).prop_map(move |(random, lines)| {
            let mut statement = open(layer);
            statement.effect = random.effect;
            match part {
                0 => statement.action = random.action,
                1 => statement.resource = random.resource,
                2 => statement.principal = random.principal,
                _ => statement.conditions = lines.into_iter().collect(),
            }
            statement
        })
    };
    let caller = prop_oneof![
        1 => of(Layer::Caller, 0), 4 => of(Layer::Caller, 1), 8 => of(Layer::Caller, 3)
    ];
    let side = prop_oneof![
        4 => caller.prop_map(|s| (Layer::Caller, s)),
        2 => of(Layer::Resource, 2).prop_map(|s| (Layer::Resource, s)),
        1 => of(Layer::Resource, 1).prop_map(|s| (Layer::Resource, s)),
        1 => of(Layer::Trust, 2).prop_map(|s| (Layer::Trust, s)),
        1 => of(Layer::Scp, 1).prop_map(|s| (Layer::Scp, s)),
        1 => of(Layer::Rcp, 1).prop_map(|s| (Layer::Rcp, s)),
    ];
    let version = prop_oneof![5 => Just(Some("2012-10-17")), 1 => Just(None)];
    let question = (principal(), words(ACTIONS), words(RESOURCES), context(), choices());
    (question, side, version).prop_map(|(question, (layer, statement), version)| {
        let (principal, action, resource, context, choices) = question;
        let statement = fit(statement, layer, version);
        let deny = statement.effect == "Deny";
        let docs = |layer: Layer| {
            let mut statements = vec![statement.clone()];
            statements.extend(deny.then(|| open(layer)));
            vec![Doc { version, statements }]
        };
        let free = || vec![Doc { version, statements: vec![open(Layer::Caller)] }];
        let mut case = Case {
            principal,
            action: if layer == Layer::Trust { "sts:AssumeRole".to_owned() } else { action },
            resource,
            resource_account: Some(account(HOME)),
            requires_resource_policy: layer == Layer::Trust,
            context,
            choices,
            scps: None,
            rcps: None,
            endpoint: None,
            trust: layer == Layer::Trust,
            resource_policy: None,
            identity: vec![free()],
            boundary: None,
            session: Some(vec![free()]),
        };
        match layer {
            Layer::Caller => case.identity = vec![docs(layer)],
            Layer::Resource | Layer::Trust => {
                (case.identity, case.resource_policy) = (Vec::new(), Some(docs(layer)));
            }
            Layer::Scp => case.scps = Some(vec![docs(layer)]),
            Layer::Rcp => case.rcps = Some(vec![docs(layer)]),
        }
        case
    })
}

/// Any question.
pub fn case() -> impl Strategy<Value = Case> {
    prop_oneof![layered(), focused()]
}

/// Whether a statement can stand in a document of 2012 only: a bare variable as resource.
pub fn is_of_2012(statement: &Statement) -> bool {
    let lists = statement.resource.iter().flat_map(|patterns| &patterns.list);
    lists.into_iter().any(|text| text.starts_with("${"))
}
