//! `vestibule claims`: what an identity provider's claims would become here, before anything is set
//! up.

use ::claims::saml::{
    DecryptionKey, Input, Inspection, Key, Metadata, Outcome, Presented, ProviderRules, Said,
};
use ::claims::saml::{inspect, verify};
use ::claims::{Check, Checks, Finding, UnixTime, Verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::json;
use service::explain::{self, cause::dated};
use zeroize::Zeroizing;

use super::{
    Ending,
    failure::Failure,
    screen::{Screen, Tone},
    source::Source,
    token::decode::printable,
};
use crate::clock::Clock;

/// See what an identity provider's claims become
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Preview(Options),
}

/// Show what a SAML response becomes: attributes, tags, condition keys, roles
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is sent anywhere. Without --metadata no signature is checked. Exit code 1 when STS would
refuse the response.

Examples:
  vestibule claims preview --saml response.xml
  vestibule claims preview --saml response.b64 --metadata idp-metadata.xml --checks aws")]
pub struct Options {
    /// The response: XML, or the base64 of a SAMLResponse field; `-` for stdin
    #[arg(long, value_name = "FILE")]
    saml: String,
    /// The identity provider's metadata, to check signatures and issuer with
    #[arg(long, value_name = "FILE")]
    metadata: Option<String>,
    /// How strict to be
    #[arg(long, value_enum, default_value_t = Mode::Strict)]
    checks: Mode,
    /// An audience besides AWS's own; may be repeated
    #[arg(long, value_name = "URI")]
    audience: Vec<String>,
    /// A recipient and destination besides AWS's own; may be repeated
    #[arg(long, value_name = "URL")]
    address: Vec<String>,
    /// The server's `listen.public_url`: it, and `/saml` below it, are its own audience and address
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    public_url: String,
    /// A private key that assertions are encrypted to, PEM; may be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<String>,
}

/// How strict to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// What is safe
    Strict,
    /// What AWS does
    Aws,
}

pub(super) fn run(command: &Command, screen: &Screen) -> Result<Ending, Failure> {
    let Command::Preview(options) = command;
    let text = Source::file(&options.saml).read()?;
    let response = xml_of(&text);
    let metadata = match &options.metadata {
        Some(path) => {
            let source = Source::file(path);
            let found = Metadata::parse(&source.read()?);
            Some(found.map_err(|fault| Failure::of(source.name(), fault))?)
        }
        None => None,
    };
    let rules = ProviderRules {
        entity_id: metadata.as_ref().map(|it| it.entity_id.clone()),
        checks: if options.checks == Mode::Aws { Checks::Aws } else { Checks::Strict },
        audiences: options.audience.clone(),
        addresses: options.address.clone(),
        skew: ProviderRules::SKEW,
        encryption_required: false,
    }
    .at(&options.public_url);
    let keys = options.key.iter().map(|path| key(path)).collect::<Result<Vec<_>, _>>()?;
    let certificates = metadata.as_ref().map(Metadata::trusted).unwrap_or_default();
    let now = Clock::system().now();
    let input = Input {
        response: &response,
        rules: &rules,
        certificates: &certificates,
        keys: &keys,
        wanted: None,
        now: UnixTime(now.as_second()),
    };
    let (findings, mut said, result) = match metadata {
        Some(_) => {
            let Outcome { findings, said, result } = verify(&input);
            (findings, said, result.map(|it| Presented::clone(&it)))
        }
        None => {
            let Inspection { findings, said, result } = inspect(&input);
            (findings, said, result.map(|it| Presented::clone(&it)))
        }
    };
    let failure = match result {
        Ok(presented) => {
            said.complete = Some(Box::new(presented));
            None
        }
        Err(failure) => Some(failure),
    };
    let told = failure.as_ref().map(::claims::saml::Failure::client_text);
    let mending = explain::assertion(&findings, now);
    let value = json!({
        "accepted": failure.is_none(),
        "signature": if certificates.is_empty() { "not checked" } else { "checked" },
        "answer": told,
        "cause": mending.as_ref().map(|(cause, _)| cause),
        "change": mending.as_ref().map(|(_, change)| change),
        "findings": findings,
        "said": said,
    });
    let mut lines = lines(screen, &findings, &said, told.as_deref(), certificates.is_empty());
    if let Some((cause, change)) = &mending {
        lines.extend([screen.paint(Tone::Strong, "why"), format!("  {}", printable(&cause.text))]);
        let heading = screen.paint(Tone::Strong, "smallest change");
        lines.extend([heading, format!("  {}", printable(&change.text))]);
    }
    screen.either(&lines.join("\n"), &value)?;
    Ok(if failure.is_none() { Ending::Good } else { Ending::Bad })
}

fn key(path: &str) -> Result<DecryptionKey, Failure> {
    let source = Source::file(path);
    let text = Zeroizing::new(source.read()?);
    DecryptionKey::from_pem(&text).ok_or_else(|| {
        Failure::of(
            source.name(),
            "no private key: an RSA key of 2048 to 8192 bits, in PEM, is one",
        )
    })
}

/// The XML itself, or that of a form's field.
fn xml_of(text: &str) -> Vec<u8> {
    if text.trim_start().starts_with('<') {
        return text.as_bytes().to_vec();
    }
    let plain: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(plain).unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn lines(
    screen: &Screen,
    findings: &[Finding],
    said: &Said,
    told: Option<&str>,
    unchecked: bool,
) -> Vec<String> {
    let heading = |text: &str| screen.paint(Tone::Strong, text);
    let mut lines = vec![heading("assertion")];
    for (name, value) in [("id", &said.id), ("issuer", &said.issuer), ("subject", &said.subject)] {
        lines.push(format!("  {name:8} {}", value.as_deref().map_or("-".into(), printable)));
    }
    lines.push(heading("attributes"));
    lines.extend(said.attributes.iter().map(|(name, values)| {
        format!("  {} = {}", printable(name), printable(&values.join(" | ")))
    }));
    if let Some(presented) = &said.complete {
        lines.extend(becomes(presented, &heading));
    }
    lines.push(heading("checks"));
    lines.extend(findings.iter().map(|finding| {
        let (mark, tone) = match finding.verdict {
            Verdict::Pass => ("pass", Tone::Good),
            Verdict::Fail => ("FAIL", Tone::Bad),
            Verdict::Skipped => ("    ", Tone::Faint),
        };
        let readable = |text: &str| match finding.check {
            Check::Expiry | Check::WindowStart => dated(text),
            _ => text.to_owned(),
        };
        let (wanted, had) = (readable(&finding.wanted), readable(&finding.had));
        let mut text = match finding.verdict {
            Verdict::Fail => format!("wanted {wanted}; had {had}"),
            Verdict::Pass => had,
            Verdict::Skipped => String::new(),
        };
        if !finding.note.is_empty() {
            text = format!("{text} ({})", finding.note);
        }
        format!(
            "  {} {:20} {}",
            screen.paint(tone, mark),
            finding.check.name(),
            printable(text.trim())
        )
    }));
    match told {
        Some(told) => {
            lines.push(format!("{} {told}", screen.paint(Tone::Bad, "refused; AWS answers:")));
        }
        None => lines.push(screen.paint(Tone::Good, "STS would take it.")),
    }
    if unchecked {
        let text = "Nothing of this is proven: no signature was checked (see --metadata).";
        lines.push(screen.paint(Tone::Faint, text));
    }
    lines
}

/// What the assertion becomes: session, tags, keys, roles.
fn becomes(presented: &Presented, heading: &impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = vec![heading("session"), format!("  name     {}", presented.session_name)];
    if let Some(seconds) = presented.session_duration {
        lines.push(format!("  seconds  {seconds}"));
    }
    if let Some(identity) = &presented.source_identity {
        lines.push(format!("  source identity {identity} (needs sts:SetSourceIdentity)"));
    }
    if !presented.tags.is_empty() {
        lines.push(heading("session tags (the trust policy must allow sts:TagSession)"));
        lines.extend(presented.tags.principal.iter().map(|(key, value)| {
            let on = presented.tags.transitive.iter().any(|it| it.eq_ignore_ascii_case(key));
            let on = if on { "  (transitive)" } else { "" };
            format!("  {} = {}{on}", printable(key), printable(value))
        }));
    }
    lines.push(heading("condition keys"));
    let own = [
        ("saml:aud", &presented.recipient),
        ("saml:iss", &presented.issuer),
        ("saml:sub", &presented.subject),
        ("saml:sub_type", &presented.subject_type),
    ];
    lines.extend(own.map(|(name, value)| format!("  {name} = {}", printable(value))));
    lines.extend(
        presented.keys.iter().map(|Key { name, values, .. }| {
            format!("  {name} = {}", printable(&values.join(" | ")))
        }),
    );
    lines.push(heading("roles"));
    lines.extend(presented.roles.iter().map(|(role, provider)| {
        let doc = provider.split(':').nth(4).zip(provider.rsplit('/').next());
        let doc = doc.map_or_else(String::new, |(account, name)| format!("{account}/{name}"));
        format!("  {} by {} (saml:doc = {})", printable(role), printable(provider), printable(&doc))
    }));
    if presented.roles.is_empty() {
        lines.push("  none: the attribute Role has no pair of a role and a provider".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_s_field_and_the_xml_are_read_alike() {
        let xml = "<a/>";
        assert_eq!(xml_of(xml), xml.as_bytes());
        assert_eq!(xml_of(&STANDARD.encode(xml)), xml.as_bytes());
        assert_eq!(xml_of("PGEv\nPg=="), xml.as_bytes());
        assert_eq!(xml_of("neither"), b"neither");
    }
}
