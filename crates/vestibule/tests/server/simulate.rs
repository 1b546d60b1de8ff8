//! Simulations that ask for somebody of the data folder, while its server runs.

use crate::support::{folder, run, start, text, write};

#[test]
fn a_simulation_asks_for_somebody_of_the_data_folder() {
    let folder = folder();
    let all = r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] }"#;
    let role = |name: &str, team: &str| {
        format!(
            r#"{{ "name": "{name}", "path": "/ci/", "tags": {{ "team": "{team}" }}, "trust": {{
              "Version": "2012-10-17",
              "Statement": [{{
                "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{ "AWS": "111122223333" }},
                "Condition": {{ "StringEquals": {{ "aws:PrincipalTag/team": "${{aws:ResourceTag/team}}" }} }}
              }}]
            }} }}"#
        )
    };
    let bound = all.replace(r#""Action": "*""#, r#""Action": "sts:*""#);
    let seed = format!(
        r#"{{ "policy": [{{ "name": "tight", "document": {bound} }}],
          "user": [{{ "name": "anna", "tags": {{ "team": "heart" }}, "inline": {{ "own": {all} }}, "boundary": "tight" }}],
          "role": [{}, {}] }}"#,
        role("heart", "heart"),
        role("sun", "sun")
    );
    write(folder.path(), "seed.json", &seed);
    write(folder.path(), "all.json", all);
    write(folder.path(), "none.json", &all.replace("Allow", "Deny"));
    let server = start(folder.path(), &["--seed", "seed.json"]);
    let simulate = |more: &[&str]| text(&run(folder.path(), &[&["simulate"], more].concat()));
    let take = |role: &str, more: &[&str]| {
        let role = format!("arn:aws:iam::111122223333:role/ci/{role}");
        let ask = ["--as", "user/anna", "--action", "sts:AssumeRole", "--resource", &role];
        simulate(&[&ask[..], more].concat())
    };
    // The trust policy of the role, and the tags of both, as the server has them.
    let (code, told, said) = take("heart", &[]);
    assert!(code == 0 && told.starts_with("ALLOW  sts:AssumeRole"), "{told}{said}");
    let (code, told, _) = take("sun", &[]);
    assert!(code == 1 && told.contains("no role trust policy allows sts:AssumeRole"), "{told}");
    assert!(told.contains("wanted  sun") && told.contains("had     heart"), "{told}");
    // The boundary that is attached, and another in its place.
    let read = ["--as", "user/anna", "--action", "s3:GetObject"];
    let (code, told, _) = simulate(&read);
    assert!(code == 1 && told.contains("no permissions boundary allows s3:GetObject"), "{told}");
    let (code, told, _) = simulate(&[&read[..], &["--boundary", "all.json"]].concat());
    assert!(code == 0, "{told}");
    let (code, told, _) = simulate(&[&read[..], &["--scp", "none.json"]].concat());
    assert!(code == 1 && told.contains("of none.json (service control policy)"), "{told}");
    // A role calls as a session of it; nobody calls as who is not there.
    let (code, told, _) = simulate(&["--as", "role/heart", "--action", "s3:GetObject"]);
    assert!(code == 1 && told.contains("assumed-role/heart/simulation"), "{told}");
    let (code, _, said) = simulate(&["--as", "user/nobody", "--action", "s3:GetObject"]);
    assert!(code == 2 && said.contains("there is no user nobody"), "{said}");
    assert_eq!(server.stop(), 0);
}
