//! A first look at a token, without trust: enough to find out whose keys could prove it.

use aws_lc_rs::digest;

use crate::failure::Malformed;
use crate::jose::Alg;
use crate::jose::jws::{self, Compact, Header};
use crate::{Claims, Failure};

/// A token taken apart. Its claims are only what somebody says.
#[derive(Clone, Debug)]
pub struct Unverified<'t> {
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
    pub(super) header: Header,
    pub(super) claims: Claims,
    pub(super) duplicate_claims: Vec<String>,
}

/// Takes a token apart.
///
/// # Errors
/// [`Failure::NotAJwt`] if it has not the shape of a signed JWT.
pub fn peek(token: &str) -> Result<Unverified<'_>, Failure> {
    let Compact { signed, signature, header, payload } =
        jws::read(token).map_err(|why| Failure::NotAJwt { why })?;
    Ok(Unverified {
        signed,
        signature,
        header,
        claims: Claims::new(payload.members),
        duplicate_claims: payload.duplicates,
    })
}

/// SHA-256 of a whole token: the name under which it may be cached or recorded.
#[must_use]
pub fn fingerprint(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in
        bytes.iter_mut().zip(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
    {
        *to = *from;
    }
    bytes
}

impl Unverified<'_> {
    /// The `iss` claim, which says under which provider to verify.
    ///
    /// # Errors
    /// [`Failure::MissingClaim`] or [`Failure::ClaimType`].
    pub fn issuer(&self) -> Result<&str, Failure> {
        use serde_json::Value;
        match self.claims.value("iss") {
            Some(Value::String(iss)) => Ok(iss),
            None | Some(Value::Null) => Err(Failure::MissingClaim { claim: "iss" }),
            Some(other) => Err(Failure::ClaimType {
                claim: "iss",
                wanted: "a string",
                had: crate::claim_set::kind_of(other),
            }),
        }
    }

    /// The `kid` header member.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The `alg` header member as written; empty if missing.
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.header.alg
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, of which none is proven.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The checks that AWS makes before it looks for a provider: algorithm and `crit`. What
    /// depends on the provider's strictness comes with [`super::verify()`], which repeats these.
    ///
    /// # Errors
    /// [`Failure::Algorithm`] or [`Failure::Critical`].
    pub fn admissible(&self) -> Result<(), Failure> {
        self.algorithm()?;
        self.no_critical_extension()
    }

    pub(super) fn algorithm(&self) -> Result<Alg, Failure> {
        Alg::named(&self.header.alg)
            .ok_or_else(|| Failure::Algorithm { had: self.header.alg.clone() })
    }

    /// ATTACK: `crit` names what a verifier must understand; to ignore it is to misread the token
    /// (corpus/tokens/oidc/header-crit-*.json).
    pub(super) fn no_critical_extension(&self) -> Result<(), Failure> {
        if self.header.members.contains_key("crit") { Err(Failure::Critical) } else { Ok(()) }
    }

    /// Strict only: members that occur twice, header first.
    pub(super) fn duplicate(&self) -> Option<Malformed> {
        let of = |part, names: &[String]| {
            names.first().map(|name| Malformed::Duplicate { part, name: name.clone() })
        };
        of("header", &self.header.duplicates).or_else(|| of("claims", &self.duplicate_claims))
    }
}
