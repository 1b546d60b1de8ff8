//! Reading a body within its limit.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

/// Why a body was not taken.
pub(super) enum Refused {
    /// More than the limit.
    TooLarge,
    /// The connection or its framing broke.
    Broken,
}

/// The whole body, without copying when it came in one piece.
///
/// A body that is a little too large is read to its end all the same (up to twice the limit):
/// closing a connection while the client still writes would destroy the answer on its way.
pub(super) async fn collect(mut body: Incoming, limit: u64) -> Result<Bytes, Refused> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit.saturating_mul(2) {
        return Err(Refused::TooLarge);
    }
    let mut read: u64 = 0;
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| Refused::Broken)?.into_data() else { continue };
        read = read.saturating_add(frame.len() as u64);
        if read > limit.saturating_mul(2) {
            return Err(Refused::TooLarge);
        }
        if read > limit {
            (first, rest) = (Bytes::new(), None);
        } else if first.is_empty() {
            first = frame;
        } else {
            rest.get_or_insert_with(|| BytesMut::from(first.as_ref())).extend_from_slice(&frame);
        }
        if body.is_end_stream() {
            break;
        }
    }
    if read > limit {
        return Err(Refused::TooLarge);
    }
    Ok(rest.map_or(first, BytesMut::freeze))
}
