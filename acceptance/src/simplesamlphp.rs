//! SimpleSAMLphp from Debian, on PHP's own web server: a SAML identity provider with a login form.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::LineChild,
    http,
    tools::{self, Tools},
};

/// What its start may take; usually it is a moment.
const START: Duration = Duration::from_secs(90);

/// A running provider with keys, users and a log of its own.
pub struct SimpleSaml {
    address: String,
    metadata: String,
    private_key: String,
    folder: TempDir,
    _process: LineChild,
}

impl SimpleSaml {
    /// Starts it on a free loopback port. `service` is PHP: its entry for the service provider, as its
    /// administrator would write it to `metadata/saml20-sp-remote.php`.
    ///
    /// # Panics
    /// It does not start, or has no metadata to show.
    pub fn start(service: &str) -> SimpleSaml {
        let folder = TempDir::new().expect("a folder for the provider");
        for name in ["sign", "service"] {
            certificate(folder.path(), name);
        }
        let private_key = fs::read_to_string(folder.path().join("service.key"));
        fs::write(folder.path().join("service.php"), service).expect("a file in it");
        let tools = Tools::find();
        let setting = |name: &str, value: &str| format!("-d{name}={value}");
        let folder_name = folder.path().to_str().expect("a path in UTF-8");
        // PHP tells its port where it complains.
        let mut command = tools::command("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
            .arg("php")
            .arg(setting("session.save_path", folder_name))
            .arg(setting("display_errors", "0"))
            .args(["-S", "127.0.0.1:0", "-t"])
            .arg(tools.simplesamlphp().join("www"))
            .env("SIMPLESAMLPHP_CONFIG_DIR", tools::home().join("idps/simplesamlphp/config"))
            .env("TEST_FOLDER", folder.path());
        let mut process = LineChild::start("SimpleSAMLphp", &mut command);
        let address = started(&mut process);
        let mut idp = SimpleSaml {
            address,
            metadata: String::new(),
            private_key: private_key.expect("the key just made"),
            folder,
            _process: process,
        };
        idp.users(&json!({}));
        idp.vary(&json!({}));
        let shown = http::get(&idp.address, "/saml2/idp/metadata.php");
        assert_eq!(shown.status, 200, "{}\n{}", shown.body, idp.log());
        idp.metadata = shown.body;
        idp
    }

    /// Its metadata.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The private key that it encrypts assertions to: the service's.
    pub fn private_key(&self) -> &str {
        &self.private_key
    }

    /// Where a browser goes to log in and to be sent on to the service.
    pub fn sign_in(&self) -> String {
        let sso = "/saml2/idp/SSOService.php?spentityid=urn:amazon:webservices";
        format!("{}{sso}", self.address)
    }

    /// Who may log in: `{"NAME:PASSWORD": {ATTRIBUTE: [VALUES]}}`.
    pub fn users(&self, users: &Value) {
        self.write("users.json", users);
    }

    /// What the entry for the service has besides, or instead.
    pub fn vary(&self, how: &Value) {
        self.write("how.json", how);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn write(&self, name: &str, value: &Value) {
        let path = self.folder.path().join(name);
        fs::write(path, value.to_string()).expect("a file in the provider's folder");
    }
}

/// Waits for the line that names its address.
fn started(process: &mut LineChild) -> String {
    let mut said = String::new();
    loop {
        let line = process.line_within(START).unwrap_or_else(|why| panic!("{why}\n{said}"));
        let address = line.split_once("Development Server (").and_then(|(_, rest)| {
            let (address, _) = rest.split_once(')')?;
            Some(address.to_owned())
        });
        match address {
            Some(address) => return address,
            None => said += &format!("{line}\n"),
        }
    }
}

/// A key and a certificate for it, as `NAME.key` and `NAME.crt`.
fn certificate(folder: &Path, name: &str) {
    let made = tools::command("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30"])
        .args(["-subj", &format!("/CN={name}")])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")])
        .stderr(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "openssl makes a key");
}
