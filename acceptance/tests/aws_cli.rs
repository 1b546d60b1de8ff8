//! Scripts for the AWS CLI over all of the API: what they write is there at once, and is read twice alike.

use std::path::PathBuf;

use acceptance::{ACCOUNT, SamlIdp, Setup, Tools, Vestibule, aws_cli_script};
use serde_json::json;
use tempfile::TempDir;

/// By version 2, whose options are version 1's.
fn runs(script: &str) {
    by(Tools::find().aws_v2(), script);
}

fn by(aws: PathBuf, script: &str) {
    aws_cli_script::<&str>(&aws, &Vestibule::start(Setup::default()), script, &[]);
}

#[test]
fn users() {
    runs("users.sh");
}

#[test]
fn roles() {
    runs("roles.sh");
}

#[test]
fn policies() {
    runs("policies.sh");
}

#[test]
fn mfa() {
    runs("mfa.sh");
}

#[test]
fn credentials() {
    runs("credentials.sh");
}

#[test]
fn account() {
    runs("account.sh");
}

#[test]
fn organizations() {
    runs("organizations.sh");
}

/// What version 2 as Debian has it does not know.
#[test]
fn tokens_for_services_elsewhere_by_version_1() {
    by(Tools::find().aws_v1(), "outbound.sh");
}

#[test]
fn providers_and_sessions() {
    let idp = SamlIdp::pysaml2();
    let folder = TempDir::new().unwrap();
    let metadata = folder.path().join("metadata.xml");
    std::fs::write(&metadata, idp.metadata()).unwrap();
    let server = Vestibule::start(Setup::default());
    let aws = Tools::find().aws_v2();
    aws_cli_script(&aws, &server, "providers.sh", &[&metadata]);

    let arn = |resource| format!("arn:aws:iam::{ACCOUNT}:{resource}");
    let attributes = json!({
        "Role": [format!("{},{}", arn("role/cli-door"), arn("saml-provider/CliDoor"))],
        "RoleSessionName": ["alice@corp.example"],
    });
    let response = folder.path().join("response.b64");
    std::fs::write(&response, idp.response("alice", &attributes, &json!({}))).unwrap();
    aws_cli_script(&aws, &server, "sts.sh", &[&metadata, &response]);
}
