//! CloudTrail's `LookupEvents` as a plain function over the log book.
//!
//! Input and output have AWS's shapes (CloudTrail API reference 2013-11-01); `trail` registers it
//! as an action. An account sees its own side only. AWS keeps 90 days; here retention decides.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::query::{Attribute, Query, Scope};
use super::reader::{QueryError, Reader};

/// What `LookupEvents` takes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LookupInput {
    /// At most one.
    pub lookup_attributes: Vec<LookupAttribute>,
    /// Seconds since 1970.
    pub start_time: Option<f64>,
    /// Seconds since 1970.
    pub end_time: Option<f64>,
    /// `insight` asks for what this server has none of.
    pub event_category: Option<String>,
    /// 1 to 50.
    pub max_results: Option<u32>,
    /// Of an earlier page of the same question.
    pub next_token: Option<String>,
}

/// A property to look up by.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupAttribute {
    /// `EventId`, `EventName`, `ReadOnly`, `Username`, `ResourceType`, `ResourceName`,
    /// `EventSource` or `AccessKeyId`.
    pub attribute_key: String,
    /// The value; compared exactly.
    pub attribute_value: String,
}

/// What `LookupEvents` gives.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupOutput {
    /// Newest first.
    pub events: Vec<LookupEvent>,
    /// The token of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// One event as `LookupEvents` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEvent {
    /// `eventID`.
    pub event_id: String,
    /// `eventName`.
    pub event_name: String,
    /// `true` or `false`, as text.
    pub read_only: &'static str,
    /// The key that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Whole seconds since 1970 (JSON 1.1's form of a timestamp).
    pub event_time: i64,
    /// `eventSource`.
    pub event_source: String,
    /// The user's or session's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What was touched.
    pub resources: Vec<LookupResource>,
    /// The whole event, as JSON text.
    pub cloud_trail_event: String,
}

/// A resource as `LookupEvents` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupResource {
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// Its ARN.
    pub resource_name: String,
}

/// Why a look-up is refused.
#[derive(Debug)]
pub enum LookupError {
    /// `InvalidLookupAttributesException`.
    Attributes,
    /// `InvalidTimeRangeException`.
    TimeRange,
    /// `InvalidMaxResultsException`.
    MaxResults,
    /// `InvalidNextTokenException`.
    NextToken,
    /// `InvalidEventCategoryException`.
    EventCategory,
    /// The log book cannot be read.
    Unavailable(std::io::Error),
}

impl LookupError {
    /// AWS's code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Attributes => "InvalidLookupAttributesException",
            Self::TimeRange => "InvalidTimeRangeException",
            Self::MaxResults => "InvalidMaxResultsException",
            Self::NextToken => "InvalidNextTokenException",
            Self::EventCategory => "InvalidEventCategoryException",
            Self::Unavailable(_) => "ServiceUnavailable",
        }
    }

    /// A sentence for the client. AWS's own sentences are not in any source at hand.
    #[must_use]
    pub fn message(&self) -> &'static str {
        match self {
            Self::Attributes => "An invalid lookup attribute is specified.",
            Self::TimeRange => {
                "The start time occurs after the end time, or the time range is outside the range \
                 of possible values."
            }
            Self::MaxResults => "The MaxResults value must be between 1 and 50.",
            Self::NextToken => {
                "The token was generated for a different request or is not valid any more."
            }
            Self::EventCategory => "The event category is not valid.",
            Self::Unavailable(_) => "The event history cannot be read at the moment.",
        }
    }
}

/// Most events of one page, as on AWS.
const MAX_RESULTS: u32 = 50;

/// Looks events of `account` up. Blocks the thread.
///
/// # Errors
/// [`LookupError`].
pub fn lookup_events(
    reader: &Reader,
    account: &str,
    input: &LookupInput,
) -> Result<LookupOutput, LookupError> {
    match input.event_category.as_deref() {
        None => {}
        Some("insight") => return Ok(LookupOutput::default()),
        Some(_) => return Err(LookupError::EventCategory),
    }
    let limit = input.max_results.unwrap_or(MAX_RESULTS);
    if !(1..=MAX_RESULTS).contains(&limit) {
        return Err(LookupError::MaxResults);
    }
    if input.lookup_attributes.len() > 1 {
        return Err(LookupError::Attributes);
    }
    let attributes: Result<Vec<Attribute>, LookupError> =
        input.lookup_attributes.iter().map(attribute).collect();
    let query = Query {
        scope: Scope::Account(account.to_owned()),
        from: input.start_time.map(|s| micros(s.floor())).transpose()?,
        // Whole seconds: the second named is in.
        to: input.end_time.map(|s| micros(s.floor() + 1.0)).transpose()?.map(|end| end - 1),
        refused: false,
        management: true,
        attributes: attributes?,
    };
    if let (Some(from), Some(to)) = (query.from, query.to)
        && from > to
    {
        return Err(LookupError::TimeRange);
    }
    let page = reader.page(&query, limit as usize, input.next_token.as_deref());
    let page = page.map_err(|error| match error {
        QueryError::BadToken => LookupError::NextToken,
        QueryError::Disk(error) => LookupError::Unavailable(error),
    })?;
    Ok(LookupOutput {
        events: page.events.iter().map(LookupEvent::of).collect(),
        next_token: page.next,
    })
}

fn attribute(given: &LookupAttribute) -> Result<Attribute, LookupError> {
    let value = given.attribute_value.clone();
    if value.is_empty() || value.len() > 2000 {
        return Err(LookupError::Attributes);
    }
    Ok(match given.attribute_key.as_str() {
        "EventId" => Attribute::EventId(value),
        "EventName" => Attribute::EventName(value),
        "ReadOnly" => match value.as_str() {
            "true" => Attribute::ReadOnly(true),
            "false" => Attribute::ReadOnly(false),
            _ => return Err(LookupError::Attributes),
        },
        "Username" => Attribute::Username(value),
        "ResourceType" => Attribute::ResourceType(value),
        "ResourceName" => Attribute::ResourceName(value),
        "EventSource" => Attribute::EventSource(value),
        "AccessKeyId" => Attribute::AccessKeyId(value),
        _ => return Err(LookupError::Attributes),
    })
}

/// Microseconds of a time that JSON 1.1 carries as seconds.
fn micros(seconds: f64) -> Result<i64, LookupError> {
    // Far beyond any time that an event can have, far below what i64 can hold.
    if !(0.0..1e11).contains(&seconds) {
        return Err(LookupError::TimeRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range, see above")]
    let whole = seconds as i64;
    Ok(whole * 1_000_000)
}

impl LookupEvent {
    fn of(event: &Event) -> Self {
        Self {
            event_id: event.event_id.clone(),
            event_name: event.event_name.to_string(),
            read_only: if event.read_only { "true" } else { "false" },
            access_key_id: event.user_identity.access_key_id.clone(),
            event_time: event.event_time.as_second(),
            event_source: event.event_source.to_string(),
            username: event.username().map(str::to_owned),
            resources: event
                .resources
                .iter()
                .map(|resource| LookupResource {
                    resource_type: resource.kind.to_string(),
                    resource_name: resource.arn.clone(),
                })
                .collect(),
            cloud_trail_event: serde_json::to_string(event).unwrap_or_default(),
        }
    }
}
