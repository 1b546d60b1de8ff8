//! Devices as lists show them: a user's, and the account's.

use serde::{Deserialize, Serialize};

use super::enable::owned;
use super::{missing, of_user};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::iam::page::{Listing, Wanted, page};
use crate::iam::user::{self, Whom};
use crate::record::MfaDeviceRecord;
use crate::time::iso_seconds;
use crate::world::Account;

/// `ListMFADevices`
pub struct ListMfaDevices;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "UserName")]
    user: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// A user's device.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    user_name: String,
    serial_number: String,
    enable_date: String,
}

fn view(device: &MfaDeviceRecord) -> Option<View> {
    device.enabled.as_ref().map(|enabled| View {
        user_name: enabled.user.clone(),
        serial_number: device.serial(),
        enable_date: iso_seconds(enabled.since),
    })
}

impl Action for ListMfaDevices {
    const NAME: &'static str = "ListMFADevices";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let whom = Whom::of(cx, input.user.as_deref())?;
        whom.check(cx)?;
        let devices = of_user(cx.account()?, whom.name().unwrap_or_default());
        let enabled = devices.into_iter().filter_map(|device| Some((device.key(), view(device)?)));
        let page = page(cx.operation.name, enabled, |(key, _)| key.clone(), &input.wanted)?;
        Ok(Done::read(page.map(|(_, view)| view).listed("MFADevices")))
    }
}

/// `GetMFADevice`
pub struct GetMfaDevice;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetInput {
    serial_number: String,
    user_name: Option<String>,
}

impl Action for GetMfaDevice {
    const NAME: &'static str = "GetMFADevice";
    const EFFECT: Effect = Effect::Read;
    type Input = GetInput;
    type Output = View;

    fn asks(cx: &Cx<'_>, input: &GetInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: GetInput, _permit: Permit<Self>) -> Result<Done<View>> {
        let device = owned(cx, input.user_name.as_deref(), &input.serial_number)?;
        view(&device).map(Done::read).ok_or_else(|| missing(&input.serial_number))
    }
}

/// `ListVirtualMFADevices`
pub struct ListVirtualMfaDevices;

/// Its input.
#[derive(Deserialize)]
pub struct VirtualInput {
    #[serde(rename = "AssignmentStatus")]
    status: Option<Assignment>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Which devices.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum Assignment {
    /// Somebody's.
    Assigned,
    /// Nobody's.
    Unassigned,
    /// All.
    Any,
}

/// A device of the account; tags are left out, as AWS does in lists.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Virtual {
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<user::View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<String>,
}

fn virtual_view(account: &Account, device: &MfaDeviceRecord) -> Virtual {
    let enabled = device.enabled.as_ref();
    let user = enabled.and_then(|enabled| account.users.find(&enabled.user));
    Virtual {
        serial_number: device.serial(),
        user: user.map(|user| user::view(&user.record, false)),
        enable_date: enabled.map(|enabled| iso_seconds(enabled.since)),
    }
}

impl Action for ListVirtualMfaDevices {
    const NAME: &'static str = "ListVirtualMFADevices";
    const EFFECT: Effect = Effect::Read;
    type Input = VirtualInput;
    type Output = Listing<Virtual>;

    fn asks(cx: &Cx<'_>, _input: &VirtualInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = format!("arn:aws:iam::{account}:mfa/");
        Ok(vec![Ask::identity(cx, "iam:ListVirtualMFADevices", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: VirtualInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<Virtual>>> {
        let account = cx.account()?;
        let wanted = |device: &&std::sync::Arc<MfaDeviceRecord>| match input.status {
            Some(Assignment::Assigned) => device.enabled.is_some(),
            Some(Assignment::Unassigned) => device.enabled.is_none(),
            Some(Assignment::Any) | None => true,
        };
        let devices = account.mfa_devices.values().filter(wanted);
        let page = page(cx.operation.name, devices, |device| device.key(), &input.wanted)?;
        let page = page.map(|device| virtual_view(account, device));
        Ok(Done::read(page.listed("VirtualMFADevices")))
    }
}
