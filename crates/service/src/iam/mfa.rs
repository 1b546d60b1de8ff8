//! Virtual devices of multi-factor authentication: made with a seed that is told once, enabled for
//! a user by two codes, and proven to STS by one. The seed is kept sealed.

mod devices;
mod enable;
mod list;
mod proof;
mod qr;
mod totp;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::Tag;
use store::seal::Purpose;
use zeroize::Zeroizing;

pub use self::proof::{Guesses, Proof, prove};
use super::entity::{NO_SUCH_ENTITY, arn};
use super::tags::{ListTags, TagEntity, Tagged, UntagEntity};
use crate::action::{Ask, Entry};
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::{MfaDeviceRecord, UserRecord};
use crate::world::{Account, Change, Entity};

/// The sub-key that seals seeds.
const SEED: Purpose = Purpose::new("mfa seed");

/// Devices of one user. Source: IAM quotas.
pub const MAX_DEVICES: usize = 8;

/// The actions of this noun.
pub const ACTIONS: [Entry; 11] = [
    Entry::of::<devices::CreateVirtualMfaDevice>(),
    Entry::of::<enable::DeactivateMfaDevice>(),
    Entry::of::<devices::DeleteVirtualMfaDevice>(),
    Entry::of::<enable::EnableMfaDevice>(),
    Entry::of::<list::GetMfaDevice>(),
    Entry::of::<list::ListMfaDevices>(),
    Entry::of::<ListTags<MfaDevice>>(),
    Entry::of::<list::ListVirtualMfaDevices>(),
    Entry::of::<enable::ResyncMfaDevice>(),
    Entry::of::<TagEntity<MfaDevice>>(),
    Entry::of::<UntagEntity<MfaDevice>>(),
];

/// The account's device of that serial number.
pub fn find<'w>(account: &'w Account, serial: &str) -> Option<&'w Arc<MfaDeviceRecord>> {
    let own = arn("mfa", &account.record.id, "", "");
    account.mfa_devices.get(serial.strip_prefix(&own)?)
}

/// A user's devices.
pub fn of_user<'w>(
    account: &'w Account,
    user: &str,
) -> impl Iterator<Item = &'w Arc<MfaDeviceRecord>> {
    let devices = account.mfa_devices.values();
    devices.filter(move |device| is_of(device, user))
}

fn is_of(device: &MfaDeviceRecord, user: &str) -> bool {
    device.enabled.as_ref().is_some_and(|enabled| enabled.user.eq_ignore_ascii_case(user))
}

/// The user's devices, as they shall be when it has another name.
pub fn devices_under(account: &Account, user: &UserRecord, name: &str) -> Vec<Change> {
    let renamed = |device: &Arc<MfaDeviceRecord>| {
        let mut device = MfaDeviceRecord::clone(device);
        if let Some(enabled) = &mut device.enabled {
            name.clone_into(&mut enabled.user);
        }
        Change::Put(Entity::MfaDevice(device))
    };
    of_user(account, &user.name).map(renamed).collect()
}

/// How AWS says that there is none.
fn missing(serial: &str) -> Error {
    Error::new(
        NO_SUCH_ENTITY,
        format!("VirtualMFADevice with serial number {serial} doesn't exist."),
    )
}

fn put(device: MfaDeviceRecord) -> Vec<Change> {
    vec![Change::Put(Entity::MfaDevice(device))]
}

fn sealed(cx: &Cx<'_>, serial: &str, seed: &[u8]) -> Result<String> {
    let envelope = cx.plane.keyring.seal(SEED, serial.as_bytes(), seed);
    envelope.map(|it| STANDARD.encode(it)).map_err(|error| Error::internal(error.to_string()))
}

fn seed(cx: &Cx<'_>, device: &MfaDeviceRecord) -> Result<Zeroizing<Vec<u8>>> {
    let lost = |why: String| Error::internal(format!("the seed of {}: {why}", device.serial()));
    let envelope = STANDARD.decode(&device.sealed_seed).map_err(|it| lost(it.to_string()))?;
    let opened = cx.plane.keyring.open(SEED, device.serial().as_bytes(), &envelope);
    opened.map(|it| Zeroizing::new(it.to_vec())).map_err(|error| lost(error.to_string()))
}

/// MFA devices, to what all tagged entities share.
pub struct MfaDevice;

impl Tagged for MfaDevice {
    const TAG: &'static str = "TagMFADevice";
    const UNTAG: &'static str = "UntagMFADevice";
    const LIST_TAGS: &'static str = "ListMFADeviceTags";
    type Record = MfaDeviceRecord;

    fn ask(cx: &Cx<'_>, action: &str, serial: &str) -> Result<Ask> {
        devices::ask(cx, action, serial)
    }
    fn find(cx: &Cx<'_>, serial: &str) -> Result<MfaDeviceRecord> {
        let found = find(cx.account()?, serial);
        found.map(|device| MfaDeviceRecord::clone(device)).ok_or_else(|| missing(serial))
    }
    fn tags(record: &MfaDeviceRecord) -> &[Tag] {
        &record.tags
    }
    fn set_tags(record: &mut MfaDeviceRecord, tags: Vec<Tag>) {
        record.tags = tags;
    }
    fn put(record: MfaDeviceRecord) -> Vec<Change> {
        put(record)
    }
}
