//! What the index keeps of one event: 80 bytes.

use crate::audit::event::Event;

/// One event in the index. Texts are hashed; a match is a reason to look, never an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audit) struct Slot {
    /// Where its record begins in the segment.
    pub offset: u64,
    /// When the call came in, in microseconds since 1970.
    pub at: i64,
    /// Hash of the account whose entry it is; 0 for none.
    pub account: u64,
    /// Hash of the request's id.
    pub request: u64,
    /// Hash of the event's id.
    pub event: u64,
    /// A bit set of the hashes of the resources' types and names.
    pub resources: u64,
    /// Hash of the action's name.
    pub name: u32,
    /// Hash of the service's name.
    pub source: u32,
    /// Hash of the user's name; 0 for none.
    pub user: u32,
    /// Hash of the access key's id; 0 for none.
    pub key: u32,
    /// See the constants.
    pub flags: u32,
}

impl Slot {
    /// Its size in a file.
    pub const BYTES: usize = 80;
    /// The call was refused.
    pub const REFUSED: u32 = 1;
    /// The call changes nothing.
    pub const READ_ONLY: u32 = 2;
    /// A control-plane call.
    pub const MANAGEMENT: u32 = 4;

    /// The slot of `event`, whose record begins at `offset`.
    pub fn of(event: &Event, offset: u64) -> Self {
        let maybe = |text: Option<&str>| text.map_or(0, hash32);
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let mut resources = 0;
        for resource in &event.resources {
            resources |= bits(&resource.kind) | bits(&resource.arn) | bits(short(&resource.arn));
        }
        Self {
            offset,
            at: event.vestibule.at_micros,
            account: event.recipient_account_id.as_deref().map_or(0, hash),
            request: hash(&event.request_id),
            event: hash(&event.event_id),
            resources,
            name: hash32(&event.event_name),
            source: hash32(&event.event_source),
            user: maybe(event.username()),
            key: maybe(event.user_identity.access_key_id.as_deref()),
            flags: flag(event.refused(), Self::REFUSED)
                | flag(event.read_only, Self::READ_ONLY)
                | flag(event.management_event, Self::MANAGEMENT),
        }
    }

    /// As bytes, with a checksum at the end.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            if let Some(to) = bytes.get_mut(at..at + part.len()) {
                to.copy_from_slice(part);
            }
            at += part.len();
        };
        put(&self.offset.to_le_bytes());
        put(&self.at.to_le_bytes());
        put(&self.account.to_le_bytes());
        put(&self.request.to_le_bytes());
        put(&self.event.to_le_bytes());
        put(&self.resources.to_le_bytes());
        for part in [self.name, self.source, self.user, self.key, self.flags] {
            put(&part.to_le_bytes());
        }
        put(&[0; 4]);
        let sum = checksum(&bytes);
        if let Some(last) = bytes.last_chunk_mut() {
            *last = sum;
        }
        bytes
    }

    /// From bytes; nothing if they are damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        if checksum(bytes) != *bytes.last_chunk()? {
            return None;
        }
        let long = |at: usize| bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b));
        let short = |at: usize| bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b));
        Some(Self {
            offset: long(0)?,
            at: long(8)?.cast_signed(),
            account: long(16)?,
            request: long(24)?,
            event: long(32)?,
            resources: long(40)?,
            name: short(48)?,
            source: short(52)?,
            user: short(56)?,
            key: short(60)?,
            flags: short(64)?,
        })
    }
}

/// The name of a resource as people write it: what follows the last `/` or `:` of its ARN.
pub(in crate::audit) fn short(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// FNV-1a: stable for ever, which the file needs. Never 0, which means none.
pub(in crate::audit) fn hash(text: &str) -> u64 {
    fnv(text.as_bytes()).max(1)
}

/// The same in 32 bits.
pub(in crate::audit) fn hash32(text: &str) -> u32 {
    folded(fnv(text.as_bytes())).max(1)
}

/// Two bits of 64 for a text.
pub(in crate::audit) fn bits(text: &str) -> u64 {
    let hash = hash(text);
    1 << (hash & 63) | 1 << (hash >> 32 & 63)
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn folded(hash: u64) -> u32 {
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    u32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}

/// Over all but the last four bytes.
fn checksum(bytes: &[u8; Slot::BYTES]) -> [u8; 4] {
    let (content, _) = bytes.split_at(Slot::BYTES - 4);
    folded(fnv(content)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_survives_its_bytes_and_damage_is_seen() {
        let slot = Slot {
            offset: 1,
            at: -2,
            account: 3,
            request: 4,
            event: 5,
            resources: 6,
            name: 7,
            source: 8,
            user: 9,
            key: 10,
            flags: 11,
        };
        let bytes = slot.encode();
        assert_eq!(Slot::decode(&bytes), Some(slot));
        for at in 0..Slot::BYTES {
            let mut damaged = bytes;
            damaged[at] ^= 1;
            assert_eq!(Slot::decode(&damaged), None, "byte {at}");
        }
        assert_eq!(Slot::decode(&bytes[1..]), None);
    }

    #[test]
    fn hashes_never_change() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
