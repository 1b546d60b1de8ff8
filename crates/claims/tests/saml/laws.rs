//! Laws that hold for whatever bytes come in.

use std::sync::LazyLock;

use claims::Checks;
use claims::saml::{DecryptionKey, Metadata, Presented};
use proptest::prelude::*;

use crate::corpus::{Provider, judge};
use crate::idp::{Recipe, make};

struct Made {
    response: Vec<u8>,
    says: Presented,
}

/// One of each kind: plain, signed twice, encrypted.
static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let recipes = [
        "{}",
        r#"{"sign": [{"id": "_a1"}, {"id": "_r1"}]}"#,
        r#"{"encrypt": {"to": "sp", "data": "aes128-gcm"}}"#,
        r#"{"encrypt": {"to": "sp", "data": "aes256-cbc"}, "sign": [{"id": "_a1"}, {"id": "_r1"}]}"#,
    ];
    let made = recipes.iter().map(|recipe| {
        let recipe: Recipe = serde_json::from_str(recipe).unwrap();
        let response = make(&recipe).into_bytes();
        let says = accepted(&response).unwrap();
        Made { response, says }
    });
    made.collect()
});

fn accepted(response: &[u8]) -> Option<Presented> {
    let outcome = judge(response, &Provider::default(), Checks::Strict);
    outcome.result.ok().map(|verified| Presented::clone(&verified))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is outside the canonical form may change: a blank within base64, a comment. What is
    /// said may not.
    #[test]
    fn an_altered_response_is_refused_or_says_the_same(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let made = &MADE[which];
        let mut response = made.response.clone();
        for (place, byte, kind) in changes {
            let at = place.index(response.len());
            match kind {
                0 => response[at] = byte,
                1 => response.insert(at, byte),
                _ => drop(response.remove(at)),
            }
        }
        if let Some(says) = accepted(&response) {
            prop_assert_eq!(&says, &made.says);
        }
    }

    #[test]
    fn pieces_in_another_order_are_refused_or_say_the_same(
        which in 0..4_usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        let made = &MADE[which];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(made.response.len())).collect();
        cuts.sort_unstable();
        let (a, rest) = made.response.split_at(cuts[0]);
        let (b, rest) = rest.split_at(cuts[1] - cuts[0]);
        let (c, d) = rest.split_at(cuts[2] - cuts[1]);
        for order in [[a, c, b, d], [a, b, b, c], [a, b, d, c], [b, a, c, d]] {
            if let Some(says) = accepted(&order.concat()) {
                prop_assert_eq!(&says, &made.says);
            }
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(accepted(&bytes).is_none());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Metadata::parse(&text).is_err());
        prop_assert!(DecryptionKey::from_pem(&text).is_none());
    }
}
