//! Which plane a path belongs to.

/// Who answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plane<'a> {
    /// An AWS service, whatever the path.
    Aws,
    /// The server itself.
    Own(Own<'a>),
}

/// The server's own paths.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Own<'a> {
    Health,
    Metrics,
    Clock,
    /// The rest of the path, without a leading slash.
    Issuer(&'a str),
    /// Likewise.
    Tokens(&'a str),
    Unknown,
}

pub(super) fn plane(path: &str) -> Plane<'_> {
    let Some(own) = path.strip_prefix("/_") else { return Plane::Aws };
    Plane::Own(match own {
        "health" => Own::Health,
        "metrics" => Own::Metrics,
        "test/clock" => Own::Clock,
        _ => match own.split_once('/') {
            Some(("issuer", path)) => Own::Issuer(path),
            Some(("tokens", path)) => Own::Tokens(path),
            _ => Own::Unknown,
        },
    })
}
