use serde_json::json;

use super::*;

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn parse(name: &str, text: &str) -> Result<Seed, Faulty> {
    Seed::parse(Path::new(name), text, account("111122223333"))
}

const TOML: &str = r#"
[[oidc_provider]]
url = "https://idp.example"
client_ids = ["app"]

[[policy]]
name = "read"
path = "/team/"
document = { Version = "2012-10-17", Statement = [] }

[[user]]
name = "ann"
access_key = true
groups = ["staff"]

[[group]]
name = "staff"
policies = ["read", "arn:aws:iam::aws:policy/ReadOnlyAccess"]

[[role]]
name = "developer"
account = "444455556666"
trust = "{}"
max_session = 7200
boundary = "read"
tags = { access-project = "heart" }
inline = { one = "{}" }
"#;

#[test]
fn a_seed_is_a_list_of_calls_in_an_order_that_works() {
    let seed = parse("s.toml", TOML).unwrap();
    let told: Vec<String> =
        seed.steps().iter().map(|step| format!("{} {}", step.action, step.about)).collect();
    assert_eq!(
        told,
        [
            "CreateOpenIDConnectProvider OIDC provider https://idp.example",
            "CreatePolicy policy read",
            "CreateGroup group staff",
            "AttachGroupPolicy group staff",
            "AttachGroupPolicy group staff",
            "CreateUser user ann",
            "CreateAccessKey user ann",
            "AddUserToGroup user ann",
            "CreateRole role developer",
            "PutRolePolicy role developer",
        ]
    );
    let attach = &seed.steps()[3].input;
    assert_eq!(attach["PolicyArn"], "arn:aws:iam::111122223333:policy/team/read");
    assert_eq!(seed.steps()[4].input["PolicyArn"], "arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert!(seed.steps()[6].only_if_new && !seed.steps()[5].only_if_new);
    let role = &seed.steps()[8];
    assert_eq!(role.account, account("444455556666"));
    assert_eq!(role.input["Tags"], json!([{ "Key": "access-project", "Value": "heart" }]));
    assert_eq!(role.input["MaxSessionDuration"], 7200);
    let boundary = "arn:aws:iam::444455556666:policy/read";
    assert_eq!(role.input["PermissionsBoundary"], boundary, "the name is of the role's account");
}

#[test]
fn json_says_the_same_as_toml() {
    let text = r#"{"role": [{"name": "r", "trust": {"Version": "2012-10-17"}}]}"#;
    let toml = "[[role]]\nname = \"r\"\ntrust = { Version = \"2012-10-17\" }\n";
    let (json, toml) = (parse("s.json", text).unwrap(), parse("s.toml", toml).unwrap());
    assert_eq!(json.steps(), toml.steps());
    let document = &json.steps()[0].input["AssumeRolePolicyDocument"];
    assert_eq!(document, r#"{"Version":"2012-10-17"}"#);
}

#[test]
fn what_a_seed_may_not_say_is_refused_at_its_place() {
    let told = parse("s.toml", "[[role]]\nname = \"r\"\ntrsut = \"{}\"\n").unwrap_err().to_string();
    assert!(told.starts_with("s.toml:3:1: unknown field `trsut`"), "{told}");
    let told = parse("s.json", "{\n \"rolls\": []\n}").unwrap_err().to_string();
    assert!(told.starts_with("s.json:2:8: unknown field `rolls`"), "{told}");
    let told = parse("s.json", "{\"account\": \"1\"}").unwrap_err().to_string();
    assert!(told.starts_with("s.json:1:16:"), "{told}");
}

#[test]
fn a_document_may_lie_in_a_file_beside_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("s.toml");
    let text = "[[role]]\nname = \"r\"\ntrust = { file = \"trust.json\" }\n";
    std::fs::write(&seed, text).unwrap();
    let told = Seed::read(&seed, account("111122223333")).unwrap_err().to_string();
    assert!(told.contains("role r: ") && told.contains("trust.json"), "{told}");

    std::fs::write(folder.path().join("trust.json"), "{\"a\":1}").unwrap();
    let first = Seed::read(&seed, account("111122223333")).unwrap();
    assert_eq!(first.steps()[0].input["AssumeRolePolicyDocument"], "{\"a\":1}");
    std::fs::write(folder.path().join("trust.json"), "{}").unwrap();
    let second = Seed::read(&seed, account("111122223333")).unwrap();
    assert_ne!(first.digest, second.digest, "a changed document is another seed");
}

#[test]
fn an_applied_seed_is_remembered_until_the_folder_is_wiped() {
    let root = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(&root.path().join("d")).unwrap();
    let seed = parse("s.toml", TOML).unwrap();
    assert!(!seed.is_applied(&folder));
    seed.mark_applied(&folder).unwrap();
    assert!(seed.is_applied(&folder));
    assert!(!parse("s.toml", "").unwrap().is_applied(&folder));
    folder.wipe(&folder.lock().unwrap()).unwrap();
    assert!(!seed.is_applied(&folder));
}

#[test]
fn the_documented_example_is_a_seed() {
    let docs = include_str!("../../../../docs/seed.md");
    let example = docs.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let example = example.replace("{ file = \"project-access.json\" }", "\"{}\"");
    let seed = parse("s.toml", &example).unwrap();
    let role = seed.steps().iter().find(|step| step.action == "CreateRole").unwrap();
    let trust = role.input["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(trust.contains("sts:TagSession"), "{trust}");
}
