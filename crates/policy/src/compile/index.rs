//! Which statements could apply: by action, then by resource, then by a constant that a condition
//! wants.
//!
//! A list longer than [`SHORT`] is split by whatever splits it best, so that the cost of a
//! decision follows the statements that can match and not those that exist.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::statement::{ActionPattern, Condition, Scene, Statement};
use crate::document::Effect;
use crate::hash::{HashedMap, hash};
use crate::operator::{Family, Qualifier, Relation, Wanted};
use crate::pattern::Key;

/// Lists up to this long are walked.
const SHORT: usize = 6;
/// At most this many different lengths of resource prefixes are looked up.
const LENGTHS: usize = 6;

#[derive(Debug, Default)]
pub(super) struct Index {
    /// By the hash of a whole action.
    exact: HashedMap<Node>,
    /// By the hash of the service, for actions with wildcards.
    service: HashedMap<Node>,
    /// `*` and `NotAction`.
    any: Node,
}

#[derive(Debug)]
enum Node {
    One(u32),
    List(Box<[u32]>),
    Resource(Box<ByResource>),
    Constant(Box<ByConstant>),
}

impl Default for Node {
    fn default() -> Self {
        Self::List(Box::default())
    }
}

/// By the literal text with which the wanted resources begin.
#[derive(Debug)]
struct ByResource {
    whole: HashedMap<Node>,
    /// Rising.
    lengths: Box<[usize]>,
    prefixes: HashedMap<Node>,
    rest: Node,
}

/// By the values that a `StringEquals` on one key wants.
#[derive(Debug)]
struct ByConstant {
    key: Key,
    values: HashedMap<Node>,
    rest: Node,
}

type Visit<'v> = &'v mut dyn FnMut(u32) -> ControlFlow<()>;

impl Index {
    pub(super) fn build(statements: &[Statement], effect: Effect) -> Self {
        let mut exact: HashedMap<Vec<u32>> = HashedMap::default();
        let mut service: HashedMap<Vec<u32>> = HashedMap::default();
        let mut any = Vec::new();
        for (ordinal, statement) in (0_u32..).zip(statements) {
            if statement.id.effect != effect {
                continue;
            }
            if statement.action.negated {
                any.push(ordinal);
                continue;
            }
            for pattern in &statement.action.list {
                let list = match pattern {
                    ActionPattern::All | ActionPattern::StarColonStar => &mut any,
                    ActionPattern::Exact { hash, .. } => exact.entry(*hash).or_default(),
                    ActionPattern::Glob { service: hash, .. } => service.entry(*hash).or_default(),
                    ActionPattern::Never => continue,
                };
                if list.last() != Some(&ordinal) {
                    list.push(ordinal);
                }
            }
        }
        let nodes = |map: HashedMap<Vec<u32>>| {
            map.into_iter()
                .map(|(hash, list)| (hash, Node::build(statements, list, true, 3)))
                .collect()
        };
        Self {
            exact: nodes(exact),
            service: nodes(service),
            any: Node::build(statements, any, true, 3),
        }
    }

    pub(super) fn visit(&self, scene: &Scene<'_>, visit: Visit<'_>) {
        let action = &scene.ask.action;
        if let Some(node) = self.exact.get(&action.hash()) {
            node.visit(scene, visit);
        }
        if !self.service.is_empty()
            && let Some(node) = self.service.get(&action.service_hash())
        {
            node.visit(scene, visit);
        }
        self.any.visit(scene, visit);
    }
}

impl Node {
    fn build(statements: &[Statement], list: Vec<u32>, by_resource: bool, depth: u8) -> Self {
        if let [one] = *list {
            return Self::One(one);
        }
        if list.len() <= SHORT || depth == 0 {
            return Self::List(list.into());
        }
        if by_resource && let Some(node) = ByResource::build(statements, &list, depth) {
            return Self::Resource(Box::new(node));
        }
        if let Some(node) = ByConstant::build(statements, &list, depth) {
            return Self::Constant(Box::new(node));
        }
        Self::List(list.into())
    }

    fn visit(&self, scene: &Scene<'_>, visit: Visit<'_>) {
        match self {
            Self::One(ordinal) => {
                let _ = visit(*ordinal);
            }
            Self::List(list) => {
                for ordinal in list {
                    if visit(*ordinal).is_break() {
                        break;
                    }
                }
            }
            Self::Resource(node) => node.visit(scene, visit),
            Self::Constant(node) => node.visit(scene, visit),
        }
    }
}

fn push(map: &mut HashedMap<Vec<u32>>, hash: u64, ordinal: u32) {
    let list = map.entry(hash).or_default();
    if list.last() != Some(&ordinal) {
        list.push(ordinal);
    }
}

impl ByResource {
    fn build(statements: &[Statement], list: &[u32], depth: u8) -> Option<Self> {
        // The literal beginnings of each statement's resources; none if one has none.
        let beginnings = |ordinal: u32| -> Option<Vec<(&str, bool)>> {
            let test = statements.get(ordinal as usize)?.resource.as_ref()?;
            if test.negated {
                return None;
            }
            let patterns = test.list.iter().flatten().map(|pattern| pattern.literal_prefix());
            let all: Vec<_> = patterns.collect();
            all.iter().all(|(text, _)| !text.is_empty()).then_some(all)
        };
        let mut rest = Vec::new();
        let mut known = Vec::new();
        let mut lengths = Vec::new();
        for ordinal in list {
            match beginnings(*ordinal) {
                Some(all) => {
                    let open = all.iter().filter(|(_, whole)| !whole);
                    lengths.extend(open.map(|(text, _)| text.len()));
                    known.push((*ordinal, all));
                }
                None => rest.push(*ordinal),
            }
        }
        if rest.len() * 4 > list.len() * 3 {
            return None;
        }
        let lengths = choose_lengths(lengths);
        let mut whole = HashedMap::default();
        let mut prefixes = HashedMap::default();
        for (ordinal, all) in known {
            for (text, is_whole) in all {
                let bytes = text.as_bytes();
                if is_whole {
                    push(&mut whole, hash(bytes), ordinal);
                    continue;
                }
                let length = lengths.iter().rev().find(|length| **length <= bytes.len());
                let head = length.and_then(|length| bytes.get(..*length)).unwrap_or_default();
                push(&mut prefixes, hash(head), ordinal);
            }
        }
        let same_size = |map: &HashedMap<Vec<u32>>| map.values().any(|l| l.len() == list.len());
        if same_size(&whole) || same_size(&prefixes) {
            return None;
        }
        let nodes = |map: HashedMap<Vec<u32>>| {
            map.into_iter()
                .map(|(hash, list)| (hash, Node::build(statements, list, false, depth - 1)))
                .collect()
        };
        Some(Self {
            whole: nodes(whole),
            lengths,
            prefixes: nodes(prefixes),
            rest: Node::build(statements, rest, false, depth - 1),
        })
    }

    fn visit(&self, scene: &Scene<'_>, visit: Visit<'_>) {
        let resource = &scene.ask.resource;
        if !self.whole.is_empty()
            && let Some(node) = self.whole.get(&resource.hash())
        {
            node.visit(scene, visit);
        }
        let bytes = resource.as_str().as_bytes();
        for length in &self.lengths {
            let Some(head) = bytes.get(..*length) else { break };
            if let Some(node) = self.prefixes.get(&hash(head)) {
                node.visit(scene, visit);
            }
        }
        self.rest.visit(scene, visit);
    }
}

/// Up to [`LENGTHS`] of the lengths there are, the least among them, spread by how often each
/// occurs. A longer prefix is filed under the next shorter chosen length.
fn choose_lengths(mut lengths: Vec<usize>) -> Box<[usize]> {
    lengths.sort_unstable();
    let all = lengths.clone();
    lengths.dedup();
    if lengths.len() > LENGTHS {
        let picks = (0..LENGTHS).filter_map(|n| all.get(n * all.len() / LENGTHS).copied());
        lengths = picks.collect();
        lengths.dedup();
    }
    lengths.into()
}

impl ByConstant {
    fn build(statements: &[Statement], list: &[u32], depth: u8) -> Option<Self> {
        let mut counts: HashMap<&str, (usize, &Key)> = HashMap::new();
        let conditions = |ordinal: u32| statements.get(ordinal as usize).map(|s| &*s.conditions);
        for condition in list.iter().filter_map(|ordinal| conditions(*ordinal)).flatten() {
            if constants(condition).is_some() {
                counts.entry(condition.key.as_str()).or_insert((0, &condition.key)).0 += 1;
            }
        }
        let (_, (count, key)) =
            counts.into_iter().max_by_key(|(name, (count, _))| (*count, *name))?;
        if count * 4 < list.len() {
            return None;
        }
        let mut values = HashedMap::default();
        let mut rest = Vec::new();
        for ordinal in list {
            let mut wanted = conditions(*ordinal)?.iter().filter(|c| c.key == *key);
            match wanted.find_map(constants) {
                Some(all) => all.into_iter().for_each(|text| {
                    push(&mut values, hash(text.as_bytes()), *ordinal);
                }),
                None => rest.push(*ordinal),
            }
        }
        if values.values().any(|values: &Vec<u32>| values.len() == list.len()) {
            return None;
        }
        let nodes = values
            .into_iter()
            .map(|(hash, list)| (hash, Node::build(statements, list, false, depth - 1)))
            .collect();
        let rest = Node::build(statements, rest, false, depth - 1);
        Some(Self { key: key.clone(), values: nodes, rest })
    }

    fn visit(&self, scene: &Scene<'_>, visit: Visit<'_>) {
        if let Some(entry) = self.key.in_context(&scene.ask.context) {
            for value in entry.values() {
                if let Some(node) = self.values.get(&hash(value.as_bytes())) {
                    node.visit(scene, visit);
                }
            }
        }
        self.rest.visit(scene, visit);
    }
}

/// The texts one of which the key must have for the condition to hold; none if the condition is of
/// another kind or could hold without.
fn constants(condition: &Condition) -> Option<Vec<&str>> {
    let test = condition.test?;
    let exact = test.operator.family == Family::String && test.operator.relation == Relation::Equal;
    let needs_one = exact && !test.if_exists && test.qualifier != Some(Qualifier::ForAllValues);
    match &condition.wanted {
        Wanted::Text(patterns) if needs_one => patterns.iter().map(|p| p.literal()).collect(),
        _ => None,
    }
}
