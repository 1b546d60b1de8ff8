//! An authenticator app that we did not write: pyotp behind zxing-cpp, which reads the QR code.

use std::cell::RefCell;

use serde::Deserialize;
use serde_json::json;

use crate::{
    child::LineChild,
    tools::{self, Tools},
};

/// The app.
pub struct Authenticator {
    process: RefCell<LineChild>,
}

/// What the app makes of a picture.
#[derive(Clone, Debug, Deserialize)]
pub struct Scanned {
    /// The `otpauth:` address in the picture.
    pub address: String,
    /// What the app shows the codes under.
    pub name: String,
    /// The seed in base32.
    pub seed: String,
    /// The codes of the last, the present and the next half minute.
    pub codes: [String; 3],
}

impl Authenticator {
    /// Starts it.
    pub fn start() -> Authenticator {
        let script = tools::home().join("clients/authenticator/app.py");
        let process =
            LineChild::start("authenticator", tools::command(Tools::find().python()).arg(script));
        Authenticator { process: RefCell::new(process) }
    }

    /// Scans a picture, a PNG in base64.
    ///
    /// # Panics
    /// There is no address of a device in it.
    pub fn scan(&self, picture: &str) -> Scanned {
        let answer = self.process.borrow_mut().ask(&json!({ "picture": picture }));
        serde_json::from_value(answer).expect("the app tells what it saw")
    }
}
