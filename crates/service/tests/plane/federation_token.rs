//! `GetFederationToken`: the tags and session policies that a user passes, and what they come to.

use serde_json::{Value, json};

use crate::support::{HOME, Keys, Reply, Town, allow};

const LOOKUP: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

/// A town with a user who may vouch for others, with tags, and look up events.
async fn scene() -> (Town, Keys) {
    let town = Town::new().await;
    let may = ["sts:GetFederationToken", "sts:TagSession", "cloudtrail:LookupEvents"];
    let anna = town.user("anna", Some(&allow(json!(may), "*"))).await;
    (town, anna)
}

/// Vouches for `fed` with these tags and whatever else.
async fn vouch<K: AsRef<str>, V: AsRef<str>>(
    town: &Town,
    keys: &Keys,
    tags: &[(K, V)],
    more: &[(&str, &str)],
) -> Reply {
    let mut input = vec![("Name".to_owned(), "fed".to_owned())];
    for (place, (key, value)) in (1..).zip(tags) {
        input.push((format!("Tags.member.{place}.Key"), key.as_ref().to_owned()));
        input.push((format!("Tags.member.{place}.Value"), value.as_ref().to_owned()));
    }
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    input.extend(more);
    let input: Vec<_> = input.iter().map(|(name, value)| (&**name, &**value)).collect();
    town.sts(keys, "GetFederationToken", &input).await
}

const NONE: &[(&str, &str)] = &[];

/// `count` tags with short values.
fn many(count: usize) -> Vec<(String, &'static str)> {
    (0..count).map(|number| (format!("k{number}"), "v")).collect()
}

#[tokio::test]
async fn tags_need_leave_of_their_own() {
    let (town, anna) = scene().await;
    vouch(&town, &anna, &[("team", "heart")], &[]).await.ok();

    let bare = town.user("bare", Some(&allow("sts:GetFederationToken", "*"))).await;
    vouch(&town, &bare, NONE, &[]).await.ok();
    let denied = vouch(&town, &bare, &[("team", "heart")], &[]).await;
    let fed = format!("arn:aws:sts::{HOME}:federated-user/fed");
    let denied = denied.denied(&format!(
        "User: arn:aws:iam::{HOME}:user/bare is not authorized to perform: sts:TagSession \
         on resource: {fed} because no identity-based policy allows the sts:TagSession action"
    ));
    assert_eq!(denied.why(), "implicitDeny identity sts:TagSession");

    // Which tags may be passed is a condition like any other.
    let mut heart = allow(json!(["sts:GetFederationToken", "sts:TagSession"]), "*");
    heart["Statement"][0]["Condition"] = json!({
        "StringEquals": {"aws:RequestTag/team": "heart"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    });
    let ben = town.user("ben", Some(&heart)).await;
    vouch(&town, &ben, &[("team", "heart")], &[]).await.ok();
    let wrong: [&[(&str, &str)]; 2] = [&[("team", "sun")], &[("team", "heart"), ("x", "y")]];
    for tags in wrong {
        let denied = vouch(&town, &ben, tags, &[]).await;
        assert_eq!(denied.why(), "implicitDeny identity sts:GetFederationToken");
    }
}

#[tokio::test]
async fn tags_have_limits_of_number_length_and_characters() {
    let (town, anna) = scene().await;
    vouch(&town, &anna, &many(50), &[]).await.ok();
    let refused = vouch(&town, &anna, &many(51), &[]).await;
    let text = refused.text("Message");
    assert_eq!((refused.status, refused.text("Code")), (400, "ValidationError".to_owned()));
    assert!(text.contains("at 'tags'") && text.contains("less than or equal to 50"), "{text}");

    let (key, value) = ("k".repeat(128), "v".repeat(256));
    vouch(&town, &anna, &[(&key, &value)], &[]).await.ok();
    vouch(&town, &anna, &[("k é_.:/=+-@", "")], &[]).await.ok();
    let wrong = [
        (key.clone() + "k", "v".to_owned(), "tags.1.member.key", "less than or equal to 128"),
        ("k".to_owned(), value.clone() + "v", "tags.1.member.value", "less than or equal to 256"),
        (String::new(), "v".to_owned(), "tags.1.member.key", "greater than or equal to 1"),
        ("k*".to_owned(), "v".to_owned(), "tags.1.member.key", "regular expression pattern"),
        ("k".to_owned(), "a;b".to_owned(), "tags.1.member.value", "regular expression pattern"),
        ("AWS:k".to_owned(), "v".to_owned(), "tags.1.member.key", "reserved for system use"),
    ];
    for (key, value, place, why) in wrong {
        let refused = vouch(&town, &anna, &[(&key, &value)], &[]).await;
        let text = refused.text("Message");
        assert_eq!((refused.status, refused.text("Code")), (400, "ValidationError".to_owned()));
        assert!(text.contains(place) && text.contains(why), "{text}");
    }
}

#[tokio::test]
async fn a_key_twice_is_refused_in_whatever_case() {
    let (town, anna) = scene().await;
    vouch(&town, &anna, &[("Team", "a"), ("teams", "b")], &[]).await.ok();
    for (one, other) in [("team", "team"), ("Team", "team"), ("É", "é")] {
        vouch(&town, &anna, &[(one, "a"), (other, "b")], &[]).await.refused(
            400,
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        );
    }
}

#[tokio::test]
async fn passed_tags_lie_over_the_users_own() {
    let (town, anna) = scene().await;
    let own = ["Team", "sun", "floor", "3"];
    town.set_up(
        "TagUser",
        &[
            ("UserName", "anna"),
            ("Tags.member.1.Key", own[0]),
            ("Tags.member.1.Value", own[1]),
            ("Tags.member.2.Key", own[2]),
            ("Tags.member.2.Value", own[3]),
        ],
    )
    .await;
    let session = |team: &str, floor: &str| {
        let mut policy = allow("cloudtrail:LookupEvents", "*");
        policy["Statement"][0]["Condition"] = json!({"StringEquals": {
            "aws:PrincipalTag/team": team, "aws:PrincipalTag/floor": floor,
        }});
        policy.to_string()
    };
    for (tags, team) in [(NONE, "sun"), (&[("team", "heart")], "heart")] {
        let fits = [("Policy", &*session(team, "3"))];
        let keys = vouch(&town, &anna, tags, &fits).await.ok().keys();
        town.json(Some(&keys), LOOKUP, &json!({})).await.ok();
        let other = [("Policy", &*session("lightning", "3"))];
        let keys = vouch(&town, &anna, tags, &other).await.ok().keys();
        let denied = town.json(Some(&keys), LOOKUP, &json!({})).await;
        assert_eq!(denied.why(), "implicitDeny session cloudtrail:LookupEvents");
    }
}

#[tokio::test]
async fn what_is_packed_has_a_size_and_an_end() {
    let (town, anna) = scene().await;
    let percent = |reply: Reply| reply.text("PackedPolicySize").parse::<u32>().unwrap();
    let none = percent(vouch(&town, &anna, NONE, &[]).await.ok());
    let few = percent(vouch(&town, &anna, &many(2), &[]).await.ok());
    let more = percent(vouch(&town, &anna, &many(50), &[]).await.ok());
    assert!(none == 0 && 0 < few && few < more && more <= 100, "{none} {few} {more}");

    // Values that no packing makes smaller.
    let dense = |number: usize| -> Vec<(String, String)> {
        let value = |seed: usize| {
            let digit = |place: usize| (seed * 7919 + place * place * 104_729 + place * 31) % 62;
            let letters = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
            (0..256).map(|place| char::from(letters[digit(place)])).collect()
        };
        (0..number).map(|seed| (format!("k{seed}"), value(seed))).collect()
    };
    vouch(&town, &anna, &dense(3), &[]).await.ok();
    let refused = vouch(&town, &anna, &dense(50), &[]).await;
    let text = refused.text("Message");
    assert_eq!((refused.status, refused.text("Code")), (400, "PackedPolicyTooLarge".to_owned()));
    let told = text.strip_prefix("Packed policy consumes ").unwrap();
    let (percent, rest) = told.split_once('%').unwrap();
    assert!(percent.parse::<u32>().unwrap() > 100, "{text}");
    assert_eq!(rest, " of allotted space, please use smaller policy.");
}

#[tokio::test]
async fn session_policies_narrow_together_and_must_be_sound() {
    let (town, anna) = scene().await;
    let policy = |name: &'static str, document: Value| {
        let town = &town;
        async move {
            let text = document.to_string();
            let input = [("PolicyName", name), ("PolicyDocument", text.as_str())];
            town.set_up("CreatePolicy", &input).await.text("Arn")
        }
    };
    let trail = policy("trail", allow("cloudtrail:*", "*")).await;
    let buckets = policy("buckets", allow("s3:*", "*")).await;
    let inline = allow("s3:GetObject", "*").to_string();
    let with = |arn: &'static str| [("PolicyArns.member.1.arn", arn)];

    // One of several allows is enough among session policies; without any that allows it is none.
    let both = [("Policy", inline.as_str()), ("PolicyArns.member.1.arn", &trail)];
    let keys = vouch(&town, &anna, NONE, &both).await.ok().keys();
    town.json(Some(&keys), LOOKUP, &json!({})).await.ok();
    let neither = [("Policy", inline.as_str()), ("PolicyArns.member.1.arn", &buckets)];
    let keys = vouch(&town, &anna, NONE, &neither).await.ok().keys();
    let denied = town.json(Some(&keys), LOOKUP, &json!({})).await;
    assert_eq!(denied.why(), "implicitDeny session cloudtrail:LookupEvents");
    // What the user itself may not, no session policy gives.
    let bare = town.user("bare", Some(&allow("sts:GetFederationToken", "*"))).await;
    let all = with("arn:aws:iam::aws:policy/AdministratorAccess");
    let keys = vouch(&town, &bare, NONE, &all).await.ok().keys();
    let denied = town.json(Some(&keys), LOOKUP, &json!({})).await;
    assert_eq!(denied.why(), "implicitDeny identity cloudtrail:LookupEvents");

    let broken = vouch(&town, &anna, NONE, &[("Policy", "{\"Version\":")]).await;
    broken.refused(400, "MalformedPolicyDocument", "This policy contains invalid Json");
    let named = allow("s3:*", "*");
    let mut named = named.as_object().unwrap().clone();
    named["Statement"][0]["Principal"] = json!("*");
    let named = Value::Object(named).to_string();
    let named = vouch(&town, &anna, NONE, &[("Policy", &named)]).await;
    assert_eq!(named.text("Code"), "MalformedPolicyDocument");
    assert_eq!(named.text("Message"), "Policy document should not specify a principal.");

    let missing = format!("arn:aws:iam::{HOME}:policy/none");
    let text = format!("Policy {missing} does not exist or is not attachable.");
    let gone = vouch(&town, &anna, NONE, &[("PolicyArns.member.1.arn", &missing)]).await;
    gone.refused(400, "ValidationError", &text);
    let long = allow("s3:*", "x".repeat(2048)).to_string();
    let long = vouch(&town, &anna, NONE, &[("Policy", &long)]).await;
    assert_eq!(long.text("Code"), "ValidationError");
    assert!(long.text("Message").contains("less than or equal to 2048"), "{}", long.body);
    let eleven: Vec<_> =
        (1..=11).map(|place| (format!("PolicyArns.member.{place}.arn"), trail.clone())).collect();
    let eleven: Vec<_> = eleven.iter().map(|(name, arn)| (&**name, &**arn)).collect();
    vouch(&town, &anna, NONE, &eleven[..10]).await.ok();
    let eleven = vouch(&town, &anna, NONE, &eleven).await;
    eleven.refused(
        400,
        "ValidationError",
        "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: \
         Member must have length less than or equal to 10",
    );
}
