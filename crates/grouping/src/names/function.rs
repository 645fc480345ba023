//! Function, module and type names by language.

use super::{Family, all_digits, jvm, native};
use std::borrow::Cow;

/// The function's stable name; `None` when it has none.
pub(crate) fn function(name: &str, family: Family) -> Option<Cow<'_, str>> {
    let name = name.trim();
    if matches!(name, "" | "?" | "<anonymous>" | "<unknown>") {
        return None;
    }
    match family {
        Family::JavaScript => javascript(name).map(Cow::Borrowed),
        Family::Php => Some(php(name)),
        Family::Ruby => ruby(name),
        Family::Jvm => Some(jvm::name(name)),
        Family::Native => native::name(name),
        Family::Go => Some(go(name)),
        Family::Dotnet => Some(dotnet(name)),
        Family::Elixir => Some(without_digits_after(name, "fun-")),
        Family::Python | Family::Other => Some(Cow::Borrowed(name.split("__ANON__[").next().unwrap_or(name))),
    }
}

/// The module's stable name; `None` when it says nothing.
pub(crate) fn module(name: &str, family: Family) -> Option<Cow<'_, str>> {
    let name = name.trim();
    if matches!(name, "" | "__main__" | "__mp_main__" | "<anonymous>" | "<unknown module>") {
        return None;
    }
    match family {
        Family::Jvm => Some(jvm::name(name)),
        Family::JavaScript if name.contains([' ', '(', '<']) => None,
        Family::JavaScript => super::file(name, family),
        Family::Dotnet => Some(dotnet(name)),
        Family::Php => Some(php(name)),
        _ => Some(Cow::Borrowed(name)),
    }
}

/// The type of an exception, without counters of generated classes.
pub(crate) fn kind(name: &str, family: Family) -> Cow<'_, str> {
    match family {
        Family::Jvm => jvm::name(name),
        Family::Php => php(name),
        _ => Cow::Borrowed(name),
    }
}

/// The last segment, without what engines put around it: `async Cart.add [as onClick]` is `add`.
fn javascript(name: &str) -> Option<&str> {
    let name = name.split(" [as ").next().unwrap_or(name);
    let name = name.trim_end_matches(['<', '/']);
    let name = name.rsplit(['.', '/']).next().unwrap_or(name);
    let mut name = name.trim();
    for prefix in ["async ", "new ", "get ", "set ", "static ", "bound "] {
        name = name.strip_prefix(prefix).unwrap_or(name).trim_start();
    }
    if let Some((stem, counter)) = name.rsplit_once('$')
        && all_digits(counter)
    {
        name = stem;
    }
    let nameless = matches!(
        name,
        "" | "?"
            | "<anonymous>"
            | "<anonymous"
            | "anonymous>"
            | "anonymous"
            | "Anonymous function"
            | "(anonymous)"
            | "{anonymous}()"
    );
    (!nameless).then_some(name)
}

/// Whether a JavaScript name was made by a minifier, given signs that its file is minified.
pub(crate) fn is_minified(name: &str, from_url: bool, minified_file: bool) -> bool {
    let length = name.chars().count();
    let odd = name.bytes().skip(1).any(|byte| byte.is_ascii_digit() || matches!(byte, b'$' | b'_'))
        || name.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && length <= 3;
    match length {
        0..=2 => from_url || minified_file,
        3 => minified_file || (from_url && odd),
        4 => minified_file && odd,
        _ => false,
    }
}

/// Anonymous classes carry a path and a counter, closures (from 8.4) the function and line around them.
fn php(name: &str) -> Cow<'_, str> {
    if let Some((head, tail)) = name.split_once("@anonymous") {
        let method = tail.rsplit_once("::").map_or("", |(_, method)| method);
        let separator = if method.is_empty() { "" } else { "::" };
        return Cow::Owned(format!("{head}@anonymous{separator}{method}"));
    }
    if let Some((head, tail)) = name.split_once("{closure:") {
        let namespace = head.trim_end_matches('{');
        let rest = tail.rsplit_once('}').map_or("", |(_, rest)| rest);
        return Cow::Owned(format!("{namespace}{{closure}}{rest}"));
    }
    Cow::Borrowed(name)
}

/// `block (2 levels) in Cart#add` and `block in add` are one: newer versions write the class too.
fn ruby(name: &str) -> Option<Cow<'_, str>> {
    let (kind, name) = match name.rsplit_once(" in ") {
        Some((kind, name)) => (kind.split(" (").next().unwrap_or(kind), name),
        None => ("", name),
    };
    let name = name.rsplit(['#']).next().unwrap_or(name);
    let name = if name.starts_with('<') { name } else { name.rsplit('.').next().unwrap_or(name) };
    let name = view(name);
    if name.is_empty() {
        return None;
    }
    if kind.is_empty() { Some(Cow::Borrowed(name)) } else { Some(Cow::Owned(format!("{kind} in {name}"))) }
}

/// A compiled template's method without its two counters, as in `_app_views_show_html_erb___123_456`.
fn view(name: &str) -> &str {
    let Some((head, last)) = name.rsplit_once('_') else { return name };
    let Some((head, first)) = head.rsplit_once('_') else { return name };
    if all_digits(last) && all_digits(first) && first.len() >= 4 { head.trim_end_matches('_') } else { name }
}

/// Without the numbers of anonymous functions and without type arguments.
fn go(name: &str) -> Cow<'_, str> {
    if !name.contains(['[', '-']) && !name.contains(".func") && !name.contains(".gowrap") {
        return Cow::Borrowed(name);
    }
    let name = name.strip_suffix("-fm").unwrap_or(name);
    let mut out = String::with_capacity(name.len());
    let mut depth = 0usize;
    let mut plain = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    for segment in plain.split('.') {
        let stem = segment.trim_end_matches(|character: char| character.is_ascii_digit());
        let counted = matches!(stem, "func" | "gowrap" | "");
        if counted && stem.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(if counted { stem } else { segment });
    }
    Cow::Owned(out)
}

/// `<Pay>b__12_0`, `<PayAsync>d__5`, `<>c__DisplayClass3_0`, `lambda_method17` without their numbers.
fn dotnet(name: &str) -> Cow<'_, str> {
    if let Some(number) = name.strip_prefix("lambda_method")
        && all_digits(number)
    {
        return Cow::Borrowed("lambda_method");
    }
    if !name.contains("__") {
        return Cow::Borrowed(name);
    }
    let once = without_digits_after(name, "__");
    Cow::Owned(without_digits_after(&once, "DisplayClass").into_owned())
}

/// Drops digits and underscores that follow each `mark`.
fn without_digits_after<'n>(name: &'n str, mark: &str) -> Cow<'n, str> {
    if !name.contains(mark) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    for (number, part) in name.split(mark).enumerate() {
        if number == 0 {
            out.push_str(part);
            continue;
        }
        out.push_str(mark);
        out.push_str(
            part.trim_start_matches(|character: char| character.is_ascii_digit() || character == '_'),
        );
    }
    Cow::Owned(out)
}
