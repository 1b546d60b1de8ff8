//! Whom a statement names (spec A7).

use policy::{Grant, Principal};

use super::{Reading, list};

/// All the ways in which one entry can name the caller.
struct Forms<'a> {
    /// This very user, session or federated user.
    exactly: Vec<&'a str>,
    /// The role of a session.
    role: Vec<&'a str>,
    /// The user who made a federated session.
    maker: Vec<&'a str>,
    /// The account.
    account: Option<String>,
}

impl Reading<'_> {
    /// None: names somebody else.
    pub(super) fn principal(&self) -> Option<Grant> {
        if let Some(block) = self.statement.get("Principal") {
            let grants = entries(block).into_iter().map(|(kind, entry)| self.names(kind, entry));
            return grants.max().filter(|grant| *grant != Grant::None);
        }
        if let Some(block) = self.statement.get("NotPrincipal") {
            return self.is_not_listed(&entries(block)).then_some(Grant::Account);
        }
        // Policies of the caller's side apply to whom they are attached.
        Some(Grant::Account)
    }

    fn forms(&self) -> Forms<'_> {
        let principal = self.question.principal;
        let mut forms = Forms {
            exactly: Vec::new(),
            role: Vec::new(),
            maker: Vec::new(),
            account: principal.account().map(|account| account.to_string()),
        };
        match principal {
            Principal::User { arn, id, .. } => forms.exactly = vec![arn.as_str(), id.as_str()],
            Principal::RoleSession { role_arn, role_id, session_arn, .. } => {
                forms.exactly = vec![session_arn.as_str()];
                forms.role = vec![role_arn.as_str(), role_id.as_str()];
            }
            Principal::FederatedUser { arn, user_arn, user_id, .. } => {
                forms.exactly = vec![arn.as_str()];
                forms.maker = vec![user_arn.as_str(), user_id.as_str()];
            }
            // Known by their provider alone.
            Principal::WebIdentity { .. } | Principal::Saml { .. } => forms.account = None,
            Principal::Anonymous | Principal::Root { .. } | Principal::Service { .. } => {}
        }
        forms
    }

    /// How closely one entry of a principal block names the caller.
    fn names(&self, kind: &str, entry: &str) -> Grant {
        match kind {
            "AWS" if entry == "*" => self.everyone(),
            "AWS" => {
                let forms = self.forms();
                if forms.exactly.contains(&entry) {
                    Grant::Exact
                } else if forms.maker.contains(&entry) {
                    Grant::MakingUser
                } else if forms.role.contains(&entry) {
                    Grant::Role
                } else if forms.account.is_some() && account_of(entry) == forms.account {
                    Grant::Account
                } else {
                    Grant::None
                }
            }
            "Federated" => self.provider(entry),
            "Service" => match self.question.principal {
                Principal::Service { name } if **name == *entry => Grant::Service,
                _ => Grant::None,
            },
            // Canonical ids have become accounts when the policy was stored.
            _ => Grant::None,
        }
    }

    fn everyone(&self) -> Grant {
        let choices = &self.question.choices;
        let trust = self.policy.kind == policy::Kind::Trust;
        match self.question.principal {
            _ if !trust => Grant::Star,
            // In a trust policy: callers who signed with AWS credentials.
            Principal::Anonymous | Principal::Service { .. } => Grant::None,
            Principal::WebIdentity { .. } | Principal::Saml { .. } => {
                if choices.star_trust_matches_federation { Grant::Star } else { Grant::None }
            }
            _ if choices.star_trust_suffices_in_account => Grant::Star,
            _ => Grant::Account,
        }
    }

    fn provider(&self, entry: &str) -> Grant {
        let trust = self.policy.kind == policy::Kind::Trust;
        let outside = self.question.choices.provider_grant_outside_trust && !trust;
        match self.question.principal {
            Principal::WebIdentity { provider, .. } if **provider == *entry => Grant::Provider,
            Principal::Saml { provider, .. } if provider.as_str() == entry => Grant::Provider,
            Principal::RoleSession { .. } if outside => {
                let had = self.question.keys.get("aws:federatedprovider");
                let same = had.is_some_and(|had| had.values == [entry]);
                if same { Grant::Role } else { Grant::None }
            }
            _ => Grant::None,
        }
    }

    /// `NotPrincipal`.
    fn is_not_listed(&self, entries: &[(&str, &str)]) -> bool {
        let named = |grant: Grant| entries.iter().any(|(k, e)| self.names(k, e) == grant);
        if self.statement["Effect"] == "Allow" {
            return entries.iter().all(|(kind, entry)| self.names(kind, entry) == Grant::None);
        }
        // A Deny hits every principal that has a permissions boundary, listed or not.
        if self.question.layers.boundary.is_some() {
            return true;
        }
        let everyone = entries.contains(&("AWS", "*")) && self.everyone() != Grant::None;
        // To be exempt a session must be listed with its role and its account, a user with its account.
        let exempt = match self.question.principal {
            Principal::Anonymous => false,
            Principal::Root { .. } => named(Grant::Account),
            Principal::User { .. } | Principal::FederatedUser { .. } => {
                named(Grant::Exact) && named(Grant::Account)
            }
            Principal::RoleSession { .. } => {
                named(Grant::Exact) && named(Grant::Role) && named(Grant::Account)
            }
            Principal::WebIdentity { .. } | Principal::Saml { .. } => named(Grant::Provider),
            Principal::Service { .. } => named(Grant::Service),
        };
        !(everyone || exempt)
    }
}

/// (kind, entry) of every entry of a block; the bare `"*"` is `{"AWS": "*"}`.
fn entries(block: &serde_json::Value) -> Vec<(&str, &str)> {
    let Some(members) = block.as_object() else { return vec![("AWS", "*")] };
    let of_kind = |(kind, entries)| {
        let entries: Vec<&serde_json::Value> = list(entries);
        entries.into_iter().map(move |entry| (kind, entry.as_str().unwrap()))
    };
    members.iter().map(|(kind, entries)| (kind.as_str(), entries)).flat_map(of_kind).collect()
}

/// `111122223333`, or the account of `arn:aws:iam::111122223333:root`.
fn account_of(entry: &str) -> Option<String> {
    if entry.len() == 12 && entry.bytes().all(|b| b.is_ascii_digit()) {
        return Some(entry.to_owned());
    }
    let parts: Vec<&str> = entry.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"] => Some(account.to_owned()),
        _ => None,
    }
}
