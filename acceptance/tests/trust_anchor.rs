//! Who vouches for the provider's certificate: a configured authority, or the thumbprint that IAM has.

use acceptance::{Answer, Authority, Boto3, Federation, OidcProvider, Setup, Vestibule, post_form};
use serde_json::json;

fn exchange(server: &Vestibule, federation: &Federation, token: &str) -> Answer {
    post_form(
        server.url(),
        &[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &federation.role_arn),
            ("RoleSessionName", "alice"),
            ("WebIdentityToken", token),
        ],
    )
}

#[test]
fn the_thumbprint_alone_is_enough_and_a_wrong_one_is_not() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::reaching(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);
    let token = idp.mint("es256", "alice", Federation::claims("heart"));
    let answer = exchange(&server, &federation, &token);
    assert_eq!(answer.status, 200, "{}", answer.body);

    let strange = Authority::new();
    let change = json!({
        "OpenIDConnectProviderArn": federation.provider_arn,
        "ThumbprintList": [strange.thumbprint()],
    });
    admin.ok("iam", "update_open_id_connect_provider_thumbprint", change);
    // The provider changed: neither its cached keys nor a verified token outlive that.
    let answer = exchange(&server, &federation, &token);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.element("Code").as_deref(), Some("InvalidIdentityToken"));
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint")
    );
}

#[test]
fn a_provider_inside_is_not_reached_unless_the_configuration_says_so() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    let token = idp.mint("es256", "alice", Federation::claims("heart"));
    let answer = exchange(&server, &federation, &token);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.element("Code").as_deref(), Some("IDPCommunicationError"));
}

#[test]
fn another_accounts_registration_of_the_same_issuer_opens_nothing_here() {
    const OTHER: &str = "444455556666";
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let there = boto3.signed(&server.create_account(OTHER));
    there.ok(
        "iam",
        "create_open_id_connect_provider",
        json!({"Url": idp.issuer(), "ClientIDList": ["rs256"], "ThumbprintList": [idp.thumbprint()]}),
    );
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let here = boto3.signed(server.admin());
    here.ok("iam", "create_role", json!({
        "RoleName": "developer",
        "AssumeRolePolicyDocument": json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::{}:oidc-provider/{}", acceptance::ACCOUNT, idp.host())},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {"StringEquals": {format!("{}:aud", idp.host()): "rs256"}},
        }]}).to_string(),
    }));
    let refusal = boto3.anonymous().refused(
        "sts",
        "assume_role_with_web_identity",
        json!({
            "RoleArn": format!("arn:aws:iam::{}:role/developer", acceptance::ACCOUNT),
            "RoleSessionName": "alice",
            "WebIdentityToken": token,
        }),
    );
    let message = format!("No OpenIDConnect provider found in your account for {}", idp.issuer());
    assert_eq!(refusal.said(), ("InvalidIdentityToken", message.as_str()));
}
