//! `LookupEvents`: the caller's account reads its own side of the log book, at once and not
//! minutes later.

use std::sync::Arc;

use crate::action::{Action, Ask, Done, Effect};
use crate::audit::lookup::{LookupError, LookupInput, LookupOutput, lookup_events};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};

/// The action.
pub struct LookupEvents;

impl Action for LookupEvents {
    const NAME: &'static str = "LookupEvents";
    const EFFECT: Effect = Effect::Read;
    type Input = LookupInput;
    type Output = LookupOutput;

    fn asks(cx: &Cx<'_>, _input: &LookupInput) -> Result<Vec<Ask>> {
        Ok(vec![Ask::identity(cx, "cloudtrail:LookupEvents", "*", cx.caller.account()?)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: LookupInput,
        _permit: Permit<Self>,
    ) -> Result<Done<LookupOutput>> {
        let account = cx.caller.account()?;
        let book = Arc::clone(&cx.plane.book);
        let read = move || lookup_events(&book.reader(), account.as_str(), &input);
        let found = tokio::task::spawn_blocking(read).await;
        let found = found.map_err(|error| Error::internal(error.to_string()))?;
        found.map(Done::read).map_err(|error| match error {
            LookupError::Unavailable(ref cause) => {
                Error::new(code::SERVICE_UNAVAILABLE, error.message()).because(cause.to_string())
            }
            refused => Error::new(Code::new(refused.code(), 400), refused.message()),
        })
    }
}
