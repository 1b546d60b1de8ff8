//! `vestibule account`: accounts, each with an administrator of its own.

use clap::{Args, Subcommand};
use policy::AccountId;
use serde_json::json;
use service::plane::Admin;

use super::{
    Ending, Global,
    failure::Failure,
    screen::{Screen, Tone},
};
use crate::{
    clock::Clock,
    installation::{self, Opener},
};

/// Make and list accounts
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List the accounts
    List,
    Guard(Guard),
}

/// Put an account under an organization's policies (SCPs and RCPs), in place of earlier ones
#[derive(Debug, Args)]
#[command(after_help = "\
The file is JSON: {\"scps\": [[{\"name\": \"…\", \"document\": {…}}]], \"rcps\": …}, one inner list per
level from the organization's root down. Every level must allow; {} lifts them all.

Example: vestibule account guard 444455556666 organization.json")]
pub struct Guard {
    /// The account
    id: AccountId,
    /// The file
    file: std::path::PathBuf,
}

/// Make an account with an administrator, whose access key is printed once
#[derive(Debug, Args)]
#[command(after_help = "\
A running server on the same data folder takes the account in at once.

Example: vestibule account create --id 444455556666 --name sandbox")]
pub struct Create {
    /// Its id: 12 digits [default: made up]
    #[arg(long)]
    id: Option<AccountId>,
    /// Its name
    #[arg(long, default_value = "account")]
    name: String,
}

pub(super) fn run(command: &Command, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let config = global.settings()?;
    let folder = global.folder()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let opened = installation::open(&config, &folder, &Clock::system(), Opener::Command).await;
        let plane = opened.map_err(|error| Failure::new(error.to_string()))?.plane;
        match command {
            Command::Create(options) => {
                let id = match options.id {
                    Some(id) => id,
                    None => unused(&plane.world())?,
                };
                let made = plane.create_account(id, &options.name, None).await;
                announce(&made.map_err(|error| Failure::new(error.to_string()))?, screen)?;
            }
            Command::Guard(options) => {
                let text = std::fs::read_to_string(&options.file)?;
                let wanted = serde_json::from_str(&text)
                    .map_err(|error| Failure::of(options.file.display().to_string(), error))?;
                let done = plane.guard(options.id, wanted).await;
                done.map_err(|error| Failure::new(error.to_string()))?;
                let text = format!("account {} is under these policies", options.id);
                screen.either(&text, &json!({ "event": "guarded", "account": options.id }))?;
            }
            Command::List => {
                let world = plane.world();
                let mut accounts: Vec<_> = world.accounts();
                accounts.sort_by_key(|account| account.record.id);
                for account in accounts {
                    let record = &account.record;
                    let value = json!({ "account": record.id, "name": record.name });
                    screen.either(&format!("{}  {}", record.id, record.name), &value)?;
                }
            }
        }
        Ok(Ending::Good)
    })
}

/// Shows an administrator's key, this once.
pub(super) fn announce(admin: &Admin, screen: &Screen) -> Result<(), Failure> {
    announce_key(admin.account, &admin.user, admin.access_key.as_str(), &admin.secret, screen)
}

/// Shows a user's key, this once.
pub(super) fn announce_key(
    account: AccountId,
    user: &str,
    key: &str,
    secret: &str,
    screen: &Screen,
) -> Result<(), Failure> {
    let title = screen.paint(Tone::Strong, &format!("account {account}, user {user}"));
    let faint = screen.paint(Tone::Faint, "(the key is shown this once)");
    screen.either(
        &format!("{title} {faint}\n  AWS_ACCESS_KEY_ID={key}\n  AWS_SECRET_ACCESS_KEY={secret}"),
        &json!({
            "event": "access-key",
            "account": account,
            "user": user,
            "access_key_id": key,
            "secret_access_key": secret,
        }),
    )
}

/// An account id that nobody has.
fn unused(world: &service::world::World) -> Result<AccountId, Failure> {
    for _ in 0..100 {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Failure::new("the system gave no randomness"))?;
        // Twelve digits that do not begin with a zero, as AWS's ids may but spreadsheets forget.
        let number = u64::from_le_bytes(random) % 900_000_000_000 + 100_000_000_000;
        if let Ok(id) = AccountId::parse(&number.to_string())
            && world.account(&id).is_none()
        {
            return Ok(id);
        }
    }
    Err(Failure::new("no unused account id was found").help("give --id"))
}
