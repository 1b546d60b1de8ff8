//! What `explain` says of real refusals: why, and what to change. One line each in
//! `corpus/explain/calls/`; `UPDATE_CORPUS=1 cargo test -p service --test plane stories` writes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use policy::AccountId;
use serde_json::{Value, json};
use service::explain;

use crate::saml::{self, ALL};
use crate::saml_idp;
use crate::support::{AWAY, Device, HOME, Keys, Reply, Town, allow, trusts};

/// Whose roles `corpus/saml/` asks for.
const SAML_HOME: &str = "123456789012";

/// Every refusal of `corpus/saml/` names what to mend.
#[tokio::test]
async fn refusals_of_assertions() {
    let town = Town::new().await;
    saml::turn_clock(&town);
    let admin = town.account(SAML_HOME).await;
    let key = saml_idp::file("keys/sp.key");
    let metadata = saml::metadata(&["idp"]);
    let provider =
        [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str()), ("AddPrivateKey", &key)];
    let provider =
        town.iam(&admin, "CreateSAMLProvider", &provider).await.ok().text("SAMLProviderArn");
    let trust = trusts(&json!({"Federated": provider}), &ALL, None);
    let role = town.role_of(&admin, "deploy", &trust, None).await;
    let mut told = String::new();
    for (name, case) in saml_cases() {
        let recipe = serde_json::from_value(case["recipe"].clone()).unwrap();
        let response = STANDARD.encode(saml_idp::make(&recipe));
        let input =
            [("RoleArn", role.as_str()), ("PrincipalArn", &provider), ("SAMLAssertion", &response)];
        let reply = town.call(None, "sts", "AssumeRoleWithSAML", &input).await;
        if reply.status != 200 {
            tell(&mut told, &name, &reply);
        }
    }
    hold("saml.txt", &told);
}

/// Of the rest of what people run into: chains, sessions, second factors, boundaries, organizations.
#[tokio::test]
async fn refusals_of_calls() {
    let town = Town::new().await;
    let mut told = String::new();
    chains(&town, &mut told).await;
    sessions(&town, &mut told).await;
    second_factors(&town, &mut told).await;
    delegation(&town, &mut told).await;
    organizations(&town, &mut told).await;
    hold("calls.txt", &told);
}

const ASSUME: [&str; 3] = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];

async fn assume(town: &Town, keys: &Keys, role: &str, more: &[(&str, &str)]) -> Reply {
    let mut input = vec![("RoleArn", role), ("RoleSessionName", "s1")];
    input.extend_from_slice(more);
    town.sts(keys, "AssumeRole", &input).await
}

async fn chains(town: &Town, told: &mut String) {
    let home = json!({"AWS": HOME});
    let anna = town.user("anna", Some(&allow("sts:*", "*"))).await;
    let role = town.role("hub", &trusts(&home, &ASSUME, None), Some(&allow("sts:*", "*"))).await;
    let tags = [
        ("Tags.member.1.Key", "project"),
        ("Tags.member.1.Value", "heart"),
        ("TransitiveTagKeys.member.1", "project"),
        ("SourceIdentity", "anna"),
    ];
    let hub = assume(town, &anna, &role, &tags).await.ok().keys();
    for (name, more) in [
        ("a chain longer than an hour", ["DurationSeconds", "7200"].as_slice()),
        ("another source identity", &["SourceIdentity", "eve"]),
        ("a transitive tag again", &["Tags.member.1.Key", "project", "Tags.member.1.Value", "sun"]),
    ] {
        let more: Vec<_> = more.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        tell(told, name, &assume(town, &hub, &role, &more).await);
    }

    let external = json!({"StringEquals": {"sts:ExternalId": "4711"}});
    let partner = town.role("partner", &trusts(&home, &ASSUME, Some(external)), None).await;
    tell(told, "no external id", &assume(town, &anna, &partner, &[]).await);
    let wrong = assume(town, &anna, &partner, &[("ExternalId", "4712")]).await;
    tell(told, "a wrong external id", &wrong);
    let plain = town.role("plain", &trusts(&home, &ASSUME[..1], None), None).await;
    tell(told, "a source identity without leave", &assume(town, &anna, &plain, &tags[3..]).await);
    tell(told, "tags without leave", &assume(town, &anna, &plain, &tags[..2]).await);
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/project": "sun"}});
    let sun = town.role("sun", &trusts(&home, &ASSUME, Some(tagged)), None).await;
    tell(told, "an inherited tag that does not fit", &assume(town, &hub, &sun, &[]).await);
    let away = town.account(AWAY).await;
    let bert = town.user_of(&away, "bert", None).await;
    let both = trusts(&json!({"AWS": AWAY}), &ASSUME, None);
    let shared = town.role("shared", &both, None).await;
    tell(told, "only the role's account agrees", &assume(town, &bert, &shared, &[]).await);
}

async fn sessions(town: &Town, told: &mut String) {
    let list = allow("iam:ListUsers", "*");
    let carl = town.user("carl", Some(&allow(json!(["iam:*", "sts:*"]), "*"))).await;
    let trust = trusts(&json!({"AWS": HOME}), &ASSUME, None);
    let role = town.role("worker", &trust, Some(&allow("iam:*", "*"))).await;
    let narrow = list.to_string();
    let narrowed = assume(town, &carl, &role, &[("Policy", &narrow)]).await.ok().keys();
    tell(told, "more than a session policy has", &town.iam(&narrowed, "ListRoles", &[]).await);
    let vouched = [("Name", "guest"), ("Policy", narrow.as_str())];
    let guest = town.sts(&carl, "GetFederationToken", &vouched).await.ok().keys();
    tell(told, "a federated user calls IAM", &town.iam(&guest, "ListUsers", &[]).await);
    tell(told, "a session makes a session", &town.sts(&guest, "GetSessionToken", &[]).await);
    let worker = assume(town, &carl, &role, &[]).await.ok().keys();
    town.pass(60);
    let cut = jiff::Timestamp::from_second(town.now()).unwrap().to_string();
    let mut revoked = allow("*", "*");
    revoked["Statement"][0]["Effect"] = json!("Deny");
    revoked["Statement"][0]["Condition"] = json!({"DateLessThan": {"aws:TokenIssueTime": cut}});
    let text = revoked.to_string();
    let put = [("RoleName", "worker"), ("PolicyName", "revoke"), ("PolicyDocument", text.as_str())];
    town.set_up("PutRolePolicy", &put).await;
    tell(told, "a revoked session", &town.iam(&worker, "ListUsers", &[]).await);
    for policy in ["own", "revoke"] {
        town.set_up("DeleteRolePolicy", &[("RoleName", "worker"), ("PolicyName", policy)]).await;
    }
    town.set_up("DeleteRole", &[("RoleName", "worker")]).await;
    tell(told, "a session of a deleted role", &town.iam(&worker, "ListUsers", &[]).await);
    town.pass(43_200);
    tell(told, "an expired session", &town.iam(&guest, "ListUsers", &[]).await);
}

async fn second_factors(town: &Town, told: &mut String) {
    let mut policy = allow(json!(["iam:ListUsers", "sts:*"]), "*");
    policy["Statement"][0]["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let dora = town.user("dora", Some(&policy)).await;
    let device = Device::new(town, "phone").await;
    device.enable(town, "dora").await;
    town.pass(60);
    tell(told, "no second factor", &town.iam(&dora, "ListUsers", &[]).await);
    let plain = town.sts(&dora, "GetSessionToken", &[]).await.ok().keys();
    tell(told, "IAM without a second factor", &town.iam(&plain, "ListUsers", &[]).await);
    let code = device.code(town, 0);
    let input = [("SerialNumber", device.serial.as_str()), ("TokenCode", code.as_str())];
    let proven = town.sts(&dora, "GetSessionToken", &input).await.ok().keys();
    tell(told, "a code again", &town.sts(&dora, "GetSessionToken", &input).await);
    policy["Statement"][0]["Condition"] =
        json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}});
    let text = policy.to_string();
    let put = [("UserName", "dora"), ("PolicyName", "own"), ("PolicyDocument", text.as_str())];
    town.set_up("PutUserPolicy", &put).await;
    town.pass(1000);
    tell(told, "a second factor of long ago", &town.iam(&proven, "ListUsers", &[]).await);
}

async fn delegation(town: &Town, told: &mut String) {
    let boundary = allow("iam:Get*", "*").to_string();
    let made = [("PolicyName", "limit"), ("PolicyDocument", boundary.as_str())];
    let limit = town.set_up("CreatePolicy", &made).await.text("Arn");
    let mut may = allow(json!(["iam:CreateUser", "iam:PutUserPolicy"]), "*");
    may["Statement"][0]["Condition"] = json!({"StringEquals": {"iam:PermissionsBoundary": limit}});
    let emma = town.user("emma", Some(&may)).await;
    let made = town.iam(&emma, "CreateUser", &[("UserName", "fred")]).await;
    tell(told, "a new user without the boundary", &made);
    let fred = [("UserName", "fred"), ("PermissionsBoundary", limit.as_str())];
    town.iam(&emma, "CreateUser", &fred).await.ok();
    let wide = allow("*", "*").to_string();
    let put = [("UserName", "fred"), ("PolicyName", "own"), ("PolicyDocument", wide.as_str())];
    town.iam(&emma, "PutUserPolicy", &put).await.ok();
    let fred = town.key_of(&town.admin, "fred").await;
    tell(told, "more than the boundary", &town.iam(&fred, "ListUsers", &[]).await);

    let gina = town.user("gina", Some(&allow("iam:AddRoleToInstanceProfile", "*"))).await;
    let trust = trusts(&json!({"Service": "ec2.amazonaws.com"}), &ASSUME[..1], None);
    town.role("machine", &trust, None).await;
    town.set_up("CreateInstanceProfile", &[("InstanceProfileName", "m")]).await;
    let add = [("InstanceProfileName", "m"), ("RoleName", "machine")];
    let added = town.iam(&gina, "AddRoleToInstanceProfile", &add).await;
    tell(told, "a role that may not be passed", &added);
    let delete = [("UserName", "fred")];
    tell(told, "a user who still has things", &town.iam(&town.admin, "DeleteUser", &delete).await);
}

async fn organizations(town: &Town, told: &mut String) {
    let deny = json!({"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:List*", "sts:*"], "Resource": "*"}, deny]});
    let mut rcp =
        json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"});
    rcp["Condition"] = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}});
    let rcp = json!({"Version": "2012-10-17", "Statement": rcp});
    let wanted = json!({
        "scps": [[{"name": "guard", "document": document}]],
        "rcps": [[{"name": "perimeter", "document": rcp}]],
    });
    let wanted = serde_json::from_value(wanted).unwrap();
    town.plane.guard(AccountId::parse(HOME).unwrap(), wanted).await.unwrap();
    let denied = town.iam(&town.admin, "ListRoles", &[]).await;
    tell(told, "an organization denies", &denied);
    let unsaid = town.iam(&town.admin, "GetAccountSummary", &[]).await;
    tell(told, "an organization does not allow", &unsaid);
    let hub = format!("arn:aws:iam::{HOME}:role/hub");
    tell(told, "an organization's perimeter", &assume(town, &town.admin, &hub, &[]).await);
}

fn tell(to: &mut String, name: &str, reply: &Reply) {
    let story = explain::story(&reply.event());
    writeln!(to, "{name}").unwrap();
    let mut line = |label: &str, text: String| writeln!(to, "  {label:<8}{text}").unwrap();
    assert_ne!(reply.status, 200, "{name} is allowed");
    let (code, message) = story.answered.unwrap();
    line("answer", format!("{code}: {message}"));
    if let Some(cause) = story.cause {
        let hint = cause.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        line("why", format!("[{}] {}{hint}", cause.code, cause.text));
    }
    if let Some(change) = story.change {
        line("change", change.text);
        change.json.into_iter().for_each(|json| line("json", json.to_string()));
    }
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a developer's switch to write expectations")]
fn hold(file: &str, told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/explain/calls").join(file);
    if std::env::var("UPDATE_CORPUS").is_ok() {
        std::fs::write(&path, told).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let same = told.lines().zip(written.lines()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| text.lines().skip(same).take(3).map(str::to_owned).collect::<Vec<_>>();
    assert!(told == written, "line {same}: {:#?}, not {:#?}", from(told), from(&written));
}

/// The cases for a provider like everybody's, by name.
fn saml_cases() -> Vec<(String, Value)> {
    let json = |path: &PathBuf| path.extension().is_some_and(|it| it == "json");
    let within = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let folders = within(&saml_idp::corpus()).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| within(&folder)).filter(json);
    let cases = files.map(|path| {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        (format!("{folder}/{}", case["case"].as_str().unwrap()), case)
    });
    let usual = |provider: &Value| {
        provider.as_object().is_none_or(|it| it.keys().all(|member| member == "keys"))
    };
    cases
        .filter(|(_, case)| {
            usual(&case["provider"]) && case["expect"]["strict"] != json!("accepted")
        })
        .collect()
}
