//! Federation is set up by the scripts that teams already have.

use acceptance::{
    ACCOUNT, Boto3, Client, Credentials, Federation, OidcProvider, Session, Setup, Tools,
    Vestibule, WebIdentity, aws_cli_script,
};
use serde_json::{Value, json};

fn by_cli(aws: &std::path::Path) {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let arguments = [idp.issuer(), "rs256", idp.thumbprint(), "deployer"];
    let said = aws_cli_script(aws, &server, "set-up-federation.sh", &arguments);
    let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/deployer");
    assert_eq!(said.trim(), role_arn);

    let token = idp.mint("rs256", "carol", Federation::claims("heart"));
    let found = WebIdentity { token: &token, role_arn: &role_arn, session: "carol" };
    let identity = Client::Boto3.who_am_i(&server, &found).unwrap();
    assert_eq!(identity.arn, format!("arn:aws:sts::{ACCOUNT}:assumed-role/deployer/carol"));
}

#[test]
fn by_a_script_for_the_aws_cli_v1() {
    by_cli(&Tools::find().aws_v1());
}

#[test]
fn by_a_script_for_the_aws_cli_v2() {
    by_cli(&Tools::find().aws_v2());
}

#[test]
fn by_boto3_with_users_groups_keys_policies_and_their_end() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);

    // The provider is as it was made, with the scheme off and the thumbprint kept.
    let arn = json!({"OpenIDConnectProviderArn": federation.provider_arn});
    let provider = admin.ok("iam", "get_open_id_connect_provider", arn.clone());
    assert_eq!(provider["Url"], idp.host());
    assert_eq!(provider["ClientIDList"], json!(["rs256", "es256"]));
    assert_eq!(provider["ThumbprintList"], json!([idp.thumbprint()]));
    let mut with_client = arn.clone();
    with_client["ClientID"] = json!("third");
    admin.ok("iam", "add_client_id_to_open_id_connect_provider", with_client);
    let provider = admin.ok("iam", "get_open_id_connect_provider", arn);
    assert_eq!(provider["ClientIDList"], json!(["rs256", "es256", "third"]));

    a_user_with_a_group_and_a_key(&boto3, &admin);
    versions_of_a_managed_policy(&admin);
    a_role_with_a_boundary_and_its_end(&admin);
    pages(&admin);
}

fn a_user_with_a_group_and_a_key(boto3: &Boto3, admin: &Session) {
    admin.ok("iam", "create_user", json!({"UserName": "dora", "Path": "/people/"}));
    admin.ok("iam", "create_group", json!({"GroupName": "readers"}));
    admin.ok("iam", "add_user_to_group", json!({"GroupName": "readers", "UserName": "dora"}));
    let key = Credentials::of(&admin.ok("iam", "create_access_key", json!({"UserName": "dora"})));
    let dora = boto3.signed(&key);
    let who = dora.ok("sts", "get_caller_identity", json!({}));
    assert_eq!(who["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/people/dora"));

    let role = json!({"RoleName": "developer"});
    let denied = dora.refused("iam", "get_role", role.clone());
    let text = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/people/dora is not authorized to perform: iam:GetRole on \
         resource: arn:aws:iam::{ACCOUNT}:role/developer because no identity-based policy allows the \
         iam:GetRole action"
    );
    assert_eq!(denied.said(), ("AccessDenied", text.as_str()));
    assert_eq!(denied.status, 403);
    let reads = statement("Allow", "iam:GetRole");
    admin.ok(
        "iam",
        "put_group_policy",
        json!({"GroupName": "readers", "PolicyName": "reads", "PolicyDocument": reads.to_string()}),
    );
    dora.ok("iam", "get_role", role);

    let keys = json!({"UserName": "dora", "AccessKeyId": key.access_key_id, "Status": "Inactive"});
    admin.ok("iam", "update_access_key", keys);
    let refusal = dora.refused("sts", "get_caller_identity", json!({}));
    assert_eq!(
        refusal.said(),
        ("InvalidClientTokenId", "The security token included in the request is invalid.")
    );
}

fn versions_of_a_managed_policy(admin: &Session) {
    let document = statement("Allow", "iam:ListRoles").to_string();
    let made = admin.ok(
        "iam",
        "create_policy",
        json!({"PolicyName": "listing", "PolicyDocument": document}),
    );
    let arn = made["Policy"]["Arn"].as_str().unwrap();
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:policy/listing"));
    let version = json!({"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": true});
    for expected in ["v2", "v3", "v4", "v5"] {
        let made = admin.ok("iam", "create_policy_version", version.clone());
        assert_eq!(made["PolicyVersion"]["VersionId"], expected);
    }
    let refusal = admin.refused("iam", "create_policy_version", version);
    assert_eq!(
        refusal.said(),
        (
            "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, you must \
             delete an existing version."
        )
    );
    assert_eq!(refusal.status, 409);
}

fn a_role_with_a_boundary_and_its_end(admin: &Session) {
    let role = json!({"RoleName": "passing"});
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/listing");
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "sts:AssumeRole",
    }]});
    let mut create = role.clone();
    create["AssumeRolePolicyDocument"] = json!(trust.to_string());
    create["PermissionsBoundary"] = json!(arn);
    admin.ok("iam", "create_role", create.clone());
    let again = admin.refused("iam", "create_role", create);
    assert_eq!(again.said(), ("EntityAlreadyExists", "Role with name passing already exists."));
    assert_eq!(again.status, 409);

    let mut attach = role.clone();
    attach["PolicyArn"] = json!(arn);
    admin.ok("iam", "attach_role_policy", attach.clone());
    let refusal = admin.refused("iam", "delete_role", role.clone());
    assert_eq!(
        refusal.said(),
        ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    );
    admin.ok("iam", "detach_role_policy", attach);
    admin.ok("iam", "delete_role", role.clone());
    let gone = admin.refused("iam", "get_role", role);
    assert_eq!(gone.said(), ("NoSuchEntity", "The role with name passing cannot be found."));
    assert_eq!(gone.status, 404);
}

fn pages(admin: &Session) {
    let mut seen = Vec::new();
    let mut request = json!({"MaxItems": 1});
    loop {
        let page = admin.ok("iam", "list_roles", request.clone());
        let roles = page["Roles"].as_array().unwrap();
        assert_eq!(roles.len(), 1);
        seen.extend(roles.iter().map(|role| role["RoleName"].as_str().unwrap().to_owned()));
        if page["IsTruncated"] == json!(false) {
            break;
        }
        request["Marker"] = page["Marker"].clone();
    }
    seen.sort();
    assert_eq!(seen, ["developer", "heart-app", "lightning-app", "sun-app"]);
}

fn statement(effect: &str, action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": effect, "Action": action, "Resource": "*",
    }]})
}
