//! A town in which every smallest input of `corpus/wire/minimal.json` finds what it names.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use service::registry::Api;
use service::settings::Providers;
use wire::shape::organizations;

use crate::credentials::SSH_KEY;
use crate::registry::{code, model};
use crate::saml::{self, Corp};
use crate::saml_idp;
use crate::support::{Device, HOME, Issuer, Keys, Reply, Town, allow, trusts};

/// Bare entities that can be deleted,
/// full ones that have something to be taken away.
pub struct Scene {
    pub town: Town,
    pub other: Keys,
    /// Somebody with leave.
    pub right: Keys,
    key: String,
    token: String,
    message: String,
    task: String,
    /// What else inputs name: codes of MFA devices, the organization's ids.
    names: BTreeMap<String, String>,
}

impl Scene {
    /// With everything.
    pub async fn whole(idp: &Issuer) -> Self {
        Self::new(idp, "", true).await
    }

    /// For one action: with passwords only where they are needed, as deriving one takes its time.
    pub async fn of(idp: &Issuer, action: &str) -> Self {
        let passwords = ["Password", "LoginProfile"].iter().any(|it| action.contains(it));
        Self::new(idp, action, passwords).await
    }

    async fn new(idp: &Issuer, action: &str, passwords: bool) -> Self {
        let settings = [(idp.arn(HOME), idp.settings())];
        let town = Town::with(Providers::new(settings.into())).await;
        saml::turn_clock(&town);
        let document = allow("s3:GetObject", "*").to_string();
        let ways = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
        let trust = trusts(&json!({"AWS": HOME}), &ways, None);
        let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
        let policy = format!("arn:aws:iam::{HOME}:policy/full");
        for name in ["bare", "full"] {
            let new = [("PolicyName", name), ("PolicyDocument", &document), ("Description", "d")];
            town.set_up("CreatePolicy", &new).await;
            town.set_up("CreateUser", &[("UserName", name)]).await;
            town.set_up("CreateGroup", &[("GroupName", name)]).await;
            town.role(name, &trust, None).await;
            let profile = [("InstanceProfileName", name), tag[0], tag[1]];
            town.set_up("CreateInstanceProfile", &profile).await;
        }
        for kind in ["User", "Role", "Group"] {
            let name = format!("{kind}Name");
            let full = (name.as_str(), "full");
            let put = [full, ("PolicyName", "inline"), ("PolicyDocument", document.as_str())];
            town.set_up(&format!("Put{kind}Policy"), &put).await;
            town.set_up(&format!("Attach{kind}Policy"), &[full, ("PolicyArn", &policy)]).await;
            if kind != "Group" {
                town.set_up(&format!("Tag{kind}"), &[full, tag[0], tag[1]]).await;
                let boundary = [full, ("PermissionsBoundary", policy.as_str())];
                town.set_up(&format!("Put{kind}PermissionsBoundary"), &boundary).await;
            }
        }
        town.set_up("AddUserToGroup", &[("GroupName", "full"), ("UserName", "full")]).await;
        let described = [("RoleName", "full"), ("Description", "d")];
        town.set_up("UpdateRoleDescription", &described).await;
        let version = [("PolicyArn", policy.as_str()), ("PolicyDocument", document.as_str())];
        town.set_up("CreatePolicyVersion", &version).await;
        town.set_up("TagPolicy", &[version[0], tag[0], tag[1]]).await;
        let full = ("InstanceProfileName", "full");
        town.set_up("AddRoleToInstanceProfile", &[full, ("RoleName", "full")]).await;
        let mut names = Self::devices(&town).await;
        let certificate = rcgen::generate_simple_self_signed(["scene.test".to_owned()]).unwrap();
        names.insert("{certificate}".to_owned(), certificate.cert.pem());
        names.insert("{certificate-key}".to_owned(), certificate.signing_key.serialize_pem());
        for name in ["bare", "full"] {
            let input = [
                ("ServerCertificateName", name),
                ("CertificateBody", &names["{certificate}"]),
                ("CertificateChain", &names["{certificate}"]),
                ("PrivateKey", &names["{certificate-key}"]),
                tag[0],
                tag[1],
            ];
            town.set_up("UploadServerCertificate", &input).await;
        }
        names.extend(Self::credentials(&town).await);
        names.extend(Self::organization(&town, action).await);
        for service in ["support.amazonaws.com", "backup.amazonaws.com"] {
            town.set_up("CreateServiceLinkedRole", &[("AWSServiceName", service)]).await;
        }
        town.set_up("TagRole", &[("RoleName", "AWSServiceRoleForSupport"), tag[0], tag[1]]).await;
        let linked = [("RoleName", "AWSServiceRoleForBackup")];
        let task = town.set_up("DeleteServiceLinkedRole", &linked).await.text("DeletionTaskId");
        town.set_up("GenerateCredentialReport", &[]).await;
        let full = format!("arn:aws:iam::{HOME}:user/full");
        let job = town.set_up("GenerateServiceLastAccessedDetails", &[("Arn", &full)]).await;
        names.insert("{job}".to_owned(), job.text("JobId"));
        let issues = action.is_empty() || action == "DisableOutboundWebIdentityFederation";
        if issues {
            town.set_up("EnableOutboundWebIdentityFederation", &[]).await;
        }
        let all =
            [("MaxPasswordAge", "90"), ("PasswordReusePrevention", "3"), ("HardExpiry", "true")];
        town.set_up("UpdateAccountPasswordPolicy", &all).await;
        for name in ["full", "admin"].into_iter().filter(|_| passwords) {
            let input = [("UserName", name), ("Password", "Correct-horse-1")];
            town.set_up("CreateLoginProfile", &input).await;
        }
        town.set_up("CreateAccountAlias", &[("AccountAlias", "home")]).await;
        idp.register(&town, &town.admin).await;
        let provider = idp.arn(HOME);
        let provider = [("OpenIDConnectProviderArn", provider.as_str()), tag[0], tag[1]];
        town.set_up("TagOpenIDConnectProvider", &provider).await;
        let federated = json!({"Federated": idp.arn(HOME)});
        let ways = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];
        let trust = trusts(&federated, &ways, None);
        town.role("web", &trust, None).await;

        let corp = Corp::register(&town).await;
        corp.role(&town, "deploy", &saml::ALL, None).await;
        let provider = [("SAMLProviderArn", corp.arn.as_str()), tag[0], tag[1]];
        town.set_up("TagSAMLProvider", &provider).await;
        let decrypting = saml_idp::file("keys/sp.key");
        let decrypting =
            [provider[0], ("AssertionEncryptionMode", "Allowed"), ("AddPrivateKey", &decrypting)];
        town.set_up("UpdateSAMLProvider", &decrypting).await;
        names.insert("{assertion}".to_owned(), saml::plain());
        names.insert("{metadata}".to_owned(), saml::metadata(&["idp"]));

        let keys = town.key_of(&town.admin, "full").await;
        // What was used says so: a key by a call that is denied, a role by its session's.
        town.iam(&keys, "ListUsers", &[]).await;
        let role = format!("arn:aws:iam::{HOME}:role/full");
        let session = [("RoleArn", role.as_str()), ("RoleSessionName", "before")];
        let session = town.sts(&town.admin, "AssumeRole", &session).await.ok().keys();
        town.iam(&session, "ListUsers", &[]).await;
        let key = keys.id;
        let other = town.user("other", None).await;
        town.set_up("TagUser", &[("UserName", "other"), tag[0], tag[1]]).await;
        let token = idp.token(town.now(), &json!({}));
        let tagged = json!({
            "jti": "t-2", "https://aws.amazon.com/source_identity": "ada",
            "https://aws.amazon.com/tags/principal_tags/project": "heart",
        });
        names.insert("{token-full}".to_owned(), idp.token(town.now(), &tagged));
        let message = town.iam(&other, "ListUsers", &[]).await.encoded_message.unwrap();
        let right = match action {
            // Who manages an organization does not leave it.
            "LeaveOrganization" => town.enter(&names["{org-account}"]).await,
            _ => town.admin.clone(),
        };
        Self { town, other, right, key, token, message, task, names }
    }

    /// One credential of each kind that single services take.
    async fn credentials(town: &Town) -> BTreeMap<String, String> {
        let full = ("UserName", "full");
        let key = town.set_up("UploadSSHPublicKey", &[full, ("SSHPublicKeyBody", SSH_KEY)]).await;
        let certificate = rcgen::generate_simple_self_signed(["full.test".to_owned()]).unwrap();
        let body = certificate.cert.pem();
        let upload = [full, ("CertificateBody", body.as_str())];
        let certificate = town.set_up("UploadSigningCertificate", &upload).await;
        let service = ("ServiceName", "codecommit.amazonaws.com");
        let credential = town.set_up("CreateServiceSpecificCredential", &[full, service]).await;
        [
            ("{ssh-body}", SSH_KEY.to_owned()),
            ("{ssh-key}", key.text("SSHPublicKeyId")),
            ("{signing-certificate}", certificate.text("CertificateId")),
            ("{credential}", credential.text("ServiceSpecificCredentialId")),
        ]
        .map(|(name, it)| (name.to_owned(), it))
        .into()
    }

    /// One MFA device that is nobody's, and one in use; the codes that each may show next.
    async fn devices(town: &Town) -> BTreeMap<String, String> {
        let mut codes = BTreeMap::new();
        for name in ["bare", "full"] {
            let device = Device::new(town, name).await;
            if name == "full" {
                device.enable(town, "full").await;
                let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
                let serial = ("SerialNumber", device.serial.as_str());
                town.set_up("TagMFADevice", &[serial, tag[0], tag[1]]).await;
            }
            // The device in use has shown its codes of this step and of the next.
            for (turn, ahead) in [(1, 2), (2, 3)] {
                codes.insert(format!("{{{name}-{turn}}}"), device.code(town, ahead));
            }
        }
        codes
    }

    /// An organization with what each of its actions needs, but what it makes or ends itself.
    async fn organization(town: &Town, action: &str) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        let needed = action.is_empty() || organizations().operation(action).is_some();
        if !needed || action == "CreateOrganization" {
            return names;
        }
        let made = town.organizations("CreateOrganization", &json!({})).await;
        names.insert("{org}".to_owned(), text(&made["Organization"]["Id"]));
        if action == "DeleteOrganization" {
            return names;
        }
        let root = text(&town.organizations("ListRoots", &json!({})).await["Roots"][0]["Id"]);
        let kind = json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"});
        town.organizations("EnablePolicyType", &kind).await;
        // Each has a value of its own, so that nobody's tags pass for another's.
        let tags = |value: &str| json!([{"Key": "k", "Value": value}]);
        for name in ["bare", "full"] {
            let unit = json!({"ParentId": root, "Name": name, "Tags": tags("unit")});
            let unit = town.organizations("CreateOrganizationalUnit", &unit).await;
            let unit = text(&unit["OrganizationalUnit"]["Id"]);
            let content = allow("*", "*").to_string();
            let policy = json!({
                "Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY",
                "Content": content, "Tags": tags("policy"),
            });
            let policy = town.organizations("CreatePolicy", &policy).await;
            let policy = text(&policy["Policy"]["PolicySummary"]["Id"]);
            if name == "full" {
                let attach = json!({"PolicyId": policy, "TargetId": unit});
                town.organizations("AttachPolicy", &attach).await;
            }
            names.insert(format!("{{org-unit-{name}}}"), unit);
            names.insert(format!("{{org-policy-{name}}}"), policy);
        }
        let tag_root = json!({"ResourceId": root, "Tags": tags("root")});
        town.organizations("TagResource", &tag_root).await;
        let account =
            json!({"Email": "a@example.com", "AccountName": "made", "Tags": tags("account")});
        let account = town.organizations("CreateAccount", &account).await;
        let account = &account["CreateAccountStatus"];
        names.insert("{org-account}".to_owned(), text(&account["AccountId"]));
        names.insert("{org-request}".to_owned(), text(&account["Id"]));
        names.insert("{org-root}".to_owned(), root);
        let account = json!({
            "Email": "b@example.com", "AccountName": "delegate", "Tags": tags("delegate"),
        });
        let delegate = town.organizations("CreateAccount", &account).await;
        let delegate = text(&delegate["CreateAccountStatus"]["AccountId"]);
        for service in ["ssm.amazonaws.com", "sso.amazonaws.com"] {
            let service = json!({"ServicePrincipal": service});
            town.organizations("EnableAWSServiceAccess", &service).await;
        }
        let sso = json!({"AccountId": delegate, "ServicePrincipal": "sso.amazonaws.com"});
        town.organizations("RegisterDelegatedAdministrator", &sso).await;
        names.insert("{org-delegate}".to_owned(), delegate);
        names
    }

    pub fn fill(&self, input: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let fill = |value: &String| {
            self.known().fold(value.clone(), |it, (name, own)| it.replace(name, own))
        };
        input.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
    }

    /// What stands for each name in braces.
    fn known(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = [
            ("{home}", HOME),
            ("{key}", self.key.as_str()),
            ("{task}", &self.task),
            ("{token}", &self.token),
            ("{message}", &self.message),
        ];
        own.into_iter().chain(self.names.iter().map(|(name, own)| (name.as_str(), own.as_str())))
    }

    /// A body of `corpus/wire/requests.json`, filled in.
    pub fn body(&self, api: &Api, template: &str) -> String {
        let json = !model(api).target.is_empty();
        let encoded =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        self.known().fold(template.to_owned(), |body, (name, own)| match json {
            true => body.replace(name, own),
            false => body.replace(&encoded(name), &encoded(own)),
        })
    }

    /// Sends it.
    pub async fn send(
        &self,
        api: &Api,
        action: &str,
        keys: Option<&Keys>,
        template: &str,
    ) -> Reply {
        let body = self.body(api, template);
        match model(api).target {
            "" => self.town.form(keys, api.name, body).await,
            target => self.town.json_body(keys, &format!("{target}.{action}"), body).await,
        }
    }

    pub async fn call(
        &self,
        api: &Api,
        action: &str,
        keys: Option<&Keys>,
        input: &[(String, String)],
    ) -> Reply {
        if !model(api).target.is_empty() {
            let target = format!("{}.{action}", model(api).target);
            return self.town.json(keys, &target, &json_input(input)).await;
        }
        let input: Vec<_> = input.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.town.call(keys, api.name, action, &input).await
    }

    /// A refusal word for word, but for what is another each time.
    pub fn shown(&self, reply: &Reply) -> String {
        if reply.status == 200 {
            return "200".to_owned();
        }
        let message = match reply.body.starts_with('{') {
            true => {
                let body: Value = serde_json::from_str(&reply.body).unwrap();
                body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default().to_owned()
            }
            false => reply.text("Message"),
        };
        let message = self.masked(&message);
        format!("{} {} {message}", reply.status, code(reply)).trim_end().to_owned()
    }

    /// A text without what is another each time.
    pub fn masked(&self, text: &str) -> String {
        let ids = self.names.iter().filter(|(name, _)| name.starts_with("{org"));
        let text = ids.fold(text.to_owned(), |text, (name, it)| text.replace(it, name));
        text.replace(&self.key, "{key}").replace(HOME, "{home}")
    }
}

/// An input for the JSON protocol: what is no text is written as JSON.
pub fn json_input(input: &[(String, String)]) -> Value {
    let value = |value: &str| match value.starts_with('[') {
        true => serde_json::from_str(value).unwrap(),
        false => Value::from(value),
    };
    input.iter().map(|(name, it)| (name.clone(), value(it))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
