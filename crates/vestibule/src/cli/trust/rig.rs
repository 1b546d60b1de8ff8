//! An installation in memory with one role and its account's providers, to which a token is
//! presented.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use claims::jose::{Alg, SigningKey, jwks};
use jiff::Timestamp;
use serde_json::json;
use service::{
    audit::{BookOptions, Event, LogBook, Mark, Reader, Scope},
    idp::{fetch::Fetcher, jwks::Keys, network::NetworkPolicy},
    plane::{Parts, Plane},
    settings::Settings,
    world::Entity,
};
use store::{Change, Commit, Revision, seal::Keyring, segment::WriterId};

use super::{super::failure::Failure, Check, facts::Facts};
use crate::{client::Api, clock::Clock, config::Config, data::DataFolder, installation, operator};

/// The installation; its log book lies in a folder that goes with it.
pub(super) struct Rig {
    plane: Plane,
    role_arn: String,
    book: Scratch,
    /// Stands in for the issuer's key when there is none.
    stand_in: Option<StandIn>,
}

impl Rig {
    pub(super) async fn build(
        config: &Config,
        now: Option<Timestamp>,
        facts: Facts,
        token: &str,
    ) -> Result<Rig, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let clock = match now {
            Some(now) => {
                let clock = Clock::settable();
                clock.set(now, true).map_err(|_| Failure::new("--now is out of range"))?;
                clock
            }
            None => Clock::system(),
        };
        let (settings, stand_in) = settings(config, &facts, token)?;

        let book = Scratch::new()?;
        let writer = WriterId::new("check").ok_or_else(|| Failure::new("no writer"))?;
        let options = BookOptions { reserve_bytes: 0, ..BookOptions::new(&book.path, writer) };
        let (log_book, _) = LogBook::open(options).map_err(|error| failed(&error))?;
        let store = store::open(&store::Place::Memory).await.map_err(|error| failed(&error))?;
        let role_arn = format!(
            "arn:aws:iam::{}:role{}{}",
            facts.role.account, facts.role.path, facts.role.name
        );
        let entities = [Entity::Account(facts.account), Entity::Role(facts.role)];
        let entities = entities.into_iter();
        let entities = entities.chain(facts.providers.into_iter().map(Entity::OidcProvider));
        let mut commit = Commit::on(Revision::ZERO);
        for entity in entities {
            let document = entity.document().map_err(|error| failed(&error))?;
            commit = commit.change(Change::put(document));
        }
        store.commit(commit).await.map_err(|error| failed(&error))?;
        let (millis, time) = (clock.clone(), clock);
        let millis = Arc::new(move || u64::try_from(millis.now().as_millisecond()).unwrap_or(0));
        let parts = Parts {
            settings,
            keyring: Keyring::generate().map_err(|error| failed(&error))?,
            store,
            book: Arc::new(log_book),
            idp: Keys::new(Fetcher::new(NetworkPolicy::default(), millis), 1),
            clock: Arc::new(move || time.now()),
        };
        let plane = Plane::open(parts).await.map_err(|error| failed(&error))?;
        Ok(Rig { plane, role_arn, book, stand_in })
    }

    /// Whether signatures are held against keys of the issuer's own.
    pub(super) fn checks_signatures(&self) -> bool {
        self.stand_in.is_none()
    }

    /// Presents the token; what the log book has of it.
    pub(super) async fn present(&self, token: &str, options: &Check) -> Result<Event, Failure> {
        let shown = self.stand_in.as_ref().and_then(|stand_in| stand_in.signed(token));
        let input = json!({
            "RoleArn": self.role_arn,
            "RoleSessionName": options.session_name,
            "WebIdentityToken": shown.as_deref().unwrap_or(token),
            "DurationSeconds": options.duration,
        });
        // Whether it is granted or refused stands in the event.
        let _ =
            operator::unsigned(&self.plane, Api::Sts, "AssumeRoleWithWebIdentity", &input).await;
        let last = Reader::open(&self.book.path).last(Scope::Operator, false);
        let last = last.map_err(|error| Failure::new(error.to_string()))?;
        let mut event = last.ok_or_else(|| Failure::new("the check left no trace"))?;
        if self.stand_in.is_some() {
            unproven(&mut event);
        }
        Ok(event)
    }
}

/// The server's settings, with keys for the token's issuer: those given, else those configured,
/// else one that stands in for them.
fn settings(
    config: &Config,
    facts: &Facts,
    token: &str,
) -> Result<(Settings, Option<StandIn>), Failure> {
    let settings = installation::service_settings(config);
    let mut settings = settings.map_err(|error| Failure::new(error.to_string()))?;
    let issuer = facts.issuer.as_deref().and_then(claims::oidc::Issuer::registered_name_of);
    let arn =
        format!("arn:aws:iam::{}:oidc-provider/{}", facts.account.id, issuer.unwrap_or_default());
    let mut own = settings.providers.get(&arn).cloned().unwrap_or_default();
    own.reach.allow_http_loopback |= facts.http;
    let given = facts.jwks.as_deref().map(Into::into).or(own.reach.static_jwks.take());
    let stand_in = match given {
        Some(_) => None,
        None => Some(StandIn::for_token(token)?),
    };
    own.reach.static_jwks = given.or_else(|| stand_in.as_ref().map(|it| it.jwks().into()));
    settings.providers = settings.providers.with(arn, own);
    Ok((settings, stand_in))
}

/// Takes back what only the stand-in's signature proved.
fn unproven(event: &mut Event) {
    event.vestibule.proven = false;
    for check in &mut event.vestibule.checks {
        if matches!(check.name.as_ref(), "key" | "signature") && check.verdict == Mark::Pass {
            let check = Arc::make_mut(check);
            check.verdict = Mark::Skipped;
            (check.wanted, check.had) = (None, None);
            check.note = Some("not checked: no keys were given".into());
        }
    }
}

/// A key of our own for a token whose issuer's keys are not at hand.
///
/// The token's header and claims stay as they are, byte for byte; only its signature is replaced,
/// so that everything behind the signature check is judged by the server's own code.
struct StandIn {
    /// None for a token that no key could help: it is refused before any is asked for.
    key: Option<SigningKey>,
}

impl StandIn {
    fn for_token(token: &str) -> Result<StandIn, Failure> {
        let read = claims::oidc::peek(token).ok();
        let key = match read.and_then(|t| Some((Alg::named(t.alg())?, t.kid().map(str::to_owned))))
        {
            Some((alg, kid)) => {
                let kid = kid.unwrap_or_else(|| "stand-in".to_owned());
                let made = SigningKey::generate(alg, kid);
                Some(made.map_err(|error| Failure::new(error.to_string()))?)
            }
            None => None,
        };
        Ok(StandIn { key })
    }

    fn jwks(&self) -> String {
        jwks(&self.key).to_string()
    }

    fn signed(&self, token: &str) -> Option<String> {
        let (message, _) = token.rsplit_once('.')?;
        let signature = self.key.as_ref()?.signature(message.as_bytes()).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A folder that is removed when it is let go.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Scratch, Failure> {
        let mut random = [0; 12];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Failure::new("the system gave no randomness"))?;
        let path = std::env::temp_dir().join(format!("vestibule-{}", hex::encode(random)));
        let folder = DataFolder::open(&path)?;
        Ok(Scratch { path: folder.path().to_owned() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is one check's log in a folder of its own.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
