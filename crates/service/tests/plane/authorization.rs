//! Is every action asked about what AWS asks about? Each action of the registry, by its smallest input
//! and by a fuller one, is called by somebody who gets leave for one ask after the other; each denial
//! tells the ask with its whole context. What comes together is `corpus/iam/asks.txt`, and it is held
//! against AWS's Service Authorization Reference (`corpus/iam/authorization.json`): actions, resources and
//! condition keys. Differences have a reason in `corpus/iam/exceptions.json`, or fail.

use std::collections::{BTreeMap, BTreeSet};

use policy::key::ValueType;
use serde::Deserialize;
use serde_json::{Value, json};
use service::action::{Effect, Entry, Proof};
use service::registry::{APIS, Api};

use crate::registry::{Minimal, corpus_root, minimal};
use crate::saml;
use crate::scene::Scene;
use crate::support::{HOME, Issuer, Reply, trusts};

const HEAD: &str = "# action called | action asked | resource | keys beside the global ones\n";
/// Keys that every signed ask has, whatever it is about.
const GLOBAL: [&str; 12] = [
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:ViaAWSService",
    "aws:userid",
];
/// And those that only some have, of AWS's global ones.
const OTHER_GLOBAL: [&str; 6] = [
    "aws:FederatedProvider",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:username",
];
/// Where a key's value stands in the input, if the input names it.
const FROM_INPUT: [(&str, &str); 16] = [
    ("iam:AWSServiceName", "AWSServiceName"),
    ("iam:PermissionsBoundary", "PermissionsBoundary"),
    ("iam:PolicyARN", "PolicyArn"),
    ("iam:ServiceSpecificCredentialAgeDays", "CredentialAgeDays"),
    ("iam:ServiceSpecificCredentialServiceName", "ServiceName"),
    ("organizations:PolicyType", "PolicyType"),
    ("organizations:PolicyType", "Filter"),
    ("organizations:PolicyType", "Type"),
    ("organizations:ServicePrincipal", "ServicePrincipal"),
    ("sts:DurationSeconds", "DurationSeconds"),
    ("sts:ExternalId", "ExternalId"),
    ("sts:IdentityTokenAudience", "Audience"),
    ("sts:RoleSessionName", "RoleSessionName"),
    ("sts:SigningAlgorithm", "SigningAlgorithm"),
    ("sts:SourceIdentity", "SourceIdentity"),
    ("sts:TransitiveTagKeys", "TransitiveTagKeys"),
];

/// AWS's reference for one service.
#[derive(Deserialize)]
struct Reference {
    /// Types of values, by key.
    keys: BTreeMap<String, String>,
    resources: BTreeMap<String, ResourceType>,
    actions: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct ResourceType {
    arn: String,
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    depends: Vec<String>,
}

/// Why the product differs from the reference: of `not_set`, keys of the reference that no ask has; of
/// `set`, keys that it does not know; of `resources`, those that are of none of the action's types, or
/// types that are not asked about; of `depends`, actions that are asked beside the called one, or are not.
#[derive(Deserialize)]
struct Exception {
    actions: Vec<String>,
    names: Vec<String>,
    why: String,
}

/// One ask, as a denial tells it.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    action: String,
    resource: String,
    keys: BTreeMap<String, Vec<String>>,
}

fn references() -> BTreeMap<String, Reference> {
    let mut all: BTreeMap<String, Value> = read("iam/authorization.json");
    all.remove("source");
    all.into_iter().map(|(name, it)| (name, serde_json::from_value(it).unwrap())).collect()
}

type Input = Vec<(String, String)>;

/// All asks of an action, by input.
type Asks = Vec<(Input, Vec<Asked>)>;

#[tokio::test]
async fn every_action_asks_what_aws_asks() {
    let references = references();
    let mut judge =
        Judge { exceptions: read("iam/exceptions.json"), used: BTreeSet::new(), wrong: Vec::new() };
    let mut text = HEAD.to_owned();
    for (api, entry, calls, shown) in everything(&Issuer::new("idp.test")).await {
        text.push_str(&shown);
        judge.action(&references, &format!("{}:{}", api.name, entry.name), &calls);
    }
    for (kind, list) in &judge.exceptions {
        for (at, it) in
            list.iter().enumerate().filter(|(at, _)| !judge.used.contains(&(kind.clone(), *at)))
        {
            judge.wrong.push(format!("{kind} {at} excepts nothing: {}", it.why));
        }
    }
    assert!(judge.wrong.is_empty(), "{}:\n{}", judge.wrong.len(), judge.wrong.join("\n"));
    let written = std::fs::read_to_string(corpus_root().join("iam/asks.txt")).unwrap();
    let (now, then): (BTreeSet<&str>, BTreeSet<&str>) =
        (text.lines().collect(), written.lines().collect());
    let differ: Vec<_> = now.symmetric_difference(&then).collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn every_key_of_the_reference_is_known_with_its_type() {
    let mut wrong = Vec::new();
    for (name, kind) in references().into_values().flat_map(|it| it.keys) {
        let (type_, many) = match kind.strip_prefix("ArrayOf") {
            Some(one) => (one, true),
            None => (kind.as_str(), false),
        };
        let fact = policy::key::fact(&glob(&name)).map(|it| (it.value_type, it.multivalued));
        let claim = policy::key::claim(&name).map(|it| (it.value_type, it.multivalued));
        let fits = fact.or(claim).is_some_and(|(had, had_many)| {
            // The reference calls some ARNs texts, and `amr` one text.
            let type_fits = match type_ {
                "String" => matches!(had, ValueType::String | ValueType::Arn),
                "ARN" => had == ValueType::Arn,
                "Numeric" => had == ValueType::Numeric,
                other => panic!("{name} is {other}"),
            };
            type_fits && (had_many == many || name.ends_with(":amr"))
        });
        if !fits {
            wrong.push(format!("{name} is {kind}, not {fact:?} or {claim:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is asked, held against the reference.
struct Judge {
    exceptions: BTreeMap<String, Vec<Exception>>,
    /// Exceptions that something needed.
    used: BTreeSet<(String, usize)>,
    wrong: Vec<String>,
}

impl Judge {
    fn action(&mut self, references: &BTreeMap<String, Reference>, called: &str, calls: &Asks) {
        let others: BTreeSet<&str> =
            all(calls).map(|it| it.action.as_str()).filter(|it| *it != called).collect();
        let Some(row) = row_of(references, called) else {
            self.wrong.push(format!("{called} is not in the reference"));
            return;
        };
        for name in others.iter().filter(|name| !row.depends.iter().any(|it| it == *name)) {
            self.unless_excepted("depends", called, name, "is asked too");
        }
        for name in row.depends.iter().filter(|it| !others.contains(it.as_str())) {
            self.unless_excepted("depends", called, name, "is not asked");
        }
        for asked in std::iter::once(called).chain(others) {
            let reference = &references[asked.split_once(':').unwrap().0];
            let row = row_of(references, asked)
                .unwrap_or_else(|| panic!("{asked} is not in the reference"));
            self.asks(called, asked, reference, row, calls);
        }
    }

    /// All asks of one action, when another or the same was called.
    fn asks(&mut self, called: &str, asked: &str, reference: &Reference, row: &Row, calls: &Asks) {
        let asks: Vec<&Asked> = all(calls).filter(|it| it.action == asked).collect();
        let types: Vec<(&ResourceType, bool)> = row
            .resources
            .iter()
            .map(|it| (&reference.resources[it.trim_end_matches('*')], it.ends_with('*')))
            .collect();
        for Asked { resource, .. } in &asks {
            let fits = match types.is_empty() {
                true => resource == "*",
                false => types.iter().any(|(it, _)| like(&glob(&it.arn), resource)),
            };
            if !fits {
                self.unless_excepted("resources", called, resource, "is asked about");
            }
        }
        for (it, _) in types.iter().filter(|(_, required)| *required) {
            if !asks.iter().any(|ask| like(&glob(&it.arn), &ask.resource)) {
                self.unless_excepted("resources", called, &it.arn, "is not asked about");
            }
        }
        let known = row.keys.iter().chain(types.iter().flat_map(|(it, _)| &it.keys));
        let known: BTreeSet<String> = known.map(|key| glob(key)).collect();
        let seen: BTreeSet<&str> =
            asks.iter().flat_map(|it| it.keys.keys()).map(String::as_str).collect();
        for key in known.iter().filter(|key| !seen.iter().any(|it| like(key, it))) {
            self.unless_excepted("not_set", called, &format!("{asked} {key}"), "is never set");
        }
        for key in seen.iter().filter(|it| !known.iter().any(|key| like(key, it))) {
            self.unless_excepted("set", called, &format!("{asked} {key}"), "is set");
        }
        for (input, asks) in calls {
            let own = asks.iter().filter(|it| it.action == asked);
            self.wrong.extend(
                own.flat_map(|it| values(input, it, &known)).map(|it| format!("{called}: {it}")),
            );
        }
    }

    fn unless_excepted(&mut self, kind: &str, called: &str, name: &str, says: &str) {
        let fits = |it: &Exception| {
            it.actions.iter().any(|glob| like(glob, called))
                && it.names.iter().any(|glob| like(glob, name))
        };
        match self.exceptions[kind].iter().position(fits) {
            Some(at) => drop(self.used.insert((kind.to_owned(), at))),
            None => self.wrong.push(format!("{called}: {name} {says}")),
        }
    }
}

fn row_of<'r>(references: &'r BTreeMap<String, Reference>, action: &str) -> Option<&'r Row> {
    let (service, name) = action.split_once(':').unwrap();
    references[service].actions.get(name)
}

#[tokio::test]
#[ignore = "writes corpus/iam/asks.txt"]
async fn write_the_asks() {
    let mut text = HEAD.to_owned();
    for (.., shown) in everything(&Issuer::new("idp.test")).await {
        text.push_str(&shown);
    }
    std::fs::write(corpus_root().join("iam/asks.txt"), text).unwrap();
}

/// Every action with its asks, and their lines.
async fn everything(idp: &Issuer) -> Vec<(&'static Api, &'static Entry, Asks, String)> {
    let (smallest, fuller) = (minimal(), read::<Minimal>("wire/fuller.json"));
    let shared = Scene::whole(idp).await;
    let mut found = Vec::new();
    for &api in APIS {
        let entries: BTreeMap<_, _> = api.entries().map(|entry| (entry.name, entry)).collect();
        for (action, entry) in entries {
            // Only what succeeds may change the scene.
            let own = match entry.effect {
                Effect::Write => Some(Scene::of(idp, action).await),
                Effect::Read | Effect::Issue => None,
            };
            let scene = own.as_ref().unwrap_or(&shared);
            let small = &smallest[api.name][action];
            let full = fuller[api.name].get(action).cloned().unwrap_or_else(|| {
                let full = |it: &String| it.replace("bare", "full");
                small.iter().map(|(name, it)| (name.clone(), full(it))).collect()
            });
            let mut inputs = vec![scene.fill(small)];
            inputs.extend(Some(scene.fill(&full)).filter(|it| *it != inputs[0]));
            let mut asks = Asks::new();
            // The fuller one first: the smallest one has the scene that it was made for last.
            for input in inputs.into_iter().rev() {
                let asked = match entry.proof {
                    Proof::Signature => signed(scene, api, action, &input).await,
                    Proof::Token => by_token(scene, idp, action).await,
                };
                asks.push((input, asked));
            }
            let mut shown = String::new();
            for asked in all(&asks) {
                let keys: Vec<_> = asked
                    .keys
                    .iter()
                    .map(|(key, them)| format!("{key}={}", them.join(",")))
                    .collect();
                let line = format!(
                    "{}:{action} | {} | {} | {}",
                    api.name,
                    asked.action,
                    asked.resource,
                    keys.join(" ")
                );
                let line = format!("{}\n", scene.masked(&line).trim_end());
                if !shown.contains(&line) {
                    shown.push_str(&line);
                }
            }
            found.push((api, entry, asks, shown));
        }
    }
    found
}

/// What a signed call is asked, one after the other.
async fn signed(scene: &Scene, api: &Api, action: &str, input: &[(String, String)]) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    loop {
        let granted: Vec<_> = asked
            .iter()
            .map(|it| {
                // What is no ARN, such as `policy path /`, only a star matches.
                let arn = if it.resource.starts_with("arn:") { it.resource.as_str() } else { "*" };
                json!({"Effect": "Allow", "Action": it.action, "Resource": arn})
            })
            .chain([json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})])
            .collect();
        let policy = json!({"Version": "2012-10-17", "Statement": granted}).to_string();
        let put =
            [("UserName", "other"), ("PolicyName", "leave"), ("PolicyDocument", policy.as_str())];
        scene.town.set_up("PutUserPolicy", &put).await;
        let reply = scene.call(api, action, Some(&scene.other), input).await;
        let Some(message) = &reply.encoded_message else {
            assert_ne!(reply.status, 403, "{action}: {}", reply.body);
            return asked;
        };
        let next = decoded(scene, message).await;
        assert!(!asked.contains(&next), "{action} is denied what it is allowed: {next:?}");
        asked.push(next);
    }
}

async fn decoded(scene: &Scene, message: &str) -> Asked {
    let input = [("EncodedMessage", message)];
    let reply = scene.town.sts(&scene.town.admin, "DecodeAuthorizationMessage", &input).await.ok();
    let told: Value = serde_json::from_str(&reply.text("DecodedMessage")).unwrap();
    let context = &told["context"];
    let items = context["conditions"]["items"].as_array().unwrap();
    let all: BTreeMap<String, Vec<String>> = items
        .iter()
        .map(|it| {
            let values = it["values"]["items"].as_array().unwrap().iter();
            (text(&it["key"]), values.map(|value| text(&value["value"])).collect())
        })
        .collect();
    for key in GLOBAL {
        assert!(all.contains_key(key), "{key} is not set: {context:#}");
    }
    Asked { action: text(&context["action"]), resource: text(&context["resource"]), keys: own(all) }
}

/// What the bearer of a token is asked: the trust policy wants a value of every key that the reference
/// has, which none has, so that the log book tells them all.
async fn by_token(scene: &Scene, idp: &Issuer, action: &str) -> Vec<Asked> {
    let references: BTreeMap<String, Value> = read("iam/authorization.json");
    let mut keys: Vec<String> =
        references["sts"]["actions"][action]["keys"].as_array().unwrap().iter().map(text).collect();
    keys.extend(
        [
            "aws:RequestTag/project",
            "aws:RequestTag/cost-center",
            "aws:ResourceTag/k",
            "iam:ResourceTag/k",
        ]
        .map(str::to_owned),
    );
    keys.extend(["amr", "aud", "sub"].map(|claim| format!("idp.test:{claim}")));
    let wanted: BTreeMap<&String, &str> =
        keys.iter().filter(|key| !key.contains('$')).map(|key| (key, "never")).collect();
    let saml = action == "AssumeRoleWithSAML";
    let (role, provider) = match saml {
        true => ("deploy", format!("arn:aws:iam::{HOME}:saml-provider/Corp")),
        false => ("web", idp.arn(HOME)),
    };
    let tag = [("RoleName", role), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    scene.town.set_up("TagRole", &tag).await;
    let called = format!("sts:{action}");
    let mut asked = Vec::new();
    for next in [called.as_str(), "sts:TagSession", "sts:SetSourceIdentity"] {
        let before: Vec<&str> = asked.iter().map(|it: &Asked| it.action.as_str()).collect();
        let mut trust =
            trusts(&json!({"Federated": provider}), &[next], Some(json!({"StringEquals": wanted})));
        if !before.is_empty() {
            let granted =
                json!({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": before});
            trust["Statement"].as_array_mut().unwrap().push(granted);
        }
        let document = trust.to_string();
        scene
            .town
            .set_up("UpdateAssumeRolePolicy", &[("RoleName", role), ("PolicyDocument", &document)])
            .await;
        let reply = present(scene, idp, action, role).await;
        assert_eq!(
            reply.text("Message"),
            format!("Not authorized to perform {next}"),
            "{}",
            reply.body
        );
        let event = reply.event();
        let decision = event.vestibule.decisions.last().unwrap();
        let read =
            decision.keys.iter().filter_map(|it| Some((it.key.to_string(), it.values.clone()?)));
        let read =
            read.map(|(key, values)| (key, values.iter().map(ToString::to_string).collect()));
        asked.push(Asked {
            action: decision.action.to_string(),
            resource: decision.resource.clone(),
            keys: own(read.collect()),
        });
    }
    asked
}

async fn present(scene: &Scene, idp: &Issuer, action: &str, role: &str) -> Reply {
    let arn = format!("arn:aws:iam::{HOME}:role/{role}");
    let mut input = vec![("RoleArn", arn.as_str())];
    let (token, provider) = match action {
        "AssumeRoleWithSAML" => {
            let keys: Value = read("iam/saml-attributes.json");
            let names = keys["keys"].as_object().unwrap().values().map(text);
            (saml::with_attributes(names), format!("arn:aws:iam::{HOME}:saml-provider/Corp"))
        }
        _ => {
            let claims = json!({
                "amr": ["mfa"], "https://aws.amazon.com/source_identity": "ada",
                "https://aws.amazon.com/tags": {
                    "principal_tags": {"project": ["heart"]}, "transitive_tag_keys": ["project"],
                },
            });
            (idp.token(scene.town.now(), &claims), "s1".to_owned())
        }
    };
    input.extend(match action {
        "AssumeRoleWithSAML" => {
            [("SAMLAssertion", token.as_str()), ("PrincipalArn", provider.as_str())]
        }
        _ => [("WebIdentityToken", token.as_str()), ("RoleSessionName", provider.as_str())],
    });
    scene.town.call(None, "sts", action, &input).await
}

/// What is wrong with the values of an ask, as far as its input tells them.
fn values(input: &Input, asked: &Asked, known: &BTreeSet<String>) -> Vec<String> {
    let input = flat(input);
    let given = |name: &str| -> BTreeSet<&str> {
        let below = format!("{name}.member.");
        let own = input.iter().filter(|(it, _)| it == name || it.starts_with(&below));
        own.map(|(_, value)| value.as_str()).collect()
    };
    let of_input = FROM_INPUT.iter().map(|(key, name)| ((*key).to_owned(), given(name)));
    let mut expected: Vec<(String, BTreeSet<&str>)> = of_input.collect();
    let mut keys = given("TagKeys");
    for (name, key) in
        input.iter().filter(|(name, _)| name.starts_with("Tags.") && name.ends_with(".Key"))
    {
        let value = name.replace(".Key", ".Value");
        expected.push((format!("aws:RequestTag/{key}"), given(&value)));
        keys.insert(key);
    }
    expected.push(("aws:TagKeys".to_owned(), keys));
    let mut wrong = Vec::new();
    for (key, wanted) in expected {
        let had = asked.keys.get(&key).into_iter().flatten().map(String::as_str).collect();
        if !wanted.is_empty() && wanted != had && known.iter().any(|it| like(it, &key)) {
            wrong.push(format!("{} has {key} as {had:?}, not {wanted:?}", asked.action));
        }
    }
    wrong
}

/// An input of the JSON protocol as the query protocol names its members.
fn flat(input: &Input) -> Input {
    let mut out = Input::new();
    for (name, value) in input {
        let Ok(Value::Array(items)) = serde_json::from_str(value) else {
            out.push((name.clone(), value.clone()));
            continue;
        };
        for (item, n) in items.iter().zip(1..) {
            let at = format!("{name}.member.{n}");
            match item {
                Value::Object(members) => {
                    out.extend(
                        members.iter().map(|(member, it)| (format!("{at}.{member}"), text(it))),
                    );
                }
                item => out.push((at, text(item))),
            }
        }
    }
    out
}

fn own(all: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let global = |key: &String| {
        key.starts_with("aws:PrincipalTag/")
            || GLOBAL.contains(&key.as_str())
            || OTHER_GLOBAL.contains(&key.as_str())
    };
    all.into_iter().filter(|(key, _)| !global(key)).collect()
}

fn all(asks: &Asks) -> impl Iterator<Item = &Asked> {
    asks.iter().flat_map(|(_, asked)| asked)
}

/// `${TagKey}` and the like stand for anything.
fn glob(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').unwrap().1;
    }
    out + rest
}

/// Whether a text is like a pattern whose stars stand for anything, in whatever case.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn read<T: for<'d> Deserialize<'d>>(file: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(corpus_root().join(file)).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
