//! Forms: reading, walking the tree, and writing what was read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::query::{Form, FormError, Node, encode};

fn walk(node: Node<'_>, names: &[&str], depth: usize) {
    if let Ok(items) = node.items() {
        assert!(items.len() <= 8_192);
        for item in items.into_iter().take(8) {
            if depth < 3 {
                walk(item, names, depth + 1);
            }
        }
    }
    for name in names {
        if let Some(child) = node.child(name) {
            assert!(child.value().is_some() || !child.is_leaf());
            if depth < 3 {
                walk(child, names, depth + 1);
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(form) = Form::parse(data) else { return };
    let pairs: Vec<(&str, &str)> = form.iter().collect();
    let text = encode(pairs.iter().copied());
    match Form::parse(text.as_bytes()) {
        Ok(again) => assert!(again == form),
        // Escapes make a name or the whole longer than what was read.
        Err(FormError::NameTooLong | FormError::TooLarge) => {}
        Err(other) => panic!("written, yet unreadable: {other}"),
    }
    for (name, value) in pairs.iter().filter(|(name, _)| !name.contains('.')) {
        assert_eq!(form.value(name), Some(*value));
    }
    let names: Vec<&str> = pairs.iter().flat_map(|(n, _)| n.split('.')).take(6).collect();
    walk(form.root(), &names, 0);
});
