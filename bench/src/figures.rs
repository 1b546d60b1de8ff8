//! The figures, each as its name in the help says.

mod saml;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Effort, Outcome,
    load::{Load, Pace, Run},
    machine,
    report::{Figure, Report, median},
    server::{self, Key, Server},
    token::Issuer,
};

/// What all figures stand on.
pub struct Bench {
    effort: Effort,
    folder: TempDir,
    issuer: Issuer,
    /// The administrator of the server in `folder`.
    admin: Key,
}

/// A measured server's medians.
struct Measured {
    rate: f64,
    /// The rate as a share of V, which was measured before each run: cores that are shared with
    /// strangers change their pace within a minute.
    of_v: f64,
    /// Processor time per request, in µs: its own code's, and the kernel's for it.
    user: f64,
    system: f64,
}

impl Bench {
    /// Measures the machine's limits and sets a server up.
    pub fn prepare(effort: Effort, report: &mut Report) -> Outcome<Bench> {
        machine::pin_load()?;
        let folder = apart()?;

        eprintln!("▸ V: openssl speed rsa2048");
        let speeds: Result<Vec<f64>, String> =
            (0..3).map(|_| machine::rsa_verifications(3)).collect();
        let note = "RSA-2048 verifications, one core; measured again before each run";
        report.add(Figure::limit("V", median(speeds?), "1/s", note));
        let (typical, slow) = machine::fdatasync(folder.path())?;
        let note = format!("p50 {:.0} µs; append of 700 bytes", typical.as_secs_f64() * 1e6);
        report.add(Figure::limit("fdatasync p99", slow.as_secs_f64() * 1e6, "µs", &note));

        let issuer = Issuer::new()?;
        server::settings(folder.path(), &issuer.key_set(), None)?;
        let (running, admin) = Server::vestibule(folder.path())?;
        let admin = admin.ok_or("the first start printed no key")?;
        server::set_up(&running, &admin)?;
        Ok(Bench { effort, folder, issuer, admin })
    }

    /// (a)
    pub fn web_identity(&self, report: &mut Report) -> Outcome {
        eprintln!("▸ minting {} tokens", self.effort.tokens);
        let tokens = self.issuer.mint(self.effort.tokens)?;
        let requests = |server: &Server, tokens: &[String]| -> Vec<Vec<u8>> {
            tokens.iter().map(|token| server::exchange(server.address, token)).collect()
        };
        let few = tokens.get(..tokens.len().min(1_000)).unwrap_or_default();
        let bare = {
            let server = Server::bare()?;
            self.measure("H", &server, &requests(&server, few))?
        };
        report.add(bare.limit("H web identity"));

        // Receipts at their default durability, and with `written` for issued credentials too.
        for (level, distinct_name, again_name) in [
            (None, "distinct tokens, default", "same tokens, default"),
            (Some("written"), "distinct tokens, written", "same tokens, written"),
        ] {
            server::settings(self.folder.path(), &self.issuer.key_set(), level)?;
            let (server, _) = self.boot()?;
            let distinct = self.measure(distinct_name, &server, &requests(&server, &tokens))?;
            report.add(Figure::share(
                distinct_name,
                distinct.rate,
                distinct.share(),
                (0.40, "≥ 0.40 V"),
                distinct.note(),
            ));
            let again = self.measure(again_name, &server, &requests(&server, few))?;
            report.add(Figure::share(
                again_name,
                again.rate,
                ("H", again.rate / bare.rate),
                (0.55, "≥ 0.55 H"),
                again.note(),
            ));
        }
        server::settings(self.folder.path(), &self.issuer.key_set(), None)
    }

    /// (b)
    pub fn signed(&self, report: &mut Report) -> Outcome {
        let (server, _) = self.boot()?;
        let token = self.issuer.mint(1)?;
        let token = token.first().ok_or("no token")?;
        let session = Key::of(&server.ask(&server::exchange(server.address, token))?)?;
        let next = server::next_role_arn();
        let who = session.sign(
            server.address,
            "sts",
            &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")],
        )?;
        let assume = session.sign(
            server.address,
            "sts",
            &[
                ("Action", "AssumeRole"),
                ("Version", "2011-06-15"),
                ("RoleArn", &next),
                ("RoleSessionName", "worker"),
            ],
        )?;
        for (name, bare_name, request, target) in [
            ("GetCallerIdentity", "H GetCallerIdentity", who, (0.50, "≥ 0.50 H")),
            ("AssumeRole", "H AssumeRole", assume, (0.35, "≥ 0.35 H")),
        ] {
            let requests = [request];
            let bare = self.bare(&requests)?;
            report.add(bare.limit(bare_name));
            let ours = self.measure(name, &server, &requests)?;
            let share = ("H", ours.rate / bare.rate);
            report.add(Figure::share(name, ours.rate, share, target, ours.note()));
        }
        Ok(())
    }

    /// (c): start to first answer, and memory.
    pub fn start(&self, report: &mut Report) -> Outcome {
        eprintln!("▸ start to first answer");
        let mut taken = Vec::new();
        for _ in 0..11 {
            let begun = Instant::now();
            let (server, _) = self.boot()?;
            self.who_am_i(&server)?;
            taken.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let note = "to a signed GetCallerIdentity, data folder as it was left".to_owned();
        report.add(Figure::under("start", median(taken), "ms", (50.0, "< 50 ms"), note));

        let (server, _) = self.boot()?;
        self.who_am_i(&server)?;
        let idle = machine::resident(server.id())?;
        report.add(Figure::under("memory, idle", idle, "MiB", (40.0, "< 40 MiB"), String::new()));
        eprintln!("▸ memory under load");
        let tokens = self.issuer.mint(self.effort.tokens)?;
        let requests: Vec<Vec<u8>> =
            tokens.iter().map(|token| server::exchange(server.address, token)).collect();
        let mut load = Load::new(server.address, &requests)?;
        let mut seen = Vec::new();
        let mut answered = 0;
        for _ in 0..6 {
            answered += load.run(self.effort.length, Pace::Closed)?.answered;
            seen.push(machine::resident(server.id())?);
        }
        let shown: Vec<String> = seen.iter().map(|mib| format!("{mib:.0}")).collect();
        let note = format!("{} MiB, over {answered} exchanges", shown.join(" → "));
        // Caches fill up to their bound first: what counts is that nothing grows from there.
        let (middle, last) = (seen.get(2).copied(), seen.last().copied());
        let growth = last.zip(middle).map_or(f64::NAN, |(last, middle)| last - middle);
        report.add(Figure::under("memory, growth under load", growth, "MiB", (4.0, "flat"), note));
        Ok(())
    }

    /// (c): p99 at half load.
    pub fn latency(&self, report: &mut Report) -> Outcome {
        let (server, _) = self.boot()?;
        let tokens = self.issuer.mint(self.effort.tokens)?;
        let requests: Vec<Vec<u8>> =
            tokens.iter().map(|token| server::exchange(server.address, token)).collect();
        let mut load = Load::new(server.address, &requests)?;
        eprintln!("▸ latency at half load");
        let full = load.run(self.effort.length, Pace::Closed)?.rate();
        let mut slow = Vec::new();
        let mut typical = Vec::new();
        for _ in 0..self.effort.runs {
            let run = load.run(self.effort.length, Pace::Open(full / 2.0))?;
            slow.push(run.quantile(0.99).as_secs_f64() * 1e6);
            typical.push(run.quantile(0.5).as_secs_f64() * 1e6);
        }
        let (_, sync) = machine::fdatasync(self.folder.path())?;
        let sync = sync.as_secs_f64() * 1e6;
        let slow = median(slow);
        report.add(Figure {
            name: "web identity, p99 at half load",
            value: slow,
            unit: "µs",
            ratio: Some(("fdatasync p99", slow / sync)),
            target: "beside it",
            met: None,
            note: format!("p50 {:.0} µs, {:.0} exchanges per second", median(typical), full / 2.0),
        });
        Ok(())
    }

    fn boot(&self) -> Outcome<(Server, Option<Key>)> {
        Server::vestibule(self.folder.path())
    }

    fn who_am_i(&self, server: &Server) -> Outcome {
        let fields = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
        server.ask(&self.admin.sign(server.address, "sts", &fields)?).map(|_| ())
    }

    /// The same requests, to the bare server.
    fn bare(&self, requests: &[Vec<u8>]) -> Outcome<Measured> {
        self.measure("H", &Server::bare()?, requests)
    }

    fn measure(&self, name: &str, server: &Server, requests: &[Vec<u8>]) -> Outcome<Measured> {
        let mut load = Load::new(server.address, requests)?;
        self.medians(name, server, |length| load.run(length, Pace::Closed))
    }

    /// The medians of several runs of about this length, after one of half of it to get warm.
    fn medians(
        &self,
        name: &str,
        server: &Server,
        mut run: impl FnMut(Duration) -> Outcome<Run>,
    ) -> Outcome<Measured> {
        let warm = run(self.effort.length / 2)?;
        eprintln!("▸ {name}: {:.0}/s warm", warm.rate());
        let (mut rates, mut shares) = (Vec::new(), Vec::new());
        let (mut users, mut systems) = (Vec::new(), Vec::new());
        for _ in 0..self.effort.runs {
            let verifications = machine::rsa_verifications(1)?;
            let before = machine::processor_time(server.id())?;
            let run = run(self.effort.length)?;
            let after = machine::processor_time(server.id())?;
            let each = |spent: Duration| spent.as_secs_f64() * 1e6 / run.answered.max(1) as f64;
            rates.push(run.rate());
            shares.push(run.rate() / verifications);
            users.push(each(after.0 - before.0));
            systems.push(each(after.1 - before.1));
        }
        Ok(Measured {
            rate: median(rates),
            of_v: median(shares),
            user: median(users),
            system: median(systems),
        })
    }
}

/// A folder beside the program, so that the data lie on a disk: that for temporary files may not.
fn apart() -> Outcome<TempDir> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let place: PathBuf = own.parent().map(PathBuf::from).unwrap_or_default();
    TempDir::new_in(place).map_err(|error| error.to_string())
}

impl Measured {
    fn share(&self) -> (&'static str, f64) {
        ("V", self.of_v)
    }

    fn note(&self) -> String {
        format!("{:.1} µs own + {:.1} µs kernel each", self.user, self.system)
    }

    fn limit(&self, name: &'static str) -> Figure {
        Figure::limit(
            name,
            self.rate,
            "1/s",
            &format!("bare server, same requests; {}", self.note()),
        )
    }
}
