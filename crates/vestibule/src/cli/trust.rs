//! `vestibule trust check`: would this token open that role, and why.
//!
//! Offline, without server and credentials: the role, its account and the providers are put into
//! an installation that exists in memory only, as stored records, and the token is presented to it
//! by the same call that a workload makes. So the answer is the server's own, word for word.

mod facts;
mod rig;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use policy::AccountId;
use service::audit::Event;

use self::rig::Rig;
use super::{
    Ending, Global, explain,
    failure::Failure,
    screen::{Screen, Tone},
    source::Source,
};

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
    /// A role of the data folder, by name or ARN, with its account and the account's providers
    #[arg(long, value_name = "NAME", conflicts_with_all = ["role_file", "client_id", "issuer", "max_session"])]
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
    #[arg(long, value_name = "SECONDS", default_value_t = 3600,
          value_parser = clap::value_parser!(i64).range(3600..=43200))]
    max_session: i64,
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
        let facts = match (&options.role, &options.role_file) {
            (Some(name), _) => facts::registered(name, token, options, &config, global).await?,
            (None, Some(file)) => {
                match facts::described(&Source::file(file), token, options, screen)? {
                    Some(facts) => facts,
                    None => return Ok(Ending::Bad),
                }
            }
            (None, None) => return Err(Failure::new("name --role-file or --role")),
        };
        let rig = Rig::build(&config, options.now, facts, token).await?;
        let event: Event = rig.present(token, options).await?;
        explain::tell(&event, screen)?;
        if !rig.checks_signatures() {
            let text = "The signature was NOT checked: no keys were given (--jwks).";
            screen.remark(Tone::Bad, text);
        }
        Ok(explain::ending(std::iter::once(&event)))
    })
}
