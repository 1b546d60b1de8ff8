//! `vestibule test`: case files that say what policies must answer.

use std::path::{Path, PathBuf};

use clap::Args;
use policy::case::{self, Fault};
use serde_json::{Value, json};
use service::explain;

use super::{
    Ending,
    failure::Failure,
    screen::{Screen, Tone},
    source::Source,
};

/// Run case files: what policies must answer, and why
#[derive(Debug, Args)]
#[command(after_help = "\
A file holds cases as JSON: a question, the policies by layer (written out, or as names of files
beside it), and what is expected. What failed is shown with what was wanted and had, and the whole
decision. Exit code 1 when a case fails. The format: docs/guides/policy-tests.md.

Examples:
  vestibule test policies/tests
  vestibule test buckets.json roles.json
  vestibule --format json test policies/tests")]
pub struct Options {
    /// Case files, and folders whose `.json` files are such, or policies that they name
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What did not pass: in which file, which case (none: the file as a whole), and how.
struct Failed {
    file: String,
    name: Option<String>,
    rule: String,
    fault: Fault,
}

pub(super) fn run(options: &Options, screen: &Screen) -> Result<Ending, Failure> {
    let mut files = Vec::new();
    for path in &options.paths {
        collect(path, true, &mut files)?;
    }
    let mut passed = 0;
    let mut failed = Vec::new();
    let mut read = 0;
    for path in &files {
        let file = path.display().to_string();
        let text = Source::file(&file).read()?;
        if !options.paths.contains(path) && is_policy(&text) {
            continue;
        }
        read += 1;
        let folder = path.parent().unwrap_or(Path::new("."));
        let load = |name: &str| {
            let named = Source::file(&folder.join(name).display().to_string());
            named.read().map_err(|failure| failure.message)
        };
        match case::run_with(&text, &load) {
            Ok(outcomes) => {
                for outcome in outcomes {
                    let Some(fault) = outcome.fault else {
                        passed += 1;
                        continue;
                    };
                    let (name, rule) = (Some(outcome.name), outcome.rule);
                    failed.push(Failed { file: file.clone(), name, rule, fault });
                }
            }
            Err(error) => {
                let fault = Fault::from(format!("this is no case file: {error}"));
                failed.push(Failed { file, name: None, rule: String::new(), fault });
            }
        }
    }
    if passed == 0 && failed.is_empty() {
        return Err(Failure::new("there are no cases").help("name case files, or their folder"));
    }
    report(passed, &failed, read, screen)?;
    Ok(if failed.is_empty() { Ending::Good } else { Ending::Bad })
}

/// Whether a file of a folder is one of the policies that its cases name.
fn is_policy(text: &str) -> bool {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    document.get("Statement").is_some()
}

/// The case files of a path, in the order of their names. Links to folders are not followed.
fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error| Failure::of(path.display(), error);
    let kind = if named { path.metadata() } else { path.symlink_metadata() };
    if !kind.map_err(failed)?.is_dir() {
        if named || path.extension().is_some_and(|extension| extension == "json") {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut inside = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    inside.sort();
    inside.iter().try_for_each(|path| collect(path, false, files))
}

fn report(passed: usize, failed: &[Failed], files: usize, screen: &Screen) -> Result<(), Failure> {
    let mut text = String::new();
    for one in failed {
        text.push_str(&one.told(screen));
        text.push('\n');
    }
    let tone = if failed.is_empty() { Tone::Good } else { Tone::Bad };
    let plural = if files == 1 { "" } else { "s" };
    let summary = format!("{passed} passed, {} failed, in {files} file{plural}", failed.len());
    text.push_str(&screen.paint(tone, &summary));
    let failed: Vec<Value> = failed.iter().map(Failed::data).collect();
    let report =
        json!({ "passed": passed, "failed": failed.len(), "files": files, "failures": failed });
    screen.either(&text, &report)
}

impl Failed {
    fn told(&self, screen: &Screen) -> String {
        let mark = screen.paint(Tone::Bad, "✗");
        let name = self.name.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
        let rule = match self.rule.as_str() {
            "" => String::new(),
            rule => screen.paint(Tone::Faint, &format!("  ({rule})")),
        };
        let head = format!("{}{name}", self.file);
        let mut text = format!("{mark} {}{rule}\n", explain::text::plain(&head));
        match &self.fault.compared {
            Some((wanted, had)) => {
                let plain = |text: &str| explain::text::plain(text);
                text.push_str(&format!("    {}\n", self.fault.what));
                text.push_str(&format!("      wanted  {}\n", plain(wanted)));
                text.push_str(&format!("      had     {}\n", plain(had)));
            }
            None => text.push_str(&format!("    {}\n", explain::text::plain(&self.fault.what))),
        }
        if let Some(story) = self.story() {
            for line in explain::text(&story, screen.colour()).lines() {
                text.push_str(format!("    {line}").trim_end());
                text.push('\n');
            }
        }
        text
    }

    fn data(&self) -> Value {
        let (wanted, had) = self.fault.compared.clone().unzip();
        let read =
            |text: Option<String>| text.and_then(|it| serde_json::from_str::<Value>(&it).ok());
        json!({
            "file": self.file,
            "name": self.name,
            "rule": self.rule,
            "what": self.fault.what,
            "wanted": read(wanted),
            "had": read(had),
            "story": self.story(),
        })
    }

    /// Why the question got the answer that it got, of a case that came that far.
    fn story(&self) -> Option<explain::Story> {
        let (ask, record) = &**self.fault.told.as_ref()?;
        Some(explain::question(ask, record, None))
    }
}
