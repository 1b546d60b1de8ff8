//! The machine's own limits, and what the kernel says about a process.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::Outcome;

/// The server's core.
pub const SERVER_CORE: &str = "0";
/// The load generator's core.
const LOAD_CORE: &str = "1";

/// A command that runs on the server's core alone.
pub fn on_server_core(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", SERVER_CORE]).arg(program.as_ref());
    command
}

/// Moves this process, every thread of it, to the load generator's core.
pub fn pin_load() -> Outcome {
    move_to(LOAD_CORE)
}

/// Makes so many of something while nothing is measured, half of them on the server's core.
pub fn on_both_cores<T: Send>(
    count: usize,
    make: impl Fn(usize) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    move_to(&format!("{SERVER_CORE},{LOAD_CORE}"))?;
    let (make, middle) = (&make, count / 2);
    let made = thread::scope(|scope| {
        let halves = [0..middle, middle..count]
            .map(|range| scope.spawn(move || range.map(make).collect::<Outcome<Vec<T>>>()));
        let mut all = Vec::with_capacity(count);
        for half in halves {
            all.extend(half.join().map_err(|_| "a thread ended")??);
        }
        Ok(all)
    });
    pin_load()?;
    made
}

/// What follows runs there, threads begun later too.
fn move_to(cores: &str) -> Outcome {
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", cores, &own])
        .output()
        .map_err(|error| format!("taskset: {error}"))?;
    if pinned.status.success() {
        Ok(())
    } else {
        Err("two cores are needed: taskset failed".into())
    }
}

/// RSA-2048 verifications per second on the server's core, as `openssl speed` counts them.
pub fn rsa_verifications(seconds: u32) -> Outcome<f64> {
    let output = on_server_core("openssl")
        .args(["speed", "-seconds", &seconds.to_string(), "rsa2048"])
        .output()
        .map_err(|error| format!("openssl: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find(|line| line.starts_with("rsa") && line.contains("2048 bits"))
        .and_then(|line| line.split_whitespace().last()?.parse().ok())
        .ok_or_else(|| format!("openssl speed said: {text}"))
}

/// How long one small append with fdatasync takes in `folder`: median and p99.
pub fn fdatasync(folder: &Path) -> Outcome<(Duration, Duration)> {
    let told = |error| format!("{}: {error}", folder.display());
    let path = folder.join("fdatasync");
    let mut file = File::create(&path).map_err(told)?;
    let mut taken = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        file.write_all(&[0x5a; 700]).and_then(|()| file.sync_data()).map_err(told)?;
        taken.push(start.elapsed());
    }
    fs::remove_file(path).map_err(told)?;
    taken.sort();
    let at = |share: f64| taken[(taken.len() as f64 * share) as usize];
    Ok((at(0.5), at(0.99)))
}

/// Resident memory of a process, in MiB.
pub fn resident(process: u32) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .map_err(|error| format!("process {process}: {error}"))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
        .ok_or("no VmRSS")?;
    Ok(kib / 1024.0)
}

/// Processor time of a process so far: in its own code, and in the kernel for it.
pub fn processor_time(process: u32) -> Outcome<(Duration, Duration)> {
    // Fields 14 and 15 of stat, in hundredths of a second; counted from behind the name's bracket.
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))
        .map_err(|error| format!("process {process}: {error}"))?;
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|text| text.parse::<u64>().ok());
    match (ticks(), ticks()) {
        (Some(user), Some(system)) => {
            Ok((Duration::from_millis(user * 10), Duration::from_millis(system * 10)))
        }
        _ => Err("no processor time".into()),
    }
}
