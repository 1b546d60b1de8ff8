use super::*;

const TRUST: &str = r#"{ "Version": "2012-10-17", "Statement": {
  "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
    "AWS": ["arn:aws:iam::111122223333:role/p/R", "111122223333"],
    "Service": "ec2.amazonaws.com" } } }"#;

fn trust(text: &str) -> Document {
    Document::parse(text, Kind::Trust, Strictness::Stored).unwrap()
}

#[test]
fn principals_are_bound_to_ids_and_back() {
    let role = "arn:aws:iam::111122223333:role/p/R";
    let id = "AROAXXXXXXXXXXXXXXXXX";
    let document = trust(TRUST);
    let bound = document.map_principals(|arn| (arn == role).then(|| id.to_owned()));
    let names: Vec<_> = bound.principals().map(|p| (p.kind, p.value)).collect();
    assert_eq!(
        names,
        [
            (PrincipalKind::Aws, id),
            (PrincipalKind::Aws, "111122223333"),
            (PrincipalKind::Service, "ec2.amazonaws.com"),
        ]
    );
    let first = bound.principals().next().unwrap().span;
    let marked = bound.source().get(first.start as usize..first.end as usize);
    assert_eq!(marked, Some("\"AROAXXXXXXXXXXXXXXXXX\""), "spans are those of the new text");
    assert_eq!(trust(bound.source()), bound, "a bound document can be stored and read again");
    let shown = bound.map_principals(|value| (value == id).then(|| role.to_owned()));
    assert_eq!(shown, document);
}

#[test]
fn printing_is_compact_and_keeps_the_forms() {
    let printed = trust(TRUST).print();
    let wanted = concat!(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["#,
        r#""arn:aws:iam::111122223333:role/p/R","111122223333"],"Service":"ec2.amazonaws.com"},"#,
        r#""Action":"sts:AssumeRole"}}"#
    );
    assert_eq!(printed, wanted);
}

#[test]
fn quotas_count_all_but_white_space() {
    assert_eq!(quota_size(" {\n\t\"é\" : 1 }\r"), 7);
}

#[test]
fn hostile_documents_are_refused_in_linear_time() {
    // ATTACK: as many members as fit, so that comparing each with each would take minutes; the
    // clock is not asserted, but the quadratic reader would not come back in time for CI.
    let members: Vec<String> = (0..14_000).map(|n| format!("\"{n:x}\":1")).collect();
    let many = format!("{{{}}}", members.join(","));
    let refused = Document::parse(&many, Kind::Identity, Strictness::Stored).unwrap_err();
    assert_eq!(refused.diagnostics.len(), 100, "the answer stays short");
    let long = " ".repeat(Document::MAX_CHARACTERS + 1);
    let refused = Document::parse(&long, Kind::Identity, Strictness::Stored).unwrap_err();
    assert_eq!(refused.diagnostics[0].message, "the text is too long");
}

#[test]
fn an_unknown_principal_is_worded_as_aws_does() {
    let arn = "arn:aws:iam::111122223333:role/gone";
    let rejection = Rejection::unknown_principal(PrincipalKind::Aws, arn, Span::new(0, 1));
    let wanted = format!("MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"{arn}\"");
    assert_eq!(rejection.to_string(), wanted);
}
