//! The identity provider itself does what the other tests rely on.

use acceptance::{Federation, OidcProvider};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Two parts of a token, decoded; its signature is the server's business.
fn parts(token: &str) -> (serde_json::Value, serde_json::Value) {
    let mut parts = token
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn tokens_carry_groups_and_tags_and_a_rotation_changes_the_key() {
    let idp = OidcProvider::start();
    for (client, alg) in [("rs256", "RS256"), ("es256", "ES256")] {
        let (header, claims) = parts(&idp.mint(client, "alice", Federation::claims("heart")));
        assert_eq!(header["alg"], alg);
        assert_eq!(header["kid"], format!("{client}-1"));
        assert_eq!(claims["iss"], idp.issuer());
        assert_eq!(claims["aud"], client);
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["groups"][1], "heart");
        let tags = &claims["https://aws.amazon.com/tags"];
        assert_eq!(tags["principal_tags"]["access-project"][0], "heart");
    }
    assert_eq!(idp.rotate(false), serde_json::json!(["rs256-2", "es256-2"]));
    let (header, _) = parts(&idp.mint("rs256", "bob", Federation::claims("sun")));
    assert_eq!(header["kid"], "rs256-2");
}
