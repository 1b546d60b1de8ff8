//! The built-in test issuer: tokens that look like the real ones, from keys in the data folder.
//!
//! `vestibule token mint` signs with it, offline; a server started with `--test-issuer` serves
//! its discovery document and key set below `/_issuer`, one issuer per name
//! (`http://127.0.0.1:4570/_issuer/github`), all with the same keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use claims::jose::{Alg, SigningKey, jwks};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use crate::data::{self, DataError, DataFolder};

/// The test issuer.
pub struct TestIssuer {
    /// The server's own URL, without a slash at the end.
    base: String,
    keys: Keys,
}

/// Its keys, one per algorithm that AWS accepts and real issuers use.
pub struct Keys {
    keys: Vec<SigningKey>,
}

/// Why there is no test issuer.
#[derive(Debug)]
pub enum IssuerError {
    /// The key file cannot be read or written.
    Data(DataError),
    /// The key file is not one, or a key could not be made.
    Keys(String),
}

/// The key file.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    keys: Vec<KeptKey>,
}

#[derive(Serialize, Deserialize)]
struct KeptKey {
    kid: String,
    alg: String,
    /// DER in base64.
    pkcs8: String,
}

impl Drop for KeptKey {
    fn drop(&mut self) {
        self.pkcs8.zeroize();
    }
}

impl Keys {
    /// The keys in the data folder; made there the first time.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn open(folder: &DataFolder) -> Result<Keys, IssuerError> {
        let path = folder.issuer_key();
        if path.exists() {
            let text = Zeroizing::new(data::read_private(&path).map_err(IssuerError::Data)?);
            return Keys::from_file(&text)
                .map_err(|why| IssuerError::Keys(format!("{}: {why}", path.display())));
        }
        let failed = |error: &dyn std::fmt::Display| IssuerError::Keys(error.to_string());
        let mut keys = Vec::new();
        let mut kept = Vec::new();
        for alg in [Alg::Rs256, Alg::Es256] {
            let kid = format!("test-{}", alg.name().to_ascii_lowercase());
            let key = SigningKey::generate(alg, kid.clone()).map_err(|error| failed(&error))?;
            let der = key.to_pkcs8().map_err(|error| failed(&error))?;
            let pkcs8 = STANDARD.encode(der.as_slice());
            kept.push(KeptKey { kid, alg: alg.name().to_owned(), pkcs8 });
            keys.push(key);
        }
        let text = serde_json::to_vec_pretty(&KeyFile { keys: kept });
        let text = Zeroizing::new(text.map_err(|error| failed(&error))?);
        data::write_private(&path, &text).map_err(IssuerError::Data)?;
        Ok(Keys { keys })
    }

    fn from_file(text: &[u8]) -> Result<Keys, String> {
        let file: KeyFile = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut keys = Vec::new();
        for kept in file.keys {
            let alg = Alg::named(&kept.alg).ok_or("an unknown algorithm")?;
            let der = STANDARD.decode(kept.pkcs8.as_bytes()).map_err(|error| error.to_string());
            let der = Zeroizing::new(der?);
            let key = SigningKey::from_pkcs8(alg, kept.kid.as_str(), &der);
            keys.push(key.map_err(|error| error.to_string())?);
        }
        Ok(Keys { keys })
    }

    /// The key for an algorithm.
    pub fn signing(&self, alg: Alg) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.alg() == alg)
    }

    /// The public key set.
    pub fn jwks(&self) -> Value {
        jwks(&self.keys)
    }
}

impl TestIssuer {
    /// An issuer below `base`, the server's own URL.
    pub fn new(base: impl Into<String>, keys: Keys) -> TestIssuer {
        TestIssuer { base: base.into(), keys }
    }

    /// The document at `path` below `/_issuer/`, if there is one.
    pub fn serve(&self, path: &str) -> Option<Value> {
        if let Some(name) = below(path, ".well-known/openid-configuration") {
            let issuer = issuer_url(&self.base, name);
            return Some(json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}/jwks"),
                "authorization_endpoint": format!("{issuer}/authorize"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported":
                    self.keys.keys.iter().map(|key| key.alg().name()).collect::<Vec<_>>(),
            }));
        }
        below(path, "jwks").map(|_| self.keys.jwks())
    }
}

/// The issuer of a name: `BASE/_issuer/NAME`.
pub fn issuer_url(base: &str, name: &str) -> String {
    let slash = if name.is_empty() { "" } else { "/" };
    format!("{base}/_issuer{slash}{name}")
}

/// The issuer's name in front of `document`: empty, or a few plain segments.
fn below<'a>(path: &'a str, document: &str) -> Option<&'a str> {
    let name = path.strip_suffix(document)?;
    if name.is_empty() {
        return Some(name);
    }
    let name = name.strip_suffix('/')?;
    let plain = |segment: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !segment.is_empty() && segment.bytes().all(known)
    };
    (name.len() <= 100 && name.split('/').all(plain)).then_some(name)
}

impl std::fmt::Display for IssuerError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IssuerError::Data(error) => write!(out, "test issuer: {error}"),
            IssuerError::Keys(why) => write!(out, "test issuer: {why}"),
        }
    }
}

impl std::error::Error for IssuerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_made_once_and_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("d")).unwrap();
        let first = Keys::open(&folder).unwrap().jwks();
        assert_eq!(first["keys"].as_array().unwrap().len(), 2);
        assert_eq!(Keys::open(&folder).unwrap().jwks(), first);
        let mode = std::fs::metadata(folder.issuer_key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.issuer_key(), "{}").unwrap();
        assert!(Keys::open(&folder).is_err());
    }

    #[test]
    fn each_name_is_an_issuer_and_other_paths_are_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("d")).unwrap();
        let issuer = TestIssuer::new("http://127.0.0.1:1", Keys::open(&folder).unwrap());
        let discovery = issuer.serve("github/.well-known/openid-configuration").unwrap();
        assert_eq!(discovery["issuer"], "http://127.0.0.1:1/_issuer/github");
        assert_eq!(discovery["jwks_uri"], "http://127.0.0.1:1/_issuer/github/jwks");
        assert!(issuer.serve("github/jwks").unwrap()["keys"].is_array());
        assert!(issuer.serve("jwks").is_some());
        for path in ["", "github", "githubjwks", "a//jwks", "a\"/jwks", "../x/jwks/", "é/jwks"] {
            assert!(issuer.serve(path).is_none(), "{path}");
        }
    }
}
