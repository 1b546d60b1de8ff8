//! Which condition keys could matter for a question, so that callers fetch only those.

use std::collections::BTreeSet;

use crate::ask::{ActionName, Ask, ResourceName, Sources};
use crate::compile::Scene;
use crate::decide::each_set;
use crate::principal::Principal;

/// The condition keys mentioned, as conditions or policy variables, by statements that could
/// apply; in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    keys: BTreeSet<String>,
}

impl Needs {
    /// The keys in lower case, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether this key is mentioned, in any casing.
    #[must_use]
    pub fn mentions(&self, key: &str) -> bool {
        self.keys.contains(&*crate::hash::lower(key))
    }

    /// Whether any key with this prefix is mentioned: `needs.mentions_any("aws:ResourceTag/")`.
    #[must_use]
    pub fn mentions_any(&self, prefix: &str) -> bool {
        let prefix = crate::hash::lower(prefix);
        self.keys.iter().any(|key| key.starts_with(&*prefix))
    }
}

/// The keys that could change the answer for this action, on this resource if known. Walks every
/// statement: a few nanoseconds for each that is about another action.
#[must_use]
pub fn needs(action: &ActionName, resource: Option<&ResourceName>, sources: &Sources<'_>) -> Needs {
    let mut ask = Ask::new(Principal::Anonymous, "", "*");
    ask.action = action.clone();
    if let Some(resource) = resource {
        ask.resource = resource.clone();
    }
    let scene = Scene::new(&ask, false);
    let mut keys = BTreeSet::new();
    for (.., set) in each_set(sources) {
        for statement in set.statements() {
            statement.mentions(&scene, resource.is_none(), &mut |key| {
                if !keys.contains(key) {
                    keys.insert(key.to_owned());
                }
            });
        }
    }
    Needs { keys }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Compiled, Document, Kind, Named, PolicyId, PolicyKind, Strictness};

    #[test]
    fn only_statements_about_the_question_count() {
        let text = r#"{"Version":"2012-10-17","Statement":[
          {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/${aws:username}/*",
           "Condition":{"StringEquals":{"aws:ResourceTag/a":"${aws:PrincipalTag/A}"}}},
          {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::other/*",
           "Condition":{"Null":{"aws:SourceVpc":"true"}}},
          {"Effect":"Deny","Action":"s3:Put*","Resource":"*",
           "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
        let document = Document::parse(text, Kind::Identity, Strictness::Stored).unwrap();
        let id = PolicyId::new("p", PolicyKind::Inline);
        let identity = [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))];
        let sources = Sources { identity: &identity, ..Sources::default() };
        let action = ActionName::new("S3:getobject");
        let resource = ResourceName::new("arn:aws:s3:::b/k");
        let found = needs(&action, Some(&resource), &sources);
        let keys: Vec<_> = found.keys().collect();
        assert_eq!(keys, ["aws:principaltag/a", "aws:resourcetag/a", "aws:username"]);
        assert!(found.mentions("aws:ResourceTag/A") && found.mentions_any("aws:ResourceTag/"));
        assert!(needs(&action, None, &sources).mentions("aws:SourceVpc"));
        assert!(!needs(&action, None, &sources).mentions("aws:SecureTransport"));
    }
}
