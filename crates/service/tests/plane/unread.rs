//! Requests that were refused before they were read whole.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::Request;
use service::audit::query::Scope;
use service::dispatch::{HttpAnswer, HttpCall};

use crate::support::Town;

async fn unread(town: &Town, status: u16, target: Option<&str>) -> HttpAnswer {
    let mut request = Request::post("/").header("host", "vestibule.test");
    if let Some(target) = target {
        request = request.header("x-amz-target", target);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let source_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let call = HttpCall { parts, body: Bytes::new(), source_ip, secure: true, tls: None };
    town.plane.unread(call, status).await
}

#[tokio::test]
async fn want_of_memory_is_told_in_the_clients_protocol_and_the_rest_by_a_status() {
    let town = Town::new().await;
    let text = "The request has failed due to a temporary failure of the server.";
    let lookup = "CloudTrail_20131101.LookupEvents";
    for (target, code) in [
        (None, "<Type>Receiver</Type><Code>ServiceUnavailable</Code>"),
        (Some(lookup), "ServiceUnavailable"),
    ] {
        let answer = unread(&town, 503, target).await;
        let body = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 503 && body.contains(code) && body.contains(text), "{body}");
        let reader = town.plane.book.reader();
        let event = reader.by_request(Scope::Operator, &answer.request_id).unwrap().remove(0);
        assert_eq!(event.error_code.as_deref(), Some("ServiceUnavailable"));
        let cause = event.vestibule.cause.unwrap();
        assert_eq!(cause, "the memory for requests' bodies was taken");
    }
    for status in [400, 408, 413, 431] {
        let answer = unread(&town, status, Some(lookup)).await;
        assert_eq!((answer.status, answer.body.len(), answer.error_type), (status, 0, None));
        let reader = town.plane.book.reader();
        let event = reader.by_request(Scope::Operator, &answer.request_id).unwrap().remove(0);
        assert_eq!(event.error_code.as_deref(), Some("RequestNotRead"));
    }
}
