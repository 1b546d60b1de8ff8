//! `vestibule token mint`: tokens that look like the real ones.

use claims::{
    UnixTime,
    jose::Alg,
    mint::{MintFault, Overrides, Profile},
};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Ending, Global, failure::Failure, screen::Screen};
use crate::{
    clock::Clock,
    config::value,
    issuer::{Keys, issuer_url},
};

/// Make a token like those of a real issuer, signed by the built-in test issuer
#[derive(Debug, Args)]
#[command(after_help = "\
The issuer is the one that a server with --test-issuer serves for this data folder, unless --issuer
names another; `--issuer profile` takes the real one's name (its keys are still ours: register the
provider with static_jwks from `vestibule token jwks`).

Examples:
  vestibule token mint --profile github --set repo=octo/app --set environment=prod \\
      --aud sts.amazonaws.com
  vestibule token mint --profile okta --tag access-project=heart --transitive access-project
  vestibule token mint --profile kubernetes --claim level=3 --without jti --expires-in -1h")]
pub struct Options {
    /// What kind of token; `list` shows them all with their parameters
    #[arg(long, default_value = "generic")]
    profile: String,
    /// A parameter of the profile, such as repo or environment
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// The issuer, or `profile` for the profile's own
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The subject [default: what the profile makes of its parameters]
    #[arg(long, value_name = "TEXT")]
    sub: Option<String>,
    /// An audience; several make a list
    #[arg(long, value_name = "TEXT")]
    aud: Vec<String>,
    /// A session tag, in AWS's claim
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = pair)]
    tags: Vec<(String, String)>,
    /// The key of a tag that is transitive
    #[arg(long, value_name = "KEY")]
    transitive: Vec<String>,
    /// AWS's source identity claim
    #[arg(long, value_name = "TEXT")]
    source_identity: Option<String>,
    /// A role's ARN in AWS's roles claim
    #[arg(long = "role", value_name = "ARN")]
    roles: Vec<String>,
    /// A group
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// How long it lives, such as 5m; -1h has expired an hour ago
    #[arg(long, value_name = "DURATION", value_parser = seconds, allow_hyphen_values = true)]
    expires_in: Option<i64>,
    /// A claim as it is, last of all; the value is JSON, or else a text
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    claims: Vec<(String, String)>,
    /// A claim to leave out
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// What to sign with [default: as the real issuer does, where AWS accepts it]
    #[arg(long, value_enum)]
    alg: Option<With>,
    /// The time of issue [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// The test issuer's algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum With {
    /// RSA.
    #[value(name = "RS256")]
    Rs256,
    /// P-256.
    #[value(name = "ES256")]
    Es256,
}

pub(in super::super) fn run(
    options: &Options,
    global: &Global,
    screen: &Screen,
) -> Result<Ending, Failure> {
    if options.profile == "list" {
        return list(screen);
    }
    let profile = Profile::named(&options.profile).ok_or_else(|| {
        let known: Vec<&str> = Profile::names().collect();
        Failure::new(format!("there is no profile {}", options.profile))
            .help(format!("one of {}", known.join(", ")))
    })?;
    let folder = super::issuer_folder(global)?;
    let keys = Keys::open(&folder)?;
    let issuer = match options.issuer.as_deref() {
        Some("profile") => None,
        Some(url) => Some(url.to_owned()),
        None => {
            let running = folder.running()?.flatten();
            let base = running.unwrap_or_else(|| "http://127.0.0.1:4570".to_owned());
            Some(issuer_url(&base, &profile.name))
        }
    };
    let now = options.now.unwrap_or_else(|| Clock::system().now());
    let overrides = overrides(options, issuer);
    let claims = claims::mint::mint(&profile, &overrides, UnixTime(now.as_second()));
    let claims = claims.map_err(|fault| match &fault {
        MintFault::UnknownParameter { .. } => {
            Failure::new(fault.to_string()).help("vestibule token mint --profile list")
        }
        _ => Failure::new(fault.to_string()),
    })?;

    let alg = match options.alg {
        Some(With::Rs256) => Alg::Rs256,
        Some(With::Es256) => Alg::Es256,
        None => profile.alg,
    };
    let key = keys.signing(alg).or_else(|| keys.signing(Alg::Rs256));
    let key = key.ok_or_else(|| Failure::new("the test issuer has no such key"))?;
    let token = key.sign(&claims).map_err(|error| Failure::new(error.to_string()))?;
    screen.exact(&token, &json!({ "token": token, "claims": claims.as_map() }))?;
    Ok(Ending::Good)
}

fn overrides(options: &Options, issuer: Option<String>) -> Overrides {
    let claim = |(name, text): &(String, String)| {
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        (name.clone(), value)
    };
    Overrides {
        parameters: options.parameters.iter().cloned().collect(),
        issuer,
        subject: options.sub.clone(),
        audience: options.aud.clone(),
        tags: options.tags.clone(),
        transitive: options.transitive.clone(),
        source_identity: options.source_identity.clone(),
        roles: options.roles.clone(),
        groups: options.groups.clone(),
        lifetime: options.expires_in,
        claims: options.claims.iter().map(claim).collect(),
        without: options.without.clone(),
    }
}

fn list(screen: &Screen) -> Result<Ending, Failure> {
    for profile in Profile::names().filter_map(Profile::named) {
        let parameters: Vec<String> =
            profile.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text =
            format!("{:<17} {}\n{:17} {}", profile.name, profile.title, "", parameters.join(" "));
        screen.either(&text, &profile)?;
    }
    Ok(Ending::Good)
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("written NAME=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<i64, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let duration = value::parse_duration(digits)?;
    i64::try_from(duration.as_secs()).map(|s| sign * s).map_err(|_| "too long".to_owned())
}
