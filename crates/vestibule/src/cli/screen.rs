//! Printing: stdout carries the answer, stderr what went wrong; colours only where they show.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::{
    Colour, Format,
    failure::Failure,
    snippet::{self, Remark},
};
use crate::config;

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The form of stdout.
    pub format: Format,
    colour: bool,
    colour_errors: bool,
}

/// The few meanings that have a colour.
#[derive(Clone, Copy, Debug)]
pub enum Tone {
    /// Headings.
    Strong,
    /// Allowed, passed.
    Good,
    /// Denied, failed.
    Bad,
    /// What matters less.
    Faint,
}

impl Screen {
    /// A screen for these wishes.
    pub fn new(format: Format, colour: Colour) -> Screen {
        let wanted = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && config::environment("NO_COLOR").is_none(),
        };
        Screen {
            format,
            colour: wanted(io::stdout().is_terminal()),
            colour_errors: wanted(io::stderr().is_terminal()),
        }
    }

    /// Whether stdout shows colours.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Whether stderr shows colours.
    pub fn colour_errors(&self) -> bool {
        self.colour_errors
    }

    /// `text` in the colour of `tone`.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => 1,
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Faint => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Prints a line on stdout. A reader that went away ends the output, not the command.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Like [`Screen::either`], but in a file or a pipe the text is all there is: a token file with
    /// a line break at its end is no token to AWS's clients.
    ///
    /// # Errors
    /// As [`Screen::line`].
    pub fn exact(&self, text: &str, value: &impl Serialize) -> Result<(), Failure> {
        if self.format == Format::Json || io::stdout().is_terminal() {
            return self.either(text, value);
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
        Ok(())
    }

    /// Prints `text` in text format, and `value` on one line in JSON format.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn either(&self, text: &str, value: &impl Serialize) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.line(text),
            Format::Json => {
                let json = serde_json::to_string(value);
                self.line(&json.map_err(|error| Failure::of("JSON", error))?)
            }
        }
    }

    /// Tells a warning or news on stderr.
    pub fn remark(&self, tone: Tone, text: &str) {
        let screen = Screen { colour: self.colour_errors, ..*self };
        // There is nowhere to tell that stderr cannot be written.
        let _ = writeln!(io::stderr().lock(), "{}", screen.paint(tone, text));
    }

    /// Tells a failure on stderr.
    pub fn fail(&self, failure: &Failure) {
        let text = match (&failure.faulty, self.format) {
            (Some(faulty), Format::Text) if !faulty.source.is_empty() => {
                let path = faulty.path.display().to_string();
                let remarks: Vec<Remark> = faulty.problems.iter().map(Remark::of_setting).collect();
                snippet::render(&path, &faulty.source, &remarks, self.colour_errors)
            }
            (_, Format::Text) => {
                let help = failure.help.as_ref().map(|h| format!("\nhelp: {h}"));
                format!("error: {}{}", failure.message, help.unwrap_or_default())
            }
            (_, Format::Json) => {
                serde_json::json!({ "error": failure.message, "help": failure.help }).to_string()
            }
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
