//! What a seed file may say, and the calls that it comes to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use policy::AccountId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Step;
use crate::config::{Faulty, Problem};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    account: Option<AccountId>,
    oidc_provider: Vec<OidcProvider>,
    policy: Vec<Policy>,
    group: Vec<Group>,
    user: Vec<User>,
    role: Vec<Role>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OidcProvider {
    account: Option<AccountId>,
    url: String,
    #[serde(default)]
    client_ids: Vec<String>,
    #[serde(default)]
    thumbprints: Vec<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    account: Option<AccountId>,
    name: String,
    path: Option<String>,
    description: Option<String>,
    document: Document,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    account: Option<AccountId>,
    name: String,
    path: Option<String>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    inline: BTreeMap<String, Document>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    account: Option<AccountId>,
    name: String,
    path: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    inline: BTreeMap<String, Document>,
    boundary: Option<String>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    access_key: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    account: Option<AccountId>,
    name: String,
    path: Option<String>,
    trust: Document,
    description: Option<String>,
    max_session: Option<u32>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    inline: BTreeMap<String, Document>,
    boundary: Option<String>,
    #[serde(default)]
    tags: Tags,
}

type Tags = BTreeMap<String, String>;

/// A policy document: written out, as a text, or in a file.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a policy document, its JSON text, or { file = \"…\" }")]
enum Document {
    File(InFile),
    Text(String),
    Written(Map<String, Value>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: PathBuf,
}

pub(super) fn steps(
    path: &Path,
    text: &str,
    default_account: AccountId,
) -> Result<Vec<Step>, Faulty> {
    let file = parse(path, text)?;
    let mut list = List {
        folder: path.parent().unwrap_or(Path::new("")),
        default_account: file.account.unwrap_or(default_account),
        paths: BTreeMap::new(),
        steps: Vec::new(),
    };
    list.fill(&file).map_err(|message| Faulty::whole(path, message))?;
    Ok(list.steps)
}

fn parse(path: &Path, text: &str) -> Result<File, Faulty> {
    let faulty = |span, message| Faulty {
        path: path.to_owned(),
        source: text.to_owned(),
        problems: vec![Problem { span, message, help: None }],
    };
    if path.extension().is_some_and(|extension| extension == "toml") {
        return toml::from_str(text).map_err(|error: toml::de::Error| {
            faulty(error.span(), error.message().replace('\n', ", "))
        });
    }
    serde_json::from_str(text).map_err(|error| {
        let before: usize = text.split_inclusive('\n').take(error.line() - 1).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(text.len());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        faulty(Some(at..at), message)
    })
}

struct List<'a> {
    folder: &'a Path,
    default_account: AccountId,
    /// Paths of this file's managed policies, by account and name.
    paths: BTreeMap<(AccountId, String), String>,
    steps: Vec<Step>,
}

impl List<'_> {
    /// Policies before whoever they are attached to, groups before their users.
    fn fill(&mut self, file: &File) -> Result<(), String> {
        for policy in &file.policy {
            let account = policy.account.unwrap_or(self.default_account);
            let path = policy.path.clone().unwrap_or_else(|| "/".to_owned());
            self.paths.insert((account, policy.name.clone()), path);
        }
        for provider in &file.oidc_provider {
            let about = format!("OIDC provider {}", provider.url);
            let input = json!({
                "Url": provider.url,
                "ClientIDList": provider.client_ids,
                "ThumbprintList": provider.thumbprints,
                "Tags": tags(&provider.tags),
            });
            self.push(provider.account, "CreateOpenIDConnectProvider", &about, input);
        }
        for policy in &file.policy {
            let about = format!("policy {}", policy.name);
            let input = json!({
                "PolicyName": policy.name,
                "Path": policy.path,
                "Description": policy.description,
                "PolicyDocument": self.document(&policy.document, &about)?,
                "Tags": tags(&policy.tags),
            });
            self.push(policy.account, "CreatePolicy", &about, input);
        }
        for group in &file.group {
            let owner = Owner::new(group.account, "Group", &group.name);
            let input = json!({ "GroupName": group.name, "Path": group.path });
            self.push(group.account, "CreateGroup", &owner.about, input);
            self.permissions(&owner, &group.policies, &group.inline)?;
        }
        for user in &file.user {
            self.user(user)?;
        }
        for role in &file.role {
            self.role(role)?;
        }
        Ok(())
    }

    fn user(&mut self, user: &User) -> Result<(), String> {
        let owner = Owner::new(user.account, "User", &user.name);
        let boundary = user.boundary.as_ref().map(|name| self.policy_arn(user.account, name));
        let input = json!({
            "UserName": user.name,
            "Path": user.path,
            "PermissionsBoundary": boundary,
            "Tags": tags(&user.tags),
        });
        self.push(user.account, "CreateUser", &owner.about, input);
        if user.access_key {
            let input = json!({ "UserName": user.name });
            self.push(user.account, "CreateAccessKey", &owner.about, input);
            if let Some(step) = self.steps.last_mut() {
                step.only_if_new = true;
            }
        }
        for group in &user.groups {
            let input = json!({ "GroupName": group, "UserName": user.name });
            self.push(user.account, "AddUserToGroup", &owner.about, input);
        }
        self.permissions(&owner, &user.policies, &user.inline)
    }

    fn role(&mut self, role: &Role) -> Result<(), String> {
        let owner = Owner::new(role.account, "Role", &role.name);
        let boundary = role.boundary.as_ref().map(|name| self.policy_arn(role.account, name));
        let input = json!({
            "RoleName": role.name,
            "Path": role.path,
            "AssumeRolePolicyDocument": self.document(&role.trust, &owner.about)?,
            "Description": role.description,
            "MaxSessionDuration": role.max_session,
            "PermissionsBoundary": boundary,
            "Tags": tags(&role.tags),
        });
        self.push(role.account, "CreateRole", &owner.about, input);
        self.permissions(&owner, &role.policies, &role.inline)
    }

    fn permissions(
        &mut self,
        owner: &Owner<'_>,
        attached: &[String],
        inline: &BTreeMap<String, Document>,
    ) -> Result<(), String> {
        let (attach, put) = match owner.kind {
            "Group" => ("AttachGroupPolicy", "PutGroupPolicy"),
            "User" => ("AttachUserPolicy", "PutUserPolicy"),
            _ => ("AttachRolePolicy", "PutRolePolicy"),
        };
        let named = format!("{}Name", owner.kind);
        for policy in attached {
            let arn = self.policy_arn(owner.account, policy);
            let input = json!({ named.as_str(): owner.name, "PolicyArn": arn });
            self.push(owner.account, attach, &owner.about, input);
        }
        for (name, document) in inline {
            let document = self.document(document, &owner.about)?;
            let input = json!({
                named.as_str(): owner.name,
                "PolicyName": name,
                "PolicyDocument": document,
            });
            self.push(owner.account, put, &owner.about, input);
        }
        Ok(())
    }

    fn push(
        &mut self,
        account: Option<AccountId>,
        action: &'static str,
        about: &str,
        input: Value,
    ) {
        let account = account.unwrap_or(self.default_account);
        let about = about.to_owned();
        self.steps.push(Step { account, action, input, about, only_if_new: false });
    }

    /// A policy by its ARN, or by its name in the same account.
    fn policy_arn(&self, account: Option<AccountId>, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let account = account.unwrap_or(self.default_account);
        let path = self.paths.get(&(account, name.to_owned())).map_or("/", String::as_str);
        format!("arn:aws:iam::{account}:policy{path}{name}")
    }

    fn document(&self, document: &Document, about: &str) -> Result<String, String> {
        match document {
            Document::Text(text) => Ok(text.clone()),
            Document::Written(members) => {
                serde_json::to_string(members).map_err(|error| format!("{about}: {error}"))
            }
            Document::File(InFile { file }) => {
                let path = self.folder.join(file);
                std::fs::read_to_string(&path)
                    .map_err(|error| format!("{about}: {}: {error}", path.display()))
            }
        }
    }
}

/// Whoever has policies.
struct Owner<'a> {
    account: Option<AccountId>,
    kind: &'static str,
    name: &'a str,
    about: String,
}

impl<'a> Owner<'a> {
    fn new(account: Option<AccountId>, kind: &'static str, name: &'a str) -> Owner<'a> {
        Owner { account, kind, name, about: format!("{} {name}", kind.to_lowercase()) }
    }
}

fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
