//! The outer door: tokens of OpenID Connect issuers, each accept beside its refusals.

use claims::mapping::{ClaimPath, MappedClaim, Mapping};
use serde_json::{Value, json};
use service::settings::{ClaimKind, ExtendedClaim, Provider, Providers};

use crate::support::{AWAY, HOME, Issuer, Keys, Reply, Town, allow, trusts};

const WEB: &str = "sts:AssumeRoleWithWebIdentity";
const NOT_AUTHORIZED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// An issuer that [`HOME`] has registered, and the town it is registered in.
struct Scene {
    town: Town,
    idp: Issuer,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Provider)) -> Self {
        let idp = Issuer::new("idp.test/realms/heart");
        let mut settings = idp.settings();
        change(&mut settings);
        let town = Town::with(Providers::new([(idp.arn(HOME), settings)].into())).await;
        idp.register(&town, &town.admin).await;
        Self { town, idp }
    }

    /// A role that trusts the issuer under a condition.
    async fn role(&self, name: &str, actions: &[&str], condition: Option<Value>) -> String {
        let trust = trusts(&json!({"Federated": self.idp.arn(HOME)}), actions, condition);
        self.town.role(name, &trust, Some(&allow("iam:ListUsers", "*"))).await
    }

    fn key(&self, claim: &str) -> String {
        format!("{}:{claim}", self.idp.name)
    }

    fn token(&self, claims: &Value) -> String {
        self.idp.token(self.town.now(), claims)
    }

    async fn present(&self, role: &str, claims: &Value) -> Reply {
        assume(&self.town, role, &self.token(claims), &[]).await
    }
}

async fn assume(town: &Town, role: &str, token: &str, more: &[(&str, &str)]) -> Reply {
    let mut input = vec![("RoleArn", role), ("RoleSessionName", "s1"), ("WebIdentityToken", token)];
    input.extend_from_slice(more);
    town.call(None, "sts", "AssumeRoleWithWebIdentity", &input).await
}

#[tokio::test]
async fn a_token_that_the_role_trusts_becomes_a_session() {
    let scene = Scene::new().await;
    let condition =
        json!({"StringEquals": {scene.key("sub"): "anna", scene.key("aud"): "vestibule"}});
    let role = scene.role("web", &[WEB], Some(condition)).await;

    let token = scene.token(&json!({}));
    let reply = assume(&scene.town, &role, &token, &[]).await.ok();
    assert_eq!(reply.text("SubjectFromWebIdentityToken"), "anna");
    assert_eq!(reply.text("Audience"), "vestibule");
    assert_eq!(reply.text("Provider"), scene.idp.arn(HOME));
    assert_eq!(reply.text("Arn"), format!("arn:aws:sts::{HOME}:assumed-role/web/s1"));
    let keys = reply.keys();
    scene.town.iam(&keys, "ListUsers", &[]).await.ok();
    let denied = scene.town.iam(&keys, "ListRoles", &[]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:ListRoles");

    let event = reply.event();
    let text = serde_json::to_string(&event).unwrap();
    let signature = token.rsplit('.').next().unwrap();
    assert!(!text.contains(signature), "the token is in the log book");
    assert_eq!(event.vestibule.claims["sub"], "anna");
    assert_eq!(event.vestibule.provider.as_deref(), Some(scene.idp.arn(HOME).as_str()));

    let denied = scene.present(&role, &json!({"sub": "bob"})).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {WEB}"));
    // A role that is not there is denied in the same words.
    let missing = format!("arn:aws:iam::{HOME}:role/none");
    let denied = scene.present(&missing, &json!({})).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.failed(), format!("role: {missing}"));
}

#[tokio::test]
async fn a_token_is_refused_for_its_own_fault() {
    let scene = Scene::new().await;
    let role = scene.role("web", &[WEB], None).await;
    let now = scene.town.now();
    scene.present(&role, &json!({})).await.ok();

    let invalid = "InvalidIdentityToken";
    let cannot = "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";
    let cases = [
        (
            json!({"aud": null}),
            invalid,
            "Missing a required claim: aud".to_owned(),
            "required-claims",
        ),
        (
            json!({"sub": null}),
            invalid,
            "Missing a required claim: sub".to_owned(),
            "required-claims",
        ),
        (
            json!({"exp": null}),
            invalid,
            "Missing a required claim: exp".to_owned(),
            "required-claims",
        ),
        (json!({"aud": "other"}), invalid, cannot.to_owned(), "audience"),
        (json!({"azp": "other"}), invalid, cannot.to_owned(), "audience"),
        (
            json!({"aud": ["vestibule", "other"]}),
            invalid,
            "Token audience contains more than one audience while authorized party is not present"
                .to_owned(),
            "audience",
        ),
        (
            json!({"exp": now - 301}),
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {} must be before the expiration date/time {}",
                now - 300,
                now - 301
            ),
            "expiry",
        ),
        (
            json!({"iat": now + 301}),
            invalid,
            format!("Token issued in the future: {}", now + 301),
            "issued-at",
        ),
        (
            json!({"nbf": now + 301}),
            invalid,
            format!(
                "Token not yet valid: current date/time {} must be after or equal to the not-before date/time {}",
                now + 300,
                now + 301
            ),
            "not-before",
        ),
        (
            json!({"https://aws.amazon.com/tags": {"principal_tags": {"k": "v"}}}),
            invalid,
            "principal_tags passed in claim is not in correct format.".to_owned(),
            "tags",
        ),
        (
            json!({"https://aws.amazon.com/roles": ["arn:aws:iam::111122223333:role/other"]}),
            invalid,
            "The target role ARN is not present in the roles claim of the identity token"
                .to_owned(),
            "roles",
        ),
    ];
    for (claims, code, message, check) in cases {
        let reply = scene.present(&role, &claims).await.refused(400, code, &message);
        let failed = reply.failed();
        assert!(failed.starts_with(&format!("{check}: ")), "{claims}: {failed}");
    }
    // Each within the leeway is good.
    for claims in [json!({"exp": now - 299, "jti": "a"}), json!({"iat": now + 299, "jti": "b"})] {
        scene.present(&role, &claims).await.ok();
    }
}

#[tokio::test]
async fn a_token_is_refused_for_who_signed_it() {
    let scene = Scene::new().await;
    let role = scene.role("web", &[WEB], None).await;
    let now = scene.town.now();
    let token = scene.token(&json!({}));
    assume(&scene.town, &role, &token, &[]).await.ok();

    // Another key under the same name and key id.
    let forged = Issuer::new("idp.test/realms/heart").token(now, &json!({"jti": "forged"}));
    let refused = assume(&scene.town, &role, &forged, &[]).await;
    assert_eq!((refused.status, refused.text("Code")), (400, "InvalidIdentityToken".to_owned()));
    assert!(refused.failed().starts_with("signature: "), "{}", refused.failed());
    // The payload of one token under the signature of another.
    let other = scene.token(&json!({"sub": "admin"}));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mut mixed, from) = (parts(&token), parts(&other));
    mixed[1] = from[1].clone();
    let refused = assume(&scene.town, &role, &mixed.join("."), &[]).await;
    assert!(refused.failed().starts_with("signature: "), "{}", refused.failed());

    // An issuer that nobody registered, and one that differs by its last slash.
    for name in ["stranger.test", "idp.test/realms/heart/"] {
        let token = Issuer::new(name).token(now, &json!({}));
        let refused = assume(&scene.town, &role, &token, &[]).await;
        let text = format!("No OpenIDConnect provider found in your account for https://{name}");
        let refused = refused.refused(400, "InvalidIdentityToken", &text);
        assert_eq!(refused.failed(), format!("provider: https://{name}"));
    }
    let no_jwt = assume(&scene.town, &role, "no-token", &[]).await;
    no_jwt.refused(
        400,
        "InvalidIdentityToken",
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    );
}

#[tokio::test]
async fn the_same_issuer_in_another_account_opens_nothing_here() {
    let own = Issuer::new("shared.test");
    let theirs = Issuer::new("shared.test");
    let settings = [(own.arn(HOME), own.settings()), (theirs.arn(AWAY), theirs.settings())];
    let town = Town::with(Providers::new(settings.into())).await;
    let away = town.account(AWAY).await;
    own.register(&town, &town.admin).await;
    theirs.register(&town, &away).await;
    let trust = |account| trusts(&json!({"Federated": own.arn(account)}), &[WEB], None);
    let here = town.role("web", &trust(HOME), None).await;
    let there = town.role_of(&away, "web", &trust(AWAY), None).await;

    let genuine = own.token(town.now(), &json!({}));
    let foreign = theirs.token(town.now(), &json!({}));
    assume(&town, &here, &genuine, &[]).await.ok();
    // Verified there, with that account's keys, and kept in the cache of verified tokens…
    assume(&town, &there, &foreign, &[]).await.ok();
    assume(&town, &there, &foreign, &[]).await.ok();
    // …it is nothing here, and the other way about.
    for (role, token) in [(&here, &foreign), (&there, &genuine)] {
        let refused = assume(&town, role, token, &[]).await;
        assert_eq!(refused.text("Code"), "InvalidIdentityToken");
        assert!(refused.failed().starts_with("signature: "), "{}", refused.failed());
    }
    // A role that trusts the other account's registration is not opened by our own.
    let crossed = town.role("crossed", &trust(AWAY), None).await;
    let denied = assume(&town, &crossed, &genuine, &[]).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {WEB}"));
}

#[tokio::test]
async fn a_change_of_the_provider_empties_what_was_verified_under_it() {
    let scene = Scene::new().await;
    let role = scene.role("web", &[WEB], None).await;
    let token = scene.token(&json!({}));
    assume(&scene.town, &role, &token, &[]).await.ok();
    let provider = scene.idp.arn(HOME);
    let client = [("OpenIDConnectProviderArn", provider.as_str()), ("ClientID", "vestibule")];
    scene.town.set_up("RemoveClientIDFromOpenIDConnectProvider", &client).await;
    let refused = assume(&scene.town, &role, &token, &[]).await;
    assert!(refused.failed().starts_with("audience: "), "{}", refused.failed());
    scene.town.set_up("AddClientIDToOpenIDConnectProvider", &client).await;
    assume(&scene.town, &role, &token, &[]).await.ok();

    // A verified token stays verified no longer than it is good.
    scene.town.pass(601);
    let refused = assume(&scene.town, &role, &token, &[]).await;
    assert_eq!((refused.status, refused.text("Code")), (400, "ExpiredTokenException".to_owned()));

    let fresh = scene.token(&json!({}));
    assume(&scene.town, &role, &fresh, &[]).await.ok();
    let arn = [("OpenIDConnectProviderArn", provider.as_str())];
    scene.town.set_up("DeleteOpenIDConnectProvider", &arn).await;
    let refused = assume(&scene.town, &role, &fresh, &[]).await;
    assert!(refused.failed().starts_with("provider: "), "{}", refused.failed());
    // Providers go by their name: made again, it is trusted again.
    scene.idp.register(&scene.town, &scene.town.admin).await;
    assume(&scene.town, &role, &fresh, &[]).await.ok();
}

#[tokio::test]
async fn tags_in_a_token_need_leave_and_reach_the_session() {
    let scene = Scene::new().await;
    let closed = scene.role("closed", &[WEB], None).await;
    let tagged = json!({"StringEquals": {"aws:RequestTag/project": "heart"}});
    let open = scene.role("open", &[WEB, "sts:TagSession"], Some(tagged)).await;
    let nested = |value: &str| {
        json!({"https://aws.amazon.com/tags": {
            "principal_tags": {"project": [value]}, "transitive_tag_keys": ["project"]}})
    };
    scene.present(&closed, &json!({})).await.ok();
    let denied = scene.present(&closed, &nested("heart")).await;
    let denied = denied.denied("Not authorized to perform sts:TagSession");
    assert_eq!(denied.why(), "implicitDeny trust sts:TagSession");
    let denied = scene.present(&open, &nested("sun")).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {WEB}"));
    let flat = json!({"https://aws.amazon.com/tags/principal_tags/project": "heart"});
    scene.present(&open, &flat).await.ok();
    let keys = scene.present(&open, &nested("heart")).await.ok().keys();

    // The developer of heart may change heart's roles, and not sun's.
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:UpdateRoleDescription", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}},
    }]});
    let text = policy.to_string();
    let input = [("RoleName", "open"), ("PolicyName", "abac"), ("PolicyDocument", text.as_str())];
    scene.town.set_up("PutRolePolicy", &input).await;
    for project in ["heart", "sun"] {
        scene.role(project, &[WEB], None).await;
        let tag = [("Tags.member.1.Key", "project"), ("Tags.member.1.Value", project)];
        scene.town.set_up("TagRole", &[("RoleName", project), tag[0], tag[1]]).await;
    }
    let describe = |role| [("RoleName", role), ("Description", "mine")];
    scene.town.iam(&keys, "UpdateRoleDescription", &describe("heart")).await.ok();
    let denied = scene.town.iam(&keys, "UpdateRoleDescription", &describe("sun")).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:UpdateRoleDescription");
    let denied = scene.town.iam(&keys, "UpdateRoleDescription", &describe("closed")).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:UpdateRoleDescription");
}

#[tokio::test]
async fn a_source_identity_in_a_token_needs_leave() {
    let scene = Scene::new().await;
    let closed = scene.role("closed", &[WEB], None).await;
    let open = scene.role("open", &[WEB, "sts:SetSourceIdentity"], None).await;
    let claims = json!({"https://aws.amazon.com/source_identity": "anna.k"});
    let reply = scene.present(&open, &claims).await.ok();
    assert_eq!(reply.text("SourceIdentity"), "anna.k");
    let denied = scene.present(&closed, &claims).await;
    let denied = denied.denied("Not authorized to perform sts:SetSourceIdentity");
    assert_eq!(denied.why(), "implicitDeny trust sts:SetSourceIdentity");
}

#[tokio::test]
async fn only_declared_claims_become_keys_and_none_stands_in_for_another() {
    let extended = |name: &str| ExtendedClaim { name: name.to_owned(), kind: ClaimKind::String };
    let declared = vec![extended("department"), extended("SUB")];
    let scene = Scene::with(|settings| settings.extended_claims = declared).await;
    let asks = |claim: &str, value: &str| Some(json!({"StringEquals": {scene.key(claim): value}}));
    let department = scene.role("department", &[WEB], asks("department", "cardiology")).await;
    let team = scene.role("team", &[WEB], asks("team", "a")).await;
    let anna = scene.role("anna", &[WEB], asks("sub", "anna")).await;
    let claims = json!({"department": "cardiology", "team": "a"});

    let reply = scene.present(&department, &claims).await.ok();
    assert_eq!(reply.event().vestibule.extended_keys, [scene.key("department")]);
    scene.present(&department, &json!({"department": "it"})).await.denied(NOT_AUTHORIZED);
    // AWS would not see a claim that nobody declared, and neither do we.
    let denied = scene.present(&team, &claims).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {WEB}"));
    // ATTACK: a claim `SUB`, which whoever configures tokens may set, stands for no `sub`.
    scene.present(&anna, &json!({})).await.ok();
    let spoofed = json!({"sub": "mallory", "SUB": "anna"});
    let denied = scene.present(&anna, &spoofed).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {WEB}"));
}

#[tokio::test]
async fn mapped_claims_become_tags_unless_the_token_has_its_own() {
    let line = MappedClaim { claim: ClaimPath::new("/org/project"), tag: "project".to_owned() };
    let scene = Scene::with(|settings| settings.tag_mapping = Mapping(vec![line])).await;
    let heart = json!({"StringEquals": {"aws:RequestTag/project": "heart"}});
    let role = scene.role("open", &[WEB, "sts:TagSession"], Some(heart)).await;
    let reply = scene.present(&role, &json!({"org": {"project": "heart"}})).await.ok();
    let event = reply.event();
    let mapped = serde_json::to_value(&event.vestibule.mapped_tags).unwrap();
    assert_eq!(mapped.as_array().unwrap().len(), 1, "{mapped}");

    scene.present(&role, &json!({"org": {"project": "sun"}})).await.denied(NOT_AUTHORIZED);
    scene.present(&role, &json!({})).await.denied(NOT_AUTHORIZED);
    // The token's own tag wins over what the configuration makes of its claims.
    let both = json!({
        "org": {"project": "sun"}, "https://aws.amazon.com/tags/principal_tags/project": "heart",
    });
    scene.present(&role, &both).await.ok();
    let many = json!({"org": {"project": ["heart"]}});
    let refused = scene.present(&role, &many).await;
    assert_eq!((refused.status, refused.text("Code")), (400, "InvalidIdentityToken".to_owned()));
}

#[tokio::test]
async fn a_federated_session_is_held_to_its_claims_and_its_policies() {
    let scene = Scene::new().await;
    let role = scene.role("web", &[WEB], None).await;
    let only_anna = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEquals": {scene.key("sub"): "anna"}},
    }]});
    let text = only_anna.to_string();
    let input = [("RoleName", "web"), ("PolicyName", "anna"), ("PolicyDocument", text.as_str())];
    scene.town.set_up("PutRolePolicy", &input).await;
    let anna = scene.present(&role, &json!({})).await.ok().keys();
    let bob: Keys = scene.present(&role, &json!({"sub": "bob"})).await.ok().keys();
    scene.town.iam(&anna, "ListUsers", &[]).await.ok();
    let denied = scene.town.iam(&bob, "ListUsers", &[]).await;
    assert_eq!(denied.why(), "explicitDeny identity iam:ListUsers");

    let nothing = allow("s3:*", "*").to_string();
    let token = scene.token(&json!({}));
    let narrowed = assume(&scene.town, &role, &token, &[("Policy", &nothing)]).await.ok().keys();
    let denied = scene.town.iam(&narrowed, "ListUsers", &[]).await;
    assert_eq!(denied.why(), "implicitDeny session iam:ListUsers");
}
