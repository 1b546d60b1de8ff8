//! Why a command could not do its work: told on stderr, exit code 2.

use std::fmt;

use crate::{config::Faulty, data::DataError};

/// A failure in words for the operator.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// A settings file that is to be shown with its faults.
    pub faulty: Option<Faulty>,
}

impl Failure {
    /// A failure in one sentence.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, faulty: None }
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// A failure to do `what`, because of `error`.
    pub fn of(what: impl fmt::Display, error: impl fmt::Display) -> Failure {
        Failure::new(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<Faulty> for Failure {
    fn from(faulty: Faulty) -> Failure {
        Failure { message: faulty.to_string(), help: None, faulty: Some(faulty) }
    }
}

impl From<crate::issuer::IssuerError> for Failure {
    fn from(error: crate::issuer::IssuerError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<crate::listen::tls::TlsError> for Failure {
    fn from(error: crate::listen::tls::TlsError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(error.to_string())
    }
}
