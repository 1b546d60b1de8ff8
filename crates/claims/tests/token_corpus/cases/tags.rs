//! Faults in the claims that AWS reads: session tags, source identity, roles.

use serde_json::{Map, Value, json};

use crate::build::{Case, Keys, ROLE, says};

const TAGS: &str = "https://aws.amazon.com/tags";

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    [tags(keys), others(keys)].into_iter().flatten().collect()
}

fn tags(keys: &Keys) -> Vec<Case> {
    let claims = |claims: &[(String, Value)]| {
        let claims: Map<String, Value> = claims.iter().cloned().collect();
        keys.rsa1.token(json!({}), Value::Object(claims))
    };
    let nested = |claim: Value| claims(&[(TAGS.to_owned(), claim)]);
    let flat = |key: &str| format!("{TAGS}/principal_tags/{key}");
    let transitive = format!("{TAGS}/transitive_tag_keys");
    let good = json!({"principal_tags": {"team": ["heart"]}, "transitive_tag_keys": ["team"]});
    let good_nested = json!({"token": nested(good)});
    let good = [(flat("team"), json!("heart")), (transitive.clone(), json!(["team"]))];
    let good_flat = json!({"token": claims(&good)});
    let case = |name: &str, fault: &str, token: String, twin: &Value| {
        let source = "AWS IAM User Guide, passing session tags using AssumeRoleWithWebIdentity";
        Case::new(keys, name, fault, source, token, says::tags()).twin(twin.clone())
    };
    let value = |value: Value| nested(json!({"principal_tags": {"team": value}}));
    vec![
        case(
            "tags-value-text",
            "A nested value is a string, not an array of one.",
            value(json!("heart")),
            &good_nested,
        ),
        case(
            "tags-value-two",
            "A nested value has two elements.",
            value(json!(["heart", "sun"])),
            &good_nested,
        ),
        case(
            "tags-value-none",
            "A nested value is an empty array.",
            value(json!([])),
            &good_nested,
        ),
        case(
            "tags-value-number",
            "A nested value is an array of a number.",
            value(json!([1])),
            &good_nested,
        ),
        case(
            "tags-value-null",
            "A nested value is an array of null.",
            value(json!([null])),
            &good_nested,
        ),
        case(
            "tags-value-object",
            "A nested value is an object.",
            value(json!({"0": "heart"})),
            &good_nested,
        ),
        case(
            "tags-array",
            "The tags claim is an array.",
            nested(json!([{"team": "heart"}])),
            &good_nested,
        ),
        case(
            "tags-text",
            "The tags claim is JSON within a string.",
            nested(json!("{\"principal_tags\":{\"team\":[\"heart\"]}}")),
            &good_nested,
        ),
        case("tags-null", "The tags claim is null.", keys.rsa1.token_with_null(TAGS), &good_nested),
        case(
            "tags-principal-array",
            "principal_tags is an array.",
            nested(json!({"principal_tags": ["team"]})),
            &good_nested,
        ),
        case(
            "tags-transitive-text",
            "transitive_tag_keys is a string.",
            nested(json!({"principal_tags": {"team": ["heart"]}, "transitive_tag_keys": "team"})),
            &good_nested,
        ),
        case(
            "tags-transitive-number",
            "transitive_tag_keys has a number in it.",
            nested(
                json!({"principal_tags": {"team": ["heart"]}, "transitive_tag_keys": ["team", 1]}),
            ),
            &good_nested,
        ),
        case(
            "tags-flat-array",
            "A flattened value is an array.",
            claims(&[(flat("team"), json!(["heart"]))]),
            &good_flat,
        ),
        case(
            "tags-flat-number",
            "A flattened value is a number.",
            claims(&[(flat("team"), json!(1))]),
            &good_flat,
        ),
        case(
            "tags-flat-transitive-text",
            "The flattened transitive keys are a string.",
            claims(&[(flat("team"), json!("heart")), (transitive, json!("team"))]),
            &good_flat,
        ),
        case(
            "tags-both-forms",
            "The same tag in both forms.",
            claims(&[
                (TAGS.to_owned(), json!({"principal_tags": {"team": ["heart"]}})),
                (flat("team"), json!("sun")),
            ]),
            &good_flat,
        ),
    ]
}

fn others(keys: &Keys) -> Vec<Case> {
    let claim = |name: &str, value: Value| {
        keys.rsa1.token(json!({}), json!({ format!("https://aws.amazon.com/{name}"): value }))
    };
    let identity = json!({"token": claim("source_identity", json!("ada"))});
    let identities = |name: &str, fault: &str, token: String| {
        Case::new(keys, name, fault, "AWS STS API, source identity", token, says::source_identity())
            .twin(identity.clone())
    };
    let listed =
        json!({"token": claim("roles", json!(["arn:aws:iam::123456789012:role/other", ROLE]))});
    let joined = format!("arn:aws:iam::123456789012:role/other;{ROLE}");
    let joined = json!({"token": claim("roles", json!(joined))});
    let roles = |name: &str, fault: &str, value: Value, twin: &Value| {
        Case::new(
            keys,
            name,
            fault,
            "AWS STS behaviour, roles claim",
            claim("roles", value),
            says::role(),
        )
        .field("role", json!(ROLE))
        .twin(twin.clone())
    };
    vec![
        identities(
            "source-identity-number",
            "The source identity is a number.",
            claim("source_identity", json!(1)),
        ),
        identities(
            "source-identity-array",
            "The source identity is an array.",
            claim("source_identity", json!(["ada"])),
        ),
        identities(
            "source-identity-null",
            "The source identity is null.",
            keys.rsa1.token_with_null("https://aws.amazon.com/source_identity"),
        ),
        roles(
            "roles-other",
            "The roles claim lists another role.",
            json!(["arn:aws:iam::123456789012:role/other"]),
            &listed,
        ),
        roles("roles-empty", "The roles claim is an empty array.", json!([]), &listed),
        roles(
            "roles-prefix",
            "The roles claim lists a role whose name begins with the wanted one.",
            json!(["arn:aws:iam::123456789012:role/deploy-x"]),
            &listed,
        ),
        roles(
            "roles-wildcard",
            "The roles claim has a wildcard, which is literal.",
            json!(["arn:aws:iam::123456789012:role/*"]),
            &listed,
        ),
        roles(
            "roles-account",
            "The role of the same name in another account.",
            json!("arn:aws:iam::210987654321:role/deploy"),
            &joined,
        ),
        roles(
            "roles-comma",
            "The roles are joined by commas, not semicolons.",
            json!(format!("{ROLE},arn:aws:iam::123456789012:role/other")),
            &joined,
        ),
        roles("roles-object", "The roles claim is an object.", json!({"role": ROLE}), &listed),
        roles("roles-number", "The roles claim is a number.", json!(1), &listed),
    ]
}
