//! A client that hangs up in the middle of its call does not take the receipt along.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{Server, folder, run, start, text, write};

/// Asks the metrics until they say so.
fn until(server: &Server, line: &str) {
    let mut told = String::new();
    for _ in 0..20_000 {
        told = server.get("/_metrics");
        if told.contains(line) {
            return;
        }
    }
    panic!("the metrics never said {line:?}:\n{told}");
}

#[test]
fn a_client_that_hangs_up_in_the_middle_of_its_call_leaves_its_receipt() {
    let folder = folder();
    let idp = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = idp.local_addr().unwrap().to_string();
    let settings =
        format!("[provider.\"arn:aws:iam::*:oidc-provider/{issuer}\"]\nallow_http_loopback = true");
    write(folder.path(), "vestibule.toml", &settings);
    let seed = format!(
        r#"{{
          "oidc_provider": [{{ "url": "http://{issuer}", "client_ids": ["sts.amazonaws.com"] }}],
          "role": [{{ "name": "deploy", "trust": {{
            "Version": "2012-10-17",
            "Statement": [{{
              "Effect": "Allow",
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{issuer}" }}
            }}]
          }} }}]
        }}"#
    );
    write(folder.path(), "seed.json", &seed);
    let server = start(folder.path(), &["--seed", "seed.json"]);
    let url = format!("http://{issuer}");
    let mint = ["token", "mint", "--profile", "github", "--aud", "sts.amazonaws.com"];
    let (_, token, _) = text(&run(folder.path(), &[&mint[..], &["--issuer", &url]].concat()));

    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=gone\
         &RoleArn=arn:aws:iam::111122223333:role/deploy&WebIdentityToken={}",
        token.trim()
    );
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        form.len()
    );
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.write_all((head + &form).as_bytes()).unwrap();

    // The provider has been asked and keeps its answer to itself: the call is in its middle.
    let (mut asked, _) = idp.accept().unwrap();
    assert_ne!(asked.read(&mut [0; 512]).unwrap(), 0);
    drop(client);
    // The server has seen the client go: only the connection that asks is left.
    until(&server, "vestibule_connections 1\n");
    assert!(!server.get("/_metrics").contains("AssumeRoleWithWebIdentity"), "it is not over");

    drop((asked, idp));
    until(&server, "action=\"AssumeRoleWithWebIdentity\",outcome=\"failed\"} 1\n");
    let (_, told, _) = text(&run(folder.path(), &["explain", "last", "--format", "json"]));
    for part in ["\"roleSessionName\":\"gone\"", "\"errorCode\":\"IDPCommunicationError\""] {
        assert!(told.contains(part), "{told}");
    }
}
