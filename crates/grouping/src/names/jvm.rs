//! Java and its kin: lambdas, proxies, accessors and anonymous classes carry numbers.

use std::borrow::Cow;

/// Words whose trailing digits are a counter.
const COUNTED: [&str; 7] = ["Accessor", "Proxy", "__", "eval", "closure", "Lambda", "lambda"];

fn is_run(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// What stays of one run of letters and digits, given the run before it.
fn keep<'r>(run: &'r str, before: &str, after_dollar: bool) -> &'r str {
    let random = before.ends_with("CGLIB")
        || matches!(before, "ByteBuddy" | "HibernateProxy" | "MockitoMock" | "auxiliary" | "jOOR");
    if after_dollar && (random || run.bytes().all(|byte| byte.is_ascii_digit())) {
        return "";
    }
    for generated in ["_javassist", "_jvst"] {
        if run.starts_with(generated) {
            return generated;
        }
    }
    let stem = run.trim_end_matches(|character: char| character.is_ascii_digit());
    if stem.len() < run.len() && COUNTED.iter().any(|word| stem.ends_with(word)) { stem } else { run }
}

/// A class or method name without its counters: `$Proxy12` is `$Proxy`, `lambda$pay$3` is `lambda$pay$`,
/// `Cart$$EnhancerBySpringCGLIB$$1f2e` is `Cart$$EnhancerBySpringCGLIB$$`.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    let ends_in_digit = name.bytes().next_back().is_some_and(|byte| byte.is_ascii_digit());
    if !ends_in_digit && !name.contains(['$', '/']) && !name.contains("__") {
        return Cow::Borrowed(name);
    }
    // `Cart$$Lambda$14/0x0000000800c8`: the address is behind the slash.
    let name = if name.contains("Lambda") { name.split('/').next().unwrap_or(name) } else { name };
    let mut out = String::with_capacity(name.len());
    let mut before = "";
    let mut after_dollar = false;
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if is_run(first) {
            let end = rest.find(|character| !is_run(character)).unwrap_or(rest.len());
            let (run, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
            out.push_str(keep(run, before, after_dollar));
            before = run;
            rest = tail;
            after_dollar = false;
        } else {
            out.push(first);
            after_dollar = first == '$';
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Cow::Owned(out)
}
