//! The scene of the SAML tests: a provider, a role that its assertions open, and a second role that only
//! the tags of the first one's session open.

use acceptance::{ACCOUNT, Boto3, Credentials, Refusal, Session, Setup, Vestibule};
use serde_json::{Value, json};

pub const PROVIDER: &str = "arn:aws:iam::111122223333:saml-provider/Corp";

/// A server that knows the provider, and boto3 beside it.
pub struct Door {
    pub server: Vestibule,
    pub boto3: Boto3,
}

impl Door {
    /// Registers the provider by its metadata, with the private key that it may encrypt to.
    pub fn open(setup: Setup, metadata: &str, private_key: &str) -> Door {
        let server = Vestibule::start(setup);
        let door = Door { boto3: Boto3::start(&server), server };
        let admin = door.admin();
        let create = json!({"Name": "Corp", "SAMLMetadataDocument": metadata});
        assert_eq!(admin.ok("iam", "create_saml_provider", create)["SAMLProviderArn"], PROVIDER);
        let provider = json!({"SAMLProviderArn": PROVIDER});
        let shown = admin.ok("iam", "get_saml_provider", provider);
        assert_eq!(shown["SAMLMetadataDocument"], metadata);
        let key = json!({"SAMLProviderArn": PROVIDER, "AddPrivateKey": private_key});
        admin.ok("iam", "update_saml_provider", key);

        let trusted = |role: &str, principal: Value, action: &str| {
            let actions = [action, "sts:TagSession", "sts:SetSourceIdentity"];
            let allow = json!({"Effect": "Allow", "Principal": principal, "Action": actions});
            let trust = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
            let create = json!({"RoleName": role, "AssumeRolePolicyDocument": trust});
            admin.ok("iam", "create_role", create);
        };
        trusted("door", json!({"Federated": PROVIDER}), "sts:AssumeRoleWithSAML");
        trusted("inner", json!({"AWS": arn("door")}), "sts:AssumeRole");
        let tags = json!({"aws:PrincipalTag/project": "heart", "aws:SourceIdentity": "alice"});
        let cost = "aws:PrincipalTag/cost-center";
        let allow = |role: &str, action: &str, condition: Value| {
            let allow = json!({
                "Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition,
            });
            let policy = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
            let put = json!({"RoleName": role, "PolicyName": "p", "PolicyDocument": policy});
            admin.ok("iam", "put_role_policy", put);
        };
        let mut all = tags.clone();
        all[cost] = json!("4711");
        allow("door", "iam:ListUsers", json!({"StringEquals": all}));
        // The tag that is not transitive stays behind.
        allow("inner", "iam:ListRoles", json!({"StringEquals": tags, "Null": {cost: "true"}}));
        door
    }

    pub fn admin(&self) -> Session<'_> {
        self.boto3.signed(self.server.admin())
    }

    /// What somebody would send who wants the role.
    pub fn request(response: &str) -> Value {
        let role = arn("door");
        json!({"RoleArn": role, "PrincipalArn": PROVIDER, "SAMLAssertion": response})
    }

    /// Hands a response in.
    pub fn knock(&self, response: &str) -> Result<Value, Refusal> {
        let request = Door::request(response);
        self.boto3.anonymous().call("sts", "assume_role_with_saml", request)
    }

    /// A response that must be taken.
    #[track_caller]
    pub fn opens(&self, response: &str) -> Value {
        match self.knock(response) {
            Ok(session) => {
                self.pass(&session);
                session
            }
            Err(refusal) => panic!("{refusal:?}: {}", self.failed(&refusal)),
        }
    }

    /// Uses a session: its tags must open the first role's door, and those that go on the second's.
    pub fn pass(&self, session: &Value) {
        let user = format!("arn:aws:sts::{ACCOUNT}:assumed-role/door/alice@corp.example");
        assert_eq!(session["AssumedRoleUser"]["Arn"], user);
        assert_eq!(session["SourceIdentity"], "alice");
        let first = self.boto3.signed(&Credentials::of(session));
        first.ok("iam", "list_users", json!({}));
        first.refused("iam", "list_roles", json!({}));
        let next = json!({"RoleArn": arn("inner"), "RoleSessionName": "second"});
        let second = self.boto3.signed(&Credentials::of(&first.ok("sts", "assume_role", next)));
        second.ok("iam", "list_roles", json!({}));
        second.refused("iam", "list_users", json!({}));
    }

    /// A response that must be refused.
    #[track_caller]
    pub fn keeps_out(&self, response: &str) -> Refusal {
        match self.knock(response) {
            Ok(session) => panic!("it opened {session}"),
            Err(refusal) => refusal,
        }
    }

    /// Which checks failed, as `vestibule explain` has it.
    pub fn failed(&self, refusal: &Refusal) -> String {
        let request = refusal.headers["x-amzn-requestid"].as_str();
        let explain = ["explain", request, "--data", "data", "--format", "json"];
        let told = self.server.command(&explain).output().unwrap();
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let checks = told["story"]["checks"].as_array().unwrap();
        let failed = checks.iter().filter(|check| check["mark"] == "fail");
        let mut names: Vec<&str> = failed.filter_map(|check| check["name"].as_str()).collect();
        names.dedup();
        names.join(", ")
    }
}

/// The ARN of a role.
pub fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}
