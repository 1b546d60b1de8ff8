//! `vestibule simulate`: what policies would answer, and why.
//!
//! Unlike AWS's simulator this decides as enforcement does, trust policies, session policies and
//! resource control policies included. Policies come from files; or a principal of the data folder
//! brings its own, and files add to them.

mod folder;
mod given;

use std::collections::HashMap;

use clap::Args;
use jiff::Timestamp;
use policy::{AccountId, Arn, Ask, FullRecord, Record, decide};
use serde_json::{Value, json};
use service::explain;

use self::folder::Folder;
use self::given::Given;
use super::{
    Ending, Global,
    failure::Failure,
    screen::{Screen, Tone},
};
use crate::clock::Clock;

/// What would policies answer? Decided as enforcement decides, and explained
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is called and nothing is changed. Exit code 0 when everything asked is allowed, 1 when
something is not. Condition keys that follow from the principal and the clock are set; all others
are yours to give, and what is missing is told.

Examples:
  vestibule simulate --identity policy.json --action s3:GetObject --resource arn:aws:s3:::b/k
  vestibule simulate --identity p.json --boundary b.json --scp root.json --scp unit-a.json,unit-b.json \\
      --principal role/team/deploy:ci --action iam:CreateRole --context aws:SourceIp=203.0.113.9
  vestibule simulate --trust trust.json --action sts:AssumeRoleWithWebIdentity \\
      --principal arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com \\
      --context token.actions.githubusercontent.com:sub=repo:octo-org/app:ref:refs/heads/main
  vestibule simulate --as role/developer --action sts:AssumeRole \\
      --resource arn:aws:iam::111122223333:role/deploy")]
pub struct Options {
    /// Who asks: an ARN, or `user/path/Name`, `role/path/Name:session`, `root`, `anonymous`,
    /// `oidc:PROVIDER`, `saml:PROVIDER`, `service:NAME`, with `@ACCOUNT` for another account
    /// [default: a user of account 111122223333]
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// A user or role of the data folder, with all that it has there: `user/Name`, `role/Name` or
    /// an ARN
    #[arg(long = "as", value_name = "NAME", conflicts_with = "principal")]
    stored: Option<String>,
    /// What they want to do; several are asked one after another
    #[arg(long, value_name = "SERVICE:NAME", required = true)]
    action: Vec<String>,
    /// On what; each action is asked on each
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: Vec<String>,
    /// Whose the resource is [default: as its ARN says, else the principal's]
    #[arg(long, value_name = "ACCOUNT")]
    owner: Option<AccountId>,
    /// An identity policy
    #[arg(long, value_name = "FILE")]
    identity: Vec<String>,
    /// A permissions boundary; with --as in place of the one that is attached
    #[arg(long, value_name = "FILE")]
    boundary: Vec<String>,
    /// A session policy
    #[arg(long, value_name = "FILE")]
    session: Vec<String>,
    /// The resource's policy
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    resource_policy: Vec<String>,
    /// The role's trust policy, which must allow; with --as and a role of the folder as resource,
    /// in place of its own
    #[arg(long, value_name = "FILE")]
    trust: Option<String>,
    /// Service control policies of one level, separated by commas; the organization's root first
    #[arg(long, value_name = "FILES")]
    scp: Vec<String>,
    /// Resource control policies of one level, likewise
    #[arg(long, value_name = "FILES")]
    rcp: Vec<String>,
    /// A condition key; given twice it is a list
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// Condition keys as a JSON object of texts and lists of texts; `-` for stdin
    #[arg(long, value_name = "FILE")]
    context_file: Option<String>,
    /// The session's name, for a role named by --as
    #[arg(long, value_name = "NAME", default_value = "simulation")]
    session_name: String,
    /// The time to decide at [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

pub(super) fn run(options: &Options, global: &Global, screen: &Screen) -> Result<Ending, Failure> {
    let now = options.now.unwrap_or_else(|| Clock::system().now());
    let folder = match &options.stored {
        Some(name) => Some(Folder::open(name, options, global)?),
        None => None,
    };
    let given = Given::read(options, folder.as_ref(), now)?;
    let mut answers = Vec::new();
    for action in &options.action {
        for resource in &options.resource {
            answers.push(Answer::of(action, resource, options, &given, folder.as_ref())?);
        }
    }
    let texts: Vec<String> = answers.iter().map(|answer| answer.text(now, screen)).collect();
    let allowed = answers.iter().filter(|answer| answer.record.decision.is_allow()).count();
    let all = allowed == answers.len();
    let mut text = texts.join("\n");
    if answers.len() > 1 {
        let tone = if all { Tone::Good } else { Tone::Bad };
        let summary = format!("{allowed} of {} allowed", answers.len());
        text.push('\n');
        text.push_str(&screen.paint(tone, &summary));
    }
    let results: Vec<Value> = answers.iter().map(|answer| answer.data(now)).collect();
    screen.either(text.trim_end(), &json!({ "allowed": all, "results": results }))?;
    Ok(if all { Ending::Good } else { Ending::Bad })
}

/// One question, answered.
struct Answer {
    ask: Ask,
    record: Record<'static>,
    /// Keys that policies for this question mention and that nobody set.
    open: Vec<String>,
}

impl Answer {
    fn of(
        action: &str,
        resource: &str,
        options: &Options,
        given: &Given,
        folder: Option<&Folder>,
    ) -> Result<Answer, Failure> {
        let mut ask = Ask::new(given.principal.clone(), action, resource);
        ask.context = given.context.clone();
        let own = Arn::parse(resource).ok().and_then(|arn| arn.account_id());
        ask.resource_account = options.owner.or(own);
        let mut layers = given.layers.clone();
        if let Some(folder) = folder {
            folder.add_resource(&mut ask, &mut layers);
        }
        given.add(&mut ask, &mut layers);
        let sources = layers.sources();
        let mut recorder = FullRecord::new();
        decide(&ask, &sources, &mut recorder);
        let record = recorder.into_record(&ask, &sources);
        let record =
            record.ok_or_else(|| Failure::new("the decision left no record"))?.into_owned();
        let needs = policy::needs(&ask.action, Some(&ask.resource), &sources);
        let policies = sources.policies();
        let written = policies.iter().flat_map(|named| named.document.mentioned_keys());
        let spelled: HashMap<String, &str> =
            written.map(|key| (key.to_ascii_lowercase(), key)).collect();
        let open = needs.keys().filter(|key| ask.context.find_key(key).is_none());
        let open = open.map(|key| spelled.get(key).copied().unwrap_or(key).to_owned()).collect();
        Ok(Answer { ask, record, open })
    }

    fn text(&self, now: Timestamp, screen: &Screen) -> String {
        let story = explain::question(&self.ask, &self.record, Some(now));
        let mut text = explain::text(&story, screen.colour());
        if !self.open.is_empty() {
            let title = screen.paint(Tone::Strong, "not given");
            text.push_str(&format!("\n{title}\n"));
            for key in &self.open {
                text.push_str(&format!("  {}{}\n", explain::text::plain(key), self.effect(key)));
            }
        }
        text
    }

    /// What a key that was not given could have changed; nothing, perhaps.
    fn effect(&self, key: &str) -> String {
        use policy::record::Could;
        let missing = self.record.missing.iter().find(|it| it.key.eq_ignore_ascii_case(key));
        let Some(missing) = missing else { return String::new() };
        let could = match missing.could {
            Could::Allow => "could then allow",
            Could::Deny => "could then deny",
            Could::LiftDeny => "denies for want of it",
            Could::LiftAllow => "allows for want of it",
        };
        let policy = explain::text::plain(&missing.policy.name);
        format!(": statement {} of {policy} {could}", missing.statement)
    }

    fn data(&self, now: Timestamp) -> Value {
        json!({
            "action": self.record.asked.action,
            "resource": self.record.asked.resource,
            "allowed": self.record.decision.is_allow(),
            "decision": self.record.decision,
            "missing": self.record.missing,
            "not_given": self.open,
            "story": explain::question(&self.ask, &self.record, Some(now)),
        })
    }
}
