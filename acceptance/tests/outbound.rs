//! This server as the issuer: its tokens under a library that knows nothing of it.

use std::process::Command;

use acceptance::{Boto3, Setup, Tools, Vestibule};
use serde_json::{Value, json};

fn verify(token: &str, issuer: &str, audience: &str) -> Value {
    let mut command = Command::new(Tools::find().node());
    command.args(["clients/js/verify.mjs", token, issuer, audience]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said).unwrap_or_else(|_| {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
    })
}

#[test]
fn a_token_is_verified_by_its_issuer_s_documents_alone() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let enabled = admin.ok("iam", "enable_outbound_web_identity_federation", json!({}));
    let issuer = enabled["IssuerIdentifier"].as_str().unwrap();
    assert!(issuer.starts_with(server.url()), "{issuer}");
    for alg in ["RS256", "ES384"] {
        let input = json!({"Audience": ["https://api.example"], "SigningAlgorithm": alg});
        let made = admin.ok("sts", "get_web_identity_token", input);
        let token = made["WebIdentityToken"].as_str().unwrap();
        let found = verify(token, issuer, "https://api.example");
        assert_eq!(found["alg"], alg, "{found}");
        assert!(found["payload"]["sub"].as_str().unwrap().ends_with(":user/admin"));

        let elsewhere = verify(token, issuer, "https://other.example");
        assert_eq!(elsewhere["refused"], "ERR_JWT_CLAIM_VALIDATION_FAILED");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{head}.{other}{}", signature.split_at(1).1);
        let forged = verify(&forged, issuer, "https://api.example");
        assert_eq!(forged["refused"], "ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
    }
}
