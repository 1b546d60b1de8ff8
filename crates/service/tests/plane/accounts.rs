//! The first steps: who calls, and what an unproven caller hears.

use crate::support::{HOME, Keys, Town};

#[tokio::test]
async fn the_administrator_is_known_and_a_stranger_is_not() {
    let town = Town::new().await;
    let reply = town.sts(&town.admin, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(reply.text("Arn"), format!("arn:aws:iam::{HOME}:user/admin"));
    assert_eq!(reply.event().vestibule.outcome, service::audit::Outcome::Allowed);

    let stranger = Keys::long_term("AKIAAAAAAAAAAAAAAAAA", "secret");
    let invalid = "The security token included in the request is invalid.";
    town.sts(&stranger, "GetCallerIdentity", &[]).await.refused(
        403,
        "InvalidClientTokenId",
        invalid,
    );
    let missing = "Request is missing Authentication Token";
    let reply = town.call(None, "sts", "GetCallerIdentity", &[]).await;
    reply.refused(403, "MissingAuthenticationToken", missing);
}
