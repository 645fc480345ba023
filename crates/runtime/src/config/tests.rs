use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn errors(file: Option<&str>, pairs: &[(&str, &str)]) -> Vec<String> {
    let errors = Config::read(file.map(|text| ("bugle.toml", text)), &variables(pairs)).unwrap_err();
    errors.0.into_iter().map(|e| format!("{} ({}): {}", e.key, e.source, e.problem)).collect()
}

#[test]
fn the_defaults_run_on_one_machine() {
    let config = Config::read(None, &[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.http_addr.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.frontend_per_minute, 100);
    assert!(config.database_url.is_none() && config.amqp_url.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "http_addr = \"0.0.0.0:9000\"\nmin_free_disk = \"2 GiB\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nlog_json = true";
    let environment = variables(&[
        ("BUGLE_MIN_FREE_DISK", "1048576"),
        ("BUGLE_ALLOW_PRIVATE_NETS", "127.0.0.0/8, fd00::/8"),
        ("BUGLE_LOG_JSON", ""),
    ]);
    let config = Config::read(Some(("bugle.toml", file)), &environment).unwrap();
    assert_eq!(config.public_url.as_str(), "http://localhost:9000/");
    assert_eq!(config.min_free_disk, 1_048_576);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.allow_private_nets.len(), 2);
}

#[test]
fn every_mistake_is_named_with_its_key_its_source_and_what_is_expected() {
    let found = errors(
        Some("http_adr = \"x\"\nhttp_workers = 0\npublic_url = \"ftp://x\""),
        &[
            ("BUGLE_TRUSTED_PROXIES", "10.0.0.0/8,nonsense"),
            ("BUGLE_DATABSE_URL", "postgres://u:hunter2@h/d"),
        ],
    );
    assert_eq!(
        found,
        [
            "http_workers (bugle.toml): `0` is not valid; expected a number from 1 to 64",
            "public_url (bugle.toml): expected an http:// or https:// URL",
            "BUGLE_TRUSTED_PROXIES (environment): `nonsense` is not valid; expected networks such as 10.0.0.0/8 or fd00::/8",
            "BUGLE_DATABSE_URL (environment): no such setting; did you mean `BUGLE_DATABASE_URL`?",
            "http_adr (bugle.toml): no such setting; did you mean `http_addr`?",
        ]
    );
}

#[test]
fn a_secret_is_not_repeated_in_an_error() {
    let found = errors(None, &[("BUGLE_DATABASE_URL", "mysql://root:hunter2@db/x")]).join("\n");
    assert!(found.contains("BUGLE_DATABASE_URL") && found.contains("postgres://"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn a_file_that_is_not_toml_is_named_with_its_line() {
    let found = errors(Some("log_json = true\nhttp_addr = = 3"), &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("* (bugle.toml): not TOML") && found[0].ends_with("(line 2)"), "{found:?}");
}

#[test]
fn dangerous_and_half_settings_stop_the_start() {
    let found =
        errors(None, &[("BUGLE_TRUSTED_PROXIES", "0.0.0.0/0"), ("BUGLE_TWILIO_FROM", "+15005550006")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("only some are set") && found[1].contains("/0"), "{found:?}");
    assert_eq!(errors(None, &[("BUGLE_ALLOW_PRIVATE_NETS", "::/0")]).len(), 1);
}

#[test]
fn what_kubernetes_and_docker_put_into_the_environment_is_no_setting() {
    let environment = variables(&[
        ("BUGLE_PORT", "tcp://10.0.0.1:80"),
        ("BUGLE_SERVICE_HOST", "10.0.0.1"),
        ("BUGLE_INGEST_SERVICE_PORT_HTTP", "80"),
        ("BUGLE_INGEST_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("BUGLE_CONFIG", "/etc/bugle.toml"),
    ]);
    assert_eq!(Config::read(None, &environment).unwrap(), Config::default());
}

#[test]
fn health_checks_come_as_tables_or_as_text() {
    let file = "[[health_checks]]\nname = \"shop\"\nurl = \"https://shop.example/health\"\n[[health_checks]]\nname = \"disk\"\ncommand = \"test -w /\"";
    let from_file = Config::read(Some(("bugle.toml", file)), &[]).unwrap().health_checks;
    let text = "shop=https://shop.example/health, disk=cmd:test -w /";
    let from_text = Config::read(None, &variables(&[("BUGLE_HEALTH_CHECKS", text)])).unwrap().health_checks;
    assert_eq!(from_file, from_text);
    assert_eq!(from_file.len(), 2);
    assert_eq!(errors(Some("[[health_checks]]\nname = \"x\"\nurll = \"http://y\""), &[]).len(), 1);
}

#[test]
fn sizes_have_units() {
    for (text, expected) in [
        ("7", Some(7)),
        ("1KiB", Some(1024)),
        ("2 mb", Some(2_000_000)),
        ("x", None),
        ("99999999999TiB", None),
        ("", None),
    ] {
        assert_eq!(parse::bytes(text), expected, "{text}");
    }
}
