//! Arguments that are a text, a file (`@file`) or stdin (`@-`).

use std::{
    io::{self, Read as _},
    str::FromStr,
};

use super::failure::Failure;

/// Largest text that is taken, in bytes.
const LIMIT: u64 = 4 << 20;

/// Where an argument's text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The argument itself.
    Text(String),
    /// A file.
    File(String),
    /// Standard input.
    Stdin,
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Source, Self::Err> {
        Ok(match text.strip_prefix('@') {
            Some("-") => Source::Stdin,
            Some(path) => Source::File(path.to_owned()),
            None => Source::Text(text.to_owned()),
        })
    }
}

impl Source {
    /// A file argument, where `-` is stdin and no `@` is needed.
    pub fn file(path: &str) -> Source {
        if path == "-" { Source::Stdin } else { Source::File(path.to_owned()) }
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        match self {
            Source::Text(_) => "argument",
            Source::File(path) => path,
            Source::Stdin => "stdin",
        }
    }

    /// The text.
    ///
    /// # Errors
    /// It cannot be read, is not UTF-8, or is larger than 4 MiB.
    pub fn read(&self) -> Result<String, Failure> {
        let mut text = String::new();
        let read = match self {
            Source::Text(text) => return Ok(text.clone()),
            Source::File(path) => std::fs::File::open(path)
                .and_then(|file| file.take(LIMIT + 1).read_to_string(&mut text)),
            Source::Stdin => io::stdin().lock().take(LIMIT + 1).read_to_string(&mut text),
        };
        let length = read.map_err(|error| Failure::of(self.name(), error))?;
        if length as u64 > LIMIT {
            return Err(Failure::of(self.name(), "larger than 4 MiB"));
        }
        Ok(text)
    }
}
