//! Requests: reading what they say of their signer, and checking it. Input, by lines: method and target;
//! headers as `name: value`; an empty line; the body.

#![no_main]

use http::Request;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use wire::sigv4::{self, PayloadHash, Rules, SecretKey, SigningKeys};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |b| *b == 0);
    let head = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let mut lines = head.split(|b| *b == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut words = first.splitn(2, |b| *b == b' ');
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let mut request = Request::builder().method(method).uri(target);
    for line in lines.take(64) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        request = request.header(name, value.trim_ascii());
    }
    let Ok(request) = request.body(()) else { return };
    let (parts, ()) = request.into_parts();
    let Ok(Some(presented)) = sigv4::parse(&parts) else { return };
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let service = presented.scope.service.clone();
    for rules in [Rules::plain(&service, now), Rules::s3(now)] {
        let _ = presented.check_scope(&rules);
        let payload = PayloadHash::of(body);
        if let Err(error) =
            SigningKeys::default().verify(&presented, &parts, &payload, &secret, &rules)
        {
            assert!(!error.to_string().is_empty());
        }
    }
});
