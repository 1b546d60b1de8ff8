//! Laws that hold for whatever bytes come in.

#[cfg(test)]
mod laws {
    use std::sync::LazyLock;

    use claims::jose::{Alg, KeySet, SigningKey, jwks};
    use claims::mint::{Overrides, Profile, mint};
    use claims::oidc::{Discovery, Issuer, ProviderRules, peek, verify_text};
    use claims::oidc::{causes, discovery::Transport};
    use claims::{Checks, Claims, Failure, UnixTime, Verdict};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NOW: UnixTime = UnixTime(1_790_000_000);

    struct Issued {
        token: String,
        key: SigningKey,
        keys: KeySet,
    }

    static ISSUED: LazyLock<[Issued; 2]> = LazyLock::new(|| {
        [Alg::Rs256, Alg::Es256].map(|alg| {
            let key = SigningKey::generate(alg, "k").unwrap();
            let overrides =
                Overrides { tags: vec![("a".into(), "b".into())], ..Overrides::default() };
            let claims = mint(&Profile::named("generic").unwrap(), &overrides, NOW).unwrap();
            let token = key.sign(&claims).unwrap();
            let document = jwks([&key]).to_string();
            let keys = KeySet::from_jwks(document.as_bytes(), Checks::Aws).unwrap();
            Issued { token, key, keys }
        })
    });

    fn rules(checks: Checks) -> ProviderRules {
        ProviderRules {
            issuer: Issuer::from_registered("idp.example"),
            client_ids: vec!["sts.amazonaws.com".to_owned()],
            checks,
        }
    }

    fn accepted(token: &str, keys: &KeySet) -> bool {
        verify_text(token, &rules(Checks::Aws), keys, None, NOW).result.is_ok()
    }

    #[derive(Clone, Debug)]
    enum Change {
        Replace(usize, char),
        Insert(usize, char),
        Remove(usize),
        Cut(usize),
        Double(usize),
        Swap(usize, usize),
    }

    fn change() -> impl Strategy<Value = Change> {
        let place = 0..4000_usize;
        let character = prop_oneof![
            proptest::char::range('A', 'z'),
            Just('='),
            Just('.'),
            Just('-'),
            Just('\n'),
            any::<char>(),
        ];
        prop_oneof![
            (place.clone(), character.clone()).prop_map(|(at, c)| Change::Replace(at, c)),
            (place.clone(), character).prop_map(|(at, c)| Change::Insert(at, c)),
            place.clone().prop_map(Change::Remove),
            place.clone().prop_map(Change::Cut),
            place.clone().prop_map(Change::Double),
            (place.clone(), place).prop_map(|(a, b)| Change::Swap(a, b)),
        ]
    }

    fn changed(token: &str, changes: &[Change]) -> String {
        let mut text: Vec<char> = token.chars().collect();
        for change in changes {
            let length = text.len().max(1);
            match *change {
                _ if text.is_empty() => {}
                Change::Replace(at, c) => text[at % length] = c,
                Change::Insert(at, c) => text.insert(at % length, c),
                Change::Remove(at) => drop(text.remove(at % length)),
                Change::Cut(at) => text.truncate(at % length),
                Change::Double(at) => {
                    let tail = text[at % length..].to_vec();
                    text.extend(tail);
                }
                Change::Swap(a, b) => text.swap(a % length, b % length),
            }
        }
        text.into_iter().collect()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!("sts.amazonaws.com")),
            Just(json!("https://idp.example")),
            Just(json!(NOW.0)),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|members| json!(members)),
            ]
        })
    }

    const CLAIMS: [&str; 12] = [
        "iss",
        "sub",
        "aud",
        "azp",
        "iat",
        "exp",
        "nbf",
        "https://aws.amazon.com/tags",
        "https://aws.amazon.com/tags/principal_tags/x",
        "https://aws.amazon.com/tags/transitive_tag_keys",
        "https://aws.amazon.com/source_identity",
        "https://aws.amazon.com/roles",
    ];

    #[test]
    fn the_unchanged_token_is_accepted() {
        for issued in ISSUED.iter() {
            assert!(accepted(&issued.token, &issued.keys));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(768))]

        #[test]
        fn a_changed_token_is_never_accepted(
            which in 0..2_usize,
            changes in prop::collection::vec(change(), 1..4),
        ) {
            let issued = &ISSUED[which];
            let token = changed(&issued.token, &changes);
            prop_assume!(token != issued.token);
            prop_assert!(!accepted(&token, &issued.keys));
        }

        /// Whatever the claims are, a judgement is whole: accepted exactly if no finding fails,
        /// and a failure is the first finding that does.
        #[test]
        fn result_and_findings_agree(
            replaced in prop::collection::btree_map(prop::sample::select(&CLAIMS[..]), any_json(), 0..4),
            strict in any::<bool>(),
        ) {
            let issued = &ISSUED[1];
            let mut claims = peek(&issued.token).unwrap().claims().clone().into_map();
            for (name, value) in replaced {
                claims.insert(name.to_owned(), value);
            }
            let token = issued.key.sign(&Claims::new(claims)).unwrap();
            let checks = if strict { Checks::Strict } else { Checks::Aws };
            let role = Some("arn:aws:iam::123456789012:role/r");
            let outcome = verify_text(&token, &rules(checks), &issued.keys, role, NOW);
            let failed = outcome.findings.iter().find(|it| it.verdict == Verdict::Fail);
            match outcome.result {
                Ok(verified) => {
                    prop_assert!(failed.is_none());
                    prop_assert!(verified.signature_checked);
                    prop_assert_eq!(&verified.audience, "sts.amazonaws.com");
                }
                Err(failure) => {
                    prop_assert_eq!(failed.map(|it| it.check), Some(failure.check()));
                    prop_assert!(!failure.client_text().is_empty());
                }
            }
        }

        /// AWS's leniency is never less than ours, but for `key_ops`, which this key has not.
        #[test]
        fn strict_accepts_no_more_than_aws(
            replaced in prop::collection::btree_map(prop::sample::select(&CLAIMS[..]), any_json(), 0..3),
        ) {
            let issued = &ISSUED[1];
            let mut claims = peek(&issued.token).unwrap().claims().clone().into_map();
            for (name, value) in replaced {
                claims.insert(name.to_owned(), value);
            }
            let token = issued.key.sign(&Claims::new(claims)).unwrap();
            let is_ok = |checks| {
                verify_text(&token, &rules(checks), &issued.keys, None, NOW).result.is_ok()
            };
            prop_assert!(!is_ok(Checks::Strict) || is_ok(Checks::Aws));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
            let issuer = Issuer::from_registered("idp.example");
            let _ = KeySet::from_jwks(&bytes, Checks::Strict);
            let _ = Discovery::parse(&bytes, &issuer, Transport::LoopbackHttp);
            let refused = matches!(peek(&text), Err(Failure::NotAJwt { .. }));
            prop_assert!(refused);
        }

        #[test]
        fn no_key_document_panics(key in any_json(), members in prop::collection::btree_map(
            prop::sample::select(&["kty", "kid", "crv", "n", "e", "x", "y", "use", "alg", "x5c", "key_ops", "d"][..]),
            prop_oneof![any_json(), Just(json!("RSA")), Just(json!("EC")), Just(json!("P-256")), Just(json!("AQAB"))],
            0..8,
        )) {
            let document = json!({"keys": [key, members, members]}).to_string();
            for checks in [Checks::Strict, Checks::Aws] {
                let keys = KeySet::from_jwks(document.as_bytes(), checks).unwrap();
                prop_assert_eq!(keys.verdicts().count(), 3);
                prop_assert_eq!(keys.usable(), 0);
            }
        }

        #[test]
        fn no_difference_panics(
            key in prop::sample::select(&["i:sub", "aud", "iss", "environment"][..]),
            wanted in "(repo:|project_path:|system:serviceaccount:)?[a-z@/*?:]{0,30}",
            had in prop::option::of("(repo:|project_path:|system:serviceaccount:)?[a-z@/:]{0,30}"),
            iss in prop::sample::select(&["https://token.actions.githubusercontent.com", "https://x"][..]),
        ) {
            let claims = Claims::new(json!({"iss": iss}).as_object().cloned().unwrap());
            let difference = claims::oidc::Difference {
                key, operator: "StringLike", wanted: &wanted, had: had.as_deref(),
            };
            for cause in causes(&claims, &difference) {
                prop_assert!(!cause.text.is_empty() && !cause.fix.is_empty());
            }
        }
    }
}
