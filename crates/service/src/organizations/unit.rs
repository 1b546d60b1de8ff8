//! Organizational units, and what is below and above whom.

use policy::Tag;
use serde::{Deserialize, Serialize};

use super::organization::constraint;
use super::tag::{refused, tagged_ask};
use super::tree::{Node, OrganizationRecord, Unit};
use super::{Empty, Paging, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::entity::check_tags;

/// Units on the way from the root to an account. Source: AWS Organizations quotas.
const MAX_DEPTH: usize = 5;
/// Units in one organization. Source: the same.
const MAX_UNITS: usize = 2000;

/// The actions of this file.
pub const ACTIONS: [Entry; 7] = [
    Entry::of::<CreateUnit>(),
    Entry::of::<DeleteUnit>(),
    Entry::of::<DescribeUnit>(),
    Entry::of::<ListChildren>(),
    Entry::of::<ListUnitsForParent>(),
    Entry::of::<ListParents>(),
    Entry::of::<UpdateUnit>(),
];

const CHILD_NOT_FOUND: Code = Code::new("ChildNotFoundException", 400);
const DUPLICATE: Code = Code::new("DuplicateOrganizationalUnitException", 400);
const NOT_EMPTY: Code = Code::new("OrganizationalUnitNotEmptyException", 400);
const NOT_FOUND: Code = Code::new("OrganizationalUnitNotFoundException", 400);
const PARENT_NOT_FOUND: Code = Code::new("ParentNotFoundException", 400);

/// A unit as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    id: String,
    arn: String,
    name: String,
    path: String,
}

/// One unit.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneUnit {
    organizational_unit: View,
}

fn view(record: &OrganizationRecord, id: &str, unit: &Unit) -> View {
    View {
        id: id.to_owned(),
        arn: record.node_arn(id).unwrap_or_default(),
        name: unit.name.clone(),
        path: record.path_of(id),
    }
}

fn one(record: &OrganizationRecord, id: &str) -> Result<OneUnit> {
    let organizational_unit = view(record, id, find(record, id)?);
    Ok(OneUnit { organizational_unit })
}

fn find<'a>(record: &'a OrganizationRecord, id: &str) -> Result<&'a Unit> {
    record.units.get(id).ok_or_else(|| {
        let text = "We can't find an OU with the OrganizationalUnitId that you specified.";
        Error::new(NOT_FOUND, text)
    })
}

/// That units and accounts can be below it.
///
/// # Errors
/// `ParentNotFoundException`.
pub fn check_parent(record: &OrganizationRecord, id: &str) -> Result<()> {
    match record.is_parent(id) {
        true => Ok(()),
        false => {
            let text = "We can't find a root or OU with the ParentId that you specified.";
            Err(Error::new(PARENT_NOT_FOUND, text))
        }
    }
}

fn check_name(record: &OrganizationRecord, parent: &str, name: &str) -> Result<()> {
    let mut siblings = record.units.values().filter(|unit| unit.parent == parent);
    match siblings.any(|unit| unit.name == name) {
        true => Err(Error::new(DUPLICATE, "An OU with the same name already exists.")),
        false => Ok(()),
    }
}

/// `CreateOrganizationalUnit`
pub struct CreateUnit;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    parent_id: String,
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreateUnit {
    const NAME: &'static str = "CreateOrganizationalUnit";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneUnit;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let ask = ask_about(cx, Self::NAME, &input.parent_id)?;
        Ok(tagged_ask(ask, &input.tags))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneUnit>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        check_parent(&record, &input.parent_id)?;
        check_name(&record, &input.parent_id, &input.name)?;
        check_tags(&input.tags).map_err(refused)?;
        if record.depth(&input.parent_id) >= MAX_DEPTH {
            return Err(constraint("You exceeded the depth limit of the organization's tree."));
        }
        if record.units.len() >= MAX_UNITS {
            return Err(constraint("You have exceeded the allowed number of OUs."));
        }
        let id = record.unit_id();
        let unit = Unit { name: input.name, parent: input.parent_id };
        record.units.insert(id.clone(), unit);
        record.attach_defaults(&id);
        record.set_tags(&id, input.tags);
        Ok(Done::write(one(&record, &id)?, put(&cx.world, record)))
    }
}

/// A unit's id alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnitId {
    organizational_unit_id: String,
}

/// `DescribeOrganizationalUnit`
pub struct DescribeUnit;

impl Action for DescribeUnit {
    const NAME: &'static str = "DescribeOrganizationalUnit";
    const EFFECT: Effect = Effect::Read;
    type Input = UnitId;
    type Output = OneUnit;

    fn asks(cx: &Cx<'_>, input: &UnitId) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.organizational_unit_id)?])
    }

    async fn run(cx: &mut Cx<'_>, input: UnitId, _permit: Permit<Self>) -> Result<Done<OneUnit>> {
        Ok(Done::read(one(managed(cx)?, &input.organizational_unit_id)?))
    }
}

/// `UpdateOrganizationalUnit`: another name.
pub struct UpdateUnit;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    organizational_unit_id: String,
    name: Option<String>,
}

impl Action for UpdateUnit {
    const NAME: &'static str = "UpdateOrganizationalUnit";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = OneUnit;

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.organizational_unit_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UpdateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneUnit>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let id = input.organizational_unit_id;
        let unit = find(&record, &id)?.clone();
        if let Some(name) = input.name.filter(|name| *name != unit.name) {
            check_name(&record, &unit.parent, &name)?;
            record.units.insert(id.clone(), Unit { name, ..unit });
        }
        Ok(Done::write(one(&record, &id)?, put(&cx.world, record)))
    }
}

/// `DeleteOrganizationalUnit`: only an empty one.
pub struct DeleteUnit;

impl Action for DeleteUnit {
    const NAME: &'static str = "DeleteOrganizationalUnit";
    const EFFECT: Effect = Effect::Write;
    type Input = UnitId;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &UnitId) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.organizational_unit_id)?])
    }

    async fn run(cx: &mut Cx<'_>, input: UnitId, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let id = input.organizational_unit_id;
        find(&record, &id)?;
        if children(&record, &id, true).chain(children(&record, &id, false)).next().is_some() {
            let text = "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.";
            return Err(Error::new(NOT_EMPTY, text));
        }
        record.units.remove(&id);
        record.attached.remove(&id);
        record.tags.remove(&id);
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// Ids of the units or of the accounts right below a node, in their order.
fn children<'a>(
    record: &'a OrganizationRecord,
    parent: &'a str,
    units: bool,
) -> impl Iterator<Item = &'a str> {
    let below = record.units.iter().filter(move |(_, unit)| units && unit.parent == parent);
    let mut members: Vec<_> =
        record.accounts.iter().filter(|member| !units && member.parent == parent).collect();
    members.sort_by_key(|member| member.id.as_str());
    below.map(|(id, _)| id.as_str()).chain(members.into_iter().map(|member| member.id.as_str()))
}

/// `ListChildren`
pub struct ListChildren;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChildrenInput {
    parent_id: String,
    child_type: String,
    #[serde(flatten)]
    wanted: Paging,
}

/// A node below or above another.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Relative {
    id: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChildrenOutput {
    children: Vec<Relative>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListChildren {
    const NAME: &'static str = "ListChildren";
    const EFFECT: Effect = Effect::Read;
    type Input = ChildrenInput;
    type Output = ChildrenOutput;

    fn asks(cx: &Cx<'_>, input: &ChildrenInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.parent_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ChildrenInput,
        _permit: Permit<Self>,
    ) -> Result<Done<ChildrenOutput>> {
        let record = managed(cx)?;
        check_parent(record, &input.parent_id)?;
        let units = input.child_type == "ORGANIZATIONAL_UNIT";
        let kind = if units { "ORGANIZATIONAL_UNIT" } else { "ACCOUNT" };
        let found = children(record, &input.parent_id, units);
        let (ids, next_token) = cut(cx, found, |id| (*id).to_owned(), &input.wanted)?;
        let children = ids.into_iter().map(|id| Relative { id: id.to_owned(), kind }).collect();
        Ok(Done::read(ChildrenOutput { children, next_token }))
    }
}

/// `ListOrganizationalUnitsForParent`
pub struct ListUnitsForParent;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BelowInput {
    /// The root or a unit.
    pub parent_id: String,
    #[serde(flatten)]
    pub(super) wanted: Paging,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnitsOutput {
    organizational_units: Vec<View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListUnitsForParent {
    const NAME: &'static str = "ListOrganizationalUnitsForParent";
    const EFFECT: Effect = Effect::Read;
    type Input = BelowInput;
    type Output = UnitsOutput;

    fn asks(cx: &Cx<'_>, input: &BelowInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.parent_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: BelowInput,
        _permit: Permit<Self>,
    ) -> Result<Done<UnitsOutput>> {
        let record = managed(cx)?;
        check_parent(record, &input.parent_id)?;
        let below = record.units.iter().filter(|(_, unit)| unit.parent == input.parent_id);
        let (units, next_token) = cut(cx, below, |(id, _)| (*id).clone(), &input.wanted)?;
        let organizational_units =
            units.into_iter().map(|(id, unit)| view(record, id, unit)).collect();
        Ok(Done::read(UnitsOutput { organizational_units, next_token }))
    }
}

/// `ListParents`: each has one.
pub struct ListParents;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParentsInput {
    child_id: String,
    #[serde(flatten)]
    wanted: Paging,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParentsOutput {
    parents: Vec<Relative>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListParents {
    const NAME: &'static str = "ListParents";
    const EFFECT: Effect = Effect::Read;
    type Input = ParentsInput;
    type Output = ParentsOutput;

    fn asks(cx: &Cx<'_>, input: &ParentsInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.child_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ParentsInput,
        _permit: Permit<Self>,
    ) -> Result<Done<ParentsOutput>> {
        let record = managed(cx)?;
        let parent = record.parent_of(&input.child_id).ok_or_else(|| {
            let text = "We can't find an OU or AWS account with the ChildId that you specified.";
            Error::new(CHILD_NOT_FOUND, text)
        })?;
        let kind = match record.node(parent) {
            Some(Node::Root) => "ROOT",
            _ => "ORGANIZATIONAL_UNIT",
        };
        let parent = Relative { id: parent.to_owned(), kind };
        let (parents, next_token) = cut(cx, [parent], |it| it.id.clone(), &input.wanted)?;
        Ok(Done::read(ParentsOutput { parents, next_token }))
    }
}
