//! Sessions that AWS principals make: `AssumeRole` and its chains, `GetSessionToken`,
//! `GetFederationToken`, and what ends them.

use serde_json::{Value, json};

use crate::support::{AWAY, HOME, Keys, Reply, Town, allow, trusts};

const INVALID: &str = "The security token included in the request is invalid.";

/// A role's session by `AssumeRole`.
async fn assume(town: &Town, keys: &Keys, role: &str, more: &[(&str, &str)]) -> Reply {
    let mut input = vec![("RoleArn", role), ("RoleSessionName", "s1")];
    input.extend_from_slice(more);
    town.sts(keys, "AssumeRole", &input).await
}

fn not_authorized(who: &str, action: &str, role: &str) -> String {
    format!("User: {who} is not authorized to perform: {action} on resource: {role}")
}

fn user(name: &str) -> String {
    format!("arn:aws:iam::{HOME}:user/{name}")
}

/// Trusts whoever its account lets assume it.
fn trusts_home(actions: &[&str], condition: Option<Value>) -> Value {
    trusts(&json!({"AWS": HOME}), actions, condition)
}

/// The id of a temporary key tells whose it is, to everybody who may ask, and an account that is none here
/// nobody.
#[tokio::test]
async fn a_temporary_key_tells_its_account() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole"], None);
    let role = town.role("reader", &trust, None).await;
    let leave = allow(vec!["sts:AssumeRole", "sts:GetAccessKeyInfo"], "*");
    let anna = town.user("anna", Some(&leave)).await;
    let id = assume(&town, &anna, &role, &[]).await.ok().text("AccessKeyId");
    let info = town.sts(&anna, "GetAccessKeyInfo", &[("AccessKeyId", &id)]).await.ok();
    assert_eq!(info.text("Account"), HOME);
    let elsewhere = "ASIAY34FZKBOKMUTVV7A";
    let unknown = town.sts(&anna, "GetAccessKeyInfo", &[("AccessKeyId", elsewhere)]).await;
    let text = format!("The access key ID {elsewhere} is not valid.");
    unknown.refused(400, "ValidationError", &text);
}

#[tokio::test]
async fn a_role_is_assumed_where_both_sides_agree() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole"], None);
    let role = town.role("reader", &trust, Some(&allow("iam:ListUsers", "*"))).await;
    let anna = town.user("anna", Some(&allow("sts:AssumeRole", role.as_str()))).await;
    let bob = town.user("bob", None).await;

    let reply = assume(&town, &anna, &role, &[]).await.ok();
    let session = format!("arn:aws:sts::{HOME}:assumed-role/reader/s1");
    assert_eq!(reply.text("Arn"), session);
    assert_eq!(reply.text("Expiration"), "2026-01-01T01:00:00Z");
    assert_eq!(reply.text("PackedPolicySize"), "", "nothing is packed");
    let keys = reply.keys();
    let identity = town.sts(&keys, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(identity.text("Arn"), session);
    assert!(identity.text("UserId").ends_with(":s1"));
    town.iam(&keys, "ListUsers", &[]).await.ok();
    let denied = town.iam(&keys, "ListRoles", &[]).await;
    let denied = denied.denied(&format!(
        "User: {session} is not authorized to perform: iam:ListRoles on resource: \
         arn:aws:iam::{HOME}:role/ because no identity-based policy allows the iam:ListRoles action"
    ));
    assert_eq!(denied.why(), "implicitDeny identity iam:ListRoles");

    let denied = assume(&town, &bob, &role, &[]).await;
    let denied = denied.denied(&not_authorized(&user("bob"), "sts:AssumeRole", &role));
    assert_eq!(denied.why(), "implicitDeny identity sts:AssumeRole");
    // A role that is not there is denied in the same words.
    let missing = format!("arn:aws:iam::{HOME}:role/none");
    let denied = assume(&town, &anna, &missing, &[]).await;
    let denied = denied.denied(&not_authorized(&user("anna"), "sts:AssumeRole", &missing));
    assert_eq!(denied.failed(), format!("role: {missing}"));
}

#[tokio::test]
async fn another_account_needs_leave_on_both_sides() {
    let town = Town::new().await;
    let away = town.account(AWAY).await;
    let trust = trusts(&json!({"AWS": AWAY}), &["sts:AssumeRole"], None);
    let role = town.role("guest", &trust, None).await;
    let closed = town.role("closed", &trusts_home(&["sts:AssumeRole"], None), None).await;
    let anna = town.user_of(&away, "anna", Some(&allow("sts:AssumeRole", "*"))).await;
    let bob = town.user_of(&away, "bob", None).await;
    let who = |name: &str| format!("arn:aws:iam::{AWAY}:user/{name}");

    let reply = assume(&town, &anna, &role, &[]).await.ok();
    let accounts: Vec<_> =
        reply.events().into_iter().filter_map(|event| event.recipient_account_id).collect();
    assert_eq!(accounts.len(), 2, "both sides have it in their log books: {accounts:?}");

    let denied = assume(&town, &bob, &role, &[]).await;
    let denied = denied.denied(&not_authorized(&who("bob"), "sts:AssumeRole", &role));
    // Each side learns its own reason and nothing of the other's.
    assert_eq!(denied.why_in(AWAY), "implicitDeny identity sts:AssumeRole");
    assert_eq!(denied.why_in(HOME), "implicitDeny  sts:AssumeRole");
    let denied = assume(&town, &anna, &closed, &[]).await;
    let denied = denied.denied(&not_authorized(&who("anna"), "sts:AssumeRole", &closed));
    assert_eq!(denied.why_in(HOME), "implicitDeny trust sts:AssumeRole");
    assert_eq!(denied.why_in(AWAY), "implicitDeny  sts:AssumeRole");
}

#[tokio::test]
async fn a_refused_stranger_learns_nothing_of_a_foreign_role() {
    let town = Town::new().await;
    let away = town.account(AWAY).await;
    let condition = json!({"StringEquals": {"sts:ExternalId": "agreed-between-two"}});
    let trust = trusts(&json!({"AWS": AWAY}), &["sts:AssumeRole"], Some(condition));
    let role = town.role("vendor", &trust, None).await;
    let tags =
        [("RoleName", "vendor"), ("Tags.member.1.Key", "tier"), ("Tags.member.1.Value", "gold")];
    town.set_up("TagRole", &tags).await;
    let anna = town.user_of(&away, "anna", Some(&allow("sts:AssumeRole", "*"))).await;

    let denied = assume(&town, &anna, &role, &[]).await;
    let seen = serde_json::to_string(&denied.event_in(AWAY)).unwrap();
    assert!(!seen.contains("agreed-between-two") && !seen.contains("gold"), "{seen}");
    let kept = serde_json::to_string(&denied.event_in(HOME)).unwrap();
    assert!(kept.contains("agreed-between-two"), "the owner sees what it wanted: {kept}");

    // A role that is not there is refused in the same words, with a message as well.
    let missing = format!("arn:aws:iam::{HOME}:role/none");
    let unknown = assume(&town, &anna, &missing, &[]).await;
    for refused in [&denied, &unknown] {
        let message = refused.encoded_message.clone().unwrap();
        let input = [("EncodedMessage", message.as_str())];
        let decoded = town.sts(&away, "DecodeAuthorizationMessage", &input).await.ok();
        let decoded = decoded.text("DecodedMessage");
        assert!(!decoded.contains("gold") && decoded.contains("aws:username"), "{decoded}");
    }
    assume(&town, &anna, &role, &[("ExternalId", "agreed-between-two")]).await.ok();
}

#[tokio::test]
async fn an_external_id_is_held_against_the_trust_policy() {
    let town = Town::new().await;
    let condition = json!({"StringEquals": {"sts:ExternalId": "42-x"}});
    let trust = trusts_home(&["sts:AssumeRole"], Some(condition));
    let role = town.role("vendor", &trust, None).await;
    let anna = town.user("anna", Some(&allow("sts:AssumeRole", "*"))).await;
    assume(&town, &anna, &role, &[("ExternalId", "42-x")]).await.ok();
    for wrong in [&[("ExternalId", "43-x")][..], &[]] {
        let denied = assume(&town, &anna, &role, wrong).await;
        let denied = denied.denied(&not_authorized(&user("anna"), "sts:AssumeRole", &role));
        assert_eq!(denied.why(), "implicitDeny trust sts:AssumeRole");
    }
}

#[tokio::test]
async fn a_chain_lasts_an_hour_and_keeps_its_transitive_tags() {
    let town = Town::new().await;
    let assuming = allow(json!(["sts:AssumeRole", "sts:TagSession"]), "*");
    let all = ["sts:AssumeRole", "sts:TagSession"];
    let first = town.role("first", &trusts_home(&all, None), Some(&assuming)).await;
    let condition = json!({"StringEquals": {"aws:PrincipalTag/project": "heart"}});
    let mut reading = allow("iam:ListUsers", "*");
    reading["Statement"][0]["Condition"] = condition;
    let second = town.role("second", &trusts_home(&all, None), Some(&reading)).await;
    for name in ["first", "second"] {
        let input = [("RoleName", name), ("MaxSessionDuration", "7200")];
        town.set_up("UpdateRole", &input).await;
    }
    let anna = town.user("anna", Some(&assuming)).await;
    let project = [("Tags.member.1.Key", "project"), ("Tags.member.1.Value", "heart")];
    let transitive = [project[0], project[1], ("TransitiveTagKeys.member.1", "project")];

    let two_hours = [("DurationSeconds", "7200")];
    let plain = assume(&town, &anna, &first, &two_hours).await.ok();
    assert_eq!(plain.text("Expiration"), "2026-01-01T02:00:00Z");
    let tagged = assume(&town, &anna, &first, &transitive).await.ok();
    assert_ne!(tagged.text("PackedPolicySize"), "");
    let only_here = assume(&town, &anna, &first, &project).await.ok();

    // The cap of a chain; the default and one hour pass.
    let too_long = assume(&town, &tagged.keys(), &second, &[("DurationSeconds", "3601")]).await;
    too_long.refused(
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
    let chained = assume(&town, &tagged.keys(), &second, &[("DurationSeconds", "3600")]).await.ok();
    let over = assume(&town, &anna, &first, &[("DurationSeconds", "7201")]).await;
    over.refused(
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );

    // The tag went on with the chain; the one that was not transitive did not.
    town.iam(&chained.keys(), "ListUsers", &[]).await.ok();
    let lost = assume(&town, &only_here.keys(), &second, &[]).await.ok();
    let denied = town.iam(&lost.keys(), "ListUsers", &[]).await;
    assert_eq!((denied.status, denied.text("Code")), (403, "AccessDenied".to_owned()));
    assert_eq!(denied.why(), "implicitDeny identity iam:ListUsers");

    // What is handed on cannot be passed again, not even unchanged.
    let again = assume(&town, &tagged.keys(), &second, &project).await;
    again.refused(
        400,
        "InvalidParameterValue",
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
}

#[tokio::test]
async fn tags_and_source_identities_need_leave_of_their_own() {
    let town = Town::new().await;
    let any = allow("sts:*", "*");
    let anna = town.user("anna", Some(&any)).await;
    let plain = town.role("plain", &trusts_home(&["sts:AssumeRole"], None), Some(&any)).await;
    let all = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    let open = town.role("open", &trusts_home(&all, None), Some(&any)).await;
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];

    assume(&town, &anna, &open, &tag).await.ok();
    let denied = assume(&town, &anna, &plain, &tag).await;
    // Within one account the caller's own policy suffices where the trust names the account, but
    // only for what the trust policy allows.
    let denied = denied.denied(&not_authorized(&user("anna"), "sts:TagSession", &plain));
    assert_eq!(denied.why(), "implicitDeny trust sts:TagSession");

    let source = [("SourceIdentity", "anna.k")];
    let reply = assume(&town, &anna, &open, &source).await.ok();
    assert_eq!(reply.text("SourceIdentity"), "anna.k");
    let denied = assume(&town, &anna, &plain, &source).await;
    let denied = denied.denied(&not_authorized(&user("anna"), "sts:SetSourceIdentity", &plain));
    assert_eq!(denied.why(), "implicitDeny trust sts:SetSourceIdentity");

    // It stays for the whole chain, and cannot be changed.
    let next = assume(&town, &reply.keys(), &open, &[]).await.ok();
    assert_eq!(next.text("SourceIdentity"), "anna.k");
    let changed = assume(&town, &reply.keys(), &open, &[("SourceIdentity", "bob")]).await;
    let text = "The source identity is already set for this assume role session";
    changed.refused(400, "ValidationError", text);
}

#[tokio::test]
async fn session_policies_narrow_and_never_widen() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole"], None);
    let lists = allow(json!(["iam:ListUsers", "iam:ListRoles"]), "*");
    let role = town.role("lists", &trust, Some(&lists)).await;
    let anna = town.user("anna", Some(&allow("sts:AssumeRole", "*"))).await;
    let document = allow("iam:*", "*").to_string();
    let input = [("PolicyName", "all"), ("PolicyDocument", document.as_str())];
    let policy = town.set_up("CreatePolicy", &input).await.text("Arn");
    let session = format!("arn:aws:sts::{HOME}:assumed-role/lists/s1");

    let users_only = allow(json!(["iam:ListUsers", "iam:ListGroups"]), "*").to_string();
    let inline = assume(&town, &anna, &role, &[("Policy", &users_only)]).await.ok();
    town.iam(&inline.keys(), "ListUsers", &[]).await.ok();
    let denied = town.iam(&inline.keys(), "ListRoles", &[]).await;
    let denied = denied.denied(&format!(
        "User: {session} is not authorized to perform: iam:ListRoles on resource: \
         arn:aws:iam::{HOME}:role/ because no session policy allows the iam:ListRoles action"
    ));
    assert_eq!(denied.why(), "implicitDeny session iam:ListRoles");
    let denied = town.iam(&inline.keys(), "ListGroups", &[]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:ListGroups");

    let managed = assume(&town, &anna, &role, &[("PolicyArns.member.1.arn", &policy)]).await.ok();
    town.iam(&managed.keys(), "ListRoles", &[]).await.ok();
    // Its document is read when a request is decided: a policy that is gone allows nothing.
    town.set_up("DeletePolicy", &[("PolicyArn", &policy)]).await;
    let denied = town.iam(&managed.keys(), "ListRoles", &[]).await;
    assert_eq!(denied.why(), "implicitDeny session iam:ListRoles");

    let broken = assume(&town, &anna, &role, &[("Policy", "{\"Version\":")]).await;
    broken.refused(400, "MalformedPolicyDocument", "This policy contains invalid Json");
    let missing = assume(&town, &anna, &role, &[("PolicyArns.member.1.arn", &policy)]).await;
    assert_eq!((missing.status, missing.text("Code")), (400, "ValidationError".to_owned()));
}

#[tokio::test]
async fn what_does_not_fit_is_not_issued() {
    let town = Town::new().await;
    let all = ["sts:AssumeRole", "sts:TagSession"];
    let role = town.role("open", &trusts_home(&all, None), None).await;
    let anna = town.user("anna", Some(&allow("sts:*", "*"))).await;
    // Random-looking values do not pack.
    let values: Vec<(String, String)> = (1..=50_u64)
        .map(|at| {
            let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (
                at.to_string(),
                mixed.to_string().repeat(2)
                    + &mixed.rotate_left(29).to_string()
                    + &(mixed ^ 0x5bd1_e995_9e37).to_string(),
            )
        })
        .collect();
    let tags = |count: usize| -> Vec<(String, String)> {
        let names = values.iter().take(count).flat_map(|(at, value)| {
            let member = |what: &str| format!("Tags.member.{at}.{what}");
            [(member("Key"), format!("k{at}")), (member("Value"), value.clone())]
        });
        names.collect()
    };
    let few = tags(5);
    let few: Vec<_> = few.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let fits = assume(&town, &anna, &role, &few).await.ok();
    let percent: u32 = fits.text("PackedPolicySize").parse().unwrap();
    assert!((1..=100).contains(&percent), "{percent}");

    let many = tags(50);
    let many: Vec<_> = many.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let refused = assume(&town, &anna, &role, &many).await;
    assert_eq!((refused.status, refused.text("Code")), (400, "PackedPolicyTooLarge".to_owned()));
    let text = refused.text("Message");
    assert!(text.ends_with("% of allotted space, please use smaller policy."), "{text}");
}

#[tokio::test]
async fn a_deleted_role_ends_its_sessions_and_its_namesake_revives_none() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole"], None);
    let role = town.role("brief", &trust, None).await;
    let anna = town.user("anna", Some(&allow("sts:AssumeRole", "*"))).await;
    let keys = assume(&town, &anna, &role, &[]).await.ok().keys();
    town.sts(&keys, "GetCallerIdentity", &[]).await.ok();

    town.set_up("DeleteRole", &[("RoleName", "brief")]).await;
    let dead = town.sts(&keys, "GetCallerIdentity", &[]).await;
    let dead = dead.refused(403, "InvalidClientTokenId", INVALID);
    assert_eq!(dead.failed(), "access-key: the role is gone");
    town.role("brief", &trust, None).await;
    let dead = town.sts(&keys, "GetCallerIdentity", &[]).await;
    dead.refused(403, "InvalidClientTokenId", INVALID);
    assume(&town, &anna, &role, &[]).await.ok();
}

#[tokio::test]
async fn a_session_ends_by_its_time_and_by_a_policy_on_its_issue() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole"], None);
    let role = town.role("reader", &trust, Some(&allow("iam:ListUsers", "*"))).await;
    let anna = town.user("anna", Some(&allow("sts:AssumeRole", "*"))).await;
    let keys = assume(&town, &anna, &role, &[("DurationSeconds", "900")]).await.ok().keys();
    town.pass(899);
    town.iam(&keys, "ListUsers", &[]).await.ok();
    town.pass(1);
    let expired = "The security token included in the request is expired";
    let reply = town.iam(&keys, "ListUsers", &[]).await.refused(403, "ExpiredToken", expired);
    assert!(reply.failed().starts_with("session-expiry: "), "{}", reply.failed());

    let old = assume(&town, &anna, &role, &[]).await.ok().keys();
    town.pass(60);
    let revoke = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:15:30Z"}},
    }});
    let input = [("RoleName", "reader"), ("PolicyName", "revoke")];
    let text = revoke.to_string();
    town.set_up("PutRolePolicy", &[input[0], input[1], ("PolicyDocument", &text)]).await;
    let denied = town.iam(&old, "ListUsers", &[]).await;
    assert_eq!(denied.why(), "explicitDeny identity iam:ListUsers");
    assert!(denied.text("Message").ends_with("with an explicit deny in an identity-based policy"));
    let fresh = assume(&town, &anna, &role, &[]).await.ok().keys();
    town.iam(&fresh, "ListUsers", &[]).await.ok();
}

#[tokio::test]
async fn policies_are_live_and_session_tags_are_frozen() {
    let town = Town::new().await;
    let trust = trusts_home(&["sts:AssumeRole", "sts:TagSession"], None);
    let role = town.role("builder", &trust, None).await;
    let anna = town.user("anna", Some(&allow(json!(["sts:*"]), "*"))).await;
    town.set_up(
        "TagRole",
        &[
            ("RoleName", "builder"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
            ("Tags.member.2.Key", "stage"),
            ("Tags.member.2.Value", "test"),
        ],
    )
    .await;
    let tagged = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    let keys = assume(&town, &anna, &role, &tagged).await.ok().keys();
    let lists = async || town.iam(&keys, "ListUsers", &[]).await;
    assert_eq!(lists().await.why(), "implicitDeny identity iam:ListUsers");

    // A policy that comes later binds the session that is there; it reads the session's own tag,
    // and of those that the session did not bring the role's, as they are now.
    let policy = |team: &str, stage: &str| {
        let mut policy = allow("iam:ListUsers", "*");
        policy["Statement"][0]["Condition"] = json!({"StringEquals": {
            "aws:PrincipalTag/team": team, "aws:PrincipalTag/stage": stage,
        }});
        policy.to_string()
    };
    let put = async |text: String| {
        let input =
            [("RoleName", "builder"), ("PolicyName", "own"), ("PolicyDocument", text.as_str())];
        town.set_up("PutRolePolicy", &input).await;
    };
    put(policy("red", "test")).await;
    assert_eq!(lists().await.why(), "implicitDeny identity iam:ListUsers");
    put(policy("blue", "test")).await;
    lists().await.ok();

    let later =
        [("RoleName", "builder"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "green")];
    town.set_up("TagRole", &later).await;
    lists().await.ok();
    let stage =
        [("RoleName", "builder"), ("Tags.member.1.Key", "stage"), ("Tags.member.1.Value", "live")];
    town.set_up("TagRole", &stage).await;
    assert_eq!(lists().await.why(), "implicitDeny identity iam:ListUsers");
    put(policy("blue", "live")).await;
    lists().await.ok();
    town.set_up("DeleteRolePolicy", &[("RoleName", "builder"), ("PolicyName", "own")]).await;
    assert_eq!(lists().await.why(), "implicitDeny identity iam:ListUsers");
}

#[tokio::test]
async fn a_session_token_belongs_to_its_own_key() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    let first = town.sts(&anna, "GetSessionToken", &[]).await.ok();
    let second = town.sts(&anna, "GetSessionToken", &[]).await.ok().keys();
    assert_eq!(first.text("Expiration"), "2026-01-01T12:00:00Z");
    let first = first.keys();
    town.sts(&first, "GetCallerIdentity", &[]).await.ok();
    for (keys, cause) in [
        (
            first.with_token(second.token()),
            "session-token: the session token is not this access key's",
        ),
        (
            first.with_token(None),
            "session-token: no session token came with a temporary access key",
        ),
        (
            anna.with_token(first.token()),
            "access-key: a session token came with a long-term access key",
        ),
    ] {
        let reply = town.sts(&keys, "GetCallerIdentity", &[]).await;
        let reply = reply.refused(403, "InvalidClientTokenId", INVALID);
        assert_eq!(reply.failed(), cause);
    }
}

#[tokio::test]
async fn sessions_of_users_call_neither_iam_nor_most_of_sts() {
    let town = Town::new().await;
    let anna = town.user("anna", Some(&allow("*", "*"))).await;
    let role = town.role("r", &trusts_home(&["sts:AssumeRole"], None), None).await;
    let session = town.sts(&anna, "GetSessionToken", &[]).await.ok().keys();
    let identity = town.sts(&session, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(identity.text("Arn"), user("anna"));
    // Not a chain: it may last as long as the role lets it.
    town.set_up("UpdateRole", &[("RoleName", "r"), ("MaxSessionDuration", "7200")]).await;
    assume(&town, &session, &role, &[("DurationSeconds", "7200")]).await.ok();

    let invalid = "The security token included in the request is invalid";
    let refused = town.iam(&session, "ListUsers", &[]).await;
    let refused = refused.refused(403, "InvalidClientTokenId", invalid);
    assert_eq!(
        refused.failed(),
        "session-kind: a session of GetSessionToken without a second factor"
    );
    for action in ["GetSessionToken", "GetFederationToken"] {
        let input: &[_] = if action == "GetFederationToken" { &[("Name", "fed")] } else { &[] };
        let refused = town.sts(&session, action, input).await;
        refused.denied(&format!("Cannot call {action} with session credentials"));
    }
}

#[tokio::test]
async fn a_federated_user_gets_what_its_session_policies_leave() {
    let town = Town::new().await;
    let policy = allow(json!(["sts:GetFederationToken", "cloudtrail:LookupEvents"]), "*");
    let anna = town.user("anna", Some(&policy)).await;
    let lookup = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

    let narrowed = allow("cloudtrail:*", "*").to_string();
    let input = [("Name", "fed"), ("Policy", narrowed.as_str())];
    let reply = town.sts(&anna, "GetFederationToken", &input).await.ok();
    assert_eq!(reply.text("FederatedUserId"), format!("{HOME}:fed"));
    let fed = format!("arn:aws:sts::{HOME}:federated-user/fed");
    assert_eq!(reply.text("Arn"), fed);
    let keys = reply.keys();
    let identity = town.sts(&keys, "GetCallerIdentity", &[]).await.ok();
    assert_eq!((identity.text("Arn"), identity.text("UserId")), (fed, format!("{HOME}:fed")));
    town.json(Some(&keys), lookup, &json!({})).await.ok();

    // Without session policies nothing is left of what the user may.
    let bare = town.sts(&anna, "GetFederationToken", &[("Name", "fed")]).await.ok();
    assert_eq!(bare.text("PackedPolicySize"), "0");
    let denied = town.json(Some(&bare.keys()), lookup, &json!({})).await;
    assert_eq!(denied.why(), "implicitDeny session cloudtrail:LookupEvents");
    let invalid = "The security token included in the request is invalid";
    let refused = town.iam(&keys, "ListUsers", &[]).await;
    refused.refused(403, "InvalidClientTokenId", invalid);
    let role = town.role("r", &trusts(&json!({"AWS": "*"}), &["sts:AssumeRole"], None), None).await;
    let refused = assume(&town, &keys, &role, &[]).await;
    refused.refused(403, "InvalidClientTokenId", invalid);
}

#[tokio::test]
async fn a_denial_can_be_decoded_by_who_may() {
    let town = Town::new().await;
    let bob = town.user("bob", None).await;
    let denied = town.iam(&bob, "ListUsers", &[]).await;
    let message = denied.encoded_message.unwrap();
    let input = [("EncodedMessage", message.as_str())];
    let decoded = town.sts(&town.admin, "DecodeAuthorizationMessage", &input).await.ok();
    let decoded: Value = serde_json::from_str(&decoded.text("DecodedMessage")).unwrap();
    assert_eq!(decoded["allowed"], false);
    assert_eq!(decoded["explicitDeny"], false);
    assert_eq!(decoded["context"]["action"], "iam:ListUsers");
    assert_eq!(decoded["context"]["principal"]["arn"], user("bob"));

    town.sts(&bob, "DecodeAuthorizationMessage", &input).await.denied(&format!(
        "User: {} is not authorized to perform: sts:DecodeAuthorizationMessage on resource: * \
         because no identity-based policy allows the sts:DecodeAuthorizationMessage action",
        user("bob")
    ));
    let away = town.account(AWAY).await;
    for (keys, message) in [(&town.admin, "AAAA"), (&away, message.as_str())] {
        let input = [("EncodedMessage", message)];
        let refused = town.sts(keys, "DecodeAuthorizationMessage", &input).await;
        let code = refused.text("Code");
        assert_eq!((refused.status, code.as_str()), (400, "InvalidAuthorizationMessageException"));
    }
}

#[tokio::test]
async fn a_session_token_tells_its_size_and_is_as_long_as_was_asked_for() {
    let town = Town::new().await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole", "sts:TagSession"], None);
    let role = town.role("ada", &trust, None).await;
    let plain = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let size = |reply: &Reply| -> usize { reply.text("SessionTokenSize").parse().unwrap() };
    let short = town.sts(&town.admin, "AssumeRole", &plain).await.ok();
    assert_eq!(size(&short), short.text("SessionToken").len());
    assert!(size(&short) < 3000, "{}", size(&short));
    let padded = [plain[0], plain[1], ("MinimumSessionTokenSize", "3000")];
    let padded = town.sts(&town.admin, "AssumeRole", &padded).await.ok();
    assert!(size(&padded) >= 3000, "{}", size(&padded));
    assert_eq!(
        padded.text("SessionTokenUtilization"),
        (size(&padded) * 100).div_ceil(16_384).to_string()
    );
    town.sts(&padded.keys(), "GetCallerIdentity", &[]).await.ok();
    let input = [("MinimumSessionTokenSize", "4097")];
    let reply = town.sts(&town.admin, "GetSessionToken", &input).await;
    assert_eq!((reply.status, reply.text("Code")), (400, "ValidationError".to_owned()));

    // What packs well may still not fit into a token that anybody would open again.
    let tags = |count: usize| {
        let tag = |n| {
            let name = |part| format!("Tags.member.{n}.{part}");
            [(name("Key"), format!("{n:0>128}")), (name("Value"), "v".repeat(256))]
        };
        (1..=count).flat_map(tag).collect::<Vec<_>>()
    };
    for (count, fits) in [(20, true), (50, false)] {
        let tags = tags(count);
        let mut input = plain.to_vec();
        input.extend(tags.iter().map(|(name, it)| (name.as_str(), it.as_str())));
        let reply = town.sts(&town.admin, "AssumeRole", &input).await;
        match fits {
            true => drop(town.sts(&reply.ok().keys(), "GetCallerIdentity", &[]).await.ok()),
            false => {
                let refused = (reply.status, reply.text("Code"));
                assert_eq!(refused, (400, "PackedPolicyTooLarge".to_owned()), "{}", reply.body);
            }
        }
    }
}
