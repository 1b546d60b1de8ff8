//! The only maker of a [`Permit`]: decides every ask of a call, and turns a denial into an answer.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use policy::text::{Denial, Style};
use policy::{AccountId, Arn, Compiled, Decision, FullRecord, NoRecord, Sources, Verdict, decide};

use crate::action::{Action, Ask, Gate};
use crate::audit::ours::check;
use crate::context;
use crate::credentials::Who;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::iam::password_policy;
use crate::receipt;
use crate::sts::decode_authorization_message;
use crate::world::Revision;

/// Proof that every ask of one call of the action `A` was allowed. Only this module makes one.
pub struct Permit<A: Action> {
    decisions: Vec<Decision>,
    revision: Revision,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Permit<A> {
    /// The decisions, in the order of the asks; none for asks that AWS puts to no policy.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// The world that was decided on.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// Decides the asks in their order; the first denial ends the call.
///
/// # Errors
/// `AccessDenied` in AWS's words; the whole decision goes to the receipt.
pub(crate) fn authorize<A: Action>(cx: &mut Cx<'_>, asks: Vec<Ask>) -> Result<Permit<A>> {
    if asks.is_empty() {
        return Err(Error::internal(format!("{} asks for nothing, which denies", A::NAME)));
    }
    let mut decisions = Vec::with_capacity(asks.len());
    for ask in asks {
        match ask.gate {
            Gate::Public(reason) => {
                receipt::public(&mut cx.receipt, ask.question.action.as_str(), reason)
            }
            _ => decisions.push(decide_one(cx, &ask)?),
        }
    }
    Ok(Permit { decisions, revision: cx.world.revision, action: PhantomData })
}

/// What no policy can give back: sessions of users and of federated users may not call IAM, and of
/// STS only what does not make further sessions (STS API Reference, GetSessionToken and
/// GetFederationToken). With MFA a user's session may call IAM too. AWS does not know the token there, and neither do we.
pub(crate) fn restrict(cx: &Cx<'_>) -> Result<()> {
    let Some(session) = &cx.caller.session else { return Ok(()) };
    let (service, action) = (cx.operation.service, cx.operation.name);
    let mfa = session.mfa.is_some();
    let (had, allowed) = match &session.who {
        Who::Role { .. } => return Ok(()),
        Who::User { .. } | Who::Root => {
            let had = if mfa { WITH_MFA } else { WITHOUT_MFA };
            let sts = matches!(action, "AssumeRole" | "GetCallerIdentity");
            (had, if service == "iam" { mfa } else { service != "sts" || sts })
        }
        Who::Federated { .. } => {
            (GUEST, service != "iam" && (service != "sts" || action == "GetCallerIdentity"))
        }
    };
    // These two refuse sessions themselves, in a sentence of their own.
    match allowed || matches!(action, "GetSessionToken" | "GetFederationToken") {
        true => Ok(()),
        false => Err(Error::new(
            code::INVALID_CLIENT_TOKEN_ID,
            "The security token included in the request is invalid",
        )
        .failing(check::SESSION_KIND, "long-term keys, or a role's session", had)),
    }
}

const WITHOUT_MFA: &str = "a session of GetSessionToken without a second factor";
const WITH_MFA: &str = "a session of GetSessionToken";
const GUEST: &str = "a federated user's session (GetFederationToken)";

fn decide_one(cx: &mut Cx<'_>, ask: &Ask) -> Result<Decision> {
    let account = |id: Option<AccountId>| cx.world.account(&id?).map(Arc::clone);
    let principal = &ask.question.principal;
    // What the account's settings grant stands beside the caller's own policies: all else binds it.
    let mut identity = Cow::Borrowed(cx.caller.layers.identity.as_slice());
    if let Some(leave) = password_policy::leave(cx, &ask.question) {
        identity.to_mut().push(leave);
    }
    let (own, owner) = (account(principal.account()), account(ask.question.resource_account));
    let sources = Sources {
        // Service control policies bind principals, and a token's bearer is none of ours yet.
        scps: own
            .as_deref()
            .filter(|_| !principal.is_unsigned_federation())
            .and_then(|account| account.scps.as_deref()),
        // IAM's own calls are not among those that resource control policies bind.
        rcps: owner
            .as_deref()
            .filter(|_| cx.operation.service != "iam")
            .and_then(|account| account.rcps.as_deref()),
        identity: &identity,
        ..cx.caller.layers.sources(&ask.gate)
    };
    let decision = decide(&ask.question, &sources, &mut NoRecord);
    let allowed = decision.verdict == Verdict::Allow;
    if allowed && !receipt::has_own_keys(&ask.question) {
        receipt::allowed(&mut cx.receipt, &ask.question, &decision);
        return Ok(decision);
    }
    // The same evaluator again with the recorder attached: an explanation cannot disagree.
    let mut recorder = FullRecord::new();
    let decision = decide(&ask.question, &sources, &mut recorder);
    if allowed {
        let record = recorder.into_record(&ask.question, &sources);
        receipt::allowed_by_own_keys(&mut cx.receipt, &ask.question, &decision, record.as_ref());
        return Ok(decision);
    }
    let mut error = denied(ask, &decision);
    error.encoded_message = encoded(cx, &ask.question, &decision);
    if let Some(record) = recorder.into_record(&ask.question, &sources) {
        receipt::denied(&mut cx.receipt, &ask.question, &record);
    }
    if let (Gate::Trust(role), false) = (&ask.gate, ask.question.is_same_account()) {
        // So that each account gets its own side of the denial, and nothing of the other's.
        let owner = role.record.account;
        cx.receipt.resource(Some(owner.as_str()), "AWS::IAM::Role", role.arn.as_str());
    }
    Err(error)
}

/// The denial in AWS's words (spec A10, A11). STS does not tell identity and trust denials apart,
/// nor missing roles.
fn denied(ask: &Ask, decision: &Decision) -> Error {
    let style = match ask.gate {
        Gate::Trust(_) => Style::ASSUME_ROLE,
        Gate::Identity | Gate::Public(_) => Style::FULL,
    };
    match Denial::of(&ask.question, decision) {
        Some(denial) => Error::new(code::ACCESS_DENIED, denial.sentence(style)),
        None => Error::internal("one evaluator gave two verdicts"),
    }
}

/// How STS refuses to say whether a role exists: word for word as it refuses one that does.
pub(crate) fn no_such_role(cx: &Cx<'_>, action: &str, role: &Arn) -> Error {
    let principal = cx.caller.principal.clone();
    let mut question = policy::Ask::new(principal, action, role.as_str());
    question.context = context::global(cx);
    question.resource_account = role.account_id();
    question.requires_resource_policy = true;
    let decision = decide(&question, &Sources::default(), &mut NoRecord);
    let message = match Denial::of(&question, &decision) {
        Some(denial) => denial.sentence(Style::ASSUME_ROLE),
        // A root may all but what does not exist.
        None => format!(
            "User: {} is not authorized to perform: {action} on resource: {role}",
            question.principal.shown()
        ),
    };
    let encoded_message = encoded(cx, &question, &decision);
    let error = Error { encoded_message, ..Error::new(code::ACCESS_DENIED, message) };
    error.failing(check::ROLE, "a role that exists", role.as_str())
}

fn encoded(cx: &Cx<'_>, question: &policy::Ask, decision: &Decision) -> Option<String> {
    let account = question.principal.account()?;
    decode_authorization_message::encode(&cx.plane.keyring, account.as_str(), question, decision)
}

/// The policies on the caller's side of a decision.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Identity policies.
    pub identity: Vec<Arc<Compiled>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Compiled>>,
    /// Session policies, where the session has some.
    pub session: Option<Vec<Arc<Compiled>>>,
}

impl Layers {
    fn sources<'a>(&'a self, gate: &'a Gate) -> Sources<'a> {
        Sources {
            resource: match gate {
                Gate::Trust(role) => Some(&role.trust),
                Gate::Identity | Gate::Public(_) => None,
            },
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            ..Sources::default()
        }
    }
}
