//! The bytes of a segment.
//!
//! ```text
//! header = magic (8) | began, millis (8) | salt (8) | CRC-32 of the 24 before (4)
//! frame  = mark (4) | length of the body (4) | at, millis (8) | head CRC (4) | body CRC (4) | body
//! ```
//!
//! Numbers are little-endian. The head CRC covers the salt, the frame's own offset and the 16 bytes
//! before it; the body CRC goes on from there over the body. So a whole frame is one at this place
//! of this file: neither a copy from elsewhere nor what a caller put into a body passes for one.

use aws_lc_rs::rand;
use crc32fast::Hasher;

use super::{MAX_RECORD, Millis};

const MAGIC: [u8; 8] = *b"VSTLOG1\n";
const MARK: [u8; 4] = [0xF7, b'v', b's', 0xFE];

/// The length of a segment's header.
pub(super) const HEADER: usize = 28;

/// The length of a frame without its body.
pub(super) const HEAD: usize = 24;

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) began: Millis,
    salt: [u8; 8],
}

impl Header {
    pub(super) fn new(began: Millis) -> Self {
        let mut salt = [0; 8];
        // Without randomness the salt is known: a body could then be made that looks like a frame
        // where a frame before it is damaged. No reason to keep no log.
        let _ = rand::fill(&mut salt);
        Self { began, salt }
    }

    pub(super) fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields = [MAGIC, self.began.0.to_le_bytes(), self.salt];
        let check = crc32fast::hash(fields.as_flattened()).to_le_bytes();
        for (to, from) in bytes.iter_mut().zip(fields.as_flattened().iter().chain(&check)) {
            *to = *from;
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, rest) = bytes.split_first_chunk::<24>()?;
        let (check, _) = rest.split_first_chunk()?;
        let (magic, rest) = fields.split_first_chunk::<8>()?;
        let (began, salt) = rest.split_first_chunk()?;
        let whole = *magic == MAGIC && crc32fast::hash(fields) == u32::from_le_bytes(*check);
        let began = Millis(u64::from_le_bytes(*began));
        whole.then_some(Self { began, salt: *salt.first_chunk()? })
    }

    fn head_check(self, offset: u64, plain: &[u8]) -> Hasher {
        let mut check = Hasher::new();
        check.update(&self.salt);
        check.update(&offset.to_le_bytes());
        check.update(plain);
        check
    }
}

/// Puts a frame at the end of `bytes`; its checksums are left out until its offset is known
/// ([`seal`]). The caller holds the body against [`MAX_RECORD`]. Returns the length of the frame.
pub(super) fn push(bytes: &mut Vec<u8>, at: Millis, body: &[u8]) -> usize {
    bytes.reserve(HEAD + body.len());
    bytes.extend_from_slice(&MARK);
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&at.0.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(body);
    HEAD + body.len()
}

/// Puts the checksums into a frame that will stand at this offset.
pub(super) fn seal(header: Header, offset: u64, frame: &mut [u8]) {
    let Some((head, body)) = frame.split_first_chunk_mut::<HEAD>() else { return };
    let (plain, checks) = head.split_at_mut(16);
    let mut check = header.head_check(offset, plain);
    let first = check.clone().finalize();
    check.update(body);
    let both = [first.to_le_bytes(), check.finalize().to_le_bytes()];
    checks.copy_from_slice(both.as_flattened());
}

/// What stands at the head of a frame.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) at: Millis,
    /// Of the body.
    pub(super) length: usize,
    check: Hasher,
    body_check: u32,
}

impl Head {
    /// The head of the frame at this offset, if there is one.
    pub(super) fn decode(header: Header, offset: u64, bytes: &[u8]) -> Option<Self> {
        let (plain, rest) = bytes.split_first_chunk::<16>()?;
        let (head_check, rest) = rest.split_first_chunk()?;
        let (body_check, _) = rest.split_first_chunk()?;
        let (mark, rest) = plain.split_first_chunk::<4>()?;
        let (length, at) = rest.split_first_chunk()?;
        if *mark != MARK {
            return None;
        }
        let check = header.head_check(offset, plain);
        let length = u32::from_le_bytes(*length) as usize;
        let whole = check.clone().finalize() == u32::from_le_bytes(*head_check);
        (whole && length <= MAX_RECORD).then_some(Self {
            at: Millis(u64::from_le_bytes(*at.first_chunk()?)),
            length,
            check,
            body_check: u32::from_le_bytes(*body_check),
        })
    }

    /// Whether this is the frame's body.
    pub(super) fn fits(mut self, body: &[u8]) -> bool {
        self.check.update(body);
        body.len() == self.length && self.check.finalize() == self.body_check
    }
}

/// Where the next mark stands in these bytes.
pub(super) fn find_mark(bytes: &[u8]) -> Option<usize> {
    bytes.windows(MARK.len()).position(|window| window == MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(offset: u64, body: &[u8]) -> (Header, Vec<u8>) {
        let header = Header::new(Millis(7));
        let mut bytes = Vec::new();
        push(&mut bytes, Millis(9), body);
        seal(header, offset, &mut bytes);
        (header, bytes)
    }

    fn whole(header: Header, offset: u64, frame: &[u8]) -> bool {
        Head::decode(header, offset, frame).is_some_and(|head| head.fits(&frame[HEAD..]))
    }

    #[test]
    fn a_frame_reads_back() {
        let (header, frame) = framed(28, b"receipt");
        let head = Head::decode(header, 28, &frame).unwrap();
        assert_eq!((head.at, head.length), (Millis(9), 7));
        assert!(head.fits(b"receipt"));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (header, frame) = framed(28, b"receipt");
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!whole(header, 28, &flipped), "bit {bit}");
        }
    }

    #[test]
    fn a_frame_belongs_to_its_place_and_file() {
        let (header, frame) = framed(28, b"receipt");
        assert!(whole(header, 28, &frame));
        assert!(!whole(header, 29, &frame), "another offset");
        assert!(!whole(Header::new(Millis(7)), 28, &frame), "another file");
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_found() {
        let header = Header::new(Millis(7));
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped), None, "bit {bit}");
        }
    }
}
