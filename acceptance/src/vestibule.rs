//! The binary under test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    boto3::Credentials,
    child::LineChild,
    federation::ACCOUNT,
    idp::OidcProvider,
    tools::{self, Tools},
};

/// How a server is started.
#[derive(Default)]
pub struct Setup {
    /// The loopback port that the server may fetch from, as a provider beside it needs.
    pub loopback: Option<u16>,
    /// A further authority for what the server fetches.
    pub ca_file: Option<PathBuf>,
    /// More lines of the configuration file.
    pub config: String,
    /// More arguments of `vestibule up`.
    pub arguments: Vec<String>,
}

impl Setup {
    /// A server that may reach this provider and trusts its authority.
    pub fn beside(idp: &OidcProvider) -> Setup {
        Setup { ca_file: Some(idp.root()), ..Setup::reaching(idp) }
    }

    /// A server that may reach this provider, and trusts no authority beforehand.
    pub fn reaching(idp: &OidcProvider) -> Setup {
        Setup { loopback: Some(idp.port()), ..Setup::default() }
    }
}

/// A running server on a free port, with a data folder of its own.
pub struct Vestibule {
    url: String,
    admin: Credentials,
    folder: TempDir,
    arguments: Vec<String>,
    process: LineChild,
}

impl Vestibule {
    /// Starts it and waits for its readiness line.
    ///
    /// # Panics
    /// It ends before it is ready, or prints no administrator's key on this first start.
    pub fn start(setup: Setup) -> Vestibule {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("vestibule.toml");
        fs::write(&config, configuration(&setup)).expect("a file in it");
        let (process, url, admin) = boot(folder.path(), &setup.arguments);
        let admin = admin.expect("the first start prints the administrator's key");
        Vestibule { url, admin, folder, arguments: setup.arguments, process }
    }

    /// Where it listens, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key of the first administrator of [`ACCOUNT`].
    pub fn admin(&self) -> &Credentials {
        &self.admin
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it wrote to its standard error.
    pub fn complaint(&self) -> String {
        self.process.complaint()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end (`SIGTERM`) and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let told = Command::new("kill").arg(self.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "kill");
        self.process.wait()
    }

    /// Starts it again on the same data; its port is a new one.
    ///
    /// # Panics
    /// It does not get ready, or shows a secret again.
    pub fn restart(&mut self) {
        self.process.kill();
        let (process, url, admin) = boot(self.folder.path(), &self.arguments);
        assert!(admin.is_none(), "a key is shown once");
        self.process = process;
        self.url = url;
    }

    /// A subcommand of the same binary, pointed at this server's data and settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tools::command(Tools::find().vestibule());
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Makes a second account with its own administrator.
    ///
    /// # Panics
    /// The subcommand fails or shows no key.
    pub fn create_account(&self, account: &str) -> Credentials {
        let output = self
            .command(&["account", "create", "--id", account, "--data", "data"])
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "account create: {said}{complaint}");
        let mut key = KeyLines::default();
        said.lines().chain(complaint.lines()).for_each(|line| key.read(line));
        key.done().unwrap_or_else(|| panic!("no key in:\n{said}{complaint}"))
    }
}

fn configuration(setup: &Setup) -> String {
    let mut text = format!("accounts = [\"{ACCOUNT}\"]\n{}\n", setup.config);
    text += "[network]\n";
    if let Some(port) = setup.loopback {
        text += &format!("allow = [\"127.0.0.0/8\", \"::1/128\"]\nports = [{port}]\n");
    }
    if let Some(ca_file) = &setup.ca_file {
        text += &format!("ca_file = \"{}\"\n", ca_file.display());
    }
    text
}

/// The whole contract between the binary and whoever starts it: its arguments, the lines that carry the
/// first key, and the line that says it is ready.
fn boot(folder: &Path, arguments: &[String]) -> (LineChild, String, Option<Credentials>) {
    const READY: &str = "vestibule ready ";
    let mut process = LineChild::start(
        "vestibule",
        tools::command(Tools::find().vestibule())
            .current_dir(folder)
            .args(["up", "--port", "0", "--data", "data", "--config", "vestibule.toml"])
            .args(arguments),
    );
    let mut key = KeyLines::default();
    loop {
        let line = process.line();
        if let Some(url) = line.trim().strip_prefix(READY) {
            return (process, url.trim_end_matches('/').to_owned(), key.done());
        }
        key.read(&line);
    }
}

/// `AWS_ACCESS_KEY_ID=…` and `AWS_SECRET_ACCESS_KEY=…`, each on a line, with or without `export`.
#[derive(Default)]
struct KeyLines {
    id: Option<String>,
    secret: Option<String>,
}

impl KeyLines {
    fn read(&mut self, line: &str) {
        let value = |name: &str| {
            let (_, value) = line.split_once(name)?;
            let end = value.find(|c: char| c.is_whitespace()).unwrap_or(value.len());
            value.get(..end).map(|value| value.trim_matches(['"', '\'']).to_owned())
        };
        self.id = value("AWS_ACCESS_KEY_ID=").or(self.id.take());
        self.secret = value("AWS_SECRET_ACCESS_KEY=").or(self.secret.take());
    }

    fn done(self) -> Option<Credentials> {
        Some(Credentials {
            access_key_id: self.id?,
            secret_access_key: self.secret?,
            session_token: None,
        })
    }
}
