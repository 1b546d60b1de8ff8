//! A process that answers lines with lines, and that does not outlive whoever started it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) struct LineChild {
    name: String,
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    said: NamedTempFile,
}

impl LineChild {
    /// Starts `command`, its input and output piped and its standard error kept for when it fails.
    pub(crate) fn start(name: &str, command: &mut Command) -> LineChild {
        let said = NamedTempFile::new().expect("a temporary file");
        let log: File = said.reopen().expect("the same file");
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("a piped output"));
        LineChild { name: name.to_owned(), process, input, output, said }
    }

    /// Its next line, without the line end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            panic!("{} ended: {read:?}; it said:\n{}", self.name, self.complaint());
        }
        line.trim_end().to_owned()
    }

    /// Sends one JSON line and reads one.
    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        let input = self.input.as_mut().expect("an open input");
        let sent = writeln!(input, "{question}").and_then(|()| input.flush());
        if let Err(error) = sent {
            panic!("{} does not listen: {error}; it said:\n{}", self.name, self.complaint());
        }
        let line = self.line();
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{} answered {line:?}: {error}", self.name))
    }

    /// What it wrote to its standard error so far.
    pub(crate) fn complaint(&self) -> String {
        fs::read_to_string(self.said.path()).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end by itself and gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.input = None;
        self.process.wait().ok().and_then(|status| status.code())
    }

    /// `kill -9`: it gets no chance to put anything in order.
    pub(crate) fn kill(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for LineChild {
    fn drop(&mut self) {
        self.kill();
    }
}
