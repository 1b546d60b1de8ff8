//! A delegated administrator under a boundary condition, or of what bears her tag, and every way out of
//! it that there is: `corpus/iam/delegation*.json` in their order, and every action that changes IAM on
//! what is not hers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use service::action::Effect;

use crate::registry::{corpus_root, minimal};
use crate::scene::Scene;
use crate::support::{HOME, Issuer, Keys, Reply, Town, allow, trusts};

#[derive(Deserialize)]
struct Delegation {
    policy: Value,
    #[serde(default)]
    limits: Value,
    #[serde(default)]
    set_up: Vec<(String, BTreeMap<String, String>)>,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    action: String,
    expect: String,
    input: BTreeMap<String, String>,
}

fn delegation(file: &str) -> Delegation {
    let file = corpus_root().join("iam").join(file);
    let text = std::fs::read_to_string(file).unwrap().replace("{home}", HOME);
    serde_json::from_str(&text).unwrap()
}

/// The delegated administrator of a town, with the boundary that she must set.
async fn delegate(town: &Town, delegation: &Delegation) -> Keys {
    let limits = delegation.limits.to_string();
    let limits = [("PolicyName", "limits"), ("PolicyDocument", limits.as_str())];
    town.set_up("CreatePolicy", &limits).await;
    town.user("anna", Some(&delegation.policy)).await
}

#[tokio::test]
async fn a_delegated_administrator_does_not_escape_her_boundary() {
    let town = Town::new().await;
    let delegation = delegation("delegation.json");
    let anna = delegate(&town, &delegation).await;
    town.user("bob", Some(&allow("*", "*"))).await;
    // One of the team whom somebody else made, without a boundary.
    town.set_up("CreateUser", &[("UserName", "loose"), ("Path", "/team/")]).await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    town.role("power", &trust, Some(&allow("*", "*"))).await;
    town.set_up("CreateGroup", &[("GroupName", "powers")]).await;
    let before = others(&town).await;

    let mut key = None;
    for attempt in &delegation.attempts {
        let reply = attempt.make(&town, &anna).await;
        if attempt.action == "CreateAccessKey" && reply.status == 200 {
            key = Some(Keys::long_term(&reply.text("AccessKeyId"), &reply.text("SecretAccessKey")));
        }
    }

    // Whoever she made has all policies that there are, and may what the boundary lets through.
    let made = key.unwrap();
    town.iam(&made, "ListUsers", &[]).await.ok();
    let denied = town.iam(&made, "ListRoles", &[]).await;
    assert_eq!(denied.why(), "implicitDeny boundary iam:ListRoles");
    let role = format!("arn:aws:iam::{HOME}:role/team/r");
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let session = town.sts(&town.admin, "AssumeRole", &input).await.ok().keys();
    town.iam(&session, "ListUsers", &[]).await.ok();
    let denied = town.iam(&session, "ListRoles", &[]).await;
    assert_eq!(denied.why(), "implicitDeny boundary iam:ListRoles");
    assert_eq!(others(&town).await, before, "nobody else was touched");
}

impl Attempt {
    /// It must end as expected: allowed, or denied for that reason.
    async fn make(&self, town: &Town, keys: &Keys) -> Reply {
        let Self { action, expect, input } = self;
        let reply = town.iam(keys, action, &pairs(input)).await;
        let got = match reply.status {
            200 => "allowed".to_owned(),
            _ if reply.text("Code") == "AccessDenied" => reply.why(),
            _ => reply.body.clone(),
        };
        let wanted = match expect.as_str() {
            "denied" => format!("implicitDeny identity iam:{action}"),
            other => other.to_owned(),
        };
        assert_eq!(got, wanted, "{action} {input:?}");
        reply
    }
}

fn pairs(input: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    input.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

#[tokio::test]
async fn an_administrator_of_what_bears_her_tag_gets_no_other_tag_and_no_other_thing() {
    let town = Town::new().await;
    let delegation = delegation("delegation-by-tags.json");
    let limits = allow("iam:ListUsers", "*").to_string();
    town.set_up("CreatePolicy", &[("PolicyName", "limits"), ("PolicyDocument", &limits)]).await;
    let anna = town.user("anna", Some(&delegation.policy)).await;
    town.user("bob", None).await;
    for (action, input) in &delegation.set_up {
        town.set_up(action, &pairs(input)).await;
    }
    for attempt in &delegation.attempts {
        attempt.make(&town, &anna).await;
    }
}

/// All that is not the team's, as IAM tells it.
async fn others(town: &Town) -> Vec<String> {
    let mut told = Vec::new();
    for name in ["admin", "anna", "bob", "loose"] {
        let user = [("UserName", name)];
        for action in ["GetUser", "ListUserPolicies", "ListAttachedUserPolicies", "ListAccessKeys"]
        {
            told.push(result(&town.set_up(action, &user).await.body));
        }
    }
    let power = [("RoleName", "power")];
    for action in ["GetRole", "ListRolePolicies", "ListAttachedRolePolicies"] {
        told.push(result(&town.set_up(action, &power).await.body));
    }
    let limits = format!("arn:aws:iam::{HOME}:policy/limits");
    let versions = town.set_up("ListPolicyVersions", &[("PolicyArn", &limits)]).await;
    told.push(result(&versions.body));
    told.push(result(&town.set_up("GetGroup", &[("GroupName", "powers")]).await.body));
    told
}

/// An answer without the request's id.
fn result(body: &str) -> String {
    body.split("<ResponseMetadata>").next().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_that_changes_iam_is_hers_outside_of_her_path() {
    let idp = Issuer::new("idp.test");
    let scene = Scene::of(&idp, "").await;
    let anna = delegate(&scene.town, &delegation("delegation.json")).await;
    let minimal = minimal();
    for entry in service::iam::API.entries().filter(|entry| entry.effect == Effect::Write) {
        let input = scene.fill(&minimal["iam"][entry.name]);
        let reply = scene.call(&service::iam::API, entry.name, Some(&anna), &input).await;
        let got = (reply.status, reply.text("Code"));
        assert_eq!(got, (403, "AccessDenied".to_owned()), "{}: {}", entry.name, reply.body);
    }
}
