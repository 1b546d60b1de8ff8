//! `vestibule up`: the server.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::json;
use service::{ids::AccessKeyId, plane::Plane};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::{
    Ending, Global, account,
    failure::Failure,
    screen::{Screen, Tone},
};
use crate::{
    clock::Clock,
    config::{Config, Tls},
    data::DataFolder,
    front::{Front, aws::Aws},
    installation::{self, Installation, Opener},
    issuer::{Keys, TestIssuer},
    listen::{Drained, Identity, Listener, tls},
    seed::Seed,
    telemetry::{self, Telemetry},
};

/// Serve STS and IAM
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The first start makes the account and prints its administrator's access key, once. When the server
answers, it prints a line for programs: `vestibule ready http://127.0.0.1:4570`.
SIGTERM or Ctrl-C lets requests under way finish; SIGHUP reads the certificate again.

Examples:
  vestibule up
  vestibule up --port 0 --ready-file ready --data $(mktemp -d)/v --test-clock --test-issuer
  vestibule up --config /etc/vestibule.toml --listen 0.0.0.0:443")]
pub struct Options {
    /// Address and port [default: 127.0.0.1:4570]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Port; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Speak TLS under a development certificate, made in the data folder
    #[arg(long)]
    pub tls: bool,
    /// A start state to apply, once (docs/seed.md)
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Write the server's URL to this file when it answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Serve the built-in test issuer below /_issuer (loopback only)
    #[arg(long)]
    pub test_issuer: bool,
    /// Let POST /_test/clock move the server's clock (loopback only)
    #[arg(long)]
    pub test_clock: bool,
    /// A fixed access key for the first account's administrator, for tests
    #[arg(long, value_name = "ID:SECRET")]
    pub dev_admin_key: Option<String>,
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let config = settings(options, global)?;
    telemetry::init(&config.log, screen.colour_errors())
        .map_err(|error| Failure::new(error.to_string()))?;

    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if config.listen.threads > 0 {
        builder.worker_threads(config.listen.threads);
    }
    builder.enable_all().build()?.block_on(serve(&config, options, screen))
}

/// The file's settings under the flags.
fn settings(options: &Options, global: &Global) -> Result<Config, Failure> {
    let mut config = global.settings()?;
    if let Some(address) = options.listen {
        config.listen.address = address;
    }
    if let Some(port) = options.port {
        config.listen.address.set_port(port);
    }
    if let Some(threads) = options.threads {
        config.listen.threads = threads;
    }
    if options.tls && config.tls.is_none() {
        config.tls = Some(Tls { generate: true, ..Tls::default() });
    }
    config.test.issuer |= options.test_issuer;
    config.test.clock |= options.test_clock;

    // ATTACK: whoever reaches a test switch becomes anyone (mints tokens, revives expired ones).
    let test = [
        (config.test.issuer, "issuer"),
        (config.test.clock, "clock"),
        (options.dev_admin_key.is_some(), "administrator's key"),
    ];
    for (_, name) in test.iter().filter(|(on, _)| *on) {
        if !config.listen.address.ip().is_loopback() {
            let message = format!("the test {name} is for loopback addresses only");
            let help = format!("listen on 127.0.0.1, not on {}", config.listen.address.ip());
            return Err(Failure::new(message).help(help));
        }
    }
    Ok(config)
}

async fn serve(config: &Config, options: &Options, screen: &Screen) -> Result<Ending, Failure> {
    let clock = if config.test.clock { Clock::settable() } else { Clock::system() };
    let folder = DataFolder::open(&config.data.folder)?;
    let mut lock = folder.lock()?;

    let identity = identity(config.tls.as_ref(), &folder, &clock)?.map(Arc::new);
    let listener = Listener::bind(config.listen.clone(), identity.clone()).await;
    let listener = listener.map_err(|error| Failure::of(config.listen.address, error))?;
    let scheme = if identity.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.address()?);

    let opener = Opener::Server { url: &url, test_issuer: config.test.issuer };
    let opened = installation::open(config, &folder, &clock, opener).await;
    let Installation { plane, key_beside_the_data } =
        opened.map_err(|error| Failure::new(error.to_string()))?;
    if key_beside_the_data {
        screen.remark(
            Tone::Bad,
            "WARNING: the master key lies in the data folder. Whoever copies the folder has every \
             secret in it. Name another place under [master_key].",
        );
    }
    accounts(&plane, config, options, screen).await?;
    if let Some(path) = &options.seed {
        seed(path, &plane, &folder, screen).await?;
    }
    tokio::spawn(Arc::clone(&plane).follow());
    tokio::spawn(Arc::clone(&plane).tend());

    let telemetry = Arc::new(Telemetry::new(listener.figures()));
    let issuer = match config.test.issuer {
        true => Some(TestIssuer::new(url.clone(), Keys::open(&folder)?)),
        false => None,
    };
    let front = Front {
        calls: Arc::new(Aws { plane: Arc::clone(&plane), telemetry: Arc::clone(&telemetry) }),
        clock,
        metrics: config.metrics.enabled.then(|| (telemetry, config.metrics.allow.clone())),
        issuer,
    };

    lock.announce(&url)?;
    let stop = stop(identity)?;
    ready(&url, options, screen)?;
    let drained = listener.serve(Arc::new(front), stop).await;
    plane.finish().await;
    if let Drained::Cut(connections) = drained {
        let text = format!("{connections} connections were cut: they did not end in time");
        screen.remark(Tone::Faint, &text);
    }
    Ok(Ending::Good)
}

fn identity(
    tls: Option<&Tls>,
    folder: &DataFolder,
    clock: &Clock,
) -> Result<Option<Identity>, Failure> {
    let Some(settings) = tls else { return Ok(None) };
    let files = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => {
            tls::Files { certificate: certificate.clone(), key: key.clone() }
        }
        _ => tls::development(&folder.tls(), &settings.names, clock.now())?,
    };
    Ok(Some(Identity::load(files)?))
}

/// Makes the accounts that the settings name and that do not exist yet.
async fn accounts(
    plane: &Plane,
    config: &Config,
    options: &Options,
    screen: &Screen,
) -> Result<(), Failure> {
    let failed = |error: service::plane::BootstrapError| Failure::new(error.to_string());
    let fixed = options.dev_admin_key.as_deref().map(fixed_key).transpose()?;
    if let Some(admin) = plane.bootstrap(fixed).await.map_err(failed)? {
        account::announce(&admin, screen)?;
    }
    for id in &config.accounts {
        if plane.world().account(id).is_none() {
            let admin = plane.create_account(*id, "account", None).await.map_err(failed)?;
            account::announce(&admin, screen)?;
        }
    }
    Ok(())
}

async fn seed(
    path: &Path,
    plane: &Plane,
    folder: &DataFolder,
    screen: &Screen,
) -> Result<(), Failure> {
    let seed = Seed::read(path, plane.settings.account)?;
    if seed.is_applied(folder) {
        return Ok(());
    }
    let applied = seed.apply(plane).await.map_err(|stopped| Failure::new(stopped.to_string()))?;
    for key in &applied.keys {
        account::announce_key(key.account, &key.user, &key.id, &key.secret, screen)?;
    }
    tracing::info!(done = applied.done, present = applied.present, "seed applied");
    Ok(seed.mark_applied(folder)?)
}

fn fixed_key(text: &str) -> Result<(AccessKeyId, Zeroizing<String>), Failure> {
    let wrong = || Failure::new("--dev-admin-key is written ID:SECRET").help("AKIATEST…:secret");
    let (id, secret) = text.split_once(':').ok_or_else(wrong)?;
    let plain = id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !(id.starts_with("AKIA") && (16..=128).contains(&id.len()) && plain && secret.len() >= 8) {
        return Err(wrong().help("an id begins with AKIA and has 16 characters or more"));
    }
    Ok((AccessKeyId::from(id), Zeroizing::new(secret.to_owned())))
}

/// Resolves on SIGTERM and SIGINT; meanwhile SIGHUP reads the certificate again.
fn stop(
    identity: Option<Arc<Identity>>,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hangup.recv() => match identity.as_deref().map(Identity::reload) {
                    Some(Ok(())) => tracing::info!("the certificate was read again"),
                    Some(Err(error)) => tracing::error!(%error, "the old certificate stays"),
                    None => tracing::info!("no certificate to read again"),
                },
            }
        }
    })
}

fn ready(url: &str, options: &Options, screen: &Screen) -> Result<(), Failure> {
    if let Some(path) = &options.ready_file {
        // Whole or not at all: whoever waits for the file reads it the moment it is there.
        let draft = path.with_extension("draft");
        std::fs::write(&draft, format!("{url}\n"))
            .and_then(|()| std::fs::rename(&draft, path))
            .map_err(|error| Failure::of(path.display(), error))?;
    }
    screen.either(&format!("vestibule ready {url}"), &json!({ "event": "ready", "url": url }))
}
