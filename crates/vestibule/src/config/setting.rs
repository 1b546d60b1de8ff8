//! Every setting there is, as data: the reader refuses what is not here, `docs/config.md` is
//! generated from here, and a test holds the structs of [`crate::config`] against it.

/// One setting of `vestibule.toml`.
#[derive(Debug)]
pub struct Setting {
    /// Dotted path; `*` stands for a name that the operator chooses.
    pub path: &'static str,
    /// What kind of value, in words.
    pub kind: &'static str,
    /// The default, as TOML; empty when there is none.
    pub default: &'static str,
    /// A value that is accepted, as TOML; the test that reads every setting uses it.
    pub example: &'static str,
    /// What it does.
    pub about: &'static str,
}

const fn row(
    path: &'static str,
    kind: &'static str,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> Setting {
    Setting { path, kind, default, example, about }
}

/// All settings, in the order of the reference.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    row("accounts", "list of account ids", r#"["111122223333"]"#, r#"["111122223333", "444455556666"]"#,
        "The accounts that exist from the first start, each with an administrator of its own whose access key is printed once. The first is the default account."),
    row("regions", "list of region names", "[]", r#"["eu-central-1", "local"]"#,
        "Region names accepted in a signature's scope. Empty: any."),
    row("region", "region name", r#""us-east-1""#, r#""eu-central-1""#,
        "The region that events name when the caller named none."),

    row("listen.address", "address and port", r#""127.0.0.1:4570""#, r#""0.0.0.0:443""#,
        "Where the server listens. Port 0 takes a free one; the readiness line says which."),
    row("listen.public_url", "URL without a path", "", r#""https://sts.example.com""#,
        "The URL by which others reach the server; unless it is set, the address that is listened on. Tokens of `GetWebIdentityToken` name it as their issuer, and their keys are served below it at `/_tokens`."),
    row("listen.threads", "whole number", "0", "4",
        "Worker threads; 0 means one per core."),
    row("listen.max_connections", "whole number", "10000", "500",
        "Connections held at once. Further ones wait in the kernel's queue."),
    row("listen.max_headers", "whole number", "100", "64",
        "Header fields a request may have; more is answered with 431."),
    row("listen.max_header_bytes", "size, 8 KiB at least", r#""64KiB""#, r#""32KiB""#,
        "Size of a request's head; more is answered with 431."),
    row("listen.header_timeout", "duration", r#""60s""#, r#""10s""#,
        "How long a connection may take to send a request's head; idle connections are closed after it too."),
    row("listen.body_timeout", "duration", r#""30s""#, r#""10s""#,
        "How long a request's body may take to arrive; then 408."),
    row("listen.body_memory", "size, 16 MiB at least", r#""256MiB""#, r#""64MiB""#,
        "Bodies of requests that are held in memory at once, of all callers together, from their first byte to the answer. Further ones wait."),
    row("listen.body_patience", "duration", r#""2s""#, r#""500ms""#,
        "How long a request waits for memory for its body; then 503 `ServiceUnavailable`."),
    row("listen.drain", "duration", r#""10s""#, r#""30s""#,
        "On SIGTERM or SIGINT: how long requests under way may take to finish."),
    row("listen.trusted_proxies", "list of networks", "[]", r#"["10.0.0.0/8", "::1/128"]"#,
        "Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. They decide `aws:SourceIp` and `aws:SecureTransport`."),

    row("tls.certificate", "file", "", r#""server.pem""#,
        "Certificate chain in PEM, leaf first. Read again on SIGHUP."),
    row("tls.key", "file", "", r#""server.key""#,
        "The private key of the certificate, in PEM (PKCS#8, PKCS#1 or SEC1)."),
    row("tls.generate", "true or false", "false", "true",
        "Make a development certificate in the data folder (`tls/`), when there is none yet, and use it. Not together with `certificate`."),
    row("tls.names", "list of names", r#"["localhost", "127.0.0.1", "::1"]"#, r#"["vestibule.test"]"#,
        "Names in the generated certificate."),

    row("data.folder", "folder", r#"".vestibule""#, r#""/var/lib/vestibule""#,
        "Where everything is kept. Made with mode 0700; one server at a time."),

    row("master_key.file", "file", r#""master.key" in the data folder"#, r#""/etc/vestibule/master.key""#,
        "The master key under which secrets and sessions are sealed. Made with mode 0600 when it does not exist; readable by others: refused. Beside the data it protects nothing from whoever copies the folder, and the server says so."),
    row("master_key.env", "name of an environment variable", "", r#""VESTIBULE_MASTER_KEY""#,
        "Take the master key from this variable instead (the content of a key file)."),
    row("master_key.command", "list: program and arguments", "", r#"["pass", "show", "vestibule"]"#,
        "Take the master key from what this program prints instead."),

    row("log_book.durability", "\"written\" or \"synced\"", r#""written""#, r#""synced""#,
        "The least that is done before an answer leaves: `written` survives a killed process, `synced` a power cut. Calls that change something are always `synced`."),
    row("log_book.issuing", "\"written\" or \"synced\"", r#""synced""#, r#""written""#,
        "The same for calls that issue credentials."),
    row("log_book.keep_for", "duration", r#""90d""#, r#""365d""#,
        "Events older than this are removed, whole files at a time."),
    row("log_book.keep_bytes", "size", r#""4GiB""#, r#""10GiB""#,
        "When the log book grows past this, its oldest files are removed."),
    row("log_book.max_event_bytes", "size", r#""64KiB""#, r#""256KiB""#,
        "Largest event. What does not fit is cut, and the event says so."),
    row("log_book.flood_rate", "whole number", "50", "20",
        "Events per second that unauthenticated calls may cause; past it they are counted together."),
    row("log_book.reserve_bytes", "size", r#""64MiB""#, r#""128MiB""#,
        "Space held back, so that the log book stays writable when the disk fills."),

    row("network.allow", "list of networks and host names", "[]", r#"["10.20.0.0/16", "idp.corp.example"]"#,
        "Private ranges and hosts that identity provider URLs may reach. Public addresses always may."),
    row("network.ports", "list of ports", "[]", "[9443]",
        "Ports that identity provider URLs may name besides 443 and 8443."),
    row("network.ca_file", "file", "", r#""corporate-ca.pem""#,
        "Certificate authorities, in PEM, trusted for every identity provider beside the public ones."),

    row("metrics.enabled", "true or false", "true", "false",
        "Serve Prometheus metrics at `/_metrics`."),
    row("metrics.allow", "list of networks", r#"["127.0.0.0/8", "::1/128"]"#, r#"["10.0.0.0/8"]"#,
        "Who may read the metrics."),

    row("log.filter", "filter", r#""info""#, r#""vestibule=debug,info""#,
        "What the server prints on stderr, in the form of `RUST_LOG`."),
    row("log.format", "\"text\" or \"json\"", r#""text""#, r#""json""#,
        "Its form."),

    row("test.issuer", "true or false", "false", "true",
        "Serve the built-in test issuer at `/_issuer`. Whoever can read the data folder can mint its tokens; the server then binds loopback addresses only."),
    row("test.clock", "true or false", "false", "true",
        "Let `POST /_test/clock` move the server's clock. Loopback addresses only."),

    row("provider.*.checks", "\"strict\" or \"aws\"", r#""strict""#, r#""aws""#,
        "`strict` refuses what no honest issuer sends (duplicate members, key use that does not fit, times as strings); `aws` accepts what AWS accepts. For SAML, `strict` also keeps audience, recipient, destination, bearer, status, every window, unknown conditions, SHA-2 and one-time use."),
    row("provider.*.audiences", "list of audiences", "[]", r#"["https://sts.corp.example"]"#,
        "SAML: audiences that assertions may be made for besides `urn:amazon:webservices`, AWS's sign-in address, and the server's own: `listen.public_url`, and `/saml` below it."),
    row("provider.*.addresses", "list of addresses", "[]", r#"["https://sts.corp.example/saml"]"#,
        "SAML: recipients and destinations of assertions besides AWS's sign-in addresses and the server's own, `/saml` below `listen.public_url`."),
    row("provider.*.skew", "duration, at most 10m", r#""5m""#, r#""1m""#,
        "SAML: how far the provider's clock may be from ours."),
    row("provider.*.claims", "\"aws\" or \"extended\"", r#""aws""#, r#""extended""#,
        "Which claims become condition keys: those that AWS exposes, or those and the `extended` ones."),
    row("provider.*.extended.*", "\"string\", \"list\", \"number\" or \"bool\"", "", r#""string""#,
        "A claim to expose as a condition key besides AWS's own, and its type. Needs `claims = \"extended\"`."),
    row("provider.*.tags.*", "tag key", "", r#""repo""#,
        "A claim to turn into a session tag with this key. The trust policy must allow `sts:TagSession`, as for any tag."),
    row("provider.*.ca_file", "file", "", r#""keycloak-ca.pem""#,
        "Certificate authorities, in PEM, trusted for this provider beside the public ones."),
    row("provider.*.allow_http_loopback", "true or false", "false", "true",
        "Let this provider be reached over plain http on a loopback address."),
    row("provider.*.static_jwks", "file", "", r#""jwks.json""#,
        "Take the keys from this file and never connect to the provider."),
    row("provider.*.network_allow", "list of networks and host names", "[]", r#"["10.9.0.0/16"]"#,
        "As `network.allow`, for this provider only."),
    row("provider.*.network_ports", "list of ports", "[]", "[9443]",
        "As `network.ports`, for this provider only."),
    row("provider.*.max_stale", "duration", r#""24h""#, r#""1h""#,
        "How long cached keys serve while the provider cannot be reached."),
    row("provider.*.refetch_interval", "duration", r#""10s""#, r#""5s""#,
        "The least time between two fetches of the keys because of an unknown key id."),
];

/// The reference, as Markdown: the content of `docs/config.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "# Settings\n\n\
         <!-- Generated from crates/vestibule/src/config/setting.rs; `cargo test -p vestibule` \
         says when it is stale, and UPDATE_DOCS=1 renews it. -->\n\n\
         `vestibule.toml` in the working folder, or the file named by `--config`. A flag overrides \
         the file. Secrets come from the environment, files or commands, never from this file. A \
         setting that is not listed here is refused with its position.\n\n\
         Durations are written `30s`, `5m`, `24h`, `90d`; sizes `64KiB`, `4GiB` or a number of \
         bytes; networks `10.0.0.0/8`. Files are relative to the folder of the settings file.\n\n\
         A provider's settings stand under its ARN, for example \
         `[provider.\"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com\"]`; \
         `*` as the account means every account. SAML providers (`…:saml-provider/NAME`) have `checks` \
         and what says so; all else is for OIDC providers.\n",
    );
    let mut section = None;
    for setting in SETTINGS {
        let name = setting.path.split_once('.').map_or("", |(section, _)| section);
        if section != Some(name) {
            section = Some(name);
            let title = match name {
                "" => "At the top".to_owned(),
                "provider" => "[provider.\"ARN\"]".to_owned(),
                other => format!("[{other}]"),
            };
            out.push_str(&format!("\n## {title}\n\n"));
        }
        let short = setting.path.strip_prefix(name).unwrap_or(setting.path);
        let short = short.trim_start_matches('.').trim_start_matches("*.").replace('*', "NAME");
        let default = match setting.default {
            "" => "no default".to_owned(),
            value => format!("default {}", code(value)),
        };
        out.push_str(&format!("- `{short}` ({}; {default}): {}", setting.kind, setting.about));
        out.push_str(&format!(" Example: `{short} = {}`\n", setting.example));
    }
    out
}

/// A default that is a TOML value is shown as code; one in words is not.
fn code(value: &str) -> String {
    if value.contains(" in the ") { value.replace('"', "`") } else { format!("`{value}`") }
}
