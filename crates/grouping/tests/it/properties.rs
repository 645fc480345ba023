//! What holds of all events.

use crate::build;
use bugle_grouping::{Grouper, MAX_CULPRIT, MAX_TITLE, VERSION, hex};
use bugle_model::{Event, Exception, Frame, LogMessage, Mechanism, Stacktrace, Thread};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn platform() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "python",
        "javascript",
        "node",
        "php",
        "ruby",
        "java",
        "native",
        "go",
        "csharp",
        "elixir",
        "other",
        "",
    ])
    .prop_map(str::to_owned)
}

/// Names, with the characters that mean something somewhere.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_.$<>{}()#/:@ ~-]{0,24}",
        "\\PC{0,12}",
        "(lambda|block in |fn__|class@anonymous::|\\{closure:|operator<)[a-z$0-9:}]{0,9}"
    ]
}

prop_compose! {
    fn frame()(
        function in option::of(name()), module in option::of(name()), filename in option::of(name()),
        abs_path in option::of(name()), context_line in option::of(name()), in_app in any::<Option<bool>>(),
        lineno in any::<Option<u32>>(), colno in any::<Option<u32>>(),
    ) -> Frame {
        Frame { function, module, filename, abs_path, context_line, in_app, lineno, colno, ..Frame::default() }
    }
}

fn stack() -> impl Strategy<Value = Option<Stacktrace>> {
    let frames = prop::collection::vec(frame(), 0..8);
    option::of(frames.prop_map(|frames| Stacktrace { frames, ..Stacktrace::default() }))
}

prop_compose! {
    fn mechanism()(
        synthetic in any::<Option<bool>>(), exception_id in option::of(-1i64..5), parent_id in option::of(-1i64..5),
        is_exception_group in any::<Option<bool>>(),
    ) -> Mechanism {
        Mechanism { kind: "generic".to_owned(), synthetic, exception_id, parent_id, is_exception_group, ..Mechanism::default() }
    }
}

prop_compose! {
    fn exception()(
        kind in option::of(name()), value in option::of(any::<String>()), stacktrace in stack(), mechanism in option::of(mechanism()),
    ) -> Exception {
        Exception { kind, value, stacktrace, mechanism, ..Exception::default() }
    }
}

prop_compose! {
    fn thread()(crashed in any::<Option<bool>>(), current in any::<Option<bool>>(), stacktrace in stack()) -> Thread {
        Thread { crashed, current, stacktrace, ..Thread::default() }
    }
}

prop_compose! {
    fn event()(
        platform in platform(), exceptions in prop::collection::vec(exception(), 0..5), threads in prop::collection::vec(thread(), 0..3),
        template in option::of(any::<String>()), formatted in option::of(any::<String>()),
        fingerprint in prop::collection::vec(prop_oneof![name(), Just("{{ default }}".to_owned()), Just("{{ type }}".to_owned())], 0..3),
        transaction in option::of(name()), report in option::of(name()),
    ) -> Event {
        let mut event = build::event(&platform);
        event.exceptions = exceptions;
        event.threads = threads;
        event.message = Some(LogMessage { template, formatted, params: None });
        event.fingerprint = fingerprint;
        event.transaction = transaction;
        event.security = report.map(|text| json!({"csp-report": {"effective-directive": text, "blocked-uri": text}}));
        event
    }
}

fn rules() -> Grouper {
    Grouper::new("path:**/a/** -app\nfunction:*b* -group\ntype:*x* !app:no -> {{ default }} {{ function }}")
        .unwrap()
}

fn frames_of(event: &mut Event) -> impl Iterator<Item = &mut Frame> {
    let stacks = event.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut());
    let threads = event.threads.iter_mut().filter_map(|thread| thread.stacktrace.as_mut());
    stacks.chain(threads).flat_map(|stack| &mut stack.frames)
}

proptest! {
    #[test]
    fn any_event_is_survived(event in event()) {
        for grouper in [Grouper::default(), rules()] {
            let grouping = grouper.group(&event);
            prop_assert!(matches!(grouping.hashes.len(), 1 | 2));
            prop_assert_eq!(grouping.version, VERSION);
            prop_assert!(!grouping.title.is_empty() && grouping.title.chars().count() <= MAX_TITLE);
            prop_assert!(grouping.culprit.as_ref().is_none_or(|culprit| culprit.chars().count() <= MAX_CULPRIT));
            prop_assert_eq!(&grouping, &grouper.group(&event.clone()));
            let why = grouper.explain(&event);
            let explained: Vec<_> = why.hashes.iter().map(|named| named.hash.clone()).collect();
            prop_assert_eq!(explained, grouping.hashes.iter().map(hex).collect::<Vec<_>>());
            prop_assert_eq!((why.title, why.culprit, why.method), (grouping.title, grouping.culprit, grouping.method));
        }
    }

    #[test]
    fn lines_and_variables_do_not_count(event in event(), line in any::<u32>()) {
        let mut moved = event.clone();
        for frame in frames_of(&mut moved) {
            frame.lineno = Some(line);
            frame.vars = Map::from_iter([("a".to_owned(), Value::from(line)), ("b".to_owned(), Value::Null)]);
        }
        moved.event_id = uuid::Uuid::from_u128(u128::from(line));
        moved.server_name = Some(format!("host-{line}"));
        prop_assert_eq!(Grouper::default().group(&event).hashes, Grouper::default().group(&moved).hashes);
    }

    #[test]
    fn the_order_of_variables_and_tags_does_not_count(keys in prop::collection::hash_set("[a-z]{1,4}", 2..6)) {
        let of = |keys: Vec<&String>| {
            let mut event = build::event("python");
            let mut frame = build::frame("shop.cart", "add");
            frame.vars = keys.iter().map(|key| ((*key).clone(), Value::from(key.as_str()))).collect();
            event.tags = keys.iter().map(|key| ((*key).clone(), (*key).clone())).collect();
            let stacktrace = Some(Stacktrace { frames: vec![frame], ..Stacktrace::default() });
            event.exceptions = vec![Exception { stacktrace, ..build::exception("E", "x", &[]) }];
            Grouper::default().group(&event).hashes
        };
        prop_assert_eq!(of(keys.iter().collect()), of(keys.iter().collect::<Vec<_>>().into_iter().rev().collect()));
    }

    #[test]
    fn the_depth_of_a_recursion_does_not_count(
        cycle in prop::collection::vec("[a-z]{4,8}", 1..5), depth in 1usize..60, other in 1usize..60, kind in "Value|Key|Recursion",
    ) {
        let of = |depth: usize| {
            let mut event = build::event("python");
            let mut frames = vec![("main", "main")];
            frames.extend((0..depth).flat_map(|_| cycle.iter().map(|name| ("shop.tree", name.as_str()))));
            frames.push(("shop.tree", "the_leaf"));
            event.exceptions = vec![build::exception(&format!("{kind}Error"), &format!("depth {depth}"), &frames)];
            Grouper::default().group(&event).hashes
        };
        // One round is no recursion yet, which only a used up stack could mistake for another error.
        let least = if kind == "Recursion" { 2 } else { 1 };
        prop_assert_eq!(of(depth.max(least)), of(other.max(least)));
    }

    #[test]
    fn where_a_used_up_stack_is_cut_does_not_count(
        cycle in prop::collection::hash_set("[a-z]{4,8}", 1..6), first in 0usize..6, length in 12usize..250,
    ) {
        let of = |first: usize, length: usize| {
            let mut event = build::event("java");
            let names: Vec<_> = cycle.iter().cycle().skip(first).take(length).map(|name| ("com.shop.Tree", name.as_str())).collect();
            event.exceptions = vec![build::exception("java.lang.StackOverflowError", "", &names)];
            Grouper::default().group(&event).hashes
        };
        prop_assert_eq!(of(first, length), of(0, 100));
    }
}

#[test]
fn the_hashes_of_version_1_stay() {
    let mut event = build::event("python");
    event.exceptions =
        vec![build::exception("KeyError", "'a'", &[("shop.cart", "add"), ("shop.tax", "rate")])];
    let primary = |event: &Event| hex(&Grouper::default().group(event).primary());
    assert_eq!(primary(&event), "b9f3f51cf4be64ba880677efda75f7c6");
    event.exceptions[0].stacktrace = None;
    assert_eq!(primary(&event), "bdff1ee9bc5e2f7227f93be4246297e0");
    event.exceptions.clear();
    event.message = Some(LogMessage { template: Some("user %s is 5".to_owned()), ..LogMessage::default() });
    assert_eq!(primary(&event), "358d73373bd6d1f407a63d82a6f0b1c3");
    event.fingerprint = vec!["a".to_owned(), "{{ default }}".to_owned()];
    assert_eq!(primary(&event), "7e9c829bc8569eb8583fb14a17c01f10");
    event.checksum = Some("c".to_owned());
    assert_eq!(primary(&event), "011858523f6654eba16f798770ea87ee");
    assert_eq!(primary(&build::event("other")), "d59489de13d74eb69dcf0d7de667cc86");
}
