//! Who calls: proven by a SigV4 signature here, or by a token in the action that takes one.

use std::sync::Arc;

use policy::{
    AccountId, Arn, Compiled, Document, Named, PolicyId, PolicyKind, Principal, Strictness, Tag,
};

use wire::sigv4::{PayloadHash, Presented, SecretKey, SigError};
use zeroize::Zeroizing;

use crate::audit::UserIdentity;
use crate::audit::identity::{SessionAttributes, SessionContext, SessionIssuer, WebIdFederation};
use crate::audit::ours::check;
use crate::authorize::Layers;
use crate::credentials::{self, Session, Who};
use crate::error::{Error, Result, code};
use crate::ids::AccessKeyId;
use crate::plane::Plane;
use crate::record::AccessKeyRecord;
use crate::sts::Federated;
use crate::time::iso_seconds;
use crate::world::{self, Account, World};

/// A caller, with all that policies may ask about it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As policies see it.
    pub principal: Principal,
    /// The key that signed.
    pub access_key: Option<AccessKeyId>,
    /// The session, of temporary credentials.
    pub session: Option<Arc<Session>>,
    /// Tags of the role or user, read when the request came in; session tags lie over them.
    pub own_tags: Vec<Tag>,
    /// The policies on its side.
    pub layers: Layers,
    /// The verified token or assertion, of a federated caller.
    pub federation: Option<Federated>,
    /// The region that the signature was made for.
    pub region: Option<String>,
}

impl Caller {
    /// Nobody yet.
    pub fn anonymous() -> Self {
        Self {
            principal: Principal::Anonymous,
            access_key: None,
            session: None,
            own_tags: Vec::new(),
            layers: Layers::default(),
            federation: None,
            region: None,
        }
    }

    /// The bearer of a verified token or assertion: no policies of its own.
    pub fn federated(principal: Principal, federation: Federated) -> Self {
        Self { principal, federation: Some(federation), ..Self::anonymous() }
    }

    /// The account, once somebody is proven.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` for nobody.
    pub fn account(&self) -> Result<AccountId> {
        self.principal.account().ok_or_else(missing)
    }

    /// Whether a role's session calls: the next role session is then the second in a chain.
    pub fn is_role_session(&self) -> bool {
        matches!(self.principal, Principal::RoleSession { .. })
    }

    /// The caller as CloudTrail writes it.
    pub fn identity(&self) -> UserIdentity {
        let key = self.access_key.as_ref().map_or("", AccessKeyId::as_str);
        match &self.principal {
            Principal::Root { account } => UserIdentity::root(account.as_str(), Some(key)),
            Principal::User { arn, id, account } => {
                let name = last(arn);
                let context = self.session.as_ref().map(|session| {
                    session_context(session, issuer("IAMUser", id.as_str(), arn, *account, name))
                });
                UserIdentity::user(id.as_str(), arn.as_str(), account.as_str(), name, key, context)
            }
            Principal::RoleSession { role_arn, role_id, session_arn, account } => {
                let principal = format!("{role_id}:{}", last(session_arn));
                let issuer = issuer("Role", role_id.as_str(), role_arn, *account, last(role_arn));
                let context = self.session.as_ref().map(|session| session_context(session, issuer));
                UserIdentity::assumed_role(
                    &principal,
                    session_arn.as_str(),
                    account.as_str(),
                    key,
                    context.unwrap_or_default(),
                )
            }
            Principal::FederatedUser { arn, user_arn, user_id, account } => {
                let principal = format!("{account}:{}", last(arn));
                let issuer =
                    issuer("IAMUser", user_id.as_str(), user_arn, *account, last(user_arn));
                let context = self.session.as_ref().map(|session| session_context(session, issuer));
                UserIdentity::federated_user(
                    &principal,
                    arn.as_str(),
                    account.as_str(),
                    key,
                    context.unwrap_or_default(),
                )
            }
            _ => UserIdentity::unknown(),
        }
    }
}

/// Proves a signed caller.
///
/// The order is the one in which AWS answers: garbled credentials, scope, the key with its session
/// token and whoever it belongs to, and last the signature.
///
/// # Errors
/// As STS and IAM give them (spec B5).
pub fn authenticate(
    plane: &Plane,
    world: &World,
    parts: &http::request::Parts,
    body: &[u8],
    rules: &wire::sigv4::Rules<'_>,
    draft: &mut crate::audit::Draft,
) -> Result<Caller> {
    let presented = wire::sigv4::parse(parts)
        .map_err(|error| Error::new(code::INCOMPLETE_SIGNATURE, error.to_string()))?
        .ok_or_else(missing)?;
    presented.check_scope(rules).map_err(|error| refused(&error, draft))?;

    let id = AccessKeyId::from(presented.access_key_id.as_str());
    draft.region(presented.scope.region.clone());
    let (mut caller, secret) = match id.is_temporary() {
        true => temporary(plane, world, &presented, id, rules.now.as_millisecond())?,
        false => long_term(plane, world, &presented, id)?,
    };
    draft.caller(caller.identity(), false);

    let payload = PayloadHash::of(body);
    plane
        .signing_keys
        .verify(&presented, parts, &payload, &secret, rules)
        .map_err(|error| refused(&error, draft))?;
    draft.caller(caller.identity(), true);
    caller.region = Some(presented.scope.region);
    Ok(caller)
}

fn long_term(
    plane: &Plane,
    world: &World,
    presented: &Presented,
    id: AccessKeyId,
) -> Result<(Caller, SecretKey)> {
    let key =
        world.access_key(&id).ok_or_else(|| invalid(check::ACCESS_KEY, "no such access key"))?;
    if !key.active {
        return Err(invalid(check::ACCESS_KEY, "the access key is inactive"));
    }
    if presented.security_token.is_some() {
        return Err(invalid(check::ACCESS_KEY, "a session token came with a long-term access key"));
    }
    let secret = open_secret(plane, key)?;
    let account = world
        .account(&key.account)
        .ok_or_else(|| invalid(check::ACCESS_KEY, "the account is gone"))?;
    let mut caller = match &key.user {
        None => root(account),
        Some(name) => {
            let user = account
                .users
                .find(name)
                .ok_or_else(|| invalid(check::ACCESS_KEY, "the user is gone"))?;
            of_user(user)
        }
    };
    caller.access_key = Some(id);
    Ok((caller, secret))
}

fn temporary(
    plane: &Plane,
    world: &World,
    presented: &Presented,
    id: AccessKeyId,
    now: i64,
) -> Result<(Caller, SecretKey)> {
    let token = presented.security_token.as_ref().ok_or_else(|| {
        invalid(check::SESSION_TOKEN, "no session token came with a temporary access key")
    })?;
    let opened = credentials::open(&plane.keyring, &id, token.expose()).ok_or_else(|| {
        invalid(check::SESSION_TOKEN, "the session token is not this access key's")
    })?;
    let session = Arc::new(opened.session);
    let account = world
        .account(&session.account)
        .ok_or_else(|| invalid(check::ACCESS_KEY, "the account is gone"))?;
    let caller = of_session(account, &session, id)?;
    if session.expires <= now {
        return Err(Error::new(
            code::EXPIRED_TOKEN,
            "The security token included in the request is expired",
        )
        .failing(
            check::SESSION_EXPIRY,
            format!("before {}", iso_seconds(session.expires)),
            iso_seconds(now),
        ));
    }
    Ok((caller, SecretKey::new(opened.secret.as_str())))
}

/// The caller that a session's credentials stand for, if whoever it belongs to still lives.
pub(crate) fn of_session(
    account: &Account,
    session: &Arc<Session>,
    id: AccessKeyId,
) -> Result<Caller> {
    let mut caller = match &session.who {
        Who::Root => root(account),
        Who::User { id: user, .. } => {
            let user = account
                .user_by_id(user)
                .ok_or_else(|| invalid(check::ACCESS_KEY, "the user is gone"))?;
            of_user(user)
        }
        Who::Role { id: role, session: name, .. } => {
            let role = account
                .role_by_id(role)
                .ok_or_else(|| invalid(check::ACCESS_KEY, "the role is gone"))?;
            of_role(role, name)
        }
        Who::Federated { id: user, name } => federated_user(account, user.as_ref(), name)?,
    };
    caller.layers.session = session_policies(account, session, &caller)?;
    caller.access_key = Some(id);
    caller.session = Some(Arc::clone(session));
    Ok(caller)
}

fn root(account: &Account) -> Caller {
    Caller { principal: Principal::Root { account: account.record.id }, ..Caller::anonymous() }
}

/// A user, as it calls with a key of its own.
pub fn of_user(user: &world::User) -> Caller {
    Caller {
        principal: Principal::User {
            arn: user.arn.clone(),
            id: policy::UniqueId::new(user.record.id.as_str()),
            account: user.record.account,
        },
        own_tags: user.record.tags.clone(),
        layers: Layers {
            identity: vec![Arc::clone(&user.identity)],
            boundary: user.boundary.clone(),
            ..Layers::default()
        },
        ..Caller::anonymous()
    }
}

/// A role, as a session of that name calls.
pub fn of_role(role: &world::Role, session: &str) -> Caller {
    Caller {
        principal: role_principal(role, session),
        own_tags: role.record.tags.clone(),
        layers: Layers {
            identity: vec![Arc::clone(&role.identity)],
            boundary: role.boundary.clone(),
            ..Layers::default()
        },
        ..Caller::anonymous()
    }
}

fn federated_user(
    account: &Account,
    user: Option<&crate::ids::UniqueId>,
    name: &str,
) -> Result<Caller> {
    let own = account.record.id;
    let arn = Arn::build("aws", "sts", "", own.as_str(), &format!("federated-user/{name}"));
    let mut caller = match user {
        None => root(account),
        Some(user) => {
            let user = account
                .user_by_id(user)
                .ok_or_else(|| invalid(check::ACCESS_KEY, "the user is gone"))?;
            of_user(user)
        }
    };
    let (user_arn, user_id) = match &caller.principal {
        Principal::User { arn, id, .. } => (arn.clone(), id.clone()),
        _ => (own.root_arn(), policy::UniqueId::new(own.as_str())),
    };
    if matches!(caller.principal, Principal::Root { .. }) {
        // The root vouches with all it has: what its session policies allow is what counts.
        caller.layers.identity = vec![administrator()];
    }
    caller.principal = Principal::FederatedUser { arn, user_arn, user_id, account: own };
    Ok(caller)
}

/// The principal of one session of a role.
pub fn role_principal(role: &world::Role, session: &str) -> Principal {
    let resource = format!("assumed-role/{}/{session}", role.record.name);
    Principal::RoleSession {
        role_arn: role.arn.clone(),
        role_id: policy::UniqueId::new(role.record.id.as_str()),
        session_arn: Arn::build("aws", "sts", "", role.record.account.as_str(), &resource),
        account: role.record.account,
    }
}

/// Session policies narrow what the identity may; a federated user without any gets nothing.
fn session_policies(
    account: &Account,
    session: &Session,
    caller: &Caller,
) -> Result<Option<Vec<Arc<Compiled>>>> {
    if session.policy.is_none() && session.policy_arns.is_empty() {
        let federated = matches!(caller.principal, Principal::FederatedUser { .. });
        return Ok(federated.then(Vec::new));
    }
    let mut named = Vec::with_capacity(1 + session.policy_arns.len());
    if let Some(text) = &session.policy {
        let document = Document::parse(text, policy::Kind::Session, Strictness::Session).map_err(
            |rejection| Error::internal(format!("a sealed session policy: {}", rejection.message)),
        )?;
        let id = PolicyId::new("session policy", PolicyKind::SessionInline);
        named.push(Named { id, document: Arc::new(document) });
    }
    for arn in &session.policy_arns {
        // A policy that is gone allows nothing.
        named.extend(world::named_managed(account, arn, PolicyKind::SessionManaged));
    }
    Ok(Some(vec![Arc::new(Compiled::new(named))]))
}

fn administrator() -> Arc<Compiled> {
    const ARN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
    let named = crate::iam::aws_managed::document(ARN).map(|document| Named {
        id: PolicyId::new("AdministratorAccess", PolicyKind::Managed),
        document,
    });
    Arc::new(Compiled::new(named))
}

fn open_secret(plane: &Plane, key: &AccessKeyRecord) -> Result<SecretKey> {
    let opened = open_sealed(plane, key.id.as_str(), &key.sealed_secret)?;
    Ok(SecretKey::new(opened.as_str()))
}

fn open_sealed(plane: &Plane, id: &str, sealed: &str) -> Result<Zeroizing<String>> {
    use base64::Engine as _;
    let lost = |why: &str| Error::internal(format!("the secret of {id} cannot be opened: {why}"));
    let envelope = base64::engine::general_purpose::STANDARD
        .decode(sealed)
        .map_err(|_| lost("it is not base64"))?;
    let opened = plane
        .keyring
        .open(crate::plane::ACCESS_KEY, id.as_bytes(), &envelope)
        .map_err(|error| lost(&error.to_string()))?;
    let text = std::str::from_utf8(&opened).map_err(|_| lost("it is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn refused(error: &SigError, draft: &mut crate::audit::Draft) -> Error {
    if let SigError::Mismatch(explanation) = error {
        let hint = (!explanation.missing_headers.is_empty()).then(|| {
            format!(
                "these headers are said to be signed and did not arrive: {}",
                explanation.missing_headers.join(", ")
            )
        });
        draft.signature(
            &explanation.canonical_request,
            &explanation.string_to_sign,
            hint.as_deref(),
        );
    }
    let cause = match error {
        SigError::Mismatch(_) => "another signature",
        _ => "a signature outside its scope or time",
    };
    Error::new(code::SIGNATURE_DOES_NOT_MATCH, error.to_string()).failing(
        check::REQUEST_SIGNATURE,
        "the signature that this key makes of this request",
        cause,
    )
}

fn invalid(check: &'static str, cause: &str) -> Error {
    Error::new(
        code::INVALID_CLIENT_TOKEN_ID,
        "The security token included in the request is invalid.",
    )
    .failing(check, check_wanted(check), cause)
}

fn check_wanted(check: &'static str) -> &'static str {
    match check {
        check::SESSION_TOKEN => "the token that came with the key",
        _ => "an active key of somebody who exists",
    }
}

fn missing() -> Error {
    Error::new(code::MISSING_AUTHENTICATION_TOKEN, "Request is missing Authentication Token")
}

fn last(arn: &Arn) -> &str {
    arn.as_str().rsplit('/').next().unwrap_or_default()
}

fn issuer(kind: &str, id: &str, arn: &Arn, account: AccountId, name: &str) -> SessionIssuer {
    SessionIssuer {
        kind: kind.to_owned(),
        principal_id: id.to_owned(),
        arn: arn.to_string(),
        account_id: account.to_string(),
        user_name: Some(name.to_owned()),
    }
}

fn session_context(session: &Session, issuer: SessionIssuer) -> SessionContext {
    SessionContext {
        session_issuer: Some(issuer),
        web_id_federation_data: WebIdFederation {
            federated_provider: session.federated_provider.clone(),
            attributes: None,
        },
        attributes: SessionAttributes {
            creation_date: iso_seconds(session.issued),
            mfa_authenticated: session.mfa.is_some().to_string(),
        },
        source_identity: session.source_identity.clone(),
    }
}
