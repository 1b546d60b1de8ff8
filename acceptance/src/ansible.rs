//! Ansible, with its collections for AWS.

use std::{collections::BTreeMap, process::Command};

use tempfile::TempDir;

use crate::{
    tools::{self, Tools},
    vestibule::Vestibule,
};

/// The playbooks of `clients/ansible/`, against a server, as its first administrator.
pub struct Ansible<'a> {
    server: &'a Vestibule,
    given: BTreeMap<&'a str, String>,
    home: TempDir,
}

/// How a play went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recap {
    /// Tasks that found everything as wanted, or made it so.
    pub ok: usize,
    /// Tasks that changed something.
    pub changed: usize,
}

impl<'a> Ansible<'a> {
    /// With these variables.
    pub fn new(server: &'a Vestibule, given: BTreeMap<&'a str, String>) -> Ansible<'a> {
        Ansible { server, given, home: TempDir::new().expect("a temporary folder") }
    }

    /// Plays it.
    ///
    /// # Panics
    /// A task fails.
    pub fn play(&self, playbook: &str) -> Recap {
        let output = self.command(playbook).output().expect("ansible-playbook starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{playbook}:\n{said}\n{complaint}");
        let recap = said.lines().rfind(|line| line.starts_with("localhost")).unwrap_or_default();
        let count = |name: &str| {
            let count = recap.split_whitespace().find_map(|word| word.strip_prefix(name))?;
            count.strip_prefix('=')?.parse().ok()
        };
        let recap = count("ok").zip(count("changed")).map(|(ok, changed)| Recap { ok, changed });
        recap.unwrap_or_else(|| panic!("no recap of {playbook}:\n{said}"))
    }

    fn command(&self, playbook: &str) -> Command {
        let tools = Tools::find();
        let admin = self.server.admin();
        let mut command = tools::command(tools.ansible());
        command
            .args(["--inventory", "localhost,", "--connection", "local"])
            .arg(tools::home().join("clients/ansible").join(playbook))
            .env("LANG", "C.UTF-8")
            .env("HOME", self.home.path())
            .env("ANSIBLE_HOME", self.home.path())
            .env("ANSIBLE_COLLECTIONS_PATH", tools.ansible_collections())
            .env("ANSIBLE_DEPRECATION_WARNINGS", "false")
            .env("ANSIBLE_PYTHON_INTERPRETER", tools.python())
            .env("AWS_ENDPOINT_URL", self.server.url())
            .env("AWS_ACCESS_KEY_ID", &admin.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &admin.secret_access_key);
        for (name, value) in &self.given {
            command.arg("--extra-vars").arg(format!("{name}={value}"));
        }
        command
    }
}
