use http_body_util::{BodyExt as _, Full};

use super::*;
use crate::listen::{Figures, Share};

struct Aws;

impl Calls for Aws {
    async fn call(&self, request: Request) -> Answer {
        Answer::new(Full::from(format!("aws {}", request.parts.uri.path())))
    }

    async fn unread(&self, _request: Request, status: StatusCode) -> Answer {
        respond::text(status, "unread")
    }

    fn issuer_document(&self, path: &str) -> Option<serde_json::Value> {
        (path == "known/jwks").then(|| serde_json::json!({ "keys": [] }))
    }

    fn gauges(&self) -> Gauges {
        Gauges { revision: 5, ..Gauges::default() }
    }
}

fn front(clock: Clock) -> Front<Aws> {
    let telemetry = Arc::new(Telemetry::new(Figures::default()));
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    Front { calls: Arc::new(Aws), clock, metrics: Some((telemetry, allow)), issuer: None }
}

fn request(method: &str, path: &str, from: &str) -> Request {
    let parts = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let source_ip = from.parse().unwrap();
    let peer = (source_ip, 1).into();
    let (body, share) = (bytes::Bytes::new(), Share::default());
    Request { parts, body, share, peer, source_ip, secure: false, tls: None }
}

async fn told(front: &Front<Aws>, request: Request) -> (u16, String) {
    let answer = front.answer(request).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_path_but_the_servers_own_is_awss() {
    let front = front(Clock::system());
    for path in ["/", "/sts", "/sts/", "/health", "/a/_health", "/-_health"] {
        let (status, body) = told(&front, request("POST", path, "127.0.0.1")).await;
        assert_eq!((status, body), (200, format!("aws {path}")));
    }
    for path in ["/_", "/_nothing", "/_health/x", "/_issuer/jwks", "/_test/clock"] {
        assert_eq!(told(&front, request("GET", path, "127.0.0.1")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn health_tells_the_revision() {
    let front = front(Clock::system());
    let (status, body) = told(&front, request("GET", "/_health", "192.0.2.1")).await;
    assert_eq!(status, 200);
    assert!(body.contains("\"revision\":5") && body.contains("\"status\":\"ok\""), "{body}");
    assert_eq!(told(&front, request("POST", "/_health", "127.0.0.1")).await.0, 405);
}

#[tokio::test]
async fn metrics_are_for_the_configured_networks() {
    let front = front(Clock::system());
    let (status, body) = told(&front, request("GET", "/_metrics", "127.0.0.1")).await;
    assert_eq!(status, 200);
    assert!(body.contains("vestibule_world_revision 5"), "{body}");
    assert_eq!(told(&front, request("GET", "/_metrics", "192.0.2.1")).await.0, 403);
}

#[tokio::test]
async fn the_test_clock_moves_from_loopback_only() {
    let clock = Clock::settable();
    let front = front(clock.clone());
    let order = |from, body: &'static str| {
        let mut request = request("POST", "/_test/clock", from);
        request.body = bytes::Bytes::from_static(body.as_bytes());
        request
    };
    let stand = r#"{"stand":"2031-01-01T00:00:00Z"}"#;
    assert_eq!(told(&front, order("192.0.2.1", stand)).await.0, 403);
    assert_ne!(clock.now().to_string(), "2031-01-01T00:00:00Z");

    let (status, body) = told(&front, order("127.0.0.1", stand)).await;
    assert_eq!((status, body.as_str()), (200, r#"{"now":"2031-01-01T00:00:00Z"}"#));
    told(&front, order("127.0.0.1", r#"{"advance":90}"#)).await;
    assert_eq!(clock.now().to_string(), "2031-01-01T00:01:30Z");
    assert_eq!(told(&front, order("127.0.0.1", r#"{"jump":90}"#)).await.0, 400);

    let mut form = order("127.0.0.1", r#"{"advance":90}"#);
    form.parts.headers.insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(told(&front, form).await.0, 415);
    assert_eq!(clock.now().to_string(), "2031-01-01T00:01:30Z");
}

#[tokio::test]
async fn without_its_switch_there_is_no_test_clock() {
    let front = front(Clock::system());
    let mut order = request("POST", "/_test/clock", "127.0.0.1");
    order.body = bytes::Bytes::from_static(br#"{"advance":90}"#);
    assert_eq!(told(&front, order).await.0, 404);
}

#[tokio::test]
async fn documents_of_issuers_are_read_and_nothing_else() {
    let front = front(Clock::system());
    for (method, path, status) in [
        ("GET", "/_tokens/known/jwks", 200),
        ("HEAD", "/_tokens/known/jwks", 200),
        ("POST", "/_tokens/known/jwks", 405),
        ("GET", "/_tokens/unknown/jwks", 404),
        ("GET", "/_tokens", 404),
    ] {
        let answer = front.answer(request(method, path, "192.0.2.1")).await;
        assert_eq!(answer.status(), status, "{method} {path}");
    }
}
