//! How long a role session may last. Source: STS API Reference; order as captured.

use crate::audit::ours::check;
use crate::error::{Error, Result, code};

/// Seconds when the call names none.
pub const DEFAULT: i64 = 3600;
/// The cap of a session that was made by another role's session.
const CHAINED: i64 = 3600;

/// The seconds of a role session. The model has already checked 900 to 43200.
///
/// # Errors
/// Above the role's maximum, or above an hour in a chain. The default passes always.
pub fn of_role(requested: Option<i64>, role_max: i64, chained: bool) -> Result<i64> {
    let Some(seconds) = requested else { return Ok(DEFAULT) };
    if seconds > role_max {
        return Err(Error::new(
            code::VALIDATION_ERROR,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
        .failing(check::DURATION, format!("at most {role_max}"), seconds.to_string()));
    }
    if chained && seconds > CHAINED {
        return Err(Error::new(
            code::VALIDATION_ERROR,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
        .failing(check::DURATION, format!("at most {CHAINED}"), seconds.to_string())
        .noting("a role that another role's session assumes: a chain"));
    }
    Ok(seconds)
}

/// The seconds of a user's own session: twelve hours unless named; at most one for the root.
pub fn of_user(requested: Option<i64>, root: bool) -> i64 {
    const USER: i64 = 43_200;
    const ROOT: i64 = 3600;
    let seconds = requested.unwrap_or(USER);
    if root { seconds.min(ROOT) } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_s_maximum_comes_before_the_cap_of_a_chain() {
        assert_eq!(of_role(None, 3600, true).unwrap(), 3600);
        assert_eq!(of_role(Some(7200), 7200, false).unwrap(), 7200);
        assert_eq!(of_role(Some(3600), 7200, true).unwrap(), 3600);
        let text = |result: Result<i64>| result.unwrap_err().message.unwrap();
        assert!(text(of_role(Some(3601), 3600, true)).contains("MaxSessionDuration"));
        assert!(text(of_role(Some(3601), 7200, true)).contains("role chaining"));
    }
}
