//! The outer door of enterprises: SAML providers, and assertions that become sessions; each accept
//! beside its refusals. What makes a response hold at all is `corpus/saml`'s matter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::Checks;
use serde_json::{Value, json};
use service::settings::{Provider, Providers};

use crate::saml_idp::{self, Recipe};
use crate::support::{AWAY, HOME, Reply, Town, allow, trusts};

const SAML: &str = "sts:AssumeRoleWithSAML";
/// What a trust policy must allow for the plain response.
pub const ALL: [&str; 3] = [SAML, "sts:TagSession", "sts:SetSourceIdentity"];
const NOT_AUTHORIZED: &str = "Not authorized to perform sts:AssumeRoleWithSAML";
const BASE64: &str = "Invalid base64 SAMLResponse (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: AuthSamlInvalidSamlResponseException; Request ID: null; Proxy: null)";

/// The identity provider of `corpus/saml`, as [`HOME`] has registered it.
pub struct Corp {
    pub arn: String,
}

impl Corp {
    pub async fn register(town: &Town) -> Self {
        let input = [("Name", "Corp"), ("SAMLMetadataDocument", &metadata(&["idp"]))];
        let made = town.set_up("CreateSAMLProvider", &input).await;
        Self { arn: made.text("SAMLProviderArn") }
    }

    /// A role that trusts it under a condition; its ARN.
    pub async fn role(
        &self,
        town: &Town,
        name: &str,
        actions: &[&str],
        condition: Option<Value>,
    ) -> String {
        let trust = trusts(&json!({"Federated": self.arn}), actions, condition);
        town.role(name, &trust, Some(&allow("*", "*"))).await
    }
}

/// The corpus's responses are made for one moment.
pub fn turn_clock(town: &Town) {
    town.pass(1_800_000_000 - town.now());
}

pub fn metadata(certificates: &[&str]) -> String {
    let key = |name: &&str| {
        format!(
            r#"<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"#,
            STANDARD.encode(saml_idp::der(&format!("{name}.crt")))
        )
    };
    let keys: String = certificates.iter().map(key).collect();
    format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/metadata"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#
    )
}

/// A response by a recipe, for roles of [`HOME`], in base64.
fn made(recipe: &Value) -> String {
    let mut recipe = recipe.clone();
    let edits = recipe["edit"].as_array().cloned().unwrap_or_default();
    let home = std::iter::repeat_n(json!(["123456789012", HOME]), 4);
    recipe["edit"] = home.chain(edits).collect();
    let recipe: Recipe = serde_json::from_value(recipe).unwrap();
    STANDARD.encode(saml_idp::make(&recipe))
}

pub fn plain() -> String {
    made(&json!({}))
}

/// The plain response with more attributes, each with a value of its own.
pub fn with_attributes(names: impl Iterator<Item = String>) -> String {
    let one = |name: String| {
        format!(
            r#"<saml:Attribute Name="{name}"><saml:AttributeValue>of {name}</saml:AttributeValue></saml:Attribute>"#
        )
    };
    let plain = saml_idp::file("response.xml");
    let more: String =
        names.filter(|name| !plain.contains(&format!("\"{name}\""))).map(one).collect();
    let end = "</saml:AttributeStatement>";
    made(&json!({"edit": [[end, format!("{more}{end}")]]}))
}

/// A response under an id of its own, so that it is no other one used again.
fn fresh(id: &str, edit: &Value) -> String {
    let mut edits = vec![json!([">ada</saml:NameID>", format!("><!-- {id} -->ada</saml:NameID>")])];
    edits.extend(edit.as_array().cloned().unwrap_or_default());
    // The id is in the assertion and in its signature's reference: both are altered before signing.
    let id = format!("_{id}");
    let made = json!({
        "edit": edits.into_iter().chain([json!(["ID=\"_a1\"", format!("ID=\"{id}\"")]),
            json!(["{{sign:_a1}}", format!("{{{{sign:{id}}}}}")])]).collect::<Vec<_>>(),
        "sign": [{"id": id}],
    });
    self::made(&made)
}

async fn assume(town: &Town, role: &str, response: &str, more: &[(&str, &str)]) -> Reply {
    let provider = format!("arn:aws:iam::{HOME}:saml-provider/Corp");
    let mut input =
        vec![("RoleArn", role), ("PrincipalArn", provider.as_str()), ("SAMLAssertion", response)];
    input.extend_from_slice(more);
    town.call(None, "sts", "AssumeRoleWithSAML", &input).await
}

async fn scene() -> (Town, Corp) {
    let town = Town::new().await;
    turn_clock(&town);
    let corp = Corp::register(&town).await;
    (town, corp)
}

async fn aws_scene() -> (Town, Corp) {
    let aws = Provider { checks: Checks::Aws, ..Provider::default() };
    let arn = format!("arn:aws:iam::{HOME}:saml-provider/Corp");
    let town = Town::with(Providers::new([(arn, aws)].into())).await;
    turn_clock(&town);
    let corp = Corp::register(&town).await;
    (town, corp)
}

#[tokio::test]
async fn an_assertion_that_the_role_trusts_becomes_a_tagged_session() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let response = plain();
    let reply = assume(&town, &role, &response, &[]).await.ok();
    assert_eq!(reply.text("Subject"), "ada");
    assert_eq!(reply.text("SubjectType"), "persistent");
    assert_eq!(reply.text("Issuer"), "https://idp.example/metadata");
    assert_eq!(reply.text("Audience"), "https://signin.aws.amazon.com/saml");
    assert_eq!(reply.text("NameQualifier"), "sSi9PUUPLfG4ZlglL0dziUS4EkQ=");
    assert_eq!(reply.text("SourceIdentity"), "ada");
    assert_eq!(
        reply.text("Arn"),
        format!("arn:aws:sts::{HOME}:assumed-role/deploy/ada@corp.example")
    );
    assert_ne!(reply.text("PackedPolicySize"), "");
    assert_eq!(reply.text("Expiration"), "2027-01-15T09:00:00Z");

    let event = serde_json::to_value(reply.event()).unwrap();
    let piece: String = response.chars().skip(200).take(60).collect();
    assert!(!event.to_string().contains(&piece), "the response is in the log book");
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], "SAMLUser");
    assert_eq!(identity["principalId"], "sSi9PUUPLfG4ZlglL0dziUS4EkQ=:ada");
    let asked = &event["requestParameters"];
    assert_eq!(asked["sAMLAssertionID"], "_a1");
    assert_eq!(asked["roleSessionName"], "ada@corp.example");
    assert_eq!(asked["principalTags"]["project"], "heart");
    assert_eq!(asked["transitiveTagKeys"], json!(["project"]));
    assert_eq!(event["resources"][1]["ARN"], corp.arn);
    assert_eq!(event["vestibule"]["provider"], corp.arn);

    // The transitive tag goes on, with the source identity; the other tag does not.
    let next = trusts(
        &json!({"AWS": HOME}),
        &["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        Some(json!({"StringEquals": {"aws:RequestTag/project": "heart"}})),
    );
    let condition = json!({"StringEquals": {
        "aws:PrincipalTag/project": "heart", "aws:SourceIdentity": "ada"},
        "Null": {"aws:PrincipalTag/cost-center": "true"}});
    let mut policy = allow("iam:ListUsers", "*");
    policy["Statement"][0]["Condition"] = condition;
    let next = town.role("next", &next, Some(&policy)).await;
    let input = [("RoleArn", next.as_str()), ("RoleSessionName", "s2")];
    let chained = town.sts(&reply.keys(), "AssumeRole", &input).await;
    // aws:RequestTag is what the call itself passes: what is inherited is none.
    chained.denied(&format!(
        "User: arn:aws:sts::{HOME}:assumed-role/deploy/ada@corp.example is not authorized to perform: sts:AssumeRole on resource: {next}"
    ));
    let trust = trusts(
        &json!({"AWS": HOME}),
        &["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        Some(json!({"StringEquals": {"aws:PrincipalTag/project": "heart"}})),
    );
    let trust = trust.to_string();
    town.set_up("UpdateAssumeRolePolicy", &[("RoleName", "next"), ("PolicyDocument", &trust)])
        .await;
    let chained = town.sts(&reply.keys(), "AssumeRole", &input).await.ok();
    assert_eq!(chained.text("SourceIdentity"), "ada");
    town.iam(&chained.keys(), "ListUsers", &[]).await.ok();
}

#[tokio::test]
async fn every_key_of_saml_reaches_the_trust_policy_and_the_session_keeps_three() {
    let (town, corp) = scene().await;
    let doc = format!("{HOME}/Corp");
    let keys = [
        ("saml:aud", "https://signin.aws.amazon.com/saml"),
        ("saml:iss", "https://idp.example/metadata"),
        ("saml:sub", "ada"),
        ("saml:sub_type", "persistent"),
        ("saml:doc", doc.as_str()),
        ("saml:namequalifier", "sSi9PUUPLfG4ZlglL0dziUS4EkQ="),
        ("saml:mail", "ada@corp.example"),
        ("aws:RequestTag/project", "heart"),
        ("sts:RoleSessionName", "ada@corp.example"),
        ("sts:SourceIdentity", "ada"),
        ("aws:FederatedProvider", corp.arn.as_str()),
    ];
    for (at, (key, value)) in keys.into_iter().enumerate() {
        for (wanted, fits) in [(value, true), ("other", false)] {
            let condition = json!({"StringEquals": {key: wanted}});
            let trust = trusts(&json!({"Federated": corp.arn}), &ALL, Some(condition));
            let role = town.role("deploy", &trust, Some(&allow("*", "*"))).await;
            let response = fresh(&format!("k{at}"), &json!([]));
            let reply = assume(&town, &role, &response, &[]).await;
            match fits {
                true => drop(reply.ok()),
                false => {
                    let denied = reply.denied(NOT_AUTHORIZED);
                    assert_eq!(denied.why(), format!("implicitDeny trust {SAML}"), "{key}");
                }
            }
            town.set_up("DeleteRolePolicy", &[("RoleName", "deploy"), ("PolicyName", "own")]).await;
            town.set_up("DeleteRole", &[("RoleName", "deploy")]).await;
        }
    }
    let condition = json!({"ForAnyValue:StringEquals": {"saml:eduPersonAffiliation": "member"}});
    let role = corp.role(&town, "deploy", &ALL, Some(condition)).await;
    let reply = assume(&town, &role, &plain(), &[]).await.ok();
    let session = |key: &str, value: &str| {
        let mut policy = allow("iam:ListRoles", "*");
        policy["Statement"][0]["Condition"] = json!({"StringEquals": {key: value}});
        policy.to_string()
    };
    for (key, value, kept) in [
        ("saml:sub", "ada", true),
        ("saml:sub_type", "persistent", true),
        ("saml:namequalifier", "sSi9PUUPLfG4ZlglL0dziUS4EkQ=", true),
        ("saml:iss", "https://idp.example/metadata", false),
        ("saml:aud", "https://signin.aws.amazon.com/saml", false),
    ] {
        let document = session(key, value);
        let input = [("RoleName", "deploy"), ("PolicyName", "own"), ("PolicyDocument", &document)];
        town.set_up("PutRolePolicy", &input).await;
        let status = town.iam(&reply.keys(), "ListRoles", &[]).await.status;
        assert_eq!(status, if kept { 200 } else { 403 }, "{key}");
    }
}

#[tokio::test]
async fn what_the_trust_policy_does_not_grant_is_denied() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &[SAML, "sts:SetSourceIdentity"], None).await;
    let denied = assume(&town, &role, &plain(), &[]).await;
    let denied = denied.denied("Not authorized to perform sts:TagSession");
    assert_eq!(denied.why(), "implicitDeny trust sts:TagSession");
    // A denial uses nothing up.
    let trust = trusts(&json!({"Federated": corp.arn}), &ALL, None).to_string();
    let update = [("RoleName", "deploy"), ("PolicyDocument", trust.as_str())];
    town.set_up("UpdateAssumeRolePolicy", &update).await;
    assume(&town, &role, &plain(), &[]).await.ok();

    let other = format!("arn:aws:iam::{HOME}:saml-provider/Other");
    let trust = trusts(&json!({"Federated": other}), &ALL, None).to_string();
    let update = [("RoleName", "deploy"), ("PolicyDocument", trust.as_str())];
    town.set_up("UpdateAssumeRolePolicy", &update).await;
    let response = fresh("other", &json!([]));
    let denied = assume(&town, &role, &response, &[]).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.why(), format!("implicitDeny trust {SAML}"));
    let missing = format!("arn:aws:iam::{HOME}:role/read");
    let denied = assume(&town, &missing, &response, &[]).await.denied(NOT_AUTHORIZED);
    assert_eq!(denied.failed(), format!("role: {missing}"));
}

#[tokio::test]
async fn a_response_is_refused_for_its_own_fault_in_aws_s_words() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let invalid = "InvalidIdentityToken";
    for (recipe, code, text, failed) in [
        (
            json!({"sign": []}),
            invalid,
            "Response (with optional signature) must contain an assertion with a mandatory signature (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: AuthSamlInvalidSamlResponseException; Request ID: null; Proxy: null)",
            "signature: no signature in the assertion",
        ),
        (
            json!({"alter": [[">ada<", ">eve<"]]}),
            invalid,
            "Response signature invalid",
            "signature: what it covers has been changed since",
        ),
        (
            json!({"edit": [["NotOnOrAfter=\"2027-01-15T08:05:00Z\"", "NotOnOrAfter=\"2027-01-15T07:05:00Z\""]]}),
            "ExpiredTokenException",
            "Response has expired",
            "expiry: 1799996700",
        ),
        (
            json!({"edit": [["urn:amazon:webservices", "urn:other"]]}),
            invalid,
            "Response does not contain the required audience.",
            "audience-restriction: urn:other",
        ),
        (
            json!({"edit": [["SAML/Attributes/Role\"", "SAML/Attributes/role\""]]}),
            invalid,
            "SAML Assertion doesn't contain the requested Role and Metadata in the attributes",
            "roles: no Role",
        ),
    ] {
        let refused = assume(&town, &role, &made(&recipe), &[]).await.refused(400, code, text);
        assert_eq!(refused.failed(), failed);
        assert_eq!(refused.event().vestibule.outcome, service::audit::Outcome::Unauthenticated);
    }
    let refused = assume(&town, &role, "not base64!", &[]).await.refused(400, invalid, BASE64);
    assert!(refused.failed().starts_with("structure: "));

    let away = town.account(AWAY).await;
    let input = [("Name", "Corp"), ("SAMLMetadataDocument", &metadata(&["idp"]))];
    town.iam(&away, "CreateSAMLProvider", &input).await.ok();
    let foreign = format!("arn:aws:iam::{AWAY}:saml-provider/Corp");
    for arn in [foreign, format!("arn:aws:iam::{HOME}:saml-provider/corp")] {
        let input =
            [("RoleArn", role.as_str()), ("PrincipalArn", &arn), ("SAMLAssertion", &plain())];
        let refused = town.call(None, "sts", "AssumeRoleWithSAML", &input).await;
        let refused = refused.refused(400, invalid, "Specified provider doesn't exist");
        assert_eq!(refused.failed(), format!("provider: {arn}"));
    }
    let input = [("RoleArn", role.as_str()), ("PrincipalArn", &role), ("SAMLAssertion", &plain())];
    town.call(None, "sts", "AssumeRoleWithSAML", &input).await.refused(
        400,
        "ValidationError",
        &format!("{role} is invalid"),
    );
}

#[tokio::test]
async fn an_assertion_may_be_made_for_the_server_itself() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let (aws, ours) = ("https://signin.aws.amazon.com/saml", "https://vestibule.test/saml");
    let made = |id: &str, edit: Value| fresh(id, &edit);
    let replaced =
        |name: &str, to: &str| json!([[format!("{name}=\"{aws}\""), format!("{name}=\"{to}\"")]]);
    let for_audience = |it: &str| json!([["urn:amazon:webservices", it]]);
    let invalid = "InvalidIdentityToken";
    let wanted_address = format!("AWS's sign-in address or {ours}");
    let wanted_audience =
        format!("urn:amazon:webservices or {aws} or https://vestibule.test or {ours}");

    let reply = assume(&town, &role, &made("a", replaced("Recipient", ours)), &[]).await.ok();
    assert_eq!(reply.text("Audience"), ours);
    assume(&town, &role, &made("b", replaced("Destination", ours)), &[]).await.ok();
    for (id, audience) in [("c", "https://vestibule.test"), ("d", ours)] {
        assume(&town, &role, &made(id, for_audience(audience)), &[]).await.ok();
    }
    for (id, edit, check, text, wanted) in [
        (
            "e",
            replaced("Recipient", "https://vestibule.test"),
            "recipient: https://vestibule.test",
            BASE64,
            &wanted_address,
        ),
        (
            "f",
            replaced("Destination", "https://vestibule.test/saml/"),
            "destination: https://vestibule.test/saml/",
            BASE64,
            &wanted_address,
        ),
        (
            "g",
            for_audience("https://vestibule.test.evil"),
            "audience-restriction: https://vestibule.test.evil",
            "Response does not contain the required audience.",
            &wanted_audience,
        ),
    ] {
        let refused = assume(&town, &role, &made(id, edit), &[]).await.refused(400, invalid, text);
        assert_eq!(refused.failed(), check);
        let event = serde_json::to_value(refused.event()).unwrap();
        assert!(event["vestibule"].to_string().contains(wanted.as_str()), "{event}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once_for_each_role() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let read = corp.role(&town, "read", &ALL, None).await;
    let response = plain();
    assume(&town, &role, &response, &[]).await.ok();
    // The client never saw the answer, and asks again. Each event says what it used up: the first
    // may be what could not be written.
    let retried = assume(&town, &role, &response, &[]).await.ok();
    assert!(retried.event().vestibule.used.is_some());
    // Another role of the same sign-in.
    assume(&town, &read, &response, &[]).await.ok();
    let expired = "ExpiredTokenException";
    let used = "Response has expired";
    let other = assume(&town, &role, &response, &[("DurationSeconds", "900")]).await;
    assert_eq!(other.refused(400, expired, used).failed(), "one-time-use: one that was used");
    town.pass(60);
    assume(&town, &role, &response, &[]).await.refused(400, expired, used);

    let town = town.restarted().await;
    let again = assume(&town, &role, &response, &[]).await.refused(400, expired, used);
    assert_eq!(again.failed(), "one-time-use: one that was used");
    assume(&town, &role, &fresh("b", &json!([])), &[]).await.ok();

    // A second server has a log book of its own: `docs/unsure.md`.
    let beside = town.beside().await;
    assume(&beside, &role, &response, &[]).await.ok();
    beside.pass(60);
    assume(&beside, &role, &response, &[]).await.refused(400, expired, used);

    let late = json!([
        ["NotOnOrAfter=\"2027-01-15T08:10:00Z\"", "NotOnOrAfter=\"2028-01-15T08:10:00Z\""],
        ["NotOnOrAfter=\"2027-01-15T08:05:00Z\"", "NotOnOrAfter=\"2028-01-15T08:05:00Z\""]
    ]);
    let refused = assume(&town, &role, &fresh("c", &late), &[]).await.refused(400, expired, used);
    assert!(refused.failed().contains("more than a day"));

    // AWS takes it as often as it comes.
    let (town, corp) = aws_scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    assume(&town, &role, &response, &[]).await.ok();
    assume(&town, &role, &response, &[("DurationSeconds", "900")]).await.ok();
    town.pass(61);
    assume(&town, &role, &response, &[]).await.ok();
}

#[tokio::test]
async fn a_session_ends_no_later_than_anybody_wants() {
    let (town, corp) = aws_scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let update = [("RoleName", "deploy"), ("MaxSessionDuration", "43200")];
    town.set_up("UpdateRole", &update).await;
    let ends = |at: &str| {
        json!([[
            "SessionNotOnOrAfter=\"2027-01-15T16:00:00Z\"",
            format!("SessionNotOnOrAfter=\"{at}\"")
        ]])
    };
    let duration = |seconds: &str| json!([[">7200<", format!(">{seconds}<")]]);
    for (edit, asked, until) in [
        // The attribute only shortens what the call does not say.
        (duration("7200"), None, "09:00:00"),
        (duration("900"), None, "08:15:00"),
        (duration("900"), Some("7200"), "10:00:00"),
        (ends("2027-01-15T08:05:00Z"), Some("7200"), "08:05:00"),
        (ends("2027-01-15T12:00:00Z"), Some("43200"), "12:00:00"),
    ] {
        let more: Vec<(&str, &str)> = asked.map(|it| ("DurationSeconds", it)).into_iter().collect();
        let reply = assume(&town, &role, &made(&json!({"edit": edit})), &more).await.ok();
        assert_eq!(reply.text("Expiration"), format!("2027-01-15T{until}Z"), "{edit} {asked:?}");
    }
}

#[tokio::test]
async fn clients_never_learn_what_is_wrong_with_an_encrypted_response() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let key = saml_idp::file("keys/sp.key");
    let add = [("SAMLProviderArn", corp.arn.as_str()), ("AddPrivateKey", key.as_str())];
    town.set_up("UpdateSAMLProvider", &add).await;
    let to = |name: &str| json!({"to": name, "data": "aes128-gcm"});
    for recipe in [
        json!({"encrypt": to("next")}),
        json!({"encrypt": to("sp"), "sign": []}),
        json!({"encrypt": to("sp"), "edit": [["SAML/Attributes/Role\"", "x\""]]}),
        json!({"encrypt": to("sp"), "edit": [["NotOnOrAfter=\"2027-01-15T08:05:00Z\"", "NotOnOrAfter=\"2027-01-15T07:05:00Z\""]]}),
    ] {
        let refused = assume(&town, &role, &made(&recipe), &[]).await;
        refused.refused(400, "InvalidIdentityToken", BASE64);
    }
    let encrypted = made(&json!({"encrypt": to("sp")}));
    assume(&town, &role, &encrypted, &[]).await.ok();
    let again = assume(&town, &role, &encrypted, &[("DurationSeconds", "900")]).await;
    again.refused(400, "InvalidIdentityToken", BASE64);

    let required =
        [("SAMLProviderArn", corp.arn.as_str()), ("AssertionEncryptionMode", "Required")];
    town.set_up("UpdateSAMLProvider", &required).await;
    let refused = assume(&town, &role, &fresh("p", &json!([])), &[]).await;
    let refused = refused.refused(400, "InvalidIdentityToken", BASE64);
    assert_eq!(refused.failed(), "encryption: an assertion in plain text");
}

#[tokio::test]
async fn a_provider_is_made_shown_changed_and_deleted() {
    let (town, corp) = scene().await;
    let arn = [("SAMLProviderArn", corp.arn.as_str())];
    let shown = town.set_up("GetSAMLProvider", &arn).await;
    assert!(shown.text("SAMLProviderUUID").starts_with("SAMLSP"));
    assert_eq!(shown.text("CreateDate"), "2027-01-15T08:00:00Z");
    assert_eq!(shown.text("ValidUntil"), "2127-01-16T08:00:00Z");
    assert!(shown.text("SAMLMetadataDocument").contains("https://idp.example/metadata"));
    let listed = town.set_up("ListSAMLProviders", &[]).await;
    assert_eq!(listed.all("Arn"), [corp.arn.as_str()]);

    let create = |name: &'static str, metadata: String| {
        [("Name", name.to_owned()), ("SAMLMetadataDocument", metadata)]
    };
    let attempt = async |input: &[(&str, String)]| {
        let input: Vec<(&str, &str)> = input.iter().map(|(k, v)| (*k, v.as_str())).collect();
        town.iam(&town.admin, "CreateSAMLProvider", &input).await
    };
    let taken = format!("SAMLProvider {} already exists.", corp.arn);
    attempt(&create("Corp", metadata(&["idp"]))).await.refused(409, "EntityAlreadyExists", &taken);
    for wrong in [
        metadata(&["idp"])
            .replace("<md:IDPSSODescriptor", "<md:SPSSODescriptor")
            .replace("/md:IDPSSODescriptor", "/md:SPSSODescriptor"),
        metadata(&[]) + &" ".repeat(1000),
        metadata(&["weak"]) + &" ".repeat(300),
        metadata(&["idp"]).replace("entityID=\"https://idp.example/metadata\"", ""),
        format!("<!DOCTYPE x>{}", metadata(&["idp"])),
        metadata(&["idp"]).replace("</md:EntityDescriptor>", ""),
    ] {
        let refused = attempt(&create("New", wrong)).await;
        refused.refused(400, "InvalidInput", "Could not parse metadata");
    }
    // An expired certificate is taken, and told.
    let made = attempt(&create("New", metadata(&["next", "expired"]))).await.ok();
    let checks = made.event().vestibule.checks;
    let told = checks.iter().filter_map(|check| check.note.as_deref());
    assert!(told.into_iter().any(|note| note.contains("outside its dates")));

    // Rollover: both certificates sign for a while.
    let role = corp.role(&town, "deploy", &ALL, None).await;
    let by_next = json!({"sign": [{"id": "_a1", "key": "next"}]});
    let refused = assume(&town, &role, &self::made(&by_next), &[]).await;
    refused.refused(400, "InvalidIdentityToken", "Response signature invalid");
    let update = [arn[0], ("SAMLMetadataDocument", &metadata(&["idp", "next"]))];
    town.set_up("UpdateSAMLProvider", &update).await;
    assume(&town, &role, &self::made(&by_next), &[]).await.ok();

    town.set_up("DeleteSAMLProvider", &arn).await;
    let missing = format!("Manifest not found for arn {}", corp.arn);
    for action in ["GetSAMLProvider", "DeleteSAMLProvider", "UpdateSAMLProvider"] {
        town.iam(&town.admin, action, &arn).await.refused(404, "NoSuchEntity", &missing);
    }
    let refused = assume(&town, &role, &fresh("d", &json!([])), &[]).await;
    refused.refused(400, "InvalidIdentityToken", "Specified provider doesn't exist");
}

#[tokio::test]
async fn private_keys_come_and_go_and_are_never_shown() {
    let (town, corp) = scene().await;
    let arn = ("SAMLProviderArn", corp.arn.as_str());
    let update = async |name: &str, value: &str| {
        town.iam(&town.admin, "UpdateSAMLProvider", &[arn, (name, value)]).await
    };
    let needs = "AssertionEncryptionMode Required needs a private key";
    update("AssertionEncryptionMode", "Required").await.refused(400, "InvalidInput", needs);
    let (key, ec) = (saml_idp::file("keys/sp.key"), saml_idp::file("keys/ec.key"));
    let unfit = "Private key must be an RSA key of 2048 to 8192 bits in PEM format";
    update("AddPrivateKey", &ec).await.refused(400, "InvalidInput", unfit);
    let added = update("AddPrivateKey", &key).await.ok();
    let written = serde_json::to_string(&added.event()).unwrap();
    assert!(!written.contains("PRIVATE KEY"), "a private key is in the log book");
    update("AddPrivateKey", &saml_idp::file("keys/next.key")).await.ok();
    let quota = "Cannot exceed quota for PrivateKeysPerSAMLProvider: 2";
    update("AddPrivateKey", &key).await.refused(409, "LimitExceeded", quota);
    update("AssertionEncryptionMode", "Required").await.ok();

    let shown = town.set_up("GetSAMLProvider", &[arn]).await;
    assert_eq!(shown.text("AssertionEncryptionMode"), "Required");
    assert!(!shown.body.contains("PRIVATE KEY"));
    let ids = shown.all("KeyId");
    assert!(ids.len() == 2 && ids.iter().all(|id| id.starts_with("SAMLPK")));
    update("RemovePrivateKey", &ids[0]).await.ok();
    let gone = format!("The private key with id {} cannot be found.", ids[0]);
    update("RemovePrivateKey", &ids[0]).await.refused(404, "NoSuchEntity", &gone);
    update("RemovePrivateKey", &ids[1]).await.refused(400, "InvalidInput", needs);
}

#[tokio::test]
async fn the_explanation_names_what_to_mend_at_the_identity_provider() {
    let (town, corp) = scene().await;
    let role = corp.role(&town, "deploy", &[SAML, "sts:SetSourceIdentity"], None).await;
    let attribute = |from: &str, to: &str| {
        json!([[format!("SAML/Attributes/{from}"), format!("SAML/Attributes/{to}")]])
    };
    let roles = |from: &str, to: &str| json!([[from, to]]);
    let recipient = "Recipient=\"https://signin.aws.amazon.com/saml\"";
    for (edit, code, told) in [
        (
            attribute("Role\"", "role\""),
            "saml-role",
            "its name must be https://aws.amazon.com/SAML/Attributes/Role, with this case",
        ),
        (
            json!([[
                "https://aws.amazon.com/SAML/Attributes/Role\"",
                "https://aws.amazon.com/saml/Role\""
            ]]),
            "saml-role",
            "calls the attribute https://aws.amazon.com/saml/Role",
        ),
        (roles("role/deploy,", "role/deploy, "), "saml-role", "blanks"),
        (roles("role/deploy,", "role/other,"), "saml-role", "add the pair to the attribute Role"),
        (roles("role/deploy,", "role/Deploy,"), "saml-role", "compared with case"),
        (
            roles(
                &format!("arn:aws:iam::{HOME}:role/deploy"),
                "arn:aws:iam::210987654321:role/deploy",
            ),
            "saml-role",
            "another account",
        ),
        (
            roles("saml-provider/Corp</", "saml-provider/Other</"),
            "saml-role",
            "paired with another provider",
        ),
        (
            roles(&format!("{HOME}:saml-provider/Corp</"), "210987654321:saml-provider/Corp</"),
            "saml-role",
            "provider of another account",
        ),
        (
            attribute("RoleSessionName", "rolesessionname"),
            "saml-session-name",
            "its name must be https://aws.amazon.com/SAML/Attributes/RoleSessionName",
        ),
        (
            json!([[
                "<saml:AttributeValue>heart</saml:AttributeValue>",
                "<saml:AttributeValue>heart</saml:AttributeValue><saml:AttributeValue>x</saml:AttributeValue>"
            ]]),
            "saml-tag",
            "PrincipalTag:project with exactly one value",
        ),
        (
            json!([["urn:amazon:webservices", "https://other.example"]]),
            "saml-audience",
            "set the audience",
        ),
        (
            json!([[recipient, "Recipient=\"https://other.example\""]]),
            "saml-address",
            "set the assertion consumer service",
        ),
        (
            json!([[
                ">https://idp.example/metadata</saml:Issuer>{{sign:_a1}}",
                ">https://x.example</saml:Issuer>{{sign:_a1}}"
            ]]),
            "saml-issuer",
            "https://x.example",
        ),
        (
            json!([["NotBefore=\"2027-01-15T07:59:00Z\"", "NotBefore=\"2027-01-15T08:09:00Z\""]]),
            "saml-not-yet-valid",
            "Conditions begins only 9 min",
        ),
        (
            json!([[
                "NotOnOrAfter=\"2027-01-15T08:10:00Z\"",
                "NotOnOrAfter=\"2027-01-15T07:10:00Z\""
            ]]),
            "saml-expired",
            "Conditions ended 50 min",
        ),
        (json!([]), "tag-session-missing", "sts:TagSession"),
    ] {
        let reply = assume(&town, &role, &made(&json!({"edit": edit})), &[]).await;
        assert_ne!(reply.status, 200, "{edit}");
        let story = service::explain::story(&reply.event());
        let cause = story.cause.unwrap();
        assert_eq!(cause.code, code, "{edit}");
        let text = format!("{} {}", cause.text, story.change.unwrap().text);
        assert!(text.contains(told), "{edit}: {text}");
    }
    // A check that AWS does not make is marked as ours, and says so.
    let edit = json!([["urn:amazon:webservices", "https://other.example"]]);
    let event = assume(&town, &role, &made(&json!({"edit": edit})), &[]).await.event();
    let failed = event.vestibule.checks.iter().find(|it| it.verdict == service::audit::Mark::Fail);
    let failed = failed.unwrap();
    assert!(failed.ours);
    assert_eq!(failed.note.as_deref(), Some("aws mode does not make this check"));
}
