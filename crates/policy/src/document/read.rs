//! Text → document: the shape of the grammar (spec A1). What the words mean is judged in `check`.
//!
//! Every violation becomes a diagnostic; AWS answers with one message, that of the first finding
//! in the order: shape, then statement by statement in the order of the grammar.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    ConditionLine, ConditionValue, Document, Effect, Kind, Patterns, PrincipalBlock, PrincipalKind,
    PrincipalList, Rejection, Spanned, Statement, Strictness, Unseen, Version, check,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::json::{Limits, Member, Node, Value, read};
use crate::operator::Test;

/// What AWS answers when the text is no policy at all.
const SYNTAX: &str = "Syntax errors in policy.";
/// The same from STS, for session policies.
const SESSION_SYNTAX: &str = "This policy contains invalid Json";

pub(super) fn parse(text: &str, kind: Kind, strictness: Strictness) -> Result<Document, Rejection> {
    let mut findings = Findings::default();
    let document = build(text, kind, strictness, &mut findings);
    if let (Some(document), true) = (&document, findings.all.is_empty()) {
        check::check(document, strictness, &mut findings);
    }
    match document {
        Some(document) if findings.all.is_empty() => Ok(document),
        _ => Err(Rejection {
            code: "MalformedPolicyDocument".to_owned(),
            message: findings.message.unwrap_or_else(|| syntax(strictness).to_owned()),
            diagnostics: findings.all,
        }),
    }
}

/// Reads `text`, printed from `document`, for the new spans; keeps the old should that fail.
pub(super) fn respan(text: &str, document: Document) -> Document {
    let mut findings = Findings::default();
    // Unique ids in place of ARNs are as good a shape as any: only the reading is repeated.
    let again = build(text, document.kind, Strictness::Session, &mut findings);
    match again {
        Some(again) if findings.all.is_empty() => again,
        _ => Document { source: text.into(), ..document },
    }
}

pub(super) fn syntax(strictness: Strictness) -> &'static str {
    match strictness {
        Strictness::Stored => SYNTAX,
        Strictness::Session => SESSION_SYNTAX,
    }
}

/// What was found: all diagnostics, and AWS's message for the first.
#[derive(Default)]
pub(super) struct Findings {
    message: Option<String>,
    all: Vec<Diagnostic>,
}

impl Findings {
    pub(super) fn add(&mut self, aws: &str, diagnostic: Diagnostic) {
        self.message.get_or_insert_with(|| aws.to_owned());
        // A hostile document must not make the answer longer than itself.
        if self.all.len() < 100 {
            self.all.push(diagnostic);
        }
    }

    fn shape(&mut self, strictness: Strictness, span: Span, text: impl Into<String>) {
        self.add(syntax(strictness), Diagnostic::error("syntax", span, text));
    }
}

struct Reader<'f> {
    strictness: Strictness,
    findings: &'f mut Findings,
}

fn build(
    text: &str,
    kind: Kind,
    strictness: Strictness,
    findings: &mut Findings,
) -> Option<Document> {
    let mut reader = Reader { strictness, findings };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_policy_character(*c)) {
        let span = Span::new(at, at + c.len_utf8());
        reader.fault(span, "only tab, line feed, carriage return and U+0020 to U+00FF may appear");
        return None;
    }
    let root = match read(text, Limits::POLICY) {
        Ok(root) => root,
        Err(fault) => {
            let found = Diagnostic::error("json", fault.span, fault.message);
            reader.findings.add(syntax(strictness), found);
            return None;
        }
    };
    let Value::Object(members) = &root.value else {
        reader.fault(root.span, "a policy is a JSON object");
        return None;
    };
    reader.known(members, &["Version", "Id", "Statement"], "a policy");
    let version = find(members, "Version").and_then(|node| reader.version(node));
    let id = find(members, "Id").and_then(|node| reader.string(node));
    let Some(node) = find(members, "Statement") else {
        reader.fault(root.span, "a policy needs the member \"Statement\"");
        return None;
    };
    let (listed, nodes) = match &node.value {
        Value::Array(items) => (true, items.as_slice()),
        _ => (false, std::slice::from_ref(node)),
    };
    if nodes.is_empty() {
        reader.fault(node.span, "\"Statement\" must hold at least one statement");
    }
    let statements = nodes.iter().filter_map(|node| reader.statement(node, kind)).collect();
    Some(Document { kind, version, id, statements, listed, source: Arc::from(text) })
}

fn is_policy_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}')
}

fn find<'a>(members: &'a [Member], name: &str) -> Option<&'a Node> {
    members.iter().find(|member| member.key == name).map(|member| &member.value)
}

impl Reader<'_> {
    fn fault(&mut self, span: Span, text: impl Into<String>) {
        self.findings.shape(self.strictness, span, text);
    }

    /// Refuses unknown and duplicate members.
    fn known(&mut self, members: &[Member], names: &[&str], what: &str) {
        self.unique(members);
        for member in members {
            if !names.contains(&&*member.key) {
                let near = names.iter().find(|name| name.eq_ignore_ascii_case(&member.key));
                let text = format!("{what} has no member {:?}", member.key);
                let mut found = Diagnostic::error("unknown-member", member.key_span, text);
                if let Some(near) = near {
                    found = found.help(format!("member names are case-sensitive: {near:?}"));
                }
                self.findings.add(syntax(self.strictness), found);
            }
        }
    }

    /// Refuses duplicate members.
    fn unique(&mut self, members: &[Member]) {
        // ATTACK: thousands of members, compared each with each; hence the set
        // (`document/tests.rs`).
        let mut seen: HashMap<&str, Span> = HashMap::with_capacity(members.len());
        for member in members {
            if let Some(first) = seen.get(&*member.key) {
                let text = format!("the member {:?} is written twice", member.key);
                let found = Diagnostic::error("duplicate-member", member.key_span, text)
                    .label(*first, "first here");
                self.findings.add(syntax(self.strictness), found);
            } else {
                seen.insert(&member.key, member.key_span);
            }
        }
    }

    fn version(&mut self, node: &Node) -> Option<Version> {
        match &node.value {
            Value::String(text) if text == "2012-10-17" => Some(Version::V2012),
            Value::String(text) if text == "2008-10-17" => Some(Version::V2008),
            Value::String(text) => {
                let text = format!("there is no policy version {text:?}");
                let found = Diagnostic::error("unknown-version", node.span, text)
                    .help("write \"2012-10-17\"");
                self.findings.add("Policy document must be version 2012-10-17 or greater.", found);
                None
            }
            _ => {
                self.fault(node.span, "\"Version\" is a text");
                None
            }
        }
    }

    fn string(&mut self, node: &Node) -> Option<Spanned> {
        if let Value::String(text) = &node.value {
            return Some(Spanned { text: text.clone(), span: node.span });
        }
        self.fault(node.span, "expected a text");
        None
    }

    /// A text or a list of texts.
    fn strings(&mut self, node: &Node) -> Option<(bool, Vec<Spanned>)> {
        let Value::Array(items) = &node.value else {
            return Some((false, vec![self.string(node)?]));
        };
        Some((true, items.iter().map(|item| self.string(item)).collect::<Option<_>>()?))
    }

    fn statement(&mut self, node: &Node, kind: Kind) -> Option<Statement> {
        let Value::Object(members) = &node.value else {
            self.fault(node.span, "a statement is an object");
            return None;
        };
        const NAMES: [&str; 9] = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        self.known(members, &NAMES, "a statement");
        let sid = find(members, "Sid").and_then(|node| self.string(node));
        let effect = match find(members, "Effect") {
            Some(node) => self.effect(node),
            None => {
                self.fault(node.span, "a statement needs the member \"Effect\"");
                None
            }
        };
        let principal = self.principal(members);
        let action = self.patterns(members, ["Action", "NotAction"]);
        if action.as_ref().is_none_or(|patterns| patterns.list.is_empty()) {
            let found = Diagnostic::error("no-action", node.span, "the statement names no action");
            self.findings.add("Policy statement must contain actions.", found);
        }
        let resource = self.patterns(members, ["Resource", "NotResource"]);
        let missing = resource.as_ref().is_none_or(|patterns| patterns.list.is_empty());
        if missing && kind != Kind::Trust {
            let text = "the statement names no resource";
            let found = Diagnostic::error("no-resource", node.span, text);
            self.findings.add("Policy statement must contain resources.", found);
        }
        let conditions = match find(members, "Condition") {
            Some(node) => self.conditions(node),
            None => None,
        };
        let span = Unseen(node.span);
        let (effect, action) = (effect?, action?);
        Some(Statement { sid, effect, principal, action, resource, conditions, span })
    }

    fn effect(&mut self, node: &Node) -> Option<Effect> {
        match &node.value {
            Value::String(text) if text == "Allow" => Some(Effect::Allow),
            Value::String(text) if text == "Deny" => Some(Effect::Deny),
            _ => {
                let text = "\"Effect\" is \"Allow\" or \"Deny\", in this casing";
                let found = Diagnostic::error("effect", node.span, text);
                self.findings.add(syntax(self.strictness), found);
                None
            }
        }
    }

    /// One of two members that exclude each other.
    fn one_of<'a>(
        &mut self,
        members: &'a [Member],
        [plain, negated]: [&str; 2],
    ) -> Option<(bool, &'a Member)> {
        let named = |name: &str| members.iter().find(|member| member.key == name);
        match (named(plain), named(negated)) {
            (Some(first), Some(second)) => {
                let text = format!("{plain:?} and {negated:?} exclude each other");
                let found = Diagnostic::error("both-forms", second.key_span, text)
                    .label(first.key_span, "the other is here");
                self.findings.add(syntax(self.strictness), found);
                None
            }
            (Some(member), None) => Some((false, member)),
            (None, Some(member)) => Some((true, member)),
            (None, None) => None,
        }
    }

    fn patterns(&mut self, members: &[Member], names: [&str; 2]) -> Option<Patterns> {
        let (negated, member) = self.one_of(members, names)?;
        let (listed, list) = self.strings(&member.value)?;
        Some(Patterns { negated, list, listed })
    }

    fn principal(&mut self, members: &[Member]) -> Option<PrincipalBlock> {
        let (negated, member) = self.one_of(members, ["Principal", "NotPrincipal"])?;
        let span = Unseen(Span { start: member.key_span.start, end: member.value.span.end });
        let block = |star, members| PrincipalBlock { negated, star, members, span };
        match &member.value.value {
            Value::String(text) if text == "*" => Some(block(true, Vec::new())),
            Value::Object(items) => {
                self.known(items, &["AWS", "Federated", "Service", "CanonicalUser"], "a principal");
                if items.is_empty() {
                    self.fault(member.value.span, "the principal is empty");
                }
                let items = items.iter().filter_map(|item| self.principal_list(item)).collect();
                Some(block(false, items))
            }
            _ => {
                self.fault(member.value.span, "a principal is \"*\" or an object");
                None
            }
        }
    }

    fn principal_list(&mut self, member: &Member) -> Option<PrincipalList> {
        use PrincipalKind::{Aws, CanonicalUser, Federated, Service};
        let kind = [Aws, Federated, Service, CanonicalUser]
            .into_iter()
            .find(|kind| kind.name() == member.key)?;
        let (listed, list) = self.strings(&member.value)?;
        if list.is_empty() {
            self.fault(member.value.span, "the list of principals is empty");
        }
        Some(PrincipalList { kind, list, listed })
    }

    fn conditions(&mut self, node: &Node) -> Option<Vec<ConditionLine>> {
        let Value::Object(operators) = &node.value else {
            self.fault(node.span, "\"Condition\" is an object of operators");
            return None;
        };
        let mut lines = Vec::new();
        self.unique(operators);
        for operator in operators {
            let Value::Object(keys) = &operator.value.value else {
                self.fault(operator.value.span, "an operator holds an object of condition keys");
                continue;
            };
            self.unique(keys);
            for key in keys {
                let Some((listed, values)) = self.values(&key.value) else { continue };
                lines.push(ConditionLine {
                    test: Test::parse(&operator.key),
                    operator: Spanned { text: operator.key.clone(), span: operator.key_span },
                    key: Spanned { text: key.key.clone(), span: key.key_span },
                    values,
                    listed,
                });
            }
        }
        Some(lines)
    }

    fn values(&mut self, node: &Node) -> Option<(bool, Vec<ConditionValue>)> {
        let Value::Array(items) = &node.value else {
            return Some((false, vec![self.value(node)?]));
        };
        Some((true, items.iter().map(|item| self.value(item)).collect::<Option<_>>()?))
    }

    fn value(&mut self, node: &Node) -> Option<ConditionValue> {
        let (text, quoted) = match &node.value {
            Value::String(text) => (text.clone(), true),
            Value::Number(text) => (text.clone(), false),
            Value::Bool(truth) => (truth.to_string(), false),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                self.fault(node.span, "a condition value is a text, a number, true or false");
                return None;
            }
        };
        Some(ConditionValue { text: Spanned { text, span: node.span }, quoted })
    }
}
