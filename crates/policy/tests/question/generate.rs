//! Questions in which the awkward values are likely. Every list is short and drawn from the same few words,
//! so that patterns, conditions and requests meet often.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{AccountId, Arn, Choices, Principal, UniqueId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::vocabulary::*;
use super::{Case, Doc, Docs, Patterns, Principals, Statement, Values};

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
