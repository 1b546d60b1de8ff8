//! How long a whole token takes beside its bare signature check, on one core:
//! `cargo run --release -p claims --example speed`. The aim is 1.3 times the bare check for RS256.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claims::jose::{Alg, KeySet, SigningKey, jwks};
use claims::mint::{Overrides, Profile, mint};
use claims::oidc::{Issuer, ProviderRules, peek, verify_text};
use claims::{Checks, UnixTime};

const NOW: UnixTime = UnixTime(1_790_000_000);

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    for profile in ["generic", "kubernetes", "github"] {
        let profile = Profile::named(profile).ok_or("no such profile")?;
        for alg in [Alg::Rs256, Alg::Es256] {
            measure(&profile, alg)?;
        }
    }
    Ok(())
}

fn measure(profile: &Profile, alg: Alg) -> Result<(), Box<dyn Error>> {
    let overrides = Overrides {
        audience: vec!["sts.amazonaws.com".to_owned()],
        tags: vec![("access-project".to_owned(), "heart".to_owned())],
        groups: vec!["developers".to_owned(), "heart".to_owned()],
        ..Overrides::default()
    };
    let key = SigningKey::generate(alg, "k")?;
    let claims = mint(profile, &overrides, NOW)?;
    let token = key.sign(&claims)?;
    let keys = KeySet::from_jwks(jwks([&key]).to_string().as_bytes(), Checks::Strict)
        .map_err(|fault| fault.to_string())?;
    let rules = ProviderRules {
        issuer: Issuer::from_url(claims.text("iss").unwrap_or_default()),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        checks: Checks::Strict,
    };
    let accepted = || verify_text(&token, &rules, &keys, None, NOW).result.is_ok();
    if !accepted() {
        return Err("the token is not accepted".into());
    }
    println!("{} {alg}, {} claims, {} characters", profile.name, claims.len(), token.len());
    if alg == Alg::Rs256 {
        let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        let bare = bare_rsa(&key)?;
        report("  bare signature", || bare.verify_sig(signed.as_bytes(), &signature).is_ok());
    }
    report("  whole token", accepted);
    report("  taking apart only", || peek(&token).is_ok());
    Ok(())
}

fn bare_rsa(key: &SigningKey) -> Result<ParsedPublicKey, Box<dyn Error>> {
    let jwk = key.public_jwk();
    let number = |name: &str| {
        let text = jwk.get(name).and_then(|it| it.as_str()).unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text)
    };
    let components = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    Ok(components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?)
}

/// The best of several rounds, which is the one that others disturbed least.
fn report(what: &str, mut once: impl FnMut() -> bool) {
    const TIMES: u32 = 50;
    let mut best = Duration::MAX;
    for _ in 0..600 {
        let start = Instant::now();
        let all = (0..TIMES).all(|_| std::hint::black_box(once()));
        if all {
            best = best.min(start.elapsed() / TIMES);
        }
    }
    println!("{what:20} {:8.2} µs", best.as_nanos() as f64 / 1000.0);
}
