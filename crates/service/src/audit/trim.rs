//! The size bound of one event: what is too large is cut in a fixed order, with a mark, and the
//! event is never lost.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::event::Event;
use super::json;
use super::ours::{MAX_TEXT, Mark, Ours, bounded};

/// Largest entry in bytes, unless configured otherwise.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// The smallest bound that can be configured: what always stays fits into it.
pub const LEAST_LIMIT: usize = 16 * 1024;

/// Few events are larger than this, in bytes.
const USUAL: usize = 8 * 1024;

/// One way to make an event smaller, and the name of what it cuts.
type Cut = (&'static str, fn(&mut Event));

/// From what is missed least to what is missed most.
const CUTS: &[Cut] = &[
    ("signature", |event| event.vestibule.signature = None),
    ("statements", |event| keep_near_statements(&mut event.vestibule)),
    ("keys", |event| {
        for decision in &mut event.vestibule.decisions {
            for key in &mut decision.keys {
                key.values = None;
            }
        }
    }),
    ("responseElements", |event| event.response_elements = marker(event.response_elements.take())),
    ("requestParameters", |event| {
        event.request_parameters = marker(event.request_parameters.take());
    }),
    ("additionalEventData", |event| event.additional_event_data = None),
    ("claims", |event| {
        Arc::make_mut(&mut event.vestibule.claims).retain(|name, value| {
            matches!(name.as_str(), "iss" | "sub" | "aud" | "azp" | "exp" | "iat" | "nbf")
                && value.to_string().len() <= MAX_TEXT
        })
    }),
    ("diagnostics", |event| event.vestibule.diagnostics.truncate(1)),
    ("resources", |event| event.resources.truncate(2)),
    ("decisions", |event| {
        let ours = &mut event.vestibule;
        for decision in &mut ours.decisions {
            decision.statements.clear();
            decision.keys.clear();
        }
        ours.decisions.truncate(4);
        ours.mapped_tags.clear();
        ours.extended_keys.truncate(4);
        ours.diagnostics.clear();
        ours.claims = Arc::default();
    }),
    ("checks", |event| event.vestibule.checks.retain(|check| check.verdict == Mark::Fail)),
    ("rest", |event| {
        event.vestibule.checks.truncate(2);
        event.vestibule.decisions.clear();
        event.user_identity.session_context = None;
        let identity = &mut event.user_identity;
        for text in [
            &mut identity.principal_id,
            &mut identity.arn,
            &mut identity.user_name,
            &mut identity.identity_provider,
        ] {
            *text = text.take().map(|text| bounded(text.into(), MAX_TEXT / 2).into_owned());
        }
        for text in [&mut event.user_agent, &mut event.source_ip_address] {
            *text = bounded(std::mem::take(text).into(), MAX_TEXT / 2).into_owned();
        }
        event.error_message =
            event.error_message.take().map(|text| bounded(text.into(), MAX_TEXT).into_owned());
        event.request_parameters = None;
        event.response_elements = None;
        event.tls_details = None;
        event.resources.clear();
    }),
];

/// `event` as the bytes of its entry, at most `limit` (but never cut below [`LEAST_LIMIT`]).
///
/// # Errors
/// What `serde_json` answers; events have no form that it refuses.
pub fn encode(event: &Event, limit: usize) -> serde_json::Result<Vec<u8>> {
    let limit = limit.max(LEAST_LIMIT);
    let mut bytes = Vec::with_capacity(USUAL);
    json::append(&mut bytes, event)?;
    // Whatever a test makes happen is held against serde_json.
    debug_assert_eq!(bytes, serde_json::to_vec(event)?);
    if bytes.len() <= limit {
        return Ok(bytes);
    }
    let mut smaller = event.clone();
    for (name, cut) in CUTS {
        cut(&mut smaller);
        smaller.vestibule.trimmed.push((*name).into());
        bytes.clear();
        json::append(&mut bytes, &smaller)?;
        if bytes.len() <= limit {
            break;
        }
    }
    Ok(bytes)
}

/// In place of parameters that were too large: how large they were.
fn marker(cut: Option<Box<RawValue>>) -> Option<Box<RawValue>> {
    let bytes = cut?.get().len();
    RawValue::from_string(format!("{{\"omitted\":\"{bytes} bytes\"}}")).ok()
}

/// Leaves the statements that matched or came to their conditions, at most eight of a decision.
fn keep_near_statements(ours: &mut Ours) {
    for decision in &mut ours.decisions {
        decision.statements.retain(|s| s.matched || !s.conditions.is_empty());
        decision.statements.truncate(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::ours::{DecisionRecord, Element, Layer, StatementAt, StatementTrace};
    use crate::audit::{Check, Draft, Outcome};

    fn event() -> Box<Event> {
        let mut draft = Draft::new("r", jiff::Timestamp::UNIX_EPOCH);
        draft.check(Check::fail("audience").wanted("a").had("b"));
        draft.refused(Outcome::Denied, "AccessDenied", "no");
        draft.finish(jiff::Timestamp::UNIX_EPOCH)
    }

    fn large(statements: usize, parameter: usize) -> Box<Event> {
        let mut event = event();
        let trace = StatementTrace {
            at: StatementAt {
                layer: Layer::Identity,
                policy: "p".repeat(2000),
                statement: 0,
                sid: None,
            },
            deny: false,
            matched: false,
            failed: Some(Element::Action),
            wanted: vec!["w".repeat(500)],
            had: None,
            conditions: Vec::new(),
        };
        event.vestibule.decisions.push(DecisionRecord {
            action: "a:B".into(),
            statements: vec![trace; statements],
            ..DecisionRecord::default()
        });
        let text = format!("{{\"p\":\"{}\"}}", "x".repeat(parameter));
        event.request_parameters = RawValue::from_string(text).ok();
        event
    }

    #[test]
    fn what_fits_is_left_alone() {
        let bytes = encode(&event(), DEFAULT_LIMIT).unwrap();
        assert_eq!(bytes, serde_json::to_vec(&event()).unwrap());
    }

    #[test]
    fn what_is_too_large_is_cut_in_order_and_marked() {
        let bytes = encode(&large(64, 1000), DEFAULT_LIMIT).unwrap();
        assert!(bytes.len() <= DEFAULT_LIMIT, "{}", bytes.len());
        let back: Event = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back.vestibule.trimmed, ["signature", "statements"]);
        // What the caller sent was not in the way.
        assert!(back.request_parameters.unwrap().get().contains("xxx"));
        assert_eq!(back.vestibule.checks, event().vestibule.checks);
    }

    #[test]
    fn the_largest_event_still_says_who_what_and_why() {
        let mut event = large(64, 900_000);
        event.user_identity.user_name = Some("u".repeat(200_000));
        event.user_agent = "é".repeat(100_000);
        event.error_message = Some("m".repeat(100_000));
        let bytes = encode(&event, 1).unwrap();
        assert!(bytes.len() <= LEAST_LIMIT, "{}", bytes.len());
        let back: Event = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back.request_id, "r");
        assert_eq!(back.error_code.as_deref(), Some("AccessDenied"));
        assert_eq!(back.vestibule.outcome, Outcome::Denied);
        assert_eq!(back.vestibule.checks.len(), 1);
        assert!(back.user_identity.user_name.unwrap().starts_with("uuu"));
    }
}
