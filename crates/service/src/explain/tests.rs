//! Each `corpus/explain/*.json` is an event; the `.txt` beside it is the story it tells, followed
//! by the one-line form. `UPDATE_CORPUS=1 cargo test -p service explain` writes the texts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::{
    AccountId, Arn, Ask, Compiled, Context, Document, FullRecord, Kind, Named, PolicyId,
    PolicyKind, Principal, SetBy, Sources, Strictness, UniqueId, decide,
};

use super::{reason_line, story, text};
use crate::audit::{Draft, Event, Mark, Outcome, UserIdentity};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/explain")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    cases.sort();
    cases
}

fn event(path: &Path) -> Event {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a developer's switch to write expectations")]
fn every_event_of_the_corpus_tells_its_story() {
    let update = std::env::var("UPDATE_CORPUS").is_ok();
    let mut wrong = Vec::new();
    for path in cases() {
        let event = event(&path);
        let told = format!("{}\n---\n{}\n", text(&story(&event), false), reason_line(&event));
        let expected = path.with_extension("txt");
        if update {
            std::fs::write(&expected, &told).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases().len() >= 14, "cases are missing");
}

#[test]
fn without_colours_there_is_no_escape_and_with_them_the_text_is_the_same() {
    for path in cases() {
        let story = story(&event(&path));
        let bare = text(&story, false);
        assert!(!bare.contains('\u{1b}'), "{}", path.display());
        let mut coloured = text(&story, true);
        for code in ["1", "2", "31", "32", "33", "0"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(bare, coloured, "{}", path.display());
    }
}

#[test]
fn every_refusal_has_a_cause_and_no_allow_has_one() {
    for path in cases() {
        let event = event(&path);
        let story = story(&event);
        assert_eq!(story.cause.is_some(), event.refused(), "{}", path.display());
        let line = reason_line(&event);
        assert!(!line.contains('\n') && !line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn a_story_is_data() {
    for path in cases() {
        let value = serde_json::to_value(story(&event(&path))).unwrap();
        assert!(value.get("verdict").is_some() && value.get("requestId").is_none());
        assert!(value.get("request_id").is_some());
    }
}

/// What the evaluator really says of `policy`, told.
fn decided(policy: &str, action: &str, context: Context) -> super::Story {
    let document = Document::parse(policy, Kind::Identity, Strictness::Stored).unwrap();
    let id = PolicyId::new("own-project", PolicyKind::Inline);
    let identity = [Arc::new(Compiled::new([Named::new(id, Arc::new(document))]))];
    let sources = Sources { identity: &identity, ..Sources::default() };
    let ann = "arn:aws:iam::111122223333:user/ann";
    let principal = Principal::User {
        arn: Arn::parse(ann).unwrap(),
        id: UniqueId::new("AIDAAAAAAAAAAAAAAAAA"),
        account: AccountId::parse("111122223333").unwrap(),
    };
    let role = "arn:aws:iam::111122223333:role/sun";
    let ask = Ask::new(principal, action, role).with_context(context);
    let mut recorder = FullRecord::new();
    let decision = decide(&ask, &sources, &mut recorder);
    let mut draft = Draft::new("r", jiff::Timestamp::UNIX_EPOCH);
    draft.call("iam.amazonaws.com", action.split(':').nth(1).unwrap().to_owned(), true);
    draft.caller(UserIdentity::user("AIDA", ann, "111122223333", "ann", "AKIA", None), true);
    if decision.is_allow() {
        crate::receipt::allowed(&mut draft, &ask, &decision);
        draft.allowed();
    } else {
        let record = recorder.into_record(&ask, &sources).unwrap();
        crate::receipt::denied(&mut draft, &ask, &record);
        draft.refused(Outcome::Denied, "AccessDenied", "no");
    }
    story(&draft.finish(jiff::Timestamp::UNIX_EPOCH))
}

const OWN_PROJECT: &str = r#"{"Version":"2012-10-17","Statement":[
  {"Sid":"Own","Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":
    {"StringEquals":{"aws:ResourceTag/project":"${aws:PrincipalTag/project}"}}},
  {"Sid":"Never","Effect":"Deny","Action":"iam:DeleteRole","Resource":"*"}]}"#;

fn tagged(resource: &str) -> Context {
    let mut context = Context::new();
    context.set("aws:PrincipalTag/project", "heart", SetBy::Session);
    context.set("aws:ResourceTag/project", resource, SetBy::Resource);
    context
}

#[test]
fn a_real_mismatch_of_tags_is_told_with_both_and_its_twin_is_allowed() {
    let told = decided(OWN_PROJECT, "iam:GetRole", tagged("sun"));
    assert_eq!(told.verdict, "DENY");
    assert_eq!(told.cause.as_ref().unwrap().code, "abac-mismatch");
    let fault = told.first_fault().unwrap();
    assert_eq!((&*fault.wanted, fault.had.as_deref()), (&["heart".to_owned()][..], Some("sun")));
    assert_eq!(
        told.change.unwrap().json.unwrap(),
        serde_json::json!({"Key": "project", "Value": "heart"})
    );
    let twin = decided(OWN_PROJECT, "iam:GetRole", tagged("heart"));
    assert_eq!(twin.verdict, "ALLOW");
    assert!(twin.cause.is_none() && twin.change.is_none());
    assert!(twin.decisions[0].sentence.contains("statement 0 \"Own\" of own-project"));
}

#[test]
fn a_real_deny_names_its_statement_and_a_missing_allow_gets_one() {
    let told = decided(OWN_PROJECT, "iam:DeleteRole", tagged("heart"));
    assert_eq!(told.cause.unwrap().code, "explicit-deny");
    assert_eq!(told.decisions[0].mark, Mark::Fail);
    assert!(told.decisions[0].sentence.contains("statement 1 \"Never\" of own-project"));
    let told = decided(OWN_PROJECT, "iam:UpdateRole", tagged("heart"));
    assert_eq!(told.cause.unwrap().code, "no-allow");
    let wanted = serde_json::json!({
        "Effect": "Allow", "Action": "iam:UpdateRole",
        "Resource": "arn:aws:iam::111122223333:role/sun",
    });
    assert_eq!(told.change.unwrap().json.unwrap(), wanted);
}
