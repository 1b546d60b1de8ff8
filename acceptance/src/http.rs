//! Requests that no client would send: plain HTTP/1.1 on a socket, one request per connection.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Whoever says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The text between `<name>` and `</name>`, with XML's five entities resolved.
    pub fn element(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        let (text, _) = rest.split_once(&format!("</{name}>"))?;
        let entities =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'")];
        let text = entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        Some(text.replace("&amp;", "&"))
    }
}

/// A form of the query protocol, sent as a client would.
pub fn post_form(url: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        escape(name, &mut body);
        body.push('=');
        escape(value, &mut body);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    raw(url, "POST / HTTP/1.1", &form, body.as_bytes())
}

/// A GET of a path.
pub fn get(url: &str, path: &str) -> Answer {
    raw(url, &format!("GET {path} HTTP/1.1"), &[], b"")
}

/// Any request: its first line, headers and body. `host` and `content-length` are added unless given.
///
/// # Panics
/// The connection fails, or what comes back is not HTTP.
pub fn raw(url: &str, start: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let host = url.trim_start_matches("http://");
    let mut head = format!("{start}\r\nconnection: close\r\n");
    let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    if !given("host") {
        head += &format!("host: {host}\r\n");
    }
    if !given("content-length") && !given("transfer-encoding") {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head.push_str("\r\n");

    let mut stream = TcpStream::connect(host).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    // A server may answer before it has read all of a body that it refuses: what it then says counts,
    // not that our writing failed.
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
    let text = message(&mut stream);
    read(&text).unwrap_or_else(|| panic!("not an answer of HTTP: {text:?}"))
}

/// One request or answer: as long as its head says, else all that comes.
pub(crate) fn message(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut more = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut more).unwrap_or_default();
        bytes.extend_from_slice(more.get(..count).unwrap_or_default());
        if count == 0 || is_whole(&bytes) {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = bytes.windows(END.len()).position(|it| it == END) else { return false };
    let (head, body) = bytes.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut length = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    length.next().is_some_and(|length: usize| body.len() >= END.len() + length)
}

fn read(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let body = match headers.get("transfer-encoding") {
        Some(_) => unchunked(body)?,
        None => body.to_owned(),
    };
    Some(Answer { status, headers, body })
}

fn unchunked(mut text: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, rest) = text.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(rest.get(..size)?);
        text = rest.get(size + 2..)?;
    }
}

fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                into.push(char::from(byte));
            }
            _ => *into += &format!("%{byte:02X}"),
        }
    }
}
