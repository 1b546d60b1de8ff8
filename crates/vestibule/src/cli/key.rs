//! `vestibule key`: the master key's generations.

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::screen::Screen;
use super::{Ending, Global};
use crate::master_key;

/// The master key's generations
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Add a generation: it seals from the server's next start on; older ones still open
    #[command(after_help = "\
Live sessions and stored secrets stay readable, because every generation stays in the file.

Examples:
  vestibule key rotate
  systemctl restart vestibule")]
    Rotate,
    /// Tell which generations there are
    List,
}

pub(super) fn run(command: Command, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let settings = global.settings()?;
    let folder = global.folder()?;
    let failed = |error: master_key::NoKey| Failure::new(error.to_string());
    let ring = match command {
        Command::Rotate => master_key::rotate(&settings.master_key, &folder).map_err(failed)?,
        Command::List => master_key::open(&settings.master_key, &folder).map_err(failed)?.ring,
    };
    let newest = ring.newest().0;
    let generations: Vec<u32> = ring.generations().map(|generation| generation.0).collect();
    let text = match command {
        Command::Rotate => format!("generation {newest} seals from the server's next start on"),
        Command::List => {
            let all: Vec<String> = generations.iter().map(u32::to_string).collect();
            format!("generations {}; {newest} seals", all.join(", "))
        }
    };
    screen.either(&text, &json!({ "newest": newest, "generations": generations }))?;
    Ok(Ending::Good)
}
