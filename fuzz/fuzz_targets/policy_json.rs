//! The reader of policy documents: no panic, sound positions, and what is accepted survives
//! printing. The first byte chooses kind and strictness, the rest is the text.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use policy::{Compiled, Document, Kind, Named, PolicyId, PolicyKind, Strictness};

const KINDS: [Kind; 7] = [
    Kind::Identity,
    Kind::Boundary,
    Kind::Session,
    Kind::Trust,
    Kind::Resource,
    Kind::Scp,
    Kind::Rcp,
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let kind = KINDS[usize::from(*choice) % KINDS.len()];
    let strictness = if choice & 0x80 == 0 { Strictness::Stored } else { Strictness::Session };
    match Document::parse(text, kind, strictness) {
        Err(rejection) => {
            assert!(!rejection.message.is_empty() && !rejection.diagnostics.is_empty());
            for diagnostic in &rejection.diagnostics {
                let span = diagnostic.span;
                assert!(span.start <= span.end && span.end as usize <= text.len());
                assert!(text.is_char_boundary(span.start as usize));
                assert!(text.is_char_boundary(span.end as usize));
            }
        }
        Ok(document) => {
            let printed = document.print();
            let again = Document::parse(&printed, kind, strictness).expect("printed, so readable");
            assert!(again == document);
            assert_eq!(again.print(), printed);
            let kept = document.map_principals(|_| None);
            assert!(kept == document);
            let named = Named::new(PolicyId::new("p", PolicyKind::Inline), Arc::new(document));
            let _ = Compiled::new([named]);
        }
    }
});
