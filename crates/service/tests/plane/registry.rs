//! Did we forget one? Every action of the registry has a model, a smallest input that works
//! (`corpus/wire/minimal.json`), a row in `docs/actions.md`, and lines in `corpus/wire/matrix.txt`:
//! what nobody, somebody without leave, and somebody with leave are answered, word for word, when they
//! send what botocore sends (`vectors.rs`).
//!
//! `cargo test -p service --test plane -- --ignored` writes the files anew; read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use service::action::{Effect, Entry, Proof};
use service::registry::{APIS, Api};
use wire::shape::{Model, cloudtrail, iam, organizations, sts};

use crate::scene::Scene;
use crate::support::{Issuer, Reply, Town};
use crate::vectors::{self, Answer};

/// Parameters by action by API. `{home}`, `{key}`, `{token}`, `{message}`, `{assertion}`, `{metadata}` and
/// so on are filled in.
pub type Minimal = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

#[test]
fn every_action_has_a_model_and_a_smallest_input() {
    let minimal = minimal();
    for api in APIS {
        let inputs: BTreeSet<&str> = minimal[api.name].keys().map(String::as_str).collect();
        let actions: BTreeSet<&str> = api.entries().map(|entry| entry.name).collect();
        assert_eq!(inputs, actions, "{}", api.name);
        assert_eq!(actions.len(), api.entries().count(), "an action of {} twice", api.name);
        for action in actions {
            assert!(model(api).operation(action).is_some(), "{action}");
        }
    }
}

#[tokio::test]
async fn the_matrix_of_actions_and_callers_is_as_written() {
    let Matrix { text, answers, wrong } = matrix().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(text, std::fs::read_to_string(corpus("matrix.txt")).unwrap());
    vectors::compare(&answers);
}

/// What is not served is refused as AWS refuses what it does not know, and the docs say why.
#[tokio::test]
async fn every_other_operation_of_the_models_is_refused_and_has_a_reason() {
    let town = Town::new().await;
    for api in APIS {
        let reasons = not_served(api);
        for operation in model(api).operations() {
            if api.action(operation.name).is_some() {
                continue;
            }
            let told = reasons.iter().any(|row| row.actions.iter().any(|it| it == operation.name));
            assert!(told, "{}:{} has no reason", api.name, operation.name);
            match model(api).target {
                "" => {
                    let reply = town.call(Some(&town.admin), api.name, operation.name, &[]).await;
                    let version = model(api).version;
                    let name = operation.name;
                    let text = format!("Could not find operation {name} for version {version}");
                    reply.refused(400, "InvalidAction", &text);
                }
                target => {
                    let target = format!("{target}.{}", operation.name);
                    let reply = town.json(Some(&town.admin), &target, &Value::Null).await;
                    assert_eq!(code(&reply), "UnknownOperationException", "{target}");
                }
            }
        }
    }
}

#[test]
fn every_action_has_its_row_in_the_docs() {
    assert_eq!(documented(), std::fs::read_to_string(docs()).unwrap());
}

#[tokio::test]
#[ignore = "writes corpus/wire/matrix.txt, corpus/wire/answers.json and docs/actions.md"]
async fn write_the_matrix_and_the_docs() {
    let Matrix { text, answers, .. } = matrix().await;
    std::fs::write(corpus("matrix.txt"), text).unwrap();
    std::fs::write(corpus("answers.json"), vectors::written(&answers)).unwrap();
    std::fs::write(docs(), documented()).unwrap();
}

struct Matrix {
    text: String,
    answers: Vec<Answer>,
    /// What is wrong whatever the files say.
    wrong: Vec<String>,
}

async fn matrix() -> Matrix {
    let requests = vectors::requests();
    let mut text = String::from(
        "# action | caller | answer: nobody, somebody without leave, somebody with leave\n",
    );
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    let idp = Issuer::new("idp.test");
    let shared = Scene::whole(&idp).await;
    for api in APIS {
        let entries: BTreeMap<_, _> = api.entries().map(|entry| (entry.name, entry)).collect();
        for (action, entry) in entries {
            let bodies = &requests[api.name][action];
            // Only a change that succeeds needs a scene of its own.
            let own = own_scene(&idp, entry).await;
            let own = own.as_ref().unwrap_or(&shared);
            for (caller, scene, keys) in [
                ("nobody", &shared, None),
                ("other", &shared, Some(&shared.other)),
                ("right", own, Some(&own.right)),
            ] {
                let reply = scene.send(api, action, keys, &bodies["smallest"]).await;
                let answer = scene.shown(&reply);
                let name = format!("{}:{action}", api.name);
                if let Some(why) = suspicious(caller, entry.proof, &name, &reply) {
                    wrong.push(format!("{name} as {caller}: {why}: {answer}"));
                }
                writeln!(text, "{name} | {caller} | {answer}").unwrap();
                answers.push(Answer::of(api, action, caller, scene, &reply));
            }
            if let Some(fuller) = bodies.get("fuller") {
                let own = own_scene(&idp, entry).await;
                let own = own.as_ref().unwrap_or(&shared);
                let reply = own.send(api, action, Some(&own.town.admin), fuller).await;
                if reply.status != 200 {
                    wrong.push(format!("{}:{action}, fuller: {}", api.name, reply.body));
                }
                answers.push(Answer::of(api, action, "fuller", own, &reply));
            }
        }
    }
    Matrix { text, answers, wrong }
}

async fn own_scene(idp: &Issuer, entry: &Entry) -> Option<Scene> {
    match entry.effect {
        Effect::Write => Some(Scene::of(idp, entry.name).await),
        Effect::Read | Effect::Issue => None,
    }
}

/// Whatever the file says: nobody gets in without a signature, nobody without leave gets through,
/// and who has leave does.
fn suspicious(caller: &str, proof: Proof, name: &str, reply: &Reply) -> Option<&'static str> {
    // AWS asks no policy for these two; tokens carry their own leave.
    const OPEN: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];
    let open = OPEN.contains(&name) || proof == Proof::Token;
    let code = if reply.status == 200 { String::new() } else { code(reply) };
    match caller {
        "nobody" if proof == Proof::Token => None,
        "nobody" => {
            let missing = code.starts_with("MissingAuthenticationToken");
            (!missing).then_some("nobody was let in")
        }
        "other" if open => None,
        "other" => {
            let denied = code == "AccessDenied" || code == "AccessDeniedException";
            let recorded = reply.event().vestibule.outcome == service::audit::Outcome::Denied;
            (!denied || !recorded).then_some("not denied, or not recorded as denied")
        }
        _ => (reply.status != 200).then_some("does not work"),
    }
}

pub fn code(reply: &Reply) -> String {
    match reply.body.starts_with('{') {
        true => {
            let body: Value = serde_json::from_str(&reply.body).unwrap();
            body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()
        }
        false => reply.text("Code"),
    }
}

fn documented() -> String {
    let minimal = minimal();
    let mut text = String::from(
        "# Actions\n\nEvery action that is served. Anything else is refused. Written from the \
         registry by the tests of `service`;\nwhat each caller is answered is in \
         [`corpus/wire/matrix.txt`](../corpus/wire/matrix.txt).\n",
    );
    for api in APIS {
        let count = api.entries().count();
        write!(text, "\n## {} ({count})\n\n", api.name).unwrap();
        text.push_str("| Action | Does | Caller proven by | Smallest input |\n|---|---|---|---|\n");
        let entries: BTreeMap<_, _> = api.entries().map(|entry| (entry.name, entry)).collect();
        for (name, entry) in entries {
            let does = match entry.effect {
                Effect::Read => "reads",
                Effect::Issue => "issues credentials",
                Effect::Write => "changes",
            };
            let proof = match entry.proof {
                Proof::Signature => "signature",
                Proof::Token => "token",
            };
            let input: Vec<String> =
                minimal[api.name][name].keys().map(|name| format!("`{name}`")).collect();
            writeln!(text, "| `{name}` | {does} | {proof} | {} |", input.join(", ")).unwrap();
        }
        text.push_str(
            "\nNot served, and refused as AWS refuses an operation that it does not know:\n\n",
        );
        for Reason { why, actions } in not_served(api) {
            let actions = actions.iter().filter(|name| api.action(name).is_none());
            let actions: Vec<_> = actions.map(|name| format!("`{name}`")).collect();
            if !actions.is_empty() {
                writeln!(text, "- {why} {}", actions.join(", ")).unwrap();
            }
        }
    }
    text
}

/// Operations that are not served, and why.
#[derive(serde::Deserialize)]
struct Reason {
    why: String,
    actions: Vec<String>,
}

fn not_served(api: &Api) -> Vec<Reason> {
    let text = std::fs::read_to_string(corpus("not-served.json")).unwrap();
    let mut all: BTreeMap<String, Vec<Reason>> = serde_json::from_str(&text).unwrap();
    all.remove(api.name).unwrap()
}

pub fn minimal() -> Minimal {
    serde_json::from_str(&std::fs::read_to_string(corpus("minimal.json")).unwrap()).unwrap()
}

pub fn model(api: &Api) -> &'static Model {
    match api.name {
        "iam" => iam(),
        "sts" => sts(),
        "cloudtrail" => cloudtrail(),
        "organizations" => organizations(),
        other => panic!("no model of {other}"),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn corpus_root() -> PathBuf {
    root().join("corpus")
}

fn corpus(file: &str) -> PathBuf {
    corpus_root().join("wire").join(file)
}

fn docs() -> PathBuf {
    root().join("docs/actions.md")
}
