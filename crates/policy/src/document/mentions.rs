//! The condition keys that a document mentions, spelled as it spells them.
//!
//! Unlike [`needs`](crate::needs()), which asks what could matter for one question, this lists what
//! the text names anywhere; AWS's simulator tells its callers so.

use std::collections::BTreeSet;

use super::{Document, Statement, Version};
use crate::pattern::variable;

impl Document {
    /// Every key that a condition names, or a variable in a resource or in a condition's value.
    /// Spellings that differ in case stay apart. The names of the escapes `${*}`, `${?}` and
    /// `${$}` are among them, as AWS lists them.
    #[must_use]
    pub fn mentioned_keys(&self) -> BTreeSet<&str> {
        let mut keys = BTreeSet::new();
        for statement in &self.statements {
            let lines = statement.conditions.iter().flatten();
            keys.extend(lines.map(|line| line.key.text.as_str()));
            if self.version() == Version::V2012 {
                keys.extend(texts(statement).flat_map(variables));
            }
        }
        keys
    }
}

/// The texts of a statement that may hold variables.
fn texts(statement: &Statement) -> impl Iterator<Item = &str> {
    let resources = statement.resource.iter().flat_map(|resource| &resource.list);
    let lines = statement.conditions.iter().flatten();
    let takes = lines.filter(|line| line.test.is_some_and(|test| test.operator.takes_variables()));
    let values = takes.flat_map(|line| &line.values).map(|value| &value.text);
    resources.chain(values).map(|text| text.text.as_str())
}

/// The names in `${name}` and `${name, 'default'}`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.find("${")?;
        let whole = rest.get(at..)?;
        let (_, after) = variable(whole)?;
        rest = after;
        let name = whole.get(2..)?.split(['}', ',']).next()?;
        Some(name.trim_end())
    })
}

#[cfg(test)]
mod tests {
    use crate::{Document, Kind, Strictness};

    fn keys(version: &str) -> Vec<String> {
        let text = r#"{"Version":"VERSION","Statement":[
          {"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::b/${aws:username}/${X:Y, 'd,}'}${*}","*"],
           "Condition":{"StringEquals":{"X:y":"${z:k}${z:k}"},"Bool":{"a:Flag":"true"}}},
          {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Null":{"x:Y":"true"}}}]}"#;
        let text = text.replace("VERSION", version);
        let document = Document::parse(&text, Kind::Identity, Strictness::Stored).unwrap();
        document.mentioned_keys().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn conditions_and_variables_are_listed_as_written() {
        assert_eq!(keys("2012-10-17"), ["*", "X:Y", "X:y", "a:Flag", "aws:username", "x:Y", "z:k"]);
    }

    #[test]
    fn without_the_newer_version_there_are_no_variables() {
        assert_eq!(keys("2008-10-17"), ["X:y", "a:Flag", "x:Y"]);
    }
}
