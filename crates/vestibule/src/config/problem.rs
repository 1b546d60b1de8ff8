//! What is wrong with a settings file, as data; the command line renders it.

use std::{fmt, ops::Range, path::PathBuf};

/// A settings file that is refused.
#[derive(Debug)]
pub struct Faulty {
    /// The file.
    pub path: PathBuf,
    /// Its content, for showing the place.
    pub source: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the source; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// What, without position.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Faulty {
    /// A file that is refused as a whole.
    pub fn whole(path: &std::path::Path, message: String) -> Faulty {
        let problem = Problem { span: None, message, help: None };
        Faulty { path: path.to_owned(), source: String::new(), problems: vec![problem] }
    }

    /// Line and column (in characters), both from 1, of a problem.
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let before = self.source.get(..problem.span.as_ref()?.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next()?.chars().count() + 1;
        Some((line, column))
    }
}

impl fmt::Display for Faulty {
    /// One line per problem: `file:line:column: message (help)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{}:", self.path.display())?;
            if let Some((line, column)) = self.position(problem) {
                write!(out, "{line}:{column}:")?;
            }
            write!(out, " {}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(out, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faulty {}
