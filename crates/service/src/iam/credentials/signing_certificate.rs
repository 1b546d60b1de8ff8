//! X.509 certificates of users. Source: IAM API Reference, UploadSigningCertificate.

use serde::{Deserialize, Serialize};

use super::{Listed, Several, holder, room, status};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::bearer::{User, put};
use crate::iam::user::Whom;
use crate::iam::x509::{Dated, MALFORMED_CERTIFICATE};
use crate::record::{SigningCertificate, UserCredential, UserRecord};
use crate::time::iso_seconds;

/// Certificates of one user. Source: IAM quotas.
pub const MAX_CERTIFICATES: usize = 2;

/// A user of the account has it already.
const DUPLICATE_CERTIFICATE: Code = Code::new("DuplicateCertificate", 409);

/// Certificates, to what all kinds share.
pub struct Certificates;

impl Several for Certificates {
    const NOUN: &'static str = "Certificate";
    const UPDATE: &'static str = "UpdateSigningCertificate";
    const DELETE: &'static str = "DeleteSigningCertificate";
    type Of = SigningCertificate;

    fn of(user: &UserRecord) -> &[UserCredential<SigningCertificate>] {
        &user.certificates
    }
    fn of_mut(user: &mut UserRecord) -> &mut Vec<UserCredential<SigningCertificate>> {
        &mut user.certificates
    }
}

impl Listed for Certificates {
    const LIST: &'static str = "ListSigningCertificates";
    const LIST_FIELD: &'static str = "Certificates";
    type View = View;

    fn view(user: &UserRecord, credential: &UserCredential<SigningCertificate>) -> View {
        View {
            user_name: user.name.clone(),
            certificate_id: credential.id.clone(),
            certificate_body: credential.of.body.clone(),
            status: status(credential.active),
            upload_date: iso_seconds(credential.created),
        }
    }
}

/// A certificate as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    user_name: String,
    certificate_id: String,
    certificate_body: String,
    status: &'static str,
    upload_date: String,
}

/// `UploadSigningCertificate`
pub struct UploadSigningCertificate;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadInput {
    user_name: Option<String>,
    certificate_body: String,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadOutput {
    certificate: View,
}

impl Action for UploadSigningCertificate {
    const NAME: &'static str = "UploadSigningCertificate";
    const EFFECT: Effect = Effect::Write;
    type Input = UploadInput;
    type Output = UploadOutput;

    fn asks(cx: &Cx<'_>, input: &UploadInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UploadInput,
        _permit: Permit<Self>,
    ) -> Result<Done<UploadOutput>> {
        let mut user = holder(cx, input.user_name.as_deref())?;
        let read = Dated::from_pem(&input.certificate_body).ok_or_else(|| {
            let text = format!("Certificate {} is malformed.", input.certificate_body);
            Error::new(MALFORMED_CERTIFICATE, text)
        })?;
        let id = read.id();
        let all = cx.account()?.users.iter();
        if all.flat_map(|user| &user.record.certificates).any(|it| it.id == id) {
            let text =
                "The same certificate is already associated with an IAM user in the account.";
            return Err(Error::new(DUPLICATE_CERTIFICATE, text));
        }
        room("CertificatesPerUser", user.certificates.len(), MAX_CERTIFICATES)?;
        let credential = UserCredential {
            id,
            active: true,
            created: cx.now.as_millisecond(),
            of: SigningCertificate { body: input.certificate_body },
        };
        let certificate = Certificates::view(&user, &credential);
        user.certificates.push(credential);
        Ok(Done::write(UploadOutput { certificate }, put::<User>(user)))
    }
}
