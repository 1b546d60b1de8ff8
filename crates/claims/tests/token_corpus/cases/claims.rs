//! Faults in who issued a token, for whom, about whom.

use serde_json::{Value, json};

use crate::build::{CLIENT, Case, ISSUER, Keys, says};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    [issuers(keys), subjects(keys), audiences(keys)].into_iter().flatten().collect()
}

fn issuers(keys: &Keys) -> Vec<Case> {
    const SOURCE: &str = "OpenID Connect Core section 3.1.3.7, step 2";
    let iss = |iss: Value| keys.rsa1.token(json!({}), json!({ "iss": iss }));
    let google = keys.rsa1.token(json!({}), json!({"iss": "accounts.google.com"}));
    let rules = json!({"issuer": "https://accounts.google.com", "client_ids": [CLIENT]});
    let mut cases = vec![
        Case::new(keys, "iss-missing", "No iss.", SOURCE, iss(Value::Null), says::missing("iss")),
        Case::new(
            keys,
            "iss-null",
            "iss is null.",
            SOURCE,
            keys.rsa1.token_with_null("iss"),
            says::missing("iss"),
        ),
        Case::new(
            keys,
            "iss-array",
            "iss is an array with the right issuer in it.",
            SOURCE,
            iss(json!([ISSUER])),
            says::claim_type("issuer"),
        ),
    ];
    for (name, had, what) in [
        ("iss-trailing-slash", "https://idp.example/tenant/", "has a slash too many"),
        ("iss-case", "https://IDP.example/tenant", "differs in case"),
        ("iss-http", "http://idp.example/tenant", "has another scheme"),
        ("iss-port", "https://idp.example:443/tenant", "names the default port"),
        ("iss-blank-after", "https://idp.example/tenant ", "has a blank at the end"),
        ("iss-nul-after", "https://idp.example/tenant\u{0}", "has a NUL at the end"),
        ("iss-escaped", "https://idp.example/%74enant", "has an escape in its path"),
        ("iss-other-tenant", "https://idp.example/tenant2", "is another tenant of the same host"),
        ("iss-dots", "https://idp.example/x/../tenant", "takes a detour"),
        ("iss-empty", "", "is empty"),
    ] {
        cases.push(Case::new(
            keys,
            name,
            &format!("iss {what}."),
            SOURCE,
            iss(json!(had)),
            says::issuer(had),
        ));
    }
    cases.push(
        Case::new(
            keys,
            "iss-no-scheme",
            "iss lacks its scheme; only Google's may.",
            SOURCE,
            iss(json!("idp.example/tenant")),
            says::issuer("idp.example/tenant"),
        )
        .twin(json!({"token": google, "rules": rules})),
    );
    cases
}

fn subjects(keys: &Keys) -> Vec<Case> {
    let sub = |sub: Value| keys.rsa1.token(json!({}), json!({ "sub": sub }));
    let number = json!({"token": sub(json!(4711))});
    vec![
        Case::new(
            keys,
            "sub-missing",
            "No sub.",
            "OpenID Connect Core section 2",
            sub(Value::Null),
            says::missing("sub"),
        )
        .twin(json!({"token": sub(json!(""))})),
        Case::new(
            keys,
            "sub-null",
            "sub is null; AWS answers 500.",
            "AWS STS behaviour",
            keys.rsa1.token_with_null("sub"),
            says::subject_null(),
        ),
        Case::new(
            keys,
            "sub-object",
            "sub is an object.",
            "RFC 7519 section 4.1.2",
            sub(json!({"id": 1})),
            says::claim_type("subject"),
        ),
        Case::new(
            keys,
            "sub-array",
            "sub is an array.",
            "RFC 7519 section 4.1.2",
            sub(json!(["repo:acme/api:ref:refs/heads/main"])),
            says::claim_type("subject"),
        ),
        Case::new(
            keys,
            "sub-bool",
            "sub is true.",
            "RFC 7519 section 4.1.2",
            sub(json!(true)),
            says::claim_type("subject"),
        ),
        Case::new(
            keys,
            "sub-fraction",
            "sub is a number with a fraction; whole ones count as text.",
            "RFC 7519 section 4.1.2",
            sub(json!(1.5)),
            says::claim_type("subject"),
        )
        .twin(number),
    ]
}

fn audiences(keys: &Keys) -> Vec<Case> {
    const SOURCE: &str = "OpenID Connect Core section 3.1.3.7, steps 3 to 5";
    let aud = |aud: Value| keys.rsa1.token(json!({}), json!({ "aud": aud }));
    let azp = |aud: Value, azp: Value| keys.rsa1.token(json!({}), json!({"aud": aud, "azp": azp}));
    let case = |name: &str, fault: &str, token: String, expect| {
        Case::new(keys, name, fault, SOURCE, token, expect)
    };
    let one = json!({"token": aud(json!([CLIENT]))});
    let party = json!({"token": azp(json!(["api", "other"]), json!(CLIENT))});
    vec![
        case(
            "aud-missing",
            "No aud, as in a Cognito access token.",
            aud(Value::Null),
            says::missing("aud"),
        ),
        case("aud-null", "aud is null.", keys.rsa1.token_with_null("aud"), says::missing("aud")),
        case("aud-empty-array", "aud is an empty array.", aud(json!([])), says::empty_aud())
            .twin(one.clone()),
        case("aud-empty-text", "aud is the empty string.", aud(json!("")), says::audience()),
        case(
            "aud-foreign",
            "aud is another client of the issuer.",
            aud(json!("https://github.com/acme")),
            says::audience(),
        ),
        case(
            "aud-foreign-in-array",
            "aud is an array of another client.",
            aud(json!(["other"])),
            says::audience(),
        )
        .twin(one.clone()),
        case("aud-case", "aud differs in case.", aud(json!("STS.amazonaws.com")), says::audience()),
        case(
            "aud-blank-after",
            "aud has a blank at the end.",
            aud(json!("sts.amazonaws.com ")),
            says::audience(),
        ),
        case(
            "aud-list-in-text",
            "aud is a list within one string.",
            aud(json!("sts.amazonaws.com,other")),
            says::audience(),
        ),
        case(
            "aud-two",
            "Two audiences, one of them registered, and no azp.",
            aud(json!([CLIENT, "other"])),
            says::many_audiences(),
        )
        .twin(party.clone()),
        case(
            "aud-twice-the-same",
            "The same audience twice, and no azp.",
            aud(json!([CLIENT, CLIENT])),
            says::many_audiences(),
        )
        .twin(one.clone()),
        case(
            "aud-number-in-array",
            "aud has a number in it.",
            aud(json!([CLIENT, 1])),
            says::claim_type("required-claims"),
        )
        .twin(one.clone()),
        case("aud-number", "aud is a number.", aud(json!(1)), says::claim_type("required-claims")),
        case(
            "aud-object",
            "aud is an object.",
            aud(json!({"0": CLIENT})),
            says::claim_type("required-claims"),
        ),
        case(
            "aud-nested",
            "aud is an array in an array.",
            aud(json!([[CLIENT]])),
            says::claim_type("required-claims"),
        )
        .twin(one),
        case(
            "azp-foreign",
            "aud is registered, but azp is another client: azp counts.",
            azp(json!(CLIENT), json!("other")),
            says::audience(),
        )
        .twin(party),
        case(
            "azp-empty",
            "azp is the empty string.",
            azp(json!(CLIENT), json!("")),
            says::audience(),
        ),
        case(
            "azp-null",
            "azp is null.",
            keys.rsa1.token_with_null("azp"),
            says::claim_type("audience"),
        ),
        case(
            "azp-array",
            "azp is an array.",
            azp(json!(CLIENT), json!([CLIENT])),
            says::claim_type("audience"),
        ),
        case(
            "aud-no-client-ids",
            "The provider has no client ids: nobody is its audience.",
            keys.rsa1.usual(),
            says::audience(),
        )
        .field("rules", json!({"issuer": ISSUER, "client_ids": []}))
        .twin(json!({"rules": {"issuer": ISSUER, "client_ids": ["other", CLIENT]}})),
    ]
}
