//! GitHub Actions: how `sub` and `aud` come about
//! (docs.github.com, "OpenID Connect reference").

use super::{Case, Cause, cause, glob};

const HOST: &str = "https://token.actions.githubusercontent.com";

/// A subject taken apart: `repo:<owner>[@id]/<name>[@id]:<rest>`.
struct Subject<'a> {
    owner: &'a str,
    owner_id: Option<&'a str>,
    name: &'a str,
    name_id: Option<&'a str>,
    rest: &'a str,
}

pub(super) fn look(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let issuer = case.issuer();
    let is_github = issuer.starts_with(HOST)
        || (issuer.starts_with("https://token.actions.") && issuer.ends_with(".ghe.com"));
    if !is_github {
        return;
    }
    match (case.claim, case.difference.had) {
        ("sub", Some(had)) => subject(case, had, causes),
        ("aud", Some(had)) => audience(case, had, causes),
        ("environment", None) => causes.push(cause(
            "github-job-has-no-environment",
            "The job sets no environment, so the token has no such claim.",
            "Add `environment:` to the job, or drop this condition.",
        )),
        _ => {}
    }
}

fn audience(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    if had.starts_with("https://github.com/") && case.difference.wanted == "sts.amazonaws.com" {
        causes.push(cause(
            "github-default-audience",
            format!("The job asked for no audience, so GitHub put its default, {had}."),
            "Ask for sts.amazonaws.com: `audience:` of configure-aws-credentials, or \
             core.getIDToken('sts.amazonaws.com').",
        ));
    }
}

fn subject(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    let wanted = case.difference.wanted;
    let Some(is) = parse(had) else {
        return causes.push(cause(
            "github-custom-subject",
            "The repository or organization customizes its subject, so it has not the usual form.",
            format!("Want the subject as it is: {had}"),
        ));
    };
    let Some(want) = parse(wanted) else {
        if parse(&format!("repo:{wanted}")).is_some() {
            causes.push(cause(
                "github-no-repo-prefix",
                "GitHub's subjects begin with repo:",
                format!("Want repo:{wanted}"),
            ));
        }
        return;
    };
    repository(&want, &is, had, causes);
    rest(case, &want, &is, had, causes);
}

fn repository(want: &Subject<'_>, is: &Subject<'_>, had: &str, causes: &mut Vec<Cause>) {
    let same = |want: &str, is: &str| glob(&want.to_lowercase(), &is.to_lowercase());
    let named = same(want.owner, is.owner) && same(want.name, is.name);
    let has_ids = is.owner_id.is_some() || is.name_id.is_some();
    let wants_ids = want.owner_id.is_some() || want.name_id.is_some();
    let crosses = want.owner.contains('*') || want.name.contains('*');
    match (named, wants_ids, has_ids) {
        (true, false, true) if !crosses => {
            let id = is.name_id.unwrap_or_default();
            causes.push(cause(
                "github-immutable-subject",
                "GitHub now puts the immutable ids into this repository's subject (new, renamed or \
                 transferred repositories, since July 2026).",
                format!("Want {had}, or use the key repository_id = {id}."),
            ));
        }
        (true, true, false) => causes.push(cause(
            "github-names-only-subject",
            "The policy wants immutable ids, but this repository's subject still has names only.",
            format!("Want {had} until the repository's subjects have changed."),
        )),
        (true, true, true)
            if differs(want.owner_id, is.owner_id) || differs(want.name_id, is.name_id) =>
        {
            causes.push(cause(
                "github-recreated-repository",
                "The names agree but the ids do not: somebody else now has this name.",
                "Find out who owns it now before you allow it.",
            ));
        }
        (false, ..) if same(want.name, is.name) => causes.push(cause(
            "github-other-owner",
            format!(
                "The repository belongs to {:?}, not to {:?}: a fork, or a transfer.",
                is.owner, want.owner
            ),
            "Allow this owner only if it is meant.",
        )),
        (false, ..) => causes.push(cause(
            "github-other-repository",
            format!(
                "The job runs in {}/{}, not in {}/{}.",
                is.owner, is.name, want.owner, want.name
            ),
            "Allow this repository only if it is meant.",
        )),
        _ => {}
    }
}

fn rest(case: &Case<'_>, want: &Subject<'_>, is: &Subject<'_>, had: &str, causes: &mut Vec<Cause>) {
    if want.rest == is.rest || glob(want.rest, is.rest) {
        return;
    }
    let environment = |rest: &str| rest.strip_prefix("environment:").map(str::to_owned);
    let reference = |rest: &str| rest.strip_prefix("ref:").map(str::to_owned);
    let fix = format!("If this is meant, want {had}");
    let found = match (
        environment(want.rest),
        reference(want.rest),
        environment(is.rest),
        reference(is.rest),
    ) {
        (_, Some(_), Some(name), _) => cause(
            "github-environment-replaces-ref",
            format!("The job sets `environment: {name}`, so GitHub's subject has no ref: part."),
            format!(
                "Want {had}, and limit branches in the environment's settings or with the key ref."
            ),
        ),
        (Some(name), _, _, Some(_)) => cause(
            "github-job-has-no-environment",
            format!(
                "The job sets no environment (wanted is {name}), so its subject names the ref."
            ),
            format!("Add `environment: {name}` to the job."),
        ),
        (_, _, None, None) if is.rest == "pull_request" => cause(
            "github-pull-request",
            "A pull request started the run, so the subject names neither branch nor environment.",
            "Run on push instead; allow pull_request only for what anybody who opens one may do.",
        ),
        (Some(want), _, Some(is), _) => cause(
            "github-other-environment",
            format!("The job sets environment {is:?}, not {want:?}."),
            fix,
        ),
        (_, Some(want), _, Some(is)) if is.strip_prefix("refs/heads/") == Some(&want) => cause(
            "github-short-ref",
            format!("GitHub writes the ref in full: {is}, not {want}."),
            fix,
        ),
        (_, Some(want), _, Some(is))
            if want.starts_with("refs/heads/") && is.starts_with("refs/tags/") =>
        {
            cause(
                "github-tag-not-branch",
                format!("The run is for the tag {is}, not for the branch {want}."),
                fix,
            )
        }
        (_, Some(want), _, Some(is)) => {
            cause("github-other-ref", format!("The run is for {is}, not for {want}."), fix)
        }
        _ if want.rest == "pull_request" => cause(
            "github-not-a-pull-request",
            format!(
                "The run was started by {:?}.",
                case.claims.text("event_name").unwrap_or("something else")
            ),
            fix,
        ),
        _ => return,
    };
    causes.push(found);
}

fn differs(want: Option<&str>, is: Option<&str>) -> bool {
    match (want, is) {
        (Some(want), Some(is)) => !glob(want, is),
        _ => false,
    }
}

fn parse(subject: &str) -> Option<Subject<'_>> {
    let (repository, rest) = subject.strip_prefix("repo:")?.split_once(':').or_else(|| {
        // A pattern such as repo:acme/* has no second colon.
        subject.strip_prefix("repo:").filter(|it| it.ends_with('*')).map(|it| (it, "*"))
    })?;
    let (owner, name) = repository.split_once('/')?;
    let ids = |text| match str::split_once(text, '@') {
        Some((name, id)) => (name, Some(id)),
        None => (text, None),
    };
    let ((owner, owner_id), (name, name_id)) = (ids(owner), ids(name));
    Some(Subject { owner, owner_id, name, name_id, rest })
}
