//! GitLab CI/CD: `project_path:<group>/<project>:ref_type:<branch|tag>:ref:<name>`.

use super::{Case, Cause, cause, glob};

pub(super) fn look(case: &Case<'_>, causes: &mut Vec<Cause>) {
    let (Some(had), "sub") = (case.difference.had, case.claim) else { return };
    let wanted = case.difference.wanted;
    let Some((project, kind, name)) = parse(had) else { return };
    let Some((want_project, want_kind, want_name)) = parse(wanted) else {
        if wanted.starts_with("project_path:") && !wanted.contains('*') {
            causes.push(cause(
                "gitlab-short-subject",
                "GitLab's subject goes on with :ref_type: and :ref:",
                format!("Want {had}"),
            ));
        }
        return;
    };
    let fix = format!("If this is meant, want {had}");
    if !glob(want_project, project) {
        causes.push(cause(
            "gitlab-other-project",
            format!("The job runs in {project}, not in {want_project}."),
            fix.clone(),
        ));
    }
    if !glob(want_kind, kind) {
        causes.push(cause(
            "gitlab-other-ref-type",
            format!("The pipeline runs for the {kind} {name}, not for a {want_kind}."),
            fix,
        ));
    } else if !glob(want_name, name) {
        let text = match want_name.strip_prefix("refs/heads/") {
            Some(short) if short == name => {
                format!("GitLab names the branch only: {name}, not {want_name}.")
            }
            _ => format!("The pipeline runs for the {kind} {name}, not for {want_name}."),
        };
        causes.push(cause("gitlab-other-ref", text, fix));
    }
}

fn parse(subject: &str) -> Option<(&str, &str, &str)> {
    let (project, rest) = subject.strip_prefix("project_path:")?.split_once(":ref_type:")?;
    let (kind, name) = rest.split_once(":ref:")?;
    Some((project, kind, name))
}
