//! "Why is this grouped so?"

use crate::build;
use bugle_grouping::{Component, Grouper, Method};
use bugle_model::{Event, Frame};

fn event() -> Event {
    let mut event = build::event("python");
    event.exceptions =
        vec![build::exception("KeyError", "'a'", &[("shop.cart", "add"), ("shop.retry", "again")])];
    let frames = &mut event.exceptions[0].stacktrace.as_mut().unwrap().frames;
    frames.push(Frame { in_app: Some(false), ..build::frame("lib.net", "send") });
    frames.push(build::frame("sentry_sdk.hub", "capture"));
    event
}

fn all<'c>(components: &'c [Component], out: &mut Vec<&'c Component>) {
    for component in components {
        out.push(component);
        all(&component.children, out);
    }
}

/// Whether the component that holds (or is) `value` counts, and its reason.
fn verdict(components: &[Component], value: &str) -> (bool, String) {
    let mut flat = Vec::new();
    all(components, &mut flat);
    let holds = |component: &&&Component| {
        component.value.as_deref() == Some(value)
            || component.children.iter().any(|child| child.value.as_deref() == Some(value))
    };
    let found = flat.iter().filter(holds).find(|component| component.reason.is_some()).unwrap();
    (found.contributes, found.reason.clone().unwrap())
}

#[test]
fn every_frame_has_its_reason() {
    let grouper = Grouper::new("module:shop.retry -group").unwrap();
    let why = grouper.explain(&event());
    assert_eq!(why.method, Method::Frames);
    let of = |value: &str| verdict(&why.components, value);
    assert_eq!(of("shop.cart"), (true, "the app's as the client says".to_owned()));
    assert_eq!(
        of("shop.retry"),
        (false, "the app's as the client says; does not count: the rule in line 1".to_owned())
    );
    assert_eq!(
        of("lib.net"),
        (false, "not the app's as the client says; counts only in the hash of all frames".to_owned())
    );
    let sdk = "not the app's by its name or path; does not count: the error tracking library's own";
    assert_eq!(of("sentry_sdk.hub"), (false, sdk.to_owned()));
    assert_eq!(of("'a'"), (false, "the frames count instead".to_owned()));
    let variants: Vec<_> = why.hashes.iter().map(|hash| hash.variant.as_str()).collect();
    assert_eq!(variants, ["app", "system"]);
}

#[test]
fn a_rules_fingerprint_silences_the_rest() {
    let grouper = Grouper::new("# all\ntype:KeyError -> keys {{ level }}").unwrap();
    let why = grouper.explain(&event());
    assert_eq!((why.method, why.rule_line), (Method::Rule, Some(2)));
    assert_eq!(why.rule.as_deref(), Some("type:KeyError -> keys {{ level }}"));
    assert_eq!(verdict(&why.components, "keys"), (true, "the rule in line 2".to_owned()));
    assert!(!verdict(&why.components, "KeyError").0);
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(json["components"][0]["children"][1]["value"], "error");
    assert_eq!(json["method"], "rule");
}
