use super::{parameterise, parameterised, strip_log_prefix};
use proptest::prelude::*;

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        assert_eq!(parameterise(input), *expected, "of {input:?}");
        assert_eq!(parameterised(input), *expected, "short cut of {input:?}");
    }
}

#[test]
fn numbers() {
    check(&[
        ("user 42 not found", "user <num> not found"),
        ("-3 and +4 and .5 and 1.5e9", "<num> and <num> and <num> and <num>"),
        ("1-5", "<num>-<num>"),
        ("checkout N-17: declined", "checkout N-<num>: declined"),
        ("costs 1,234,567.89", "costs <num>"),
        ("ids [1, 2, 3]", "ids [<num>]"),
        ("ids (5)", "ids (<num>)"),
        ("took 12ms", "took <duration>"),
        ("took 1.5s", "took <duration>"),
        ("10MB of 2 GB", "<num>MB of <num> GB"),
        ("100%", "<num>%"),
        ("python 3.11.2", "python <num>"),
        ("at 0x7f3a and 0xDEADBEEF", "at <num> and <num>"),
        ("utf8mb4 and x86_64 and S3 stay", "utf8mb4 and x86_64 and S3 stay"),
        ("main.js:12:34", "main.js:<num>:<num>"),
        ("12345678901234567890123456789012345678901234567890", "<num>"),
    ]);
}

#[test]
fn ids() {
    check(&[
        ("id 6ba7b810-9dad-11d1-80b4-00c04fd430c8!", "id <uuid>!"),
        ("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "<uuid>"),
        ("f47ac10b58cc4372a5670e02b2c3d479", "<hash>"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "<hash>"),
        ("commit 3f2a1bc", "commit <num>"),
        ("507f1f77bcf86cd799439011", "<num>"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "<id>"),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "<trace>"),
        ("1-5759e988-bd862e3fe1be46a994272793", "<trace>"),
        ("deadbeef and feedface are words", "deadbeef and feedface are words"),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("mail to a.b+c@shop.example.com failed", "mail to <email> failed"),
        ("GET https://shop.example/a/1?x=2 failed", "GET <url> failed"),
        ("(see http://x.example/a).", "(see <url>)."),
        ("10.0.0.1:8080", "<ip>:<num>"),
        ("host 2001:db8::ff00:42:8329 down", "host <ip> down"),
        ("::1 refused", "<ip> refused"),
        ("::ffff:10.1.2.3", "<ip>"),
        ("fe80::1", "<ip>"),
        ("Foo::bar and add::bad stay", "Foo::bar and add::bad stay"),
        ("std::vec::Vec", "std::vec::Vec"),
        ("00:1A:2b:3c:4d:5e", "<mac>"),
        ("1.2.3.400 is none", "<num> is none"),
        ("user@ home and a@b", "user@ home and a@b"),
    ]);
}

#[test]
fn dates_and_times() {
    check(&[
        ("at 2026-11-20T18:02:44.285Z ok", "at <date> ok"),
        ("at 2026-11-20 18:02:44,285 ok", "at <date> ok"),
        ("2026-11-20T18:02:44+01:00", "<date>"),
        ("2026-11-20 18:02", "<date>"),
        ("2026-11-20", "<date>"),
        ("2026/11/20", "<date>"),
        ("20.11.2026", "<date>"),
        ("11/20/2026 6:02 PM", "<date>"),
        ("Fri, 20 Nov 2026 18:02:44 GMT", "<date>"),
        ("Friday, 20-Nov-26 18:02:44 GMT", "<date>"),
        ("Fri Nov 20 18:02:44 2026", "<date>"),
        ("Fri Nov 20 2026 18:02:44 GMT+0100 (Central European Time)", "<date>"),
        ("[20/Nov/2026:18:02:44 +0000]", "[<date>]"),
        ("Nov 20 18:02:44 host", "<date> host"),
        ("20261120T180244Z", "<date>"),
        ("18:02:44", "<time>"),
        ("3:04PM", "<time>"),
        ("datetime.datetime(2026, 11, 20, 18, 2)", "<date>"),
        ("may fail, mark it", "may fail, mark it"),
        ("march 3 steps", "march <num> steps"),
    ]);
}

#[test]
fn values_after_an_equals_sign() {
    check(&[
        ("name='Ann' ok=true n=5", "name=<str> ok=<bool> n=<num>"),
        ("KeyError 'x'", "KeyError 'x'"),
        ("name='open", "name='open"),
    ]);
}

#[test]
fn lines_and_length() {
    check(&[
        ("\n\n a  b\n\n\n c \n", "a b c"),
        ("a\nb\nc", "a b …"),
        ("", ""),
        ("Ошибка 7 🛒", "Ошибка <num> 🛒"),
        ("/tmp/tmpa8s7/x.yml", "<tmp>/x.yml"),
    ]);
    let long = "x ".repeat(10_000);
    assert!(parameterise(&long).len() <= super::MAX_BYTES + 4);
}

#[test]
fn loguru() {
    let message = "2026-11-20 18:02:44.285 | ERROR    | __main__:<module>:11 - loguru error 42";
    assert_eq!(strip_log_prefix(message), "loguru error 42");
    assert_eq!(strip_log_prefix("a | B | c:1 - d"), "a | B | c:1 - d");
    assert_eq!(strip_log_prefix("12 | ERROR | nothing"), "12 | ERROR | nothing");
}

proptest! {
    #[test]
    fn the_short_cut_changes_nothing(text in "[ a-f0-9@=:/.,tmpdatetime(-]{0,40}|\\PC{0,40}") {
        prop_assert_eq!(parameterised(&text), parameterise(&text));
    }

    #[test]
    fn any_text_is_survived_and_stays_bounded(text in any::<String>(), times in 1usize..200) {
        let out = parameterise(&text.repeat(times));
        prop_assert!(out.len() <= super::MAX_BYTES * 4);
    }

    #[test]
    fn the_number_does_not_matter(number in any::<i64>(), other in any::<u32>()) {
        let of = |text: String| parameterise(&text);
        prop_assert_eq!(of(format!("row {} of x", number)), of(format!("row {} of x", other)));
        prop_assert_eq!(of(format!("id=0x{:x}.", number)), of(format!("id={}.", other)));
    }
}
