//! Who asks, in a case: short forms, and ARNs.

use crate::arn::{AccountId, Arn};
use crate::principal::{Principal, UniqueId};

/// The account of principals that name none.
pub const HOME: &str = "111122223333";

/// Reads a principal: an ARN, or a short form: `anonymous`, `root`, `user/path/Name`, `role/path/Name:session`,
/// `federated/Session:UserName`, `oidc:provider`, `saml:provider`, `service:name`; each but the
/// last may end in `@account`. The unique id of user `Ann` is `AIDAANN` padded with `X` to twenty
/// letters, of a role likewise with `AROA`.
///
/// # Errors
/// The text, when it is none of these.
pub fn principal(text: &str) -> Result<Principal, String> {
    if text.starts_with("arn:") {
        return of_arn(text).ok_or_else(|| format!("this ARN is no principal's: {text}"));
    }
    let (name, account) = text.rsplit_once('@').unwrap_or((text, HOME));
    let account = AccountId::parse(account).map_err(|fault| format!("{text}: {fault}"))?;
    let iam = |resource: &str| Arn::build("aws", "iam", "", account.as_str(), resource);
    let sts = |resource: &str| Arn::build("aws", "sts", "", account.as_str(), resource);
    let sound = match name.split_once([':', '/']) {
        None if name == "anonymous" => Principal::Anonymous,
        None if name == "root" => Principal::Root { account },
        Some(("user", path)) => Principal::User {
            arn: iam(&format!("user/{path}")),
            id: id("AIDA", last(path)),
            account,
        },
        Some(("role", rest)) => {
            let (path, session) = rest.rsplit_once(':').ok_or(text)?;
            session_of(account, path, session)
        }
        Some(("federated", rest)) => {
            let (session, user) = rest.split_once(':').ok_or(text)?;
            Principal::FederatedUser {
                arn: sts(&format!("federated-user/{session}")),
                user_arn: iam(&format!("user/{user}")),
                user_id: id("AIDA", last(user)),
                account,
            }
        }
        Some(("oidc", provider)) => Principal::WebIdentity { provider: provider.into(), account },
        Some(("saml", provider)) => Principal::Saml {
            provider: Arn::parse(provider).map_err(|fault| format!("{text}: {fault}"))?,
            account,
        },
        Some(("service", name)) => Principal::Service { name: name.into() },
        _ => return Err(format!("not a principal: {text}")),
    };
    Ok(sound)
}

/// The principal of an ARN: a role's is that of a session by the name `session`.
fn of_arn(text: &str) -> Option<Principal> {
    let arn = Arn::parse(text).ok()?;
    let account = arn.account_id()?;
    let (kind, rest) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
    Some(match (arn.service(), kind, rest) {
        ("iam", "root", "") => Principal::Root { account },
        ("iam", "user", path) => {
            let id = id("AIDA", last(path));
            Principal::User { id, arn, account }
        }
        ("iam", "role", path) => session_of(account, path, "session"),
        ("sts", "assumed-role", rest) => {
            let (role, session) = rest.split_once('/')?;
            session_of(account, role, session)
        }
        ("iam", "oidc-provider", _) => Principal::WebIdentity { provider: text.into(), account },
        ("iam", "saml-provider", _) => Principal::Saml { provider: arn, account },
        _ => return None,
    })
}

fn session_of(account: AccountId, path: &str, session: &str) -> Principal {
    let arn = |service, resource: &str| Arn::build("aws", service, "", account.as_str(), resource);
    Principal::RoleSession {
        role_arn: arn("iam", &format!("role/{path}")),
        role_id: id("AROA", last(path)),
        session_arn: arn("sts", &format!("assumed-role/{}/{session}", last(path))),
        account,
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn id(prefix: &str, name: &str) -> UniqueId {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let text: String = prefix.chars().chain(letters).collect();
    UniqueId::new(&format!("{:X<20}", text.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_the_same_as_its_short_form() {
        let iam = |rest: &str| format!("arn:aws:iam::{HOME}:{rest}");
        for (short, arn) in [
            ("root", iam("root")),
            ("user/team/ann", iam("user/team/ann")),
            ("role/team/R:session", iam("role/team/R")),
            (
                "role/R:anna@example.com@111122223333",
                format!("arn:aws:sts::{HOME}:assumed-role/R/anna@example.com"),
            ),
        ] {
            assert_eq!(principal(short), principal(&arn), "{short}");
        }
        let provider = iam("oidc-provider/idp.test");
        assert_eq!(principal(&provider), principal(&format!("oidc:{provider}")));
        for wrong in ["arn:aws:s3:::b", "arn:aws:iam::1:root", "user", "role/R", "federated/F"] {
            assert!(principal(wrong).is_err(), "{wrong}");
        }
    }
}
