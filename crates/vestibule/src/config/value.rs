//! The few value forms that TOML itself does not have: durations and sizes.

use std::{str::FromStr, time::Duration};

use policy::AccountId;
use serde::{Deserialize, Deserializer, de::Error as _};
use service::idp::network::{Allowed, Cidr};

/// A span of time as `30s`, `5m`, `24h`, `90d` or `250ms`.
///
/// # Errors
/// Says what was wrong in words fit for the operator.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("`{text}` is not a duration (write 250ms, 30s, 5m, 24h or 90d)")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a duration"))?;
    let millis = number.checked_mul(millis).ok_or_else(|| format!("`{text}` is too long"))?;
    Ok(Duration::from_millis(millis))
}

/// A size in bytes, as `512`, `64KiB`, `10MiB` or `4GiB`.
///
/// # Errors
/// Says what was wrong in words fit for the operator.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(format!("`{text}` is not a size (write 64KiB, 10MiB or 4GiB)")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a size"))?;
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too large"))
}

/// For `#[serde(deserialize_with)]`: scheme and host, and nothing behind them.
pub fn base_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    let url = text.trim_end_matches('/');
    let good = url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
            && uri.path() == "/"
            && uri.query().is_none()
    });
    match good && !url.contains('#') {
        true => Ok(Some(url.to_owned())),
        false => {
            Err(D::Error::custom(format!("`{text}` is not a URL such as https://sts.example.com")))
        }
    }
}

/// For `#[serde(deserialize_with)]`.
pub fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// For `#[serde(deserialize_with)]`: a size as text, or a number of bytes.
pub fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a size such as \"64KiB\" or a number of bytes")]
    enum Form {
        Number(u64),
        Text(String),
    }
    match Form::deserialize(from)? {
        Form::Number(bytes) => Ok(bytes),
        Form::Text(text) => parse_size(&text).map_err(D::Error::custom),
    }
}

/// For `#[serde(deserialize_with)]`.
pub fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Cidr>, D::Error> {
    list(from)
}

/// For `#[serde(deserialize_with)]`.
pub fn reach<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Allowed>, D::Error> {
    list(from)
}

/// For `#[serde(deserialize_with)]`.
pub fn accounts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<AccountId>, D::Error> {
    list(from)
}

/// What a list's element is called when it is refused.
trait Named: FromStr {
    const NAME: &'static str;
}

impl Named for Cidr {
    const NAME: &'static str = "a network such as 10.0.0.0/8";
}

impl Named for Allowed {
    const NAME: &'static str = "a network such as 10.0.0.0/8, nor a host name";
}

impl Named for AccountId {
    const NAME: &'static str = "an account id: 12 digits";
}

fn list<'de, D: Deserializer<'de>, T: Named>(from: D) -> Result<Vec<T>, D::Error> {
    let parse = |text: String| {
        let refused = |_| D::Error::custom(format_args!("`{text}` is not {}", T::NAME));
        text.parse().map_err(refused)
    };
    Vec::<String>::deserialize(from)?.into_iter().map(parse).collect()
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
