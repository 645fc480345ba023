//! What holds for any input.

use crate::matching::imported;
use bugle_model::Ownership;
use bugle_ownership::codeowners::parse;
use bugle_ownership::{Facts, matching};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Texts that look like a CODEOWNERS file more often than not.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z*/?\\\\!\\[\\]^# .]{0,20}( @[a-z/]{1,5}){0,12}",
        "\\PC{0,30}",
        Just("[Section][2] @default".to_owned()),
        Just(String::new()),
    ];
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_line_is_lost(text in file()) {
        let read = parse(&text);
        let told: BTreeSet<u32> =
            read.lines.iter().map(|line| line.number).chain(read.problems.iter().map(|one| one.line)).collect();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.trim();
            let says_nothing = line.is_empty() || line.starts_with('#');
            let is_section = line.starts_with('[') || line.starts_with("^[");
            prop_assert!(told.contains(&number) != says_nothing || is_section, "line {number}: {line:?}");
        }
        let numbers: Vec<u32> = read.lines.iter().map(|line| line.number).collect();
        prop_assert!(numbers.is_sorted());
    }

    #[test]
    fn the_last_line_that_matches_counts(text in file(), path in "[a-z]{1,3}(/[a-z]{1,3}){0,4}") {
        let facts = Facts::of_path(&path);
        let all = imported(&text);
        let found = matching(&Ownership::default(), &all, &facts).map(|one| one.line);
        let mut alone = all.clone();
        let expected = all.rules.iter().rev().find_map(|rule| {
            alone.rules = vec![rule.clone()];
            matching(&Ownership::default(), &alone, &facts)
        });
        prop_assert_eq!(found, expected.map(|one| one.line));
    }

    #[test]
    fn a_file_matches_its_own_path(path in "[a-z]{1,3}(/[a-z]{1,3}){0,4}") {
        let anchored = imported(&format!("/{path} @ann"));
        prop_assert!(matching(&Ownership::default(), &anchored, &Facts::of_path(&path)).is_some());
        let below = format!("{path}/x.rs");
        prop_assert!(matching(&Ownership::default(), &anchored, &Facts::of_path(&below)).is_some());
    }
}
