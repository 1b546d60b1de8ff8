//! Every client × RS256 and ES256: in, with a session; and its twin for somebody else, refused.

use acceptance::{ACCOUNT, Boto3, Client, Federation, OidcProvider, Setup, Vestibule, WebIdentity};

fn each_algorithm(client: Client) {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    for algorithm in ["rs256", "es256"] {
        let session = format!("{client:?}-{algorithm}");
        let found = |token: &str| {
            let found = WebIdentity { token, role_arn: &federation.role_arn, session: &session };
            client.who_am_i(&server, &found)
        };

        let identity = found(&idp.mint(algorithm, "alice", Federation::claims("heart"))).unwrap();
        assert_eq!(identity.account, ACCOUNT);
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/developer/{session}");
        assert_eq!(identity.arn, arn);
        let (role_id, name) = identity.user_id.split_once(':').unwrap();
        assert!(role_id.starts_with("AROA"), "{role_id}");
        assert_eq!(name, session);

        let stranger = format!("stranger-{algorithm}");
        let refusal =
            found(&idp.mint(&stranger, "alice", Federation::claims("heart"))).unwrap_err();
        assert_eq!(
            refusal.said(),
            (
                "InvalidIdentityToken",
                "The web identity token provided could not be validated. See the \
                 AssumeRoleWithWebIdentity documentation for requirements."
            )
        );
    }
}

#[test]
fn boto3_exchanges_its_token() {
    each_algorithm(Client::Boto3);
}

#[test]
fn aws_cli_v1_exchanges_its_token() {
    each_algorithm(Client::AwsCliV1);
}

#[test]
fn aws_cli_v2_exchanges_its_token() {
    each_algorithm(Client::AwsCliV2);
}

#[test]
fn the_javascript_sdk_exchanges_its_token() {
    each_algorithm(Client::JavaScript);
}

#[test]
fn the_rust_sdk_exchanges_its_token() {
    each_algorithm(Client::Rust);
}
