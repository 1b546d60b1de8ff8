//! `vestibule token`: look into tokens, and make realistic ones.

pub mod decode;
pub mod mint;

use clap::{Args, Subcommand};

use super::{Ending, Global, failure::Failure, screen::Screen};
use crate::{data::DataFolder, issuer::Keys};

/// Look into tokens, and make realistic ones for tests
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Decode(decode::Options),
    Mint(Box<mint::Options>),
    Jwks(Jwks),
}

/// Print the public keys of the built-in test issuer
#[derive(Debug, Args)]
#[command(after_help = "\
Example: vestibule token jwks > jwks.json, then static_jwks = \"jwks.json\" for a provider.")]
pub struct Jwks {}

pub(super) fn run(command: &Command, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    match command {
        Command::Decode(options) => decode::run(options, screen),
        Command::Mint(options) => mint::run(options, global, screen),
        Command::Jwks(Jwks {}) => {
            let jwks = Keys::open(&issuer_folder(global)?)?.jwks();
            screen.line(&format!("{jwks:#}"))?;
            Ok(Ending::Good)
        }
    }
}

/// The data folder, made when there is none: minting needs no server.
fn issuer_folder(global: &Global) -> Result<DataFolder, Failure> {
    Ok(DataFolder::open(&global.settings()?.data.folder)?)
}
