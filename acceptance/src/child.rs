//! A process that answers lines with lines, and that does not outlive whoever started it.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::NamedTempFile;

/// A process that says nothing for so long hangs, and the test with it: better to fail and to show
/// what the process complained of.
const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) struct LineChild {
    name: String,
    process: Child,
    input: Option<ChildStdin>,
    /// Locked by nobody: it makes the process shareable among a test's threads.
    output: Mutex<Receiver<io::Result<String>>>,
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
        let (lines, output) = channel();
        let reader = BufReader::new(process.stdout.take().expect("a piped output"));
        // Ends with the process, or with whoever listens.
        thread::spawn(move || reader.lines().try_for_each(|line| lines.send(line)));
        LineChild { name: name.to_owned(), process, input, output: Mutex::new(output), said }
    }

    /// Its next line, without the line end.
    pub(crate) fn line(&mut self) -> String {
        self.line_within(PATIENCE).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same, or why there is none.
    pub(crate) fn line_within(&mut self, patience: Duration) -> Result<String, String> {
        let output = self.output.get_mut().unwrap_or_else(PoisonError::into_inner);
        let end = match output.recv_timeout(patience) {
            Ok(Ok(line)) => return Ok(line.trim_end().to_owned()),
            Ok(Err(error)) => error.to_string(),
            Err(RecvTimeoutError::Disconnected) => "it ended".to_owned(),
            Err(RecvTimeoutError::Timeout) => format!("no line within {patience:?}"),
        };
        Err(format!("{}: {end}; it said:\n{}", self.name, self.complaint()))
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
