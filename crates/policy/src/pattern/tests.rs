use proptest::prelude::*;

use super::*;
use crate::context::SetBy;

const FULL: Syntax = Syntax { wildcards: true, variables: true };

fn glob(pattern: &str, text: &str) -> bool {
    Pattern::compile(pattern, FULL).matches(text, &Context::new()) == Match::Yes
}

/// A glob over UTF-16 units by the book: no cleverness, exponential at worst.
fn by_the_book(pattern: &[u16], text: &[u16]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((42, rest)) => (0..=text.len()).any(|n| by_the_book(rest, &text[n..])),
        Some((63, rest)) => !text.is_empty() && by_the_book(rest, &text[1..]),
        Some((unit, rest)) => text.first() == Some(unit) && by_the_book(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn agrees_with_the_book(pattern in "[ab*?é😀€]{0,8}", text in "[abé😀€]{0,8}") {
        let units = |s: &str| s.encode_utf16().collect::<Vec<_>>();
        prop_assert_eq!(glob(&pattern, &text), by_the_book(&units(&pattern), &units(&text)));
    }
}

#[test]
fn one_is_a_utf16_unit() {
    assert!(!glob("?", "😀"));
    assert!(glob("??", "😀"));
    assert!(glob("*?", "😀"));
    assert!(glob("?*?", "😀"));
    assert!(glob("?", "é"));
    assert!(glob("?", "€"));
}

#[test]
fn any_spans_everything() {
    assert!(glob("a*", "a:/\nb"));
    assert!(glob("*", ""));
    assert!(glob("a*b", "ab"));
    assert!(!glob("ab*ba", "aba"), "first and last run must not overlap");
    assert!(!glob("a[b]", "ab"));
}

#[test]
fn substituted_text_is_literal() {
    let mut context = Context::new();
    context.set("aws:PrincipalTag/T", "a*", SetBy::Session);
    context.set("aws:PrincipalTag/V", "${aws:username}", SetBy::Session);
    let matches =
        |pattern: &str, text: &str| Pattern::compile(pattern, FULL).matches(text, &context);
    assert_eq!(matches("${aws:PrincipalTag/t}", "a*"), Match::Yes);
    assert_eq!(matches("${aws:PrincipalTag/t}", "abc"), Match::No);
    assert_eq!(matches("x/${AWS:principaltag/T}/*", "x/a*/y"), Match::Yes);
    assert_eq!(matches("x/${AWS:principaltag/T}/*", "x/ab/y"), Match::No);
    assert_eq!(matches("*${aws:PrincipalTag/T}*", "zza*zz"), Match::Yes);
    assert_eq!(matches("${aws:PrincipalTag/V}", "${aws:username}"), Match::Yes);
    assert_eq!(matches("${aws:PrincipalTag/None}", ""), Match::Unresolved);
    assert_eq!(matches("*${aws:PrincipalTag/None}", "x"), Match::Unresolved);
}

#[test]
fn defaults_are_for_absent_keys_only() {
    let mut context = Context::new();
    context.set("a:present", "p", SetBy::Request);
    context.set_many("aws:TagKeys", ["x"], SetBy::Request);
    let shown = |pattern: &str| Pattern::compile(pattern, FULL).shown(&context);
    assert_eq!(shown("${a:absent, 'd e}f'}"), "d e}f");
    assert_eq!(shown("${a:present, 'd'}"), "p");
    assert_eq!(shown("${a:absent, ''}"), "");
    assert_eq!(shown("${aws:TagKeys, 'd'}"), "${aws:tagkeys}");
}

#[test]
fn escapes_are_literal_characters() {
    assert!(glob("a${*}b", "a*b"));
    assert!(!glob("a${*}b", "axb"));
    assert!(glob("${$}{x}", "${x}"));
    assert!(!glob("a${?}", "ab"));
}

#[test]
fn without_variables_everything_is_plain() {
    let old = Pattern::compile("${aws:username}${*}", Syntax { wildcards: true, variables: false });
    assert_eq!(old.matches("${aws:username}${zz}", &Context::new()), Match::Yes);
    let literal = Pattern::compile("a*?", Syntax { wildcards: false, variables: false });
    assert_eq!(literal.matches("a*?", &Context::new()), Match::Yes);
    assert_eq!(literal.matches("abc", &Context::new()), Match::No);
}

#[test]
fn malformed_variables_are_found() {
    assert_eq!(check_variables("a${b:c}${*}${d:e, 'f'}$g"), Ok(()));
    assert_eq!(check_variables("ab${"), Err(VariableFault { at: 2 }));
    for bad in ["${}", "${a", "${a,'b'}", "${a, b}", "${a, 'b}", "${a${b}}", "${a, 'b'x}"] {
        assert!(check_variables(bad).is_err(), "{bad}");
    }
}

#[test]
fn hostile_stars_are_linear() {
    // ATTACK: a*a*a*…b against aaaa…: exponential or quadratic in naive matchers.
    let pattern = format!("{}b", "a*".repeat(3_000));
    let text = "a".repeat(100_000);
    assert!(!glob(&pattern, &text));
    assert!(glob(&pattern, &format!("{text}b")));
}
