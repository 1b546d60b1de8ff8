//! The scene of most tests: three projects, one role whose tokens are tagged with one of them, and one
//! policy that lets a session touch what carries its own tag.

use serde_json::{Value, json};

use crate::{
    boto3::{Credentials, Session},
    idp::OidcProvider,
};

/// The account that the server starts with.
pub const ACCOUNT: &str = "111122223333";

/// The three projects; each has a role `PROJECT-app` that carries its tag.
pub const PROJECTS: [&str; 3] = ["heart", "sun", "lightning"];

/// The claim that carries session tags.
const TAGS: &str = "https://aws.amazon.com/tags";

/// What was set up.
pub struct Federation {
    /// The IAM OIDC provider.
    pub provider_arn: String,
    /// The role `developer`, which the provider's tokens open.
    pub role_arn: String,
}

impl Federation {
    /// Sets it up as `admin` would: provider, role, policy, and the projects' roles.
    pub fn set_up(admin: &Session, idp: &OidcProvider) -> Federation {
        let created = admin.ok(
            "iam",
            "create_open_id_connect_provider",
            json!({
                "Url": idp.issuer(),
                "ClientIDList": ["rs256", "es256"],
                "ThumbprintList": [idp.thumbprint()],
            }),
        );
        let provider_arn = text(&created, "/OpenIDConnectProviderArn");
        let role = admin.ok(
            "iam",
            "create_role",
            json!({
                "RoleName": "developer",
                "AssumeRolePolicyDocument": trust(idp, &provider_arn).to_string(),
                "MaxSessionDuration": 7200,
            }),
        );
        let own_project = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "OwnProject",
                "Effect": "Allow",
                "Action": ["iam:GetRole", "iam:TagRole", "iam:UntagRole", "iam:ListRoleTags"],
                "Resource": "*",
                "Condition": {"StringEquals": {
                    "aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}"
                }},
            }],
        });
        admin.ok(
            "iam",
            "put_role_policy",
            json!({
                "RoleName": "developer",
                "PolicyName": "own-project",
                "PolicyDocument": own_project.to_string(),
            }),
        );
        for project in PROJECTS {
            admin.ok(
                "iam",
                "create_role",
                json!({
                    "RoleName": format!("{project}-app"),
                    "AssumeRolePolicyDocument": account_trust(ACCOUNT).to_string(),
                    "Tags": [{"Key": "access-project", "Value": project}],
                }),
            );
        }
        Federation { provider_arn, role_arn: text(&role, "/Role/Arn") }
    }

    /// The claims of a developer of `project`.
    pub fn claims(project: &str) -> Value {
        json!({
            "email": "alice@example.com",
            "email_verified": true,
            "groups": ["engineering", project],
            "department": "research",
            TAGS: {
                "principal_tags": {"access-project": [project], "cost-center": ["12345"]},
                "transitive_tag_keys": ["access-project"],
            },
        })
    }

    /// Exchanges a token for a session.
    pub fn assume(&self, anyone: &Session, token: &str, session: &str) -> Credentials {
        Credentials::of(&anyone.ok(
            "sts",
            "assume_role_with_web_identity",
            self.request(token, session),
        ))
    }

    /// The parameters of that exchange.
    pub fn request(&self, token: &str, session: &str) -> Value {
        json!({"RoleArn": self.role_arn, "RoleSessionName": session, "WebIdentityToken": token})
    }
}

fn trust(idp: &OidcProvider, provider_arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {
                "StringEquals": {format!("{}:aud", idp.host()): ["rs256", "es256"]},
                "StringLike": {"aws:RequestTag/access-project": PROJECTS},
            },
        }],
    })
}

/// A trust policy that lets an account give the role to its own.
fn account_trust(account: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }],
    })
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}
