//! Recorded answers (`corpus/wire/answers.json`), and clients that read them without a server.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
};

use serde_json::Value;

use crate::tools::{self, Tools};

/// What a client's parser made of the recorded answers.
#[derive(Debug)]
pub struct Parsed {
    /// Answers that were read.
    pub count: u64,
    /// What it did not find, or did not understand.
    pub wrong: Vec<String>,
}

impl Parsed {
    /// All answers, by botocore.
    pub fn by_botocore() -> Parsed {
        let script = tools::home().join("clients/boto3/parse.py");
        let corpus = tools::home().join("../corpus/wire");
        Self::of(tools::command(Tools::find().python()).arg(script).arg(corpus))
    }

    /// Those of STS, by the AWS SDK for JavaScript.
    pub fn by_javascript() -> Parsed {
        let script = tools::home().join("clients/js/parse.mjs");
        let answers = tools::home().join("../corpus/wire/answers.json");
        Self::of(tools::command(Tools::find().node()).arg(script).arg(answers))
    }

    fn of(command: &mut Command) -> Parsed {
        let ran = command.output().expect("the client starts");
        let told: Value = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&ran.stderr)));
        let wrong = told.get("wrong").and_then(Value::as_array).expect("a list of what is wrong");
        Parsed {
            count: told.get("read").and_then(Value::as_u64).expect("a number of answers"),
            wrong: wrong.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A server that answers every call of the query protocol as it was recorded.
pub struct Recorded {
    url: String,
    answers: Vec<Value>,
}

impl Recorded {
    /// Starts it; it ends with the test's process.
    pub fn start() -> Recorded {
        let file = tools::home().join("../corpus/wire/answers.json");
        let text = fs::read_to_string(file).expect("answers are recorded");
        let answers: Vec<Value> = serde_json::from_str(&text).expect("answers are JSON");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let known = answers.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.expect("a connection"), &known);
            }
        });
        Recorded { url, answers }
    }

    /// What version 2 of the AWS CLI prints of an action's answer, and the answer.
    ///
    /// # Panics
    /// It does not print JSON.
    pub fn by_aws_cli(&self, service: &str, action: &str, arguments: &[&str]) -> (Value, String) {
        let ran = tools::command(Tools::find().aws_v2())
            .args(["--endpoint-url", &self.url, "--output", "json", "--no-paginate", service])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .output()
            .expect("the AWS CLI starts");
        let printed = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&ran.stderr)));
        (printed, find(&self.answers, action).to_owned())
    }
}

fn find<'a>(answers: &'a [Value], action: &str) -> &'a str {
    let text = |it: &'a Value, name: &str| it.get(name).and_then(Value::as_str);
    let mut found = answers.iter().filter(|it| text(it, "action") == Some(action));
    let found = found.find(|it| text(it, "to") == Some("right"));
    found.and_then(|it| text(it, "body")).expect("the action was recorded")
}

fn answer(mut stream: &TcpStream, answers: &[Value]) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let body = String::from_utf8(body).expect("a form");
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).expect("an action");
    let answer = find(answers, action);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\ncontent-length:";
    write!(stream, "{head} {}\r\n\r\n{answer}", answer.len()).expect("an answer");
}
