//! The questions of a simulation, put to the evaluator that authorizes calls.
//!
//! Where AWS's simulator is documented or was captured to answer unlike AWS's authorization:
//!
//! - [`CHOICES`]: a resource policy of the same account suffices alone, though it names no more
//!   than the account; a number that cannot be read equals and differs from nothing.
//! - The organization is asked first and alone: what it stops is told without statements.
//! - A user, a group and a role are callers of one kind: each is named exactly by its ARN.
//! - The resource policy is not looked at for actions that take a role (`sts:Assume…`).
//! - Without a resource policy, the owner of the resource does not matter.
//! - Keys of the caller are made of `CallerArn` alone; clock, address and tags are not set.

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::document::Effect;
use policy::record::{LayerRecord, Record};
use policy::{
    AccountId, Arn, Choices, Compiled, Context, Document, FullRecord, Kind, Layer, Named, NoRecord,
    PolicyId, PolicyKind, Position, Principal, SetBy, Sources, UniqueId, Verdict, decide,
};

use super::subject::{Subject, read};
use super::view::{
    Boundary, Details, EvaluationResult, Matched, Organizations, ResourceResult, Word,
};
use super::{Request, Source, SourceKind, context, invalid};
use crate::error::Result;

const CHOICES: Choices = Choices {
    account_grant_suffices: true,
    unreadable_number_is_not_equal: false,
    ..Choices::CHOSEN
};

/// `aws:userid` of a simulation without a caller.
const NOBODY: &str = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR";

/// The scenarios that AWS knows: of one action, and of no use elsewhere.
const RUN_INSTANCES: [&str; 6] = [
    "EC2-Classic-EBS",
    "EC2-Classic-InstanceStore",
    "EC2-VPC-EBS",
    "EC2-VPC-EBS-Subnet",
    "EC2-VPC-InstanceStore",
    "EC2-VPC-InstanceStore-Subnet",
];

/// Everything of a simulation but the action.
pub struct Scenario {
    identity: Set,
    boundary: Option<Set>,
    resource: Option<Set>,
    principal: Principal,
    context: Context,
    /// `*` alone when none was named.
    resources: Vec<String>,
    /// Whose a resource is that does not say so itself.
    owner: Option<AccountId>,
    /// Keys that policies mention and the input does not set.
    missing: Vec<String>,
}

/// A layer of policies, and where AWS says that the first statement of each begins.
struct Set {
    compiled: Arc<Compiled>,
    starts: Vec<Position>,
}

impl Scenario {
    /// Checks the input in the order in which AWS answers.
    ///
    /// # Errors
    /// `InvalidInput`, in AWS's words.
    pub fn new(account: AccountId, request: &Request, subject: &Subject) -> Result<Self> {
        let resources = resources(request)?;
        check_actions(request, &resources)?;
        let mut context = context::of(&request.context_entries)?;
        let caller = caller(request, subject)?;
        let resource = resource_policy(request, &resources, caller.is_some())?;
        let identity = Set::new(subject.identity.clone());
        let boundary = subject.boundary.clone().map(Set::new);
        let missing = missing(&context, [Some(&identity), boundary.as_ref(), resource.as_ref()]);
        let principal = principal(account, caller, &mut context);
        let owner = match &request.resource_owner {
            Some(owner) => Some(owner_of(owner)?),
            None => principal.account(),
        };
        Ok(Self { identity, boundary, resource, principal, context, resources, owner, missing })
    }

    /// Statements that one action costs to evaluate.
    pub fn cost(&self) -> usize {
        let sets = [Some(&self.identity), self.boundary.as_ref(), self.resource.as_ref()];
        let statements: usize = sets.into_iter().flatten().map(|set| set.compiled.len()).sum();
        self.resources.len().saturating_mul(statements.max(1))
    }

    /// The answer about one action on all resources.
    pub fn result(&self, action: &str, subject: &Subject) -> EvaluationResult {
        let judge = |resource: &String| self.judge(action, resource, subject.scps.as_deref());
        let results: Vec<ResourceResult> = self.resources.iter().map(judge).collect();
        let decision = worst(results.iter().map(|result| result.eval_resource_decision));
        let mut matched: Vec<Matched> = Vec::new();
        let all = results.iter().flat_map(|result| &result.matched_statements);
        for one in all.filter(|it| decision != Verdict::ExplicitDeny || it.denies) {
            if !matched.contains(one) {
                matched.push(one.clone());
            }
        }
        let missing = results.iter().any(|result| !result.missing_context_values.is_empty());
        let boundaries =
            || results.iter().filter_map(|it| it.permissions_boundary_decision_detail.as_ref());
        let organizations = || results.iter().filter_map(|result| result.organizations);
        let mut details = Details::default();
        for (kind, Word(verdict)) in results.iter().flat_map(|it| &it.eval_decision_details.0) {
            let so_far = details.0.get(kind).map(|word| word.0);
            details.0.insert(kind, Word(worst(so_far.into_iter().chain([*verdict]))));
        }
        let named = self.names_resources();
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: match self.resources.as_slice() {
                [one] => one.clone(),
                _ => "*".to_owned(),
            },
            eval_decision: decision,
            matched_statements: matched,
            missing_context_values: if missing { self.missing.clone() } else { Vec::new() },
            organizations_decision_detail: organizations().next().map(|_| Organizations {
                allowed_by_organizations: organizations().all(|allowed| allowed),
            }),
            permissions_boundary_decision_detail: boundaries().next().map(|_| Boundary {
                allowed_by_permissions_boundary: boundaries()
                    .all(|boundary| boundary.allowed_by_permissions_boundary),
            }),
            eval_decision_details: named.then_some(details),
            resource_specific_results: named.then_some(results),
        }
    }

    fn names_resources(&self) -> bool {
        !matches!(self.resources.as_slice(), [one] if one == "*")
    }

    fn judge(
        &self,
        action: &str,
        resource: &str,
        scps: Option<&[Arc<Compiled>]>,
    ) -> ResourceResult {
        let mut ask = policy::Ask::new(self.principal.clone(), action, resource);
        ask.context = self.context.clone();
        ask.choices = CHOICES;
        let mut result = ResourceResult {
            eval_resource_name: resource.to_owned(),
            eval_resource_decision: Verdict::ImplicitDeny,
            matched_statements: Vec::new(),
            missing_context_values: Vec::new(),
            eval_decision_details: Details::default(),
            permissions_boundary_decision_detail: None,
            organizations: None,
        };
        if scps.is_some() {
            let organization = Sources { scps, ..Sources::default() };
            let decision = decide(&ask, &organization, &mut NoRecord);
            let stopped = decision.layer == Some(Layer::Scp);
            result.organizations = Some(!stopped);
            if stopped {
                result.eval_resource_decision = decision.verdict;
                return result;
            }
        }
        let identity = [Arc::clone(&self.identity.compiled)];
        let set = self.resource.as_ref().filter(|_| !takes_a_role(action));
        let sources = Sources {
            identity: &identity,
            boundary: self.boundary.as_ref().map(|set| &*set.compiled),
            resource: set.map(|set| &*set.compiled),
            ..Sources::default()
        };
        if sources.resource.is_some() {
            let own = Arn::parse(resource).ok().and_then(|arn| arn.account_id());
            ask.resource_account = own.or(self.owner);
        }
        let mut recorder = FullRecord::new();
        let decision = decide(&ask, &sources, &mut recorder);
        // A decision that was made leaves a record.
        let Some(record) = recorder.into_record(&ask, &sources) else { return result };
        result.eval_resource_decision = decision.verdict;
        if decision.verdict == Verdict::ImplicitDeny {
            result.missing_context_values.clone_from(&self.missing);
        } else {
            result.matched_statements = self.matched(&record, decision.verdict);
        }
        let said = |layer| of_layer(&record, layer);
        if let Some(verdict) = said(Layer::Boundary) {
            let allowed_by_permissions_boundary = verdict == Verdict::Allow;
            result.permissions_boundary_decision_detail =
                Some(Boundary { allowed_by_permissions_boundary });
        }
        if !ask.is_same_account() {
            let kinds = [Layer::Identity, Layer::Resource, Layer::Boundary];
            let told = kinds.into_iter().filter_map(|it| Some((kind(it)?, Word(said(it)?))));
            result.eval_decision_details = Details(told.collect());
        }
        result
    }

    /// The statements that say what was decided. A boundary allows nothing, so only its denials.
    fn matched(&self, record: &Record<'_>, verdict: Verdict) -> Vec<Matched> {
        let denies = verdict == Verdict::ExplicitDeny;
        let effect = if denies { Effect::Deny } else { Effect::Allow };
        let mut matched = Vec::new();
        for layer in record.layers.iter().filter(|it| denies || it.layer != Layer::Boundary) {
            let (Some(kind), Some(set)) = (kind(layer.layer), self.set(layer.layer)) else {
                continue;
            };
            for (policy, start) in layer.policies.iter().zip(&set.starts) {
                let mut start = *start;
                for statement in &policy.statements {
                    if statement.applies && statement.effect == effect {
                        matched.push(Matched {
                            source_policy_id: policy.policy.name.clone(),
                            source_policy_type: kind,
                            start_position: start,
                            end_position: statement.end,
                            denies,
                        });
                    }
                    start = statement.end;
                }
            }
        }
        matched
    }

    fn set(&self, layer: Layer) -> Option<&Set> {
        match layer {
            Layer::Identity => Some(&self.identity),
            Layer::Boundary => self.boundary.as_ref(),
            Layer::Resource => self.resource.as_ref(),
            _ => None,
        }
    }
}

impl Set {
    fn new(named: Vec<Named>) -> Self {
        let starts = named.iter().map(|named| first_start(&named.document)).collect();
        Self { compiled: Arc::new(Compiled::new(named)), starts }
    }
}

/// Where AWS says that the first statement begins: after the bracket of the list, or, of a single
/// statement, after its own brace. Each further one begins where the last ended.
fn first_start(document: &Document) -> Position {
    let text = document.source();
    let brace = document.statements().first().map_or(0, |statement| statement.span.0.start);
    let before = text.get(..brace as usize).unwrap_or_default().trim_end();
    let listed = before.ends_with('[').then(|| u32::try_from(before.len()).ok()).flatten();
    Position::of(text, listed.unwrap_or(brace.saturating_add(1)))
}

/// What one layer says for itself; none where it is not there.
fn of_layer(record: &Record<'_>, layer: Layer) -> Option<Verdict> {
    let layers: Vec<&LayerRecord<'_>> =
        record.layers.iter().filter(|it| it.layer == layer).collect();
    layers.first()?;
    let applies = |effect| {
        let policies = layers.iter().flat_map(|layer| &layer.policies);
        policies.flat_map(|it| &it.statements).any(|it| it.applies && it.effect == effect)
    };
    Some(match (applies(Effect::Deny), applies(Effect::Allow)) {
        (true, _) => Verdict::ExplicitDeny,
        (false, true) => Verdict::Allow,
        (false, false) => Verdict::ImplicitDeny,
    })
}

/// The simulator's names of policy types, which are not those of its model.
fn kind(layer: Layer) -> Option<&'static str> {
    match layer {
        Layer::Identity => Some("IAM Policy"),
        Layer::Resource => Some("Resource Policy"),
        Layer::Boundary => Some("Permissions Boundary Policy"),
        _ => None,
    }
}

fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let severity = |verdict: &Verdict| match verdict {
        Verdict::Allow => 0,
        Verdict::ImplicitDeny => 1,
        Verdict::ExplicitDeny => 2,
    };
    verdicts.into_iter().max_by_key(severity).unwrap_or(Verdict::ImplicitDeny)
}

fn takes_a_role(action: &str) -> bool {
    action.to_ascii_lowercase().starts_with("sts:assume")
}

fn resources(request: &Request) -> Result<Vec<String>> {
    let wrong =
        |text: &str| invalid(format!("ResourceNames are not in a valid ARN format: {text}."));
    match request.resource_arns.as_slice() {
        [] => return Ok(vec!["*".to_owned()]),
        [one] if one == "*" => {}
        all => {
            let sound = |text: &str| {
                let parts: Vec<&str> = text.splitn(6, ':').collect();
                matches!(parts.as_slice(), ["arn", partition, service, _, _, resource]
                    if ![partition, service, resource].into_iter().any(|part| part.is_empty()))
            };
            if let Some(text) = all.iter().find(|text| !sound(text)) {
                return Err(wrong(text));
            }
        }
    }
    Ok(request.resource_arns.clone())
}

fn check_actions(request: &Request, resources: &[String]) -> Result<()> {
    if !request.action_names.iter().all(|action| action.contains(':')) {
        return Err(invalid("The action is invalid since it is missing names"));
    }
    let Some(option) = &request.resource_handling_option else { return Ok(()) };
    let named = resources.iter().any(|resource| resource != "*");
    let known = RUN_INSTANCES.contains(&option.as_str());
    let takes = |action: &&String| known && action.eq_ignore_ascii_case("ec2:RunInstances");
    match request.action_names.iter().find(|action| !takes(action)) {
        Some(action) if named => Err(invalid(format!(
            "Invalid input resource handling options. Action does not support resource handling \
             options: {action}."
        ))),
        _ => Ok(()),
    }
}

/// The simulated caller: named, or the entity whose policies are simulated.
struct Caller {
    source: Source,
    id: Option<UniqueId>,
}

fn caller(request: &Request, subject: &Subject) -> Result<Option<Caller>> {
    let entity = subject.entity.as_ref();
    let Some(named) = request.caller_arn.as_deref().or(entity.map(|it| it.arn.as_str())) else {
        return Ok(None);
    };
    let source = Source::read(named).map_err(|_| {
        invalid("Invalid caller - Caller must be an IAM user, role or group in this context.")
    })?;
    let same = entity.filter(|entity| entity.arn == source.arn);
    Ok(Some(Caller { source, id: same.map(|entity| entity.id.clone()) }))
}

/// The caller as policies see it, and the keys that follow from it where the input sets none.
fn principal(account: AccountId, caller: Option<Caller>, context: &mut Context) -> Principal {
    let mut set = |key: &str, value: &str| {
        if context.find_key(key).is_none() {
            context.set(key, value, SetBy::Principal);
        }
    };
    let Some(Caller { source, id }) = caller else {
        set("aws:PrincipalAccount", account.as_str());
        set("aws:userid", NOBODY);
        let arn = Arn::build("aws", "iam", "", account.as_str(), &format!("user/{NOBODY}"));
        return Principal::User { arn, id: UniqueId::new(NOBODY), account };
    };
    let account = source.arn.account_id().unwrap_or(account);
    set("aws:PrincipalArn", source.arn.as_str());
    set("aws:PrincipalAccount", account.as_str());
    set("aws:userid", source.arn.as_str());
    if source.kind == SourceKind::User {
        set("aws:username", source.name());
    }
    let id = id.unwrap_or_else(|| UniqueId::new(NOBODY));
    Principal::User { arn: source.arn, id, account }
}

fn owner_of(text: &str) -> Result<AccountId> {
    let arn = Arn::parse(text).ok().filter(|arn| arn.service() == "iam");
    let account = arn.and_then(|arn| arn.account_id());
    account.ok_or_else(|| invalid(format!("'{text}' is not a valid as a Resource Owner.")))
}

fn resource_policy(
    request: &Request,
    resources: &[String],
    has_caller: bool,
) -> Result<Option<Set>> {
    let Some(text) = &request.resource_policy else { return Ok(None) };
    if !has_caller {
        return Err(invalid("Invalid caller - Caller cannot be null or empty."));
    }
    if resources.iter().any(|resource| resource == "*") {
        let text = "Invalid Entity Arn: * does not clearly define entity type and name.";
        return Err(invalid(text));
    }
    let id = PolicyId::new("ResourcePolicy", PolicyKind::Resource);
    let named = read(text, Kind::Resource, id, "Resource policy has invalid content")?;
    let patterns = named.document.statements().iter().flat_map(|it| &it.resource);
    if patterns.flat_map(|resource| &resource.list).any(|pattern| pattern.text == "*") {
        return Err(invalid("ResourceNames are not in a valid ARN format: *."));
    }
    Ok(Some(Set::new(vec![named])))
}

/// Every key that the policies mention and the input leaves open, whatever it would change.
fn missing<'a>(given: &Context, sets: impl IntoIterator<Item = Option<&'a Set>>) -> Vec<String> {
    let policies = sets.into_iter().flatten().flat_map(|set| set.compiled.policies());
    let mentioned: BTreeSet<&str> =
        policies.flat_map(|named| named.document.mentioned_keys()).collect();
    let open = |key: &&str| !matches!(*key, "*" | "?" | "$") && given.find_key(key).is_none();
    mentioned.into_iter().filter(open).map(str::to_owned).collect()
}
