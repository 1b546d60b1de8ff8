//! `vestibule reset`: an empty store and an empty log book; keys and certificates stay.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;
use serde_json::json;

use super::{Ending, Global, failure::Failure, screen::Screen, screen::Tone};

/// Remove the store and the log book, so that the next start is the first
#[derive(Debug, Args)]
#[command(after_help = "\
The master key, the test issuer's key and the certificates stay. A folder that a server uses is
never touched: stop the server first.

Example: vestibule reset --yes && vestibule up --seed seed.toml")]
pub struct Options {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let folder = global.folder()?;
    let lock = folder.lock().map_err(|error| Failure::from(error).help("stop the server first"))?;
    if !options.yes && !asked(&folder.path().display().to_string(), screen)? {
        return Ok(Ending::Bad);
    }
    let removed = folder.wipe(&lock)?;
    let names: Vec<String> = removed.iter().map(|path| path.display().to_string()).collect();
    let text = if names.is_empty() {
        "nothing to remove".to_owned()
    } else {
        format!("removed {}", names.join(", "))
    };
    screen.either(&text, &json!({ "removed": names }))?;
    Ok(Ending::Good)
}

fn asked(folder: &str, screen: &Screen) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("not asked, since stdin is no terminal").help("give --yes"));
    }
    screen
        .remark(Tone::Strong, &format!("Remove every account, role and event in {folder}? [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
