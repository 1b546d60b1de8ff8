//! Each `corpus/explain/*.json` is an event; the `.txt` beside it is the story it tells, followed
//! by the one-line form. `UPDATE_CORPUS=1 cargo test -p service explain` writes the texts.

use std::path::{Path, PathBuf};

use super::{reason_line, story, text};
use crate::audit::Event;

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
