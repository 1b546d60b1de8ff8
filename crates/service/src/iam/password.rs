//! Passwords of users: what one must be like, and how it is kept.
//!
//! Kept is PBKDF2-HMAC-SHA-256 (RFC 8018) with a salt of its own, as
//! `pbkdf2-sha256$<iterations>$<salt>$<hash>`; the iterations travel along, so that they can grow.
//! Deriving takes a tenth of a second by intention, and so happens beside the other calls.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive, verify};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::ids;
use crate::record::PasswordPolicy;

/// The password is not as the account wants it.
const PASSWORD_POLICY_VIOLATION: Code = Code::new("PasswordPolicyViolation", 400);

/// Source: OWASP Password Storage Cheat Sheet, for this function.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
const SCHEME: &str = "pbkdf2-sha256";
const SALT: usize = 16;
const HASH: usize = 32;

/// What counts as a symbol. Source: UpdateAccountPasswordPolicy.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// Characters of a password where the account says nothing. Source: IAM User Guide, "Default
/// password policy".
const DEFAULT_LENGTH: usize = 8;
/// Of the four kinds of characters, how many one needs then.
const DEFAULT_KINDS: usize = 3;

/// The password is as the account wants it.
///
/// # Errors
/// `PasswordPolicyViolation`, in AWS's words.
pub fn check(policy: Option<&PasswordPolicy>, account: &str, password: &str) -> Result<()> {
    let length = password.chars().count();
    let any = |is: fn(char) -> bool| password.chars().any(is);
    let upper = any(|c| c.is_ascii_uppercase());
    let lower = any(|c| c.is_ascii_lowercase());
    let digit = any(|c| c.is_ascii_digit());
    let symbol = any(|c| SYMBOLS.contains(c));
    let good = match policy {
        Some(policy) => {
            i64::try_from(length).is_ok_and(|length| length >= policy.minimum_length)
                && (upper || !policy.uppercase)
                && (lower || !policy.lowercase)
                && (digit || !policy.numbers)
                && (symbol || !policy.symbols)
        }
        None => {
            let kinds = [upper, lower, digit, symbol].into_iter().filter(|there| *there).count();
            length >= DEFAULT_LENGTH && kinds >= DEFAULT_KINDS && password != account
        }
    };
    if good { Ok(()) } else { Err(violation()) }
}

/// How AWS refuses a password.
pub fn violation() -> Error {
    let text = "Password does not conform to the account password policy.";
    Error::new(PASSWORD_POLICY_VIOLATION, text)
}

/// The password as it is kept.
///
/// # Errors
/// If the server cannot derive.
pub async fn hashed(password: &Zeroizing<String>) -> Result<String> {
    let password = password.clone();
    aside(move || {
        let salt = ids::random::<SALT>();
        let mut hash = [0_u8; HASH];
        derive(PBKDF2_HMAC_SHA256, ITERATIONS, &salt, password.as_bytes(), &mut hash);
        format!("{SCHEME}${ITERATIONS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash))
    })
    .await
}

/// Whether the password is one of these.
///
/// # Errors
/// If the server cannot derive.
pub async fn is_among(password: &Zeroizing<String>, kept: Vec<String>) -> Result<bool> {
    let password = password.clone();
    aside(move || kept.iter().any(|kept| is(&password, kept).unwrap_or(false))).await
}

fn is(password: &str, kept: &str) -> Option<bool> {
    let mut parts = kept.split('$');
    let (SCHEME, iterations, salt, hash) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?)
    else {
        return None;
    };
    let iterations = iterations.parse().ok()?;
    let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
    Some(verify(PBKDF2_HMAC_SHA256, iterations, &salt, password.as_bytes(), &hash).is_ok())
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::internal(format!("a password could not be derived: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_wants_eight_characters_of_three_kinds() {
        for good in ["Abcdefg1", "abcdef1!", "ABCDEF1!", "Abcdefg!"] {
            check(None, "111122223333", good).unwrap();
        }
        for bad in ["Abcdef1", "abcdefgh", "abcdefg1", "ABCDEFG1", "Ünïcödé1"] {
            let error = check(None, "111122223333", bad).unwrap_err();
            assert_eq!(error.code, PASSWORD_POLICY_VIOLATION, "{bad}");
        }
        check(None, "Abcdefg1", "Abcdefg1").unwrap_err();
    }

    #[test]
    fn what_is_kept_tells_the_right_password_from_others() {
        let salt = STANDARD.encode([7; SALT]);
        let mut hash = [0; HASH];
        derive(PBKDF2_HMAC_SHA256, NonZeroU32::MIN, &[7; SALT], b"right", &mut hash);
        let kept = format!("{SCHEME}$1${salt}${}", STANDARD.encode(hash));
        assert_eq!(is("right", &kept), Some(true));
        assert_eq!(is("wrong", &kept), Some(false));
        assert_eq!(is("right", &kept.replace("$1$", "$2$")), Some(false));
        for broken in ["", "right", "md5$1$a$b", "pbkdf2-sha256$0$AAAA$AAAA"] {
            assert_eq!(is("right", broken), None, "{broken}");
        }
    }
}
