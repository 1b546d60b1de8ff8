//! Condition operators: their names, and what each says of a missing, single or multivalued key
//! (spec A6). One family per file in `operator/`; to add an operator, add its row to `OPERATORS`.

mod arn;
mod binary;
mod boolean;
mod date;
mod ip;
mod null;
mod numeric;
mod string;

use serde::{Deserialize, Serialize};

use crate::choices::Choices;
use crate::context::{Context, Entry};
use crate::document::{Effect, Version};
use crate::pattern::{Key, Pattern, Variable};

pub(crate) use self::arn::ArnPattern;

/// What kind of value an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Exact text.
    String,
    /// Text without regard to case.
    StringIgnoreCase,
    /// Globs.
    StringLike,
    /// Decimals of any precision.
    Numeric,
    /// Instants with millisecond precision.
    Date,
    /// `true`, and everything else.
    Bool,
    /// Base64.
    Binary,
    /// Addresses and networks.
    Ip,
    /// ARNs, part by part.
    Arn,
    /// Presence.
    Null,
}

/// How the two sides are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Some wanted value equals (matches, contains) the value had.
    Equal,
    /// No wanted value does.
    NotEqual,
    /// The value had is less.
    Less,
    /// The value had is less or equal.
    LessOrEqual,
    /// The value had is greater.
    Greater,
    /// The value had is greater or equal.
    GreaterOrEqual,
}

/// One operator name, without prefix and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    name: &'static str,
    /// What it compares.
    pub family: Family,
    /// How.
    pub relation: Relation,
}

/// Every operator of the language, spelled as AWS documents it.
pub const OPERATORS: [Operator; 27] = {
    use Family as F;
    use Relation as R;
    const fn row(name: &'static str, family: Family, relation: Relation) -> Operator {
        Operator { name, family, relation }
    }
    [
        row("StringEquals", F::String, R::Equal),
        row("StringNotEquals", F::String, R::NotEqual),
        row("StringEqualsIgnoreCase", F::StringIgnoreCase, R::Equal),
        row("StringNotEqualsIgnoreCase", F::StringIgnoreCase, R::NotEqual),
        row("StringLike", F::StringLike, R::Equal),
        row("StringNotLike", F::StringLike, R::NotEqual),
        row("NumericEquals", F::Numeric, R::Equal),
        row("NumericNotEquals", F::Numeric, R::NotEqual),
        row("NumericLessThan", F::Numeric, R::Less),
        row("NumericLessThanEquals", F::Numeric, R::LessOrEqual),
        row("NumericGreaterThan", F::Numeric, R::Greater),
        row("NumericGreaterThanEquals", F::Numeric, R::GreaterOrEqual),
        row("DateEquals", F::Date, R::Equal),
        row("DateNotEquals", F::Date, R::NotEqual),
        row("DateLessThan", F::Date, R::Less),
        row("DateLessThanEquals", F::Date, R::LessOrEqual),
        row("DateGreaterThan", F::Date, R::Greater),
        row("DateGreaterThanEquals", F::Date, R::GreaterOrEqual),
        row("Bool", F::Bool, R::Equal),
        row("BinaryEquals", F::Binary, R::Equal),
        row("IpAddress", F::Ip, R::Equal),
        row("NotIpAddress", F::Ip, R::NotEqual),
        row("ArnEquals", F::Arn, R::Equal),
        row("ArnLike", F::Arn, R::Equal),
        row("ArnNotEquals", F::Arn, R::NotEqual),
        row("ArnNotLike", F::Arn, R::NotEqual),
        row("Null", F::Null, R::Equal),
    ]
};

impl Operator {
    /// Finds an operator by its exact name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        OPERATORS.into_iter().find(|operator| operator.name == name)
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it asks that no value matches.
    #[must_use]
    pub fn is_negated(self) -> bool {
        self.relation == Relation::NotEqual
    }

    /// Whether policy variables are understood in its values (spec A5).
    #[must_use]
    pub fn takes_variables(self) -> bool {
        use Family::{Arn, String, StringIgnoreCase, StringLike};
        matches!(self.family, String | StringIgnoreCase | StringLike | Arn)
    }

    /// Why IAM would refuse to store this literal; none when it would not.
    #[must_use]
    pub fn fault_of(self, literal: &str, version: Version) -> Option<&'static str> {
        if self.takes_variables() && version == Version::V2012 {
            if crate::pattern::check_variables(literal).is_err() {
                return Some("malformed policy variable");
            }
        } else if version == Version::V2012 && literal.contains("${") {
            return Some("this operator does not take policy variables");
        }
        match self.family {
            Family::String | Family::StringIgnoreCase | Family::StringLike => None,
            Family::Numeric => numeric::fault(literal),
            Family::Date => date::fault(literal),
            Family::Bool | Family::Null => boolean::fault(literal),
            Family::Binary => binary::fault(literal),
            Family::Ip => ip::fault(literal),
            Family::Arn => arn::fault(literal, version),
        }
    }
}

/// `ForAllValues:` or `ForAnyValue:` before an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Qualifier {
    /// Every value of the request must satisfy.
    ForAllValues,
    /// At least one value of the request must satisfy.
    ForAnyValue,
}

/// An operator with its prefix and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// What is compared.
    pub operator: Operator,
    /// The prefix.
    pub qualifier: Option<Qualifier>,
    /// The suffix `IfExists`.
    pub if_exists: bool,
}

impl Test {
    /// Reads `[ForAllValues:|ForAnyValue:]Operator[IfExists]`. `Null` takes neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (qualifier, rest) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Qualifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Qualifier::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, text),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let operator = Operator::named(name)?;
        let decorated = if_exists || qualifier.is_some();
        if operator.family == Family::Null && decorated {
            return None;
        }
        Some(Self { operator, qualifier, if_exists })
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.qualifier {
            Some(Qualifier::ForAllValues) => "ForAllValues:",
            Some(Qualifier::ForAnyValue) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(self.operator.name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// The values of a condition, read once at compile time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// For the three text families; compiled without wildcards but for `StringLike`.
    Text(Box<[Pattern]>),
    /// None: cannot be read.
    Numbers(Box<[Option<numeric::Owned>]>),
    /// Milliseconds since 1970.
    Dates(Box<[Option<i64>]>),
    /// For `Bool` and `Null`.
    Truths(Box<[bool]>),
    Bytes(Box<[Option<Box<[u8]>>]>),
    Networks(Box<[Option<ip::Network>]>),
    Arns(Box<[Option<ArnPattern>]>),
}

impl Wanted {
    pub(crate) fn compile<'a>(
        operator: Operator,
        values: impl Iterator<Item = &'a str>,
        version: Version,
    ) -> Self {
        let variables = version == Version::V2012;
        match operator.family {
            Family::String | Family::StringIgnoreCase | Family::StringLike => {
                let wildcards = operator.family == Family::StringLike;
                let syntax = crate::pattern::Syntax { wildcards, variables };
                Self::Text(values.map(|v| Pattern::compile(v, syntax)).collect())
            }
            Family::Numeric => Self::Numbers(values.map(numeric::Owned::read).collect()),
            Family::Date => Self::Dates(values.map(date::read).collect()),
            Family::Bool | Family::Null => Self::Truths(values.map(boolean::read).collect()),
            Family::Binary => Self::Bytes(values.map(binary::read).collect()),
            Family::Ip => Self::Networks(values.map(ip::Network::read).collect()),
            Family::Arn => Self::Arns(values.map(|v| arn::read(v, version)).collect()),
        }
    }

    /// The values after substitution; none for families without variables.
    pub(crate) fn shown(&self, context: &Context) -> Option<Vec<String>> {
        match self {
            Self::Text(patterns) => Some(patterns.iter().map(|p| p.shown(context)).collect()),
            Self::Arns(arns) => arns.iter().map(|arn| Some(arn.as_ref()?.shown(context))).collect(),
            _ => None,
        }
    }

    pub(crate) fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Text(patterns) => patterns.iter().flat_map(Pattern::variables).collect(),
            Self::Arns(arns) => arns.iter().flatten().flat_map(ArnPattern::variables).collect(),
            _ => Vec::new(),
        }
    }
}

/// Why a condition came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The key is not in the request; the operator's rule for that decided.
    KeyMissing,
    /// The key is multivalued and the operator has no set prefix: false, always.
    ListWithoutSetPrefix,
    /// The key is there with an empty list.
    EmptyList,
    /// Only presence counted.
    Presence,
    /// The values were compared.
    Compared,
    /// An unreadable ARN in the policy decided: it counts against the caller.
    UnreadableArn,
    /// The operator is unknown: never true.
    UnknownOperator,
}

/// The outcome of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) holds: bool,
    pub(crate) how: How,
}

/// What one value had comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The relation holds or not.
    Is(bool),
    /// The value had cannot be read and must match neither way.
    Unusable,
    /// An ARN in the policy cannot be read.
    UnreadableWanted,
}

/// What a condition is evaluated against.
#[derive(Clone, Copy)]
pub(crate) struct Against<'a> {
    pub(crate) context: &'a Context,
    pub(crate) effect: Effect,
    pub(crate) choices: &'a Choices,
}

/// The table of spec A6: operator × presence.
pub(crate) fn evaluate(
    test: Test,
    wanted: &Wanted,
    key: &Key,
    entry: Option<Entry<'_>>,
    against: Against<'_>,
) -> Outcome {
    let mut entry = entry;
    if against.choices.empty_value_is_missing
        && (test.operator.family == Family::Null || test.qualifier == Some(Qualifier::ForAllValues))
    {
        entry = entry.filter(|e| e.values().any(|value| !value.is_empty()));
    }
    if let (Family::Null, Wanted::Truths(wanted)) = (test.operator.family, wanted) {
        let holds = null::holds(wanted, entry.is_some());
        return Outcome { holds, how: How::Presence };
    }
    let Some(entry) = entry else {
        return Outcome { holds: when_missing(test, against.choices), how: How::KeyMissing };
    };
    let mut how = How::Compared;
    let mut satisfies = |value: &str| match compare(test.operator, wanted, value, against) {
        Reading::Is(holds) => holds,
        Reading::Unusable => false,
        Reading::UnreadableWanted => {
            how = How::UnreadableArn;
            against.effect == Effect::Deny
        }
    };
    let holds = match test.qualifier {
        Some(Qualifier::ForAllValues) => entry.values().all(&mut satisfies),
        Some(Qualifier::ForAnyValue) => entry.values().any(&mut satisfies),
        None if key.is_list(&entry) => {
            return Outcome { holds: false, how: How::ListWithoutSetPrefix };
        }
        // A single-valued key with several values is a caller's mistake; it matches nothing.
        None => entry.single().is_some_and(&mut satisfies),
    };
    let how = if entry.count() == 0 { How::EmptyList } else { how };
    Outcome { holds, how }
}

fn when_missing(test: Test, choices: &Choices) -> bool {
    match test.qualifier {
        Some(Qualifier::ForAllValues) => true,
        Some(Qualifier::ForAnyValue) => {
            test.if_exists && choices.for_any_if_exists_true_when_missing
        }
        None => test.if_exists || test.operator.is_negated(),
    }
}

fn compare(operator: Operator, wanted: &Wanted, had: &str, against: Against<'_>) -> Reading {
    let relation = operator.relation;
    let equal = |any: bool| Reading::Is(any != (relation == Relation::NotEqual));
    match wanted {
        Wanted::Text(patterns) if operator.family == Family::StringIgnoreCase => {
            equal(patterns.iter().any(|p| string::equal_ignoring_case(p, had, against.context)))
        }
        Wanted::Text(patterns) => {
            equal(patterns.iter().any(|p| string::matches(p, had, against.context)))
        }
        Wanted::Numbers(numbers) => Reading::Is(numeric::holds(
            relation,
            numbers,
            had,
            against.choices.unreadable_number_is_not_equal,
        )),
        Wanted::Dates(dates) => Reading::Is(date::holds(relation, dates, had)),
        Wanted::Truths(truths) => equal(truths.contains(&boolean::read(had))),
        Wanted::Bytes(bytes) => equal(binary::equals_any(bytes, had)),
        Wanted::Networks(networks) => match ip::Address::read(had) {
            Some(address) => equal(networks.iter().flatten().any(|n| n.contains(address))),
            None => Reading::Unusable,
        },
        Wanted::Arns(arns) => match arn::compare(arns, had, against.context) {
            Ok(Some(any)) => equal(any),
            Ok(None) => Reading::Unusable,
            Err(arn::Unreadable) => Reading::UnreadableWanted,
        },
    }
}

/// Whether an ordering satisfies a relation.
fn satisfies(relation: Relation, ordering: std::cmp::Ordering) -> bool {
    match relation {
        Relation::Equal => ordering.is_eq(),
        Relation::NotEqual => ordering.is_ne(),
        Relation::Less => ordering.is_lt(),
        Relation::LessOrEqual => ordering.is_le(),
        Relation::Greater => ordering.is_gt(),
        Relation::GreaterOrEqual => ordering.is_ge(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_and_print() {
        for operator in OPERATORS {
            for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                for suffix in ["", "IfExists"] {
                    let text = format!("{prefix}{}{suffix}", operator.name());
                    let null = operator.family == Family::Null && text != "Null";
                    let test = Test::parse(&text);
                    assert_eq!(test.map(|t| t.to_string()), (!null).then_some(text));
                }
            }
        }
        for bad in ["stringequals", "ForSomeValues:StringEquals", "BoolNot", "", "IfExists"] {
            assert_eq!(Test::parse(bad), None, "{bad}");
        }
    }
}
