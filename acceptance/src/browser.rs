//! Chromium without a window, driven as a person would: addresses opened, fields filled in, buttons
//! pressed. Through chromedriver, by the WebDriver protocol (W3C), whose waiting is built in.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::LineChild,
    http,
    tools::{self, Tools},
};

/// What a page may take to load, and an element to appear, in milliseconds. On a machine that has other
/// work to do, too.
const PATIENCE: u32 = 60_000;

/// The member of an answer that names an element (WebDriver section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own. Elements are found by CSS selectors, and waited for.
pub struct Browser {
    /// Where chromedriver listens.
    driver: String,
    session: String,
    process: LineChild,
    _folder: TempDir,
}

impl Browser {
    /// Starts it.
    ///
    /// # Panics
    /// It does not start, as in all that follows when something is not as it must be; the page is then
    /// shown.
    pub fn start() -> Browser {
        const STARTED: &str = "started successfully on port ";
        let folder = TempDir::new().expect("a folder for the profile");
        let tools = Tools::find();
        let mut process = LineChild::start(
            "chromedriver",
            tools::command(tools.chromedriver())
                .args(["--port=0", "--log-level=WARNING"])
                .env("HOME", folder.path())
                .env("TMPDIR", folder.path()),
        );
        let port = loop {
            let line = process.line();
            if let Some((_, port)) = line.split_once(STARTED) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let driver = format!("http://127.0.0.1:{port}");
        let mut browser = Browser { driver, session: String::new(), process, _folder: folder };
        let arguments = [
            "--headless=new",
            "--no-first-run",
            "--disable-dev-shm-usage",
            // Its sandbox cannot be had as root, nor in most containers.
            "--no-sandbox",
            // It listens to a pipe, and so ends when chromedriver does, however that ends.
            "--remote-debugging-pipe",
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"implicit": PATIENCE, "pageLoad": PATIENCE, "script": PATIENCE},
            "goog:chromeOptions": {"binary": tools.chromium(), "args": arguments},
        }}});
        let made = browser.ask("POST", "", &wanted);
        let id = made.get("sessionId").and_then(Value::as_str);
        browser.session = format!("/{}", id.expect("the id of a session"));
        browser
    }

    /// Opens an address and waits until the page is there.
    pub fn open(&self, address: &str) {
        self.ask("POST", "/url", &json!({"url": address}));
    }

    /// Types into a field, in place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector);
        self.ask("POST", &format!("{field}/clear"), &json!({}));
        self.ask("POST", &format!("{field}/value"), &json!({"text": text}));
    }

    /// Presses something, and waits for the page to which that leads.
    pub fn press(&self, selector: &str) {
        let button = self.find(selector);
        self.ask("POST", &format!("{button}/click"), &json!({}));
    }

    /// The text that a person sees there.
    pub fn text(&self, selector: &str) -> String {
        let element = self.find(selector);
        let text = self.ask("GET", &format!("{element}/text"), &Value::Null);
        text.as_str().expect("a text").to_owned()
    }

    /// Forgets the cookies of the host whose page is open: whoever was logged in there is a stranger.
    pub fn forget(&self) {
        self.ask("DELETE", "/cookie", &Value::Null);
    }

    fn find(&self, selector: &str) -> String {
        let by = json!({"using": "css selector", "value": selector});
        let found = self.ask("POST", "/element", &by);
        let id = found.get(ELEMENT).and_then(Value::as_str);
        format!("/element/{}", id.expect("the id of an element"))
    }

    fn ask(&self, method: &str, path: &str, parameters: &Value) -> Value {
        self.try_ask(method, path, parameters).unwrap_or_else(|error| {
            let page = |path| self.try_ask("GET", path, &Value::Null).unwrap_or_default();
            let (at, shown) = (page("/url"), page("/source"));
            let shown = shown.as_str().unwrap_or_default();
            let said = self.process.complaint();
            panic!("{method} {path} {parameters}: {error}\nat {at}:\n{shown}\nit said:\n{said}")
        })
    }

    /// One command: its value, or the error as the protocol has it.
    fn try_ask(&self, method: &str, path: &str, parameters: &Value) -> Result<Value, Value> {
        let start = format!("{method} /session{}{path} HTTP/1.1", self.session);
        let body = if method == "POST" { parameters.to_string() } else { String::new() };
        let json = [("content-type", "application/json; charset=utf-8")];
        let answer = http::raw(&self.driver, &start, &json, body.as_bytes());
        let mut said: Value = serde_json::from_str(&answer.body)
            .unwrap_or_else(|error| panic!("chromedriver, to {start}: {error}: {answer:?}"));
        let value = said.get_mut("value").map(Value::take).unwrap_or_default();
        if answer.status == 200 { Ok(value) } else { Err(value) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An orderly end leaves the folder to us; else it is ended with chromedriver.
        if !std::thread::panicking() {
            drop(self.try_ask("DELETE", "", &Value::Null));
        }
    }
}
