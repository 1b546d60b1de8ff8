//! Every call leaves an event: what CloudTrail's clients see of it, and what a denied caller can have
//! decoded.

use acceptance::{ACCOUNT, Boto3, Federation, OidcProvider, Setup, Vestibule};
use serde_json::{Value, json};

fn events(session: &acceptance::Session, name: &str) -> Vec<Value> {
    let attributes = json!([{"AttributeKey": "EventName", "AttributeValue": name}]);
    let found = session.ok("cloudtrail", "lookup_events", json!({"LookupAttributes": attributes}));
    let events = found["Events"].as_array().unwrap();
    events
        .iter()
        .map(|event| serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap())
        .collect()
}

#[test]
fn a_denial_and_an_issue_are_looked_up_and_never_hold_a_secret() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let credentials = federation.assume(&boto3.anonymous(), &token, "alice");
    let alice = boto3.signed(&credentials);
    let denied = alice.refused("iam", "get_role", json!({"RoleName": "sun-app"}));

    let issued = events(&admin, "AssumeRoleWithWebIdentity");
    let issued = &issued[0];
    assert_eq!(issued["eventSource"], "sts.amazonaws.com");
    assert_eq!(issued["userIdentity"]["type"], "WebIdentityUser");
    assert_eq!(issued["userIdentity"]["identityProvider"], federation.provider_arn);
    assert_eq!(issued["userIdentity"]["userName"], "alice");
    assert_eq!(issued["requestParameters"]["roleArn"], federation.role_arn);
    assert_eq!(issued["responseElements"]["credentials"]["accessKeyId"], credentials.access_key_id);
    assert_eq!(issued["recipientAccountId"], ACCOUNT);
    assert!(issued.get("errorCode").is_none(), "{issued}");

    let refused = events(&admin, "GetRole");
    let refused = &refused[0];
    assert_eq!(refused["errorCode"], "AccessDenied");
    assert_eq!(refused["errorMessage"], denied.message);
    assert_eq!(refused["requestID"], denied.headers["x-amzn-requestid"]);
    let identity = &refused["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/developer/alice"));
    assert_eq!(identity["accessKeyId"], credentials.access_key_id);

    let all = format!("{issued}{refused}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in [
        signature,
        &credentials.secret_access_key,
        credentials.session_token.as_deref().unwrap(),
        &server.admin().secret_access_key,
    ] {
        assert!(!all.contains(secret), "a secret is in the log book: {all}");
    }
}

#[test]
fn a_session_may_not_read_the_log_book_unless_it_is_allowed_to() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let alice = boto3.signed(&federation.assume(&boto3.anonymous(), &token, "alice"));
    let refusal = alice.refused("cloudtrail", "lookup_events", json!({}));
    assert_eq!(refusal.code, "AccessDeniedException");
    assert!(
        refusal.message.ends_with(
            "because no identity-based policy allows the cloudtrail:LookupEvents action"
        ),
        "{}",
        refusal.message
    );
}

#[test]
fn a_denials_message_is_decoded_for_those_who_may() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);
    let token = idp.mint("es256", "alice", Federation::claims("heart"));
    let alice = boto3.signed(&federation.assume(&boto3.anonymous(), &token, "alice"));
    let denied = alice.refused("iam", "get_role", json!({"RoleName": "sun-app"}));
    let (_, message) = denied
        .headers
        .iter()
        .find(|(name, _)| name.contains("authorization-message"))
        .unwrap_or_else(|| panic!("no encoded message among {:?}", denied.headers));

    let decoded =
        admin.ok("sts", "decode_authorization_message", json!({"EncodedMessage": message}));
    let decoded: Value = serde_json::from_str(decoded["DecodedMessage"].as_str().unwrap()).unwrap();
    assert_eq!(decoded["allowed"], false);
    assert_eq!(decoded["explicitDeny"], false);
    assert_eq!(decoded["matchedStatements"]["items"], json!([]));
    let context = &decoded["context"];
    assert_eq!(context["action"], "iam:GetRole");
    assert_eq!(context["resource"], format!("arn:aws:iam::{ACCOUNT}:role/sun-app"));
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/developer/alice");
    assert_eq!(context["principal"]["arn"], arn);
    let tag = json!({
        "key": "aws:PrincipalTag/access-project",
        "values": {"items": [{"value": "heart"}]},
    });
    assert!(context["conditions"]["items"].as_array().unwrap().contains(&tag), "{context}");

    let not_hers =
        alice.refused("sts", "decode_authorization_message", json!({"EncodedMessage": message}));
    assert_eq!(not_hers.code, "AccessDenied");
    let mut broken = message.clone();
    broken.replace_range(20..21, if broken.as_bytes()[20] == b'A' { "B" } else { "A" });
    let refusal =
        admin.refused("sts", "decode_authorization_message", json!({"EncodedMessage": broken}));
    assert_eq!(refusal.code, "InvalidAuthorizationMessageException");
    assert_eq!(refusal.status, 400);
}
