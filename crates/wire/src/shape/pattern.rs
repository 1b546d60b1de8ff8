//! The models' patterns, with the meaning that they have in Java: whole-string match, `\w`, `\d` and
//! `\s` of ASCII only, `.` without line terminators.

use std::sync::OnceLock;

use regex::Regex;

/// A pattern, compiled when first used.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

/// Java's look-ahead, which the linear-time engine does not have. It occurs once, in account aliases,
/// where it says "no two hyphens in a row"; that is checked beside the pattern.
const NO_HYPHEN_NEXT: &str = "-(?!-)";

impl Pattern {
    pub(super) fn new(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// As AWS shows it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text matches. A pattern that cannot be compiled matches nothing (a test
    /// compiles them all).
    pub(super) fn matches(&self, text: &str) -> bool {
        if self.text.contains(NO_HYPHEN_NEXT) && text.contains("--") {
            return false;
        }
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&translate(&self.text)).ok()).as_ref()
    }
}

/// Rewrites a Java pattern for the `regex` crate.
fn translate(java: &str) -> String {
    let java = java.replace(NO_HYPHEN_NEXT, "-");
    let dot_all = java.starts_with("(?s)");
    let mut out = String::from(r"\A(?:");
    let mut in_class = false;
    let mut letters = java.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let class = match letters.peek() {
                    Some('w') => "[:word:]",
                    Some('d') => "[:digit:]",
                    Some('s') => "[:space:]",
                    _ => {
                        out.push('\\');
                        out.extend(letters.next());
                        continue;
                    }
                };
                letters.next();
                if in_class {
                    out.push_str(class);
                } else {
                    out.push('[');
                    out.push_str(class);
                    out.push(']');
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '.' if !in_class && !dot_all => out.push_str(r"[^\n\r\u0085\u2028\u2029]"),
            other => out.push(other),
        }
    }
    out.push_str(r")\z");
    out
}
