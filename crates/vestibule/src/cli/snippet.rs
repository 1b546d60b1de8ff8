//! Faults shown in their source, as the Rust compiler does.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::config::Problem;

/// One fault of a text.
#[derive(Debug)]
pub struct Remark<'a> {
    /// Whether it is only a warning.
    pub warning: bool,
    /// A stable name, shown in brackets.
    pub code: Option<&'a str>,
    /// One sentence.
    pub message: &'a str,
    /// The place, in bytes; `None` for the text as a whole.
    pub span: Option<Range<usize>>,
    /// Further places with what they have to do with it.
    pub labels: Vec<(Range<usize>, &'a str)>,
    /// What to write instead.
    pub help: Option<&'a str>,
}

impl<'a> Remark<'a> {
    /// A fault of a settings file.
    pub fn of_setting(problem: &'a Problem) -> Remark<'a> {
        Remark {
            warning: false,
            code: None,
            message: &problem.message,
            span: problem.span.clone(),
            labels: Vec::new(),
            help: problem.help.as_deref(),
        }
    }

    /// A finding about a policy document.
    pub fn of_policy(diagnostic: &'a policy::Diagnostic) -> Remark<'a> {
        let range = |span: policy::Span| span.start as usize..span.end as usize;
        Remark {
            warning: diagnostic.severity == policy::Severity::Warning,
            code: Some(&diagnostic.code),
            message: &diagnostic.message,
            span: Some(range(diagnostic.span)),
            labels: diagnostic.labels.iter().map(|l| (range(l.span), l.text.as_str())).collect(),
            help: diagnostic.help.as_deref(),
        }
    }
}

/// All remarks about `source`, which is called `path`.
pub fn render(path: &str, source: &str, remarks: &[Remark<'_>], colour: bool) -> String {
    let within = |span: &Range<usize>| {
        let end = span.end.min(source.len());
        span.start.min(end)..end
    };
    let groups: Vec<Group<'_>> = remarks
        .iter()
        .map(|remark| {
            let level = if remark.warning { Level::WARNING } else { Level::ERROR };
            let mut title = level.primary_title(remark.message);
            if let Some(code) = remark.code {
                title = title.id(code);
            }
            let mut group = Group::with_title(title);
            if let Some(span) = &remark.span {
                let place = AnnotationKind::Primary.span(within(span));
                let others = remark
                    .labels
                    .iter()
                    .map(|(span, text)| AnnotationKind::Context.span(within(span)).label(*text));
                let snippet = Snippet::source(source).path(path).annotation(place);
                group = group.element(snippet.annotations(others));
            }
            match remark.help {
                Some(help) => group.element(Level::HELP.message(help)),
                None => group,
            }
        })
        .collect();
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups)
}
