//! `vestibule completions`: what the shell needs to complete our commands.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Ending, failure::Failure, screen::Screen};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example: vestibule completions bash > /etc/bash_completion.d/vestibule")]
pub struct Options {
    /// The shell
    shell: Shell,
}

pub(super) fn run(options: &Options, screen: &Screen) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "vestibule", &mut script);
    screen.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Ending::Good)
}
