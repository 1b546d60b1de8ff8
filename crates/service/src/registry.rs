//! Every API with its actions: what is not in a table does not exist, and is refused.

use crate::action::Entry;

/// One AWS API.
pub struct Api {
    /// The name in a signature's scope, and the prefix of its actions in policies.
    pub name: &'static str,
    /// The name in the log book.
    pub source: &'static str,
    /// Its actions, in groups: one per noun.
    pub actions: &'static [&'static [Entry]],
}

/// All of them.
pub const APIS: &[&Api] =
    &[&crate::sts::API, &crate::iam::API, &crate::trail::API, &crate::organizations::API];

impl Api {
    /// The action of that name, exactly.
    pub fn action(&'static self, name: &str) -> Option<&'static Entry> {
        self.entries().find(|entry| entry.name == name)
    }

    /// All its actions.
    pub fn entries(&'static self) -> impl Iterator<Item = &'static Entry> {
        self.actions.iter().copied().flatten()
    }
}

/// The API of that signing name.
pub fn api(name: &str) -> Option<&'static Api> {
    APIS.iter().find(|api| api.name == name).copied()
}
