//! First value wins, lists in any order, limits, and no panic on anything.

use http::Request;
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Form<'_> {
    Form::parse(text.as_bytes()).unwrap()
}

fn list(node: Node<'_>) -> Vec<Option<&str>> {
    node.items().unwrap().iter().map(Node::value).collect()
}

#[test]
fn the_first_of_two_values_counts() {
    let form = parse("Action=A&RoleArn=first&RoleArn=second&Action=B");
    assert_eq!(form.action(), Some("A"));
    assert_eq!(form.value("RoleArn"), Some("first"));
    assert_eq!(form.version(), None);
}

#[test]
fn a_body_goes_before_the_query_string() {
    let parts = |method: &str| {
        let uri = "/?Action=FromQuery&Version=1";
        Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
    };
    let post = parts("POST");
    let form = Form::read(&post, b"Action=FromBody").unwrap();
    assert_eq!((form.action(), form.version()), (Some("FromBody"), Some("1")));
    let get = parts("GET");
    let form = Form::read(&get, b"Action=FromBody").unwrap();
    assert_eq!(form.action(), Some("FromQuery"));
}

#[test]
fn lists_come_by_number_whatever_their_order() {
    let form = parse("T.member.10=j&T.member.2=b&T.member.1.Key=a&T.member.3=c&T=x&T-x=y");
    let tags = form.root().child("T").unwrap();
    assert_eq!(tags.value(), Some("x"));
    let items = tags.child("member").unwrap().items().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(items[0].child("Key").unwrap().value(), Some("a"));
    assert_eq!(list(tags.child("member").unwrap()), [None, Some("b"), Some("c"), Some("j")]);
}

#[test]
fn a_name_is_not_its_own_beginning() {
    let form = parse("Tags.member.1=a&TagsX=b&Tag=c&Tags%2Emember.2=d");
    assert_eq!(form.value("Tag"), Some("c"));
    assert_eq!(form.value("TagsX"), Some("b"));
    assert!(form.root().child("Ta").is_none());
    let tags = form.root().child("Tags").unwrap();
    assert_eq!(tags.value(), None);
    assert_eq!(list(tags.child("member").unwrap()), [Some("a"), Some("d")]);
}

#[test]
fn positions_are_plain_positive_numbers() {
    for bad in ["0", "01", "x", "-1", "+1", "1x", "4294967296", ""] {
        let text = format!("T.member.{bad}=a");
        let form = parse(&text);
        let members = form.root().child("T").unwrap().child("member").unwrap();
        assert_eq!(members.items().err(), Some(BadPosition), "{bad}");
    }
    let form = parse("T.member.999999999=a");
    let members = form.root().child("T").unwrap().child("member").unwrap();
    assert_eq!(list(members), [Some("a")]);
}

#[test]
fn escapes_are_read_strictly() {
    assert_eq!(parse("a=%C3%A4+%2B%26%3d").value("a"), Some("ä +&="));
    for bad in ["a=%", "a=%4", "a=%zz", "%G0=a", "a=%FF", "a=%+1"] {
        assert_eq!(Form::parse(bad.as_bytes()).unwrap_err(), FormError::BadEscape, "{bad}");
    }
    assert_eq!(Form::parse(b"a=\xff").unwrap_err(), FormError::BadEscape);
}

#[test]
fn a_name_without_value_is_there() {
    let form = parse("&&a&b=&=c&d=e=f");
    assert_eq!((form.value("a"), form.value("b")), (Some(""), Some("")));
    assert_eq!((form.value(""), form.value("d")), (Some("c"), Some("e=f")));
}

#[test]
fn limits_hold_at_their_edges() {
    let many = |n: usize| (0..n).map(|i| format!("p{i}=v&")).collect::<String>();
    assert!(Form::parse(many(MAX_PARAMETERS).as_bytes()).is_ok());
    let refused = Form::parse(many(MAX_PARAMETERS + 1).as_bytes()).map(drop);
    assert_eq!(refused, Err(FormError::TooManyParameters));

    assert!(Form::parse("n".repeat(MAX_NAME).as_bytes()).is_ok());
    let refused = Form::parse("n".repeat(MAX_NAME + 1).as_bytes()).map(drop);
    assert_eq!(refused, Err(FormError::NameTooLong));

    let large = |n: usize| format!("a={}", "x".repeat(n - 2));
    assert!(Form::parse(large(MAX_BYTES).as_bytes()).is_ok());
    let refused = Form::parse(large(MAX_BYTES + 1).as_bytes()).map(drop);
    assert_eq!(refused, Err(FormError::TooLarge));
}

#[test]
fn values_do_not_print() {
    let form = parse("WebIdentityToken=hush&Action=A");
    assert_eq!(format!("{form:?}"), r#"{"Action", "WebIdentityToken"}"#);
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_again(
        pairs in prop::collection::btree_map(".{1,8}", ".{0,8}", 0..8),
    ) {
        let borrowed = || pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let text = encode(borrowed());
        let form = Form::parse(text.as_bytes()).unwrap();
        prop_assert!(form.iter().eq(borrowed()));
    }

    #[test]
    fn hostile_forms_never_panic(text: Vec<u8>, tree in "([aA.1-3=&%+]{1,4}){0,20}") {
        let _ = Form::parse(&text);
        if let Ok(form) = Form::parse(tree.as_bytes()) {
            for name in ["a", "A", "", "1", "a.a"] {
                if let Some(node) = form.root().child(name) {
                    let _ = node.items();
                    let _ = node.child("a");
                }
            }
        }
    }

    #[test]
    fn a_child_is_what_a_scan_finds(
        names in prop::collection::vec("[ab.1-]{1,5}", 0..12),
        name in "[ab1-]{1,2}",
    ) {
        let text = encode(names.iter().map(|n| (n.as_str(), "v")));
        let form = Form::parse(text.as_bytes()).unwrap();
        let child = form.root().child(&name);
        let below = format!("{name}.");
        let own = names.contains(&name);
        let any_below = names.iter().any(|n| n.starts_with(&below));
        prop_assert_eq!(child.is_some(), own || any_below);
        if let Some(child) = child {
            prop_assert_eq!(child.value().is_some(), own);
            prop_assert_eq!(child.is_leaf(), !any_below);
        }
    }
}
