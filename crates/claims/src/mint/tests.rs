use super::*;

const NOW: UnixTime = UnixTime(1_790_000_000);

fn claims(profile: &str, parameters: &[(&str, &str)]) -> Claims {
    let parameters =
        parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let overrides = Overrides { parameters, ..Overrides::default() };
    mint(&Profile::named(profile).unwrap(), &overrides, NOW).unwrap()
}

#[test]
fn every_profile_reads_and_mints_what_sts_needs() {
    for (name, aliases, text) in PROFILES {
        let profile: Profile =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.name, *name);
        assert!(aliases.iter().all(|alias| Profile::named(alias).as_ref() == Some(&profile)));
        let claims = mint(&profile, &Overrides::default(), NOW)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for required in ["iss", "sub", "aud", "iat", "exp"] {
            assert!(claims.value(required).is_some(), "{name} has no {required}");
        }
        let text = serde_json::to_string(&claims).unwrap();
        assert!(!text.contains('$') && !text.contains("?\":"), "{name}: {text}");
        assert_eq!(claims, mint(&profile, &Overrides::default(), NOW).unwrap(), "{name}");
    }
}

#[test]
fn github_derives_its_subject() {
    let subject = |parameters: &[(&str, &str)]| {
        claims("github", parameters).text("sub").map(str::to_owned).unwrap()
    };
    let repo = ("repo", "acme/api");
    assert_eq!(subject(&[repo]), "repo:acme/api:ref:refs/heads/main");
    assert_eq!(subject(&[repo, ("ref", "refs/tags/v1")]), "repo:acme/api:ref:refs/tags/v1");
    let tagged = claims("github", &[("ref", "refs/tags/v1")]);
    assert_eq!(tagged.text("ref_type"), Some("tag"));
    assert_eq!(subject(&[repo, ("event", "pull_request")]), "repo:acme/api:pull_request");
    let prod = ("environment", "prod");
    assert_eq!(subject(&[repo, prod]), "repo:acme/api:environment:prod");
    assert_eq!(
        subject(&[repo, prod, ("event", "pull_request")]),
        "repo:acme/api:environment:prod",
        "an environment wins over the event"
    );
    assert_eq!(subject(&[repo, ("environment", "eu:prod")]), "repo:acme/api:environment:eu%3Aprod");
    assert_eq!(
        subject(&[repo, prod, ("immutable", "true"), ("owner_id", "84"), ("repo_id", "13")]),
        "repo:acme@84/api@13:environment:prod"
    );
}

#[test]
fn github_without_environment_has_no_such_claim() {
    assert_eq!(claims("github", &[]).value("environment"), None);
    assert_eq!(claims("github", &[("environment", "prod")]).text("environment"), Some("prod"));
    assert_eq!(
        claims("github", &[("repo", "acme/api")]).text("aud"),
        Some("https://github.com/acme")
    );
}

#[test]
fn overrides_reach_every_place() {
    let overrides = Overrides {
        issuer: Some("http://127.0.0.1:4570/idp".to_owned()),
        subject: Some("s".to_owned()),
        audience: vec!["a".to_owned(), "b".to_owned()],
        tags: vec![("team".to_owned(), "heart".to_owned())],
        transitive: vec!["team".to_owned()],
        source_identity: Some("ada".to_owned()),
        roles: vec!["arn:aws:iam::123456789012:role/r".to_owned()],
        groups: vec!["g".to_owned()],
        lifetime: Some(60),
        claims: serde_json::from_str(r#"{"nbf": null}"#).unwrap(),
        without: vec!["email".to_owned()],
        ..Overrides::default()
    };
    let minted = mint(&Profile::named("generic").unwrap(), &overrides, NOW).unwrap();
    let mut minted = serde_json::to_value(minted).unwrap();
    minted.as_object_mut().unwrap().remove("jti");
    assert_eq!(
        minted,
        json!({
            "iss": "http://127.0.0.1:4570/idp", "sub": "s", "aud": ["a", "b"], "nbf": null,
            "iat": NOW.0, "exp": NOW.0 + 60, "groups": ["g"],
            "https://aws.amazon.com/tags":
                {"principal_tags": {"team": ["heart"]}, "transitive_tag_keys": ["team"]},
            "https://aws.amazon.com/source_identity": "ada",
            "https://aws.amazon.com/roles": ["arn:aws:iam::123456789012:role/r"],
        })
    );
    let groups = Overrides { groups: vec!["ops".to_owned()], ..Overrides::default() };
    let okta = mint(&Profile::named("okta").unwrap(), &groups, NOW).unwrap();
    assert_eq!(okta.value("groups"), Some(&json!(["ops"])));
}

#[test]
fn unknown_parameters_are_refused_and_a_seed_changes_ids() {
    let with = |name: &str, value: &str| Overrides {
        parameters: [(name.to_owned(), value.to_owned())].into(),
        ..Overrides::default()
    };
    let profile = Profile::named("kubernetes").unwrap();
    let fault = mint(&profile, &with("repo", "a/b"), NOW).unwrap_err();
    assert!(matches!(fault, MintFault::UnknownParameter { .. }), "{fault}");
    let ids = ["1", "2"].map(|seed| {
        mint(&profile, &with("seed", seed), NOW).unwrap().text("jti").map(str::to_owned)
    });
    assert_ne!(ids[0], ids[1]);
    assert_eq!(Profile::named("nobody"), None);
}
