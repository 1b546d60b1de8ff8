//! Server certificates: kept with their private keys for whoever serves TLS. No answer ever holds a
//! private key; it is sealed in the store.

mod change;
mod check;

use policy::Tag;
use serde::{Deserialize, Serialize};

use super::entity::{self, ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY, TagView};
use super::page::{Listing, Wanted, page};
use super::tags::{ListTags, TagEntity, Tagged, UntagEntity};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::ServerCertificateRecord;
use crate::time::iso_seconds;
use crate::world::{Change, Entity};

/// Server certificates of one account. Source: IAM quotas.
pub const MAX_CERTIFICATES: usize = 20;

/// The actions of this noun.
pub const ACTIONS: [Entry; 8] = [
    Entry::of::<change::DeleteServerCertificate>(),
    Entry::of::<GetServerCertificate>(),
    Entry::of::<ListServerCertificates>(),
    Entry::of::<ListTags<ServerCertificate>>(),
    Entry::of::<TagEntity<ServerCertificate>>(),
    Entry::of::<UntagEntity<ServerCertificate>>(),
    Entry::of::<change::UpdateServerCertificate>(),
    Entry::of::<change::UploadServerCertificate>(),
];

/// What answers say of a certificate beside its text.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metadata {
    path: String,
    server_certificate_name: String,
    server_certificate_id: String,
    arn: String,
    upload_date: String,
    expiration: String,
}

fn metadata(record: &ServerCertificateRecord) -> Metadata {
    Metadata {
        path: record.path.clone(),
        server_certificate_name: record.name.clone(),
        server_certificate_id: record.id.to_string(),
        arn: arn(record),
        upload_date: iso_seconds(record.uploaded),
        expiration: iso_seconds(record.expires),
    }
}

fn arn(record: &ServerCertificateRecord) -> String {
    entity::arn("server-certificate", &record.account, &record.path, &record.name)
}

/// What is asked about a certificate that is named.
fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
    let found = cx.account()?.server_certificates.find(name);
    let found = found.map(|record| (arn(record), record.tags.as_slice()));
    entity::ask(cx, action, "server-certificate", found, name)
}

/// The certificate of that name.
fn find(cx: &Cx<'_>, name: &str) -> Result<ServerCertificateRecord> {
    let found = cx.account()?.server_certificates.find(name);
    found.map(|record| ServerCertificateRecord::clone(record)).ok_or_else(|| {
        let text = format!("The Server Certificate with name {name} cannot be found.");
        Error::new(NO_SUCH_ENTITY, text)
    })
}

/// That no certificate has the name.
fn vacant(cx: &Cx<'_>, name: &str) -> Result<()> {
    match cx.account()?.server_certificates.find(name) {
        Some(_) => {
            let text = format!("The Server Certificate with name {name} already exists.");
            Err(Error::new(ENTITY_ALREADY_EXISTS, text))
        }
        None => Ok(()),
    }
}

fn put(record: ServerCertificateRecord) -> Change {
    Change::Put(Entity::ServerCertificate(record))
}

/// Server certificates, to what all tagged entities share.
pub struct ServerCertificate;

impl Tagged for ServerCertificate {
    const TAG: &'static str = "TagServerCertificate";
    const UNTAG: &'static str = "UntagServerCertificate";
    const LIST_TAGS: &'static str = "ListServerCertificateTags";
    type Record = ServerCertificateRecord;

    fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
        ask(cx, action, name)
    }
    fn find(cx: &Cx<'_>, name: &str) -> Result<ServerCertificateRecord> {
        find(cx, name)
    }
    fn tags(record: &ServerCertificateRecord) -> &[Tag] {
        &record.tags
    }
    fn set_tags(record: &mut ServerCertificateRecord, tags: Vec<Tag>) {
        record.tags = tags;
    }
    fn put(record: ServerCertificateRecord) -> Vec<Change> {
        vec![put(record)]
    }
}

/// A name alone.
#[derive(Deserialize)]
pub struct Named {
    #[serde(rename = "ServerCertificateName")]
    name: String,
}

/// `GetServerCertificate`
pub struct GetServerCertificate;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    server_certificate: View,
}

/// A certificate with its texts; the private key is never among them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct View {
    server_certificate_metadata: Metadata,
    certificate_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_chain: Option<String>,
    tags: Vec<TagView>,
}

impl Action for GetServerCertificate {
    const NAME: &'static str = "GetServerCertificate";
    const EFFECT: Effect = Effect::Read;
    type Input = Named;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<GetOutput>> {
        let record = find(cx, &input.name)?;
        let server_certificate = View {
            server_certificate_metadata: metadata(&record),
            certificate_body: record.body,
            certificate_chain: record.chain,
            tags: entity::views(&record.tags),
        };
        Ok(Done::read(GetOutput { server_certificate }))
    }
}

/// `ListServerCertificates`
pub struct ListServerCertificates;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "PathPrefix")]
    path_prefix: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

impl ListInput {
    fn prefix(&self) -> &str {
        self.path_prefix.as_deref().unwrap_or("/")
    }
}

impl Action for ListServerCertificates {
    const NAME: &'static str = "ListServerCertificates";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<Metadata>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = entity::arn("server-certificate", &account, input.prefix(), "");
        Ok(vec![Ask::identity(cx, "iam:ListServerCertificates", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<Metadata>>> {
        let all = cx.account()?.server_certificates.iter();
        let found = all.filter(|record| record.path.starts_with(input.prefix()));
        let page = page(
            cx.operation.name,
            found,
            |record| record.name.to_ascii_lowercase(),
            &input.wanted,
        )?;
        let page = page.map(|record| metadata(record));
        Ok(Done::read(page.listed("ServerCertificateMetadataList")))
    }
}
