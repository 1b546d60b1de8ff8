//! Tokens for services elsewhere: who may have one, what it says, and that its issuer's documents
//! verify it.

use claims::Checks;
use claims::jose::jwk::KeySet;
use serde_json::{Value, json};

use crate::support::{HOME, Keys, Reply, Town, allow, trusts};

const ES384: (&str, &str) = ("SigningAlgorithm", "ES384");
const API: (&str, &str) = ("Audience.member.1", "https://api.example.com");

async fn token(town: &Town, keys: &Keys, more: &[(&str, &str)]) -> Reply {
    let input: Vec<_> = [API, ES384].into_iter().chain(more.iter().copied()).collect();
    town.sts(keys, "GetWebIdentityToken", &input).await
}

/// The claims of a token, once its issuer's documents have verified it.
fn verified(town: &Town, token: &str) -> Value {
    let claims = part(token, 1);
    let issuer = claims["iss"].as_str().unwrap();
    let path = issuer.strip_prefix("https://vestibule.test/_tokens/").unwrap();
    let document = |name: &str| town.plane.issuer_document(&format!("{path}/.well-known/{name}"));
    let discovery = document("openid-configuration").unwrap();
    assert_eq!(discovery["issuer"], issuer);
    assert_eq!(discovery["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    let keys = document("jwks.json").unwrap().to_string();
    assert!(!keys.contains("\"d\""), "public parts alone");
    let set = KeySet::from_jwks(keys.as_bytes(), Checks::Strict).unwrap();
    assert!(set.knows(part(token, 0)["kid"].as_str().unwrap()));
    claims
}

fn part(token: &str, at: usize) -> Value {
    use base64::Engine as _;
    let text = token.split('.').nth(at).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn tokens_are_issued_while_the_account_wants_it() {
    let town = Town::new().await;
    let off = token(&town, &town.admin, &[]).await;
    assert_eq!(off.text("Code"), "OutboundWebIdentityFederationDisabledException");
    assert_eq!(off.status, 403);
    let info = town.iam(&town.admin, "GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!((info.status, info.text("Code")), (404, "FeatureDisabled".to_owned()));
    let issuer = town.set_up("EnableOutboundWebIdentityFederation", &[]).await;
    let issuer = issuer.text("IssuerIdentifier");
    let info = town.set_up("GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!(
        (info.text("IssuerIdentifier"), info.text("JwtVendingEnabled")),
        (issuer.clone(), "true".to_owned())
    );
    let twice = town.iam(&town.admin, "EnableOutboundWebIdentityFederation", &[]).await;
    assert_eq!((twice.status, twice.text("Code")), (409, "FeatureEnabled".to_owned()));

    let reply = token(&town, &town.admin, &[("Audience.member.2", "b")]).await.ok();
    let text = reply.text("WebIdentityToken");
    let claims = verified(&town, &text);
    assert_eq!(claims["sub"], format!("arn:aws:iam::{HOME}:user/admin"));
    assert_eq!(claims["aud"], json!(["https://api.example.com", "b"]));
    assert_eq!(claims["exp"], town.now() + 300);
    assert_eq!(reply.text("Expiration"), "2026-01-01T00:05:00Z");
    assert_eq!(claims["https://sts.amazonaws.com/"]["aws_account"], HOME);
    let event = serde_json::to_string(&reply.event()).unwrap();
    assert!(!event.contains(&text), "the log book has no token");
    let rsa = [API, ("SigningAlgorithm", "RS256")];
    let rsa = town.sts(&town.admin, "GetWebIdentityToken", &rsa).await.ok();
    verified(&town, &rsa.text("WebIdentityToken"));
    let none = [API, ("SigningAlgorithm", "HS256")];
    let none = town.sts(&town.admin, "GetWebIdentityToken", &none).await;
    assert_eq!((none.status, none.text("Code")), (400, "ValidationError".to_owned()));

    // Switched off and on again: the same issuer with other keys, and old tokens can be verified.
    town.set_up("DisableOutboundWebIdentityFederation", &[]).await;
    assert_eq!(token(&town, &town.admin, &[]).await.status, 403);
    verified(&town, &text);
    let again = town.set_up("EnableOutboundWebIdentityFederation", &[]).await;
    assert_eq!(again.text("IssuerIdentifier"), issuer);
    let new = token(&town, &town.admin, &[]).await.ok().text("WebIdentityToken");
    assert_ne!(part(&new, 0)["kid"], part(&text, 0)["kid"]);
    verified(&town, &text);
    verified(&town, &new);
    assert!(town.plane.issuer_document("someone/.well-known/jwks.json").is_none());
}

#[tokio::test]
async fn policies_decide_for_whom_and_how_long() {
    let town = Town::new().await;
    town.set_up("EnableOutboundWebIdentityFederation", &[]).await;
    let mut policy = allow("sts:GetWebIdentityToken", "*");
    policy["Statement"][0]["Condition"] = json!({
        "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": ["https://api.example.com"]},
        "NumericLessThanEquals": {"sts:DurationSeconds": "600"},
        "StringEquals": {"sts:SigningAlgorithm": "ES384"},
    });
    let anna = town.user("anna", Some(&policy)).await;
    token(&town, &anna, &[]).await.ok();
    let denied = "implicitDeny identity sts:GetWebIdentityToken";
    let other = token(&town, &anna, &[("Audience.member.2", "https://evil.example")]).await;
    assert_eq!(other.why(), denied);
    assert_eq!(token(&town, &anna, &[("DurationSeconds", "601")]).await.why(), denied);
    let rsa = [API, ("SigningAlgorithm", "RS256")];
    assert_eq!(town.sts(&anna, "GetWebIdentityToken", &rsa).await.why(), denied);
    let tags = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let tagged = token(&town, &anna, &tags).await;
    assert_eq!(tagged.why(), "implicitDeny identity sts:TagGetWebIdentityToken");
}

#[tokio::test]
async fn a_session_s_token_ends_before_the_session_and_tells_its_tags() {
    let town = Town::new().await;
    town.set_up("EnableOutboundWebIdentityFederation", &[]).await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole", "sts:TagSession"], None);
    let role = town.role("worker", &trust, Some(&allow("sts:*", "*"))).await;
    town.set_up(
        "TagRole",
        &[("RoleName", "worker"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "own")],
    )
    .await;
    let input = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "s1"),
        ("DurationSeconds", "900"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "heart"),
    ];
    let keys = town.sts(&town.admin, "AssumeRole", &input).await.ok().keys();
    let tags = [("Tags.member.1.Key", "order"), ("Tags.member.1.Value", "7")];
    let reply = token(&town, &keys, &tags).await.ok();
    let claims = verified(&town, &reply.text("WebIdentityToken"));
    assert_eq!(claims["sub"], role);
    let own = &claims["https://sts.amazonaws.com/"];
    assert_eq!(own["principal_tags"], json!({"Team": "heart"}));
    assert_eq!(own["request_tags"], json!({"order": "7"}));
    assert_eq!(own["original_session_exp"], "2026-01-01T00:15:00Z");
    let long = token(&town, &keys, &[("DurationSeconds", "901")]).await;
    assert_eq!(
        (long.status, long.text("Code")),
        (403, "SessionDurationEscalationException".to_owned())
    );
    let large = "x".repeat(256);
    let many: Vec<_> = (1..=40)
        .flat_map(|n| {
            [
                (format!("Tags.member.{n}.Key"), format!("k{n}")),
                (format!("Tags.member.{n}.Value"), large.clone()),
            ]
        })
        .collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let large = token(&town, &keys, &many).await;
    assert_eq!(
        (large.status, large.text("Code")),
        (400, "JWTPayloadSizeExceededException".to_owned())
    );
}
