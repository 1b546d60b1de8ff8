//! What a token is held against: a role, its account and the account's providers, either as a
//! trust policy in a file implies them or as the data folder has them.

use policy::{AccountId, Document, Kind, Rejection, Strictness, document::quota};
use service::{
    ids::{Prefix, UniqueId},
    plane::Plane,
    record::{AccountRecord, OidcProviderRecord, Policies, RoleRecord},
};

use super::Check;
use crate::{
    cli::{
        Global,
        failure::Failure,
        screen::Screen,
        snippet::{self, Remark},
        source::Source,
    },
    clock::Clock,
    config::Config,
    data::DataFolder,
    installation::{self, Opener},
    issuer::Keys,
};

/// The audience that registrations for AWS nearly always name.
const USUAL_CLIENT_ID: &str = "sts.amazonaws.com";

/// Records as the store would hold them, and how the token's own issuer is met.
pub(super) struct Facts {
    pub account: AccountRecord,
    pub role: RoleRecord,
    pub providers: Vec<OidcProviderRecord>,
    /// The issuer whose keys these are, with scheme; none if the token names none.
    pub issuer: Option<String>,
    /// Its keys, if any are given.
    pub jwks: Option<String>,
    /// Whether it may be one that speaks plain http.
    pub http: bool,
}

/// The role of a file; `None` when the policy itself is refused, which is told then.
pub(super) fn described(
    source: &Source,
    token: &str,
    options: &Check,
    screen: &Screen,
) -> Result<Option<Facts>, Failure> {
    let trust = source.read()?;
    if let Err(rejection) = acceptable(&trust) {
        let remarks: Vec<_> = rejection.diagnostics.iter().map(Remark::of_policy).collect();
        let shown = snippet::render(source.name(), &trust, &remarks, screen.colour());
        let answer = format!("AWS refuses this policy: {}: {}", rejection.code, rejection.message);
        let value = serde_json::json!({ "error": answer, "diagnostics": rejection.diagnostics });
        screen.either(&format!("{shown}\n\n{answer}"), &value)?;
        return Ok(None);
    }
    let id = options.account.or_else(|| account_in(&trust));
    let id = id.map_or_else(|| AccountId::parse("111122223333"), Ok);
    let id = id.map_err(|fault| Failure::new(fault.to_string()))?;
    let issuer = options.issuer.clone().or_else(|| issuer_of(token));
    let issuer = issuer.unwrap_or_else(|| "https://issuer.invalid".to_owned());
    let url = claims::oidc::Issuer::registered_name_of(&issuer).ok_or_else(|| {
        Failure::new(format!("{issuer} is no issuer")).help("write it with https://")
    })?;
    let provider = OidcProviderRecord {
        account: id,
        url: url.to_owned(),
        client_ids: match options.client_id.is_empty() {
            true => vec![USUAL_CLIENT_ID.to_owned()],
            false => options.client_id.clone(),
        },
        thumbprints: Vec::new(),
        created: 0,
        revision: 1,
        tags: Vec::new(),
    };
    let account = AccountRecord::new(id, String::new(), 0);
    let role = RoleRecord {
        account: id,
        name: "role".to_owned(),
        path: "/".to_owned(),
        id: UniqueId::fresh(Prefix::Role),
        created: 0,
        description: None,
        max_session: options.max_session,
        trust,
        policies: Policies::default(),
        boundary: None,
        tags: Vec::new(),
    };
    Ok(Some(Facts {
        account,
        role,
        providers: vec![provider],
        http: issuer.starts_with("http://"),
        issuer: Some(issuer),
        jwks: jwks(options)?,
    }))
}

/// What IAM would take as a role's trust policy. Whether the principals of other accounts that it
/// names exist, only AWS knows.
fn acceptable(trust: &str) -> Result<(), Rejection> {
    Document::parse(trust, Kind::Trust, Strictness::Stored)?.check_shared_issuers()?;
    match policy::document::quota_size(trust) > quota::TRUST {
        true => Err(Rejection {
            code: "LimitExceeded".to_owned(),
            message: format!("Cannot exceed quota for ACLSizePerRole: {}", quota::TRUST),
            diagnostics: Vec::new(),
        }),
        false => Ok(()),
    }
}

/// A role of the data folder, with its account and all the account's providers.
pub(super) async fn registered(
    name: &str,
    token: &str,
    options: &Check,
    config: &Config,
    global: &Global,
) -> Result<Facts, Failure> {
    let folder = global.folder()?;
    let opened = installation::open(config, &folder, &Clock::system(), Opener::Command).await;
    let plane = opened.map_err(|error| Failure::new(error.to_string()))?.plane;
    let (account, role, providers) = find(&plane, name, options, &folder)?;
    let issuer = issuer_of(token);
    // The server that wrote this folder may have served a test issuer of its own.
    let own = issuer.as_deref().filter(|issuer| issuer.contains("/_issuer"));
    let mut jwks = jwks(options)?;
    if jwks.is_none() && own.is_some() {
        jwks = Some(Keys::open(&folder)?.jwks().to_string());
    }
    let http = own.is_some_and(|issuer| issuer.starts_with("http://"));
    Ok(Facts { account, role, providers, issuer, jwks, http })
}

type Found = (AccountRecord, RoleRecord, Vec<OidcProviderRecord>);

fn find(plane: &Plane, name: &str, options: &Check, folder: &DataFolder) -> Result<Found, Failure> {
    let world = plane.world();
    let short = name.rsplit('/').next().unwrap_or(name);
    let wanted = |account: &AccountId| options.account.is_none_or(|only| only == *account);
    let mut found = world
        .accounts()
        .into_iter()
        .filter(|account| wanted(&account.record.id))
        .filter_map(|account| account.roles.find(short).map(|role| (account, role)))
        .filter(|(_, role)| !name.starts_with("arn:") || role.arn.as_str() == name);
    let (account, role) = found
        .next()
        .ok_or_else(|| Failure::new(format!("no role {name} in {}", folder.path().display())))?;
    if found.next().is_some() {
        return Err(Failure::new(format!("several accounts have a role {short}"))
            .help("name its ARN, or give --account"));
    }
    let providers = account.oidc_providers.values().map(|it| (**it).clone()).collect();
    Ok((account.record.clone(), role.record.clone(), providers))
}

fn issuer_of(token: &str) -> Option<String> {
    claims::oidc::peek(token).ok()?.issuer().ok().map(str::to_owned)
}

fn jwks(options: &Check) -> Result<Option<String>, Failure> {
    options.jwks.as_deref().map(|path| Source::file(path).read()).transpose()
}

/// The account of the provider that a trust policy names.
fn account_in(trust: &str) -> Option<AccountId> {
    let (before, _) = trust.split_once(":oidc-provider/")?;
    before.rsplit(':').next()?.parse().ok()
}
