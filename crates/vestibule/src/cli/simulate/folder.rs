//! A principal of the data folder, and what the folder knows of the resources that it asks for.

use std::sync::Arc;

use policy::{AccountId, Arn, Ask, Compiled, Layers, SetBy};
use service::{
    caller::{self, Caller},
    context,
    world::{Role, World},
};

use super::Options;
use crate::{
    cli::{Global, failure::Failure},
    clock::Clock,
    installation::{self, Opener},
};

/// The installation as it is now; a server on the same folder may run.
pub struct Folder {
    pub world: Arc<World>,
    /// Who asks, with its tags and policies.
    pub caller: Caller,
}

impl Folder {
    /// # Errors
    /// No such folder; nobody or several of that name.
    pub fn open(name: &str, options: &Options, global: &Global) -> Result<Folder, Failure> {
        let config = global.settings()?;
        let folder = global.folder()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let opened = runtime.block_on(async {
            installation::open(&config, &folder, &Clock::system(), Opener::Command).await
        });
        let world = opened.map_err(|error| Failure::new(error.to_string()))?.plane.world();
        let caller = find(&world, name, &options.session_name)?;
        Ok(Folder { world, caller })
    }

    /// The organization over the principal.
    pub fn scps(&self) -> Option<Vec<Arc<Compiled>>> {
        let account = self.caller.principal.account()?;
        self.world.account(&account)?.scps.clone()
    }

    /// The organization over the resource, and, for a role that shall be taken, its trust policy
    /// and its tags.
    pub fn add_resource(&self, ask: &mut Ask, layers: &mut Layers) {
        let account = ask.resource_account.and_then(|id| self.world.account(&id));
        if let Some(account) = account {
            let id = account.record.id;
            ask.context.set("aws:ResourceAccount", id.as_str(), SetBy::Resource);
            context::resource_organization(&mut ask.context, &self.world, &id);
            // IAM's own calls are not among those that these policies bind.
            if !ask.action.as_str().to_ascii_lowercase().starts_with("iam:") {
                layers.rcps.clone_from(&account.rcps);
            }
        }
        let Some(role) = self.role(ask) else { return };
        layers.resource = Some(Arc::clone(&role.trust));
        ask.requires_resource_policy = true;
        for family in ["aws:ResourceTag/", "iam:ResourceTag/"] {
            ask.context.set_tags(family, &role.record.tags, SetBy::Resource);
        }
    }

    /// The role that an STS action is about.
    fn role(&self, ask: &Ask) -> Option<&Arc<Role>> {
        if !ask.action.as_str().to_ascii_lowercase().starts_with("sts:") {
            return None;
        }
        let account = self.world.account(&ask.resource_account?)?;
        let name = ask.resource.as_str().rsplit('/').next()?;
        account.roles.find(name).filter(|role| role.arn.as_str() == ask.resource.as_str())
    }
}

fn find(world: &World, name: &str, session: &str) -> Result<Caller, Failure> {
    let arn = Arn::parse(name).ok();
    let only: Option<AccountId> = arn.as_ref().and_then(Arn::account_id);
    let short = arn.as_ref().map_or(name, Arn::resource);
    let (kind, path) = short.split_once('/').ok_or_else(|| {
        Failure::new(format!("--as {name}: neither a user nor a role"))
            .help("write user/Name, role/Name, or an ARN")
    })?;
    let last = path.rsplit('/').next().unwrap_or(path);
    let accounts = world.accounts().into_iter();
    let accounts = accounts.filter(|account| only.is_none_or(|only| only == account.record.id));
    let mut found = accounts.filter_map(|account| match kind {
        "user" => account.users.find(last).map(|user| caller::of_user(user)),
        "role" => account.roles.find(last).map(|role| caller::of_role(role, session)),
        _ => None,
    });
    let caller = found.next().ok_or_else(|| Failure::new(format!("there is no {kind} {last}")))?;
    match found.next() {
        None => Ok(caller),
        Some(_) => {
            Err(Failure::new(format!("several accounts have a {kind} {last}")).help("name its ARN"))
        }
    }
}
