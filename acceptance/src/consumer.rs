//! A service's assertion consumer: the page to which a browser delivers what an identity provider says
//! (SAML bindings 3.5, HTTP POST).

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use crate::http;

/// What a browser may take to deliver.
const PATIENCE: Duration = Duration::from_secs(90);

/// A page on a free loopback port.
pub struct Consumer {
    at: SocketAddr,
    delivered: Receiver<String>,
    closed: Arc<AtomicBool>,
}

impl Consumer {
    /// Opens it.
    ///
    /// # Panics
    /// There is no free port.
    pub fn open() -> Consumer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let at = listener.local_addr().expect("its address");
        let (deliver, delivered) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&closed);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if watched.load(Ordering::SeqCst) {
                    break;
                }
                // A browser opens connections that it may use later: none waits for another.
                let deliver = deliver.clone();
                thread::spawn(move || serve(stream, &deliver));
            }
        });
        Consumer { at, delivered, closed }
    }

    /// Its address, as a service provider's metadata names it.
    pub fn address(&self) -> String {
        format!("http://{}/saml", self.at)
    }

    /// The next SAMLResponse that a browser delivers, in base64.
    ///
    /// # Panics
    /// None comes.
    pub fn response(&self) -> String {
        self.delivered.recv_timeout(PATIENCE).expect("a response, delivered by a browser")
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.at));
    }
}

/// One request of one connection; the page says what became of it.
fn serve(mut stream: TcpStream, deliver: &Sender<String>) -> Option<()> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = http::message(&mut stream);
    let (head, body) = request.split_once("\r\n\r\n")?;
    let field = body.split('&').find_map(|field| field.strip_prefix("SAMLResponse="));
    let (status, page) = match field {
        Some(field) if head.starts_with("POST /saml ") => {
            deliver.send(unescaped(field)?).ok()?;
            ("200 OK", "<p id=\"delivered\">Delivered.</p>")
        }
        _ => ("404 Not Found", "<p>Nothing here.</p>"),
    };
    let length = page.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {length}");
    write!(stream, "{head}\r\nconnection: close\r\n\r\n{page}").ok()
}

/// The value of a form's field. Base64 has no spaces, so `+` stands for nothing here.
fn unescaped(field: &str) -> Option<String> {
    let mut parts = field.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        text.push(char::from(u8::from_str_radix(code, 16).ok()?));
        text.push_str(rest);
    }
    Some(text)
}
