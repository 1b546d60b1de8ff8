//! How one call flows: decode → prove the caller → ask → authorize → run → commit → record →
//! encode. Read top to bottom; every path ends in the log book.

mod decode;
mod outcome;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;
use wire::shape::Operation;

pub use self::decode::{Called, Decoded};
use crate::action::{Action, Answer, Effect, Entry, Proof};
use crate::audit::{BookError, Draft, Durability, Event};
use crate::authorize::{authorize, restrict};
use crate::caller::{self, Caller};
use crate::cx::{Cx, Origin};
use crate::error::{Code, Error, Result, code};
use crate::ids;
use crate::plane::{CommitError, Plane};
use crate::world::World;

/// Times that a change is decided anew because the configuration moved under it. The second try
/// already waits for its turn, so only other processes can make a third one necessary.
const TRIES: usize = 8;

/// For the log book: what a request is that was not read whole.
const NOT_READ: &str = "RequestNotRead";

/// One HTTP request, read whole.
pub struct HttpCall {
    /// Method, URI and headers.
    pub parts: Parts,
    /// The body.
    pub body: Bytes,
    /// The client's address, after the trusted proxies have been believed.
    pub source_ip: IpAddr,
    /// Whether the client's connection was TLS.
    pub secure: bool,
    /// TLS version and cipher suite, where the listener itself spoke TLS.
    pub tls: Option<(String, String)>,
}

/// The answer to one call.
pub struct HttpAnswer {
    /// The id of the request and of the decision.
    pub request_id: String,
    /// HTTP status.
    pub status: u16,
    /// For `content-type`.
    pub content_type: &'static str,
    /// For `x-amzn-errortype`, on JSON errors.
    pub error_type: Option<String>,
    /// For `x-vestibule-authorization-message`: an encoded account of a denial.
    pub encoded_message: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What was called, for metrics: known names only.
    pub called: Option<(&'static str, &'static str)>,
    /// How it ended, for metrics.
    pub outcome: &'static str,
}

impl Plane {
    /// Answers one AWS call.
    pub async fn handle(&self, call: HttpCall) -> HttpAnswer {
        let now = self.now();
        let request_id = ids::uuid();
        let mut draft = Draft::new(&request_id, now);
        let origin = decode::origin(&call, &self.settings);
        decode::describe(&origin, &mut draft);

        let decoded = match decode::decode(&call) {
            Ok(decoded) => decoded,
            Err(undecoded) => return self.refuse_undecoded(*undecoded, draft, request_id).await,
        };
        let called = decoded.called;
        let pending = Pending {
            call: &call,
            decoded: &decoded,
            origin: &origin,
            request_id: &request_id,
            begun: now,
        };
        pending.name(&mut draft);
        let (result, draft) = self.serve(&pending, draft).await;
        // Under load, many wait for the log book at once: the less each keeps meanwhile, the more
        // of it stays in the processor's caches.
        drop(decoded);
        drop((call, origin));
        self.conclude(called, request_id, result, draft).await
    }

    /// Answers a call that could not be read whole: too large, too slow or cut off, which a bare
    /// status tells; or 503 because there was no memory for it, which AWS tells in words.
    pub async fn unread(&self, call: HttpCall, status: u16) -> HttpAnswer {
        let request_id = ids::uuid();
        let mut draft = Draft::new(&request_id, self.now());
        decode::describe(&decode::origin(&call, &self.settings), &mut draft);
        let error = match status {
            503 => Error::unavailable("the memory for requests' bodies was taken"),
            _ => Error::silent(Code::new(NOT_READ, status))
                .because("the request was refused before it was read whole"),
        };
        let (source, name) = (Cow::Borrowed("vestibule"), "Unknown".to_owned());
        let undecoded = decode::Undecoded { error, dialect: decode::spoken(&call), source, name };
        self.refuse_undecoded(undecoded, draft, request_id).await
    }

    /// Everything between decoding and answering; what changes something is decided again if the
    /// world moved.
    async fn serve(&self, pending: &Pending<'_>, mut draft: Draft) -> (Result<Served>, Draft) {
        let mut writer = None;
        for _ in 0..TRIES {
            let (result, after) = self.attempt(pending, draft, writer.is_some()).await;
            match result {
                Ok(Attempt::Served(served)) => return (Ok(*served), after),
                Err(error) => return (Err(error), after),
                Ok(Attempt::Overtaken) => {
                    // A try that was overtaken leaves nothing in the receipt.
                    draft = pending.draft();
                    if writer.is_none() {
                        writer = Some(self.writer().await);
                    }
                }
            }
        }
        drop(writer);
        (Err(CommitError::Stale.into()), draft)
    }

    async fn attempt(
        &self,
        pending: &Pending<'_>,
        mut draft: Draft,
        turn_taken: bool,
    ) -> (Result<Attempt>, Draft) {
        let now = self.now();
        let mut world = self.world();
        let entry = pending.decoded.called.entry;
        draft.revision(world.revision.0);

        if entry.effect != Effect::Read
            && let Err(error) = self.book.room()
        {
            return (Err(unrecorded(&error)), draft);
        }
        let mut caller = self.caller(pending, &world, now, &mut draft);
        if caller.as_ref().is_err_and(|error| error.code == code::INVALID_CLIENT_TOKEN_ID)
            && self.refresh().await.is_ok()
        {
            // A key that another process has just made is in the store before it is in our world.
            let newer = self.world();
            if newer.revision > world.revision {
                world = newer;
                draft.revision(world.revision.0);
                caller = self.caller(pending, &world, now, &mut draft);
            }
        }
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) => return (Err(error), draft),
        };
        if entry.proof == Proof::Signature {
            let (service, action) = (pending.decoded.called.api.name, entry.name);
            self.uses.note(&caller, service, action, now);
        }
        if let Some(account) = caller.principal.account() {
            draft.account(account.as_str());
        }
        let input = match pending.decoded.input() {
            Ok(input) => input,
            Err(error) => return (Err(error), draft),
        };
        draft.request(&input);

        let mut cx = Cx {
            plane: self,
            world: Arc::clone(&world),
            now,
            origin: pending.origin,
            caller,
            operation: pending.decoded.called.operation,
            request_id: pending.request_id,
            receipt: draft,
        };
        let answer = match (entry.call)(&mut cx, input).await {
            Ok(answer) => answer,
            Err(error) => return (Err(error), cx.receipt),
        };
        let draft = cx.receipt;
        if answer.changes.is_empty() {
            return (Ok(Attempt::Served(Box::new(Served { answer, event: None }))), draft);
        }

        let mut finished = draft.clone();
        finished.allowed();
        let event = finished.finish(self.now());
        // A first try waits here for whoever has taken the turn, so that nobody is overtaken twice.
        let _turn = if turn_taken { None } else { Some(self.writer().await) };
        let committed = self.commit(&world, &answer.changes, &event).await;
        match committed {
            Ok(()) => (Ok(Attempt::Served(Box::new(Served { answer, event: Some(event) }))), draft),
            Err(CommitError::Stale) => (Ok(Attempt::Overtaken), draft),
            Err(error) => (Err(error.into()), draft),
        }
    }

    /// Records the event, then answers: no credentials leave without their receipt.
    async fn conclude(
        &self,
        called: Called,
        request_id: String,
        result: Result<Served>,
        mut draft: Draft,
    ) -> HttpAnswer {
        let recorded = match result {
            Ok(Served { answer, event: Some(event) }) => {
                // The change stands and its receipt is safe in the store: if the log book does not
                // take it now, it gets it later.
                let id = event.event_id.clone();
                if self.record(event, Durability::Synced).await.is_ok() {
                    self.delivered(id);
                }
                Ok(answer)
            }
            Ok(Served { answer, event: None }) => {
                draft.allowed();
                let event = draft.finish(self.now());
                let durability = match called.entry.effect {
                    Effect::Issue => self.settings.issuing,
                    Effect::Read | Effect::Write => Durability::Written,
                };
                self.record(event, durability).await.map(|()| answer)
            }
            Err(error) => {
                outcome::describe(&error, &mut draft);
                let event = draft.finish(self.now());
                // A denial stands whether or not it could be recorded.
                let _ = self.record(event, Durability::Written).await;
                Err(error)
            }
        };
        match recorded {
            Ok(answer) => outcome::success(called, answer, request_id),
            Err(error) => outcome::failure(called, error, request_id),
        }
    }

    async fn refuse_undecoded(
        &self,
        undecoded: decode::Undecoded,
        mut draft: Draft,
        request_id: String,
    ) -> HttpAnswer {
        draft.call(undecoded.source.clone(), undecoded.name.clone(), true);
        outcome::describe(&undecoded.error, &mut draft);
        let event = draft.finish(self.now());
        let _ = self.record(event, Durability::Written).await;
        outcome::undecoded(undecoded, request_id)
    }

    /// Records an event, and the copy that the other account of a cross-account call gets.
    async fn record(&self, mut event: Box<Event>, durability: Durability) -> Result<()> {
        let other = other_account(&event).map(str::to_owned);
        let copy = other.map(|other| Box::new(event.for_account(&other)));
        let recorded = match copy {
            None => self.book.append(event, durability).await,
            Some(copy) => match self.book.append(event, durability).await {
                Ok(()) => self.book.append(copy, durability).await,
                full => full,
            },
        };
        recorded.map_err(|error| unrecorded(&error))
    }

    fn caller(
        &self,
        pending: &Pending<'_>,
        world: &World,
        now: jiff::Timestamp,
        draft: &mut Draft,
    ) -> Result<Caller> {
        match pending.decoded.called.entry.proof {
            Proof::Token => Ok(Caller::anonymous()),
            Proof::Signature => {
                let rules = self.signature_rules(pending.decoded, now);
                let (parts, body) = (&pending.call.parts, &pending.call.body);
                caller::authenticate(self, world, parts, body, &rules, draft)
            }
        }
    }

    fn signature_rules(
        &self,
        decoded: &Decoded<'_>,
        now: jiff::Timestamp,
    ) -> wire::sigv4::Rules<'_> {
        let mut rules = wire::sigv4::Rules::plain(decoded.called.api.name, now);
        if let Some(regions) = &self.settings.regions {
            rules.regions = wire::sigv4::Regions::Only(regions);
        }
        rules
    }
}

/// What leaves no receipt is not done.
fn unrecorded(error: &BookError) -> Error {
    tracing::error!(%error, "the log book does not take events");
    Error::unavailable(error.to_string())
}

/// The owner of what was touched, where that is another account than the caller's.
fn other_account(event: &Event) -> Option<&str> {
    let own = event.recipient_account_id.as_deref()?;
    let mut owners = event.resources.iter().filter_map(|resource| resource.account_id.as_deref());
    owners.rfind(|owner| *owner != own)
}

/// A call that has been decoded, on its way.
struct Pending<'a> {
    call: &'a HttpCall,
    decoded: &'a Decoded<'a>,
    origin: &'a Origin,
    request_id: &'a str,
    begun: jiff::Timestamp,
}

impl Pending<'_> {
    /// The receipt of another try.
    fn draft(&self) -> Draft {
        let mut draft = Draft::new(self.request_id, self.begun);
        decode::describe(self.origin, &mut draft);
        self.name(&mut draft);
        draft
    }

    fn name(&self, draft: &mut Draft) {
        let Called { api, entry, .. } = self.decoded.called;
        draft.call(api.source, entry.name, entry.effect != Effect::Write);
    }
}

struct Served {
    answer: Answer,
    /// The event that was committed with a change.
    event: Option<Box<Event>>,
}

enum Attempt {
    Served(Box<Served>),
    /// The world moved between decision and commit.
    Overtaken,
}

impl Entry {
    /// The row of an action.
    pub const fn of<A: Action>() -> Self {
        Self {
            name: A::NAME,
            effect: A::EFFECT,
            proof: A::PROOF,
            call: |cx, input| Box::pin(perform::<A>(cx, input)),
        }
    }
}

async fn perform<A: Action>(cx: &mut Cx<'_>, input: Value) -> Result<Answer> {
    let input: A::Input = serde_json::from_value(input).map_err(|error| {
        Error::internal(format!("the model and the type of {} differ: {error}", A::NAME))
    })?;
    if A::PROOF == Proof::Token {
        A::prove(cx, &input).await?;
    }
    restrict(cx)?;
    let asks = A::asks(cx, &input)?;
    let permit = authorize::<A>(cx, asks)?;
    let done = A::run(cx, input, permit).await?;
    if A::EFFECT != Effect::Read {
        cx.receipt.response(&done.output);
    }
    let body = encode(cx.operation, &done.output, cx.request_id)?;
    Ok(Answer { body, changes: done.changes })
}

fn encode(
    operation: &Operation,
    output: &impl serde::Serialize,
    request_id: &str,
) -> Result<Vec<u8>> {
    match operation.namespace.is_empty() {
        true => wire::json11::response(output).map_err(|error| Error::internal(error.to_string())),
        false => wire::query_xml::response(operation, output, request_id)
            .map_err(|error| Error::internal(error.to_string())),
    }
}
