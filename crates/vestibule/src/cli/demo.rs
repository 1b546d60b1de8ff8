//! `vestibule demo`: the main job in one terminal, told by what really happens over the wire.
//!
//! The server is a child process of this very binary on a data folder of its own; the demo is its
//! client, and reads the reasons out of the log book.

mod story;
mod tokens;

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Args;

use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::{Ending, Global};
use crate::client::Credentials;

/// The account of the demo.
const ACCOUNT: &str = "111122223333";
/// The name of its issuer below the test issuer's URL.
const ISSUER: &str = "corp";

/// Run the main job: a token becomes a tagged session, or is refused and told why
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Starts a server on a fresh data folder (.vestibule/demo) with a test issuer, sets up three projects
and one role, gets in with a token, and is refused in all the classic ways. Then it stays up and
prints lines for the AWS CLI to copy.

Examples:
  vestibule demo
  vestibule demo --once")]
pub struct Options {
    /// End after the story, for scripts
    #[arg(long)]
    pub once: bool,
    /// Port [default: 4570, or a free one if that is taken]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// The server of the demo; ends with it.
struct Server {
    child: Child,
    url: String,
    data: PathBuf,
    admin: Credentials,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let mut server = start(options, global)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(story::tell(&server, screen))?;
    if options.once {
        return Ok(Ending::Good);
    }
    let lines = serde_json::json!({
        "endpoint": server.url,
        "access_key_id": server.admin.access_key_id,
        "secret_access_key": server.admin.secret.expose(),
        "data": server.data,
    });
    screen.either(&invitation(&server, screen), &lines)?;
    // Ctrl-C reaches the server too, which ends in good order.
    server.child.wait()?;
    Ok(Ending::Good)
}

fn start(options: &Options, global: &Global) -> Result<Server, Failure> {
    let data = global.settings()?.data.folder.join("demo");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let port = port(options.port)?;
    let config = data.with_extension("toml");
    if let Some(folder) = data.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&config, settings(port))?;

    let mut child = Command::new(std::env::current_exe()?)
        .arg("--config")
        .arg(&config)
        .arg("--data")
        .arg(&data)
        .args(["up", "--test-issuer", "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take().ok_or_else(|| Failure::new("the server has no output"))?;
    let (mut id, mut secret) = (None, None);
    for line in BufReader::new(out).lines() {
        let line = line?;
        let value = |name: &str| line.trim().strip_prefix(name).map(str::to_owned);
        id = id.or_else(|| value("AWS_ACCESS_KEY_ID="));
        secret = secret.or_else(|| value("AWS_SECRET_ACCESS_KEY="));
        if let Some(url) = line.strip_prefix("vestibule ready ") {
            let url = url.to_owned();
            let (Some(access_key_id), Some(secret)) = (id, secret) else { break };
            let secret = wire::sigv4::SecretKey::new(secret);
            let admin = Credentials { access_key_id, secret, token: None };
            return Ok(Server { child, url, data, admin });
        }
    }
    let _ = child.kill();
    Err(Failure::new("the server did not start; `vestibule up --test-issuer` tells why"))
}

/// The wished port, else the usual one, else a free one.
fn port(wished: Option<u16>) -> Result<u16, Failure> {
    const USUAL: u16 = 4570;
    let free = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if let Some(port) = wished.filter(|port| *port != 0) {
        return Ok(port);
    }
    let listener = match wished {
        Some(_) => free(0)?,
        None => free(USUAL).or_else(|_| free(0))?,
    };
    Ok(listener.local_addr()?.port())
}

/// The test issuer is plain http on loopback, which a provider must be marked for.
fn settings(port: u16) -> String {
    format!(
        "[provider.\"arn:aws:iam::{ACCOUNT}:oidc-provider/127.0.0.1:{port}/_issuer/{ISSUER}\"]\n\
         allow_http_loopback = true\n"
    )
}

fn invitation(server: &Server, screen: &Screen) -> String {
    let Server { url, admin, data, .. } = server;
    let (id, secret) = (&admin.access_key_id, admin.secret.expose());
    let data = data.display();
    let head = screen.paint(Tone::Strong, "The server stays up. In another terminal:");
    let me = shown(&std::env::current_exe().unwrap_or_default());
    format!(
        "\n{head}\n\n  \
         export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=us-east-1\n  \
         export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n  \
         aws sts get-caller-identity\n  \
         aws iam list-roles --query 'Roles[].Arn'\n  \
         aws cloudtrail lookup-events --max-results 3\n\n  \
         {me} --data {data} explain last\n  \
         {me} --data {data} tail --denied\n\n\
         Ctrl-C ends it."
    )
}

/// A path as short as it can be typed from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(short) => format!("./{}", short.display()),
        Err(_) => path.display().to_string(),
    }
}
