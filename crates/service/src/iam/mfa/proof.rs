//! A code shown to STS: whose device it comes from, that it is fresh, and that it was never taken
//! before, on any node.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use policy::{Context, Principal, SetBy};

use super::{find, is_of, put, seed, totp};
use crate::audit::ours::check;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::record::MfaDeviceRecord;
use crate::world::Change;

/// A device that proved itself just now, as it shall be: its code is used up.
pub struct Proof(MfaDeviceRecord);

impl Proof {
    /// What policies may ask of a call that shows a code.
    pub fn tell(context: &mut Context) {
        context.set("aws:MultiFactorAuthPresent", "true", SetBy::Session);
        context.set("aws:MultiFactorAuthAge", "0", SetBy::Session);
    }

    /// That the code is used up: committed with what it was shown for.
    pub fn change(self) -> Vec<Change> {
        put(self.0)
    }
}

/// Verifies the code of a call; nothing where it shows none.
///
/// # Errors
/// `AccessDenied`, in AWS's words.
pub fn prove(cx: &Cx<'_>, serial: Option<&str>, code: Option<&str>) -> Result<Option<Proof>> {
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(None),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            let text = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
            return Err(refused(text, "one of the two"));
        }
    };
    let own = match &cx.caller.principal {
        Principal::User { arn, .. } => {
            let name = arn.as_str().rsplit('/').next().unwrap_or_default();
            find(cx.account()?, serial).filter(|device| is_of(device, name))
        }
        // Devices are users'.
        _ => None,
    };
    let Some((device, mut enabled)) = own.and_then(|it| Some((it, it.enabled.clone()?))) else {
        let text = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
        return Err(refused(text, "no device of this user"));
    };
    let now = totp::step_at(cx.now.as_second());
    let wrong = |why| {
        let text = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
        Err(refused(text, why))
    };
    // ATTACK: a million codes are soon tried (plane/mfa.rs).
    if !cx.plane.guesses.allow(serial, now) {
        return wrong("too many wrong codes within ten minutes");
    }
    // ATTACK: a code that was seen on its way is shown again (plane/mfa.rs).
    let step = totp::matching(&seed(cx, device)?, code, now + enabled.drift, enabled.last_step);
    let Some(step) = step else {
        cx.plane.guesses.failed(serial, now);
        return wrong("a wrong code, or one that was taken already");
    };
    enabled.last_step = step;
    Ok(Some(Proof(MfaDeviceRecord { enabled: Some(enabled), ..MfaDeviceRecord::clone(device) })))
}

fn refused(text: &'static str, had: &'static str) -> Error {
    let wanted = "a fresh code of a device of the calling user";
    Error::new(code::ACCESS_DENIED, text).failing(check::MFA, wanted, had)
}

/// Wrong codes, counted by device for ten minutes: after [`Guesses::MOST`] no code is taken.
#[derive(Default)]
pub struct Guesses {
    by_device: Mutex<HashMap<String, (i64, u32)>>,
}

impl Guesses {
    /// A stranger who holds the keys needs most of a year for an even chance.
    const MOST: u32 = 5;
    /// Steps for which they count.
    const COUNTED: i64 = 20;

    /// Whether one more code may be tried.
    pub fn allow(&self, serial: &str, step: i64) -> bool {
        let guesses = self.by_device.lock().unwrap_or_else(PoisonError::into_inner);
        guesses
            .get(serial)
            .is_none_or(|(since, wrong)| step > since + Self::COUNTED || *wrong < Self::MOST)
    }

    /// Counts a wrong one.
    pub fn failed(&self, serial: &str, step: i64) {
        let mut guesses = self.by_device.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.retain(|_, (since, _)| step <= *since + Self::COUNTED);
        guesses.entry(serial.to_owned()).or_insert((step, 0)).1 += 1;
    }
}
