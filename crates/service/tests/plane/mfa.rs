//! MFA devices: enabled by real codes, shown to STS, and never believed twice.

use serde_json::json;

use crate::support::{Device, HOME, Keys, Reply, Town, allow, trusts};

const INVALID: &str = "Authentication code for device is not valid.";
const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
const NOT_OURS: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
const BOTH: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid";

async fn enable(town: &Town, device: &Device, user: &str, codes: [&str; 2]) -> Reply {
    let input = [
        ("UserName", user),
        ("SerialNumber", device.serial.as_str()),
        ("AuthenticationCode1", codes[0]),
        ("AuthenticationCode2", codes[1]),
    ];
    town.iam(&town.admin, "EnableMFADevice", &input).await
}

async fn session(town: &Town, keys: &Keys, device: &Device, code: &str) -> Reply {
    let input = [("SerialNumber", device.serial.as_str()), ("TokenCode", code)];
    town.sts(keys, "GetSessionToken", &input).await
}

#[tokio::test]
async fn a_device_is_made_enabled_listed_and_deleted() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let device = Device::new(&town, "phone").await;
    assert_eq!(device.serial, format!("arn:aws:iam::{HOME}:mfa/phone"));
    let input = [("VirtualMFADeviceName", "phone")];
    let twice = town.iam(&town.admin, "CreateVirtualMFADevice", &input).await;
    let text = "MFADevice entity at the same path and name already exists.";
    twice.refused(409, "EntityAlreadyExists", text);
    let elsewhere = [("VirtualMFADeviceName", "phone"), ("Path", "/heart/")];
    let made = town.set_up("CreateVirtualMFADevice", &elsewhere).await;
    let event = serde_json::to_string(&made.event()).unwrap();
    assert!(!event.contains(&made.text("Base32StringSeed")), "the seed is told to nobody else");
    assert!(!event.contains("QRCode") && made.text("QRCodePNG").starts_with("iVBORw0KGgo"));

    let one = [("UserName", "anna")];
    let none = town.set_up("ListMFADevices", &one).await;
    assert!(none.body.contains("<MFADevices/><IsTruncated>false</IsTruncated>"));
    let same = device.code(&town, 0);
    let far = [device.code(&town, 30), device.code(&town, 31)];
    let reversed = [device.code(&town, 1), device.code(&town, 0)];
    for codes in [[&same, &same], [&far[0], &far[1]], [&reversed[0], &reversed[1]]] {
        let codes = [codes[0].as_str(), codes[1]];
        let reply = enable(&town, &device, "anna", codes).await;
        reply.refused(403, "InvalidAuthenticationCode", INVALID);
    }
    device.enable(&town, "anna").await;
    let again = enable(&town, &device, "admin", ["000000", "000000"]).await;
    assert_eq!((again.status, again.text("Code")), (409, "EntityAlreadyExists".to_owned()));
    let listed = town.set_up("ListMFADevices", &one).await;
    assert_eq!(listed.all("SerialNumber"), [device.serial.as_str()]);
    assert_eq!(listed.text("EnableDate"), "2026-01-01T00:00:00Z");
    let serial = ("SerialNumber", device.serial.as_str());
    let read = town.set_up("GetMFADevice", &[one[0], serial]).await;
    assert_eq!(read.text("UserName"), "anna");
    for (status, count) in [("Assigned", 1), ("Unassigned", 1), ("Any", 2)] {
        let listed = town.set_up("ListVirtualMFADevices", &[("AssignmentStatus", status)]).await;
        assert_eq!(listed.all("SerialNumber").len(), count, "{status}");
    }

    // It follows its user to another name.
    town.set_up("UpdateUser", &[one[0], ("NewUserName", "berta")]).await;
    let berta = [("UserName", "berta")];
    let listed = town.set_up("ListMFADevices", &berta).await;
    assert_eq!(listed.text("UserName"), "berta");
    let held = town.iam(&town.admin, "DeleteVirtualMFADevice", &[serial]).await;
    held.refused(409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.");
    town.set_up("UpdateUser", &[berta[0], ("NewUserName", "anna")]).await;
    let keys = town.set_up("ListAccessKeys", &one).await.text("AccessKeyId");
    town.set_up("DeleteAccessKey", &[one[0], ("AccessKeyId", &keys)]).await;
    let held = town.iam(&town.admin, "DeleteUser", &one).await;
    let text = "Cannot delete entity, must delete MFA device first.";
    held.refused(409, "DeleteConflict", text);
    let other =
        town.iam(&town.admin, "DeactivateMFADevice", &[("UserName", "admin"), serial]).await;
    assert_eq!((other.status, other.text("Code")), (404, "NoSuchEntity".to_owned()));
    town.set_up("DeactivateMFADevice", &[one[0], serial]).await;
    town.set_up("DeleteVirtualMFADevice", &[serial]).await;
    town.set_up("DeleteUser", &one).await;
    let gone = town.iam(&town.admin, "DeleteVirtualMFADevice", &[serial]).await;
    let text = format!("VirtualMFADevice with serial number {} doesn't exist.", device.serial);
    gone.refused(404, "NoSuchEntity", &text);
}

#[tokio::test]
async fn a_code_is_believed_once_and_only_from_the_caller_s_own_device() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    let bob = town.user("bob", None).await;
    let device = Device::new(&town, "phone").await;
    let early = session(&town, &anna, &device, &device.code(&town, 0)).await;
    early.denied(NOT_OURS);
    device.enable(&town, "anna").await;
    // Codes that enabled the device are used up.
    let replayed = session(&town, &anna, &device, &device.code(&town, 1)).await.denied(WRONG);
    assert!(replayed.failed().starts_with("mfa: "), "{}", replayed.failed());
    town.pass(60);
    let code = device.code(&town, 0);
    session(&town, &bob, &device, &code).await.denied(NOT_OURS);
    session(&town, &anna, &device, &code).await.ok();
    session(&town, &anna, &device, &code).await.denied(WRONG);
    // Nor on another node, nor an older one.
    let node = town.beside().await;
    session(&node, &anna, &device, &code).await.denied(WRONG);
    session(&town, &anna, &device, &device.code(&town, -1)).await.denied(WRONG);
    session(&town, &anna, &device, &device.code(&town, 1)).await.ok();
    let half = [("SerialNumber", device.serial.as_str())];
    town.sts(&anna, "GetSessionToken", &half).await.denied(BOTH);
    town.sts(&anna, "GetSessionToken", &[("TokenCode", "123456")]).await.denied(BOTH);
}

/// ATTACK: whoever holds the keys tries codes until one fits.
#[tokio::test]
async fn guesses_are_counted() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    let device = Device::new(&town, "phone").await;
    device.enable(&town, "anna").await;
    town.pass(3600);
    for _ in 0..5 {
        let wrong = if device.code(&town, 0) == "000000" { "000001" } else { "000000" };
        session(&town, &anna, &device, wrong).await.denied(WRONG);
    }
    let right = session(&town, &anna, &device, &device.code(&town, 0)).await.denied(WRONG);
    assert_eq!(right.failed(), "mfa: too many wrong codes within ten minutes");
    town.pass(660);
    session(&town, &anna, &device, &device.code(&town, 0)).await.ok();
}

#[tokio::test]
async fn policies_see_that_a_device_proved_itself_and_when() {
    let town = Town::new().await;
    let fresh = json!({
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "900"},
    });
    let mut policy = allow(json!(["iam:ListUsers", "sts:AssumeRole"]), "*");
    policy["Statement"][0]["Condition"] = fresh.clone();
    let anna = town.user("anna", Some(&policy)).await;
    let device = Device::new(&town, "phone").await;
    device.enable(&town, "anna").await;
    town.pass(60);

    assert_eq!(town.iam(&anna, "ListUsers", &[]).await.status, 403, "long-term keys show none");
    let without = town.sts(&anna, "GetSessionToken", &[]).await.ok().keys();
    let reply = town.iam(&without, "ListUsers", &[]).await;
    reply.refused(403, "InvalidClientTokenId", INVALID_TOKEN);
    let with = session(&town, &anna, &device, &device.code(&town, 0)).await.ok().keys();
    let listed = town.iam(&with, "ListUsers", &[]).await.ok();
    let identity = serde_json::to_value(listed.event().user_identity).unwrap();
    assert_eq!(identity["sessionContext"]["attributes"]["mfaAuthenticated"], "true");
    town.pass(900);
    assert_eq!(town.iam(&with, "ListUsers", &[]).await.status, 403, "too long ago");

    // The same of a role whose trust wants it; the role's session has it too, and its chain not.
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], Some(fresh));
    let role = town.role("r", &trust, Some(&allow("*", "*"))).await;
    let mut input = vec![("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    assert_eq!(town.sts(&anna, "AssumeRole", &input).await.status, 403);
    let code = device.code(&town, 0);
    input.extend([("SerialNumber", device.serial.as_str()), ("TokenCode", &code)]);
    let mut owner = allow("iam:ListUsers", "*");
    owner["Statement"][0]["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let text = owner.to_string();
    let put = [("RoleName", "r"), ("PolicyName", "own"), ("PolicyDocument", text.as_str())];
    town.set_up("PutRolePolicy", &put).await;
    let keys = town.sts(&anna, "AssumeRole", &input).await.ok().keys();
    town.sts(&anna, "AssumeRole", &input).await.denied(WRONG);
    town.iam(&keys, "ListUsers", &[]).await.ok();
    let chained = session(&town, &keys, &device, &device.code(&town, 1)).await;
    chained.denied("Cannot call GetSessionToken with session credentials");
}

#[tokio::test]
async fn a_device_whose_clock_is_off_is_brought_back_into_step() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    let device = Device::new(&town, "phone").await;
    device.enable(&town, "anna").await;
    town.pass(3600);
    let fast = 10;
    session(&town, &anna, &device, &device.code(&town, fast)).await.denied(WRONG);
    let codes = [device.code(&town, fast), device.code(&town, fast + 1)];
    let input = [
        ("UserName", "anna"),
        ("SerialNumber", device.serial.as_str()),
        ("AuthenticationCode1", &codes[0]),
        ("AuthenticationCode2", &codes[1]),
    ];
    town.set_up("ResyncMFADevice", &input).await;
    let again = town.iam(&town.admin, "ResyncMFADevice", &input).await;
    again.refused(403, "InvalidAuthenticationCode", INVALID);
    town.pass(60);
    session(&town, &anna, &device, &device.code(&town, fast)).await.ok();
    let slow = session(&town, &anna, &device, &device.code(&town, 0)).await;
    slow.denied(WRONG);
}
