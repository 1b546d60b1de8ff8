//! The tree itself: one root, units below it, accounts at its leaves, policies on any of them.

use std::collections::BTreeMap;

use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};

use crate::ids;
use crate::record::{InlinePolicy, Millis};

/// AWS's own policies, which are there in every organization.
const AWS_SCP: (&str, &str) = ("p-FullAWSAccess", "FullAWSAccess");
const AWS_RCP: (&str, &str) = ("p-RCPFullAWSAccess", "RCPFullAWSAccess");
const FULL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const RCP_FULL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// What kind of policy: of those that AWS has, the two that bind principals and resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Over principals.
    #[serde(rename = "SERVICE_CONTROL_POLICY")]
    Scp,
    /// Over resources.
    #[serde(rename = "RESOURCE_CONTROL_POLICY")]
    Rcp,
}

impl Kind {
    /// As the API writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Scp => "SERVICE_CONTROL_POLICY",
            Self::Rcp => "RESOURCE_CONTROL_POLICY",
        }
    }

    /// The kind of that name, if it is one of the two.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Scp, Self::Rcp].into_iter().find(|kind| kind.text() == text)
    }

    /// The language that its documents are written in.
    pub const fn language(self) -> policy::Kind {
        match self {
            Self::Scp => policy::Kind::Scp,
            Self::Rcp => policy::Kind::Rcp,
        }
    }
}

/// An organization, as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrganizationRecord {
    /// `o-…`
    pub id: String,
    /// The account that manages it; no policy of it binds this one.
    pub management: AccountId,
    /// Whether it has all features, policies among them, or only one bill.
    pub all_features: bool,
    /// `r-…`
    pub root: String,
    /// Kinds of policies that are in force.
    pub enabled: Vec<Kind>,
    /// Units by id.
    pub units: BTreeMap<String, Unit>,
    /// Accounts, the managing one first.
    pub accounts: Vec<Member>,
    /// Policies by id; AWS's are not among them.
    pub policies: BTreeMap<String, OrgPolicy>,
    /// Policies by what they are attached to, each in the order of attachment.
    pub attached: BTreeMap<String, Vec<String>>,
    /// Accounts that were made, by the request's id.
    pub made: BTreeMap<String, Made>,
    /// Tags by what they are on.
    #[serde(default)]
    pub tags: BTreeMap<String, Vec<Tag>>,
    /// Services that have access to the organization, and since when.
    #[serde(default)]
    pub services: BTreeMap<String, Millis>,
    /// Accounts that administer services for all, by number: which, and since when.
    #[serde(default)]
    pub delegated: BTreeMap<String, BTreeMap<String, Millis>>,
}

/// An organizational unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Unique below its parent.
    pub name: String,
    /// The root or another unit.
    pub parent: String,
}

/// An account in the tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The twelve digits.
    pub id: AccountId,
    /// The root or a unit.
    pub parent: String,
    /// A name for people.
    pub name: String,
    /// Unique in the installation.
    pub email: String,
    /// Since when.
    pub joined: Millis,
    /// Whether the organization made it.
    pub created: bool,
    /// When the organization closed it.
    #[serde(default)]
    pub closed: Option<Millis>,
}

/// A policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrgPolicy {
    /// Unique among those of its kind.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Over whom.
    pub kind: Kind,
    /// The JSON text as it was given.
    pub content: String,
}

/// An account that was asked for, and made at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Millis,
}

/// Whatever policies can be attached to.
pub enum Node<'a> {
    /// The root.
    Root,
    /// A unit.
    Unit(&'a Unit),
    /// An account.
    Account(&'a Member),
}

impl OrganizationRecord {
    /// A new one: the managing account below the root.
    pub fn new(management: Member, all_features: bool) -> Self {
        let root = id("r-", 4);
        Self {
            id: id("o-", 10),
            management: management.id,
            all_features,
            accounts: vec![Member { parent: root.clone(), ..management }],
            root,
            enabled: Vec::new(),
            units: BTreeMap::new(),
            policies: BTreeMap::new(),
            attached: BTreeMap::new(),
            made: BTreeMap::new(),
            tags: BTreeMap::new(),
            services: BTreeMap::new(),
            delegated: BTreeMap::new(),
        }
    }

    /// The id of a new unit below this root.
    pub fn unit_id(&self) -> String {
        id(&format!("ou-{}-", self.root.trim_start_matches("r-")), 8)
    }

    /// What has this id, if it is in the tree.
    pub fn node(&self, id: &str) -> Option<Node<'_>> {
        if id == self.root {
            return Some(Node::Root);
        }
        let unit = self.units.get(id).map(Node::Unit);
        unit.or_else(|| self.member(id).map(Node::Account))
    }

    /// The account of that id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.accounts.iter().find(|member| member.id.as_str() == id)
    }

    /// Whether accounts and units can be below it.
    pub fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.units.contains_key(id)
    }

    /// What is above a unit or an account; the root has nothing above.
    pub fn parent_of(&self, id: &str) -> Option<&str> {
        match self.node(id)? {
            Node::Root => None,
            Node::Unit(unit) => Some(&unit.parent),
            Node::Account(member) => Some(&member.parent),
        }
    }

    /// From the root down to the node itself.
    fn line(&self, id: &str) -> Vec<String> {
        let mut line = vec![id.to_owned()];
        // INVARIANT: units are made below what exists and never move, so this ends at the root.
        while let Some(parent) = line.last().and_then(|id| self.parent_of(id)) {
            line.push(parent.to_owned());
        }
        line.reverse();
        line
    }

    /// `o-…/r-…/ou-…/`, down to what an account is in.
    pub fn path(&self, account: &str) -> Option<String> {
        Some(self.path_of(&self.member(account)?.parent))
    }

    /// The same of the root or a unit, itself the last.
    pub fn path_of(&self, node: &str) -> String {
        format!("{}/{}/", self.id, self.line(node).join("/"))
    }

    /// How deep a unit is below the root.
    pub fn depth(&self, id: &str) -> usize {
        self.line(id).len().saturating_sub(1)
    }

    /// The ARN of a node.
    pub fn node_arn(&self, node: &str) -> Option<String> {
        let (kind, own) = match self.node(node)? {
            Node::Root => ("root", node),
            Node::Unit(_) => ("ou", node),
            Node::Account(_) => ("account", node),
        };
        Some(format!("{}:{kind}/{}/{own}", self.arn_head(), self.id))
    }

    /// The ARN of the organization.
    pub fn arn(&self) -> String {
        format!("{}:organization/{}", self.arn_head(), self.id)
    }

    fn arn_head(&self) -> String {
        format!("arn:aws:organizations::{}", self.management)
    }

    /// The policy of that id with its ARN, one of its own or of AWS's.
    pub fn policy(&self, id: &str) -> Option<Described> {
        let path = |kind: Kind| format!("{}/{id}", kind.text().to_ascii_lowercase());
        let of_aws = |kind: Kind, (_, name): (_, &str), content: &str| Described {
            id: id.to_owned(),
            arn: format!("arn:aws:organizations::aws:policy/{}", path(kind)),
            of_aws: true,
            policy: OrgPolicy {
                name: name.to_owned(),
                description: "Allows access to every operation".to_owned(),
                kind,
                content: content.to_owned(),
            },
        };
        match id {
            id if id == AWS_SCP.0 => Some(of_aws(Kind::Scp, AWS_SCP, FULL)),
            id if id == AWS_RCP.0 => Some(of_aws(Kind::Rcp, AWS_RCP, RCP_FULL)),
            id => self.policies.get(id).map(|policy| Described {
                id: id.to_owned(),
                arn: format!("{}:policy/{}/{}", self.arn_head(), self.id, path(policy.kind)),
                of_aws: false,
                policy: policy.clone(),
            }),
        }
    }

    /// All policies of a kind, AWS's first.
    pub fn policies_of(&self, kind: Kind) -> impl Iterator<Item = Described> {
        let of_aws = full(kind);
        let own = self.policies.iter().filter(move |(_, policy)| policy.kind == kind);
        let own = own.map(|(id, _)| id.as_str());
        std::iter::once(of_aws).chain(own).filter_map(|id| self.policy(id))
    }

    /// The policies of a kind that are attached to a node.
    pub fn attached_to(&self, node: &str, kind: Kind) -> impl Iterator<Item = Described> {
        let attached = self.attached.get(node).into_iter().flatten();
        attached.filter_map(|id| self.policy(id)).filter(move |it| it.policy.kind == kind)
    }

    /// Switches a kind on: AWS's policy is on every node then, so that nothing is refused yet.
    pub fn enable(&mut self, kind: Kind) {
        self.enabled.push(kind);
        let units = self.units.keys().cloned();
        let accounts = self.accounts.iter().map(|member| member.id.to_string());
        let nodes: Vec<_> =
            std::iter::once(self.root.clone()).chain(units).chain(accounts).collect();
        for node in nodes {
            self.attached.entry(node).or_default().push(full(kind).to_owned());
        }
    }

    /// Switches a kind off: nothing of it is attached any more.
    pub fn disable(&mut self, kind: Kind) {
        self.enabled.retain(|enabled| *enabled != kind);
        let gone: Vec<_> = self.policies_of(kind).map(|policy| policy.id).collect();
        for attached in self.attached.values_mut() {
            attached.retain(|id| !gone.contains(id));
        }
    }

    /// A node that is new has AWS's policies of each kind that is in force.
    pub fn attach_defaults(&mut self, node: &str) {
        let defaults = self.enabled.iter().map(|kind| full(*kind).to_owned()).collect();
        self.attached.insert(node.to_owned(), defaults);
    }

    /// The policies over an account, level by level from the root down; none over the managing
    /// account, and none of a kind that is not in force.
    pub fn levels(&self, account: &AccountId, kind: Kind) -> Option<Vec<Vec<InlinePolicy>>> {
        if *account == self.management || !self.enabled.contains(&kind) {
            return None;
        }
        let level = |node: &String| {
            // AWS's resource control policy is at every level of its own accord.
            let own = self.attached_to(node, kind).filter(|it| it.id != AWS_RCP.0);
            own.map(|it| InlinePolicy { name: it.arn, document: it.policy.content }).collect()
        };
        Some(self.line(account.as_str()).iter().map(level).collect())
    }
}

/// A policy with its id and ARN.
pub struct Described {
    /// `p-…`
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Whether AWS made it.
    pub of_aws: bool,
    /// The rest.
    pub policy: OrgPolicy,
}

/// AWS's policy of a kind, which allows everything.
const fn full(kind: Kind) -> &'static str {
    match kind {
        Kind::Scp => AWS_SCP.0,
        Kind::Rcp => AWS_RCP.0,
    }
}

/// A fresh id: small letters and digits.
pub fn id(prefix: &str, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    let random = ids::random::<32>();
    let letters = random.iter().take(length).filter_map(|it| LETTERS.get(usize::from(it % 32)));
    prefix.chars().chain(letters.map(|letter| char::from(*letter))).collect()
}
