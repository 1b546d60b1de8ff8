//! Infrastructure as code that we did not write for: Ansible's collections for AWS, unmodified. What is
//! applied once needs no change when it is applied again, and goes away without a rest.

use std::collections::BTreeMap;
use std::fs;

use acceptance::{ACCOUNT, Ansible, Boto3, SamlIdp, Setup, Vestibule};
use serde_json::json;

#[test]
fn playbooks_apply_find_nothing_to_change_and_are_undone() {
    let server = Vestibule::start(Setup::default());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let site = rcgen::generate_simple_self_signed(["site.example".to_owned()]).unwrap();
    let given = BTreeMap::from([
        ("account", ACCOUNT.to_owned()),
        ("metadata", file("metadata.xml", SamlIdp::pysaml2().metadata())),
        ("certificate", file("site.pem", &site.cert.pem())),
        ("certificate_key", file("site.key", &site.signing_key.serialize_pem())),
    ]);
    let ansible = Ansible::new(&server, given);
    let first = ansible.play("apply.yml");
    assert!(first.changed > 10, "{first:?}");
    assert_eq!(ansible.play("apply.yml").changed, 0);
    assert!(ansible.play("destroy.yml").changed > 10);

    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    for (call, list) in [
        ("list_roles", "Roles"),
        ("list_groups", "Groups"),
        ("list_instance_profiles", "InstanceProfiles"),
        ("list_saml_providers", "SAMLProviderList"),
        ("list_server_certificates", "ServerCertificateMetadataList"),
    ] {
        assert_eq!(admin.ok("iam", call, json!({}))[list], json!([]), "{call}");
    }
}
