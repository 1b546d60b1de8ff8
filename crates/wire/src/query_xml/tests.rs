//! What each kind of value looks like; whole answers are in `tests/calls.rs`.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::shape;

fn element<T: Serialize>(value: T) -> String {
    let mut out = Vec::new();
    value.serialize(ser::Element::new(&mut out, "R")).unwrap();
    String::from_utf8(out).unwrap()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sample {
    zulu: String,
    alpha: Option<i64>,
    flags: Vec<bool>,
    inner: Option<Box<Sample>>,
}

fn sample(inner: Option<Box<Sample>>) -> Sample {
    Sample { zulu: "z".to_owned(), alpha: None, flags: vec![true, false], inner }
}

#[test]
fn fields_keep_their_order_and_none_is_nothing() {
    assert_eq!(
        element(sample(Some(Box::new(Sample { alpha: Some(-1), flags: vec![], ..sample(None) })))),
        "<R><Zulu>z</Zulu><Flags><member>true</member><member>false</member></Flags>\
         <Inner><Zulu>z</Zulu><Alpha>-1</Alpha><Flags/></Inner></R>"
    );
}

#[test]
fn empty_values_are_empty_elements() {
    assert_eq!(element(""), "<R/>");
    assert_eq!(element(Vec::<i32>::new()), "<R/>");
    assert_eq!(element(BTreeMap::<String, String>::new()), "<R/>");
    assert_eq!(element(()), "<R/>");
    assert_eq!(element(None::<&str>), "");
}

#[test]
fn maps_are_entries() {
    assert_eq!(
        element(BTreeMap::from([("a", Some(1)), ("b", Some(2))])),
        "<R><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></R>"
    );
}

#[test]
fn text_is_escaped_and_forbidden_characters_are_replaced() {
    assert_eq!(
        element("<a href=\"x\">&'\t\n\r\u{1}\u{ffff}ä\u{10348}"),
        "<R>&lt;a href=&quot;x&quot;&gt;&amp;'\t\n&#xD;\u{fffd}\u{fffd}ä\u{10348}</R>"
    );
}

#[test]
fn what_has_no_form_is_an_error() {
    let mut out = Vec::new();
    assert!((1, 2).serialize(ser::Element::new(&mut out, "R")).is_err());
    #[derive(Serialize)]
    enum Choice {
        Bare,
        Full(u8),
    }
    assert!(Choice::Full(1).serialize(ser::Element::new(&mut out, "R")).is_err());
    assert_eq!(element(Choice::Bare), "<R>Bare</R>");
    assert!(HashMap::from([((1, 2), 3)]).serialize(ser::Element::new(&mut out, "R")).is_err());
}

#[test]
fn an_operation_without_result_has_no_result_element() {
    let delete = shape::iam().operation("DeleteRole").unwrap();
    assert_eq!(
        String::from_utf8(response(delete, &(), "id").unwrap()).unwrap(),
        "<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
    );
}

#[test]
fn an_error_may_come_without_message() {
    let fault = Fault { code: "MalformedInput", message: None, blame: Blame::Receiver };
    assert_eq!(
        String::from_utf8(error(AWS_FAULT, &fault, "id")).unwrap(),
        "<ErrorResponse xmlns=\"http://webservices.amazon.com/AWSFault/2005-15-09\"><Error>\
         <Type>Receiver</Type><Code>MalformedInput</Code></Error><RequestId>id</RequestId>\
         </ErrorResponse>"
    );
}

proptest! {
    #[test]
    fn any_text_makes_well_formed_content(text: String) {
        let xml = element(&text);
        let content = xml.strip_prefix("<R>").and_then(|x| x.strip_suffix("</R>")).unwrap_or("");
        prop_assert!(!content.contains(['<', '>', '\r']));
        prop_assert!(content.chars().all(|c| c >= ' ' || c == '\t' || c == '\n'));
        let unescaped = content
            .replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
            .replace("&#xD;", "\r").replace("&amp;", "&");
        let replaced = |c: char| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c => c,
        };
        prop_assert_eq!(unescaped, text.chars().map(replaced).collect::<String>());
    }
}
