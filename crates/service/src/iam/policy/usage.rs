//! How often managed policies are used in an account.

use std::collections::HashMap;

use crate::iam::bearer::{Bearer, Group, Role, User};
use crate::world::Account;

/// Attachments and boundaries by policy ARN, counted in one pass.
pub struct Usage<'a> {
    by_arn: HashMap<&'a str, (usize, usize)>,
}

impl<'a> Usage<'a> {
    /// Counts the account.
    pub fn in_account(account: &'a Account) -> Self {
        let mut usage = Self { by_arn: HashMap::new() };
        usage.count::<Role>(account);
        usage.count::<User>(account);
        usage.count::<Group>(account);
        usage
    }

    /// Entities that have the policy attached, and entities that have it as their boundary.
    pub fn of(&self, arn: &str) -> (usize, usize) {
        self.by_arn.get(arn).copied().unwrap_or_default()
    }

    fn count<B: Bearer>(&mut self, account: &'a Account) {
        for record in B::all(account) {
            for arn in &B::policies(record).attached {
                self.by_arn.entry(arn).or_default().0 += 1;
            }
            if let Some(arn) = B::boundary(record) {
                self.by_arn.entry(arn).or_default().1 += 1;
            }
        }
    }
}
