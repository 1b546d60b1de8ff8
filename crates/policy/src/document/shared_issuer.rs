//! Secure by default: a trust policy for an identity provider that many customers share must say
//! *which* customer (spec A10). Checked when a trust policy is written, never for those that
//! exist. The issuers and their keys are a dated data file.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{ConditionLine, Document, Effect, PrincipalKind, Rejection, Spanned, Statement};
use crate::diagnostic::Diagnostic;
use crate::hash::lower;
use crate::key::{is_issuer, issuer_patterns};
use crate::operator::{Family, Relation};
use crate::pattern::Pattern;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the date and source are for those who read the file")]
struct File {
    as_of: String,
    source: String,
    rules: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    issuers: Vec<String>,
    keys: Vec<String>,
    rule: Rule,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rule {
    /// Some value, not blank and not stars alone.
    NotAll,
    /// Neither may it begin with a star.
    NoLeadingStar,
    /// By `StringEquals`.
    EqualsOnly,
    /// By `StringEquals`, with the message about application ids.
    Application,
}

const FILE: &str = include_str!("../../data/shared-issuers-2026-08.json");

static RULES: LazyLock<Vec<(Vec<Pattern>, Row)>> = LazyLock::new(|| {
    let rows = serde_json::from_str::<File>(FILE).map(|file| file.rules).unwrap_or_default();
    rows.into_iter().map(|row| (issuer_patterns(&row.issuers), row)).collect()
});

impl Document {
    /// Refuses a trust policy that opens a role to every customer of a shared identity provider.
    /// For CreateRole and UpdateAssumeRolePolicy only.
    ///
    /// # Errors
    /// AWS's answer for the first statement that does.
    pub fn check_shared_issuers(&self) -> Result<(), Rejection> {
        let allows = self.statements.iter().filter(|s| s.effect == Effect::Allow);
        for statement in allows.filter(|statement| is_web_identity(statement)) {
            for provider in providers(statement) {
                check(statement, provider)?;
            }
        }
        Ok(())
    }
}

fn is_web_identity(statement: &Statement) -> bool {
    let syntax = crate::pattern::Syntax { wildcards: true, variables: false };
    let none = crate::context::Context::new();
    let names = |action: &Spanned| {
        let pattern = Pattern::compile(&lower(&action.text), syntax);
        pattern.matches("sts:assumerolewithwebidentity", &none) == crate::pattern::Match::Yes
    };
    statement.action.list.iter().any(names) != statement.action.negated
}

fn providers(statement: &Statement) -> impl Iterator<Item = &Spanned> {
    let members = statement.principal.iter().flat_map(|block| &block.members);
    members.filter(|member| member.kind == PrincipalKind::Federated).flat_map(|m| &m.list)
}

fn check(statement: &Statement, provider: &Spanned) -> Result<(), Rejection> {
    let issuer = match provider.text.split_once(":oidc-provider/") {
        Some((_, issuer)) => issuer,
        None => &provider.text,
    };
    let issuer = lower(issuer);
    let Some((_, row)) = RULES.iter().find(|(patterns, _)| is_issuer(patterns, &issuer)) else {
        return Ok(());
    };
    let key_of = |name: &String| {
        if name.contains(':') { name.clone() } else { format!("{issuer}:{name}") }
    };
    let keys: Vec<String> = row.keys.iter().map(key_of).collect();
    let lines = statement.conditions.iter().flatten();
    let scoped = lines.filter(|line| is_positive(line, row.rule)).any(|line| {
        let key = lower(&line.key.text);
        keys.iter().any(|wanted| lower(wanted) == key)
            && line.values.iter().all(|value| is_scoped(&value.text.text, row.rule))
    });
    if scoped {
        return Ok(());
    }
    let key = keys.join(" or ");
    let message = if row.rule == Rule::Application {
        format!("Policy trusting {issuer} requires a StringEquals condition on an application id")
    } else {
        format!(
            "Trust policy with trusted principal {} must evaluate, using StringEquals, StringLike \
             or StringEqualsIgnoreCase, {key} which is not scoped to all",
            provider.text
        )
    };
    let found = Diagnostic::error(
        "shared-issuer",
        statement.span.0,
        "every customer of this identity provider could assume the role",
    )
    .label(provider.span, "shared by many customers")
    .help(format!("add a StringEquals condition on {key}"));
    Err(Rejection { code: "MalformedPolicyDocument".to_owned(), message, diagnostics: vec![found] })
}

fn is_positive(line: &ConditionLine, rule: Rule) -> bool {
    line.test.is_some_and(|test| {
        let family = match rule {
            Rule::EqualsOnly | Rule::Application => test.operator.family == Family::String,
            Rule::NotAll | Rule::NoLeadingStar => matches!(
                test.operator.family,
                Family::String | Family::StringLike | Family::StringIgnoreCase
            ),
        };
        family && test.operator.relation == Relation::Equal && !test.if_exists
    })
}

fn is_scoped(value: &str, rule: Rule) -> bool {
    let something = value.chars().any(|c| !c.is_whitespace() && c != '*');
    something && (rule != Rule::NoLeadingStar || !value.starts_with('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Kind, Strictness};

    fn answer(provider: &str, condition: &str) -> Result<(), String> {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},
            "Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}}}"#
        );
        let document = Document::parse(&text, Kind::Trust, Strictness::Stored).unwrap();
        document.check_shared_issuers().map_err(|rejection| rejection.message)
    }

    const GITHUB: &str =
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";

    #[test]
    fn the_file_is_readable() {
        let file: File = serde_json::from_str(FILE).unwrap();
        assert_eq!(file.rules.len(), RULES.len());
    }

    #[test]
    fn a_shared_issuer_needs_its_key() {
        let key = |op: &str, name: &str, value: &str| {
            let key = format!("token.actions.githubusercontent.com:{name}");
            answer(GITHUB, &format!(r#"{{"{op}":{{"{key}":{value}}}}}"#))
        };
        assert_eq!(key("StringLike", "sub", r#""repo:acme/*""#), Ok(()));
        assert_eq!(key("ForAnyValue:StringEquals", "job_workflow_ref", r#"["x"]"#), Ok(()));
        let refused = "Trust policy with trusted principal arn:aws:iam::111122223333:oidc-provider/\
             token.actions.githubusercontent.com must evaluate, using StringEquals, StringLike or \
             StringEqualsIgnoreCase, token.actions.githubusercontent.com:sub or \
             token.actions.githubusercontent.com:job_workflow_ref which is not scoped to all";
        for (op, name, value) in [
            ("StringLike", "sub", r#""*""#),
            ("StringLike", "sub", r#""*acme""#),
            ("StringLike", "sub", r#"["repo:a", " "]"#),
            ("StringLikeIfExists", "sub", r#""repo:a""#),
            ("StringNotEquals", "sub", r#""repo:a""#),
            ("StringEquals", "aud", r#""sts.amazonaws.com""#),
        ] {
            assert_eq!(key(op, name, value), Err(refused.to_owned()), "{op} {name} {value}");
        }
    }

    #[test]
    fn others_have_their_own_rules() {
        let own = "arn:aws:iam::111122223333:oidc-provider/idp.example";
        assert_eq!(answer(own, "{}"), Ok(()), "an issuer of one's own needs nothing");
        assert_eq!(
            answer("www.amazon.com", r#"{"StringLike":{"www.amazon.com:app_id":"a"}}"#),
            Err("Policy trusting www.amazon.com requires a StringEquals condition on an \
                 application id"
                .to_owned())
        );
        let app = r#"{"StringEquals":{"www.amazon.com:app_id":"a"}}"#;
        assert_eq!(answer("www.amazon.com", app), Ok(()));
        let google = r#"{"StringLike":{"accounts.google.com:aud":"a"}}"#;
        assert!(answer("accounts.google.com", google).is_err());
    }
}
