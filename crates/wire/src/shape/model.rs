//! The tables, as read from `models/*.json`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::pattern::Pattern;

/// One service's operations.
#[derive(Debug)]
pub struct Model {
    /// The name in credential scopes: `sts`, `iam`, `cloudtrail`.
    pub service: &'static str,
    /// The `Version` of the query protocol.
    pub version: &'static str,
    /// The XML namespace; empty for JSON services.
    pub namespace: &'static str,
    /// The prefix in `X-Amz-Target`; empty for query services.
    pub target: &'static str,
    /// Which models the table was made from.
    pub source: &'static str,
    operations: BTreeMap<&'static str, Operation>,
}

impl Model {
    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// All operations, by name.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }
}

/// One operation: how it is called and answered.
#[derive(Debug)]
pub struct Operation {
    /// `AssumeRole`.
    pub name: &'static str,
    /// See [`Model::service`].
    pub service: &'static str,
    /// See [`Model::namespace`].
    pub namespace: &'static str,
    /// `AssumeRoleResult`; `None` when the answer has no result.
    pub result_wrapper: Option<&'static str>,
    /// Whether the operation is called without a signature.
    pub unsigned: bool,
    /// The errors that its model lists.
    pub errors: Vec<ErrorShape>,
    pub(super) input: Option<ShapeId>,
    pub(super) shapes: &'static Shapes,
}

/// An error of the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorShape {
    /// The shape's name: `InvalidIdentityTokenException`.
    pub name: &'static str,
    /// The code on the wire: `InvalidIdentityToken`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
}

pub(super) type ShapeId = usize;

#[derive(Debug, Default)]
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    pub(super) fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.0.get(id)
    }
}

#[derive(Debug)]
pub(super) struct Shape {
    pub kind: Kind,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub sensitive: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    Structure(Vec<Member>),
    List(ShapeId),
    Map { key: ShapeId, value: ShapeId },
    Text { pattern: Option<Pattern>, words: Vec<&'static str> },
    Integer { long: bool },
    Boolean,
    Timestamp,
}

#[derive(Debug)]
pub(super) struct Member {
    /// On the wire: `RoleArn`.
    pub name: &'static str,
    /// In violations: `roleArn`.
    pub path: String,
    pub shape: ShapeId,
    pub required: bool,
    pub sensitive: bool,
}

#[derive(Deserialize)]
struct RawModel<'m> {
    source: &'m str,
    service: &'m str,
    version: &'m str,
    namespace: &'m str,
    target: &'m str,
    #[serde(borrow)]
    operations: BTreeMap<&'m str, RawOperation<'m>>,
    #[serde(borrow)]
    errors: BTreeMap<&'m str, RawError<'m>>,
    #[serde(borrow)]
    shapes: BTreeMap<&'m str, RawShape<'m>>,
}

#[derive(Deserialize)]
struct RawOperation<'m> {
    input: Option<&'m str>,
    result: Option<&'m str>,
    #[serde(default)]
    unsigned: bool,
    #[serde(borrow)]
    errors: Vec<&'m str>,
}

#[derive(Deserialize)]
struct RawError<'m> {
    code: &'m str,
    status: u16,
}

#[derive(Deserialize)]
struct RawShape<'m> {
    #[serde(rename = "type")]
    kind: &'m str,
    min: Option<i64>,
    max: Option<i64>,
    #[serde(borrow)]
    pattern: Option<Cow<'m, str>>,
    #[serde(default, borrow, rename = "enum")]
    words: Vec<&'m str>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default, borrow)]
    members: Vec<RawMember<'m>>,
    member: Option<&'m str>,
    key: Option<&'m str>,
    value: Option<&'m str>,
}

/// `[name, shape]` or `[name, shape, flags]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawMember<'m> {
    Plain(#[serde(borrow)] (&'m str, &'m str)),
    Flagged(#[serde(borrow)] (&'m str, &'m str, &'m str)),
}

#[expect(clippy::expect_used, reason = "the tables are compiled in; a test reads every one")]
pub(super) fn load(text: &'static str) -> Model {
    let raw: RawModel<'static> = serde_json::from_str(text).expect("a table of models/");
    let ids: BTreeMap<&str, ShapeId> =
        raw.shapes.keys().enumerate().map(|(id, name)| (*name, id)).collect();
    let id = |name: &str| *ids.get(name).expect("a shape of the same table");
    let shapes = raw
        .shapes
        .into_values()
        .map(|shape| {
            let kind = match shape.kind {
                "structure" => Kind::Structure(
                    shape.members.into_iter().map(|member| read_member(member, &id)).collect(),
                ),
                "list" => Kind::List(id(shape.member.expect("a list's member"))),
                "map" => Kind::Map {
                    key: id(shape.key.expect("a map's key")),
                    value: id(shape.value.expect("a map's value")),
                },
                "integer" => Kind::Integer { long: false },
                "long" => Kind::Integer { long: true },
                "boolean" => Kind::Boolean,
                "timestamp" => Kind::Timestamp,
                _ => Kind::Text {
                    pattern: shape.pattern.map(|p| Pattern::new(p.into_owned())),
                    words: shape.words,
                },
            };
            Shape { kind, min: shape.min, max: shape.max, sensitive: shape.sensitive }
        })
        .collect();
    // Read once per process and kept for good.
    let shapes: &'static Shapes = Box::leak(Box::new(Shapes(shapes)));

    let errors = raw.errors;
    let operations = raw
        .operations
        .into_iter()
        .map(|(name, operation)| {
            let errors = operation.errors.iter().map(|name| {
                let error = errors.get(name).expect("an error of the same table");
                ErrorShape { name, code: error.code, status: error.status }
            });
            let operation = Operation {
                name,
                service: raw.service,
                namespace: raw.namespace,
                result_wrapper: operation.result,
                unsigned: operation.unsigned,
                errors: errors.collect(),
                input: operation.input.map(&id),
                shapes,
            };
            (name, operation)
        })
        .collect();
    Model {
        service: raw.service,
        version: raw.version,
        namespace: raw.namespace,
        target: raw.target,
        source: raw.source,
        operations,
    }
}

fn read_member(raw: RawMember<'static>, id: &impl Fn(&str) -> ShapeId) -> Member {
    let (name, shape, flags) = match raw {
        RawMember::Plain((name, shape)) => (name, shape, ""),
        RawMember::Flagged(row) => row,
    };
    Member {
        name,
        path: path_name(name),
        shape: id(shape),
        required: flags.contains('r'),
        sensitive: flags.contains('s'),
    }
}

/// AWS lowers the first letter only: `roleArn`, `sAMLAssertion`.
fn path_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_lowercase()).chain(letters).collect()
    })
}
