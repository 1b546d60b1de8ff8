//! `vestibule token decode`: what a token says, believed or not.

use claims::{Claims, oidc};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::{
    Ending,
    failure::Failure,
    screen::{Screen, Tone},
    source::Source,
};
use crate::clock::Clock;

/// Show what a token says, without believing it
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is sent anywhere and nothing is proven. Exit code 1 when it is no token that STS would read.

Examples:
  vestibule token decode @token.jwt
  curl -s … | vestibule token decode @-")]
pub struct Options {
    /// The token; `@file`, or `@-` for stdin
    token: Source,
}

pub(in super::super) fn run(options: &Options, screen: &Screen) -> Result<Ending, Failure> {
    let text = options.token.read()?;
    let token = match oidc::peek(text.trim()) {
        Ok(token) => token,
        Err(failure) => {
            let told = screen.paint(Tone::Bad, "not a token that STS reads");
            let text = format!("{told}: {}\nAWS answers: {}", why(&failure), failure.client_text());
            screen.either(&text, &json!({ "readable": false, "failure": failure }))?;
            return Ok(Ending::Bad);
        }
    };
    let now = Clock::system().now();
    let header = Claims::new(token.header().members.clone());
    let issuer = token.issuer().ok();
    let provider = issuer.and_then(oidc::Issuer::registered_name_of);
    let strange: Vec<&str> = token.header().offered_keys().collect();

    let mut lines = vec![screen.paint(Tone::Strong, "header")];
    lines.extend(members(&header, now));
    lines.push(screen.paint(Tone::Strong, "claims"));
    lines.extend(members(token.claims(), now));
    if let Some(provider) = provider {
        lines.push(screen.paint(Tone::Strong, "provider"));
        lines.push(format!("  arn:aws:iam::ACCOUNT:oidc-provider/{provider}"));
        lines.push(format!("  condition keys begin with {provider}:"));
    }
    if !strange.is_empty() {
        let text = format!("offers a key of its own, never used: {}", strange.join(", "));
        lines.push(screen.paint(Tone::Bad, &text));
    }
    lines.push(screen.paint(Tone::Faint, "Nothing of this is proven: no signature was checked."));
    let value = json!({
        "readable": true,
        "signature": "not checked",
        "header": token.header().members,
        "claims": token.claims().as_map(),
        "provider": provider,
    });
    screen.either(&lines.join("\n"), &value)?;
    Ok(Ending::Good)
}

fn why(failure: &claims::Failure) -> String {
    match failure {
        claims::Failure::NotAJwt { why } => why.to_string(),
        other => other.name().to_owned(),
    }
}

/// One line per member, values in a column, times also in words.
fn members(claims: &Claims, now: Timestamp) -> Vec<String> {
    let shown = |name: &str| printable(name);
    let width = claims.iter().map(|(name, _)| shown(name).chars().count()).max().unwrap_or(0);
    let width = width.min(32);
    claims
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => printable(text),
                other => printable(&other.to_string()),
            };
            let time = match (name, value.as_i64()) {
                ("exp" | "iat" | "nbf" | "auth_time", Some(seconds)) => when(seconds, now),
                _ => String::new(),
            };
            format!("  {:width$}  {text}{time}", shown(name))
        })
        .collect()
}

/// ATTACK: a token is foreign text; control characters in it could rewrite the terminal
/// (test a_claim_cannot_write_to_the_terminal).
pub(in super::super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn when(seconds: i64, now: Timestamp) -> String {
    let Ok(at) = Timestamp::from_second(seconds) else { return String::new() };
    let apart = SignedDuration::from_secs(seconds.saturating_sub(now.as_second()));
    let words = if apart.is_negative() { "ago" } else { "from now" };
    let apart = apart.unsigned_abs().as_secs();
    let apart = match apart {
        0..120 => format!("{apart} seconds"),
        120..7200 => format!("{} minutes", apart / 60),
        7200..172_800 => format!("{} hours", apart / 3600),
        _ => format!("{} days", apart / 86_400),
    };
    format!("  ({at}, {apart} {words})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}ö"), "a\\u{1b}[2Jb\\nc\\u{9b}ö");
    }

    #[test]
    fn times_are_also_told_in_words() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(when(300, now), "  (1970-01-01T00:05:00Z, 5 minutes from now)");
        assert_eq!(when(-60, now), "  (1969-12-31T23:59:00Z, 60 seconds ago)");
        assert_eq!(when(i64::MAX, now), "");
    }
}
