//! `Condition` blocks: what each operator says of a missing, single or multivalued key (spec A6).

use policy::Choices;
use serde_json::Value;

use super::literal::{self, Instant, Number};
use super::pattern::{Outcome, Reads, Short, Text, arn_matches, is_arn_pattern};
use super::{Had, Reading, list, text};

/// The keys the documentation marks as multivalued (spec C), as far as the tests use them.
const MULTIVALUED: [&str; 13] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
    "aws:vpceorgpaths",
    "cognito-identity.amazonaws.com:amr",
    "saml:cn",
    "saml:edupersonaffiliation",
    "sts:identitytokenaudience",
    "sts:requestcontextproviders",
    "sts:transitivetagkeys",
];

/// Of keys that no list declares, the request itself says what they are.
pub fn is_multivalued(lower: &str, had: Option<&Had>) -> bool {
    let issuer_amr =
        lower.split_once(':').is_some_and(|(i, claim)| i.contains('.') && claim == "amr");
    // AWS's own keys are declared, and the claims that every token issuer has; others are not.
    let declared = ["aws:", "sts:", "saml:", "iam:"].iter().any(|own| lower.starts_with(own))
        || lower.split_once(':').is_some_and(|(issuer, claim)| {
            issuer.contains('.') && ["aud", "oaud", "sub", "amr", "email"].contains(&claim)
        });
    match had {
        Some(had) if !declared => had.list,
        _ => MULTIVALUED.contains(&lower) || issuer_amr,
    }
}

impl Reading<'_> {
    /// Operators AND, keys AND.
    pub(super) fn condition(&self) -> bool {
        let Some(Value::Object(operators)) = self.statement.get("Condition") else { return true };
        operators.iter().all(|(operator, keys)| {
            let keys = keys.as_object().unwrap();
            keys.iter().all(|(key, values)| {
                let wanted: Vec<String> = list(values).into_iter().map(text).collect();
                self.line(operator, key, &wanted)
            })
        })
    }

    fn line(&self, operator: &str, key: &str, wanted: &[String]) -> bool {
        let choices = &self.question.choices;
        let lower = key.to_lowercase();
        let had = self.question.keys.get(&lower);
        let (prefix, name) = match operator.split_once(':') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, operator),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let present = had.filter(|had| {
            let empty = had.values.iter().all(String::is_empty);
            let may_ignore = name == "Null" || prefix == Some("ForAllValues");
            !(choices.empty_value_is_missing && may_ignore && empty)
        });
        if name == "Null" {
            let absent = present.is_none();
            return wanted.iter().any(|w| w.eq_ignore_ascii_case("true") == absent);
        }
        let negated = name.contains("Not");
        match (prefix, present) {
            // The key is missing: decided before any negation.
            (Some("ForAllValues"), None) => true,
            (Some(_), None) => if_exists && choices.for_any_if_exists_true_when_missing,
            (None, None) => if_exists || negated,
            (Some("ForAllValues"), Some(had)) => {
                had.values.iter().all(|value| self.satisfies(name, wanted, value))
            }
            (Some(_), Some(had)) => {
                had.values.iter().any(|value| self.satisfies(name, wanted, value))
            }
            // A multivalued key without a set prefix never matches, negated or not.
            (None, Some(had)) if is_multivalued(&lower, Some(had)) => false,
            (None, Some(had)) => match &had.values[..] {
                [value] => self.satisfies(name, wanted, value),
                _ => false,
            },
        }
    }

    /// Whether one value of the request satisfies the operator against the list.
    fn satisfies(&self, name: &str, wanted: &[String], had: &str) -> bool {
        let negated = name.contains("Not");
        // Values OR; for negated operators NOR.
        let any = |equals: &dyn Fn(&str) -> bool| wanted.iter().any(|w| equals(w)) != negated;
        match name {
            "StringEquals" | "StringNotEquals" => {
                any(&|w| self.put_in(w, false).plain().is_some_and(|w| w == had))
            }
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => any(&|w| {
                let wanted = self.put_in(w, false).plain();
                wanted.is_some_and(|w| w.to_lowercase() == had.to_lowercase())
            }),
            "StringLike" | "StringNotLike" => any(&|w| self.put_in(w, true).matches(had)),
            "Bool" => any(&|w| w.eq_ignore_ascii_case("true") == had.eq_ignore_ascii_case("true")),
            "BinaryEquals" => any(&|w| match (literal::base64(w), literal::base64(had)) {
                (Some(wanted), Some(had)) => wanted == had,
                _ => false,
            }),
            "IpAddress" | "NotIpAddress" => match literal::address(had) {
                // What is no address matches nothing, not even negated.
                None => false,
                Some(had) => any(&|w| literal::network_contains(w, &had)),
            },
            "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
                self.arn(negated, wanted, had)
            }
            _ if name.starts_with("Numeric") => number(name, wanted, had, &self.question.choices),
            _ if name.starts_with("Date") => date(name, wanted, had),
            _ => panic!("no such operator: {name}"),
        }
    }

    fn put_in(&self, wanted: &str, wildcards: bool) -> Text {
        let reads = Reads { wildcards, variables: self.has_variables() };
        Text::of(wanted, reads, self.question.keys)
    }

    fn arn(&self, negated: bool, wanted: &[String], had: &str) -> bool {
        let parts: Vec<&str> = had.splitn(6, ':').collect();
        if parts.len() < 6 || parts[0] != "arn" {
            return false;
        }
        let (variables, keys) = (self.has_variables(), self.question.keys);
        for wanted in wanted {
            // A malformed ARN never grants, and counts as a match in a Deny.
            if !is_arn_pattern(wanted, variables, keys) {
                return self.statement["Effect"] == "Deny";
            }
            let outcome = arn_matches(wanted, variables, Short::Never, had, keys);
            if outcome == Outcome::Matches {
                return !negated;
            }
        }
        negated
    }
}

fn number(name: &str, wanted: &[String], had: &str, choices: &Choices) -> bool {
    let not_equals = name == "NumericNotEquals";
    let Some(had) = Number::read(had) else {
        return not_equals && choices.unreadable_number_is_not_equal;
    };
    let mut wanted = wanted.iter().filter_map(|w| Number::read(w));
    match name {
        "NumericEquals" => wanted.any(|w| had == w),
        "NumericNotEquals" => !wanted.any(|w| had == w),
        "NumericLessThan" => wanted.any(|w| had < w),
        "NumericLessThanEquals" => wanted.any(|w| had <= w),
        "NumericGreaterThan" => wanted.any(|w| had > w),
        "NumericGreaterThanEquals" => wanted.any(|w| had >= w),
        _ => panic!("no such operator: {name}"),
    }
}

fn date(name: &str, wanted: &[String], had: &str) -> bool {
    let Some(had) = Instant::read(had) else { return name == "DateNotEquals" };
    let mut wanted = wanted.iter().filter_map(|w| Instant::read(w));
    match name {
        "DateEquals" => wanted.any(|w| had == w),
        "DateNotEquals" => !wanted.any(|w| had == w),
        "DateLessThan" => wanted.any(|w| had < w),
        "DateLessThanEquals" => wanted.any(|w| had <= w),
        "DateGreaterThan" => wanted.any(|w| had > w),
        "DateGreaterThanEquals" => wanted.any(|w| had >= w),
        _ => panic!("no such operator: {name}"),
    }
}
