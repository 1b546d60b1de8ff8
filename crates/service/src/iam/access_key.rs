//! Long-term access keys of users and of the account's root. The secret is told once, when the key
//! is made; the store has it sealed.

use std::borrow::Cow;

use policy::AccountId;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::bearer::{User, ask};
use super::entity::{LIMIT_EXCEEDED, NO_SUCH_ENTITY};
use super::page::{Listing, Wanted, page};
use super::user::Whom;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::ids::{self, AccessKeyId};
use crate::plane::Use;
use crate::record::AccessKeyRecord;
use crate::time::iso_seconds;
use crate::world::{Change, Entity, Kind, World};

/// Access keys of one user. Source: IAM quotas.
pub const MAX_KEYS: usize = 2;

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<CreateAccessKey>(),
    Entry::of::<DeleteAccessKey>(),
    Entry::of::<GetAccessKeyLastUsed>(),
    Entry::of::<ListAccessKeys>(),
    Entry::of::<UpdateAccessKey>(),
];

/// `CreateAccessKey`
pub struct CreateAccessKey;

/// Its input.
#[derive(Deserialize)]
pub struct CreateInput {
    #[serde(rename = "UserName")]
    name: Option<String>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateOutput {
    access_key: NewKey,
}

/// A key with its secret, which is shown this once.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewKey {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: &'static str,
    #[serde(serialize_with = "shown_once")]
    secret_access_key: Zeroizing<String>,
    create_date: String,
}

fn shown_once<S: Serializer>(
    secret: &Zeroizing<String>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(secret)
}

impl Action for CreateAccessKey {
    const NAME: &'static str = "CreateAccessKey";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = CreateOutput;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<CreateOutput>> {
        let account = cx.caller.account()?;
        let user = Whom::of(cx, input.name.as_deref())?.stored(&cx.world, account)?;
        if cx.world.keys_of(&account, user.as_deref()).len() >= MAX_KEYS {
            let text = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        let id = AccessKeyId::long_term();
        let secret = Zeroizing::new(ids::secret_access_key());
        let sealed = cx.plane.seal_secret(&id, &secret);
        let record = AccessKeyRecord {
            sealed_secret: sealed.map_err(|error| Error::internal(error.to_string()))?,
            id,
            account,
            user,
            active: true,
            created: cx.now.as_millisecond(),
        };
        let access_key = NewKey {
            user_name: record.user.clone(),
            access_key_id: record.id.to_string(),
            status: status(&record),
            secret_access_key: secret,
            create_date: iso_seconds(record.created),
        };
        let changes = vec![Change::Put(Entity::AccessKey(record))];
        Ok(Done::write(CreateOutput { access_key }, changes))
    }
}

/// `ListAccessKeys`
pub struct ListAccessKeys;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "UserName")]
    name: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// A key without its secret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: &'static str,
    create_date: String,
}

impl Action for ListAccessKeys {
    const NAME: &'static str = "ListAccessKeys";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let account = cx.caller.account()?;
        let user = Whom::of(cx, input.name.as_deref())?.stored(&cx.world, account)?;
        let mut keys = cx.world.keys_of(&account, user.as_deref());
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        let view = |key: &AccessKeyRecord| View {
            user_name: key.user.clone(),
            access_key_id: key.id.to_string(),
            status: status(key),
            create_date: iso_seconds(key.created),
        };
        let page = page(cx.operation.name, keys, |key| key.id.to_string(), &input.wanted)?
            .map(|key| view(key));
        Ok(Done::read(page.listed("AccessKeyMetadata")))
    }
}

/// `UpdateAccessKey`: switches a key on or off.
pub struct UpdateAccessKey;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    user_name: Option<String>,
    access_key_id: String,
    status: String,
}

impl Action for UpdateAccessKey {
    const NAME: &'static str = "UpdateAccessKey";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: UpdateInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let whom = Whom::of(cx, input.user_name.as_deref())?;
        let key = find(&cx.world, cx.caller.account()?, &whom, &input.access_key_id)?;
        // What is not `Active` cannot be used: `Inactive` and `Expired` alike.
        let record = AccessKeyRecord { active: input.status == "Active", ..key.clone() };
        Ok(Done::write((), vec![Change::Put(Entity::AccessKey(record))]))
    }
}

/// `DeleteAccessKey`
pub struct DeleteAccessKey;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    user_name: Option<String>,
    access_key_id: String,
}

impl Action for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    const EFFECT: Effect = Effect::Write;
    type Input = DeleteInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &DeleteInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: DeleteInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let whom = Whom::of(cx, input.user_name.as_deref())?;
        let key = find(&cx.world, cx.caller.account()?, &whom, &input.access_key_id)?;
        Ok(Done::write((), vec![Change::Delete(Kind::AccessKey, key.id.to_string())]))
    }
}

/// `GetAccessKeyLastUsed`: whose key it is, and when and for what it was last used.
pub struct GetAccessKeyLastUsed;

/// Its input.
#[derive(Deserialize)]
pub struct LastUsedInput {
    #[serde(rename = "AccessKeyId")]
    id: AccessKeyId,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUsedOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_last_used: LastUsed,
}

/// A use as AWS writes it: no date and `N/A` for a key that was never used.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    service_name: Cow<'static, str>,
    region: String,
}

impl LastUsed {
    fn of(used: Option<Use>) -> Self {
        match used {
            Some(Use { at, service, region, .. }) => {
                Self { last_used_date: Some(iso_seconds(at)), service_name: service, region }
            }
            None => Self {
                last_used_date: None,
                service_name: Cow::Borrowed("N/A"),
                region: "N/A".to_owned(),
            },
        }
    }
}

impl Action for GetAccessKeyLastUsed {
    const NAME: &'static str = "GetAccessKeyLastUsed";
    const EFFECT: Effect = Effect::Read;
    type Input = LastUsedInput;
    type Output = LastUsedOutput;

    /// About the key's user; about all there are, for a key that is none of the account's.
    fn asks(cx: &Cx<'_>, input: &LastUsedInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let key = own(&cx.world, account, &input.id);
        let ask = match key.and_then(|key| key.user.as_deref()) {
            Some(user) => ask::<User>(cx, Self::NAME, user)?,
            None => Ask::identity(cx, "iam:GetAccessKeyLastUsed", "*", account),
        };
        Ok(vec![ask])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: LastUsedInput,
        _permit: Permit<Self>,
    ) -> Result<Done<LastUsedOutput>> {
        let key = own(&cx.world, cx.caller.account()?, &input.id);
        let key = key.ok_or_else(|| missing(input.id.as_str()))?;
        let access_key_last_used = LastUsed::of(cx.plane.uses.of(key.id.as_str()));
        Ok(Done::read(LastUsedOutput { user_name: key.user.clone(), access_key_last_used }))
    }
}

impl Whom {
    /// The owner of keys as their records name it.
    fn stored(&self, world: &World, account: AccountId) -> Result<Option<String>> {
        match self {
            Self::User(name) => super::bearer::find::<User>(world, account, name)
                .map(|user| Some(user.name.clone())),
            Self::Root => Ok(None),
        }
    }
}

/// A key of the account.
fn own<'w>(world: &'w World, account: AccountId, id: &AccessKeyId) -> Option<&'w AccessKeyRecord> {
    world.access_key(id).map(|key| &**key).filter(|key| key.account == account)
}

/// A key of that very owner.
fn find<'w>(
    world: &'w World,
    account: AccountId,
    whom: &Whom,
    id: &str,
) -> Result<&'w AccessKeyRecord> {
    let user = whom.stored(world, account)?;
    let key = own(world, account, &AccessKeyId::from(id));
    key.filter(|key| key.user == user).ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Error {
    Error::new(NO_SUCH_ENTITY, format!("The Access Key with id {id} cannot be found."))
}

fn status(key: &AccessKeyRecord) -> &'static str {
    match key.active {
        true => "Active",
        false => "Inactive",
    }
}
