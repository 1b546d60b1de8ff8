use serde_json::json;

use super::*;
use crate::UnixTime;
use crate::mint::{Overrides, Profile, mint};

/// Codes of the causes for a claim of a minted token: `(profile, parameters, claim, operator,
/// wanted)`.
fn codes(
    profile: &str,
    parameters: &[(&str, &str)],
    claim: &str,
    operator: &str,
    wanted: &str,
) -> Vec<&'static str> {
    let parameters =
        parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let overrides = Overrides { parameters, ..Overrides::default() };
    let claims = mint(&Profile::named(profile).unwrap(), &overrides, UnixTime(0)).unwrap();
    let had = claims.texts(claim).map(|texts| texts.join(","));
    let key = format!("idp.example:{claim}");
    let difference = Difference { key: &key, operator, wanted, had: had.as_deref() };
    causes(&claims, &difference).into_iter().map(|cause| cause.code).collect()
}

const R: (&str, &str) = ("repo", "o/r");

#[test]
fn github_subjects() {
    let of = |parameters: &[(&str, &str)], wanted: &str| {
        codes("github", &[&[R], parameters].concat(), "sub", "StringEquals", wanted)
    };
    let main = "repo:o/r:ref:refs/heads/main";
    let prod = ("environment", "prod");
    assert_eq!(of(&[prod], main), ["github-environment-replaces-ref"]);
    assert_eq!(of(&[], "repo:o/r:environment:prod"), ["github-job-has-no-environment"]);
    assert_eq!(of(&[prod], "repo:o/r:environment:dev"), ["github-other-environment"]);
    assert_eq!(of(&[("event", "pull_request")], main), ["github-pull-request"]);
    assert_eq!(of(&[], "repo:o/r:pull_request"), ["github-not-a-pull-request"]);
    assert_eq!(of(&[("ref", "refs/tags/v1")], main), ["github-tag-not-branch"]);
    assert_eq!(of(&[("ref", "refs/heads/dev")], main), ["github-other-ref"]);
    assert_eq!(of(&[], "repo:o/r:ref:main"), ["github-short-ref"]);
    assert_eq!(of(&[], "repo:p/r:ref:refs/heads/main"), ["github-other-owner"]);
    assert_eq!(of(&[], "repo:o/s:ref:refs/heads/main"), ["github-other-repository"]);
    assert_eq!(of(&[], "o/r:ref:refs/heads/main"), ["github-no-repo-prefix"]);
    assert_eq!(of(&[], "repo:O/r:ref:refs/heads/main"), ["case-differs"]);
    assert_eq!(of(&[], "repo:o/*"), ["wildcard-is-literal"]);
}

#[test]
fn github_immutable_subjects() {
    let ids = [R, ("immutable", "true"), ("owner_id", "84"), ("repo_id", "13")];
    let of = |parameters: &[(&str, &str)], wanted: &str| {
        codes("github", parameters, "sub", "StringLike", wanted)
    };
    assert_eq!(of(&ids, "repo:o/r:*"), ["github-immutable-subject"]);
    let both = [&ids[..], &[("environment", "prod")]].concat();
    assert_eq!(
        of(&both, "repo:o/r:ref:refs/heads/main"),
        ["github-immutable-subject", "github-environment-replaces-ref"]
    );
    assert_eq!(of(&[R], "repo:o@84/r@13:*"), ["github-names-only-subject"]);
    assert_eq!(of(&ids, "repo:o@84/r@99:*"), ["github-recreated-repository"]);
}

#[test]
fn github_audience_and_environment() {
    assert_eq!(codes("github", &[], "aud", "", "sts.amazonaws.com"), ["github-default-audience"]);
    assert_eq!(
        codes("github", &[], "environment", "StringEquals", "prod"),
        ["github-job-has-no-environment"]
    );
}

#[test]
fn gitlab_subjects() {
    let of = |wanted: &str| codes("gitlab", &[("project", "g/p")], "sub", "StringEquals", wanted);
    assert_eq!(of("project_path:g/p:ref_type:tag:ref:main"), ["gitlab-other-ref-type"]);
    assert_eq!(of("project_path:g/p:ref_type:branch:ref:dev"), ["gitlab-other-ref"]);
    assert_eq!(of("project_path:g/q:ref_type:branch:ref:main"), ["gitlab-other-project"]);
    assert_eq!(of("project_path:g/p"), ["gitlab-short-subject"]);
}

#[test]
fn kubernetes_subjects_and_clusters() {
    let pod = [("namespace", "shop"), ("serviceaccount", "web")];
    let of = |wanted: &str| codes("kubernetes", &pod, "sub", "StringEquals", wanted);
    assert_eq!(of("system:serviceaccount:web:shop"), ["kubernetes-swapped"]);
    assert_eq!(of("system:serviceaccount:dev:web"), ["kubernetes-other-namespace"]);
    assert_eq!(of("system:serviceaccount:shop:api"), ["kubernetes-other-account"]);
    assert_eq!(of("shop:web"), ["kubernetes-no-prefix"]);
    assert_eq!(of("sts.amazonaws.com"), ["key-mixed-up"]);
    let wanted = "system:serviceaccount:shop:web";
    assert_eq!(codes("kubernetes", &pod, "aud", "StringEquals", wanted), ["key-mixed-up"]);
    let other = "https://oidc.eks.eu-west-1.amazonaws.com/id/00000000000000000000000000000000";
    assert_eq!(codes("kubernetes", &pod, "iss", "", other), ["eks-other-cluster"]);
    let region = "https://oidc.eks.us-east-1.amazonaws.com/id/5A6B7C8D9E0F1A2B3C4D5E6F70819203";
    assert_eq!(codes("kubernetes", &pod, "iss", "", region), ["eks-other-region"]);
}

#[test]
fn other_issuers() {
    let like = |profile, wanted| codes(profile, &[], "sub", "StringEquals", wanted);
    assert_eq!(
        like(
            "terraform",
            "organization:acme:project:Default Project:workspace:network:run_phase:plan"
        ),
        ["terraform-run-phase"]
    );
    assert_eq!(
        like("buildkite", "organization:acme-inc:pipeline:super-duper-app:ref:refs/heads/main"),
        ["buildkite-subject-names-commit"]
    );
    let v1 = "https://sts.windows.net/9122040d-6c67-4c5b-b112-36a304b66dad/";
    assert_eq!(codes("entra", &[], "iss", "", v1), ["entra-token-version"]);
    let no_slash = "https://acme.eu.auth0.com";
    assert_eq!(codes("auth0", &[], "iss", "", no_slash), ["trailing-slash"]);
}

#[test]
fn general_causes() {
    let claims = Claims::new(
        json!({"iss": "https://i", "aud": ["a", "b"], "azp": "c", "Team": "x", "n": "abcdef"})
            .as_object()
            .cloned()
            .unwrap(),
    );
    let of = |key, operator, wanted, had| {
        let difference = Difference { key, operator, wanted, had };
        causes(&claims, &difference).into_iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(of("i:aud", "", "a", Some("c")), ["azp-is-the-audience"]);
    assert_eq!(of("i:team", "", "x", None), ["claim-name-case"]);
    assert_eq!(of("i:gone", "", "x", None), ["claim-missing"]);
    assert_eq!(of("i:n", "", "x", None), ["claim-is-no-key"]);
    assert_eq!(of("i:n", "StringEquals", "abcdxy", Some("abcdef")), ["differs-after"]);
    assert_eq!(of("i:n", "StringEquals", "xyz", Some("abcdef")), [""; 0]);
    assert_eq!(of("i:n", "StringEquals", "abcdef ", Some("abcdef")), ["blanks-differ"]);
    assert_eq!(of("iss", "", "i", Some("https://i")), ["scheme-differs"]);
    assert_eq!(of("i:n", "ForAnyValue:StringLike", "ABC*", Some("abcdef")), ["case-differs"]);
    assert_eq!(of("i:n", "StringEquals", &"x".repeat(5000), Some("abcdef")), [""; 0]);
}

#[test]
fn globs() {
    for (pattern, text, wanted) in [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "abbd", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*a*b", "xxaxxb", true),
        ("", "a", false),
    ] {
        assert_eq!(glob(pattern, text), wanted, "{pattern} {text}");
    }
}
