//! The condition keys of one request: values, and who set each.
//!
//! Built once per request by the services, read by [`decide`](crate::decide()). Keys compare without
//! regard to case (spec A2), their casing is kept for display. All text lives in one buffer, so
//! that a context costs few allocations and a look-up touches little memory.

use serde::{Deserialize, Serialize};

use crate::hash::{hash, lower};
use crate::tag::Tag;

/// Who put a condition key into the context, for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// Follows from who the caller is (`aws:PrincipalArn`, tags of a user or role).
    Principal,
    /// Fixed when the session was made (session tags, `aws:SourceIdentity`).
    Session,
    /// A parameter of the request (`sts:ExternalId`, `aws:RequestTag/…`).
    Request,
    /// A claim of the verified token that AWS also maps.
    TokenClaim,
    /// A claim of the verified token that only this server makes a key.
    ExtendedClaim,
    /// An attribute of the verified SAML assertion.
    SamlAttribute,
    /// A session tag made from a claim by the provider's mapping (this server only).
    MappedTag,
    /// A property of the resource (`aws:ResourceTag/…`).
    Resource,
    /// Where the connection came from (`aws:SourceIp`, `aws:SecureTransport`).
    Network,
    /// The server's clock.
    Clock,
    /// The organization the account belongs to.
    Organization,
    /// A simulation's input.
    Simulation,
}

#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    start: u32,
    end: u32,
}

#[derive(Clone, Debug)]
struct Slot {
    hash: u64,
    lower: Piece,
    shown: Piece,
    first: Option<Piece>,
    more: Vec<Piece>,
    many: bool,
    set_by: SetBy,
}

/// Condition keys and their values for one request.
///
/// A later `set` of the same key replaces the earlier one (this is how session tags overlay role
/// tags). Within one [`set_tags`](Self::set_tags) call, of two keys that differ only in case the
/// one that sorts first by bytes wins, whatever the order of input.
#[derive(Clone, Debug, Default)]
pub struct Context {
    text: String,
    slots: Vec<Slot>,
    /// Open addressing over `slots`: index + 1, or 0. Its length is a power of two.
    table: Vec<u16>,
}

/// One key of a [`Context`].
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    context: &'a Context,
    slot: &'a Slot,
}

impl<'a> Entry<'a> {
    /// The key in the casing in which it was set.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.context.piece(self.slot.shown)
    }

    /// The key in lower case.
    #[must_use]
    pub fn lower_key(&self) -> &'a str {
        self.context.piece(self.slot.lower)
    }

    /// Who set it.
    #[must_use]
    pub fn set_by(&self) -> SetBy {
        self.slot.set_by
    }

    /// Whether it was set as a list. Decides only for keys the catalogue does not know.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.slot.many
    }

    /// How many values: 1, or the length of the list.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::from(self.slot.first.is_some()) + self.slot.more.len()
    }

    /// The values in order.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let context = self.context;
        let all = self.slot.first.iter().chain(&self.slot.more);
        all.map(move |piece| context.piece(*piece))
    }

    /// The value, when there is exactly one.
    #[must_use]
    pub fn single(&self) -> Option<&'a str> {
        if self.slot.more.is_empty() {
            self.slot.first.map(|p| self.context.piece(p))
        } else {
            None
        }
    }
}

impl Context {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No keys yet, but room for this many.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self {
            text: String::with_capacity(keys * 48),
            slots: Vec::with_capacity(keys),
            table: vec![0; (keys * 2).next_power_of_two().max(16)],
        }
    }

    fn piece(&self, piece: Piece) -> &str {
        self.text.get(piece.start as usize..piece.end as usize).unwrap_or_default()
    }

    fn push(&mut self, text: &str) -> Piece {
        let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = cut(self.text.len());
        self.text.push_str(text);
        Piece { start, end: cut(self.text.len()) }
    }

    /// The key in lower case, if it is not what is shown.
    fn push_lower(&mut self, key: &str, shown: Piece) -> Piece {
        if !key.is_ascii() {
            return self.push(&key.to_lowercase());
        }
        if !key.bytes().any(|b| b.is_ascii_uppercase()) {
            return shown;
        }
        let lower = self.push(key);
        if let Some(text) = self.text.get_mut(lower.start as usize..) {
            text.make_ascii_lowercase();
        }
        lower
    }

    /// Sets a key to one value; replaces what was set under the same key in any casing.
    pub fn set(&mut self, key: &str, value: &str, set_by: SetBy) -> &mut Self {
        let first = Some(self.push(value));
        self.put(key, first, Vec::new(), false, set_by)
    }

    /// Sets a key to a list, which may be empty (an empty list is present). For keys that the
    /// catalogue does not know this also declares the key multivalued.
    pub fn set_many<V: AsRef<str>>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
        set_by: SetBy,
    ) -> &mut Self {
        let mut values = values.into_iter();
        let first = values.next().map(|value| self.push(value.as_ref()));
        let more = values.map(|value| self.push(value.as_ref())).collect();
        self.put(key, first, more, true, set_by)
    }

    /// Sets `prefix` + key for each tag: `context.set_tags("aws:ResourceTag/", tags, …)`.
    pub fn set_tags(&mut self, prefix: &str, tags: &[Tag], set_by: SetBy) -> &mut Self {
        let mut sorted: Vec<&Tag> = tags.iter().collect();
        // The last set wins, so the first by bytes is set last.
        sorted.sort_by(|a, b| b.cmp(a));
        let mut key = String::with_capacity(prefix.len() + 32);
        for tag in sorted {
            key.clear();
            key.push_str(prefix);
            key.push_str(&tag.key);
            self.set(&key, &tag.value, set_by);
        }
        self
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        let lower = lower(key);
        if let Some(at) = self.find(hash(lower.as_bytes()), &lower) {
            self.slots.swap_remove(at);
            self.rebuild(self.table.len());
        }
        self
    }

    fn put(
        &mut self,
        key: &str,
        first: Option<Piece>,
        more: Vec<Piece>,
        many: bool,
        set_by: SetBy,
    ) -> &mut Self {
        let shown = self.push(key);
        let lower = self.push_lower(key, shown);
        let folded = self.piece(lower);
        let hash = hash(folded.as_bytes());
        let found = self.find(hash, folded);
        let slot = Slot { hash, lower, shown, first, more, many, set_by };
        if let Some(old) = found.and_then(|at| self.slots.get_mut(at)) {
            *old = slot;
            return self;
        }
        // Table indexes are 16 bits: far beyond what a request can carry; what is over is absent.
        if self.slots.len() >= usize::from(u16::MAX) {
            return self;
        }
        self.slots.push(slot);
        if self.slots.len() * 2 > self.table.len() {
            self.rebuild((self.slots.len() * 4).next_power_of_two().max(16));
        } else {
            self.link(self.slots.len());
        }
        self
    }

    fn rebuild(&mut self, size: usize) {
        self.table.clear();
        self.table.resize(size, 0);
        for number in 1..=self.slots.len() {
            self.link(number);
        }
    }

    fn link(&mut self, number: usize) {
        let Some(hash) = number.checked_sub(1).and_then(|at| self.slots.get(at)).map(|s| s.hash)
        else {
            return;
        };
        let mask = self.table.len().saturating_sub(1);
        let mut at = start(hash) & mask;
        while let Some(cell) = self.table.get_mut(at) {
            if *cell == 0 {
                *cell = u16::try_from(number).unwrap_or(0);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn find(&self, hash: u64, lower: &str) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let mut at = start(hash) & mask;
        loop {
            let index = usize::from(*self.table.get(at)?).checked_sub(1)?;
            let slot = self.slots.get(index)?;
            if slot.hash == hash && self.piece(slot.lower) == lower {
                return Some(index);
            }
            at = (at + 1) & mask;
        }
    }

    pub(crate) fn by_hash(&self, hash: u64, lower: &str) -> Option<Entry<'_>> {
        let slot = self.slots.get(self.find(hash, lower)?)?;
        Some(Entry { context: self, slot })
    }

    /// Looks a key up, without regard to case.
    #[must_use]
    pub fn find_key(&self, key: &str) -> Option<Entry<'_>> {
        let lower = lower(key);
        self.by_hash(hash(lower.as_bytes()), &lower)
    }

    /// All keys in the order of first setting.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|slot| Entry { context: self, slot })
    }

    /// How many keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

fn start(hash: u64) -> usize {
    usize::try_from(hash >> 16 & 0xFFFF_FFFF).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_any_casing_and_keep_their_own() {
        let mut context = Context::new();
        context.set("aws:PrincipalTag/Dept", "a", SetBy::Session);
        let entry = context.find_key("AWS:principaltag/DEPT").unwrap();
        assert_eq!((entry.key(), entry.single()), ("aws:PrincipalTag/Dept", Some("a")));
        assert!(context.find_key("aws:PrincipalTag/Dep").is_none());
    }

    #[test]
    fn a_later_set_replaces() {
        let mut context = Context::new();
        context.set("k:A", "1", SetBy::Principal).set("K:a", "2", SetBy::Session);
        assert_eq!(context.len(), 1);
        let entry = context.find_key("k:a").unwrap();
        assert_eq!((entry.single(), entry.set_by()), (Some("2"), SetBy::Session));
    }

    #[test]
    fn tags_that_differ_in_case_do_not_depend_on_order() {
        let mut tags = vec![Tag::new("team", "low"), Tag::new("Team", "high")];
        for _ in 0..2 {
            let mut context = Context::new();
            context.set_tags("aws:ResourceTag/", &tags, SetBy::Resource);
            assert_eq!(context.find_key("aws:resourcetag/team").unwrap().single(), Some("high"));
            tags.reverse();
        }
    }

    #[test]
    fn many_keys_stay_findable_after_growth_and_removal() {
        let mut context = Context::with_capacity(2);
        for n in 0..500 {
            context.set(&format!("x:K{n}"), &n.to_string(), SetBy::Request);
        }
        context.remove("X:k7");
        assert!(context.find_key("x:K7").is_none());
        for n in (0..500).filter(|n| *n != 7) {
            let value = n.to_string();
            assert_eq!(context.find_key(&format!("X:k{n}")).unwrap().single(), Some(&*value));
        }
    }

    #[test]
    fn an_empty_list_is_present() {
        let mut context = Context::new();
        context.set_many("aws:TagKeys", Vec::<&str>::new(), SetBy::Request);
        let entry = context.find_key("aws:tagkeys").unwrap();
        assert_eq!((entry.count(), entry.single(), entry.is_list()), (0, None, true));
    }
}
