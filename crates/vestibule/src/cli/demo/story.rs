//! The story itself, in five scenes.

use claims::jose::Alg;
use serde_json::json;
use service::audit::{Reader, Scope};
use service::explain;

use super::tokens::{Fault, Mint};
use super::{ACCOUNT, ISSUER, Server};
use crate::cli::failure::Failure;
use crate::cli::screen::{Screen, Tone};
use crate::client::{Api, Client, Credentials, Reply};
use crate::clock::Clock;
use crate::data::DataFolder;
use crate::issuer::{Keys, issuer_url};

const PROJECTS: [&str; 3] = ["heart", "sun", "lightning"];

struct Teller<'a> {
    server: &'a Server,
    screen: &'a Screen,
    client: Client,
    reader: Reader,
    clock: Clock,
}

/// Tells it.
///
/// # Errors
/// If the server cannot be reached, or something turns out otherwise than it must.
pub(super) async fn tell(server: &Server, screen: &Screen) -> Result<(), Failure> {
    let folder = DataFolder::existing(&server.data)?;
    let keys = Keys::open(&folder)?;
    let key = keys.signing(Alg::Rs256).ok_or_else(|| Failure::new("no RS256 key"))?;
    let clock = Clock::system();
    let issuer = issuer_url(&server.url, ISSUER);
    let mint = Mint { key, issuer, now: clock.now().as_second() };
    let client = Client::new(&server.url);
    let reader = Reader::open(&folder.log());
    let teller = Teller { server, screen, client, reader, clock };

    teller.set_up(&mint).await?;
    let session = teller.get_in(&mint).await?;
    teller.touch(&session).await?;
    teller.be_refused(&mint).await?;
    teller.close()
}

impl Teller<'_> {
    async fn set_up(&self, mint: &Mint<'_>) -> Result<(), Failure> {
        self.scene("1  An administrator sets the doors up (IAM, signed calls)")?;
        let tags = PROJECTS.map(|project| (format!("{project}-app"), project));
        self.admin(
            Api::Iam,
            "CreateOpenIDConnectProvider",
            &[("Url", mint.issuer.as_str()), ("ClientIDList.member.1", "demo-app")],
        )
        .await?;
        self.done(&format!("OpenID Connect provider  {}", mint.issuer))?;

        let trust = self.trust(mint, true);
        self.admin(
            Api::Iam,
            "CreateRole",
            &[("RoleName", "developer"), ("AssumeRolePolicyDocument", &trust)],
        )
        .await?;
        self.admin(
            Api::Iam,
            "PutRolePolicy",
            &[
                ("RoleName", "developer"),
                ("PolicyName", "own-project"),
                ("PolicyDocument", OWN_PROJECT),
            ],
        )
        .await?;
        self.done("role developer           may touch what carries its own access-project tag")?;

        let account = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        for (name, project) in &tags {
            self.admin(
                Api::Iam,
                "CreateRole",
                &[
                    ("RoleName", name),
                    ("AssumeRolePolicyDocument", &account),
                    ("Tags.member.1.Key", "access-project"),
                    ("Tags.member.1.Value", project),
                ],
            )
            .await?;
        }
        self.done("roles heart-app, sun-app, lightning-app, each tagged with its project")
    }

    async fn get_in(&self, mint: &Mint<'_>) -> Result<Credentials, Failure> {
        self.scene("2  The outer door: alice's token says access-project=heart")?;
        let token = mint.token("heart", Fault::default())?;
        let reply = self.assume(&token, &[]).await?;
        let session = reply.credentials().filter(|_| reply.is_ok());
        let session = session.ok_or_else(|| self.unexpected("alice must get in", &reply))?;
        self.done(&format!(
            "{}  signature, issuer, audience, times and trust policy hold",
            reply.element("Arn").unwrap_or_default(),
        ))?;
        Ok(session)
    }

    async fn touch(&self, session: &Credentials) -> Result<(), Failure> {
        self.scene("3  The inner door: heart's, and not sun's")?;
        for (action, role, more, allowed) in [
            ("GetRole", "heart-app", None, true),
            ("UpdateRoleDescription", "heart-app", Some(("Description", "by alice")), true),
            ("GetRole", "sun-app", None, false),
            ("UpdateRoleDescription", "lightning-app", Some(("Description", "by alice")), false),
        ] {
            let mut parameters = vec![("RoleName", role)];
            parameters.extend(more);
            let reply = self.call(Api::Iam, action, &parameters, Some(session)).await?;
            if reply.is_ok() != allowed {
                return Err(self.unexpected(&format!("{action} {role}"), &reply));
            }
            match allowed {
                true => self.done(&format!("{action} {role}"))?,
                false => self.refused(&format!("{action} {role}"), &reply)?,
            }
        }
        Ok(())
    }

    async fn be_refused(&self, mint: &Mint<'_>) -> Result<(), Failure> {
        self.scene("4  Refused at the outer door, each time for its own reason")?;
        let none = Fault::default();
        let faults = [
            ("wrong audience", Fault { audience: Some("another-app"), ..none }),
            ("wrong subject", Fault { subject: Some("robot:nightly"), ..none }),
            ("expired", Fault { earlier: 7200, ..none }),
            ("not yet valid", Fault { not_before: 3600, ..none }),
            ("bad signature", Fault { forged: true, ..none }),
            ("unknown key", Fault { strange_key: true, ..none }),
            ("issuer with a slash too many", Fault { slash: true, ..none }),
        ];
        for (name, fault) in faults {
            let reply = self.assume(&mint.token("heart", fault)?, &[]).await?;
            self.must_refuse(name, &reply)?;
        }

        self.trust_developer(&self.trust(mint, false)).await?;
        let token = mint.token("heart", none)?;
        let reply = self.assume(&token, &[]).await?;
        self.must_refuse("tags without sts:TagSession", &reply)?;
        self.trust_developer(&self.trust(mint, true)).await?;

        let reply = self.assume(&token, &[("DurationSeconds", "7200")]).await?;
        self.must_refuse("longer than the role permits", &reply)?;
        let reply = self.assume(&token, &[]).await?;
        match reply.is_ok() {
            true => self.done("and with everything right again, the same token gets in"),
            false => Err(self.unexpected("the good token", &reply)),
        }
    }

    fn close(&self) -> Result<(), Failure> {
        self.scene("5  The log book has it all")?;
        let last = self.reader.last(Scope::Operator, true);
        let last = last.map_err(|error| Failure::new(error.to_string()))?;
        match last {
            Some(event) => {
                let story = explain::story(&event);
                let text = explain::text(&story, self.screen.colour());
                self.screen.either(&format!("\n{text}"), &story)
            }
            None => Err(Failure::new("the log book has no refusal")),
        }
    }

    fn trust(&self, mint: &Mint<'_>, tags: bool) -> String {
        let provider = mint.issuer.trim_start_matches("http://");
        let tag_session = if tags { r#","sts:TagSession""# } else { "" };
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}"}},"Action":["sts:AssumeRoleWithWebIdentity"{tag_session}],"Condition":{{"StringEquals":{{"{provider}:aud":"demo-app"}},"StringLike":{{"{provider}:sub":"user:*"}}}}}}]}}"#
        )
    }

    async fn trust_developer(&self, document: &str) -> Result<(), Failure> {
        let parameters = [("RoleName", "developer"), ("PolicyDocument", document)];
        self.admin(Api::Iam, "UpdateAssumeRolePolicy", &parameters).await.map(|_| ())
    }

    async fn assume(&self, token: &str, more: &[(&str, &str)]) -> Result<Reply, Failure> {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/developer");
        let mut parameters = vec![
            ("RoleArn", role.as_str()),
            ("RoleSessionName", "alice"),
            ("WebIdentityToken", token),
        ];
        parameters.extend_from_slice(more);
        self.call(Api::Sts, "AssumeRoleWithWebIdentity", &parameters, None).await
    }

    async fn admin(
        &self,
        api: Api,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Reply, Failure> {
        let reply = self.call(api, action, parameters, Some(&self.server.admin)).await?;
        if reply.is_ok() { Ok(reply) } else { Err(self.unexpected(action, &reply)) }
    }

    async fn call(
        &self,
        api: Api,
        action: &str,
        parameters: &[(&str, &str)],
        credentials: Option<&Credentials>,
    ) -> Result<Reply, Failure> {
        let answer = self.client.call(api, action, parameters, credentials, self.clock.now()).await;
        answer.map_err(|error| Failure::new(error.to_string()))
    }

    fn scene(&self, title: &str) -> Result<(), Failure> {
        let text = format!("\n{}", self.screen.paint(Tone::Strong, title));
        self.screen.either(&text, &json!({ "scene": title }))
    }

    fn done(&self, text: &str) -> Result<(), Failure> {
        let line = format!("  {} {text}", self.screen.paint(Tone::Good, "✓"));
        self.screen.either(&line, &json!({ "done": text }))
    }

    fn must_refuse(&self, name: &str, reply: &Reply) -> Result<(), Failure> {
        match reply.is_ok() {
            true => Err(self.unexpected(name, reply)),
            false => self.refused(name, reply),
        }
    }

    /// What was refused, what the client was told, and the reason from the log book.
    fn refused(&self, what: &str, reply: &Reply) -> Result<(), Failure> {
        let found = self.reader.by_request(Scope::Operator, &reply.request_id);
        let events = found.map_err(|error| Failure::new(error.to_string()))?;
        let event = events.first().ok_or_else(|| Failure::new("a refusal left no receipt"))?;
        let reason = explain::reason(event, &explain::story(event));
        let code = reply.element("Code").unwrap_or_default();
        let value = json!({
            "refused": what,
            "status": reply.status,
            "code": code,
            "reason": reason,
            "request_id": reply.request_id,
        });
        let mark = self.screen.paint(Tone::Bad, "✗");
        let code = self.screen.paint(Tone::Faint, &format!("{} {code}", reply.status));
        self.screen.either(&format!("  {mark} {what}  {code}\n      {reason}"), &value)
    }

    fn unexpected(&self, what: &str, reply: &Reply) -> Failure {
        Failure::new(format!("{what}: the server answered {} {}", reply.status, reply.body))
    }
}

/// The one policy of the story: ABAC by one tag.
const OWN_PROJECT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"OwnProject","Effect":"Allow","Action":["iam:GetRole","iam:UpdateRoleDescription","iam:TagRole"],"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/access-project":"${aws:PrincipalTag/access-project}"}}}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_story_is_one() {
        let strict = policy::Strictness::Stored;
        assert!(policy::Document::parse(OWN_PROJECT, policy::Kind::Identity, strict).is_ok());
    }
}
