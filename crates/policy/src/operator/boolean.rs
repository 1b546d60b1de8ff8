//! Truth: the text `true` in any casing; everything else is false.

pub(super) fn read(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

pub(super) fn fault(literal: &str) -> Option<&'static str> {
    let sound = read(literal) || literal.eq_ignore_ascii_case("false");
    (!sound).then_some("neither \"true\" nor \"false\"")
}
