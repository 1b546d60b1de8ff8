//! Did we forget one? Every action of the registry has a model, a smallest input that works
//! (`corpus/wire/minimal.json`), a row in `docs/actions.md`, and lines in `corpus/wire/matrix.txt`:
//! what nobody, somebody without leave, and somebody with leave are answered, word for word.
//!
//! `cargo test -p service --test plane -- --ignored` writes both files anew; read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use service::action::{Effect, Proof};
use service::registry::{APIS, Api};
use wire::shape::{Model, cloudtrail, iam, sts};

use crate::support::{Device, HOME, Issuer, Keys, Reply, Town, allow, trusts};
use service::settings::Providers;

/// Parameters by action by API. `{home}`, `{key}`, `{token}`, `{message}` are filled in.
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
    let (text, wrong) = matrix().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(text, std::fs::read_to_string(corpus("matrix.txt")).unwrap());
}

#[test]
fn every_action_has_its_row_in_the_docs() {
    assert_eq!(documented(), std::fs::read_to_string(docs()).unwrap());
}

#[tokio::test]
#[ignore = "writes corpus/wire/matrix.txt and docs/actions.md"]
async fn write_the_matrix_and_the_docs() {
    std::fs::write(corpus("matrix.txt"), matrix().await.0).unwrap();
    std::fs::write(docs(), documented()).unwrap();
}

/// The matrix, and what is wrong in it whatever the file says.
async fn matrix() -> (String, Vec<String>) {
    let minimal = minimal();
    let mut text = String::from(
        "# action | caller | answer: nobody, somebody without leave, somebody with leave\n",
    );
    let mut wrong = Vec::new();
    let idp = Issuer::new("idp.test");
    let shared = Scene::new(&idp, true).await;
    for api in APIS {
        let entries: BTreeMap<_, _> = api.entries().map(|entry| (entry.name, entry)).collect();
        for (action, entry) in entries {
            // Only a change that succeeds needs a scene of its own.
            let own = match entry.effect {
                Effect::Write => {
                    let passwords = ["Password", "LoginProfile"];
                    let passwords = passwords.iter().any(|it| action.contains(it));
                    Some(Scene::new(&idp, passwords).await)
                }
                Effect::Read | Effect::Issue => None,
            };
            let own = own.as_ref().unwrap_or(&shared);
            for (caller, scene, keys) in [
                ("nobody", &shared, None),
                ("other", &shared, Some(&shared.other)),
                ("right", own, Some(&own.town.admin)),
            ] {
                let input = scene.fill(&minimal[api.name][action]);
                let reply = scene.call(api, action, keys, &input).await;
                let answer = scene.shown(&reply);
                let name = format!("{}:{action}", api.name);
                if let Some(why) = suspicious(caller, entry.proof, &name, &reply) {
                    wrong.push(format!("{name} as {caller}: {why}: {answer}"));
                }
                writeln!(text, "{name} | {caller} | {answer}").unwrap();
            }
        }
    }
    (text, wrong)
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

fn code(reply: &Reply) -> String {
    match reply.body.starts_with('{') {
        true => {
            let body: Value = serde_json::from_str(&reply.body).unwrap();
            body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()
        }
        false => reply.text("Code"),
    }
}

/// A town in which every smallest input finds what it names: bare entities that can be deleted,
/// full ones that have something to be taken away.
pub struct Scene {
    pub town: Town,
    other: Keys,
    key: String,
    token: String,
    message: String,
    task: String,
    /// Codes of the MFA devices, by name and turn.
    codes: BTreeMap<String, String>,
}

impl Scene {
    /// With passwords only where they are needed: deriving one takes its time.
    pub async fn new(idp: &Issuer, passwords: bool) -> Self {
        let settings = [(idp.arn(HOME), idp.settings())];
        let town = Town::with(Providers::new(settings.into())).await;
        let document = allow("s3:GetObject", "*").to_string();
        let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
        let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
        let policy = format!("arn:aws:iam::{HOME}:policy/full");
        for name in ["bare", "full"] {
            town.set_up("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", &document)])
                .await;
            town.set_up("CreateUser", &[("UserName", name)]).await;
            town.set_up("CreateGroup", &[("GroupName", name)]).await;
            town.role(name, &trust, None).await;
            town.set_up("CreateInstanceProfile", &[("InstanceProfileName", name)]).await;
        }
        for kind in ["User", "Role", "Group"] {
            let name = format!("{kind}Name");
            let full = (name.as_str(), "full");
            let put = [full, ("PolicyName", "inline"), ("PolicyDocument", document.as_str())];
            town.set_up(&format!("Put{kind}Policy"), &put).await;
            town.set_up(&format!("Attach{kind}Policy"), &[full, ("PolicyArn", &policy)]).await;
            if kind != "Group" {
                town.set_up(&format!("Tag{kind}"), &[full, tag[0], tag[1]]).await;
                let boundary = [full, ("PermissionsBoundary", policy.as_str())];
                town.set_up(&format!("Put{kind}PermissionsBoundary"), &boundary).await;
            }
        }
        town.set_up("AddUserToGroup", &[("GroupName", "full"), ("UserName", "full")]).await;
        let version = [("PolicyArn", policy.as_str()), ("PolicyDocument", document.as_str())];
        town.set_up("CreatePolicyVersion", &version).await;
        town.set_up("TagPolicy", &[version[0], tag[0], tag[1]]).await;
        let full = ("InstanceProfileName", "full");
        town.set_up("AddRoleToInstanceProfile", &[full, ("RoleName", "full")]).await;
        town.set_up("TagInstanceProfile", &[full, tag[0], tag[1]]).await;
        let codes = Self::devices(&town).await;
        for service in ["support.amazonaws.com", "backup.amazonaws.com"] {
            town.set_up("CreateServiceLinkedRole", &[("AWSServiceName", service)]).await;
        }
        let linked = [("RoleName", "AWSServiceRoleForBackup")];
        let task = town.set_up("DeleteServiceLinkedRole", &linked).await.text("DeletionTaskId");
        town.set_up("GenerateCredentialReport", &[]).await;
        town.set_up("UpdateAccountPasswordPolicy", &[]).await;
        for name in ["full", "admin"].into_iter().filter(|_| passwords) {
            let input = [("UserName", name), ("Password", "Correct-horse-1")];
            town.set_up("CreateLoginProfile", &input).await;
        }
        town.set_up("CreateAccountAlias", &[("AccountAlias", "home")]).await;
        idp.register(&town, &town.admin).await;
        let federated = json!({"Federated": idp.arn(HOME)});
        let trust = trusts(&federated, &["sts:AssumeRoleWithWebIdentity"], None);
        town.role("web", &trust, None).await;

        let key = town.key_of(&town.admin, "full").await.id;
        let other = town.user("other", None).await;
        let token = idp.token(town.now(), &json!({}));
        let message = town.iam(&other, "ListUsers", &[]).await.encoded_message.unwrap();
        Self { town, other, key, token, message, task, codes }
    }

    /// One MFA device that is nobody's, and one in use; the codes that each may show next.
    async fn devices(town: &Town) -> BTreeMap<String, String> {
        let mut codes = BTreeMap::new();
        for name in ["bare", "full"] {
            let device = Device::new(town, name).await;
            if name == "full" {
                device.enable(town, "full").await;
                let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
                let serial = ("SerialNumber", device.serial.as_str());
                town.set_up("TagMFADevice", &[serial, tag[0], tag[1]]).await;
            }
            // The device in use has shown its codes of this step and of the next.
            for (turn, ahead) in [(1, 2), (2, 3)] {
                codes.insert(format!("{{{name}-{turn}}}"), device.code(town, ahead));
            }
        }
        codes
    }

    pub fn fill(&self, input: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let fill = |value: &String| {
            let value = value
                .replace("{home}", HOME)
                .replace("{key}", &self.key)
                .replace("{task}", &self.task);
            let value = value.replace("{token}", &self.token).replace("{message}", &self.message);
            self.codes.iter().fold(value, |value, (name, code)| value.replace(name, code))
        };
        input.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
    }

    pub async fn call(
        &self,
        api: &Api,
        action: &str,
        keys: Option<&Keys>,
        input: &[(String, String)],
    ) -> Reply {
        if !model(api).target.is_empty() {
            let target = format!("{}.{action}", model(api).target);
            return self.town.json(keys, &target, &json!({})).await;
        }
        let input: Vec<_> = input.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.town.call(keys, api.name, action, &input).await
    }

    /// A refusal word for word, but for what is another each time.
    fn shown(&self, reply: &Reply) -> String {
        if reply.status == 200 {
            return "200".to_owned();
        }
        let message = match reply.body.starts_with('{') {
            true => {
                let body: Value = serde_json::from_str(&reply.body).unwrap();
                body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default().to_owned()
            }
            false => reply.text("Message"),
        };
        let message = message.replace(&self.key, "{key}").replace(HOME, "{home}");
        format!("{} {} {message}", reply.status, code(reply)).trim_end().to_owned()
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
    }
    text
}

pub fn minimal() -> Minimal {
    serde_json::from_str(&std::fs::read_to_string(corpus("minimal.json")).unwrap()).unwrap()
}

fn model(api: &Api) -> &'static Model {
    match api.name {
        "iam" => iam(),
        "sts" => sts(),
        "cloudtrail" => cloudtrail(),
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
