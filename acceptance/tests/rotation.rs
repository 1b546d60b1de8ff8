//! The identity provider changes its keys, or goes away, while traffic runs.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use acceptance::{Boto3, Federation, OidcProvider, Setup, Vestibule, post_form};

fn exchange(url: &str, role_arn: &str, token: &str) -> acceptance::Answer {
    post_form(
        url,
        &[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role_arn),
            ("RoleSessionName", "traffic"),
            ("WebIdentityToken", token),
        ],
    )
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_rotation_of_keys_fails_nobody() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    let mint = |algorithm| idp.mint(algorithm, "alice", Federation::claims("heart"));
    let old = [mint("rs256"), mint("es256")];

    let stop = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        // A failure below must not leave the traffic running for ever.
        let stop_at_last = Stop(&stop);
        let traffic: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut refused = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        for token in &old {
                            let answer = exchange(server.url(), &federation.role_arn, token);
                            if answer.status != 200 {
                                refused.push(answer.body);
                            }
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    refused
                })
            })
            .collect();
        let wait_for_more = || {
            let until = answered.load(Ordering::Relaxed) + 20;
            while answered.load(Ordering::Relaxed) < until {
                thread::yield_now();
            }
        };
        wait_for_more();
        idp.rotate(true);
        wait_for_more();
        let new = [mint("rs256"), mint("es256")].map(|token| {
            let answer = exchange(server.url(), &federation.role_arn, &token);
            (answer.status, answer.body)
        });
        wait_for_more();
        drop(stop_at_last);
        for thread in traffic {
            assert_eq!(thread.join().unwrap(), Vec::<String>::new());
        }
        for (status, body) in new {
            assert_eq!(status, 200, "{body}");
        }
    });
}

#[test]
fn while_the_provider_is_away_its_known_keys_serve_and_unknown_ones_are_not_guessed() {
    let idp = OidcProvider::start();
    let [knowing, ignorant] = [0, 1].map(|_| Vestibule::start(Setup::beside(&idp)));
    let [federation, other] = [&knowing, &ignorant]
        .map(|server| Federation::set_up(&Boto3::start(server).signed(server.admin()), &idp));
    let mint = || idp.mint("rs256", "alice", Federation::claims("heart"));
    let (before, after) = (mint(), mint());
    assert_eq!(exchange(knowing.url(), &federation.role_arn, &before).status, 200);
    idp.stop();

    let answer = exchange(knowing.url(), &federation.role_arn, &after);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = exchange(ignorant.url(), &other.role_arn, &after);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.element("Code").as_deref(), Some("IDPCommunicationError"));
}
