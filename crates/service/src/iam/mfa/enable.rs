//! Whose device it is: enabled by two codes that follow each other, brought back into step by two
//! more, taken away again.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{MAX_DEVICES, MfaDevice, is_of, missing, of_user, put, seed, totp};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::bearer::{self, User};
use crate::iam::entity::{ENTITY_ALREADY_EXISTS, LIMIT_EXCEEDED};
use crate::iam::tags::Tagged;
use crate::iam::user::Whom;
use crate::record::{MfaDeviceRecord, MfaEnabled};

const INVALID_AUTHENTICATION_CODE: Code = Code::new("InvalidAuthenticationCode", 403);

/// A user, a device and two codes of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    user_name: String,
    serial_number: String,
    authentication_code1: Zeroizing<String>,
    authentication_code2: Zeroizing<String>,
}

impl Input {
    /// The device, enabled for the user by these codes.
    fn enabled(&self, cx: &Cx<'_>, device: MfaDeviceRecord, user: &str) -> Result<MfaDeviceRecord> {
        let serial = device.serial();
        let now = totp::step_at(cx.now.as_second());
        let last = device.enabled.as_ref().map_or(0, |enabled| enabled.last_step);
        let codes = [self.authentication_code1.as_str(), self.authentication_code2.as_str()];
        let invalid = || {
            let text = "Authentication code for device is not valid.";
            Error::new(INVALID_AUTHENTICATION_CODE, text)
        };
        // ATTACK: guesses of codes are counted (plane/mfa.rs).
        cx.plane.guesses.allow(&serial, now).then_some(()).ok_or_else(invalid)?;
        let Some(step) = totp::consecutive(&seed(cx, &device)?, codes, now, last) else {
            cx.plane.guesses.failed(&serial, now);
            return Err(invalid());
        };
        let since = device.enabled.as_ref().map_or(cx.now.as_millisecond(), |it| it.since);
        let enabled = MfaEnabled {
            user: user.to_owned(),
            since,
            // The second code may be that of the step to come.
            drift: if (step - now).abs() <= 1 { 0 } else { step - now },
            last_step: step,
        };
        Ok(MfaDeviceRecord { enabled: Some(enabled), ..device })
    }
}

/// `EnableMFADevice`
pub struct EnableMfaDevice;

impl Action for EnableMfaDevice {
    const NAME: &'static str = "EnableMFADevice";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![bearer::ask::<User>(cx, Self::NAME, &input.user_name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.account()?;
        let user = bearer::find::<User>(&cx.world, account.record.id, &input.user_name)?;
        let device = MfaDevice::find(cx, &input.serial_number)?;
        if device.enabled.is_some() {
            return Err(Error::new(ENTITY_ALREADY_EXISTS, "MFA Device is already in use."));
        }
        if of_user(account, &user.name).count() >= MAX_DEVICES {
            let text = format!("Cannot exceed quota for MFADevicesPerUser: {MAX_DEVICES}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        Ok(Done::write((), put(input.enabled(cx, device, &user.name)?)))
    }
}

/// `ResyncMFADevice`: learns by how much the device's clock is off.
pub struct ResyncMfaDevice;

impl Action for ResyncMfaDevice {
    const NAME: &'static str = "ResyncMFADevice";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![bearer::ask::<User>(cx, Self::NAME, &input.user_name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let device = owned(cx, Some(&input.user_name), &input.serial_number)?;
        let user = device.enabled.as_ref().map_or("", |enabled| &enabled.user).to_owned();
        Ok(Done::write((), put(input.enabled(cx, device, &user)?)))
    }
}

/// `DeactivateMFADevice`
pub struct DeactivateMfaDevice;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeactivateInput {
    user_name: Option<String>,
    serial_number: String,
}

impl Action for DeactivateMfaDevice {
    const NAME: &'static str = "DeactivateMFADevice";
    const EFFECT: Effect = Effect::Write;
    type Input = DeactivateInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &DeactivateInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: DeactivateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<()>> {
        let device = owned(cx, input.user_name.as_deref(), &input.serial_number)?;
        Ok(Done::write((), put(MfaDeviceRecord { enabled: None, ..device })))
    }
}

/// The device of that serial number, which must be that user's.
pub fn owned(cx: &Cx<'_>, user: Option<&str>, serial: &str) -> Result<MfaDeviceRecord> {
    let whom = Whom::of(cx, user)?;
    whom.check(cx)?;
    let device = MfaDevice::find(cx, serial)?;
    match is_of(&device, whom.name().unwrap_or_default()) {
        true => Ok(device),
        false => Err(missing(serial)),
    }
}
