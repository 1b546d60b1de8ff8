//! The credential report: one line per user, as a table of comma-separated values. It is made when
//! it is asked for, and shown as it was made for four hours.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::account::{self, Nothing};
use super::mfa;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::plane::Uses;
use crate::record::{
    AccessKeyRecord, CredentialReportRecord, Millis, SigningCertificate, UserCredential, UserRecord,
};
use crate::time::iso_seconds;
use crate::world::{Account, Change, Entity, World};

/// Milliseconds for which a report is shown. Source: GenerateCredentialReport.
const LIFETIME: Millis = 4 * 3600 * 1000;
const DAY: Millis = 24 * 3600 * 1000;

const REPORT_NOT_PRESENT: Code = Code::new("ReportNotPresent", 410);
const REPORT_EXPIRED: Code = Code::new("ReportExpired", 410);

/// Source: IAM User Guide, "Understanding the report format".
const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// The actions of this file.
pub const ACTIONS: [Entry; 2] =
    [Entry::of::<GenerateCredentialReport>(), Entry::of::<GetCredentialReport>()];

/// `GenerateCredentialReport`: at once, unless there is a young one.
pub struct GenerateCredentialReport;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateOutput {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

impl Action for GenerateCredentialReport {
    const NAME: &'static str = "GenerateCredentialReport";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = GenerateOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        account::ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<GenerateOutput>> {
        let account = cx.account()?;
        let now = cx.now.as_millisecond();
        if account.credential_report.as_ref().is_some_and(|it| now - it.generated < LIFETIME) {
            return Ok(Done::read(GenerateOutput { state: "COMPLETE", description: None }));
        }
        let record = CredentialReportRecord {
            account: account.record.id,
            generated: now,
            content: table(&cx.world, account, &cx.plane.uses),
        };
        let description = Some("No report exists. Starting a new report generation task");
        let output = GenerateOutput { state: "STARTED", description };
        Ok(Done::write(output, vec![Change::Put(Entity::CredentialReport(record))]))
    }
}

/// `GetCredentialReport`
pub struct GetCredentialReport;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    content: String,
    report_format: &'static str,
    generated_time: String,
}

impl Action for GetCredentialReport {
    const NAME: &'static str = "GetCredentialReport";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        account::ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let Some(report) = &cx.account()?.credential_report else {
            let text = "No report exists. Use GenerateCredentialReport to make one.";
            return Err(Error::new(REPORT_NOT_PRESENT, text));
        };
        if cx.now.as_millisecond() - report.generated >= LIFETIME {
            let text =
                "The most recent report has expired. Use GenerateCredentialReport to make another.";
            return Err(Error::new(REPORT_EXPIRED, text));
        }
        Ok(Done::read(GetOutput {
            content: STANDARD.encode(&report.content),
            report_format: "text/csv",
            generated_time: iso_seconds(report.generated),
        }))
    }
}

fn table(world: &World, account: &Account, uses: &Uses) -> String {
    let mut out = String::from(COLUMNS);
    let arn = account.record.id.root_arn();
    let keys = world.keys_of(&account.record.id, None);
    let root = [
        "<root_account>",
        arn.as_str(),
        &column(account.record.created),
        "not_supported",
        "no_information",
        "not_supported",
        "not_supported",
        "false",
    ];
    row(&mut out, root, &keys, &[], uses);
    for user in account.users.iter() {
        let record = &user.record;
        let keys = world.keys_of(&record.account, Some(&record.name));
        let [enabled, used, changed, rotation] = password(account, record);
        let mfa = mfa::of_user(account, &record.name).next().is_some().to_string();
        let arn = user.arn.as_str();
        let created = column(record.created);
        let user = [&*record.name, arn, &created, &enabled, &used, &changed, &rotation, &mfa];
        row(&mut out, user, &keys, &record.certificates, uses);
    }
    out
}

/// Names of users have no commas that would need quotes but these: `+=,.@-`.
fn row(
    out: &mut String,
    columns: [&str; 8],
    keys: &[&std::sync::Arc<AccessKeyRecord>],
    certificates: &[UserCredential<SigningCertificate>],
    uses: &Uses,
) {
    let quoted = |text: &str| match text.contains(',') {
        true => format!("\"{text}\""),
        false => text.to_owned(),
    };
    let columns: Vec<_> = columns.into_iter().map(quoted).collect();
    let _ = write!(out, "\n{}", columns.join(","));
    for at in 0..2 {
        let key = keys.get(at);
        let active = key.is_some_and(|key| key.active);
        let rotated = key.map_or_else(|| "N/A".to_owned(), |key| column(key.created));
        let used = key.and_then(|key| uses.of(key.id.as_str())).map_or_else(
            || "N/A,N/A,N/A".to_owned(),
            |used| format!("{},{},{}", column(used.at), used.region, used.service),
        );
        let _ = write!(out, ",{active},{rotated},{used}");
    }
    for at in 0..2 {
        let certificate = certificates.get(at);
        let active = certificate.is_some_and(|it| it.active);
        let rotated = certificate.map_or_else(|| "N/A".to_owned(), |it| column(it.created));
        let _ = write!(out, ",{active},{rotated}");
    }
}

/// Whether there is one, when it was used and set, and when it expires.
fn password(account: &Account, user: &UserRecord) -> [String; 4] {
    let none = || "N/A".to_owned();
    let Some(login) = &user.login else { return ["false".to_owned(), none(), none(), none()] };
    let policy = account.record.password_policy.as_ref();
    let rotation = policy.and_then(|it| it.max_age).map(|days| column(login.changed + days * DAY));
    let rotation = rotation.unwrap_or_else(none);
    ["true".to_owned(), "no_information".to_owned(), column(login.changed), rotation]
}

/// As the report writes times.
fn column(at: Millis) -> String {
    iso_seconds(at).replace('Z', "+00:00")
}
