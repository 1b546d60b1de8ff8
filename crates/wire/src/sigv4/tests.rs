//! The corpus of vectors and attacks, and what they cannot show: the cache, secrets, HTTP/2, signing.

use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use serde_json::Value;

use super::canonical::SECRET_PARAMETERS;
use super::*;

#[derive(Clone)]
struct Case {
    parts: Parts,
    body: Vec<u8>,
    style: Style,
    service: String,
    declared: bool,
    secret: String,
    now: String,
    unsigned: Unsigned,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Verified,
    None,
    Unreadable(AuthError),
    Refused(SigError),
}

impl Case {
    fn read(vector: &Value) -> Self {
        let request = &vector["request"];
        let mut builder = Request::builder()
            .method(request["method"].as_str().unwrap())
            .uri(request["target"].as_str().unwrap());
        for pair in request["headers"].as_array().unwrap() {
            let value = HeaderValue::from_bytes(text(&pair[1]).as_bytes()).unwrap();
            builder = builder.header(text(&pair[0]), value);
        }
        Self {
            parts: builder.body(()).unwrap().into_parts().0,
            body: text(&request["body"]).into(),
            style: if vector["style"] == "s3" { Style::S3 } else { Style::Plain },
            service: text(&vector["service"]).to_owned(),
            declared: vector["payload"] == "declared",
            secret: text(&vector["secret"]).to_owned(),
            now: text(&vector["now"]).to_owned(),
            unsigned: Unsigned::Refuse,
        }
    }

    fn run(&self, keys: &SigningKeys) -> Outcome {
        let presented = match parse(&self.parts) {
            Ok(Some(presented)) => presented,
            Ok(None) => return Outcome::None,
            Err(error) => return Outcome::Unreadable(error),
        };
        let payload = if self.declared {
            PayloadHash::declared(&self.parts, presented.form).unwrap()
        } else {
            PayloadHash::of(&self.body)
        };
        let now = read_basic_date(&self.now).unwrap();
        let rules = Rules {
            style: self.style,
            unsigned: self.unsigned,
            ..Rules::plain(&self.service, now)
        };
        let secret = SecretKey::new(self.secret.as_str());
        match keys.verify(&presented, &self.parts, &payload, &secret, &rules) {
            Ok(()) => Outcome::Verified,
            Err(error) => Outcome::Refused(error),
        }
    }

    fn authorization(&self) -> &str {
        self.parts.headers["authorization"].to_str().unwrap()
    }

    fn set(&mut self, name: &str, value: &str) {
        let name = HeaderName::try_from(name).unwrap();
        self.parts.headers.insert(name, HeaderValue::try_from(value).unwrap());
    }

    fn edit(&mut self, edit: &Value) {
        for (what, how) in edit.as_object().unwrap() {
            match what.as_str() {
                "authorization" => {
                    let (from, to) = (text(&how[0]), text(&how[1]));
                    assert!(self.authorization().contains(from), "{from}");
                    let edited = self.authorization().replacen(from, to, 1);
                    self.set("authorization", &edited);
                }
                "signature" => {
                    let (head, tail) = self.authorization().split_once("Signature=").unwrap();
                    let edited = format!("{head}Signature={}", tail.to_uppercase());
                    self.set("authorization", &edited);
                }
                "body" => self.body = text(how).into(),
                "method" => self.parts.method = text(how).parse().unwrap(),
                "target" => self.parts.uri = text(how).parse().unwrap(),
                "target_replace" => {
                    let uri = self.parts.uri.to_string();
                    assert!(uri.contains(text(&how[0])), "{uri}");
                    let edited = uri.replacen(text(&how[0]), text(&how[1]), 1);
                    self.parts.uri = edited.parse().unwrap();
                }
                "set" => self.set(text(&how[0]), text(&how[1])),
                "add" => {
                    let name = HeaderName::try_from(text(&how[0])).unwrap();
                    self.parts.headers.append(name, HeaderValue::try_from(text(&how[1])).unwrap());
                }
                "remove" => drop(self.parts.headers.remove(text(how)).unwrap()),
                "secret" => self.secret = text(how).to_owned(),
                "now" => self.now = text(how).to_owned(),
                other => panic!("no such edit: {other}"),
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn vectors(file: &str) -> Vec<Value> {
    let path = format!("{}/../../corpus/sigv4/{file}", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn signed() -> Vec<Value> {
    [vectors("suite.json"), vectors("botocore.json")].concat()
}

fn base(name: &str) -> Case {
    Case::read(signed().iter().find(|v| v["name"] == name).unwrap())
}

#[test]
fn every_signed_vector_verifies() {
    let keys = SigningKeys::default();
    let all = signed();
    assert!(all.len() >= 34);
    for vector in &all {
        assert_eq!(Case::read(vector).run(&keys), Outcome::Verified, "{}", vector["name"]);
    }
}

#[test]
fn every_signed_vector_has_tampered_twins_that_do_not() {
    let keys = SigningKeys::default();
    let mismatched = |case: &Case, what: &str, name: &Value| {
        let outcome = case.run(&keys);
        let mismatch = matches!(outcome, Outcome::Refused(SigError::Mismatch(_)));
        assert!(mismatch, "{name}: {what}: {outcome:?}");
    };
    for vector in signed() {
        let case = Case::read(&vector);
        let mut twin = case.clone();
        twin.secret.push('x');
        mismatched(&twin, "secret", &vector["name"]);

        if !case.declared {
            let mut twin = case.clone();
            twin.body.push(b' ');
            mismatched(&twin, "body", &vector["name"]);
        }

        let mut twin = case.clone();
        twin.parts.method = "DELETE".parse().unwrap();
        mismatched(&twin, "method", &vector["name"]);

        let mut twin = case.clone();
        let target = twin.parts.uri.to_string();
        let target = match target.split_once('?') {
            Some((path, query)) => format!("{path}x?{query}"),
            None => format!("{target}x"),
        };
        twin.parts.uri = target.parse().unwrap();
        mismatched(&twin, "path", &vector["name"]);

        let presented = parse(&case.parts).unwrap().unwrap();
        for name in presented.signed_headers().filter(|name| *name != "x-amz-date") {
            let mut twin = case.clone();
            twin.parts
                .headers
                .append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("added"));
            // A second token is refused before anything is computed.
            if name != "x-amz-security-token" {
                mismatched(&twin, name, &vector["name"]);
            }
        }
    }
}

#[test]
fn every_attack_is_refused_as_stated() {
    let keys = SigningKeys::default();
    for attack in vectors("attacks.json") {
        let mut case = base(text(&attack["base"]));
        assert_eq!(case.run(&keys), Outcome::Verified);
        case.edit(&attack["edit"]);
        let outcome = case.run(&keys);
        let (kind, said) = match &outcome {
            Outcome::Verified => ("Verified", String::new()),
            Outcome::None => ("None", String::new()),
            Outcome::Unreadable(error) => (
                match error {
                    AuthError::Incomplete(_) => "Incomplete",
                    AuthError::TwoForms => "TwoForms",
                    AuthError::BadEscape => "BadEscape",
                },
                error.to_string(),
            ),
            Outcome::Refused(error) => (
                match error {
                    SigError::Scope(_) => "Scope",
                    SigError::Expired { .. } => "Expired",
                    SigError::NotYetCurrent { .. } => "NotYetCurrent",
                    SigError::Unsigned(_) => "Unsigned",
                    SigError::SignedHeaders => "SignedHeaders",
                    SigError::BadEscape => "BadEscape",
                    SigError::Mismatch(_) => "Mismatch",
                },
                error.to_string(),
            ),
        };
        assert_eq!(kind, text(&attack["error"]), "{}: {said}", attack["name"]);
        if let Some(wanted) = attack["text"].as_str() {
            assert_eq!(said, wanted, "{}", attack["name"]);
        }
        if let (Some(missing), Outcome::Refused(SigError::Mismatch(explanation))) =
            (attack["missing"].as_array(), &outcome)
        {
            let missing: Vec<&str> = missing.iter().map(text).collect();
            assert_eq!(explanation.missing_headers, missing, "{}", attack["name"]);
        }
    }
}

#[test]
fn an_unsigned_header_passes_only_where_it_may() {
    let keys = SigningKeys::default();
    let mut case = base("s3 presigned");
    case.set("x-amz-tagging", "team=admin");
    assert!(matches!(case.run(&keys), Outcome::Refused(SigError::Unsigned(_))));
    case.unsigned = Unsigned::Accept;
    assert_eq!(case.run(&keys), Outcome::Verified);
}

#[test]
fn the_edge_of_the_skew_is_inside() {
    let keys = SigningKeys::default();
    for (now, inside) in [
        ("20150830T124100Z", true),
        ("20150830T124101Z", false),
        ("20150830T123100Z", true),
        ("20150830T123059Z", false),
    ] {
        let mut case = base("sts post");
        case.now = now.to_owned();
        assert_eq!(case.run(&keys) == Outcome::Verified, inside, "{now}");
    }
}

#[test]
fn sts_takes_a_presigned_request_for_a_quarter_of_an_hour() {
    let signed_at = read_basic_date("20260101T000000Z").unwrap();
    let payload = PayloadHash::of(b"");
    for (service, life, after, verified) in [
        ("sts", 60, 900, true),
        ("sts", 60, 901, false),
        ("sts", 3600, 3600, true),
        ("sts", 3600, 3601, false),
        ("iam", 60, 60, true),
        ("iam", 60, 61, false),
    ] {
        let signer = Signer { service: service.to_owned(), ..signer("AKID", Style::Plain) };
        let mut parts = Request::get("https://localhost/").body(()).unwrap().into_parts().0;
        let life = SignedDuration::from_secs(life);
        signer.presign(&mut parts, &payload, signed_at, life).unwrap();
        let presented = parse(&parts).unwrap().unwrap();
        let now = signed_at + SignedDuration::from_secs(after);
        let rules = Rules::plain(service, now);
        let outcome =
            SigningKeys::default().verify(&presented, &parts, &payload, &signer.secret, &rules);
        assert_eq!(outcome.is_ok(), verified, "{service} {life} {after}: {outcome:?}");
    }
}

#[test]
fn a_date_header_serves_where_no_x_amz_date_is() {
    let mut case = base("sts post");
    case.parts.headers.remove("x-amz-date");
    case.set("date", "Sun, 30 Aug 2015 12:36:00 GMT");
    let presented = parse(&case.parts).unwrap().unwrap();
    assert_eq!(presented.amz_date, "20150830T123600Z");
    case.set("date", "yesterday");
    assert!(matches!(parse(&case.parts), Err(AuthError::Incomplete(_))));
}

#[test]
fn http2_authority_stands_for_host() {
    let keys = SigningKeys::default();
    let mut case = base("sts post");
    case.parts.headers.remove("host");
    assert!(matches!(case.run(&keys), Outcome::Refused(SigError::Mismatch(_))));
    case.parts.uri = "https://example.amazonaws.com/".parse().unwrap();
    assert_eq!(case.run(&keys), Outcome::Verified);
    case.parts.uri = "https://elsewhere.amazonaws.com/".parse().unwrap();
    assert!(matches!(case.run(&keys), Outcome::Refused(SigError::Mismatch(_))));
}

#[test]
fn only_named_regions_pass_where_regions_are_named() {
    let presented = parse(&base("sts post").parts).unwrap().unwrap();
    let now = presented.signed_at;
    let named = ["eu-central-1".to_owned()];
    let rules = Rules { regions: Regions::Only(&named), ..Rules::plain("sts", now) };
    let refused = presented.check_scope(&rules).unwrap_err();
    assert_eq!(refused.to_string(), "Credential should be scoped to a valid region. ");
    let named = ["us-east-1".to_owned()];
    let rules = Rules { regions: Regions::Only(&named), ..Rules::plain("sts", now) };
    assert_eq!(presented.check_scope(&rules), Ok(()));
}

#[test]
fn an_explanation_shows_the_canonical_request_without_secrets() {
    let keys = SigningKeys::default();
    let mut case = base("sts presigned with session token and a signed header");
    let uri = format!("{}&WebIdentityToken=eyJhbGciOi&TokenCode=123456", case.parts.uri);
    case.parts.uri = uri.parse().unwrap();
    let token = parse(&case.parts).unwrap().unwrap().security_token.unwrap();
    let Outcome::Refused(SigError::Mismatch(explanation)) = case.run(&keys) else {
        panic!("verified");
    };
    let shown = &explanation.canonical_request;
    assert!(shown.starts_with("GET\n/\nAction=GetCallerIdentity&TokenCode=(hidden)&"), "{shown}");
    assert!(shown.contains("&WebIdentityToken=(hidden)"), "{shown}");
    assert!(shown.contains("&X-Amz-Security-Token=(hidden; "), "{shown}");
    assert!(shown.contains("\nx-k8s-aws-id:cluster\n"), "{shown}");
    for secret in ["FwoG", "eyJhbGciOi", "123456", token.expose(), &case.secret] {
        assert!(!format!("{explanation:?}").contains(secret), "{secret}");
    }

    let mut case = base("sts post with session token");
    case.body.push(b'x');
    let Outcome::Refused(SigError::Mismatch(explanation)) = case.run(&keys) else {
        panic!("verified");
    };
    assert!(explanation.canonical_request.contains("\nx-amz-security-token:(hidden; 604 bytes, "));
    assert!(
        explanation.string_to_sign.starts_with(
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/sts/aws4_request\n"
        )
    );
    assert!(!format!("{explanation:?}").contains("FwoG"));
}

#[test]
fn an_explanation_never_tells_the_right_signature() {
    let keys = SigningKeys::default();
    let mut case = base("sts post");
    let right = case.authorization().split_once("Signature=").unwrap().1.to_owned();
    case.edit(&serde_json::json!({"authorization": ["Signature=", "Signature=0"]}));
    let Outcome::Refused(error) = case.run(&keys) else { panic!("verified") };
    assert!(!format!("{error:?}").contains(&right));
}

#[test]
fn secrets_do_not_print() {
    let presented = parse(&base("sts post with session token").parts).unwrap().unwrap();
    assert!(!format!("{presented:?}").contains("FwoG"));
    assert_eq!(format!("{:?}", SecretKey::new("hush")), "SecretKey(…)");
}

#[test]
fn every_sensitive_member_of_the_models_is_hidden_in_explanations() {
    for model in [include_str!("../../models/sts.json"), include_str!("../../models/iam.json")] {
        let model: Value = serde_json::from_str(model).unwrap();
        let shapes = model["shapes"].as_object().unwrap();
        for shape in shapes.values() {
            for member in shape["members"].as_array().into_iter().flatten() {
                let flagged = member[2].as_str().is_some_and(|flags| flags.contains('s'));
                if flagged || shapes[text(&member[1])]["sensitive"] == true {
                    assert!(SECRET_PARAMETERS.contains(&text(&member[0])), "{member}");
                }
            }
        }
    }
}

#[test]
fn a_kept_key_serves_its_own_secret_only() {
    let keys = SigningKeys::default();
    let case = base("sts post");
    assert_eq!(case.run(&keys), Outcome::Verified);
    assert_eq!(keys.held(), 1);
    assert_eq!(case.run(&keys), Outcome::Verified);
    assert_eq!(keys.held(), 1);

    let mut replaced = case.clone();
    replaced.secret.push('x');
    assert!(matches!(replaced.run(&keys), Outcome::Refused(SigError::Mismatch(_))));
    assert_eq!(case.run(&keys), Outcome::Verified);
}

#[test]
fn keys_that_verify_nothing_are_not_kept_and_the_rest_are_bounded() {
    let keys = SigningKeys::new(64);
    let mut case = base("sts post");
    case.secret.push('x');
    assert!(matches!(case.run(&keys), Outcome::Refused(SigError::Mismatch(_))));
    assert_eq!(keys.held(), 0);

    let now = read_basic_date("20150830T123600Z").unwrap();
    for n in 0..1000 {
        let signer = signer(&format!("AKID{n}"), Style::Plain);
        let mut parts = Request::post("https://localhost/").body(()).unwrap().into_parts().0;
        let payload = PayloadHash::of(b"");
        signer.sign(&mut parts, &payload, now).unwrap();
        let presented = parse(&parts).unwrap().unwrap();
        let rules = Rules::plain("sts", now);
        keys.verify(&presented, &parts, &payload, &signer.secret, &rules).unwrap();
    }
    assert!(keys.held() <= 64 + SHARDS_SLACK, "{}", keys.held());
}

/// Rounding per shard.
const SHARDS_SLACK: usize = 32;

fn signer(id: &str, style: Style) -> Signer {
    Signer {
        access_key_id: AccessKeyId::new(id),
        secret: SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        security_token: Some(SecurityToken::new("token+/=")),
        region: "us-east-1".to_owned(),
        service: "sts".to_owned(),
        style,
    }
}

#[test]
fn our_signatures_are_botocores() {
    let now = read_basic_date("20150830T123600Z").unwrap();
    let case = base("sts post");
    let mut parts = case.parts.clone();
    parts.headers.remove("authorization");
    let signer = Signer { security_token: None, ..signer("AKIDEXAMPLE", Style::Plain) };
    signer.sign(&mut parts, &PayloadHash::of(&case.body), now).unwrap();
    assert_eq!(parts.headers["authorization"].to_str().unwrap(), case.authorization());

    let case = base("sts presigned");
    let mut parts = case.parts.clone();
    parts.uri = "/?Action=GetCallerIdentity&Version=2011-06-15".parse().unwrap();
    let life = SignedDuration::from_secs(3600);
    signer.presign(&mut parts, &PayloadHash::of(b""), now, life).unwrap();
    assert_eq!(parts.uri, case.parts.uri);
}

proptest! {
    #[test]
    fn what_we_sign_verifies(
        path in "(/([a-zA-Z0-9._~-]|%[0-9a-fA-F]{2}){0,6}){1,4}",
        query in "([a-zA-Z0-9=&+/-]|%[0-9a-fA-F]{2}){0,30}",
        header in "[ a-z\t]{0,12}",
        body: Vec<u8>,
        s3: bool,
        presigned: bool,
    ) {
        let now = read_basic_date("20260101T000000Z").unwrap();
        let style = if s3 { Style::S3 } else { Style::Plain };
        let mut parts = Request::get(format!("https://localhost:4570{path}?{query}"))
            .header("x-amz-test", header)
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let signer = signer("AKID", style);
        let payload = PayloadHash::of(&body);
        let signed = match presigned {
            true => signer.presign(&mut parts, &payload, now, SignedDuration::from_secs(60)),
            false => signer.sign(&mut parts, &payload, now),
        };
        prop_assert_eq!(signed, Ok(()));
        let presented = parse(&parts).unwrap().unwrap();
        let token = presented.security_token.as_ref().unwrap();
        prop_assert_eq!(token.expose(), "token+/=");
        let rules = Rules { style, ..Rules::plain("sts", now) };
        let keys = SigningKeys::default();
        prop_assert_eq!(
            keys.verify(&presented, &parts, &payload, &signer.secret, &rules),
            Ok(())
        );
        let other = PayloadHash::of(&[&body[..], b"x"].concat());
        prop_assert!(keys.verify(&presented, &parts, &other, &signer.secret, &rules).is_err());
    }

    #[test]
    fn hostile_authorization_never_panics(
        authorization in "(AWS4-HMAC-SHA256)?[ -~]{0,80}",
        date in "[0-9TZ]{0,18}",
        query in "(X-Amz-(Credential|Date|Signature|Algorithm|Expires)=[0-9A-Za-z%/]{0,10}&?){0,5}",
    ) {
        let request = Request::get(format!("/?{query}"))
            .header("authorization", authorization)
            .header("x-amz-date", date)
            .body(())
            .unwrap();
        let _ = parse(&request.into_parts().0);
    }
}

/// Run by hand: `cargo test -p wire --release -- --ignored --nocapture verifying`.
#[test]
#[ignore = "a measurement"]
fn verifying_takes_microseconds() {
    for name in ["sts post", "sts post with session token"] {
        let case = base(name);
        let keys = SigningKeys::default();
        let rounds = 100_000;
        assert_eq!(case.run(&keys), Outcome::Verified);
        let presented = parse(&case.parts).unwrap().unwrap();
        let secret = SecretKey::new(case.secret.as_str());
        let rules = Rules::plain("sts", read_basic_date(&case.now).unwrap());
        let payload = PayloadHash::of(&case.body);
        let time = |what: &str, run: &dyn Fn()| {
            let start = std::time::Instant::now();
            (0..rounds).for_each(|_| run());
            println!("{name}: {what} {:?}", start.elapsed() / rounds);
        };
        time("parse", &|| drop(parse(&case.parts)));
        time("hash body", &|| drop(PayloadHash::of(&case.body)));
        time("verify", &|| {
            keys.verify(&presented, &case.parts, &payload, &secret, &rules).unwrap();
        });
        time("verify, key derived", &|| {
            let keys = SigningKeys::new(0);
            keys.verify(&presented, &case.parts, &payload, &secret, &rules).unwrap();
        });
    }
}
