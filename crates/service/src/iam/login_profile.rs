//! Login profiles: users' passwords. Nobody signs in with one here yet; they are kept, checked
//! against the account's policy and changed as on AWS.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::bearer::{User, find, put};
use super::entity::{ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY};
use super::password;
use super::user::Whom;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::record::{LoginProfile, UserRecord};
use crate::time::iso_seconds;

/// Only users have passwords.
const INVALID_USER_TYPE: Code = Code::new("InvalidUserType", 400);

/// Most passwords that a policy can keep from coming again. Source: UpdateAccountPasswordPolicy.
const MAX_REMEMBERED: usize = 24;

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<ChangePassword>(),
    Entry::of::<CreateLoginProfile>(),
    Entry::of::<DeleteLoginProfile>(),
    Entry::of::<GetLoginProfile>(),
    Entry::of::<UpdateLoginProfile>(),
];

/// A login profile as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    user_name: String,
    create_date: String,
    password_reset_required: bool,
}

/// One login profile.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneProfile {
    login_profile: View,
}

fn view(user: &UserRecord, login: &LoginProfile) -> OneProfile {
    let login_profile = View {
        user_name: user.name.clone(),
        create_date: iso_seconds(login.created),
        password_reset_required: login.reset_required,
    };
    OneProfile { login_profile }
}

fn missing(name: &str) -> Error {
    Error::new(NO_SUCH_ENTITY, format!("Login Profile for User {name} cannot be found."))
}

/// The user that is meant, and its password's profile.
fn existing(cx: &Cx<'_>, name: Option<&str>) -> Result<(UserRecord, LoginProfile)> {
    let whom = Whom::of(cx, name)?;
    let name = whom.name().ok_or_else(|| missing("root"))?;
    let user = find::<User>(&cx.world, cx.caller.account()?, name)?.clone();
    let login = user.login.clone().ok_or_else(|| missing(name))?;
    Ok((user, login))
}

/// A profile with another password, which must be as the account wants it and none of the last.
async fn with_password(
    cx: &Cx<'_>,
    mut login: LoginProfile,
    password: &Zeroizing<String>,
) -> Result<LoginProfile> {
    let account = &cx.account()?.record;
    let policy = account.password_policy.as_ref();
    password::check(policy, account.id.as_str(), password)?;
    let kept_out = policy.and_then(|policy| usize::try_from(policy.reuse_prevention?).ok());
    let last: Vec<_> = login.hashes.iter().take(kept_out.unwrap_or(0)).cloned().collect();
    if !last.is_empty() && password::is_among(password, last).await? {
        return Err(password::violation());
    }
    login.hashes.insert(0, password::hashed(password).await?);
    login.hashes.truncate(MAX_REMEMBERED);
    login.changed = cx.now.as_millisecond();
    Ok(login)
}

/// `CreateLoginProfile`
pub struct CreateLoginProfile;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    user_name: Option<String>,
    password: Option<Zeroizing<String>>,
    #[serde(default)]
    password_reset_required: bool,
}

impl Action for CreateLoginProfile {
    const NAME: &'static str = "CreateLoginProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneProfile;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneProfile>> {
        let whom = Whom::of(cx, input.user_name.as_deref())?;
        let (Some(name), Some(password)) = (whom.name(), &input.password) else {
            // The root's password is not kept here, and nobody else has none.
            let text = "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null";
            return Err(Error::new(code::VALIDATION_ERROR, text));
        };
        let mut user = find::<User>(&cx.world, cx.caller.account()?, name)?.clone();
        if user.login.is_some() {
            let text = format!("Login Profile for user {} already exists.", user.name);
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        let now = cx.now.as_millisecond();
        let login = LoginProfile {
            created: now,
            changed: now,
            reset_required: input.password_reset_required,
            hashes: Vec::new(),
        };
        let login = with_password(cx, login, password).await?;
        let output = view(&user, &login);
        user.login = Some(login);
        Ok(Done::write(output, put::<User>(user)))
    }
}

/// A user's name, or else whoever calls.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Named {
    user_name: Option<String>,
}

/// `GetLoginProfile`
pub struct GetLoginProfile;

impl Action for GetLoginProfile {
    const NAME: &'static str = "GetLoginProfile";
    const EFFECT: Effect = Effect::Read;
    type Input = Named;
    type Output = OneProfile;

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<OneProfile>> {
        let (user, login) = existing(cx, input.user_name.as_deref())?;
        Ok(Done::read(view(&user, &login)))
    }
}

/// `DeleteLoginProfile`
pub struct DeleteLoginProfile;

impl Action for DeleteLoginProfile {
    const NAME: &'static str = "DeleteLoginProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let (user, _) = existing(cx, input.user_name.as_deref())?;
        Ok(Done::write((), put::<User>(UserRecord { login: None, ..user })))
    }
}

/// `UpdateLoginProfile`: an administrator sets another password, or asks for one.
pub struct UpdateLoginProfile;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    user_name: String,
    password: Option<Zeroizing<String>>,
    password_reset_required: Option<bool>,
}

impl Action for UpdateLoginProfile {
    const NAME: &'static str = "UpdateLoginProfile";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, Some(&input.user_name))?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: UpdateInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let (user, mut login) = existing(cx, Some(&input.user_name))?;
        if let Some(password) = &input.password {
            login = with_password(cx, login, password).await?;
        }
        if let Some(required) = input.password_reset_required {
            login.reset_required = required;
        }
        Ok(Done::write((), put::<User>(UserRecord { login: Some(login), ..user })))
    }
}

/// `ChangePassword`: a user changes its own.
pub struct ChangePassword;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeInput {
    old_password: Zeroizing<String>,
    new_password: Zeroizing<String>,
}

impl Action for ChangePassword {
    const NAME: &'static str = "ChangePassword";
    const EFFECT: Effect = Effect::Write;
    type Input = ChangeInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &ChangeInput) -> Result<Vec<Ask>> {
        match &cx.caller.principal {
            policy::Principal::User { .. } => Ok(vec![Whom::of(cx, None)?.ask(cx, Self::NAME)?]),
            _ => Err(Error::new(INVALID_USER_TYPE, "Only IAM Users can change their own password")),
        }
    }

    async fn run(cx: &mut Cx<'_>, input: ChangeInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let (user, login) = existing(cx, None)?;
        let now = login.hashes.first().cloned().into_iter().collect();
        if !password::is_among(&input.old_password, now).await? {
            return Err(Error::new(code::ACCESS_DENIED, "The old password was incorrect."));
        }
        let mut login = with_password(cx, login, &input.new_password).await?;
        login.reset_required = false;
        Ok(Done::write((), put::<User>(UserRecord { login: Some(login), ..user })))
    }
}
