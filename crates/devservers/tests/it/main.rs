//! The private servers really start, come back after a kill, and keep what they had.
#![expect(clippy::unwrap_used, reason = "a test")]

use bugle_devservers::{Durability, Postgres, Rabbit};
use std::process::Command;

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("bugle-devservers-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn postgres_keeps_its_data_over_a_kill_and_a_second_start() {
    let folder = folder("postgres");
    let server = Postgres::start(&folder, Durability::Full).unwrap();
    server.create_database("bugle").unwrap();
    server.query("bugle", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").unwrap();
    let port = server.port();

    let same = Postgres::start(&folder, Durability::Full).unwrap();
    assert_eq!(same.port(), port, "a server that runs is used as it is");

    let pid = server.pid().unwrap().to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
    let again = Postgres::start(&folder, Durability::Full).unwrap();
    assert_eq!(again.query("bugle", "SELECT n FROM kept").unwrap().trim(), "7");
    again.stop().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn rabbit_comes_back_after_a_kill_on_the_same_port() {
    let folder = folder("rabbit");
    let broker = Rabbit::start(&folder).unwrap();
    let port = broker.port();
    broker.control(&["add_vhost", "kept"]).unwrap();
    broker.kill().unwrap();
    broker.restart().unwrap();
    assert_eq!(broker.port(), port);
    assert!(broker.control(&["list_vhosts"]).unwrap().lines().any(|line| line == "kept"));
    broker.stop().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
