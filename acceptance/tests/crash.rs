//! `kill -9` under load, again and again: every answer that was given is kept, with its event, and no
//! change is kept that has none.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use acceptance::{
    ACCOUNT, Boto3, Credentials, Federation, OidcProvider, Session, Setup, Vestibule,
};
use serde_json::{Value, json};

const ROUNDS: usize = 6;
const CALLERS: usize = 3;
/// How many answers of a round are given before the blow.
const ANSWERS: usize = 18;

/// What one round was told before the server died.
#[derive(Default)]
struct Told {
    /// Request ids of answers that were given.
    requests: Vec<String>,
    /// Roles that were answered to be there.
    roles: Vec<String>,
}

#[test]
fn what_was_answered_is_kept_and_what_is_kept_has_its_event() {
    let idp = OidcProvider::start();
    let mut server = Vestibule::start(Setup::beside(&idp));
    let federation = {
        let boto3 = Boto3::start(&server);
        Federation::set_up(&boto3.signed(server.admin()), &idp)
    };
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let mut told = Told::default();
    for round in 0..ROUNDS {
        let answered = AtomicUsize::new(0);
        let id = server.id();
        let of_round: Vec<Told> = thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let boto3 = Boto3::start(&server);
                    let (server, answered) = (&server, &answered);
                    let (federation, token) = (&federation, token.as_str());
                    scope.spawn(move || {
                        let name = format!("kept-{round}-{caller}");
                        load(&boto3, server.admin(), federation, token, &name, answered)
                    })
                })
                .collect();
            let going = || callers.iter().any(|caller| !caller.is_finished());
            while answered.load(Ordering::Relaxed) < ANSWERS && going() {
                thread::yield_now();
            }
            let blow = std::process::Command::new("kill").args(["-9", &id.to_string()]).status();
            assert!(blow.unwrap().success());
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        for part in of_round {
            told.requests.extend(part.requests);
            told.roles.extend(part.roles);
        }
        server.restart();
        compare(&server, &told);
    }
    assert!(told.requests.len() >= ROUNDS * ANSWERS, "{}", told.requests.len());
}

/// Calls until the line goes dead: exchanges of the token, and roles made.
fn load(
    boto3: &Boto3,
    admin: &Credentials,
    federation: &Federation,
    token: &str,
    name: &str,
    answered: &AtomicUsize,
) -> Told {
    let (admin, anyone) = (boto3.signed(admin), boto3.anonymous());
    let mut told = Told::default();
    for number in 0.. {
        let role = format!("{name}-{number}");
        let made = admin.call(
            "iam",
            "create_role",
            json!({
                "RoleName": role,
                "AssumeRolePolicyDocument": json!({"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                    "Action": "sts:AssumeRole",
                }]}).to_string(),
            }),
        );
        let Some(request) = request_id(made) else { return told };
        told.requests.push(request);
        told.roles.push(role);
        answered.fetch_add(1, Ordering::Relaxed);
        let request = federation.request(token, name);
        let issued = anyone.call("sts", "assume_role_with_web_identity", request);
        let Some(request) = request_id(issued) else { return told };
        told.requests.push(request);
        answered.fetch_add(1, Ordering::Relaxed);
    }
    told
}

/// The request id of an answer; none when the connection was lost.
fn request_id(answer: Result<Value, acceptance::Refusal>) -> Option<String> {
    match answer {
        Ok(answer) => Some(answer["ResponseMetadata"]["RequestId"].as_str().unwrap().to_owned()),
        Err(refusal) => {
            assert_eq!(refusal.status, 0, "only a lost line may refuse: {refusal:?}");
            None
        }
    }
}

fn compare(server: &Vestibule, told: &Told) {
    let boto3 = Boto3::start(server);
    let admin = boto3.signed(server.admin());
    let events = events(&admin);
    let recorded: BTreeSet<&str> =
        events.iter().filter_map(|event| event["requestID"].as_str()).collect();
    let lost: Vec<_> = told.requests.iter().filter(|id| !recorded.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} answers have no event", lost.len(), told.requests.len());

    let kept = roles(&admin);
    let lost: Vec<_> = told.roles.iter().filter(|role| !kept.contains(role.as_str())).collect();
    assert!(lost.is_empty(), "answered, and gone: {lost:?}");
    let made: BTreeSet<&str> = events
        .iter()
        .filter(|event| event["eventName"] == "CreateRole" && event.get("errorCode").is_none())
        .filter_map(|event| event["requestParameters"]["roleName"].as_str())
        .collect();
    let silent: Vec<_> = kept.iter().filter(|role| !made.contains(role.as_str())).collect();
    assert!(silent.is_empty(), "changes without an event: {silent:?}");
}

fn events(admin: &Session) -> Vec<Value> {
    let mut events = Vec::new();
    let mut request = json!({"MaxResults": 50});
    loop {
        let page = admin.ok("cloudtrail", "lookup_events", request.clone());
        events.extend(page["Events"].as_array().unwrap().iter().map(|event| {
            serde_json::from_str::<Value>(event["CloudTrailEvent"].as_str().unwrap()).unwrap()
        }));
        match page.get("NextToken") {
            Some(next) => request["NextToken"] = next.clone(),
            None => return events,
        }
    }
}

fn roles(admin: &Session) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    let mut request = json!({});
    loop {
        let page = admin.ok("iam", "list_roles", request.clone());
        let names = page["Roles"].as_array().unwrap().iter();
        roles.extend(names.map(|role| role["RoleName"].as_str().unwrap().to_owned()));
        match page.get("Marker") {
            Some(marker) => request["Marker"] = marker.clone(),
            None => return roles,
        }
    }
}
