//! Other services of AWS in the organization: which have access, and which accounts administer them for
//! all. None of them is here; what is said about them is kept and told, and a delegated administrator
//! may read the organization.

use policy::SetBy;
use serde::{Deserialize, Serialize};

use super::account::{self, find, seconds};
use super::organization::constraint;
use super::tree::OrganizationRecord;
use super::{Empty, INVALID_INPUT, Paging, ask, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};

/// The actions of this file.
pub const ACTIONS: [Entry; 7] = [
    Entry::of::<Access<false>>(),
    Entry::of::<Access<true>>(),
    Entry::of::<Delegate<false>>(),
    Entry::of::<Delegate<true>>(),
    Entry::of::<ListAwsServiceAccess>(),
    Entry::of::<ListDelegatedAdministrators>(),
    Entry::of::<ListDelegatedServices>(),
];

const ALREADY_REGISTERED: Code = Code::new("AccountAlreadyRegisteredException", 400);
const NOT_REGISTERED: Code = Code::new("AccountNotRegisteredException", 400);

/// What policies may ask of these actions.
const SERVICE: &str = "organizations:ServicePrincipal";

/// That the name is one of a service.
fn check(service: &str) -> Result<()> {
    match service.ends_with(".amazonaws.com") {
        true => Ok(()),
        false => Err(Error::new(INVALID_INPUT, "You specified an unrecognized service principal.")),
    }
}

fn not_registered() -> Error {
    let text =
        "The provided account is not a registered delegated administrator for your organization.";
    Error::new(NOT_REGISTERED, text)
}

/// `EnableAWSServiceAccess`, `DisableAWSServiceAccess`
pub struct Access<const ON: bool>;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessInput {
    service_principal: String,
}

impl<const ON: bool> Action for Access<ON> {
    const NAME: &'static str =
        if ON { "EnableAWSServiceAccess" } else { "DisableAWSServiceAccess" };
    const EFFECT: Effect = Effect::Write;
    type Input = AccessInput;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &AccessInput) -> Result<Vec<Ask>> {
        let ask = ask(cx, Self::NAME, |_| None)?;
        Ok(vec![ask.key(SERVICE, &input.service_principal, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: AccessInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let service = input.service_principal;
        check(&service)?;
        if !record.all_features {
            return Err(constraint("The organization must have all features enabled."));
        }
        match ON {
            true => {
                record.services.entry(service).or_insert(cx.now.as_millisecond());
            }
            false => {
                if record.delegated.values().any(|services| services.contains_key(&service)) {
                    return Err(constraint(
                        "You must deregister all delegated administrators for this service first.",
                    ));
                }
                record.services.remove(&service);
            }
        }
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `ListAWSServiceAccessForOrganization`
pub struct ListAwsServiceAccess;

/// A service with access.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Enabled {
    service_principal: String,
    date_enabled: i64,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServicesOutput {
    enabled_service_principals: Vec<Enabled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListAwsServiceAccess {
    const NAME: &'static str = "ListAWSServiceAccessForOrganization";
    const EFFECT: Effect = Effect::Read;
    type Input = Paging;
    type Output = ServicesOutput;

    fn asks(cx: &Cx<'_>, _input: &Paging) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: Paging,
        _permit: Permit<Self>,
    ) -> Result<Done<ServicesOutput>> {
        let all = managed(cx)?.services.iter().map(|(service, since)| Enabled {
            service_principal: service.clone(),
            date_enabled: seconds(*since),
        });
        let (enabled_service_principals, next_token) =
            cut(cx, all, |it| it.service_principal.clone(), &input)?;
        Ok(Done::read(ServicesOutput { enabled_service_principals, next_token }))
    }
}

/// `RegisterDelegatedAdministrator`, `DeregisterDelegatedAdministrator`
pub struct Delegate<const ON: bool>;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DelegateInput {
    account_id: String,
    service_principal: String,
}

impl<const ON: bool> Action for Delegate<ON> {
    const NAME: &'static str =
        if ON { "RegisterDelegatedAdministrator" } else { "DeregisterDelegatedAdministrator" };
    const EFFECT: Effect = Effect::Write;
    type Input = DelegateInput;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &DelegateInput) -> Result<Vec<Ask>> {
        let ask = ask_about(cx, Self::NAME, &input.account_id)?;
        Ok(vec![ask.key(SERVICE, &input.service_principal, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: DelegateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        check(&input.service_principal)?;
        let member = find(&record, &input.account_id)?;
        if member.id == record.management {
            return Err(constraint(
                "You cannot register master account/yourself as delegated administrator for your organization.",
            ));
        }
        if member.closed.is_some() && ON {
            return Err(constraint(
                "You cannot register a suspended account as delegated administrator.",
            ));
        }
        if ON && !record.services.contains_key(&input.service_principal) {
            return Err(constraint(
                "You must enable service access before you register a delegated administrator.",
            ));
        }
        let services = record.delegated.entry(input.account_id.clone()).or_default();
        if ON {
            if services.contains_key(&input.service_principal) {
                let text = "The provided account is already a delegated administrator for your organization.";
                return Err(Error::new(ALREADY_REGISTERED, text));
            }
            services.insert(input.service_principal, cx.now.as_millisecond());
        } else {
            services.remove(&input.service_principal).ok_or_else(not_registered)?;
            if services.is_empty() {
                record.delegated.remove(&input.account_id);
            }
        }
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `ListDelegatedAdministrators`: of one service, or of any.
pub struct ListDelegatedAdministrators;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdministratorsInput {
    service_principal: Option<String>,
    #[serde(flatten)]
    wanted: Paging,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Administrators {
    delegated_administrators: Vec<account::View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListDelegatedAdministrators {
    const NAME: &'static str = "ListDelegatedAdministrators";
    const EFFECT: Effect = Effect::Read;
    type Input = AdministratorsInput;
    type Output = Administrators;

    fn asks(cx: &Cx<'_>, input: &AdministratorsInput) -> Result<Vec<Ask>> {
        let ask = ask(cx, Self::NAME, |_| None)?;
        Ok(vec![match &input.service_principal {
            Some(service) => ask.key(SERVICE, service, SetBy::Request),
            None => ask,
        }])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: AdministratorsInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Administrators>> {
        let record = managed(cx)?;
        let all = record.delegated.iter().filter_map(|(id, services)| {
            let since = match &input.service_principal {
                Some(service) => services.get(service),
                None => services.values().min(),
            };
            Some((record.member(id)?, *since?))
        });
        let (found, next_token) = cut(cx, all, |(member, _)| member.id.to_string(), &input.wanted)?;
        let told = found.into_iter().map(|(member, since)| {
            let mut view = account::view(record, member);
            view.delegation_enabled_date = Some(seconds(since));
            view.paths.clear();
            view
        });
        Ok(Done::read(Administrators { delegated_administrators: told.collect(), next_token }))
    }
}

/// `ListDelegatedServicesForAccount`
pub struct ListDelegatedServices;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfAccount {
    account_id: String,
    #[serde(flatten)]
    wanted: Paging,
}

/// A service that an account administers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delegated {
    service_principal: String,
    delegation_enabled_date: i64,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DelegatedOutput {
    delegated_services: Vec<Delegated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListDelegatedServices {
    const NAME: &'static str = "ListDelegatedServicesForAccount";
    const EFFECT: Effect = Effect::Read;
    type Input = OfAccount;
    type Output = DelegatedOutput;

    fn asks(cx: &Cx<'_>, input: &OfAccount) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.account_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: OfAccount,
        _permit: Permit<Self>,
    ) -> Result<Done<DelegatedOutput>> {
        let record = managed(cx)?;
        find(record, &input.account_id)?;
        let services = record.delegated.get(&input.account_id).ok_or_else(not_registered)?;
        let all = services.iter().map(|(service, since)| Delegated {
            service_principal: service.clone(),
            delegation_enabled_date: seconds(*since),
        });
        let (delegated_services, next_token) =
            cut(cx, all, |it| it.service_principal.clone(), &input.wanted)?;
        Ok(Done::read(DelegatedOutput { delegated_services, next_token }))
    }
}
