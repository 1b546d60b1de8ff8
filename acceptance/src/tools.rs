//! Where `cargo xtask setup` put what the tests run.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The programs that a test may start.
pub struct Tools {
    listed: Value,
}

impl Tools {
    /// Reads the list that `cargo xtask setup` left.
    ///
    /// # Panics
    /// It was never run in this clone.
    pub fn find() -> Tools {
        let path = home().join(".work/tools.json");
        let text = fs::read_to_string(&path)
            .expect("the tools of the acceptance tests are installed by `cargo xtask setup`");
        Tools { listed: serde_json::from_str(&text).expect("tools.json is what setup wrote") }
    }

    /// Python with boto3.
    pub fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// Version 1 of the AWS CLI, from PyPI.
    pub fn aws_v1(&self) -> PathBuf {
        self.program("aws_v1")
    }

    /// Version 2 of the AWS CLI, from Debian.
    pub fn aws_v2(&self) -> PathBuf {
        self.program("aws_v2")
    }

    /// What applies Ansible's playbooks.
    pub fn ansible(&self) -> PathBuf {
        self.program("ansible")
    }

    /// The folder of Ansible's collections for AWS.
    pub fn ansible_collections(&self) -> PathBuf {
        self.program("ansible_collections")
    }

    /// Node.
    pub fn node(&self) -> PathBuf {
        self.program("node")
    }

    /// SimpleSAMLphp, from Debian: the folder that holds its `www`.
    pub fn simplesamlphp(&self) -> PathBuf {
        self.program("simplesamlphp")
    }

    /// Chromium, from Debian.
    pub fn chromium(&self) -> PathBuf {
        self.program("chromium")
    }

    /// What drives it.
    pub fn chromedriver(&self) -> PathBuf {
        self.program("chromedriver")
    }

    /// The client made with the AWS SDK for Rust, which `cargo xtask test` builds.
    pub fn rust_sdk(&self) -> PathBuf {
        home().join("rust-sdk/target/debug/rust-sdk-whoami")
    }

    /// The binary under test: the one `VESTIBULE_BIN` names, else the one built beside these tests.
    pub fn vestibule(&self) -> PathBuf {
        match std::env::var_os("VESTIBULE_BIN") {
            Some(named) => named.into(),
            None => {
                let tests = std::env::current_exe().expect("a test knows its own program");
                // target/PROFILE/deps/acceptance-HASH
                let profile = tests.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
                profile.join("vestibule")
            }
        }
    }

    fn program(&self, name: &str) -> PathBuf {
        let path = self.listed.get(name).and_then(Value::as_str);
        path.unwrap_or_else(|| panic!("tools.json names no {name}")).into()
    }
}

/// The folder of this crate, where the clients and the identity provider lie.
pub(crate) fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command that sees nothing of the environment but the search path: no AWS settings of whoever
/// runs the tests, and no instance metadata service.
pub(crate) fn command(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_PAGER", "")
        .stdin(Stdio::null());
    command
}
