//! Kubernetes service accounts, on EKS and elsewhere: `system:serviceaccount:<namespace>:<name>`.

use super::{Case, Cause, cause, glob};

const PREFIX: &str = "system:serviceaccount:";

pub(super) fn look(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let Some(had) = case.difference.had else { return };
    match case.claim {
        "sub" => subject(case.difference.wanted, had, causes),
        "aud" => audience(case, had, causes),
        "iss" => cluster(case.difference.wanted, had, causes),
        _ => {}
    }
}

fn subject(wanted: &str, had: &str, causes: &mut Vec<Cause>) {
    let Some((namespace, account)) = parse(had) else { return };
    let fix = format!("If this is meant, want {had}");
    let Some((want_namespace, want_account)) = parse(wanted) else {
        if wanted == format!("{namespace}:{account}") || wanted == format!("{namespace}/{account}")
        {
            causes.push(cause(
                "kubernetes-no-prefix",
                format!("Kubernetes' subjects begin with {PREFIX}"),
                format!("Want {had}"),
            ));
        }
        return;
    };
    if want_namespace == account && want_account == namespace && account != namespace {
        return causes.push(cause(
            "kubernetes-swapped",
            "Namespace and service account are swapped: the namespace comes first.",
            format!("Want {had}"),
        ));
    }
    if !glob(want_namespace, namespace) {
        causes.push(cause(
            "kubernetes-other-namespace",
            format!("The pod runs in namespace {namespace:?}, not in {want_namespace:?}."),
            fix.clone(),
        ));
    }
    if !glob(want_account, account) {
        let text = match account {
            "default" => format!(
                "The pod runs as \"default\": its serviceAccountName is not {want_account:?}."
            ),
            _ => format!("The pod runs as {account:?}, not as {want_account:?}."),
        };
        causes.push(cause("kubernetes-other-account", text, fix));
    }
}

fn audience(case: &Case<'_>, had: &str, causes: &mut Vec<Cause>) {
    let is_account = case.claims.text("sub").is_some_and(|sub| sub.starts_with(PREFIX));
    if is_account && case.difference.wanted == "sts.amazonaws.com" && had.starts_with("https://") {
        causes.push(cause(
            "kubernetes-default-audience",
            format!("This is the token for the cluster's own API ({had}), not the projected one."),
            "Mount a projected token with audience sts.amazonaws.com (on EKS the webhook does so \
             once the service account is annotated).",
        ));
    }
}

fn cluster(wanted: &str, had: &str, causes: &mut Vec<Cause>) {
    let eks = |url: &str| -> Option<(String, String)> {
        let rest = url.strip_prefix("https://").unwrap_or(url).strip_prefix("oidc.eks.")?;
        let (region, rest) = rest.split_once('.')?;
        Some((region.to_owned(), rest.rsplit('/').next()?.to_owned()))
    };
    let (Some((want_region, want_id)), Some((region, id))) = (eks(wanted), eks(had)) else {
        return;
    };
    if want_id != id {
        causes.push(cause(
            "eks-other-cluster",
            format!("The token is from cluster {id}, the provider is for cluster {want_id}."),
            "Use the provider of the pod's own cluster; a recreated cluster has a new id.",
        ));
    } else if want_region != region {
        causes.push(cause(
            "eks-other-region",
            format!("The cluster is in {region}, the provider says {want_region}."),
            format!("Register {had}"),
        ));
    }
}

fn parse(subject: &str) -> Option<(&str, &str)> {
    subject.strip_prefix(PREFIX)?.split_once(':')
}
