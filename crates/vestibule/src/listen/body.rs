//! Reading a body within its limit and everybody's budget.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::budget::{Budget, NoRoom, Share};

/// Memory that is taken at once for a body that announces its length, in bytes: an announcement is
/// not paid for yet.
const AT_ONCE: usize = 64 << 10;

/// Why a body was not taken.
pub(super) enum Refused {
    /// More than the limit.
    TooLarge,
    /// The connection or its framing broke.
    Broken,
    /// Others have filled the budget.
    NoRoom,
}

/// The whole body with its share of the budget, without copying when it came in one piece.
///
/// A body that is a little too large (up to twice the limit), or finds no room, is read to its end
/// all the same, and nothing of it is kept: closing a connection while the client still writes
/// would destroy the answer on its way.
pub(super) async fn collect(
    mut body: Incoming,
    limit: u64,
    budget: &Budget,
) -> Result<(Bytes, Share), Refused> {
    let mut share = Share::default();
    if body.is_end_stream() {
        return Ok((Bytes::new(), share));
    }
    if body.size_hint().lower() > limit.saturating_mul(2) {
        return Err(Refused::TooLarge);
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut read: u64 = 0;
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let mut refused = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| Refused::Broken)?.into_data() else { continue };
        read = read.saturating_add(frame.len() as u64);
        if read > limit.saturating_mul(2) {
            return Err(Refused::TooLarge);
        }
        if read > limit {
            refused = Some(Refused::TooLarge);
        } else if refused.is_none() {
            refused = budget.grow(&mut share, read).await.err().map(|NoRoom| Refused::NoRoom);
        }
        if refused.is_some() {
            (first, rest, share) = (Bytes::new(), None, Share::default());
        } else if first.is_empty() {
            first = frame;
        } else {
            let rest = rest.get_or_insert_with(|| {
                let mut whole = BytesMut::with_capacity(announced.min(AT_ONCE).max(first.len()));
                whole.extend_from_slice(&first);
                whole
            });
            rest.extend_from_slice(&frame);
        }
        if body.is_end_stream() {
            break;
        }
    }
    match refused {
        Some(refused) => Err(refused),
        None => Ok((rest.map_or(first, BytesMut::freeze), share)),
    }
}
