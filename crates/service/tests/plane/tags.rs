//! Tags on the nouns of IAM: what one request may not say twice.

use serde_json::json;

use crate::support::{HOME, Issuer, Town, allow, trusts};

const TWICE: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";

/// Two tags with these keys.
fn tags(keys: [&'static str; 2]) -> [(&'static str, &'static str); 4] {
    [
        ("Tags.member.1.Key", keys[0]),
        ("Tags.member.1.Value", "v"),
        ("Tags.member.2.Key", keys[1]),
        ("Tags.member.2.Value", "w"),
    ]
}

#[tokio::test]
async fn keys_that_differ_only_in_case_are_refused_wherever_tags_are_put() {
    let idp = Issuer::new("idp.test/realms/heart");
    let town = Town::with(service::settings::Providers::new(
        [(idp.arn(HOME), idp.settings()), (idp.arn(HOME) + "/2", idp.settings())].into(),
    ))
    .await;
    idp.register(&town, &town.admin).await;
    let provider = idp.arn(HOME);
    let trust = trusts(&json!({ "AWS": HOME }), &["sts:AssumeRole"], None).to_string();
    let document = allow("s3:GetObject", "*").to_string();
    town.role("a", &serde_json::from_str(&trust).unwrap(), None).await;
    town.set_up("CreateUser", &[("UserName", "a")]).await;
    town.set_up("CreatePolicy", &[("PolicyName", "a"), ("PolicyDocument", &document)]).await;
    let policy = format!("arn:aws:iam::{HOME}:policy/a");
    let second = format!("https://{}/2", idp.name);
    town.set_up("CreateInstanceProfile", &[("InstanceProfileName", "a")]).await;
    let device = town.set_up("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "a")]).await;
    let device = device.text("SerialNumber");

    let calls: [(&str, &[(&str, &str)]); 12] = [
        ("TagOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &provider)]),
        ("TagRole", &[("RoleName", "a")]),
        ("TagUser", &[("UserName", "a")]),
        ("TagPolicy", &[("PolicyArn", &policy)]),
        ("TagInstanceProfile", &[("InstanceProfileName", "a")]),
        ("TagMFADevice", &[("SerialNumber", &device)]),
        ("CreateOpenIDConnectProvider", &[("Url", &second)]),
        ("CreateRole", &[("RoleName", "b"), ("AssumeRolePolicyDocument", &trust)]),
        ("CreateUser", &[("UserName", "b")]),
        ("CreatePolicy", &[("PolicyName", "b"), ("PolicyDocument", &document)]),
        ("CreateInstanceProfile", &[("InstanceProfileName", "b")]),
        ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "b")]),
    ];
    for (action, input) in calls {
        let with = |keys| [input, &tags(keys)[..]].concat();
        let before = town.plane.world().revision;
        let refused = town.iam(&town.admin, action, &with(["Team", "team"])).await;
        refused.refused(400, "InvalidInput", TWICE);
        assert_eq!(town.plane.world().revision, before, "{action} left nothing behind");
        // The twin, whose keys differ in more than case.
        town.iam(&town.admin, action, &with(["Team", "teams"])).await.ok();
    }
}

#[tokio::test]
async fn a_providers_keys_are_told_apart_by_case_between_requests_and_a_roles_are_not() {
    let idp = Issuer::new("idp.test/realms/heart");
    let providers = [(idp.arn(HOME), idp.settings())].into();
    let town = Town::with(service::settings::Providers::new(providers)).await;
    idp.register(&town, &town.admin).await;
    town.role("a", &trusts(&json!({ "AWS": HOME }), &["sts:AssumeRole"], None), None).await;
    let provider = idp.arn(HOME);
    for (noun, name, value, keys) in [
        ("OpenIDConnectProvider", "OpenIDConnectProviderArn", provider.as_str(), 2),
        ("Role", "RoleName", "a", 1),
    ] {
        for key in ["Team", "team"] {
            let tag = [(name, value), ("Tags.member.1.Key", key), ("Tags.member.1.Value", "v")];
            town.set_up(&format!("Tag{noun}"), &tag).await;
        }
        let listed = town.set_up(&format!("List{noun}Tags"), &[(name, value)]).await;
        assert_eq!(listed.all("Key").len(), keys, "{noun}: {}", listed.body);
    }
}
