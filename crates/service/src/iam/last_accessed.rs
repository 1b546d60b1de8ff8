//! What users, roles, groups and policies may use and when it was last used: the services that their
//! policies name, and the calls that were proven (`plane/uses.rs`). Source: IAM User Guide, "Refine
//! permissions in AWS using last accessed information".

mod granting;
mod report;
mod subject;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use policy::AccountId;
use serde::{Deserialize, Serialize};

use self::subject::Subject;
use super::entity::NO_SUCH_ENTITY;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::ids;
use crate::record::Millis;

/// The actions of this noun.
pub const ACTIONS: [Entry; 4] = [
    Entry::of::<GenerateServiceLastAccessedDetails>(),
    Entry::of::<report::GetDetails>(),
    Entry::of::<report::GetDetailsWithEntities>(),
    Entry::of::<granting::ListPoliciesGrantingServiceAccess>(),
];

/// How long a question can be asked for its answer. Source: GenerateServiceLastAccessedDetails.
const LIFETIME: Millis = 7 * 86_400_000;
/// Questions of one account that are kept at once; its oldest go first, and nobody else's.
const MAX_JOBS: usize = 1000;

/// The questions of the last days. They are in memory only: their answers are found when they are
/// fetched, and who asks after a restart asks anew.
#[derive(Default)]
pub struct Jobs(Mutex<VecDeque<Job>>);

/// One question.
#[derive(Clone)]
struct Job {
    id: String,
    account: AccountId,
    /// The ARN of whom it is about.
    arn: String,
    /// Whether actions are told too.
    by_action: bool,
    created: Millis,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Job) {
        let mut jobs = self.lock();
        let own = |it: &Job| it.account == job.account;
        if jobs.iter().filter(|it| own(it)).count() >= MAX_JOBS
            && let Some(oldest) = jobs.iter().position(own)
        {
            jobs.remove(oldest);
        }
        jobs.push_back(job);
    }
}

/// The account's own question of that id.
fn job(cx: &Cx<'_>, id: &str) -> Result<Job> {
    let (account, now) = (cx.caller.account()?, cx.now.as_millisecond());
    let jobs = cx.plane.jobs.lock();
    let found = jobs.iter().find(|job| job.id == id && job.account == account);
    found
        .filter(|job| now - job.created < LIFETIME)
        .cloned()
        .ok_or_else(|| Error::new(NO_SUCH_ENTITY, format!("The job with id {id} cannot be found.")))
}

/// `GenerateServiceLastAccessedDetails`: asks; the answer is there at once.
pub struct GenerateServiceLastAccessedDetails;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateInput {
    arn: String,
    granularity: Option<String>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateOutput {
    job_id: String,
}

impl Action for GenerateServiceLastAccessedDetails {
    const NAME: &'static str = "GenerateServiceLastAccessedDetails";
    const EFFECT: Effect = Effect::Read;
    type Input = GenerateInput;
    type Output = GenerateOutput;

    fn asks(cx: &Cx<'_>, input: &GenerateInput) -> Result<Vec<Ask>> {
        Ok(vec![subject::ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: GenerateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<GenerateOutput>> {
        Subject::find(cx.account()?, &input.arn)?;
        let job = Job {
            id: ids::uuid(),
            account: cx.caller.account()?,
            arn: input.arn,
            by_action: input.granularity.as_deref() == Some("ACTION_LEVEL"),
            created: cx.now.as_millisecond(),
        };
        let job_id = job.id.clone();
        cx.plane.jobs.put(job);
        Ok(Done::read(GenerateOutput { job_id }))
    }
}
