//! Multi-factor authentication with an authenticator app that is not ours: it scans the picture that
//! CreateVirtualMFADevice gives, and its codes open what only codes open.

use acceptance::{ACCOUNT, Authenticator, Boto3, Credentials, Session, Setup, Vestibule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn policy(action: &str, resource: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Opens for who showed a code within the last hour.
fn vault(admin: &Session<'_>) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": "sts:AssumeRole",
        "Condition": {
            "Bool": {"aws:MultiFactorAuthPresent": true},
            "NumericLessThan": {"aws:MultiFactorAuthAge": 3600},
        },
    }]});
    let role = json!({"RoleName": "vault", "AssumeRolePolicyDocument": trust.to_string()});
    admin.ok("iam", "create_role", role)["Role"]["Arn"].as_str().unwrap().to_owned()
}

#[test]
fn an_authenticator_app_scans_the_picture_and_its_codes_count_once() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let role = vault(&admin);
    admin.ok("iam", "create_user", json!({"UserName": "anna"}));
    let leave = policy("sts:AssumeRole", &role);
    let leave = json!({"UserName": "anna", "PolicyName": "p", "PolicyDocument": leave});
    admin.ok("iam", "put_user_policy", leave);
    let key = admin.ok("iam", "create_access_key", json!({"UserName": "anna"}));
    let anna = boto3.signed(&Credentials::of(&key));

    let made =
        admin.ok("iam", "create_virtual_mfa_device", json!({"VirtualMFADeviceName": "phone"}));
    let device = &made["VirtualMFADevice"];
    let app = Authenticator::start();
    let scanned = app.scan(device["QRCodePNG"].as_str().unwrap());
    let seed = STANDARD.decode(device["Base32StringSeed"].as_str().unwrap()).unwrap();
    assert_eq!(scanned.seed.as_bytes(), seed, "the picture and the text are one seed");
    assert_eq!(scanned.name, format!("phone@{ACCOUNT}"));
    assert!(scanned.address.starts_with("otpauth://totp/"), "{}", scanned.address);

    let serial = device["SerialNumber"].as_str().unwrap();
    let [last, now, next] = &scanned.codes;
    let enable = |codes: [&String; 2]| {
        json!({
            "UserName": "anna", "SerialNumber": serial,
            "AuthenticationCode1": codes[0], "AuthenticationCode2": codes[1],
        })
    };
    let reversed = admin.refused("iam", "enable_mfa_device", enable([now, last]));
    assert_eq!(reversed.code, "InvalidAuthenticationCode");
    admin.ok("iam", "enable_mfa_device", enable([last, now]));

    let knock = json!({"RoleArn": role, "RoleSessionName": "anna"});
    let refusal = anna.refused("sts", "assume_role", knock.clone());
    let text = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/anna is not authorized to perform: sts:AssumeRole on \
         resource: {role}"
    );
    assert_eq!(refusal.said(), ("AccessDenied", text.as_str()));

    let show = |code: &str| json!({"SerialNumber": serial, "TokenCode": code});
    let session = anna.ok("sts", "get_session_token", show(next));
    let with_code = boto3.signed(&Credentials::of(&session));
    let inside = with_code.ok("sts", "assume_role", knock);
    let who = boto3.signed(&Credentials::of(&inside)).ok("sts", "get_caller_identity", json!({}));
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/vault/anna"));

    // The code was shown: neither it nor one before it is taken again.
    for used in [next, now] {
        let refusal = anna.refused("sts", "get_session_token", show(used));
        let text = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
        assert_eq!(refusal.said(), ("AccessDenied", text), "{used}");
    }
    let devices = admin.ok("iam", "list_mfa_devices", json!({"UserName": "anna"}));
    assert_eq!(devices["MFADevices"][0]["SerialNumber"], Value::from(serial));
}
