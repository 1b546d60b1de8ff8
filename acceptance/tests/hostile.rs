//! Requests that are wrong in one way each: AWS's code and text, and the server goes on.

use acceptance::{Boto3, Setup, Vestibule, get, post_form, raw};
use serde_json::json;

const STS: &str = "2011-06-15";
const IAM: &str = "2010-05-08";

/// Status, code and text for a form.
struct Case {
    name: &'static str,
    form: Vec<(&'static str, &'static str)>,
    status: u16,
    code: &'static str,
    message: &'static str,
}

fn web_identity(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let role = "arn:aws:iam::111122223333:role/developer";
    let mut form = vec![("Action", "AssumeRoleWithWebIdentity"), ("Version", STS)];
    for (name, value) in
        [("RoleArn", role), ("RoleSessionName", "alice"), ("WebIdentityToken", "not.a.token")]
    {
        if !more.iter().any(|(given, _)| *given == name) {
            form.push((name, value));
        }
    }
    form.extend(more.iter().filter(|(_, value)| *value != "(absent)"));
    form
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "not a token",
            form: web_identity(&[]),
            status: 400, code: "InvalidIdentityToken",
            message: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        },
        Case {
            name: "a session name that is too short",
            form: web_identity(&[("RoleSessionName", "a")]),
            status: 400, code: "ValidationError",
            message: "1 validation error detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: \
                      Member must have length greater than or equal to 2",
        },
        Case {
            name: "a session name with a blank, and a token that is too short, at once",
            form: web_identity(&[("RoleSessionName", "a b"), ("WebIdentityToken", "abc")]),
            status: 400, code: "ValidationError",
            message: "2 validation errors detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: \
                      Member must satisfy regular expression pattern: [\\w+=,.@-]*; Value at \
                      'webIdentityToken' failed to satisfy constraint: Member must have length greater than or \
                      equal to 4",
        },
        Case {
            name: "a duration below the least",
            form: web_identity(&[("DurationSeconds", "899")]),
            status: 400, code: "ValidationError",
            message: "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: \
                      Member must have value greater than or equal to 900",
        },
        Case {
            name: "no session name",
            form: web_identity(&[("RoleSessionName", "(absent)")]),
            status: 400, code: "ValidationError",
            message: "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: \
                      Member must not be null",
        },
        Case {
            name: "an ARN that is none",
            form: web_identity(&[("RoleArn", "arn::b:::something/test-role")]),
            status: 400, code: "ValidationError",
            message: "arn::b:::something/test-role is invalid",
        },
        Case {
            name: "an action that is none",
            form: vec![("Action", "OpenSesame"), ("Version", STS)],
            status: 400, code: "InvalidAction",
            message: "Could not find operation OpenSesame for version 2011-06-15",
        },
        Case {
            name: "no signature",
            form: vec![("Action", "GetCallerIdentity"), ("Version", STS)],
            status: 403, code: "MissingAuthenticationToken",
            message: "Request is missing Authentication Token",
        },
        Case {
            name: "no signature, IAM",
            form: vec![("Action", "ListRoles"), ("Version", IAM)],
            status: 403, code: "MissingAuthenticationToken",
            message: "Request is missing Authentication Token",
        },
    ]
}

#[test]
fn a_wrong_form_gets_awss_code_and_text() {
    let server = Vestibule::start(Setup::default());
    let mut wrong = Vec::new();
    for case in cases() {
        let answer = post_form(server.url(), &case.form);
        let had = (
            answer.status,
            answer.element("Code").unwrap_or_default(),
            answer.element("Message").unwrap_or_default(),
        );
        let wanted = (case.status, case.code.to_owned(), case.message.to_owned());
        if had != wanted {
            wrong.push(format!("{}:\n  wanted {wanted:?}\n  had    {had:?}", case.name));
        }
        if !answer.headers.contains_key("x-amzn-requestid") {
            wrong.push(format!("{}: no request id", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_malformed_integer_has_no_message() {
    let server = Vestibule::start(Setup::default());
    for number in ["9e2", " 900 ", "900.0", "nine"] {
        let form = web_identity(&[]);
        let mut form: Vec<(&str, &str)> = form.clone();
        form.push(("DurationSeconds", number));
        let answer = post_form(server.url(), &form);
        assert_eq!(answer.status, 400, "{number:?}");
        assert_eq!(answer.element("Code").as_deref(), Some("MalformedInput"), "{number:?}");
        assert_eq!(answer.element("Message"), None, "{number:?}");
    }
}

#[test]
fn broken_http_and_bodies_past_their_bound_harm_nobody() {
    let server = Vestibule::start(Setup::default());
    let url = server.url();
    let form = ("content-type", "application/x-www-form-urlencoded");

    let long = vec![b'a'; 10_000_001];
    assert_eq!(raw(url, "POST / HTTP/1.1", &[form], &long).status, 413);
    let announced = [form, ("content-length", "20000001")];
    assert_eq!(raw(url, "POST / HTTP/1.1", &announced, b"").status, 413);
    let many = "a=b&".repeat(200_000);
    assert_eq!(raw(url, "POST / HTTP/1.1", &[form], many.as_bytes()).status / 100, 4);
    let header = "h".repeat(1 << 20);
    assert_eq!(raw(url, "GET / HTTP/1.1", &[("x-long", &header)], b"").status / 100, 4);
    assert_eq!(raw(url, "NONSENSE", &[], b"").status / 100, 4);
    let garbled = [form, ("authorization", "AWS4-HMAC-SHA256 Credential=, Signature=")];
    let body = b"Action=GetCallerIdentity&Version=2011-06-15";
    let answer = raw(url, "POST / HTTP/1.1", &garbled, body);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.element("Code").as_deref(), Some("IncompleteSignature"));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let json = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", TARGET)];
    assert_eq!(raw(url, "POST / HTTP/1.1", &json, deep.as_bytes()).status / 100, 4);

    assert_eq!(get(url, "/_health").status, 200);
}

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

#[test]
fn a_policy_that_is_broken_is_refused_and_nothing_is_written() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    for (document, message) in [
        ("{", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}"#,
            "Syntax errors in policy.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Permit","Action":"*","Resource":"*"}]}"#,
            "Syntax errors in policy.",
        ),
    ] {
        let refusal = admin.refused(
            "iam",
            "create_policy",
            json!({"PolicyName": "broken", "PolicyDocument": document}),
        );
        assert_eq!(refusal.said(), ("MalformedPolicyDocument", message), "{document}");
        assert_eq!(refusal.status, 400);
    }
    let policies = admin.ok("iam", "list_policies", json!({"Scope": "Local"}));
    assert_eq!(policies["Policies"], json!([]));
}

#[test]
fn a_signature_that_is_wrong_names_the_fault_as_aws_does() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let mut wrong = server.admin().clone();
    wrong.secret_access_key = "x".repeat(40);
    let refusal = boto3.signed(&wrong).refused("sts", "get_caller_identity", json!({}));
    assert_eq!(
        refusal.said(),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your \
             AWS Secret Access Key and signing method. Consult the service documentation for details."
        )
    );
    assert_eq!(refusal.status, 403);
    wrong.access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    let refusal = boto3.signed(&wrong).refused("sts", "get_caller_identity", json!({}));
    assert_eq!(
        refusal.said(),
        ("InvalidClientTokenId", "The security token included in the request is invalid.")
    );
    assert_eq!(
        boto3.signed(server.admin()).ok("sts", "get_caller_identity", json!({}))["Account"],
        acceptance::ACCOUNT
    );
}
