//! The work itself, in no engine's language.

/// What is asked of the statement in the middle.
pub struct Case {
    pub name: &'static str,
    pub allowed: bool,
    /// The resource's `access-project`; the principal's is `heart`.
    pub project: &'static str,
    /// The resource's `classification`; the principal's `clearance` is `low`.
    pub classification: &'static str,
}

pub const CASES: [Case; 3] = [
    Case { name: "allow", allowed: true, project: "heart", classification: "internal" },
    Case { name: "implicit deny", allowed: false, project: "sun", classification: "internal" },
    Case { name: "explicit deny", allowed: false, project: "heart", classification: "secret" },
];

/// N statements: all but one allow their own action on their own folder, where the tags
/// `access-project` of principal and resource are equal; one denies everything on what is classified
/// `secret`, except to those whose clearance is `high`.
pub struct Workload {
    pub statements: usize,
}

impl Workload {
    pub fn new(statements: usize) -> Workload {
        Workload { statements }
    }

    /// The number of the statement that the cases are about.
    pub fn middle(&self) -> usize {
        self.statements / 2
    }

    /// Numbers of the allowing statements.
    pub fn allowing(&self) -> std::ops::Range<usize> {
        0..self.statements - 1
    }
}

/// The principal's five tags.
pub const PRINCIPAL_TAGS: [(&str, &str); 5] = [
    ("access-project", "heart"),
    ("cost-center", "12345"),
    ("department", "research"),
    ("clearance", "low"),
    ("team", "blue"),
];

/// The resource's five tags.
pub fn resource_tags(case: &Case) -> [(&'static str, &'static str); 5] {
    [
        ("access-project", case.project),
        ("cost-center", "12345"),
        ("classification", case.classification),
        ("stage", "prod"),
        ("owner", "carol"),
    ]
}
