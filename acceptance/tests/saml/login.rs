//! A person logs in: SimpleSAMLphp's own form, in a browser, set up as our guide says.

use acceptance::{Browser, Consumer, Setup, SimpleSaml};
use serde_json::{Value, json};

use super::{
    door::{Door, PROVIDER, arn},
    variants,
};

/// The entry that the guide gives, with the test's own address.
fn entry(consumer: &Consumer) -> String {
    let guide = include_str!("../../../docs/guides/saml.md");
    let (_, rest) = guide.split_once("```php\n").unwrap();
    let (entry, _) = rest.split_once("```").unwrap();
    entry.replace("https://sts.corp.example/saml", &consumer.address())
}

/// What a directory would say of somebody.
fn person(uid: &str, role: &str) -> Value {
    json!({
        "uid": [uid],
        "mail": [format!("{uid}@corp.example")],
        "awsRole": [format!("{},{PROVIDER}", arn(role))],
        "project": ["heart"],
        "costCenter": ["4711"],
    })
}

#[test]
fn a_person_logs_in_with_a_browser_and_becomes_a_tagged_session() {
    let (consumer, elsewhere) = (Consumer::open(), Consumer::open());
    let idp = SimpleSaml::start(&entry(&consumer));
    let config = format!("[provider.\"{PROVIDER}\"]\naddresses = [\"{}\"]\n", consumer.address());
    let setup = Setup { config, ..Setup::default() };
    let door = Door::open(setup, idp.metadata(), idp.private_key());
    idp.users(&json!({
        "alice:open sesame": person("alice", "door"),
        "mallory:let me in": person("mallory", "other"),
    }));
    let browser = Browser::start();
    let log_in = |name: &str, password: &str| {
        browser.fill("#username", name);
        browser.fill("#password", password);
        browser.press("#submit_button");
    };
    let delivered = |to: &Consumer| {
        assert_eq!(browser.text("#delivered"), "Delivered.");
        to.response()
    };

    browser.open(&idp.sign_in());
    log_in("alice", "open sesam");
    assert_eq!(browser.text(".erroricon + h2 + p"), "Incorrect username or password");
    log_in("alice", "open sesame");
    let response = delivered(&consumer);
    let preview = |more: &[&str]| super::preview(&door.server, &response, idp.metadata(), more);
    let (code, told) = preview(&["--address", &consumer.address()]);
    assert_eq!(code, Some(0), "{told}");
    for part in [
        "seconds  1800",
        "source identity alice",
        "project = heart  (transitive)",
        "cost-center = 4711",
        "STS would take it.",
    ] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
    let address = consumer.address();
    let own = address.strip_suffix("/saml").unwrap();
    assert_eq!(preview(&["--public-url", own]).0, Some(0));
    let other = ["--public-url", "https://other.example"];
    for (more, wanted) in [(&other[..], " or https://other.example/saml"), (&[], "")] {
        let (code, told) = preview(more);
        assert_eq!(code, Some(1), "{told}");
        let line = told.lines().find(|line| line.contains("FAIL recipient")).unwrap();
        let wanted = format!("wanted AWS's sign-in address{wanted}; had {address}");
        assert!(line.contains(&wanted), "{line}");
    }
    let session = door.opens(&response);
    assert_eq!(session["Subject"], "alice");
    assert_eq!(session["Issuer"], "https://simplesamlphp.example/idp");
    assert_eq!(session["Audience"], consumer.address());

    // Logged in as she is, in all that the provider can be set to.
    let table = include_str!("../../idps/simplesamlphp/variants.json");
    let lax = Door::open(variants::like_aws(), idp.metadata(), idp.private_key());
    variants::judge(&door, &lax, table, |how| {
        idp.vary(how);
        browser.open(&idp.sign_in());
        Ok(delivered(&consumer))
    });
    idp.vary(&json!({"AssertionConsumerService": elsewhere.address()}));
    browser.open(&idp.sign_in());
    let refusal = door.keeps_out(&delivered(&elsewhere));
    assert_eq!(door.failed(&refusal), "destination, recipient");

    // Somebody else, whose attributes name another role.
    idp.vary(&json!({}));
    browser.open(&idp.sign_in());
    delivered(&consumer);
    browser.forget();
    browser.open(&idp.sign_in());
    log_in("mallory", "let me in");
    let response = delivered(&consumer);
    let refusal = door.keeps_out(&response);
    assert_eq!(
        refusal.message,
        "SAML Assertion doesn't contain the requested Role and Metadata in the attributes"
    );
    assert_eq!(door.failed(&refusal), "roles");
}
