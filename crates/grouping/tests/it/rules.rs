//! Rules that are right, and mistakes in rules.

use crate::build;
use bugle_grouping::{Grouper, Method};
use bugle_model::{Event, Level};
use proptest::prelude::*;

#[track_caller]
fn fails(rules: &str, line: usize, column: usize, message: &str) {
    let error = Grouper::new(rules).unwrap_err();
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    fails("typ:X -> a", 1, 1, "expected a matcher (type, value, message,");
    fails("# ok\n\n  type:X colour:red -> a", 3, 10, "found `colour`");
    fails("type=X -> a", 1, 5, "expected `:` and a pattern after `type`, found `=`");
    fails("type: -> a", 1, 6, "expected a pattern, found a space");
    fails("type:\"X -> a", 1, 6, "expected a closing `\"`");
    fails("type:X", 1, 7, "found the end of the rule");
    fails("type:X ->", 1, 10, "expected a part of the fingerprint");
    fails("type:X -> title=\"a\"", 1, 20, "expected a part of the fingerprint");
    fails("type:X -> a title=b title=c", 1, 21, "only one `title=`");
    fails("type:X -> {{ colour }}", 1, 11, "expected a variable (default, type,");
    fails("type:X -> {{ type", 1, 11, "`}}`");
    fails("type:X -> a-{{ default }}", 1, 11, "to be a whole part");
    fails("type:X -> a title={{ default }}", 1, 19, "to be a whole part");
    fails("-> a", 1, 1, "expected a matcher before `->`");
    fails("-app", 1, 1, "expected a matcher before the action");
    fails("function:f -ap", 1, 12, "found `-ap`");
    fails("function:f -app x", 1, 17, "found `x`");
    fails("app:maybe -app", 1, 5, "expected `yes` or `no`, found `maybe`");
    fails("tags.:x -> a", 1, 1, "expected a matcher");
    fails("message:ü typ:x -> a", 1, 11, "found `typ`");
}

#[test]
fn the_limits_hold() {
    let rule = "type:X -> a\n";
    assert!(Grouper::new(&rule.repeat(500)).is_ok());
    fails(&rule.repeat(501), 501, 1, "at most 500 rules");
    fails(&"#".repeat(64 * 1024 + 1), 1, 1, "at most 65536");
    fails(&format!("type:{} -> a", "x".repeat(513)), 1, 6, "at most 512 characters");
    fails(&format!("type:X -> {}", "a ".repeat(33)), 1, 75, "at most 32 parts");
    fails(&format!("{} -> a", "type:X ".repeat(33)), 1, 225, "at most 32 matchers");
}

/// Whether the event is grouped by the rule.
fn applies(rule: &str, event: &Event) -> bool {
    let rules = format!("{rule} -> grouped-by-rule");
    Grouper::new(&rules).unwrap().group(event).method == Method::Rule
}

fn event() -> Event {
    let mut event = build::event("python");
    event.exceptions = vec![
        build::exception("ValueError", "bad value 5", &[]),
        build::exception("shop.PayError", "payment failed", &[("shop.pay", "charge"), ("lib.net", "send")]),
    ];
    event.exceptions[1].stacktrace.as_mut().unwrap().frames[1].in_app = Some(false);
    event.level = Level::Fatal;
    event.release = Some("shop@1.2.3".to_owned());
    event.tags.insert("tenant".to_owned(), "acme".to_owned());
    event
}

#[test]
fn matchers() {
    for (rule, expected) in [
        ("type:valueerror", true),
        ("type:Value*", true),
        ("type:Value", false),
        ("type:ValueError value:\"payment *\"", false),
        ("type:*PayError value:\"payment *\"", true),
        ("message:\"bad value ?\"", true),
        ("!type:ValueError", false),
        ("!type:KeyError", true),
        ("type:* !value:bad*", true),
        ("module:shop.* function:charge", true),
        ("module:shop.* function:send", false),
        ("function:send app:no", true),
        ("function:send app:yes", false),
        ("!module:lib.*", false),
        ("!module:net.*", true),
        ("level:fatal release:shop@1.* tags.tenant:ACME", true),
        ("tags.other:*", false),
        ("!tags.other:*", true),
        ("platform:python !environment:production", true),
        ("logger:x", false),
    ] {
        assert_eq!(applies(rule, &event()), expected, "{rule}");
    }
}

#[test]
fn the_first_fingerprint_rule_wins_and_names_the_issue() {
    let rules = "type:Nothing -> a\n\
                 type:ValueError -> b title=\"{{ type }} of {{ tags.tenant }}: {{ value }} {{ logger }}\" # why\n\
                 type:ValueError -> c\n";
    let grouper = Grouper::new(rules).unwrap();
    let grouping = grouper.group(&event());
    assert_eq!(grouping.title, "shop.PayError of acme: payment failed <none>");
    let why = grouper.explain(&event());
    assert_eq!(why.rule_line, Some(2));
    let only_b = Grouper::new("type:ValueError -> b").unwrap();
    assert_eq!(grouping.hashes, only_b.group(&event()).hashes);
    let b_or_c = Grouper::new("type:ValueError -> c").unwrap();
    assert_ne!(grouping.hashes, b_or_c.group(&event()).hashes);
}

#[test]
fn quotes_commas_and_variables() {
    let of = |rule: &str| Grouper::new(rule).unwrap().group(&event()).hashes;
    let two = of("type:* -> a b");
    assert_eq!(two, of("type:* -> a, b"));
    assert_eq!(two, of("type:* -> \"a\" \"b\""));
    assert_ne!(two, of("type:* -> \"a b\""));
    assert_eq!(of("type:* -> x-{{ tags.tenant }}"), of("type:* -> x-acme"));
    assert_eq!(of("type:* -> {{ function }} {{ module }}"), of("type:* -> charge shop.pay"));
    assert_eq!(of("type:* -> {{ error.type }}"), of("type:* -> {{type}}"));
    assert_eq!(of("type:* -> {{ default }}"), Grouper::default().group(&event()).hashes);
    assert_eq!(of("type:* -> {{ default }} x").len(), 2);
}

#[test]
fn the_later_stack_rule_wins() {
    let culprit = |rules: &str| Grouper::new(rules).unwrap().group(&event()).culprit.unwrap();
    assert_eq!(culprit(""), "shop.pay in charge");
    assert_eq!(culprit("module:lib.* +app"), "lib.net in send");
    assert_eq!(culprit("module:lib.* +app\nfunction:send -app"), "shop.pay in charge");
    let mut shown = event();
    Grouper::new("module:lib.* +app").unwrap().apply_in_app(&mut shown);
    let frames = &shown.exceptions[1].stacktrace.as_ref().unwrap().frames;
    assert!(frames.iter().all(|frame| frame.in_app == Some(true)));
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("type:X"),
        Just("!path:**/a/*"),
        Just("->"),
        Just("{{ default }}"),
        Just("{{"),
        Just("}}"),
        Just("\""),
        Just("title="),
        Just("+app"),
        Just("-group"),
        Just("#"),
        Just("\\"),
        Just("\n"),
        Just("tags."),
        Just("é:"),
    ]
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn any_rules_are_survived(rules in any::<String>()) {
        if let Err(error) = Grouper::new(&rules) {
            let line = rules.lines().nth(error.line - 1).unwrap_or_default();
            prop_assert!(error.column <= line.chars().count() + 1);
        }
    }

    #[test]
    fn nearly_right_rules_are_survived(tokens in prop::collection::vec((token(), any::<bool>()), 0..12)) {
        let rules: String = tokens.iter().map(|(token, space)| format!("{token}{}", if *space { " " } else { "" })).collect();
        match Grouper::new(&rules) {
            Ok(grouper) => prop_assert!(!grouper.group(&event()).hashes.is_empty()),
            Err(error) => prop_assert!(error.line >= 1 && error.column >= 1),
        }
    }
}
