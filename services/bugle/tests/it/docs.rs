//! The documentation knows every setting, and no others.

use std::collections::BTreeSet;

/// Where settings are declared, each with how the declaration begins.
const SETTINGS: [(&str, &str); 2] = [
    (include_str!("../../../../crates/runtime/src/config/mod.rs"), "pub struct Config {"),
    (include_str!("../../../../crates/runtime/src/config/watch.rs"), "pub struct Watch {"),
];
const OPERATIONS: &str = include_str!("../../../../docs/operations.md");
const OTHERS: [(&str, &str); 4] = [
    ("docs/notifications.md", include_str!("../../../../docs/notifications.md")),
    ("docs/api.md", include_str!("../../../../docs/api.md")),
    ("docker-compose.yml", include_str!("../../../../docker-compose.yml")),
    (".env.example", include_str!("../../../../.env.example")),
];
/// Read by the command line, or by the compose file itself.
const NO_SETTINGS: [&str; 4] = ["BUGLE_CONFIG", "BUGLE_SERVER", "BUGLE_API_TOKEN", "BUGLE_PORT"];

/// The variables of the settings' fields.
fn settings() -> BTreeSet<String> {
    let fields = SETTINGS.into_iter().flat_map(|(source, begin)| {
        let (_, rest) = source.split_once(begin).unwrap();
        rest.split_once("\n}").unwrap().0.lines()
    });
    let declared = fields.filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "));
    // A field that has fields of its own is no setting.
    let names = declared.filter(|(_, kind)| *kind != "Watch,");
    names.map(|(name, _)| format!("BUGLE_{}", name.to_ascii_uppercase())).collect()
}

/// Every `BUGLE_…` in a text.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_uppercase() && c != '_')
        .filter(|word| word.strip_prefix("BUGLE_").is_some_and(|rest| !rest.is_empty()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_setting_has_its_row() {
    let settings = settings();
    assert!(settings.len() > 20 && settings.contains("BUGLE_HTTP_ADDR"), "{settings:?}");
    let missing: Vec<_> =
        settings.iter().filter(|name| !OPERATIONS.contains(&format!("| `{name}` | "))).collect();
    assert!(missing.is_empty(), "not in docs/operations.md: {missing:?}");
}

#[test]
fn nothing_else_is_called_a_setting() {
    let settings = settings();
    for (file, text) in OTHERS.into_iter().chain([("docs/operations.md", OPERATIONS)]) {
        let unknown: Vec<_> = named(text)
            .into_iter()
            // The example of a mistake.
            .filter(|name| name != "BUGLE_HTTP_ADR")
            .filter(|name| !settings.contains(name) && !NO_SETTINGS.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}
