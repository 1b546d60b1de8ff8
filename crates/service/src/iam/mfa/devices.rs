//! Virtual devices: made and deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::BASE32;
use policy::Tag;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{MfaDevice, put, qr, sealed};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{self, DELETE_CONFLICT, ENTITY_ALREADY_EXISTS, TagView};
use crate::iam::tags::Tagged;
use crate::ids;
use crate::record::MfaDeviceRecord;
use crate::world::{self, Change, Kind};

/// Bytes of a seed: 64 characters of base32, as AWS's have.
const SEED: usize = 40;

/// What is asked about a device that is named by its serial number.
pub fn ask(cx: &Cx<'_>, action: &str, serial: &str) -> Result<Ask> {
    let account = cx.account()?;
    let ask = Ask::identity(cx, &format!("iam:{action}"), serial, account.record.id);
    Ok(match super::find(account, serial) {
        Some(device) => ask.resource_tags(&device.tags),
        None => ask,
    })
}

/// `CreateVirtualMFADevice`: its seed is told once.
pub struct CreateVirtualMfaDevice;

/// Its input.
#[derive(Deserialize)]
pub struct CreateInput {
    #[serde(rename = "Path")]
    path: Option<String>,
    #[serde(rename = "VirtualMFADeviceName")]
    name: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

/// Its result.
#[derive(Serialize)]
pub struct CreateOutput {
    #[serde(rename = "VirtualMFADevice")]
    device: NewDevice,
}

/// A device with its seed, twice in base64: as text, and as the picture of an address.
#[derive(Serialize)]
pub struct NewDevice {
    #[serde(rename = "SerialNumber")]
    serial: String,
    #[serde(rename = "Base32StringSeed", serialize_with = "shown_once")]
    seed: Zeroizing<String>,
    #[serde(rename = "QRCodePNG", serialize_with = "shown_once")]
    picture: Zeroizing<String>,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

fn shown_once<S: Serializer>(
    secret: &Zeroizing<String>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(secret)
}

impl Action for CreateVirtualMfaDevice {
    const NAME: &'static str = "CreateVirtualMFADevice";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = CreateOutput;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let path = input.path.as_deref().unwrap_or("/");
        let arn = entity::arn("mfa", &account, path, &input.name);
        let ask = Ask::identity(cx, "iam:CreateVirtualMFADevice", &arn, account);
        let ask = ask.request_tags(&input.tags);
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagMFADevice"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<CreateOutput>> {
        let account = &cx.account()?.record;
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let mut record = MfaDeviceRecord {
            account: account.id,
            name: input.name,
            path,
            sealed_seed: String::new(),
            enabled: None,
            tags: input.tags,
        };
        let serial = record.serial();
        if super::find(cx.account()?, &serial).is_some() {
            let text = "MFADevice entity at the same path and name already exists.";
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        entity::check_tags(&record.tags)?;
        let raw = Zeroizing::new(ids::random::<SEED>());
        record.sealed_seed = sealed(cx, &serial, raw.as_slice())?;
        let seed = Zeroizing::new(BASE32.encode(raw.as_slice()));
        let account = account.alias.as_deref().unwrap_or(account.id.as_str());
        // As CreateVirtualMFADevice's reference has it; in a path an app reads `%` escapes.
        let name = entity::encoded(&record.name);
        let address = Zeroizing::new(format!("otpauth://totp/{name}@{account}?secret={}", *seed));
        let picture = qr::png(&address).map(Zeroizing::new);
        let picture = picture.ok_or_else(|| Error::internal("a name too long for any QR code"))?;
        let device = NewDevice {
            serial,
            seed: Zeroizing::new(STANDARD.encode(seed.as_bytes())),
            picture: Zeroizing::new(STANDARD.encode(&*picture)),
            tags: entity::views(&record.tags),
        };
        Ok(Done::write(CreateOutput { device }, put(record)))
    }
}

/// `DeleteVirtualMFADevice`: only one that is nobody's.
pub struct DeleteVirtualMfaDevice;

/// Its input.
#[derive(Deserialize)]
pub struct DeleteInput {
    #[serde(rename = "SerialNumber")]
    serial: String,
}

impl Action for DeleteVirtualMfaDevice {
    const NAME: &'static str = "DeleteVirtualMFADevice";
    const EFFECT: Effect = Effect::Write;
    type Input = DeleteInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &DeleteInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.serial)?])
    }

    async fn run(cx: &mut Cx<'_>, input: DeleteInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let device = MfaDevice::find(cx, &input.serial)?;
        if device.enabled.is_some() {
            let text = "MFA VirtualDevice in use. Must deactivate first.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        let id = world::exact(&device.account, &device.key());
        Ok(Done::write((), vec![Change::Delete(Kind::MfaDevice, id)]))
    }
}
