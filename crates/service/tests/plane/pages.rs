//! Pages: every action that botocore pages (`corpus/wire/paginators.json`), one thing at a time. The pages
//! join to the whole, the last one says so, and a marker that is none of the action's own is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use service::registry::{APIS, Api};

use crate::credentials::SSH_KEY;
use crate::registry::{code, corpus_root, minimal, model};
use crate::scene::Scene;
use crate::simulate::tree;
use crate::support::{Device, HOME, Issuer, Reply, allow, trusts};

/// What there can never be three of.
const FEW: [(&str, usize); 5] = [
    ("ListAccessKeys", 2),
    ("ListAccountAliases", 1),
    ("ListParents", 1),
    ("ListRoots", 1),
    ("ListSigningCertificates", 1),
];

/// Which members page an action's answer.
#[derive(Deserialize)]
struct Paginator {
    input_token: String,
    output_token: String,
    limit_key: Option<String>,
    more_results: Option<String>,
    result_key: Value,
}

/// The lists of an answer, by name.
type Lists = BTreeMap<String, Vec<Value>>;

#[tokio::test]
async fn pages_join_to_the_whole_and_foreign_markers_are_refused() {
    let text = std::fs::read_to_string(corpus_root().join("wire/paginators.json")).unwrap();
    let mut paginators: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    paginators.remove("source");
    let scene = crowded().await;
    let minimal = minimal();
    let mut count = 0;
    for api in APIS {
        let paginators: BTreeMap<String, Paginator> =
            serde_json::from_value(paginators[api.name].clone()).unwrap();
        // A marker of the first action is none of the next one's, and so on around.
        let mut foreign = None;
        let twice = || paginators.iter().chain(paginators.iter().take(1));
        for (action, paginator) in twice() {
            let mut input = scene.fill(&minimal[api.name][action]);
            if action.starts_with("Simulate") {
                input.extend(
                    [2, 3].map(|n| (format!("ActionNames.member.{n}"), format!("s3:Action{n}"))),
                );
            }
            if action == "LookupEvents" {
                // Not those of this test's own looks.
                let users = r#"[{"AttributeKey":"EventName","AttributeValue":"CreateUser"}]"#;
                input.push(("LookupAttributes".to_owned(), users.to_owned()));
            }
            let paged = Paged { scene: &scene, api, action, paginator, input };
            let own = paged.check().await;
            // A simulation's marker is a place in the list of actions, on AWS too.
            foreign = foreign.filter(|it: &String| !it.starts_with("simulation-"));
            for marker in foreign.iter().map(String::as_str).chain(["%", "bm9uZQ"]) {
                paged.refuses(marker).await;
            }
            foreign = own.or(foreign).filter(|_| paginators.len() > 1);
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

struct Paged<'a> {
    scene: &'a Scene,
    api: &'a Api,
    action: &'a str,
    paginator: &'a Paginator,
    input: Vec<(String, String)>,
}

impl Paged<'_> {
    async fn call(&self, more: &[(&str, Value)]) -> Reply {
        let admin = Some(&self.scene.town.admin);
        if model(self.api).target.is_empty() {
            let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
            let more = more.iter().map(|(name, it)| ((*name).to_owned(), text(it)));
            let input: Vec<_> = self.input.iter().cloned().chain(more).collect();
            return self.scene.call(self.api, self.action, admin, &input).await;
        }
        let mut input = crate::scene::json_input(&self.input);
        for (name, it) in more {
            input[*name] = it.clone();
        }
        let target = format!("{}.{}", model(self.api).target, self.action);
        self.scene.town.json(admin, &target, &input).await
    }

    /// Compares whole and pages; a marker of this action, if there was one.
    async fn check(&self) -> Option<String> {
        let Self { action, paginator, .. } = self;
        let (whole, rest) = self.answer(self.call(&[]).await);
        assert_eq!(rest, None, "{action}: everything fits on one page");
        let total: usize = whole.values().map(Vec::len).sum();
        let few = FEW.iter().find(|(name, _)| name == action).map(|(_, few)| *few);
        assert!(few.map_or(total >= 3, |few| total == few), "{action} lists {total}");
        let Some(limit) = &paginator.limit_key else { return None };
        let (mut joined, mut marker, mut first) = (Lists::new(), None, None);
        let mut pages = 0;
        loop {
            let mut more: Vec<(&str, Value)> = Vec::new();
            more.push((limit.as_str(), json!(1)));
            let token: Option<(&str, Value)> =
                marker.as_ref().map(|it| (paginator.input_token.as_str(), json!(it)));
            more.extend(token);
            let (page, next) = self.answer(self.call(&more).await);
            let size: usize = page.values().map(Vec::len).sum();
            // Whether there is more to find in the log book is known once it has been looked for.
            let last = *action == "LookupEvents" && pages == total;
            assert_eq!(size, usize::from(total > 0 && !last), "{action}, page {pages}");
            for (list, items) in page {
                joined.entry(list).or_default().extend(items);
            }
            pages += 1;
            first = first.or_else(|| next.clone());
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        let looked = usize::from(*action == "LookupEvents");
        assert_eq!(pages, total.max(1) + looked, "{action}: no page is for nothing");
        assert_eq!(joined, whole, "{action}");
        first
    }

    async fn refuses(&self, marker: &str) {
        let reply = self.call(&[(&self.paginator.input_token, json!(marker))]).await;
        let wanted = match (self.api.name, self.action) {
            ("cloudtrail", _) => "InvalidNextTokenException",
            ("organizations", _) => "InvalidInputException",
            (_, "SimulateCustomPolicy" | "SimulatePrincipalPolicy") => "InvalidInput",
            _ => "ValidationError",
        };
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (400, wanted),
            "{}: {}",
            self.action,
            reply.body
        );
        if wanted == "ValidationError" {
            assert_eq!(reply.text("Message"), "Invalid Marker.");
        }
    }

    /// The lists of an answer, and where it goes on.
    fn answer(&self, reply: Reply) -> (Lists, Option<String>) {
        let Self { action, paginator, .. } = self;
        let body = reply.ok().body;
        let result = match body.starts_with('<') {
            true => tree(&body)[format!("{action}Response")][format!("{action}Result")].clone(),
            false => serde_json::from_str(&body).unwrap(),
        };
        let names: Vec<&str> = match &paginator.result_key {
            Value::String(name) => vec![name],
            names => names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect(),
        };
        let list = |name: &str| {
            assert!(result.get(name).is_some(), "{action} has no {name}: {body}");
            (name.to_owned(), result[name].as_array().cloned().unwrap_or_default())
        };
        let next = result.get(&paginator.output_token).map(|it| it.as_str().unwrap().to_owned());
        if let Some(more) = &paginator.more_results {
            assert_eq!(result[more].as_str().unwrap(), next.is_some().to_string(), "{action}");
        }
        (names.into_iter().map(list).collect(), next)
    }
}

/// The whole scene, with three of whatever is listed.
async fn crowded() -> Scene {
    let scene = Scene::whole(&Issuer::new("idp.test")).await;
    let town = &scene.town;
    let document = allow("s3:GetObject", "*").to_string();
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    let full = format!("arn:aws:iam::{HOME}:policy/full");
    town.key_of(&town.admin, "full").await;
    for name in ["one", "two"] {
        let policy = format!("arn:aws:iam::{HOME}:policy/{name}");
        town.set_up("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", &document)]).await;
        town.set_up("CreatePolicyVersion", &[("PolicyArn", &full), ("PolicyDocument", &document)])
            .await;
        town.set_up("CreateUser", &[("UserName", name)]).await;
        town.set_up("CreateGroup", &[("GroupName", name)]).await;
        town.role(name, &trust, None).await;
        town.set_up("AddUserToGroup", &[("GroupName", name), ("UserName", "full")]).await;
        town.set_up("AddUserToGroup", &[("GroupName", "full"), ("UserName", name)]).await;
        town.set_up("CreateInstanceProfile", &[("InstanceProfileName", name)]).await;
        let profile = [("InstanceProfileName", name), ("RoleName", "full")];
        town.set_up("AddRoleToInstanceProfile", &profile).await;
        for kind in ["User", "Role", "Group"] {
            let of = format!("{kind}Name");
            let put = [(of.as_str(), "full"), ("PolicyName", name), ("PolicyDocument", &document)];
            town.set_up(&format!("Put{kind}Policy"), &put).await;
            let attach = [(of.as_str(), "full"), ("PolicyArn", policy.as_str())];
            town.set_up(&format!("Attach{kind}Policy"), &attach).await;
        }
        // Another key: the last of its exponent's and modulus' digits are others.
        let key = SSH_KEY.replace("kjaZn", if name == "one" { "kjaZl" } else { "kjaZj" });
        let key = [("UserName", "full"), ("SSHPublicKeyBody", key.as_str())];
        town.set_up("UploadSSHPublicKey", &key).await;
        let names = [
            ("certificate".to_owned(), "{certificate}".to_owned()),
            ("key".to_owned(), "{certificate-key}".to_owned()),
        ];
        let filled = scene.fill(&names.into());
        let certificate = [
            ("ServerCertificateName", name),
            ("CertificateBody", filled[0].1.as_str()),
            ("PrivateKey", filled[1].1.as_str()),
        ];
        town.set_up("UploadServerCertificate", &certificate).await;
        Device::new(town, name).await.enable(town, "full").await;
        let own = |kind: &str, last: &str| format!("arn:aws:iam::{HOME}:{kind}/{last}");
        for (action, member, value) in [
            ("TagUser", "UserName", "full".to_owned()),
            ("TagRole", "RoleName", "full".to_owned()),
            ("TagPolicy", "PolicyArn", full.clone()),
            ("TagInstanceProfile", "InstanceProfileName", "full".to_owned()),
            ("TagMFADevice", "SerialNumber", own("mfa", "full")),
            (
                "TagOpenIDConnectProvider",
                "OpenIDConnectProviderArn",
                own("oidc-provider", "idp.test"),
            ),
            ("TagSAMLProvider", "SAMLProviderArn", own("saml-provider", "Corp")),
            ("TagServerCertificate", "ServerCertificateName", "full".to_owned()),
        ] {
            let tag = [("Tags.member.1.Key", name), ("Tags.member.1.Value", "v")];
            town.set_up(action, &[(member, value.as_str()), tag[0], tag[1]]).await;
        }
        let filled = |names: [(&str, &str); 2]| {
            let names = names.map(|(name, it)| (name.to_owned(), it.to_owned()));
            scene.fill(&names.into())
        };
        let ids = filled([("root", "{org-root}"), ("policy", "{org-policy-full}")]);
        let [(_, policy), (_, root)] = ids.as_slice() else { panic!("{ids:?}") };
        let account = json!({"Email": format!("{name}@example.com"), "AccountName": name});
        let made = town.organizations("CreateAccount", &account).await;
        let made = made["CreateAccountStatus"]["AccountId"].as_str().unwrap().to_owned();
        let service = format!("{name}.amazonaws.com");
        let enable = json!({"ServicePrincipal": service});
        town.organizations("EnableAWSServiceAccess", &enable).await;
        let delegate = filled([("one", "{org-delegate}"), ("two", "")])[0].1.clone();
        for (account, service) in [(made, "sso.amazonaws.com"), (delegate, &*service)] {
            let pair = json!({"AccountId": account, "ServicePrincipal": service});
            town.organizations("RegisterDelegatedAdministrator", &pair).await;
        }
        let unit = json!({"ParentId": root, "Name": name});
        let unit = town.organizations("CreateOrganizationalUnit", &unit).await;
        let attach = json!({"PolicyId": policy, "TargetId": unit["OrganizationalUnit"]["Id"]});
        town.organizations("AttachPolicy", &attach).await;
        let of = filled([("account", "{org-account}"), ("unit", "{org-unit-full}")]);
        let [(_, account), (_, unit)] = of.as_slice() else { panic!("{of:?}") };
        let new = json!({
            "Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": allow("*", "*").to_string(),
        });
        let new = town.organizations("CreatePolicy", &new).await;
        let attach = json!({"PolicyId": new["Policy"]["PolicySummary"]["Id"], "TargetId": account});
        town.organizations("AttachPolicy", &attach).await;
        let tags = json!({"ResourceId": unit, "Tags": [{"Key": name, "Value": "v"}]});
        town.organizations("TagResource", &tags).await;
    }
    scene
}
