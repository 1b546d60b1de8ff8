//! SSH keys, certificates and passwords for single services: kept with the user, told as they should
//! be, secrets once.

use serde_json::json;

use crate::support::{HOME, Town, allow};

const ANNA: (&str, &str) = ("UserName", "anna");

/// A key as `ssh-keygen -t rsa -b 2048` made it.
pub const SSH_KEY: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC9OaVH4Et7w4mqQdDBS9EonWguQwigwtVSQFI/MsIx75ag0OawppKWaM6RpxwKax2x/QACjrd4TRX2q+2JdK7cCnIMnOjOLAf2YkbU6j3/dFLell15w3FJbTxEyDS8vVn5s3MmV02klKGkmG8DBiJQ9US3HLxcjSu+5m53Ey/5OapwAqeo7t9Gr8RMl56d879zKZxgUiX2ovejv1dnm+tH0U1mQy7NY8mcf51oclXb/Bt0VBTv7WzqyhYOUzReLxA+RXWun1lLMWtfxak8H4gpA5qEbFcgdXlqCbaJ4af2FcjqA32G1tPgV9WGC1Eo+oYsdTvAQJEEzPucEZckjaZn anna@example.com";
/// What `ssh-keygen -l -E md5` says of it.
const FINGERPRINT: &str = "af:72:47:06:66:cf:20:b7:f7:31:21:d2:55:e2:11:f8";
/// What `ssh-keygen -e -m PKCS8` says of it.
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvTmlR+BLe8OJqkHQwUvR\nKJ1oLkMIoMLVUkBSPzLCMe+WoNDmsKaSlmjOkaccCmsdsf0AAo63eE0V9qvtiXSu\n3ApyDJzoziwH9mJG1Oo9/3RS3pZdecNxSW08RMg0vL1Z+bNzJldNpJShpJhvAwYi\nUPVEtxy8XI0rvuZudxMv+TmqcAKnqO7fRq/ETJeenfO/cymcYFIl9qL3o79XZ5vr\nR9FNZkMuzWPJnH+daHJV2/wbdFQU7+1s6soWDlM0Xi8QPkV1rp9ZSzFrX8WpPB+I\nKQOahGxXIHV5agm2ieGn9hXI6gN9htbT4FfVhgtRKPqGLHU7wECRBMz7nBGXJI2m\nZwIDAQAB\n-----END PUBLIC KEY-----\n";

#[tokio::test]
async fn an_ssh_key_is_taken_and_told_in_both_forms() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let made = town.set_up("UploadSSHPublicKey", &[ANNA, ("SSHPublicKeyBody", SSH_KEY)]).await;
    assert_eq!(made.text("Fingerprint"), FINGERPRINT);
    let id = made.text("SSHPublicKeyId");
    assert!(id.starts_with("APKA"));
    let which = ("SSHPublicKeyId", id.as_str());
    let read = town.set_up("GetSSHPublicKey", &[ANNA, which, ("Encoding", "PEM")]).await;
    assert_eq!(read.text("SSHPublicKeyBody"), PEM);
    let read = town.set_up("GetSSHPublicKey", &[ANNA, which, ("Encoding", "SSH")]).await;
    assert_eq!(format!("{} anna@example.com", read.text("SSHPublicKeyBody")), SSH_KEY);
    // The same key in the other form is the same key; another user may have it, too.
    let again = [ANNA, ("SSHPublicKeyBody", PEM)];
    let text = "The SSH public key is already associated with the specified IAM user.";
    let again = town.iam(&town.admin, "UploadSSHPublicKey", &again).await;
    again.refused(400, "DuplicateSSHPublicKey", text);
    let other = [("UserName", "admin"), ("SSHPublicKeyBody", PEM)];
    assert_eq!(town.set_up("UploadSSHPublicKey", &other).await.text("Fingerprint"), FINGERPRINT);

    town.set_up("UpdateSSHPublicKey", &[ANNA, which, ("Status", "Inactive")]).await;
    let town = town.restarted().await;
    let list = town.set_up("ListSSHPublicKeys", &[ANNA]).await;
    assert_eq!(
        (list.all("SSHPublicKeyId"), list.text("Status")),
        (vec![id.clone()], "Inactive".into())
    );
    assert!(!list.body.contains("Fingerprint"));
    // It goes along with the user's name.
    town.set_up("UpdateUser", &[ANNA, ("NewUserName", "ann")]).await;
    let ann = ("UserName", "ann");
    assert_eq!(town.set_up("ListSSHPublicKeys", &[ann]).await.text("UserName"), "ann");
    town.set_up("DeleteSSHPublicKey", &[ann, which]).await;
    for action in ["DeleteSSHPublicKey", "GetSSHPublicKey", "UpdateSSHPublicKey"] {
        let more: &[_] = match action {
            "GetSSHPublicKey" => &[("Encoding", "SSH")],
            "UpdateSSHPublicKey" => &[("Status", "Active")],
            _ => &[],
        };
        let gone = town.iam(&town.admin, action, &[&[ann, which], more].concat()).await;
        let text = format!("The Public Key with id {id} cannot be found.");
        gone.refused(404, "NoSuchEntity", &text);
    }
}

#[tokio::test]
async fn other_keys_are_refused_for_what_they_are() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let upload = async |body: &str| {
        town.iam(&town.admin, "UploadSSHPublicKey", &[ANNA, ("SSHPublicKeyBody", body)]).await
    };
    let unknown = "The public key encoding format is unsupported or unrecognized.";
    for body in ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", "a key"] {
        upload(body).await.refused(400, "UnrecognizedPublicKeyEncoding", unknown);
    }
    let cut = SSH_KEY.get(..200).unwrap();
    let relabelled = SSH_KEY.replace("AAAAB3NzaC1yc2E", "AAAAB3NzaC1yc2F");
    let ec = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    for body in [cut, &relabelled, ec, "ssh-rsa", "ssh-rsa !"] {
        upload(body).await.refused(400, "InvalidPublicKey", "The public key is invalid.");
    }
    let none = town.set_up("ListSSHPublicKeys", &[ANNA]).await;
    assert!(none.body.contains("<SSHPublicKeys/>"));
}

fn certificate(name: &str) -> String {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap().cert.pem()
}

#[tokio::test]
async fn a_user_has_two_certificates_that_nobody_else_has() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let [one, two, three] = ["one", "two", "three"].map(certificate);
    let upload = async |user: &str, body: &str| {
        let input = [("UserName", user), ("CertificateBody", body)];
        town.iam(&town.admin, "UploadSigningCertificate", &input).await
    };
    let made = upload("anna", &one).await.ok();
    let id = made.text("CertificateId");
    assert_eq!((id.len(), made.text("Status")), (32, "Active".to_owned()));
    let text = "The same certificate is already associated with an IAM user in the account.";
    upload("admin", &one).await.refused(409, "DuplicateCertificate", text);
    let text = "Certificate nonsense is malformed.";
    upload("anna", "nonsense").await.refused(400, "MalformedCertificate", text);
    let nobody = upload("nobody", &two).await;
    nobody.refused(404, "NoSuchEntity", "The user with name nobody cannot be found.");
    upload("anna", &two).await.ok();
    let text = "Cannot exceed quota for CertificatesPerUser: 2";
    upload("anna", &three).await.refused(409, "LimitExceeded", text);
    let which = ("CertificateId", id.as_str());
    town.set_up("UpdateSigningCertificate", &[ANNA, which, ("Status", "Inactive")]).await;
    let list = town.set_up("ListSigningCertificates", &[ANNA]).await;
    assert_eq!(list.all("Status").iter().filter(|it| *it == "Inactive").count(), 1);
    // The report tells of both.
    town.set_up("GenerateCredentialReport", &[]).await;
    let report = town.set_up("GetCredentialReport", &[]).await.text("Content");
    let report = String::from_utf8(data_encoding::BASE64.decode(report.as_bytes()).unwrap());
    let report = report.unwrap();
    let anna = report.lines().find(|line| line.starts_with("anna,")).unwrap();
    let at = "2026-01-01T00:00:00+00:00";
    assert!(anna.ends_with(&format!(",false,{at},true,{at}")), "{anna}");
    town.set_up("DeleteSigningCertificate", &[ANNA, which]).await;
    let gone = town.iam(&town.admin, "DeleteSigningCertificate", &[ANNA, which]).await;
    gone.refused(404, "NoSuchEntity", &format!("The Certificate with id {id} cannot be found."));
}

#[tokio::test]
async fn a_password_for_one_service_is_told_once() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let create = async |service: &str, more: &[(&str, &str)]| {
        let input = [&[ANNA, ("ServiceName", service)], more].concat();
        town.iam(&town.admin, "CreateServiceSpecificCredential", &input).await
    };
    let git = "codecommit.amazonaws.com";
    let made = create(git, &[]).await.ok();
    let password = made.text("ServicePassword");
    assert_eq!(made.text("ServiceUserName"), format!("anna-at-{HOME}"));
    assert!(password.len() >= 40 && made.text("ServiceCredentialSecret").is_empty());
    let event = serde_json::to_string(&made.event()).unwrap();
    assert!(event.contains("serviceUserName") && !event.contains(&password), "{event}");
    let second = create(git, &[]).await.ok();
    assert_eq!(second.text("ServiceUserName"), format!("anna+1-at-{HOME}"));
    let text = "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2";
    create(git, &[]).await.refused(409, "LimitExceeded", text);
    let text = "The service sqs.amazonaws.com does not support service-specific credentials.";
    create("sqs.amazonaws.com", &[]).await.refused(404, "NotSupportedService", text);
    let text = "CredentialAgeDays is not supported for service cassandra.amazonaws.com.";
    let age = [("CredentialAgeDays", "2")];
    create("cassandra.amazonaws.com", &age).await.refused(400, "InvalidInput", text);
    let key = create("bedrock.amazonaws.com", &age).await.ok();
    assert!(key.text("ServiceCredentialSecret").starts_with("ABSK"));
    assert_eq!(key.text("ExpirationDate"), "2026-01-03T00:00:00Z");

    let id = made.text("ServiceSpecificCredentialId");
    let which = ("ServiceSpecificCredentialId", id.as_str());
    let reset = town.set_up("ResetServiceSpecificCredential", &[ANNA, which]).await;
    assert_eq!(reset.text("ServiceUserName"), made.text("ServiceUserName"));
    assert_ne!(reset.text("ServicePassword"), password);
    let filter = [ANNA, ("ServiceName", git)];
    let list = town.set_up("ListServiceSpecificCredentials", &filter).await;
    assert_eq!(list.all("ServiceUserName").len(), 2);
    assert!(!list.body.contains("Password") && !list.body.contains("Secret"));
    let everyone = [("AllUsers", "true")];
    let list = town.set_up("ListServiceSpecificCredentials", &everyone).await;
    assert_eq!(list.all("ServiceSpecificCredentialId").len(), 3);
    town.set_up("DeleteServiceSpecificCredential", &[ANNA, which]).await;
    let gone = town.iam(&town.admin, "ResetServiceSpecificCredential", &[ANNA, which]).await;
    let text = format!("The Service Specific Credential with id {id} cannot be found.");
    gone.refused(404, "NoSuchEntity", &text);
}

/// A policy may say for which services, and for how long.
#[tokio::test]
async fn leave_for_credentials_can_be_bound_to_a_service_and_an_age() {
    let town = Town::new().await;
    let mut policy = allow("iam:CreateServiceSpecificCredential", "*");
    policy["Statement"][0]["Condition"] = json!({
        "StringEquals": {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"},
        "NumericLessThanEquals": {"iam:ServiceSpecificCredentialAgeDays": 30},
    });
    let bob = town.user("bob", Some(&policy)).await;
    let create = async |service: &str, days: Option<&str>| {
        let age = days.map(|days| ("CredentialAgeDays", days));
        let input: Vec<_> =
            [("UserName", "bob"), ("ServiceName", service)].into_iter().chain(age).collect();
        town.iam(&bob, "CreateServiceSpecificCredential", &input).await
    };
    let denied = [
        ("codecommit.amazonaws.com", Some("30")),
        ("bedrock.amazonaws.com", Some("31")),
        ("bedrock.amazonaws.com", None),
    ];
    for (service, days) in denied {
        let reply = create(service, days).await;
        let why = "implicitDeny identity iam:CreateServiceSpecificCredential";
        assert_eq!(reply.why(), why, "{service} {days:?}");
    }
    let made = create("bedrock.amazonaws.com", Some("30")).await.ok();
    // Of one that is there, its own service is asked.
    let id = made.text("ServiceSpecificCredentialId");
    let which = [("UserName", "bob"), ("ServiceSpecificCredentialId", id.as_str())];
    for (name, service, status) in [("eve", "logs", 403), ("ann", "bedrock", 200)] {
        let mut policy = allow("iam:ResetServiceSpecificCredential", "*");
        let service = format!("{service}.amazonaws.com");
        policy["Statement"][0]["Condition"] =
            json!({"StringEquals": {"iam:ServiceSpecificCredentialServiceName": service}});
        let keys = town.user(name, Some(&policy)).await;
        let reply = town.iam(&keys, "ResetServiceSpecificCredential", &which).await;
        assert_eq!(reply.status, status, "{service}: {}", reply.body);
    }
}

/// Nothing a user holds is forgotten when the user goes.
#[tokio::test]
async fn a_user_with_credentials_cannot_be_deleted() {
    let town = Town::new().await;
    town.set_up("CreateUser", &[ANNA]).await;
    let body = certificate("anna");
    let certificate = [ANNA, ("CertificateBody", body.as_str())];
    let certificate = town.set_up("UploadSigningCertificate", &certificate).await;
    let key = town.set_up("UploadSSHPublicKey", &[ANNA, ("SSHPublicKeyBody", SSH_KEY)]).await;
    let service = ("ServiceName", "cassandra.amazonaws.com");
    let credential = town.set_up("CreateServiceSpecificCredential", &[ANNA, service]).await;
    let held = [
        ("signing certificates", "DeleteSigningCertificate", "CertificateId", certificate),
        ("SSH public keys", "DeleteSSHPublicKey", "SSHPublicKeyId", key),
        (
            "service specific credentials",
            "DeleteServiceSpecificCredential",
            "ServiceSpecificCredentialId",
            credential,
        ),
    ];
    for (what, delete, id, made) in held {
        let conflict = town.iam(&town.admin, "DeleteUser", &[ANNA]).await;
        let text = format!("Cannot delete entity, must delete {what} first.");
        conflict.refused(409, "DeleteConflict", &text);
        town.set_up(delete, &[ANNA, (id, &made.text(id))]).await;
    }
    town.set_up("DeleteUser", &[ANNA]).await;
}
