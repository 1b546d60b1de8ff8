//! Organizations: the tree, and that its policies bind whom they are over, and nobody else.

use serde_json::{Value, json};

use crate::support::{HOME, Keys, Reply, Town, allow, trusts};

/// An organization that [`HOME`] manages, with service control policies in force.
pub struct Organization {
    pub town: Town,
    pub id: String,
    pub root: String,
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// What a refusal says: its code and its text.
pub fn refusal(reply: &Reply) -> (String, String) {
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let message = body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default();
    (text(&body["__type"]), message.to_owned())
}

impl Organization {
    pub async fn new() -> Self {
        let town = Town::new().await;
        let made = town.organizations("CreateOrganization", &json!({"FeatureSet": "ALL"})).await;
        let id = text(&made["Organization"]["Id"]);
        let roots = town.organizations("ListRoots", &json!({})).await;
        let root = text(&roots["Roots"][0]["Id"]);
        let organization = Self { town, id, root };
        organization.toggle("EnablePolicyType", "SERVICE_CONTROL_POLICY").await;
        organization
    }

    pub async fn call(&self, action: &str, input: Value) -> Value {
        self.town.organizations(action, &input).await
    }

    pub async fn refused(&self, action: &str, input: Value) -> (String, String) {
        let admin = &self.town.admin;
        refusal(&self.town.organizations_as(admin, action, &input).await)
    }

    pub async fn toggle(&self, action: &str, kind: &str) -> Value {
        self.call(action, json!({"RootId": self.root, "PolicyType": kind})).await
    }

    pub async fn unit(&self, parent: &str, name: &str) -> String {
        let input = json!({"ParentId": parent, "Name": name});
        let made = self.call("CreateOrganizationalUnit", input).await;
        text(&made["OrganizationalUnit"]["Id"])
    }

    pub async fn policy(&self, kind: &str, name: &str, statement: Value) -> String {
        let content = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let input = json!({"Name": name, "Description": "", "Type": kind, "Content": content});
        let made = self.call("CreatePolicy", input).await;
        text(&made["Policy"]["PolicySummary"]["Id"])
    }

    pub async fn attach(&self, policy: &str, target: &str) {
        self.call("AttachPolicy", json!({"PolicyId": policy, "TargetId": target})).await;
    }

    pub async fn detach(&self, policy: &str, target: &str) {
        self.call("DetachPolicy", json!({"PolicyId": policy, "TargetId": target})).await;
    }

    pub async fn account(&self, name: &str) -> String {
        let input = json!({"Email": format!("{name}@example.com"), "AccountName": name});
        let made = self.call("CreateAccount", input).await;
        assert_eq!(made["CreateAccountStatus"]["State"], "SUCCEEDED");
        let id = json!({"CreateAccountRequestId": made["CreateAccountStatus"]["Id"]});
        assert_eq!(self.call("DescribeCreateAccountStatus", id).await, made);
        text(&made["CreateAccountStatus"]["AccountId"])
    }

    pub async fn enter(&self, account: &str) -> Keys {
        self.town.enter(account).await
    }

    pub async fn move_to(&self, account: &str, from: &str, to: &str) {
        let input = json!({
            "AccountId": account, "SourceParentId": from, "DestinationParentId": to,
        });
        self.call("MoveAccount", input).await;
    }
}

#[tokio::test]
async fn policies_bind_accounts_wherever_they_are_moved_to() {
    let org = Organization::new().await;
    let (units, account) = (org.unit(&org.root, "lab").await, org.account("heart").await);
    let inner = org.unit(&units, "inner").await;
    let keys = org.enter(&account).await;
    let town = &org.town;
    town.iam(&keys, "ListUsers", &[]).await.ok();

    let deny = json!({"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"});
    let guard = org.policy("SERVICE_CONTROL_POLICY", "guard", deny).await;
    org.attach(&guard, &units).await;
    town.iam(&keys, "ListUsers", &[]).await.ok();
    org.move_to(&account, &org.root, &inner).await;
    let arn =
        format!("arn:aws:organizations::{HOME}:policy/{}/service_control_policy/{guard}", org.id);
    town.iam(&keys, "ListUsers", &[]).await.denied(&format!(
        "User: arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/s1 is not \
         authorized to perform: iam:ListUsers on resource: arn:aws:iam::{account}:user/ with an \
         explicit deny in a service control policy: {arn}"
    ));
    town.iam(&town.admin, "ListUsers", &[]).await.ok();

    // Another text binds at once; so does its going.
    let other = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*",
    }});
    let input = json!({"PolicyId": guard, "Content": other.to_string()});
    org.call("UpdatePolicy", input).await;
    town.iam(&keys, "ListUsers", &[]).await.ok();
    let denied = town.iam(&keys, "ListRoles", &[]).await;
    assert_eq!(denied.why_in(&account), "explicitDeny scp iam:ListRoles");
    org.detach(&guard, &units).await;
    town.iam(&keys, "ListRoles", &[]).await.ok();

    // A level at which nothing is allowed blocks.
    let some = json!({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"});
    let some = org.policy("SERVICE_CONTROL_POLICY", "some", some).await;
    org.attach(&some, &inner).await;
    org.detach("p-FullAWSAccess", &inner).await;
    town.iam(&keys, "ListUsers", &[]).await.ok();
    let denied = town.iam(&keys, "ListRoles", &[]).await;
    assert_eq!(denied.why_in(&account), "implicitDeny scp iam:ListRoles");
    org.toggle("DisablePolicyType", "SERVICE_CONTROL_POLICY").await;
    town.iam(&keys, "ListRoles", &[]).await.ok();
}

#[tokio::test]
async fn resource_policies_bind_who_comes_from_outside() {
    let org = Organization::new().await;
    let account = org.account("heart").await;
    org.toggle("EnablePolicyType", "RESOURCE_CONTROL_POLICY").await;
    let town = &org.town;
    org.enter(&account).await;
    let statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:user/x"}},
    });
    let perimeter = org.policy("RESOURCE_CONTROL_POLICY", "perimeter", statement).await;
    org.attach(&perimeter, &account).await;
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let denied = town.sts(&town.admin, "AssumeRole", &input).await;
    assert_eq!(denied.why(), "explicitDeny rcp sts:AssumeRole");
    let fixed = json!({"PolicyId": "p-RCPFullAWSAccess", "TargetId": account});
    assert_eq!(org.refused("DetachPolicy", fixed).await.0, "ConstraintViolationException");
    org.detach(&perimeter, &account).await;
    org.enter(&account).await;
}

#[tokio::test]
async fn policies_see_the_organization_of_callers_and_resources() {
    let org = Organization::new().await;
    let account = org.account("heart").await;
    let town = &org.town;
    let keys = org.enter(&account).await;
    let condition = |key: &str, value: &str| Some(json!({"ForAnyValue:StringLike": {key: value}}));
    let paths = format!("{}/{}/*", org.id, org.root);
    for (name, condition, status) in [
        ("id", Some(json!({"StringEquals": {"aws:PrincipalOrgID": org.id}})), 200),
        ("other", Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-0000000000"}})), 403),
        ("paths", condition("aws:PrincipalOrgPaths", &paths), 200),
        ("elsewhere", condition("aws:PrincipalOrgPaths", "o-0000000000/*"), 403),
        ("resource", Some(json!({"StringEquals": {"aws:ResourceOrgID": org.id}})), 200),
    ] {
        let trust = trusts(&json!({"AWS": account}), &["sts:AssumeRole"], condition);
        let role = town.role(name, &trust, None).await;
        let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s2")];
        let reply = town.sts(&keys, "AssumeRole", &input).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_tree_is_told_as_it_was_made() {
    let org = Organization::new().await;
    let outer = org.unit(&org.root, "outer").await;
    let inner = org.unit(&outer, "inner").await;
    let account = org.account("heart").await;
    org.move_to(&account, &org.root, &inner).await;

    let parents = org.call("ListParents", json!({"ChildId": account})).await;
    assert_eq!(parents["Parents"], json!([{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]));
    let parents = org.call("ListParents", json!({"ChildId": outer})).await;
    assert_eq!(parents["Parents"], json!([{"Id": org.root, "Type": "ROOT"}]));
    let input = json!({"ParentId": outer, "ChildType": "ORGANIZATIONAL_UNIT"});
    let children = org.call("ListChildren", input).await;
    assert_eq!(children["Children"], json!([{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]));
    let below = org.call("ListAccountsForParent", json!({"ParentId": inner})).await;
    let described = org.call("DescribeAccount", json!({"AccountId": account})).await;
    assert_eq!(below["Accounts"], json!([described["Account"]]));
    assert_eq!(described["Account"]["JoinedTimestamp"], 1_767_225_600);
    let path = format!("{}/{}/{outer}/{inner}/", org.id, org.root);
    assert_eq!(described["Account"]["Paths"], json!([format!("{path}{account}/")]));
    let unit = org.call("DescribeOrganizationalUnit", json!({"OrganizationalUnitId": inner})).await;
    assert_eq!(unit["OrganizationalUnit"]["Path"], path);
    let arn = format!("arn:aws:organizations::{HOME}:account/{}/{account}", org.id);
    assert_eq!(described["Account"]["Arn"], arn);
    let all = org.call("ListAccounts", json!({"MaxResults": 1})).await;
    let rest = org.call("ListAccounts", json!({"NextToken": all["NextToken"]})).await;
    assert_eq!((all["Accounts"].as_array(), rest["NextToken"].as_str()).0.map(Vec::len), Some(1));
    assert_ne!(all["Accounts"], rest["Accounts"]);

    let input = json!({"TargetId": inner, "Filter": "SERVICE_CONTROL_POLICY"});
    let attached = org.call("ListPoliciesForTarget", input).await;
    assert_eq!(attached["Policies"][0]["Id"], "p-FullAWSAccess");
    let targets = org.call("ListTargetsForPolicy", json!({"PolicyId": "p-FullAWSAccess"})).await;
    assert_eq!(targets["Targets"].as_array().unwrap().len(), 5);
    let policy = org
        .policy(
            "SERVICE_CONTROL_POLICY",
            "p",
            json!({
                "Effect": "Deny", "Action": "s3:*", "Resource": "*",
            }),
        )
        .await;
    let tags = json!([{"Key": "k", "Value": "v"}]);
    org.call("TagResource", json!({"ResourceId": policy, "Tags": tags})).await;
    let told = org.call("ListTagsForResource", json!({"ResourceId": policy})).await;
    assert_eq!(told["Tags"], tags);
    org.call("UntagResource", json!({"ResourceId": policy, "TagKeys": ["k"]})).await;
    let told = org.call("ListTagsForResource", json!({"ResourceId": policy})).await;
    assert_eq!(told["Tags"], json!([]));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_its_name() {
    let org = Organization::new().await;
    let unit = org.unit(&org.root, "lab").await;
    let account = org.account("heart").await;
    let deny = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    let policy = org.policy("SERVICE_CONTROL_POLICY", "p", deny.clone()).await;
    org.attach(&policy, &unit).await;
    let scp = "SERVICE_CONTROL_POLICY";
    let named = |name: &str, content: Value| json!({"Name": name, "Description": "", "Type": scp, "Content": content.to_string()});
    let good = json!({"Version": "2012-10-17", "Statement": deny});
    let root = &org.root;
    let attach = |policy: &str, target: &str| json!({"PolicyId": policy, "TargetId": target});
    for (action, input, code) in [
        ("CreateOrganization", json!({}), "AlreadyInOrganizationException"),
        ("DeleteOrganization", json!({}), "OrganizationNotEmptyException"),
        (
            "EnablePolicyType",
            json!({"RootId": root, "PolicyType": scp}),
            "PolicyTypeAlreadyEnabledException",
        ),
        (
            "EnablePolicyType",
            json!({"RootId": "r-zzzz", "PolicyType": scp}),
            "RootNotFoundException",
        ),
        (
            "EnablePolicyType",
            json!({"RootId": root, "PolicyType": "TAG_POLICY"}),
            "PolicyTypeNotAvailableForOrganizationException",
        ),
        (
            "DisablePolicyType",
            json!({"RootId": root, "PolicyType": "RESOURCE_CONTROL_POLICY"}),
            "PolicyTypeNotEnabledException",
        ),
        (
            "CreateOrganizationalUnit",
            json!({"ParentId": root, "Name": "lab"}),
            "DuplicateOrganizationalUnitException",
        ),
        (
            "CreateOrganizationalUnit",
            json!({"ParentId": "r-zzzz", "Name": "x"}),
            "ParentNotFoundException",
        ),
        (
            "DescribeOrganizationalUnit",
            json!({"OrganizationalUnitId": "ou-zzzz-zzzzzzzz"}),
            "OrganizationalUnitNotFoundException",
        ),
        ("CreatePolicy", named("p", good.clone()), "DuplicatePolicyException"),
        ("CreatePolicy", named("q", json!({"Statement": 1})), "MalformedPolicyDocumentException"),
        ("DescribePolicy", json!({"PolicyId": "p-zzzzzzzz"}), "PolicyNotFoundException"),
        ("DeletePolicy", json!({"PolicyId": policy}), "PolicyInUseException"),
        ("DeletePolicy", json!({"PolicyId": "p-FullAWSAccess"}), "InvalidInputException"),
        (
            "UpdatePolicy",
            json!({"PolicyId": "p-FullAWSAccess", "Name": "x"}),
            "InvalidInputException",
        ),
        ("AttachPolicy", attach(&policy, &unit), "DuplicatePolicyAttachmentException"),
        ("AttachPolicy", attach(&policy, "ou-zzzz-zzzzzzzz"), "TargetNotFoundException"),
        ("DetachPolicy", attach(&policy, &account), "PolicyNotAttachedException"),
        ("DetachPolicy", attach("p-FullAWSAccess", &account), "ConstraintViolationException"),
        ("DescribeAccount", json!({"AccountId": "000000000000"}), "AccountNotFoundException"),
        (
            "MoveAccount",
            json!({"AccountId": account, "SourceParentId": unit, "DestinationParentId": root}),
            "SourceParentNotFoundException",
        ),
        (
            "MoveAccount",
            json!({"AccountId": account, "SourceParentId": root, "DestinationParentId": root}),
            "DuplicateAccountException",
        ),
        ("ListParents", json!({"ChildId": "000000000000"}), "ChildNotFoundException"),
        (
            "DescribeCreateAccountStatus",
            json!({"CreateAccountRequestId": "car-00000000000000000000000000000000"}),
            "CreateAccountStatusNotFoundException",
        ),
    ] {
        let got = org.refused(action, input).await;
        assert_eq!(got.0, code, "{action}: {}", got.1);
    }
    org.move_to(&account, root, &unit).await;
    let got = org.refused("DeleteOrganizationalUnit", json!({"OrganizationalUnitId": unit})).await;
    assert_eq!(got.0, "OrganizationalUnitNotEmptyException");
    let mut deep = unit;
    for level in 0..4 {
        deep = org.unit(&deep, &format!("u{level}")).await;
    }
    let got = org.refused("CreateOrganizationalUnit", json!({"ParentId": deep, "Name": "x"})).await;
    assert_eq!(got.0, "ConstraintViolationException");
}

#[tokio::test]
async fn only_the_managing_account_manages() {
    let org = Organization::new().await;
    let account = org.account("heart").await;
    let member = org.enter(&account).await;
    let town = &org.town;
    town.organizations_as(&member, "DescribeOrganization", &json!({})).await.ok();
    let reply = town.organizations_as(&member, "ListAccounts", &json!({})).await;
    let text = "You don't have permissions to access this resource.";
    assert_eq!(refusal(&reply), ("AccessDeniedException".to_owned(), text.to_owned()));
    let away = town.account(crate::support::AWAY).await;
    let reply = town.organizations_as(&away, "ListAccounts", &json!({})).await;
    assert_eq!(refusal(&reply).0, "AWSOrganizationsNotInUseException");

    // In the managing account too, only whoever may; and about what they may.
    let mut policy = allow("organizations:*", "*");
    let kind = json!({"StringEquals": {"organizations:PolicyType": "SERVICE_CONTROL_POLICY"}});
    policy["Statement"][0]["Condition"] = kind;
    let anna = town.user("anna", Some(&policy)).await;
    let list = |kind: &str| json!({"Filter": kind});
    town.organizations_as(&anna, "ListPolicies", &list("SERVICE_CONTROL_POLICY")).await.ok();
    let denied =
        town.organizations_as(&anna, "ListPolicies", &list("RESOURCE_CONTROL_POLICY")).await;
    assert_eq!(denied.why(), "implicitDeny identity organizations:ListPolicies");
    let denied = town
        .organizations_as(
            &anna,
            "CreateAccount",
            &json!({
                "Email": "x@example.com", "AccountName": "x",
            }),
        )
        .await;
    assert_eq!(denied.why(), "implicitDeny identity organizations:CreateAccount");
}
