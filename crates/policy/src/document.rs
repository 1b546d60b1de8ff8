//! A policy document: what may be written, and what AWS answers when it is not (spec A1).

mod check;
mod mentions;
mod print;
mod read;

pub mod shared_issuer;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Span};
use crate::operator::Test;

/// What a document is attached as; each kind has its own grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Of a user, group or role: inline or managed.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A role's trust policy.
    Trust,
    /// A resource's policy, or a VPC endpoint's.
    Resource,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

/// How strictly literals are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// As when IAM stores a document.
    Stored,
    /// As when STS reads a session policy: malformed numbers, dates, addresses and ARNs pass, and
    /// never match positively.
    Session,
}

/// The policy language version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Version {
    /// `2008-10-17`, also when absent: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: policy variables.
    V2012,
}

/// `Allow` or `Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids, whatever grants.
    Deny,
}

/// A text and where it stands. Equal when the texts are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spanned {
    /// The value, unescaped.
    pub text: String,
    /// Bytes of the document.
    pub span: Span,
}

impl PartialEq for Spanned {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Spanned {}

/// `Action`/`NotAction` or `Resource`/`NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// The `Not…` form.
    pub negated: bool,
    /// At least one.
    pub list: Vec<Spanned>,
    /// Written as a list (only matters for printing).
    pub listed: bool,
}

/// The kinds of principal a policy can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// Accounts, users, roles, sessions.
    #[serde(rename = "AWS")]
    Aws,
    /// Identity providers.
    Federated,
    /// AWS services.
    Service,
    /// S3 canonical ids.
    CanonicalUser,
}

impl PrincipalKind {
    /// The member name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Federated => "Federated",
            Self::Service => "Service",
            Self::CanonicalUser => "CanonicalUser",
        }
    }
}

/// One member of a `Principal` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalList {
    /// `AWS`, `Federated`, …
    pub kind: PrincipalKind,
    /// The values.
    pub list: Vec<Spanned>,
    /// Written as a list.
    pub listed: bool,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalBlock {
    /// The `Not…` form.
    pub negated: bool,
    /// The scalar `"*"`, in place of members.
    pub star: bool,
    /// The members; empty with `star`.
    pub members: Vec<PrincipalList>,
    /// The whole element. Not compared.
    pub span: Unseen,
}

/// A condition value: text, or a number or boolean taken as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionValue {
    /// The value as text.
    pub text: Spanned,
    /// Was a JSON string.
    pub quoted: bool,
}

/// One `operator: { key: values }` of a `Condition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionLine {
    /// The operator with its prefix and suffix, understood. None when unknown (refused in
    /// stored documents, never true in others).
    pub test: Option<Test>,
    /// The operator as written.
    pub operator: Spanned,
    /// The key as written.
    pub key: Spanned,
    /// The values.
    pub values: Vec<ConditionValue>,
    /// Written as a list.
    pub listed: bool,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<Spanned>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal`/`NotPrincipal`.
    pub principal: Option<PrincipalBlock>,
    /// `Action`/`NotAction`.
    pub action: Patterns,
    /// `Resource`/`NotResource`; none in trust policies.
    pub resource: Option<Patterns>,
    /// The lines of `Condition`, in order of operator, then key, as written.
    pub conditions: Option<Vec<ConditionLine>>,
    /// The statement's braces. Not compared.
    pub span: Unseen,
}

/// A span that takes no part in comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseen(pub Span);

impl PartialEq for Unseen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Unseen {}

/// A parsed and judged policy document.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) kind: Kind,
    pub(crate) version: Option<Version>,
    pub(crate) id: Option<Spanned>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) listed: bool,
    pub(crate) source: Arc<str>,
}

/// Equal when they say the same, wherever it stands in their texts.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.version == other.version
            && self.id == other.id
            && self.listed == other.listed
            && self.statements == other.statements
    }
}
impl Eq for Document {}

/// A refused document: AWS's answer, and precise diagnostics for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// AWS's error code: `MalformedPolicyDocument`.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// What exactly, where.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
impl std::error::Error for Rejection {}

/// A principal named in a document, and where.
#[derive(Clone, Copy, Debug)]
pub struct NamedPrincipal<'a> {
    /// `AWS`, `Federated`, …
    pub kind: PrincipalKind,
    /// The text: an ARN, an account, a unique id, a domain, `*`.
    pub value: &'a str,
    /// Where.
    pub span: Span,
    /// Stands in `NotPrincipal`.
    pub negated: bool,
    /// The statement's effect.
    pub effect: Effect,
}

impl Document {
    /// The longest text read, in characters (`[BC]` of every policy parameter).
    pub const MAX_CHARACTERS: usize = 131_072;

    /// Reads and judges a document.
    ///
    /// # Errors
    /// AWS's answer for the first violation, with diagnostics for every one found.
    pub fn parse(text: &str, kind: Kind, strictness: Strictness) -> Result<Self, Rejection> {
        read::parse(text, kind, strictness)
    }

    /// What it is attached as.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version in force (2008 when absent).
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.unwrap_or(Version::V2008)
    }

    /// The statements in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The text that was parsed; after [`map_principals`](Self::map_principals), the printed one.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The document as JSON, compact, members in the order of the grammar. Parsing it again gives
    /// an equal document.
    #[must_use]
    pub fn print(&self) -> String {
        print::print(self)
    }

    /// Every principal named, in order.
    pub fn principals(&self) -> impl Iterator<Item = NamedPrincipal<'_>> {
        self.statements.iter().flat_map(|statement| {
            statement.principal.iter().flat_map(move |block| {
                let named = block.members.iter().flat_map(move |member| {
                    member.list.iter().map(move |value| NamedPrincipal {
                        kind: member.kind,
                        value: &value.text,
                        span: value.span,
                        negated: block.negated,
                        effect: statement.effect,
                    })
                });
                let star = block.star.then_some(NamedPrincipal {
                    kind: PrincipalKind::Aws,
                    value: "*",
                    span: block.span.0,
                    negated: block.negated,
                    effect: statement.effect,
                });
                star.into_iter().chain(named)
            })
        })
    }

    /// Replaces `AWS` principals: at write time live user and role ARNs by their unique ids, at
    /// read time live ids by ARNs. `to` answers `None` for what shall stay. Spans then refer to
    /// the new [`source`](Self::source).
    #[must_use]
    pub fn map_principals(&self, mut to: impl FnMut(&str) -> Option<String>) -> Self {
        let mut mapped = self.clone();
        let blocks = mapped.statements.iter_mut().filter_map(|s| s.principal.as_mut());
        let members = blocks.flat_map(|block| &mut block.members);
        for value in members.filter(|m| m.kind == PrincipalKind::Aws).flat_map(|m| &mut m.list) {
            if let Some(new) = to(&value.text) {
                value.text = new;
            }
        }
        let printed = mapped.print();
        // Reading again places the spans; what was judged once is not judged again.
        read::respan(&printed, mapped)
    }
}

/// The number of characters IAM counts against a quota: all but white space.
#[must_use]
pub fn quota_size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Size quotas in characters as [`quota_size`] counts them (spec A1), but for session policies,
/// which count everything.
pub mod quota {
    /// One version of a managed policy, and a permissions boundary.
    pub const MANAGED: usize = 6_144;
    /// All inline policies of a user together.
    pub const USER_INLINE: usize = 2_048;
    /// All inline policies of a group together.
    pub const GROUP_INLINE: usize = 5_120;
    /// All inline policies of a role together.
    pub const ROLE_INLINE: usize = 10_240;
    /// A role's trust policy, by default.
    pub const TRUST: usize = 2_048;
    /// A role's trust policy, when raised.
    pub const TRUST_RAISED: usize = 4_096;
    /// An SCP or RCP.
    pub const ORGANIZATION: usize = 5_120;
    /// Inline session policy plus managed policy ARNs, white space included.
    pub const SESSION: usize = 2_048;
}

#[cfg(test)]
mod tests;
