//! What the words of a document mean: the rules of each kind, with AWS's message for each
//! violation (spec A1). Runs on documents whose shape is sound.

use std::collections::HashMap;

use super::read::{Findings, syntax};
use super::{
    ConditionLine, Document, Kind, PrincipalBlock, PrincipalKind, Rejection, Spanned, Statement,
    Strictness, Version,
};
use crate::arn::{AccountId, Arn};
use crate::diagnostic::{Diagnostic, Span};

const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

/// Two spaces before the `and`, as AWS writes it.
const NOT_A_TRUST_ACTION: &str = "Trust Policy statement actions can only be sts:AssumeRole, \
     sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity";

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Identity providers that need no registration.
pub(crate) const BUILT_IN_PROVIDERS: [&str; 4] = [
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "www.amazon.com",
    "graph.facebook.com",
];

pub(super) fn check(document: &Document, strictness: Strictness, findings: &mut Findings) {
    let mut check = Check { document, strictness, findings };
    check.sids();
    for statement in &document.statements {
        check.principal(statement);
        check.actions(statement);
        check.resources(statement);
        for line in statement.conditions.iter().flatten() {
            check.condition(line);
        }
    }
}

struct Check<'a> {
    document: &'a Document,
    strictness: Strictness,
    findings: &'a mut Findings,
}

impl Check<'_> {
    fn syntax(&mut self, diagnostic: Diagnostic) {
        self.findings.add(syntax(self.strictness), diagnostic);
    }

    fn sids(&mut self) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for sid in self.document.statements.iter().filter_map(|s| s.sid.as_ref()) {
            let plain = sid.text.bytes().all(|b| b.is_ascii_alphanumeric());
            if !plain && self.document.kind != Kind::Resource {
                let aws = "Statement IDs (SID) must be alpha-numeric. Check that your input \
                           satisfies the regular expression [0-9A-Za-z]*";
                let text = "a statement id here consists of letters and digits";
                self.findings.add(aws, Diagnostic::error("sid", sid.span, text));
            }
            if sid.text.is_empty() {
                continue;
            }
            if let Some(first) = seen.insert(&sid.text, sid.span) {
                let aws = "Statement IDs (SID) in a single policy must be unique.";
                let found = Diagnostic::error("duplicate-sid", sid.span, "this id is used twice")
                    .label(first, "first here");
                self.findings.add(aws, found);
            }
        }
    }

    fn principal(&mut self, statement: &Statement) {
        let kind = self.document.kind;
        let takes_principal = matches!(kind, Kind::Trust | Kind::Resource | Kind::Rcp);
        let Some(block) = &statement.principal else {
            if takes_principal {
                let text = "the statement names no principal";
                let found = Diagnostic::error("no-principal", statement.span.0, text);
                self.findings.add("Missing required field Principal", found);
            }
            return;
        };
        if !takes_principal {
            let text = "this kind of policy applies to whom it is attached to";
            let found = Diagnostic::error("principal", block.span.0, text);
            self.findings.add("Policy document should not specify a principal.", found);
            return;
        }
        match kind {
            Kind::Trust => self.trust_principal(block),
            Kind::Rcp if block.negated || !block.star => {
                let text = "the principal of a resource control policy is \"*\"";
                self.syntax(Diagnostic::error("principal", block.span.0, text));
            }
            _ => self.listed_principals(block),
        }
    }

    fn trust_principal(&mut self, block: &PrincipalBlock) {
        if block.negated {
            let text = "a trust policy cannot use NotPrincipal";
            let found = Diagnostic::error("principal", block.span.0, text);
            self.findings.add("Has prohibited field NotPrincipal.", found);
        } else if block.star {
            let found = Diagnostic::error("principal", block.span.0, "who may assume the role?")
                .help("write {\"AWS\": \"*\"} if every signed AWS caller is meant");
            let aws = "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".";
            self.findings.add(aws, found);
        } else {
            self.listed_principals(block);
        }
    }

    fn listed_principals(&mut self, block: &PrincipalBlock) {
        let trust = self.document.kind == Kind::Trust;
        for member in &block.members {
            for value in &member.list {
                match judge_principal(member.kind, &value.text, trust) {
                    Ok(()) => {}
                    Err(PrincipalFault::Federated) => {
                        let aws =
                            "Federated principals must be valid domain names or SAML metadata ARNs";
                        let text = "name one provider by ARN, or a built-in provider by domain";
                        self.findings.add(aws, Diagnostic::error("principal", value.span, text));
                    }
                    Err(PrincipalFault::Invalid(text)) => {
                        let found = Diagnostic::error("principal", value.span, text);
                        self.findings.add(&invalid_principal(member.kind, &value.text), found);
                    }
                }
            }
        }
    }

    fn actions(&mut self, statement: &Statement) {
        let kind = self.document.kind;
        if kind == Kind::Trust && statement.action.negated {
            let text = "a trust policy lists the actions it is about";
            let found = Diagnostic::error("action", statement.span.0, text);
            self.findings.add(NOT_A_TRUST_ACTION, found);
            return;
        }
        if kind == Kind::Rcp && statement.action.negated {
            let text = "a resource control policy cannot use NotAction";
            self.syntax(Diagnostic::error("action", statement.span.0, text));
        }
        for action in &statement.action.list {
            self.action(action);
        }
    }

    fn action(&mut self, action: &Spanned) {
        let kind = self.document.kind;
        let text = &*action.text;
        if text == "*" && kind != Kind::Trust {
            if kind == Kind::Rcp {
                let text = "an action of a resource control policy names its service";
                self.syntax(Diagnostic::error("action", action.span, text));
            }
            return;
        }
        let Some((vendor, name)) = text.split_once(':') else {
            let found = Diagnostic::error("action", action.span, "the action names no service")
                .help("write service:Action, as in \"s3:GetObject\"");
            let aws = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
            self.findings.add(aws, found);
            return;
        };
        if name.contains(':') {
            let found = Diagnostic::error("action", action.span, "more than one colon");
            self.findings.add("Actions/Condition can contain only one colon.", found);
            return;
        }
        let vendor_is_sound = !vendor.is_empty()
            && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        if !vendor_is_sound && vendor != "*" {
            let found = Diagnostic::error("action", action.span, "not a service prefix");
            self.findings.add(&format!("Vendor {vendor} is not valid"), found);
            return;
        }
        if kind == Kind::Trust && !is_trust_action(text) {
            let text = "a trust policy is about assuming the role and nothing else";
            let found = Diagnostic::error("action", action.span, text).help(
                "sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, \
                       sts:TagSession, sts:SetSourceIdentity or sts:SetContext",
            );
            self.findings.add(NOT_A_TRUST_ACTION, found);
        }
    }

    fn resources(&mut self, statement: &Statement) {
        let Some(resources) = &statement.resource else { return };
        if self.document.kind == Kind::Trust {
            let name = if resources.negated { "NotResource" } else { "Resource" };
            let text = "the resource of a trust policy is its role";
            let found = Diagnostic::error("resource", statement.span.0, text);
            self.findings.add(&format!("Has prohibited field {name}."), found);
            return;
        }
        for resource in &resources.list {
            if let Err((aws, text)) = self.judge_resource(&resource.text) {
                let aws = aws.unwrap_or_else(|| syntax(self.strictness).to_owned());
                self.findings.add(&aws, Diagnostic::error("resource", resource.span, text));
            }
        }
    }

    /// AWS's message (none: the general one), and ours.
    fn judge_resource(&self, text: &str) -> Result<(), (Option<String>, &'static str)> {
        let variables = self.document.version() == Version::V2012;
        if text == "*" {
            return Ok(());
        }
        if variables {
            if crate::pattern::check_variables(text).is_err() {
                return Err((None, "malformed policy variable"));
            }
            if text.starts_with("${") {
                return Ok(());
            }
        }
        let not_an_arn = || Some(format!("Resource {text} must be in ARN format or \"*\"."));
        let Some(("arn", rest)) = text.split_once(':') else {
            return Err((not_an_arn(), "a resource is an ARN or \"*\""));
        };
        let mut parts = outside_variables(rest, 5, variables);
        let partition = parts.next().unwrap_or_default();
        let known = matches!(partition, "aws" | "aws-cn" | "aws-us-gov" | "aws-eusc")
            || partition.starts_with("aws-iso");
        if !known && !is_dynamic(partition) {
            let mut pad = parts.map(|part| if part.is_empty() { "*" } else { part });
            let mut next = || pad.next().unwrap_or("*");
            let aws = format!(
                "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{}:{}:{}:{}\".",
                next(),
                next(),
                next(),
                next(),
            );
            return Err((Some(aws), "unknown partition"));
        }
        let service = parts.next().unwrap_or_default();
        if service.is_empty() || (is_dynamic(service) && !service.contains("${")) {
            let aws = "Resource vendor must be fully qualified and cannot contain regexes.";
            return Err((Some(aws.to_owned()), "the service of a resource cannot be a pattern"));
        }
        let region = parts.next();
        let _account = parts.next();
        let id = parts.next();
        if self.document.kind == Kind::Rcp && id.is_none() {
            return Err((not_an_arn(), "the ARN has fewer than six parts"));
        }
        if service == "iam" {
            if region.is_some_and(|region| !region.is_empty() && region != "*") {
                let aws = format!("IAM resource {text} cannot contain region information.");
                return Err((Some(aws), "IAM is global: its ARNs have no region"));
            }
            let placed = id.is_none_or(|id| {
                is_dynamic(id.split('/').next().unwrap_or_default())
                    || IAM_PATHS.iter().any(|path| id.starts_with(path))
                    || id == "root"
            });
            if !placed {
                let aws = format!(
                    "IAM resource path must either be \"*\" or start with {}.",
                    IAM_PATHS.join(", ")
                );
                return Err((Some(aws), "IAM has no such resource type"));
            }
        }
        if service == "s3" && region.is_some_and(is_region) && is_bucket(id) {
            let aws = format!("Resource {text} can not contain region information.");
            return Err((Some(aws), "the ARN of a bucket has no region"));
        }
        Ok(())
    }

    fn condition(&mut self, line: &ConditionLine) {
        if !line.key.text.contains(':') {
            let found = Diagnostic::error("condition-key", line.key.span, "the key has no prefix")
                .help("condition keys begin with a service or provider: \"aws:SourceIp\"");
            let aws = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
            self.findings.add(aws, found);
        }
        if line.values.is_empty() {
            let text = "a condition needs at least one value";
            self.syntax(Diagnostic::error("no-value", line.key.span, text));
        }
        let Some(test) = line.test else {
            let text = format!("there is no operator {:?}", line.operator.text);
            let mut found = Diagnostic::error("unknown-operator", line.operator.span, text);
            if let Some(near) = near_operator(&line.operator.text) {
                found = found.help(format!("did you mean {near:?}?"));
            }
            self.syntax(found);
            return;
        };
        for value in &line.values {
            let text = &value.text.text;
            let Some(fault) = test.operator.fault_of(text, self.document.version()) else {
                continue;
            };
            // STS lets these pass; they never match positively.
            let passes = matches!(
                test.operator.family,
                crate::operator::Family::Numeric
                    | crate::operator::Family::Date
                    | crate::operator::Family::Ip
                    | crate::operator::Family::Arn
            );
            if self.strictness == Strictness::Stored || !passes {
                let found = Diagnostic::error("literal", value.text.span, fault)
                    .label(line.operator.span, "for this operator");
                self.syntax(found);
            }
        }
    }
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && !is_dynamic(text)
}

/// Whether an S3 resource id is a bucket or object, not an access point or the like.
fn is_bucket(id: Option<&str>) -> bool {
    const OTHERS: [&str; 4] = ["accesspoint/", "job/", "storage-lens", "access-grants"];
    id.is_some_and(|id| !OTHERS.iter().any(|other| id.starts_with(other)))
}

fn is_dynamic(text: &str) -> bool {
    text.contains(['*', '?']) || text.contains("${")
}

/// Up to `count` colon-separated parts; colons inside `${…}` do not count.
fn outside_variables(text: &str, count: usize, variables: bool) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.splitn(count, move |c| {
        match c {
            '{' if variables => depth += 1,
            '}' if variables => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ':' && depth == 0
    })
}

fn is_trust_action(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let syntax = crate::pattern::Syntax { wildcards: true, variables: false };
    let pattern = crate::pattern::Pattern::compile(&lower, syntax);
    let none = crate::context::Context::new();
    lower.starts_with("sts:")
        && TRUST_ACTIONS.iter().any(|a| pattern.matches(a, &none) == crate::pattern::Match::Yes)
}

fn near_operator(text: &str) -> Option<String> {
    let bare = text.rsplit(':').next().unwrap_or_default();
    let bare = bare.strip_suffix("IfExists").unwrap_or(bare);
    let same = |o: &&crate::operator::Operator| o.name().eq_ignore_ascii_case(bare);
    crate::operator::OPERATORS.iter().find(same).map(|o| o.name().to_owned())
}

enum PrincipalFault {
    Invalid(&'static str),
    Federated,
}

fn judge_principal(kind: PrincipalKind, text: &str, trust: bool) -> Result<(), PrincipalFault> {
    use PrincipalFault::Invalid;
    match kind {
        PrincipalKind::Aws => judge_aws_principal(text),
        PrincipalKind::Federated => {
            if BUILT_IN_PROVIDERS.contains(&text) {
                return Ok(());
            }
            let Ok(arn) = Arn::parse(text) else {
                let domain = text.contains('.')
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
                return Err(if domain {
                    Invalid("not a built-in provider; register it and name it by ARN")
                } else {
                    PrincipalFault::Federated
                });
            };
            let provider = matches!(arn.resource_type(), "oidc-provider" | "saml-provider")
                && arn.service() == "iam"
                && arn.account_id().is_some()
                && !text.contains(['*', '?']);
            if provider { Ok(()) } else { Err(PrincipalFault::Federated) }
        }
        PrincipalKind::Service => {
            let sound = text.contains('.')
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            if sound { Ok(()) } else { Err(Invalid("not the name of a service principal")) }
        }
        PrincipalKind::CanonicalUser => {
            let sound = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            if sound && !trust { Ok(()) } else { Err(Invalid("not a canonical user id")) }
        }
    }
}

fn judge_aws_principal(text: &str) -> Result<(), PrincipalFault> {
    use PrincipalFault::Invalid;
    if text == "*" || AccountId::parse(text).is_ok() || is_unique_id(text) {
        return Ok(());
    }
    if text.contains(['*', '?']) {
        return Err(Invalid("a wildcard cannot be part of a principal"));
    }
    let Ok(arn) = Arn::parse(text) else {
        return Err(Invalid("neither an account, nor an ARN, nor \"*\""));
    };
    if arn.account_id().is_none() {
        return Err(Invalid("the ARN names no account"));
    }
    let named = !arn.resource_name().is_empty();
    let sound = match (arn.service(), arn.resource_type()) {
        ("iam", "root") => arn.resource() == "root",
        ("iam", "user" | "role") => named,
        ("sts", "assumed-role") => named && arn.resource().split('/').count() == 3,
        ("sts", "federated-user") => named && arn.resource().split('/').count() == 2,
        _ => false,
    };
    let why = "principals are accounts, users, roles, role sessions and federated users";
    if sound { Ok(()) } else { Err(Invalid(why)) }
}

/// Whether the text is a unique id of a user (`AIDA…`) or role (`AROA…`).
pub(crate) fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && (16..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn invalid_principal(kind: PrincipalKind, value: &str) -> String {
    let kind = kind.name().to_ascii_uppercase();
    format!("Invalid principal in policy: \"{kind}\":\"{value}\"")
}

impl Rejection {
    /// The answer for a principal that is well formed but does not exist.
    #[must_use]
    pub fn unknown_principal(kind: PrincipalKind, value: &str, span: Span) -> Self {
        Self {
            code: "MalformedPolicyDocument".to_owned(),
            message: invalid_principal(kind, value),
            diagnostics: vec![Diagnostic::error(
                "unknown-principal",
                span,
                "there is no such principal",
            )],
        }
    }
}
