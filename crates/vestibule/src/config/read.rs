//! From the text of a settings file to a [`Config`], with every problem at its place.
//!
//! Three passes: the TOML itself, the names (all unknown ones at once), the values (one type
//! fault, as the deserializer stops there; then every rule that types cannot say).

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    Claims, Config, Faulty, Problem,
    setting::{SETTINGS, Setting},
};

pub(super) fn config(path: &Path, text: &str) -> Result<Config, Faulty> {
    let faulty = |problems| Faulty { path: path.to_owned(), source: text.to_owned(), problems };
    let tree = DeTable::parse(text).map_err(|error| faulty(vec![from_toml(&error)]))?;
    let tree = tree.get_ref();

    let mut problems = Vec::new();
    unknown_names(tree, &mut Vec::new(), &mut problems);
    if !problems.is_empty() {
        return Err(faulty(problems));
    }

    let mut config: Config =
        toml::from_str(text).map_err(|error| faulty(vec![from_toml(&error)]))?;
    rules(&config, tree, &mut problems);
    if !problems.is_empty() {
        return Err(faulty(problems));
    }
    let folder_given = config.data.folder != Config::default().data.folder;
    files_beside(path.parent().unwrap_or(Path::new("")), folder_given, &mut config);
    Ok(config)
}

fn from_toml(error: &toml::de::Error) -> Problem {
    Problem { span: error.span(), message: error.message().replace('\n', ", "), help: None }
}

// Names ------------------------------------------------------------------------------------------

fn unknown_names<'a>(table: &'a DeTable<'_>, at: &mut Vec<&'a str>, found: &mut Vec<Problem>) {
    for (key, value) in table {
        at.push(key.get_ref());
        match (known(at), value.get_ref()) {
            (Known::No, _) => found.push(unknown(at, key.span())),
            (Known::Inside, DeValue::Table(inner)) => unknown_names(inner, at, found),
            (Known::Inside, _) => found.push(Problem {
                span: Some(value.span()),
                message: format!("`{}` is a table of settings, not a value", at.join(".")),
                help: None,
            }),
            (Known::Setting, _) => {}
        }
        at.pop();
    }
}

enum Known {
    No,
    Inside,
    Setting,
}

fn known(at: &[&str]) -> Known {
    let mut inside = false;
    for Setting { path, .. } in SETTINGS {
        let mut names = path.split('.');
        let fits = at.iter().all(|name| names.next().is_some_and(|n| n == "*" || n == *name));
        if fits && names.next().is_none() {
            return Known::Setting;
        }
        inside |= fits;
    }
    if inside { Known::Inside } else { Known::No }
}

fn unknown(at: &[&str], span: Range<usize>) -> Problem {
    let (last, above) = at.split_last().unwrap_or((&"", &[]));
    let mut siblings: Vec<&str> = SETTINGS.iter().filter_map(|s| sibling(s, above)).collect();
    siblings.dedup();
    let nearest = siblings.iter().map(|name| (distance(last, name), *name)).min();
    // A name from another table is the other common slip: `address` outside of `[listen]`.
    let elsewhere = SETTINGS.iter().find(|s| s.path.rsplit('.').next() == Some(last));
    let help = match (nearest, elsewhere) {
        (Some((far, name)), _) if far <= name.len().div_ceil(3) => {
            Some(format!("did you mean `{name}`?"))
        }
        (_, Some(setting)) => Some(format!("did you mean `{}`?", setting.path)),
        (Some(_), None) => Some(format!("known here: {}", siblings.join(", "))),
        (None, None) => None,
    };
    Problem { span: Some(span), message: format!("unknown setting `{}`", at.join(".")), help }
}

/// The name that stands in `setting` right below the table `above`.
fn sibling(setting: &Setting, above: &[&str]) -> Option<&'static str> {
    let mut names = setting.path.split('.');
    let fits = above.iter().all(|name| names.next().is_some_and(|n| n == "*" || n == *name));
    if fits { names.next().filter(|name| *name != "*") } else { None }
}

/// Edits between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    // Names are short; a long one from the file is far from every known one anyway.
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let cost = diagonal + usize::from(left != right);
            diagonal = *cell;
            *cell = cost.min(diagonal + 1).min(previous + 1);
            previous = *cell;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

// Values -----------------------------------------------------------------------------------------

/// What the types cannot say.
fn rules(config: &Config, tree: &DeTable<'_>, found: &mut Vec<Problem>) {
    let mut refuse = |at: &[&str], message: String| {
        found.push(Problem { span: span_of(tree, at), message, help: None });
    };

    if config.accounts.is_empty() {
        refuse(&["accounts"], "at least one account is needed".to_owned());
    }
    if config.listen.max_header_bytes < 8 << 10 {
        refuse(&["listen", "max_header_bytes"], "8KiB is the least".to_owned());
    }
    if config.listen.body_memory < 16 << 20 {
        // The largest body has to fit.
        refuse(&["listen", "body_memory"], "16MiB is the least".to_owned());
    }
    if config.listen.max_connections == 0 {
        refuse(&["listen", "max_connections"], "must be at least 1".to_owned());
    }

    if let Some(tls) = &config.tls {
        match (&tls.certificate, &tls.key, tls.generate) {
            (Some(_), Some(_), false) | (None, None, true) => {}
            (None, None, false) => {
                refuse(&["tls"], "needs `certificate` and `key`, or `generate = true`".to_owned())
            }
            (_, _, true) => refuse(
                &["tls", "generate"],
                "a certificate is given already; drop one of the two".to_owned(),
            ),
            (Some(_), None, false) => {
                refuse(&["tls", "certificate"], "needs `key` beside it".to_owned());
            }
            (None, Some(_), false) => {
                refuse(&["tls", "key"], "needs `certificate` beside it".to_owned());
            }
        }
    }

    let key = &config.master_key;
    let sources = [key.file.is_some(), key.env.is_some(), key.command.is_some()].map(usize::from);
    if sources.iter().sum::<usize>() > 1 {
        refuse(&["master_key"], "one of `file`, `env` and `command`, not several".to_owned());
    }
    if key.command.as_ref().is_some_and(Vec::is_empty) {
        refuse(&["master_key", "command"], "names no program".to_owned());
    }

    for (arn, provider) in &config.provider {
        let at = ["provider", arn.as_str()];
        if let Err(why) = provider_arn(arn) {
            refuse(&at, why);
        }
        if provider.skew > MAX_SKEW {
            refuse(&[at[0], at[1], "skew"], "more than 10m is no difference of clocks".to_owned());
        }
        if !provider.extended.is_empty() && provider.claims != Claims::Extended {
            let at = [at[0], at[1], "extended"];
            refuse(&at, "has no effect without `claims = \"extended\"`".to_owned());
        }
        let mut seen = std::collections::BTreeMap::new();
        for claim in provider.extended.keys() {
            let at = [at[0], at[1], "extended", claim.as_str()];
            let folded = claim.to_lowercase();
            // ATTACK: a claim `SUB` declared as an extension would answer for `…:sub`, since
            // condition keys are compared without case
            // (test an_extended_claim_cannot_stand_in_for_one_of_awss).
            if AWS_CLAIMS.contains(&folded.as_str()) {
                refuse(&at, format!("`{claim}` is one of AWS's own claim keys"));
            } else if let Some(other) = seen.insert(folded, claim) {
                refuse(&at, format!("`{claim}` and `{other}` are the same condition key"));
            }
        }
        for (claim, key) in &provider.tags {
            let at = [at[0], at[1], "tags", claim.as_str()];
            if key.is_empty() || key.chars().count() > 128 {
                refuse(&at, "a tag key has 1 to 128 characters".to_owned());
            } else if key.to_lowercase().starts_with("aws:") {
                refuse(&at, "tag keys that begin with `aws:` are reserved".to_owned());
            }
        }
    }
}

/// The claims behind the condition keys of every OIDC provider (those of single issuers are in
/// the policy crate's catalogue, which the service consults when it takes these settings over).
const AWS_CLAIMS: &[&str] = &["aud", "azp", "oaud", "sub", "amr", "email"];

/// Clocks that differ by more are wrong.
const MAX_SKEW: std::time::Duration = std::time::Duration::from_secs(600);

/// `arn:aws:iam::ACCOUNT:oidc-provider/HOST[/PATH]` or `…:saml-provider/NAME`, where the account may
/// be `*`.
fn provider_arn(arn: &str) -> Result<(), String> {
    let form = "arn:aws:iam::111122223333:oidc-provider/HOST/PATH, or saml-provider/NAME";
    let wrong = || format!("`{arn}` is not the ARN of an identity provider ({form})");
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (head, partition, service, region) = (next(), next(), next(), next());
    let (account, resource) = (next(), next());
    let account_fits =
        account == "*" || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    let name = ["oidc-provider/", "saml-provider/"]
        .iter()
        .find_map(|kind| resource.strip_prefix(kind))
        .ok_or_else(wrong)?;
    let fits = head == "arn" && partition.starts_with("aws") && service == "iam";
    if fits && region.is_empty() && account_fits && !name.is_empty() && !name.ends_with('/') {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// Where a setting stands: its value when it is one, the table's header when it is a table.
fn span_of(tree: &DeTable<'_>, at: &[&str]) -> Option<Range<usize>> {
    let mut table = tree;
    let mut span = None;
    for name in at {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else {
            return span;
        };
        match value.get_ref() {
            DeValue::Table(inner) => {
                span = Some(key.span());
                table = inner;
            }
            _ => return Some(value.span()),
        }
    }
    span
}

/// Files are written relative to the settings file; the rest of the program wants them from here.
///
/// The default data folder stays where it is: it belongs to the working folder.
fn files_beside(folder: &Path, folder_given: bool, config: &mut Config) {
    let mut files: Vec<&mut PathBuf> = Vec::new();
    if folder_given {
        files.push(&mut config.data.folder);
    }
    files.extend(config.master_key.file.as_mut());
    files.extend(config.network.ca_file.as_mut());
    if let Some(tls) = &mut config.tls {
        files.extend(tls.certificate.as_mut());
        files.extend(tls.key.as_mut());
    }
    for provider in config.provider.values_mut() {
        files.extend(provider.ca_file.as_mut());
        files.extend(provider.static_jwks.as_mut());
    }
    for file in files {
        *file = folder.join(&*file);
    }
}
