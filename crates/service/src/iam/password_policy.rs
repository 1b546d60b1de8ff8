//! What the account asks of its users' passwords.

use std::sync::{Arc, LazyLock};

use ::policy::{
    Ask as Question, Compiled, Document, Named, PolicyId, PolicyKind, Principal, Strictness,
};
use serde::{Deserialize, Serialize};

use super::account::{Nothing, ask};
use super::entity::NO_SUCH_ENTITY;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::{AccountRecord, PasswordPolicy};
use crate::world::{Account, Change, Entity};

/// Characters where the call names no minimum. Source: UpdateAccountPasswordPolicy.
const DEFAULT_LENGTH: i64 = 6;

/// The actions of this file.
pub const ACTIONS: [Entry; 3] = [
    Entry::of::<DeleteAccountPasswordPolicy>(),
    Entry::of::<GetAccountPasswordPolicy>(),
    Entry::of::<UpdateAccountPasswordPolicy>(),
];

/// What `AllowUsersToChangePassword` grants to every user of the account, as a policy. Source: IAM
/// User Guide, "Permit IAM users to change their own passwords".
///
/// INVARIANT: `iam:ChangePassword` is asked about the caller's own user alone, so that the star means
/// no other (`ChangePassword::asks`).
const LEAVE: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AllowUsersToChangePassword","Effect":"Allow","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}]}"#;

/// What the account's password policy grants the caller beside its own policies, if anything.
pub fn leave(cx: &Cx<'_>, question: &Question) -> Option<Arc<Compiled>> {
    static COMPILED: LazyLock<Arc<Compiled>> = LazyLock::new(|| {
        let document = Document::parse(LEAVE, ::policy::Kind::Identity, Strictness::Stored);
        let id = PolicyId::new("account password policy", PolicyKind::Inline);
        Arc::new(Compiled::new(document.ok().map(|document| Named::new(id, Arc::new(document)))))
    });
    const GRANTED: [&str; 2] = ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"];
    let asked = GRANTED.contains(&question.action.as_str());
    let user = matches!(question.principal, Principal::User { .. });
    let policy = cx.account().ok().filter(|_| asked && user)?.record.password_policy.as_ref()?;
    policy.users_may_change.then(|| Arc::clone(&COMPILED))
}

fn put(account: &Account, policy: Option<PasswordPolicy>) -> Vec<Change> {
    let record = AccountRecord { password_policy: policy, ..account.record.clone() };
    vec![Change::Put(Entity::Account(record))]
}

/// `UpdateAccountPasswordPolicy`: what is not given goes back to its default.
pub struct UpdateAccountPasswordPolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub struct UpdateInput {
    minimum_password_length: Option<i64>,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    max_password_age: Option<i64>,
    password_reuse_prevention: Option<i64>,
    hard_expiry: Option<bool>,
}

impl Action for UpdateAccountPasswordPolicy {
    const NAME: &'static str = "UpdateAccountPasswordPolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &UpdateInput) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: UpdateInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let policy = PasswordPolicy {
            minimum_length: input.minimum_password_length.unwrap_or(DEFAULT_LENGTH),
            symbols: input.require_symbols,
            numbers: input.require_numbers,
            uppercase: input.require_uppercase_characters,
            lowercase: input.require_lowercase_characters,
            users_may_change: input.allow_users_to_change_password,
            max_age: input.max_password_age,
            reuse_prevention: input.password_reuse_prevention,
            hard_expiry: input.hard_expiry,
        };
        Ok(Done::write((), put(cx.account()?, Some(policy))))
    }
}

/// `GetAccountPasswordPolicy`
pub struct GetAccountPasswordPolicy;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    password_policy: View,
}

/// A password policy as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    minimum_password_length: i64,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    expire_passwords: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_password_age: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_reuse_prevention: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hard_expiry: Option<bool>,
}

impl Action for GetAccountPasswordPolicy {
    const NAME: &'static str = "GetAccountPasswordPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let account = &cx.account()?.record;
        let policy = account.password_policy.as_ref().ok_or_else(|| {
            let text =
                format!("The Password Policy with domain name {} cannot be found.", account.id);
            Error::new(NO_SUCH_ENTITY, text)
        })?;
        let password_policy = View {
            minimum_password_length: policy.minimum_length,
            require_symbols: policy.symbols,
            require_numbers: policy.numbers,
            require_uppercase_characters: policy.uppercase,
            require_lowercase_characters: policy.lowercase,
            allow_users_to_change_password: policy.users_may_change,
            expire_passwords: policy.max_age.is_some(),
            max_password_age: policy.max_age,
            password_reuse_prevention: policy.reuse_prevention,
            hard_expiry: policy.hard_expiry,
        };
        Ok(Done::read(GetOutput { password_policy }))
    }
}

/// `DeleteAccountPasswordPolicy`: AWS's default holds again.
pub struct DeleteAccountPasswordPolicy;

impl Action for DeleteAccountPasswordPolicy {
    const NAME: &'static str = "DeleteAccountPasswordPolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, _input: Nothing, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.account()?;
        if account.record.password_policy.is_none() {
            let text = "The account policy with name PasswordPolicy cannot be found.";
            return Err(Error::new(NO_SUCH_ENTITY, text));
        }
        Ok(Done::write((), put(account, None)))
    }
}
