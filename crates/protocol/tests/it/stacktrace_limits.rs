//! Detection, bounds, and texts that mean harm.

#![cfg(test)]

use crate::stacktrace::fixture;
use bugle_protocol::stacktrace::{Language, MAX_EXCEPTIONS, MAX_FRAMES, detect, parse_as, parse_text};
use proptest::prelude::*;

#[test]
fn the_hint_decides_only_between_near_ones() {
    let ambiguous = "at a.b.c(Native Method)";
    assert_eq!(detect(ambiguous, None), Some(Language::Java));
    assert_eq!(detect(ambiguous, Some("csharp")), Some(Language::DotNet));
    assert_eq!(detect(&fixture("java.txt"), Some("php")), Some(Language::Java));
    assert_eq!(detect("nothing of a trace\nat all", Some("php")), None);
    assert_eq!(parse_text("nothing of a trace", Some("java")), []);
}

#[test]
fn a_text_escaped_twice_is_read() {
    let chain = parse_text(
        r"Error: a\n    at f (http://x.example/a.js:1:2)\n    at g (http://x.example/a.js:3:4)",
        None,
    );
    assert_eq!(chain[0].frames.len(), 2);
}

#[test]
fn frames_and_exceptions_are_bounded() {
    let mut java = String::from("a.B: x\n");
    for n in 0..1_000 {
        java.push_str(&format!("\tat a.B.m{n}(B.java:{n})\n"));
    }
    let chain = parse_text(&java, None);
    assert_eq!(chain[0].frames.len(), MAX_FRAMES);
    assert_eq!(chain[0].frames_omitted, Some(750));
    assert_eq!(chain[0].frames.last().unwrap().function.as_deref(), Some("m0"));
    assert_eq!(chain[0].frames[0].function.as_deref(), Some("m999"));
    let mut python = String::from("Traceback (most recent call last):\n");
    for n in 0..1_000 {
        python.push_str(&format!("  File \"a.py\", line {n}, in f{n}\n"));
    }
    let chain = parse_text(&python, None);
    assert_eq!(chain[0].frames.last().unwrap().function.as_deref(), Some("f999"));
    assert_eq!(chain[0].frames[49].function.as_deref(), Some("f49"));
    assert_eq!(chain[0].frames[50].function.as_deref(), Some("f800"));
    let many = "a.B: x\n\tat a.B.m(B.java:1)\n\t... 9 more\nCaused by: ".repeat(1_000);
    let chain = parse_text(&many, None);
    assert_eq!(chain.len(), MAX_EXCEPTIONS);
    let greedy = format!("{java}{}", "Caused by: a.C: y\n\t... 999 more\n".repeat(100));
    let frames: usize = parse_text(&greedy, None).iter().map(|exception| exception.frames.len()).sum();
    assert!(frames <= MAX_FRAMES + 1_000, "{frames}");
}

/// Pieces of every form, to be put together at random.
fn line() -> impl Strategy<Value = String> {
    let pieces = [
        "at ",
        "a.B.m",
        "(",
        ")",
        "B.java:12",
        "#0 ",
        "#1 /a/b.php(12): ",
        "{main}",
        "Caused by: ",
        "... 3 more",
        "@",
        "http://x/a.js:1:2",
        "[native code]",
        " (eval at ",
        "<anonymous>",
        "package:a/b.dart:1:2",
        "File \"a.py\", line 3, in f",
        "Traceback (most recent call last):",
        "goroutine 1 [running]:",
        "\t/a.go:1 +0x1",
        ":in 'f'",
        ": ",
        " ---> ",
        "--- End of inner exception stack trace ---",
        "Next ",
        "in C:\\f.cs:line 3",
        "é",
        "\0",
        "\r",
        " ",
        "[object] (",
        "{closure:",
        "}",
        "$$Lambda/",
        "[cause]: ",
        " line 5 > eval:1:1",
        "abs 0 virt 0 x",
        "AndroidRuntime",
        "| ",
        "+ ",
        "::",
        "*",
        "/<",
        "Suppressed: ",
        "Wrapped by: ",
        "99999999999",
        ":1",
        "\\n",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_breaks_the_readers(lines in prop::collection::vec(line(), 0..40)) {
        let text = lines.join("\n");
        for &language in Language::ALL {
            let chain = parse_as(language, &text);
            prop_assert!(chain.len() <= MAX_EXCEPTIONS);
            for exception in &chain {
                prop_assert!(exception.frames.len() <= MAX_FRAMES);
            }
        }
        let _ = parse_text(&text, Some("java"));
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,300}") {
        for &language in Language::ALL {
            prop_assert!(parse_as(language, &text).len() <= MAX_EXCEPTIONS);
        }
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let size = 128 * 1024;
    for piece in [
        "): ",
        "(",
        "at ",
        "#0 (1): ",
        "{closure",
        " line ",
        "@",
        "a ",
        "\n",
        "at a (eval at ",
        " ---> ",
        "1:",
    ] {
        let text = piece.repeat(size / piece.len());
        let started = std::time::Instant::now();
        for &language in Language::ALL {
            let _ = parse_as(language, &format!("#0 {text}"));
            let _ = parse_as(language, &text);
        }
        assert!(started.elapsed().as_secs() < 10, "{piece:?} took {:?}", started.elapsed());
    }
}
