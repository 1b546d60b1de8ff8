//! What the command line says of a question: who, with which policies, in which context.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use policy::{
    Ask, Compiled, Context, Document, Kind, Layers, Named, PolicyId, PolicyKind, Principal, SetBy,
    Strictness,
};
use serde::Deserialize;
use service::{
    caller::Caller,
    context,
    world::{self, World},
};

use super::{Options, folder::Folder};
use crate::cli::{
    failure::Failure,
    snippet::{self, Remark},
    source::Source,
};

/// Who asks when nobody is named.
const SOMEBODY: &str = "user/somebody";

/// All of a simulation but the question.
pub struct Given {
    pub principal: Principal,
    pub context: Context,
    pub layers: Layers,
    /// The resource's policy, or the role's trust policy.
    resource: Option<Arc<Compiled>>,
    /// Resource control policies.
    rcps: Option<Vec<Arc<Compiled>>>,
    trust: bool,
    /// Condition keys, over those that follow from the caller and the resource.
    keys: Vec<(String, Vec<String>)>,
}

impl Given {
    /// # Errors
    /// A file that cannot be read, a policy that AWS refuses, a principal or a key that is none.
    pub fn read(
        options: &Options,
        folder: Option<&Folder>,
        now: Timestamp,
    ) -> Result<Given, Failure> {
        let caller = match folder {
            Some(folder) => folder.caller.clone(),
            None => {
                let text = options.principal.as_deref().unwrap_or(SOMEBODY);
                let principal = policy::case::principal(text);
                let principal = principal.map_err(|fault| Failure::of("--principal", fault))?;
                Caller { principal, ..Caller::anonymous() }
            }
        };
        let mut identity = caller.layers.identity.clone();
        if !options.identity.is_empty() {
            identity.push(set(&options.identity, Kind::Identity)?);
        }
        let several = |files: &[String], kind| match files {
            [] => Ok(None),
            files => set(files, kind).map(Some),
        };
        let levels = |files: &[String], kind| match files {
            [] => Ok(None),
            files => files.iter().map(|one| level(one, kind)).collect::<Result<_, _>>().map(Some),
        };
        let session = several(&options.session, Kind::Session)?.map(|set| vec![set]);
        let boundary = several(&options.boundary, Kind::Boundary)?;
        let resource = match &options.trust {
            Some(file) => Some(set(std::slice::from_ref(file), Kind::Trust)?),
            None => several(&options.resource_policy, Kind::Resource)?,
        };
        let layers = Layers {
            scps: levels(&options.scp, Kind::Scp)?.or(folder.and_then(Folder::scps)),
            identity,
            boundary: boundary.or_else(|| caller.layers.boundary.clone()),
            session,
            ..Layers::default()
        };
        let nobody = World::default();
        let world = folder.map_or(&nobody, |folder| &folder.world);
        let context = context::of_caller(&caller, world, now);
        Ok(Given {
            principal: caller.principal,
            context,
            layers,
            resource,
            rcps: levels(&options.rcp, Kind::Rcp)?,
            trust: options.trust.is_some(),
            keys: keys(options)?,
        })
    }

    /// What the command line says goes before what the folder knows.
    pub fn add(&self, ask: &mut Ask, layers: &mut Layers) {
        if self.resource.is_some() {
            layers.resource.clone_from(&self.resource);
            ask.requires_resource_policy = self.trust;
        }
        if self.rcps.is_some() {
            layers.rcps.clone_from(&self.rcps);
        }
        for (key, values) in &self.keys {
            // A key is a list when the catalogue says so; of others, when it has several values.
            let list = policy::key::is_multivalued(&key.to_ascii_lowercase());
            match values.as_slice() {
                [value] if list != Some(true) => ask.context.set(key, value, SetBy::Simulation),
                values => ask.context.set_many(key, values, SetBy::Simulation),
            };
        }
    }
}

fn set(files: &[String], kind: Kind) -> Result<Arc<Compiled>, Failure> {
    let named = files.iter().map(|file| named(file, kind)).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Compiled::new(named)))
}

/// One level of an organization: files separated by commas.
fn level(files: &str, kind: Kind) -> Result<Arc<Compiled>, Failure> {
    let mut named =
        files.split(',').map(|file| named(file, kind)).collect::<Result<Vec<_>, _>>()?;
    if kind == Kind::Rcp {
        let full = world::rcp_full_access();
        named.push(full.map_err(|corrupt| Failure::new(corrupt.reason))?);
    }
    Ok(Arc::new(Compiled::new(named)))
}

/// A policy of a file, which gives it its name.
fn named(file: &str, kind: Kind) -> Result<Named, Failure> {
    let source = Source::file(file);
    let text = source.read()?;
    let (strictness, attached) = match kind {
        Kind::Identity => (Strictness::Stored, PolicyKind::Inline),
        Kind::Boundary => (Strictness::Stored, PolicyKind::Boundary),
        Kind::Session => (Strictness::Session, PolicyKind::SessionInline),
        Kind::Trust => (Strictness::Stored, PolicyKind::Trust),
        Kind::Resource => (Strictness::Stored, PolicyKind::Resource),
        Kind::Scp => (Strictness::Stored, PolicyKind::Scp),
        Kind::Rcp => (Strictness::Stored, PolicyKind::Rcp),
    };
    let document = Document::parse(&text, kind, strictness).map_err(|rejection| {
        let remarks: Vec<_> = rejection.diagnostics.iter().map(Remark::of_policy).collect();
        let shown = snippet::render(source.name(), &text, &remarks, false);
        Failure::new(format!("{}: AWS refuses this policy: {rejection}\n{shown}", source.name()))
    })?;
    Ok(Named::new(PolicyId::new(source.name(), attached), Arc::new(document)))
}

/// The condition keys of the file, then those of the command line; each key's values together.
fn keys(options: &Options) -> Result<Vec<(String, Vec<String>)>, Failure> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Many(Vec<String>),
    }
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    if let Some(file) = &options.context_file {
        let source = Source::file(file);
        let read: BTreeMap<String, Values> = serde_json::from_str(&source.read()?)
            .map_err(|error| Failure::of(source.name(), error))?;
        keys.extend(read.into_iter().map(|(key, values)| match values {
            Values::One(value) => (key, vec![value]),
            Values::Many(values) => (key, values),
        }));
    }
    let first = keys.len();
    for pair in &options.context {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Failure::new(format!("--context {pair}: there is no =")).help("write it as KEY=VALUE")
        })?;
        let mut here = keys.iter_mut().skip(first);
        match here.find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => keys.push((key.to_owned(), vec![value.to_owned()])),
        }
    }
    Ok(keys)
}
