//! Scripts for the AWS CLI, as teams have them.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{tools, vestibule::Vestibule};

/// Runs a script of `clients/aws-cli/` by this AWS CLI, as the administrator; what it printed.
///
/// # Panics
/// It fails, which ends it at once.
pub fn aws_cli_script<A: AsRef<OsStr>>(
    aws: &Path,
    server: &Vestibule,
    script: &str,
    arguments: &[A],
) -> String {
    // A program `aws` that adds `--endpoint-url`, for the versions that read none from the environment.
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let wrapper = folder.path().join("aws");
    let text =
        format!("#!/bin/sh\nexec '{}' --endpoint-url '{}' \"$@\"\n", aws.display(), server.url());
    fs::write(&wrapper, text).expect("a file in it");
    fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).expect("a program of ours");
    let admin = server.admin();
    let output = tools::command(tools::home().join("clients/aws-cli").join(script))
        .env("AWS", wrapper)
        .env("AWS_ACCESS_KEY_ID", &admin.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &admin.secret_access_key)
        .args(arguments)
        .output()
        .expect("the script runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}{complaint}");
    said.into_owned()
}
