//! Server certificates: uploaded, renamed, deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::Tag;
use serde::{Deserialize, Serialize};
use store::seal::Purpose;
use zeroize::Zeroizing;

use super::{MAX_CERTIFICATES, Metadata, Named, ask, check, find, metadata, put, vacant};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{self, LIMIT_EXCEEDED, TagView};
use crate::iam::rename;
use crate::ids::{Prefix, UniqueId};
use crate::record::ServerCertificateRecord;
use crate::world::{self, Change, Kind};

/// The sub-key that seals private keys.
const PRIVATE_KEY: Purpose = Purpose::new("server certificate key");

/// `UploadServerCertificate`
pub struct UploadServerCertificate;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadInput {
    #[serde(rename = "ServerCertificateName")]
    name: String,
    path: Option<String>,
    certificate_body: String,
    private_key: Zeroizing<String>,
    certificate_chain: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl UploadInput {
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadOutput {
    server_certificate_metadata: Metadata,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

impl Action for UploadServerCertificate {
    const NAME: &'static str = "UploadServerCertificate";
    const EFFECT: Effect = Effect::Write;
    type Input = UploadInput;
    type Output = UploadOutput;

    fn asks(cx: &Cx<'_>, input: &UploadInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = entity::arn("server-certificate", &account, input.path(), &input.name);
        let ask = Ask::identity(cx, "iam:UploadServerCertificate", &arn, account);
        let ask = ask.request_tags(&input.tags);
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagServerCertificate"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UploadInput,
        _permit: Permit<Self>,
    ) -> Result<Done<UploadOutput>> {
        vacant(cx, &input.name)?;
        let account = cx.account()?;
        if account.server_certificates.len() >= MAX_CERTIFICATES {
            let text =
                format!("Cannot exceed quota for ServerCertificatesPerAccount: {MAX_CERTIFICATES}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        entity::check_tags(&input.tags)?;
        let now = cx.now.as_millisecond();
        let chain = input.certificate_chain.as_deref();
        let expires = check::upload(&input.certificate_body, chain, &input.private_key, now)?;
        let id = UniqueId::fresh(Prefix::ServerCertificate);
        let bound = id.as_str().as_bytes();
        let sealed = cx.plane.keyring.seal(PRIVATE_KEY, bound, input.private_key.as_bytes());
        let sealed = sealed.map_err(|error| Error::internal(error.to_string()))?;
        let record = ServerCertificateRecord {
            account: account.record.id,
            path: input.path().to_owned(),
            name: input.name,
            id,
            uploaded: now,
            expires,
            body: input.certificate_body,
            chain: input.certificate_chain,
            sealed_key: STANDARD.encode(sealed),
            tags: input.tags,
        };
        let output = UploadOutput {
            server_certificate_metadata: metadata(&record),
            tags: entity::views(&record.tags),
        };
        Ok(Done::write(output, vec![put(record)]))
    }
}

/// `UpdateServerCertificate`: another name or path.
pub struct UpdateServerCertificate;

/// Its input.
#[derive(Deserialize)]
pub struct UpdateInput {
    #[serde(rename = "ServerCertificateName")]
    name: String,
    #[serde(rename = "NewPath")]
    path: Option<String>,
    #[serde(rename = "NewServerCertificateName")]
    new_name: Option<String>,
}

impl Action for UpdateServerCertificate {
    const NAME: &'static str = "UpdateServerCertificate";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = ();

    /// On what it is, and on what it becomes (UpdateServerCertificate's reference).
    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        let account = cx.account()?;
        let found = account.server_certificates.find(&input.name);
        let path = found.map_or("/", |record| record.path.as_str());
        let path = input.path.as_deref().unwrap_or(path);
        let name = input.new_name.as_deref().unwrap_or(&input.name);
        let then = entity::arn("server-certificate", &account.record.id, path, name);
        Ok(rename::both(ask(cx, Self::NAME, &input.name)?, &then))
    }

    async fn run(cx: &mut Cx<'_>, input: UpdateInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find(cx, &input.name)?;
        let mut changes = Vec::new();
        if let Some(name) = input.new_name {
            if !name.eq_ignore_ascii_case(&record.name) {
                vacant(cx, &name)?;
                let id = world::named(&record.account, &record.name);
                changes.push(Change::Delete(Kind::ServerCertificate, id));
            }
            record.name = name;
        }
        if let Some(path) = input.path {
            record.path = path;
        }
        changes.push(put(record));
        Ok(Done::write((), changes))
    }
}

/// `DeleteServerCertificate`
pub struct DeleteServerCertificate;

impl Action for DeleteServerCertificate {
    const NAME: &'static str = "DeleteServerCertificate";
    const EFFECT: Effect = Effect::Write;
    type Input = Named;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Named) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Named, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = find(cx, &input.name)?;
        let id = world::named(&record.account, &record.name);
        Ok(Done::write((), vec![Change::Delete(Kind::ServerCertificate, id)]))
    }
}
