//! Rust, C, C++, Objective-C, Swift: hashes, generics and arguments are not part of the name.

use std::borrow::Cow;

/// What linkers and optimisers append.
const SUFFIXES: [&str; 7] = [" [clone", ".llvm.", ".isra.", ".part.", ".constprop.", ".cold", "+0x"];

/// The name in a form that stays from build to build. `None` when there is none.
pub(super) fn name(name: &str) -> Option<Cow<'_, str>> {
    let name = name.trim();
    let junk = name.is_empty()
        || matches!(name, "<unknown>" | "<redacted>" | "??" | "unknown" | "<deduplicated_symbol>")
        || name.starts_with("at /")
        || name.starts_with("0x");
    if junk {
        return None;
    }
    let may_have_suffix = name.contains(['.', '[', '+']);
    let suffixes = SUFFIXES.iter().take(if may_have_suffix { SUFFIXES.len() } else { 0 });
    let cut = suffixes.filter_map(|suffix| name.find(suffix)).min().unwrap_or(name.len());
    let name = without_hash(name.get(..cut).unwrap_or(name));
    if name.starts_with(['-', '+']) && name.contains('[') {
        return Some(Cow::Borrowed(name));
    }
    if !name.contains(['<', '(', '{', '#']) && !name.contains("block_invoke") {
        return Some(Cow::Borrowed(name));
    }
    if name.contains("operator") {
        return Some(Cow::Borrowed(name));
    }
    let name = if name.contains(['<', '(']) { Cow::Owned(brackets(name)) } else { Cow::Borrowed(name) };
    Some(if name.contains(['{', '#']) || name.contains("block_invoke") {
        Cow::Owned(counters(&name))
    } else {
        name
    })
}

/// Rust's `::h0123456789abcdef`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((head, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => head,
        _ => name,
    }
}

/// Without generic and function arguments. `<T as Trait>::f` keeps what is in its first bracket: it is the name.
fn brackets(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut angle = 0usize;
    let mut kept = 0usize;
    let mut previous = ' ';
    for character in name.chars() {
        match character {
            '<' if angle == kept && (out.is_empty() || out.ends_with('<') || out.ends_with("::<")) => {
                angle += 1;
                kept += 1;
                out.push('<');
            }
            '<' => {
                if angle == kept {
                    out.truncate(out.trim_end_matches("::").len());
                }
                angle += 1;
            }
            '>' if previous != '-' && angle > 0 => {
                if angle == kept {
                    kept -= 1;
                    out.push('>');
                }
                angle -= 1;
            }
            // Only the anonymous namespace stands where a name is expected; anything else are arguments.
            '(' if angle == 0 && !(out.is_empty() || out.ends_with("::")) => break,
            _ if angle == kept => out.push(character),
            _ => {}
        }
        previous = character;
    }
    out.truncate(out.trim_end().len());
    out
}

/// `{closure#3}`, `{{closure}}`, `closure #1 in f`, `block_invoke_2`: without the number.
fn counters(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let doubled = matches!(character, '{' | '}') && rest.peek() == Some(&character);
        if doubled {
            continue;
        }
        if character == '#' && rest.peek().is_some_and(char::is_ascii_digit) {
            while rest.next_if(char::is_ascii_digit).is_some() {}
            if out.ends_with(' ') {
                out.pop();
            }
            continue;
        }
        out.push(character);
    }
    if out.contains("block_invoke") {
        let stem =
            out.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end_matches('_').len();
        out.truncate(stem);
    }
    out
}
