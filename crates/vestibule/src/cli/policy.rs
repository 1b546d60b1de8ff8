//! `vestibule policy check`: what AWS would say to a document, and precisely why.

use clap::{Args, Subcommand, ValueEnum};
use policy::{Diagnostic, Document, Kind, Position, Strictness};
use serde_json::{Value, json};

use super::{
    Ending,
    failure::Failure,
    screen::{Screen, Tone},
    snippet::{self, Remark},
    source::Source,
};

/// Read policy documents
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Check(Check),
}

/// Read a policy document and tell every fault in it
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when AWS would refuse the document.

Examples:
  vestibule policy check trust.json
  vestibule policy check --kind session - < session.json
  vestibule --format json policy check policy.json")]
pub struct Check {
    /// The document; `-` for stdin
    file: String,
    /// What it is for [default: `trust` when a statement names a principal, else `identity`]
    #[arg(long, value_enum)]
    kind: Option<As>,
}

/// What a document is attached as.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum As {
    /// A policy of a user, group or role.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A role's trust policy.
    Trust,
    /// A resource's policy.
    Resource,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

pub(super) fn run(command: &Command, screen: &Screen) -> Result<Ending, Failure> {
    let Command::Check(options) = command;
    let source = Source::file(&options.file);
    let text = source.read()?;
    let kind = options.kind.map_or_else(|| guess(&text), As::kind);
    let strictness = match kind {
        Kind::Session => Strictness::Session,
        _ => Strictness::Stored,
    };
    match Document::parse(&text, kind, strictness) {
        Ok(_) => {
            let told = screen.paint(Tone::Good, "accepted");
            let text = format!("{}: {told} as {} policy", source.name(), word(kind));
            let report = json!({ "accepted": true, "kind": kind, "diagnostics": [] });
            screen.either(&text, &report)?;
            Ok(Ending::Good)
        }
        Err(rejection) => {
            let remarks: Vec<_> = rejection.diagnostics.iter().map(Remark::of_policy).collect();
            let shown = snippet::render(source.name(), &text, &remarks, screen.colour());
            let answer = format!("{}: {}", rejection.code, rejection.message);
            let diagnostics: Vec<Value> =
                rejection.diagnostics.iter().map(|found| placed(found, &text)).collect();
            let report = json!({
                "accepted": false,
                "kind": kind,
                "code": rejection.code,
                "message": rejection.message,
                "diagnostics": diagnostics,
            });
            let told = screen.paint(Tone::Bad, "AWS answers");
            screen.either(format!("{shown}\n\n{told} {answer}").trim_start(), &report)?;
            Ok(Ending::Bad)
        }
    }
}

/// A diagnostic with line and column beside its bytes.
fn placed(diagnostic: &Diagnostic, text: &str) -> Value {
    let mut value = serde_json::to_value(diagnostic).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        let position = Position::of(text, diagnostic.span.start);
        members.insert("line".to_owned(), position.line.into());
        members.insert("column".to_owned(), position.column.into());
    }
    value
}

/// A statement with a principal can only be a trust policy here; what cannot be read is told
/// about as an identity policy.
fn guess(text: &str) -> Kind {
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = match parsed.get("Statement") {
        Some(Value::Array(many)) => many.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let names = |s: &Value| s.get("Principal").is_some() || s.get("NotPrincipal").is_some();
    if statements.iter().any(names) { Kind::Trust } else { Kind::Identity }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Identity => "an identity",
        Kind::Boundary => "a boundary",
        Kind::Session => "a session",
        Kind::Trust => "a trust",
        Kind::Resource => "a resource",
        Kind::Scp => "a service control",
        Kind::Rcp => "a resource control",
    }
}

impl As {
    fn kind(self) -> Kind {
        match self {
            As::Identity => Kind::Identity,
            As::Boundary => Kind::Boundary,
            As::Session => Kind::Session,
            As::Trust => Kind::Trust,
            As::Resource => Kind::Resource,
            As::Scp => Kind::Scp,
            As::Rcp => Kind::Rcp,
        }
    }
}
