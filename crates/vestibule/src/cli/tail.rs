//! `vestibule tail`: the log book, live.

use std::{thread, time::Duration};

use clap::Args;
use service::audit::{Event, Query, Reader, Scope};

use super::{Ending, Global, explain, failure::Failure, screen::Screen};

/// How often new events are looked for.
const EVERY: Duration = Duration::from_millis(150);

/// Events taken at once.
const BATCH: usize = 500;

/// Show the log book as it grows
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the data folder; ends with Ctrl-C.

Examples:
  vestibule tail --denied
  vestibule --format json tail -n 100 --no-follow")]
pub struct Options {
    /// Only what was refused
    #[arg(long)]
    denied: bool,
    /// How many past events to begin with
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    lines: usize,
    /// Only past events
    #[arg(long)]
    no_follow: bool,
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let folder = global.folder()?;
    let reader = Reader::open(&folder.log());
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());

    // The end is fixed before the past is read, so that nothing falls between the two.
    let mut follow = reader.follow().map_err(|error| failed(&error))?;
    for event in past(&reader, options).map_err(|error| failed(&error))? {
        show(&event, screen)?;
    }
    if options.no_follow {
        return Ok(Ending::Good);
    }
    loop {
        let events = follow.poll(BATCH).map_err(|error| failed(&error))?;
        let quiet = events.is_empty();
        for event in events.iter().filter(|event| !options.denied || event.refused()) {
            show(event, screen)?;
        }
        if quiet {
            thread::sleep(EVERY);
        }
    }
}

/// The last events, oldest first.
fn past(reader: &Reader, options: &Options) -> Result<Vec<Event>, service::audit::QueryError> {
    let query = Query { refused: options.denied, ..Query::all(Scope::Operator) };
    let mut events: Vec<Event> = Vec::new();
    let mut token: Option<String> = None;
    while events.len() < options.lines {
        let page = reader.page(&query, options.lines - events.len(), token.as_deref())?;
        events.extend(page.events);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    events.reverse();
    Ok(events)
}

fn show(event: &Event, screen: &Screen) -> Result<(), Failure> {
    screen.either(&explain::line(event, screen), event)
}
