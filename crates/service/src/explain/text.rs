//! The story as a person reads it in a terminal.

use std::fmt::Write;

use super::story::{DecisionStory, Line, StatementStory, Story};
use crate::audit::Mark;

/// Most wanted values of one condition that are shown.
const MAX_WANTED: usize = 6;

/// Renders `story`; with ANSI colours if `colour`.
#[must_use]
pub fn text(story: &Story, colour: bool) -> String {
    let mut page = Page { out: String::new(), colour };
    page.head(story);
    if !story.checks.is_empty() {
        page.title("checks");
        page.lines(&story.checks, 2);
    }
    if !story.decisions.is_empty() {
        page.title("policy");
        for decision in &story.decisions {
            page.decision(decision);
        }
    }
    if !story.diagnostics.is_empty() {
        page.title("document");
        for finding in &story.diagnostics {
            let (line, column) = (finding.line, finding.column);
            page.put(2, &format!("line {line}, column {column}: {}", plain(&finding.message)));
            if let Some(text) = &finding.text {
                page.put(4, &plain(text));
            }
            if let Some(help) = &finding.help {
                page.put(4, &format!("help: {}", plain(help)));
            }
        }
    }
    page.ending(story);
    page.out
}

/// `text` with every character that could move the cursor, colour the screen or turn the reading
/// direction made visible.
///
/// ATTACK: a claim or a user agent with terminal escapes rewrites what the operator sees
/// (corpus/explain/terminal-escape.json).
#[must_use]
pub fn plain(text: &str) -> String {
    made_visible(text, |c, out| out.extend(c.escape_default()))
}

fn made_visible(text: &str, show: impl Fn(char, &mut String)) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(hostile) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hostile(c) {
            show(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

struct Page {
    out: String,
    colour: bool,
}

impl Page {
    fn head(&mut self, story: &Story) {
        let ink = if story.verdict == "ALLOW" { Ink::Green } else { Ink::Red };
        let verdict = self.ink(ink, story.verdict);
        let action = self.ink(Ink::Bold, &plain(&story.action));
        let resource = story.resource.as_deref().map(plain).unwrap_or_default();
        self.put(0, format!("{verdict}  {action}  {resource}").trim_end());
        let claimed = if story.proven { "" } else { " (as claimed, not proven)" };
        self.put(2, &format!("who      {}{claimed}", plain(&story.who)));
        let mut when = story.when.clone();
        if !story.source_ip.is_empty() {
            let _ = write!(when, " from {}", plain(&story.source_ip));
        }
        if !when.is_empty() {
            self.put(2, &format!("when     {when}"));
        }
        let mut request = plain(&story.request_id);
        if let Some(revision) = story.revision {
            let _ = write!(request, ", decided at revision {revision}");
        }
        if !request.is_empty() {
            self.put(2, &format!("request  {request}"));
        }
        if let Some((code, message)) = &story.answered {
            let dot = if message.is_empty() { "" } else { ": " };
            self.put(2, &format!("answer   {}{dot}{}", plain(code), plain(message)));
        }
        if let Some(many) = &story.aggregate {
            let ids: Vec<String> = many.request_ids.iter().map(|id| plain(id)).collect();
            let text = format!("{} calls from {}", many.count, plain(&many.source));
            self.put(2, &format!("stands   for {text}, {} to {}", many.from, many.to));
            self.put(2, &format!("among    {}", ids.join(", ")));
        }
    }

    fn decision(&mut self, decision: &DecisionStory) {
        let mark = self.mark(decision.mark);
        self.put(2, &format!("{mark} {}", plain(&decision.sentence)));
        if decision.mark == Mark::Pass {
            return;
        }
        if !decision.resource.is_empty() {
            self.put(4, &format!("resource {}", plain(&decision.resource)));
        }
        for statement in &decision.statements {
            self.statement(statement);
        }
        if decision.more_statements > 0 {
            let count = decision.more_statements;
            let text = match count {
                1 => "1 more statement was looked at".to_owned(),
                _ => format!("{count} more statements were looked at"),
            };
            let dim = self.ink(Ink::Dim, &text);
            self.put(4, &dim);
        }
    }

    fn statement(&mut self, statement: &StatementStory) {
        let how = match (&statement.stopped, statement.matched) {
            (_, true) => "matched".to_owned(),
            (Some(stopped), false) => stopped.clone(),
            (None, false) => "did not match".to_owned(),
        };
        let text = format!("{} {}: {how}", statement.effect, plain(&statement.place));
        self.put(4, &text);
        self.lines(&statement.lines, 6);
    }

    /// Lines of checks: names in one column; what failed gets wanted and had below each other.
    fn lines(&mut self, lines: &[Line], indent: usize) {
        let short = |line: &&Line| line.mark != Mark::Fail;
        let width = lines.iter().filter(short).map(|l| l.name.chars().count()).max().unwrap_or(0);
        for line in lines {
            let mark = self.mark(line.mark);
            let name = plain(&line.name);
            let ours = if line.ours { " (ours)" } else { "" };
            if line.mark == Mark::Fail {
                let bold = self.ink(Ink::Bold, &name);
                self.put(indent, &format!("{mark} {bold}{ours}"));
                self.wanted_and_had(line, indent + 4);
                continue;
            }
            let mut said = match (&line.had, &line.note) {
                (Some(had), _) if line.mark == Mark::Pass => plain(had),
                (_, Some(note)) => plain(note),
                _ => String::new(),
            };
            if let (Some(_), Some(note), Mark::Pass) = (&line.had, &line.note, line.mark) {
                let _ = write!(said, " ({})", plain(note));
            }
            let dim = self.ink(Ink::Dim, &said);
            let pad = " ".repeat(width.saturating_sub(name.chars().count()));
            self.put(indent, format!("{mark} {name}{pad}  {dim}{ours}").trim_end());
        }
    }

    fn wanted_and_had(&mut self, line: &Line, indent: usize) {
        let nearest = line.nearest_wanted().map(str::to_owned);
        // The nearest one stands last, right above what was there.
        let others = line.wanted.iter().filter(|w| Some(*w) != nearest.as_ref());
        let count = line.wanted.len();
        for (at, wanted) in others.take(MAX_WANTED - 1).enumerate() {
            let label = if at == 0 { "wanted" } else { "or    " };
            self.put(indent, &format!("{label}  {}", plain(wanted)));
        }
        if count > MAX_WANTED {
            self.put(indent, &format!("or      {} others", count - MAX_WANTED));
        }
        if let Some(wanted) = &nearest {
            let label = if count > 1 { "or    " } else { "wanted" };
            let shown = self.spanned(wanted, line.difference.map(|d| (d.wanted_from, d.wanted_to)));
            self.put(indent, &format!("{label}  {shown}"));
        }
        if nearest.is_some() || line.had.is_some() {
            let had = line.had_text();
            let shown = match line.had {
                Some(_) => self.spanned(had, line.difference.map(|d| (d.from, d.to))),
                None => self.ink(Ink::Dim, "nothing"),
            };
            self.put(indent, &format!("had     {shown}"));
            if let (Some(difference), Some(_)) = (line.difference, &line.had) {
                // Columns are counted on what is printed: escapes make texts longer.
                let before: String = had.chars().take(difference.from).collect();
                let inside: String =
                    had.chars().take(difference.to).skip(difference.from).collect();
                let at = plain(&before).chars().count();
                let carets = "^".repeat(plain(&inside).chars().count().max(1));
                let red = self.ink(Ink::Red, &carets);
                self.put(indent, &format!("        {}{red}", " ".repeat(at)));
            }
        }
        if let Some(note) = &line.note {
            let dim = self.ink(Ink::Dim, &plain(note));
            self.put(indent, &format!("note    {dim}"));
        }
    }

    fn ending(&mut self, story: &Story) {
        if let Some(cause) = &story.cause {
            self.title("why");
            self.put(2, &plain(&cause.text));
            if let Some(hint) = &cause.hint {
                self.put(2, &plain(hint));
            }
        }
        if let Some(change) = &story.change {
            self.title("smallest change");
            self.put(2, &plain(&change.text));
            if let Some(json) = &change.json {
                let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
                for line in pretty.lines() {
                    // JSON's own escapes, so that the fragment stays JSON.
                    self.put(
                        4,
                        &made_visible(line, |c, out| {
                            let _ = write!(out, "\\u{:04x}", u32::from(c));
                        }),
                    );
                }
            }
        }
        if !story.ours.is_empty() {
            self.title("unlike AWS");
            for line in &story.ours {
                self.put(2, &plain(line));
            }
        }
        if let Some(signature) = &story.signature {
            self.title("canonical request, as computed here");
            for line in signature.canonical_request.lines() {
                self.put(2, &format!("| {}", plain(line)));
            }
            self.title("string to sign");
            for line in signature.string_to_sign.lines() {
                self.put(2, &format!("| {}", plain(line)));
            }
        }
        if !story.trimmed.is_empty() {
            self.title("left out for size");
            self.put(2, &story.trimmed.join(", "));
        }
    }

    fn title(&mut self, title: &str) {
        let bold = self.ink(Ink::Bold, title);
        self.out.push('\n');
        self.put(0, &bold);
    }

    fn put(&mut self, indent: usize, text: &str) {
        for _ in 0..indent {
            self.out.push(' ');
        }
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn mark(&self, mark: Mark) -> String {
        match mark {
            Mark::Pass => self.ink(Ink::Green, "✓"),
            Mark::Fail => self.ink(Ink::Red, "✗"),
            Mark::Skipped => self.ink(Ink::Dim, "·"),
        }
    }

    /// `text` with the characters from `span` coloured.
    fn spanned(&self, text: &str, span: Option<(usize, usize)>) -> String {
        let Some((from, to)) = span.filter(|_| self.colour) else { return plain(text) };
        let part = |from: usize, to: usize| -> String {
            plain(&text.chars().take(to).skip(from).collect::<String>())
        };
        let end = text.chars().count();
        format!("{}{}{}", part(0, from), self.ink(Ink::Yellow, &part(from, to)), part(to, end))
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Green => "32",
            Ink::Red => "31",
            Ink::Yellow => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
