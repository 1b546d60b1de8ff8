//! Targets, bodies, errors.

use http::Request;

use super::*;
use crate::error_body::Blame;

#[test]
fn a_target_names_prefix_and_operation() {
    let read = |values: &[&str]| {
        let mut request = Request::post("/");
        for value in values {
            request = request.header(TARGET, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        target(&parts).map(|t| (t.prefix.to_owned(), t.operation.to_owned()))
    };
    let both = ("com.amazonaws.Trail_2013".to_owned(), "LookupEvents".to_owned());
    assert_eq!(read(&["com.amazonaws.Trail_2013.LookupEvents"]), Some(both));
    assert_eq!(read(&["LookupEvents"]), None);
    assert_eq!(read(&["a.LookupEvents", "a.StopLogging"]), None);
    assert_eq!(read(&[]), None);
}

#[test]
fn a_body_is_an_object_of_bounded_depth() {
    assert_eq!(read(b"").unwrap(), serde_json::json!({}));
    assert_eq!(read(b" {\"a\":1}").unwrap(), serde_json::json!({"a": 1}));
    for bad in ["[]", "1", "{", "{\"a\":1}x", "\u{1}"] {
        assert_eq!(read(bad.as_bytes()), Err(BodyError::NotAnObject), "{bad}");
    }
    let deep = |n: usize| format!("{}{}", "{\"a\":".repeat(n), "1") + &"}".repeat(n);
    assert!(read(deep(100).as_bytes()).is_ok());
    assert_eq!(read(deep(100_000).as_bytes()), Err(BodyError::NotAnObject));
    assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Err(BodyError::TooLarge));
}

#[test]
fn an_error_names_its_type() {
    let mut fault =
        Fault { code: "InvalidTimeRangeException", message: Some("a \"b\""), blame: Blame::Sender };
    let expected = r#"{"__type":"InvalidTimeRangeException","message":"a \"b\""}"#;
    assert_eq!(error(&fault), expected.as_bytes());
    fault.message = None;
    assert_eq!(error(&fault), br#"{"__type":"InvalidTimeRangeException"}"#);
}
