//! `vestibule explain`: the whole story of one decision, from the log book in the data folder.

use clap::Args;
use serde_json::json;
use service::{
    audit::{Event, Reader, Scope},
    explain,
};

use super::{
    Ending, Global,
    failure::Failure,
    screen::{Screen, Tone},
};

/// Tell why a call was allowed or refused
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the data folder; a server need not run. Exit code 1 when the call was refused.

Examples:
  vestibule explain last
  vestibule explain last --denied
  vestibule explain 0ca60b74-5096-474a-9a39-80c8e9924512")]
pub struct Options {
    /// The call's x-amzn-RequestId, or `last`
    id: String,
    /// With `last`: the last one that was refused
    #[arg(long)]
    denied: bool,
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let folder = global.folder()?;
    let reader = Reader::open(&folder.log());
    let found = match options.id.as_str() {
        "last" => {
            reader.last(Scope::Operator, options.denied).map(|last| last.into_iter().collect())
        }
        id => reader.by_request(Scope::Operator, id),
    };
    let events: Vec<Event> = found.map_err(|error| Failure::new(error.to_string()))?;
    if events.is_empty() {
        let what = match options.id.as_str() {
            "last" => "there is no such call in the log book yet".to_owned(),
            id => format!("the log book knows no call {id}"),
        };
        return Err(Failure::new(what).help(format!("searched {}", folder.log().display())));
    }
    for event in &events {
        tell(event, screen)?;
    }
    Ok(ending(events.iter()))
}

/// Prints the story of an event, or the event with its story as JSON.
pub(super) fn tell(event: &Event, screen: &Screen) -> Result<(), Failure> {
    let story = explain::story(event);
    let text = explain::text(&story, screen.colour());
    screen.either(text.trim_end(), &json!({ "event": event, "story": story }))
}

/// Bad when one of the calls was refused.
pub(super) fn ending<'e>(mut events: impl Iterator<Item = &'e Event>) -> Ending {
    if events.any(Event::refused) { Ending::Bad } else { Ending::Good }
}

/// One line for an event: when, whether, what, why.
pub(super) fn line(event: &Event, screen: &Screen) -> String {
    let (mark, tone) = if event.refused() { ("✗", Tone::Bad) } else { ("✓", Tone::Good) };
    let time = screen.paint(Tone::Faint, &event.event_time.to_string());
    let who = match event.user_identity.who() {
        who if who.is_empty() => String::new(),
        who => screen.paint(Tone::Faint, &format!("  {who}")),
    };
    format!("{time} {} {}{who}", screen.paint(tone, mark), explain::reason_line(event))
}
