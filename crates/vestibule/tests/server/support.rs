//! The binary under test: starting it, asking it, and the commands beside it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

pub struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// What it printed before it was ready.
    pub said: Vec<String>,
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(arguments).env_remove("VESTIBULE_CONFIG");
    command.env_remove("VESTIBULE_DATA").stdin(Stdio::null());
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

pub fn text(output: &Output) -> (i32, String, String) {
    let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), read(&output.stdout), read(&output.stderr))
}

/// Starts a server and waits for its readiness line.
pub fn start(folder: &Path, arguments: &[&str]) -> Server {
    start_at(folder, "0", arguments)
}

pub fn start_at(folder: &Path, port: &str, arguments: &[&str]) -> Server {
    let mut child = command(folder, &["up", "--port", port])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // From here on the process ends with the value that holds it.
    let mut server = Server { child, address: String::new(), said: Vec::new() };
    for line in lines {
        let line = line.unwrap();
        if let Some(url) = line.strip_prefix("vestibule ready http://") {
            server.address = url.to_owned();
            return server;
        }
        server.said.push(line);
    }
    panic!("the server ended before it was ready: {:?}", server.said);
}

impl Server {
    pub fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }

    pub fn post(&self, path: &str, kind: &str, body: &str) -> String {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn aws(&self, form: &str) -> String {
        self.post("/", "application/x-www-form-urlencoded", form)
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    pub fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
/// A token that GitHub would issue, signed by the folder's own test issuer.
pub fn github_token(folder: &Path, repository: &str) -> String {
    let repository = format!("repo={repository}");
    let arguments =
        ["token", "mint", "--profile", "github", "--issuer", "profile", "--set", &repository];
    let (code, token, told) =
        text(&run(folder, &[&arguments[..], &["--aud", "sts.amazonaws.com"]].concat()));
    assert_eq!(code, 0, "{told}");
    token.trim().to_owned()
}
