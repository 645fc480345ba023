//! The commands that do one thing.

use crate::harness::Bugle;
use bugle_testkit::TestDatabase;
use serde_json::json;

#[test]
fn mistakes_in_the_configuration_stop_the_start_and_are_named() {
    let bugle = Bugle::new(&[("BUGLE_LOG_JSON", "maybe"), ("BUGLE_DATABSE_URL", "postgres://u:hunter2@h/d")]);
    bugle.write("bugle.toml", "http_workers = 0\nhttp_adres = \"127.0.0.1:1\"\n");
    let ended = bugle.run(&["run"]);
    assert_eq!(ended.code, 2);
    for named in [
        "http_workers (bugle.toml): `0` is not valid; expected a number from 1 to 64",
        "http_adres (bugle.toml): no such setting; did you mean `http_addr`?",
        "BUGLE_LOG_JSON (environment): `maybe` is not valid; expected true or false",
        "BUGLE_DATABSE_URL (environment): no such setting; did you mean `BUGLE_DATABASE_URL`?",
    ] {
        assert!(ended.err.contains(named), "{named}\n{}", ended.err);
    }
    assert!(!ended.err.contains("hunter2"));
}

#[tokio::test]
async fn people_get_links_and_the_first_one_is_for_nobody_yet() {
    let database = TestDatabase::new().await.unwrap();
    let settings =
        [("BUGLE_DATABASE_URL", database.url()), ("BUGLE_PUBLIC_URL", "https://errors.example.com")];
    let bugle = Bugle::new(&settings);
    let link = bugle.run(&["user", "setup-link"]).ok();
    assert!(link.starts_with("https://errors.example.com/setup?token="), "{link}");
    let create = ["user", "create", "ann@example.com", "--name", "Ann", "--role", "owner"];
    let link = bugle.run(&create).ok();
    assert!(link.starts_with("https://errors.example.com/reset?token="), "{link}");
    let twice = bugle.run(&create);
    assert_eq!(
        (twice.code, twice.err.as_str()),
        (1, "bugle: there is an account `ann@example.com` already\n")
    );
    assert_ne!(bugle.run(&["user", "reset-password", "ANN@example.com"]).ok(), link);
    assert_eq!(bugle.run(&["user", "reset-password", "ben@example.com"]).code, 1);
    assert_eq!(bugle.run(&["user", "setup-link"]).code, 1);
    let listed = bugle.run(&["user", "list", "--json"]).json();
    assert_eq!((&listed[0]["email"], &listed[0]["role"]), (&json!("ann@example.com"), &json!("owner")));
    let actions = "SELECT action FROM audit_log WHERE actor_kind = 'system' ORDER BY id";
    assert_eq!(database.rows(actions).await.unwrap(), ["user.created", "user.reset_link_made"]);
}

#[tokio::test]
async fn projects_keys_and_tokens_are_made_as_scripts_read_them() {
    let database = TestDatabase::new().await.unwrap();
    let settings =
        [("BUGLE_DATABASE_URL", database.url()), ("BUGLE_PUBLIC_URL", "https://errors.example.com")];
    let bugle = Bugle::new(&settings);
    let project = bugle.run(&["project", "create", "shop", "--json"]).json();
    let key = project["key"].as_str().unwrap().to_owned();
    let dsn = format!("https://{key}@errors.example.com/1");
    assert_eq!(project, json!({ "id": 1, "name": "shop", "key": key, "dsn": dsn }));
    let twice = bugle.run(&["project", "create", "shop", "--json"]);
    assert_eq!(
        (twice.code, twice.err.as_str()),
        (1, "bugle: name: there is a project named `shop` already\n")
    );

    let token = bugle.run(&["token", "create", "ci", "--json"]).json();
    assert!(token["token"].as_str().unwrap().starts_with("bugle_"));
    assert_eq!(token.as_object().unwrap().len(), 1);
    assert!(bugle.run(&["token", "list"]).ok().contains("ci"));
    bugle.run(&["token", "revoke", "ci"]).ok();
    assert_eq!(bugle.run(&["token", "revoke", "ci"]).code, 1);

    let rotated = bugle.run(&["key", "rotate", &key, "--json"]).json();
    assert_ne!(rotated["key"], json!(key));
    let keys = bugle.run(&["key", "list", "shop", "--json"]).json();
    let enabled: Vec<_> =
        keys.as_array().unwrap().iter().map(|key| key["enabled"].as_bool().unwrap()).collect();
    assert_eq!(enabled, [false, true]);
    bugle.run(&["key", "enable", &key]).ok();
    bugle.run(&["key", "disable", "2"]).ok();
    assert_eq!(database.rows("SELECT enabled FROM project_keys ORDER BY id").await.unwrap(), ["t", "f"]);
    bugle.run(&["key", "create", "shop", "--label", "web", "--per-minute", "9"]).ok();
    let log =
        "SELECT action, target_id, target_name, before ->> 'enabled', after ->> 'enabled' FROM audit_log
               WHERE target_kind = 'key' AND actor_kind = 'system' ORDER BY id";
    let expected = [
        "key.rotated|1|shop: default|true|",
        "key.updated|1|shop: default|false|true",
        "key.updated|2|shop: default|true|false",
        "key.created|3|shop: web||true",
    ];
    assert_eq!(database.rows(log).await.unwrap(), expected);
    let secret = format!("SELECT count(*) FROM audit_log WHERE concat(before, after) LIKE '%{key}%'");
    assert_eq!(database.number(&secret).await.unwrap(), 0);
}

#[tokio::test]
async fn settings_are_checked_before_they_are_kept() {
    let database = TestDatabase::new().await.unwrap();
    let bugle = Bugle::new(&[("BUGLE_DATABASE_URL", database.url())]);
    bugle.run(&["project", "create", "shop"]).ok();
    bugle.run(&["project", "set", "shop", "retention=30", "filters.crawlers=true"]).ok();
    let shown = bugle.run(&["project", "show", "shop"]).json();
    assert_eq!((&shown["retention"], &shown["filters"]["crawlers"]), (&json!(30), &json!(true)));
    for wrong in ["retention=31", "retentoin=30", "scrub=on", "filters.releases=[\"\"]"] {
        assert_eq!(bugle.run(&["project", "set", "shop", wrong]).code, 1, "{wrong}");
    }
    assert_eq!(bugle.run(&["project", "show", "shop"]).json(), shown);
    let log =
        "SELECT before -> 'settings' ->> 'retention', after -> 'settings' ->> 'retention' FROM audit_log
               WHERE action = 'project.updated'";
    assert_eq!(database.rows(log).await.unwrap(), ["90|30"]);
}

#[tokio::test]
async fn a_destination_is_added_listed_tested_and_removed() {
    let database = TestDatabase::new().await.unwrap();
    let bugle = Bugle::new(&[("BUGLE_DATABASE_URL", database.url())]);
    bugle.run(&["project", "create", "shop"]).ok();
    let add = ["destination", "add", "shop", "webhook", "https://hooks.example.com/x", "--json"];
    let added =
        bugle.run(&[&add[..], &["--header", "X-Team: shop", "--min-priority", "high"]].concat()).json();
    let secret = added["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let listed = bugle.run(&["destination", "list", "shop", "--json"]).ok();
    assert!(listed.contains("hooks.example.com") && !listed.contains(secret), "{listed}");
    bugle.run(&["destination", "test", "1"]).ok();
    assert_eq!(database.number("SELECT count(*) FROM notifications").await.unwrap(), 1);
    database
        .execute("UPDATE destinations SET enabled = false, disabled_reason = 'answered 410', failures = 3")
        .await
        .unwrap();
    assert!(bugle.run(&["destination", "list", "shop"]).ok().contains("off: answered 410"));
    assert_eq!(bugle.run(&["destination", "enable", "1"]).ok(), "destination 1 is on\n");
    let state = "SELECT enabled, disabled_reason, failures FROM destinations";
    assert_eq!(database.rows(state).await.unwrap(), ["t||0"]);
    assert_eq!(bugle.run(&["destination", "disable", "1"]).ok(), "destination 1 is off\n");
    assert_eq!(database.rows(state).await.unwrap(), ["f||0"]);
    bugle.run(&["destination", "remove", "1"]).ok();
    for gone in ["remove", "enable", "disable"] {
        let ended = bugle.run(&["destination", gone, "1"]);
        assert_eq!((ended.code, ended.err.as_str()), (1, "bugle: there is no destination 1\n"), "{gone}");
    }
    let log = "SELECT action, target_name, before ->> 'enabled', after ->> 'enabled' FROM audit_log
               WHERE target_kind = 'destination' AND actor_kind = 'system' ORDER BY id";
    let expected = [
        "destination.created|shop||true",
        "destination.updated|shop|false|true",
        "destination.updated|shop|true|false",
        "destination.deleted|shop|false|",
    ];
    assert_eq!(database.rows(log).await.unwrap(), expected);
    for hidden in [secret, "hooks.example.com", "X-Team"] {
        let told = format!("SELECT count(*) FROM audit_log WHERE concat(before, after) LIKE '%{hidden}%'");
        assert_eq!(database.number(&told).await.unwrap(), 0, "{hidden}");
    }
    assert_eq!(bugle.run(&["destination", "add", "shop", "email", "nobody"]).code, 1);
}

#[tokio::test]
async fn the_doctor_says_what_to_do() {
    let database = TestDatabase::empty().await.unwrap();
    let bugle = Bugle::new(&[("BUGLE_DATABASE_URL", database.url())]);
    let sick = bugle.run(&["doctor"]);
    assert_eq!(sick.code, 1);
    assert!(sick.out.contains("run `bugle migrate`"), "{}", sick.out);
    bugle.run(&["migrate"]).ok();
    assert_eq!(bugle.run(&["migrate"]).ok(), "the database is up to date\n");
    let well = bugle.run(&["doctor"]);
    assert_eq!(well.code, 0, "{}", well.out);

    let away = Bugle::new(&[("BUGLE_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/d")]).run(&["doctor"]);
    assert_eq!(away.code, 1);
    assert!(away.out.contains("does not answer") && !away.out.contains("hunter2"), "{}", away.out);
}

#[test]
fn dead_letters_need_a_running_server() {
    let bugle = Bugle::new(&[("BUGLE_API_TOKEN", "x"), ("BUGLE_SERVER", "http://127.0.0.1:1")]);
    let ended = bugle.run(&["bus", "dead", "list"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("no server answers at http://127.0.0.1:1"), "{}", ended.err);
    let neither = bugle.run(&["bus", "dead", "discard", "--queue", "bugle.intake"]);
    assert_eq!(neither.code, 2, "{}", neither.err);
}
