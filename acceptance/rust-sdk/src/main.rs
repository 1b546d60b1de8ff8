//! Who am I, by the default credential chain of the AWS SDK for Rust.

use std::error::Error;

use aws_config::BehaviorVersion;
use aws_sdk_sts::error::DisplayErrorContext;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let settings = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = aws_sdk_sts::Client::new(&settings);
    let answer = match client.get_caller_identity().send().await {
        Ok(identity) => json!({
            "Account": identity.account(), "Arn": identity.arn(), "UserId": identity.user_id(),
        }),
        Err(error) => refusal(&error)
            .unwrap_or_else(|| json!({"Code": "", "Message": DisplayErrorContext(&error).to_string()})),
    };
    println!("{answer}");
}

/// The service's code and message, however deep the credential chain has wrapped them.
fn refusal(error: &(dyn Error + 'static)) -> Option<Value> {
    use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;

    let mut next = Some(error);
    while let Some(error) = next {
        let told = error
            .downcast_ref::<AssumeRoleWithWebIdentityError>()
            .map(|error| error.meta())
            .or_else(|| error.downcast_ref::<GetCallerIdentityError>().map(|error| error.meta()));
        if let Some(told) = told
            && told.code().is_some()
        {
            return Some(json!({"Code": told.code(), "Message": told.message()}));
        }
        next = error.source();
    }
    None
}
