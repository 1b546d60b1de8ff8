//! Presence: `true` asks that the key is absent, `false` that it is there.

pub(super) fn holds(wanted: &[bool], present: bool) -> bool {
    wanted.iter().any(|absent| *absent != present)
}
