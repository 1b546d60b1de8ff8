//! The command line: one file per command, one way to print, one way to fail.
//!
//! Exit codes: 0 done (or allowed), 1 denied or something found, 2 wrong usage or failure.

pub mod account;
pub mod claims;
pub mod completions;
pub mod demo;
pub mod explain;
pub mod failure;
pub mod key;
pub mod policy;
pub mod reset;
pub mod screen;
pub mod simulate;
pub mod snippet;
pub mod source;
pub mod tail;
pub mod test;
pub mod token;
pub mod trust;
pub mod up;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::{failure::Failure, screen::Screen};
use crate::{config::Config, data::DataFolder};

/// An access plane that speaks AWS: STS, IAM and a trail that says why.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  vestibule demo                                 the main job in one terminal
  vestibule up                                   serve on 127.0.0.1:4570, keep all in ./.vestibule
  vestibule explain last                         why the last call was allowed or refused
  vestibule token mint --profile github          a token like those of GitHub Actions
  vestibule claims preview --saml response.xml   what a SAML response would become
  vestibule policy check trust.json              what AWS would say to a policy document
  vestibule simulate --identity p.json --action s3:GetObject    what policies would answer
  vestibule test policies/tests                  case files: what policies must answer

Exit codes: 0 done or allowed, 1 denied or something found, 2 wrong usage or failure.")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// For people, or for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Colours; `auto` means only on a terminal
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Settings file [default: vestibule.toml, when there is one]
    #[arg(long, global = true, value_name = "FILE", env = "VESTIBULE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data folder [default: .vestibule]
    #[arg(long, global = true, value_name = "FOLDER", env = "VESTIBULE_DATA")]
    pub data: Option<PathBuf>,
}

/// The form of what is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document, or one per line.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Options),
    Up(up::Options),
    Reset(reset::Options),
    Explain(explain::Options),
    Tail(tail::Options),
    #[command(subcommand)]
    Trust(trust::Command),
    #[command(subcommand)]
    Account(account::Command),
    #[command(subcommand)]
    Key(key::Command),
    #[command(subcommand)]
    Token(token::Command),
    #[command(subcommand)]
    Claims(claims::Command),
    #[command(subcommand)]
    Policy(policy::Command),
    Simulate(Box<simulate::Options>),
    Test(test::Options),
    Completions(completions::Options),
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Done, or allowed.
    Good,
    /// Denied, or something was found.
    Bad,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = Screen::new(cli.global.format, cli.global.color);
    match cli.run(&screen) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(1),
        Err(failure) => {
            screen.fail(&failure);
            ExitCode::from(2)
        }
    }
}

impl Cli {
    fn run(self, screen: &Screen) -> Result<Ending, Failure> {
        let global = &self.global;
        match self.command {
            Command::Demo(options) => demo::run(&options, global, screen),
            Command::Up(options) => up::run(&options, global, screen),
            Command::Reset(options) => reset::run(&options, global, screen),
            Command::Explain(options) => explain::run(&options, global, screen),
            Command::Tail(options) => tail::run(&options, global, screen),
            Command::Trust(command) => trust::run(&command, global, screen),
            Command::Account(command) => account::run(&command, global, screen),
            Command::Key(command) => key::run(command, global, screen),
            Command::Token(command) => token::run(&command, global, screen),
            Command::Claims(command) => claims::run(&command, screen),
            Command::Policy(command) => policy::run(&command, screen),
            Command::Simulate(options) => simulate::run(&options, global, screen),
            Command::Test(options) => test::run(&options, screen),
            Command::Completions(options) => completions::run(&options, screen),
        }
    }
}

impl Global {
    /// The settings, with the flags that every command has applied.
    ///
    /// # Errors
    /// A settings file that is refused.
    pub fn settings(&self) -> Result<Config, Failure> {
        let mut config = Config::read(self.config.as_deref())?;
        if let Some(folder) = &self.data {
            config.data.folder.clone_from(folder);
        }
        Ok(config)
    }

    /// The data folder, which must exist.
    ///
    /// # Errors
    /// As [`Global::settings`]; no such folder.
    pub fn folder(&self) -> Result<DataFolder, Failure> {
        let path = self.settings()?.data.folder;
        if !path.exists() {
            let message = format!("there is no data folder {}", path.display());
            return Err(Failure::new(message).help("start a server first, or name it with --data"));
        }
        Ok(DataFolder::open(&path)?)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
