//! The policy simulator: what policies would answer, without asking for it.
//!
//! Questions go to the evaluator that authorizes calls. Where AWS's simulator is known to answer
//! unlike AWS's own authorization, this one answers like the simulator: [`scenario`] has those
//! points together. The order of results is that of the input, duplicates included.

mod context;
mod keys;
mod scenario;
mod subject;
mod view;

use policy::Arn;
use serde::{Deserialize, Serialize};

use self::context::ContextEntry;
use self::scenario::Scenario;
use self::subject::{Exclusion, Subject};
use self::view::EvaluationResult;
use super::bearer::{self, Group, Role, User};
use super::entity::INVALID_INPUT;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};

/// The actions of this file.
pub const ACTIONS: [Entry; 4] = [
    Entry::of::<keys::GetContextKeysForCustomPolicy>(),
    Entry::of::<keys::GetContextKeysForPrincipalPolicy>(),
    Entry::of::<SimulateCustomPolicy>(),
    Entry::of::<SimulatePrincipalPolicy>(),
];

/// How many results a page has when the caller does not say. Source: IAM API Reference.
const DEFAULT_ITEMS: usize = 100;

/// Statements that one call evaluates at most: actions of the page × resources × statements. A
/// page ends early before that is passed, as AWS's pages may too.
const MAX_EVALUATIONS: usize = 100_000;

/// What both simulations take.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(default)]
    policy_input_list: Vec<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
    action_names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    #[serde(default)]
    context_entries: Vec<ContextEntry>,
    resource_handling_option: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// The result of both simulations.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    evaluation_results: Vec<EvaluationResult>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// One page of answers, one for each action.
fn answer(request: &Request, subject: &Subject, scenario: &Scenario) -> Result<Output> {
    let from = request.marker.as_deref().map_or(Ok(0), read_marker)?;
    let each = scenario.cost();
    if each > MAX_EVALUATIONS {
        return Err(invalid("The request has too many resources for that many statements."));
    }
    let wanted = request.max_items.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_EVALUATIONS / each);
    let actions = request.action_names.iter().skip(from).take(wanted);
    let evaluation_results = actions.map(|action| scenario.result(action, subject)).collect();
    let next = from.saturating_add(wanted);
    let is_truncated = next < request.action_names.len();
    Ok(Output { evaluation_results, is_truncated, marker: is_truncated.then(|| marker(next)) })
}

/// A marker is the place in the list of actions, so that it holds though the rest of the input
/// changes, as AWS's does.
fn marker(at: usize) -> String {
    format!("simulation-{at}")
}

fn read_marker(text: &str) -> Result<usize> {
    let at = text.strip_prefix("simulation-").and_then(|at| at.parse().ok());
    at.ok_or_else(|| invalid("Invalid marker for pagination."))
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(INVALID_INPUT, text)
}

/// `SimulateCustomPolicy`: of the policies in the input alone.
pub struct SimulateCustomPolicy;

/// Its input.
#[derive(Deserialize)]
pub struct CustomInput {
    #[serde(default, rename = "OrderedOrganizationPolicyInputList")]
    organization: Vec<subject::Level>,
    #[serde(flatten)]
    request: Request,
}

impl Action for SimulateCustomPolicy {
    const NAME: &'static str = "SimulateCustomPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = CustomInput;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &CustomInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        Ok(vec![Ask::identity(cx, "iam:SimulateCustomPolicy", "*", account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CustomInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Output>> {
        let subject = Subject::custom(&input.request, &input.organization)?;
        let scenario = Scenario::new(cx.caller.account()?, &input.request, &subject)?;
        Ok(Done::read(answer(&input.request, &subject, &scenario)?))
    }
}

/// `SimulatePrincipalPolicy`: of a user's, group's or role's policies, and those in the input.
pub struct SimulatePrincipalPolicy;

/// Its input.
#[derive(Deserialize)]
pub struct PrincipalInput {
    #[serde(rename = "PolicySourceArn")]
    source: String,
    #[serde(default, rename = "PolicyExclusionList")]
    exclusions: Vec<Exclusion>,
    #[serde(flatten)]
    request: Request,
}

impl Action for SimulatePrincipalPolicy {
    const NAME: &'static str = "SimulatePrincipalPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = PrincipalInput;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &PrincipalInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.source)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PrincipalInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Output>> {
        let source = Source::read(&input.source)?;
        let subject = Subject::stored(cx, &source, &input.request, &input.exclusions)?;
        let scenario = Scenario::new(cx.caller.account()?, &input.request, &subject)?;
        Ok(Done::read(answer(&input.request, &subject, &scenario)?))
    }
}

/// A user, group or role, named by its ARN.
struct Source {
    arn: Arn,
    kind: SourceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceKind {
    User,
    Group,
    Role,
}

impl Source {
    /// # Errors
    /// `InvalidInput` for everything else.
    fn read(text: &str) -> Result<Self> {
        let read = || {
            let arn = Arn::parse(text).ok()?;
            let named = arn.service() == "iam" && arn.region().is_empty();
            let kind = match arn.resource().split_once('/') {
                Some(("user", _)) => SourceKind::User,
                Some(("group", _)) => SourceKind::Group,
                Some(("role", _)) => SourceKind::Role,
                _ => return None,
            };
            let sound = named && arn.account_id().is_some() && !last(&arn).is_empty();
            sound.then_some(Self { arn, kind })
        };
        read().ok_or_else(|| invalid(format!("Invalid ARN provided in the request: {text}")))
    }

    /// Whose path is not looked at: AWS finds the entity by its name.
    fn name(&self) -> &str {
        last(&self.arn)
    }
}

fn last(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

/// What is asked about a principal whose policies are looked into: the entity that will be found,
/// whatever path the input gives it.
fn ask(cx: &Cx<'_>, action: &str, source: &str) -> Result<Ask> {
    let source = Source::read(source)?;
    let own = cx.caller.account()?;
    if source.arn.account_id() != Some(own) {
        // Answered in `run`; who may not simulate learns nothing of the difference.
        return Ok(Ask::identity(cx, &format!("iam:{action}"), source.arn.as_str(), own));
    }
    match source.kind {
        SourceKind::User => bearer::ask::<User>(cx, action, source.name()),
        SourceKind::Group => bearer::ask::<Group>(cx, action, source.name()),
        SourceKind::Role => bearer::ask::<Role>(cx, action, source.name()),
    }
}
