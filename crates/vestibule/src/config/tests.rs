use super::{setting::SETTINGS, *};

fn refused(text: &str) -> String {
    Config::parse(Path::new("v.toml"), text).unwrap_err().to_string()
}

fn accepted(text: &str) -> Config {
    Config::parse(Path::new("v.toml"), text).unwrap_or_else(|faulty| panic!("{faulty}"))
}

#[test]
fn an_unknown_setting_is_refused_with_its_position_and_the_nearest_name() {
    let text = "region = \"local\"\n\n[listen]\n  adress = \"127.0.0.1:1\"\n";
    assert_eq!(
        refused(text),
        "v.toml:4:3: unknown setting `listen.adress` (did you mean `address`?)"
    );
    accepted(&text.replace("adress", "address"));
}

#[test]
fn all_unknown_settings_are_told_at_once() {
    let told =
        refused("[lisen]\nx = 1\n[tls]\ncert = \"x\"\n[provider.\"arn\"]\nchekcs = \"aws\"\n");
    for wanted in [
        "v.toml:1:2: unknown setting `lisen` (did you mean `listen`?)",
        "v.toml:4:1: unknown setting `tls.cert` (known here: certificate, key, generate, names)",
        "v.toml:6:1: unknown setting `provider.arn.chekcs` (did you mean `checks`?)",
    ] {
        assert!(told.lines().any(|line| line == wanted), "{told}");
    }
}

#[test]
fn a_column_counts_characters() {
    let text = "log = { \"ö\" = 1, filtre = \"x\" }";
    let told = refused(text);
    assert!(told.contains("v.toml:1:18: unknown setting `log.filtre`"), "{told}");
    assert!(told.contains("did you mean `filter`?"), "{told}");
}

#[test]
fn a_setting_in_the_wrong_table_is_told_its_place() {
    assert_eq!(
        refused("durability = \"synced\""),
        "v.toml:1:1: unknown setting `durability` (did you mean `log_book.durability`?)"
    );
    assert_eq!(
        refused("[metrics]\nzzzzzz = 1"),
        "v.toml:2:1: unknown setting `metrics.zzzzzz` (known here: enabled, allow)"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused_at_the_value() {
    let told = refused("[listen]\nheader_timeout = \"5 lightyears\"\n");
    assert!(told.starts_with("v.toml:2:18: `5 lightyears` is not a duration"), "{told}");
    let told = refused("[log_book]\ndurability = \"hopeful\"\n");
    assert!(told.starts_with("v.toml:2:14: unknown variant `hopeful`"), "{told}");
    let told = refused("[listen]\nbody_memory = \"9MiB\"\n");
    assert_eq!(told, "v.toml:2:15: 16MiB is the least");
    assert_eq!(refused("listen = 5"), "v.toml:1:10: `listen` is a table of settings, not a value");
}

#[test]
fn broken_toml_is_refused_at_its_place() {
    assert!(refused("a = \n").starts_with("v.toml:1:5:"), "{}", refused("a = \n"));
    let twice = refused("region = \"a\"\nregion = \"b\"\n");
    assert!(twice.starts_with("v.toml:2:1: duplicate key"), "{twice}");
}

#[test]
fn what_types_cannot_say_is_refused_too() {
    let cases = [
        ("accounts = [\"12\"]", "v.toml:1:12: `12` is not an account id: 12 digits"),
        ("[tls]\nnames = []", "v.toml:1:2: needs `certificate` and `key`, or `generate = true`"),
        ("[tls]\nkey = \"k\"", "v.toml:2:7: needs `certificate` beside it"),
        ("[master_key]\nenv = \"A\"\nfile = \"b\"", "one of `file`, `env` and `command`"),
        ("[listen]\nmax_header_bytes = 100", "v.toml:2:20: 8KiB is the least"),
        ("[provider.\"arn:aws:iam::1:oidc-provider/x\"]", "is not the ARN of an identity provider"),
        (
            "[provider.\"arn:aws:iam::*:saml-provider/Corp\"]\nskew = \"11m\"",
            "v.toml:2:8: more than 10m is no difference of clocks",
        ),
        ("[network]\nallow = [\"10.0.0.0/33\"]", "`10.0.0.0/33` is not a network such as"),
    ];
    for (text, wanted) in cases {
        let told = refused(text);
        assert!(told.contains(wanted), "{text}: {told}");
    }
}

#[test]
fn an_extended_claim_cannot_stand_in_for_one_of_awss() {
    let with = |claims: &str| {
        format!(
            "[provider.\"arn:aws:iam::111122223333:oidc-provider/idp.example\"]\n\
             claims = \"extended\"\nextended = {{ {claims} }}\n"
        )
    };
    let told = refused(&with("SUB = \"string\""));
    assert!(told.contains("`SUB` is one of AWS's own claim keys"), "{told}");
    let told = refused(&with("team = \"string\", Team = \"list\""));
    assert!(told.contains("are the same condition key"), "{told}");
    let config = accepted(&with("team = \"list\""));
    let provider = config.provider.values().next().unwrap();
    assert_eq!(provider.extended["team"], ClaimType::List);
    let told = refused(&with("team = \"list\"").replace("claims = \"extended\"\n", ""));
    assert!(told.contains("has no effect without `claims = \"extended\"`"), "{told}");
}

#[test]
fn files_are_relative_to_the_settings_file() {
    let text = "[data]\nfolder = \"d\"\n[master_key]\nfile = \"/etc/k\"\n";
    let config = Config::parse(Path::new("/srv/v/v.toml"), text).unwrap();
    assert_eq!(config.data.folder, Path::new("/srv/v/d"));
    assert_eq!(config.master_key.file.as_deref(), Some(Path::new("/etc/k")));
}

#[test]
fn a_file_that_was_named_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let told = Config::read(Some(&folder.path().join("none.toml"))).unwrap_err().to_string();
    assert!(told.contains("none.toml: cannot be read"), "{told}");
}

/// Every row of the table is a setting that the structs read, with the example it shows.
#[test]
fn every_documented_setting_is_read() {
    for setting in SETTINGS {
        let path = setting
            .path
            .replacen(
                "provider.*",
                "provider.\"arn:aws:iam::111122223333:oidc-provider/idp.example\"",
                1,
            )
            .replace('*', "team");
        let mut text = format!("{path} = {}\n", setting.example);
        match setting.path {
            "tls.certificate" => text.push_str("tls.key = \"k\"\n"),
            "tls.key" => text.push_str("tls.certificate = \"c\"\n"),
            "tls.names" => text.push_str("tls.generate = true\n"),
            "provider.*.extended.*" => {
                let table = path.strip_suffix(".extended.team").unwrap();
                text.push_str(&format!("{table}.claims = \"extended\"\n"));
            }
            _ => {}
        }
        let read = format!("{:?}", accepted(&text));
        let default = format!("{:?}", Config::default());
        assert_ne!(read, default, "`{}` changes nothing", setting.path);
    }
}

/// Every field of the structs is a row of the table: the deserializer names the fields it knows.
#[test]
fn every_setting_that_is_read_is_documented() {
    let provider = "provider.\"a\"";
    let tables = [
        "",
        "listen",
        "tls",
        "data",
        "master_key",
        "log_book",
        "network",
        "metrics",
        "log",
        "test",
        provider,
    ];
    for table in tables {
        let dot = if table.is_empty() { "" } else { "." };
        let error = toml::from_str::<Config>(&format!("{table}{dot}zz = 1")).unwrap_err();
        let known = error.message().split_once("expected").unwrap().1.replace("one of", "");
        for field in known.split([',', '`', ' ']).filter(|f| !f.is_empty() && *f != "or") {
            let path = format!("{}{dot}{field}", table.replace("\"a\"", "*"));
            let documented =
                SETTINGS.iter().any(|s| s.path == path || s.path.starts_with(&format!("{path}.")));
            assert!(documented, "`{path}` is read but not documented");
        }
    }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    for setting in SETTINGS {
        let simple = !setting.path.contains('*') && !setting.path.starts_with("tls");
        if setting.default.is_empty() || setting.default.contains(" in the ") || !simple {
            continue;
        }
        let read = accepted(&format!("{} = {}", setting.path, setting.default));
        let default = Config::default();
        assert_eq!(format!("{read:?}"), format!("{default:?}"), "default of {}", setting.path);
    }
}

#[test]
fn the_reference_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let wanted = setting::reference();
    if environment("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &wanted).unwrap();
    }
    let had = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(had == wanted, "docs/config.md is stale: UPDATE_DOCS=1 cargo test -p vestibule");
}
