//! `vestibule trust check`: would this token open that role, and why.
//!
//! Offline, without server and credentials: the role and the provider are put into an
//! installation that exists in memory only, and the token is presented to it by the same call
//! that a workload makes. So the answer is the server's own, word for word.

mod rig;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use policy::{AccountId, Document, Kind, Strictness};
use service::audit::Event;

use self::rig::{Provider, Rig, Role};
use super::{
    Ending, Global, explain,
    failure::Failure,
    screen::{Screen, Tone},
    snippet::{self, Remark},
    source::Source,
};
use crate::{
    clock::Clock,
    config::Config,
    installation::{self, Opener},
    issuer::Keys,
};

/// The audience that registrations for AWS nearly always name.
const USUAL_CLIENT_ID: &str = "sts.amazonaws.com";

/// Hold tokens against trust policies
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Check(Box<Check>),
}

/// Would this token open that role? Every check, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is sent anywhere. Without --jwks the signature is not checked, and the answer says so.
Exit code 1 when the role stays closed.

Examples:
  vestibule trust check --role-file trust.json --token @token.jwt --client-id sts.amazonaws.com
  vestibule token mint --profile github | vestibule trust check --role-file trust.json --token @-
  vestibule trust check --role developer --token @- --jwks jwks.json")]
pub struct Check {
    /// The role's trust policy; `-` for stdin
    #[arg(long, value_name = "FILE", required_unless_present = "role")]
    role_file: Option<String>,
    /// A role of the data folder, by name or ARN, with its provider
    #[arg(long, value_name = "NAME", conflicts_with = "role_file")]
    role: Option<String>,
    /// The token; `@file`, or `@-` for stdin
    #[arg(long)]
    token: Source,
    /// The issuer's public keys; without them the signature is not checked
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// A registered client id (audience) [default: sts.amazonaws.com]
    #[arg(long, value_name = "TEXT")]
    client_id: Vec<String>,
    /// The registered issuer [default: the token's own]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The role's account [default: as the trust policy names it]
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// The role's longest session, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    max_session: u32,
    /// The duration to ask for, in seconds
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u32>,
    /// The session's name
    #[arg(long, value_name = "NAME", default_value = "trust-check")]
    session_name: String,
    /// The time to judge at [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

pub(super) fn run(command: &Command, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let Command::Check(options) = command;
    let config = global.settings()?;
    let token = options.token.read()?;
    let token = token.trim();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (role, provider) = match (&options.role, &options.role_file) {
            (Some(name), _) => registered(name, token, options, &config, global).await?,
            (None, Some(file)) => match described(&Source::file(file), token, options, screen)? {
                Some(pair) => pair,
                None => return Ok(Ending::Bad),
            },
            (None, None) => return Err(Failure::new("name --role-file or --role")),
        };
        let rig = Rig::build(&config, options.now, &role, &provider, token).await?;
        let event: Event = rig.present(token, options).await?;
        explain::tell(&event, screen)?;
        if provider.jwks.is_none() {
            let text = "The signature was NOT checked: no keys were given (--jwks).";
            screen.remark(Tone::Bad, text);
        }
        Ok(explain::ending(std::iter::once(&event)))
    })
}

/// The role of a file; `None` when the policy itself is refused, which is told then.
fn described(
    source: &Source,
    token: &str,
    options: &Check,
    screen: &Screen,
) -> Result<Option<(Role, Provider)>, Failure> {
    let trust = source.read()?;
    if let Err(rejection) = Document::parse(&trust, Kind::Trust, Strictness::Stored) {
        let remarks: Vec<_> = rejection.diagnostics.iter().map(Remark::of_policy).collect();
        let shown = snippet::render(source.name(), &trust, &remarks, screen.colour());
        let answer = format!("AWS refuses this policy: {}: {}", rejection.code, rejection.message);
        let value = serde_json::json!({ "error": answer, "diagnostics": rejection.diagnostics });
        screen.either(&format!("{shown}\n\n{answer}"), &value)?;
        return Ok(None);
    }
    let account = options.account.or_else(|| account_in(&trust));
    let account = account.map_or_else(|| AccountId::parse("111122223333"), Ok);
    let account = account.map_err(|fault| Failure::new(fault.to_string()))?;
    let unverified = claims::oidc::peek(token).ok();
    let issuer = match (&options.issuer, &unverified) {
        (Some(url), _) => url.clone(),
        (None, Some(token)) => token.issuer().unwrap_or("https://issuer.invalid").to_owned(),
        (None, None) => "https://issuer.invalid".to_owned(),
    };
    let client_ids = match options.client_id.is_empty() {
        true => vec![USUAL_CLIENT_ID.to_owned()],
        false => options.client_id.clone(),
    };
    let role = Role { account, name: "role".to_owned(), trust, max_session: options.max_session };
    Ok(Some((role, Provider { issuer, client_ids, jwks: jwks(options)? })))
}

/// A role of the data folder with the provider that its account has for the token's issuer.
async fn registered(
    name: &str,
    token: &str,
    options: &Check,
    config: &Config,
    global: &Global,
) -> Result<(Role, Provider), Failure> {
    let folder = global.folder()?;
    let opened = installation::open(config, &folder, &Clock::system(), Opener::Command).await;
    let plane = opened.map_err(|error| Failure::new(error.to_string()))?.plane;
    let world = plane.world();
    let short = name.rsplit('/').next().unwrap_or(name);
    let wanted = |account: &AccountId| {
        options.account.is_none_or(|only| only == *account)
            && (!name.starts_with("arn:") || name.contains(&format!("::{account}:")))
    };
    let mut found = world
        .accounts()
        .into_iter()
        .filter(|account| wanted(&account.record.id))
        .filter_map(|account| account.roles.find(short).map(|role| (account, role)));
    let (account, role) = found
        .next()
        .ok_or_else(|| Failure::new(format!("no role {name} in {}", folder.path().display())))?;
    if found.next().is_some() {
        return Err(Failure::new(format!("several accounts have a role {short}"))
            .help("name its ARN, or give --account"));
    }
    let record = &role.record;
    let role = Role {
        account: record.account,
        name: record.name.clone(),
        trust: record.trust.clone(),
        max_session: u32::try_from(record.max_session).unwrap_or(options.max_session),
    };

    let read = claims::oidc::peek(token).ok();
    let issuer = read.and_then(|token| token.issuer().map(str::to_owned).ok());
    let issuer = options.issuer.clone().or(issuer).unwrap_or_default();
    let known = claims::oidc::Issuer::registered_name_of(&issuer)
        .and_then(|name| account.oidc_providers.get(name));
    let mut jwks = jwks(options)?;
    if jwks.is_none() && issuer.contains("/_issuer") {
        jwks = Some(Keys::open(&folder)?.jwks().to_string());
    }
    let provider = match known {
        Some(provider) => Provider { issuer, client_ids: provider.client_ids.clone(), jwks },
        // No such registration: whatever issuer the account does have, the token's is another.
        None => {
            let other = account.oidc_providers.keys().next();
            let issuer = format!("https://{}", other.map_or("issuer.invalid", String::as_str));
            Provider { issuer, client_ids: options.client_id.clone(), jwks }
        }
    };
    Ok((role, provider))
}

fn jwks(options: &Check) -> Result<Option<String>, Failure> {
    options.jwks.as_deref().map(|path| Source::file(path).read()).transpose()
}

/// The account of the provider that a trust policy names.
fn account_in(trust: &str) -> Option<AccountId> {
    let (before, _) = trust.split_once(":oidc-provider/")?;
    before.rsplit(':').next()?.parse().ok()
}
