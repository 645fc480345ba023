//! Java, Kotlin and whatever else runs on a JVM or on Android.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

/// Frames that `... 12 more` lines of one text stand for, together.
const MAX_SHARED: usize = 1_000;

/// Reads what `Throwable.printStackTrace`, Logback and logcat print: the outermost exception first.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut reader =
        Reader { chain: Chain::default(), current: begin(None), root_first: false, shareable: MAX_SHARED };
    for line in text::lines(trace) {
        reader.line(without_log_prefix(line).trim());
    }
    reader.flush(None);
    if reader.root_first { reader.chain.innermost_first() } else { reader.chain.outermost_first() }
}

struct Reader {
    chain: Chain,
    current: Building,
    root_first: bool,
    /// How many more frames may be taken over, so that a short text makes no large event.
    shareable: usize,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(frame) = frame(line) {
            self.current.frames.push(frame);
        } else if let Some(count) = common_frames(line) {
            self.share(count);
        } else if let Some(header) = line.strip_prefix("Caused by: ") {
            self.flush(Some("cause"));
            self.current.header_line(header);
        } else if let Some(header) = line.strip_prefix("Suppressed: ") {
            self.flush(Some("suppressed"));
            self.current.header_line(header);
        } else if let Some(header) = line.strip_prefix("Wrapped by: ") {
            self.root_first = true;
            self.flush(None);
            self.current.header_line(header);
        } else if self.current.frames.is_empty() {
            self.header(line);
        }
    }

    fn header(&mut self, line: &str) {
        let first = self.current.header.is_empty();
        if first && (line.is_empty() || line.starts_with("FATAL EXCEPTION:") || line.starts_with("Process: "))
        {
            return;
        }
        let line = match line.strip_prefix("Exception in thread \"") {
            Some(rest) if first => rest.split_once("\" ").map_or(line, |(_, header)| header),
            _ => line,
        };
        self.current.header_line(line);
    }

    /// `... 12 more`: the outermost frames are those of the exception printed before.
    fn share(&mut self, count: usize) {
        let Some(enclosing) = self.chain.last_but("suppressed") else { return };
        let shared = enclosing.frames.len().min(count).min(self.shareable);
        self.shareable -= shared;
        for frame in enclosing.frames.iter().take(shared).rev() {
            self.current.frames.push(frame.clone());
        }
    }

    fn flush(&mut self, next: Option<&'static str>) {
        let done = std::mem::replace(&mut self.current, begin(next));
        if !done.is_empty() {
            self.chain.push(done.finish(Header::read_dotted));
        }
    }
}

fn begin(source: Option<&'static str>) -> Building {
    let mut building = Building::new(FrameList::innermost_first());
    building.source = source;
    building
}

/// logcat puts `E/AndroidRuntime(1234): ` or `… E AndroidRuntime: ` before each line.
fn without_log_prefix(line: &str) -> &str {
    match line.split_once("AndroidRuntime") {
        Some((_, rest)) => rest.split_once(": ").map_or("", |(_, rest)| rest),
        None => line,
    }
}

fn common_frames(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("... ")?;
    let (count, rest) = rest.split_once(' ')?;
    let count = text::number(count)? as usize;
    (rest == "more" || rest.starts_with("common frames")).then_some(count)
}

/// Whether a line names a frame.
pub(super) fn is_frame(line: &str) -> bool {
    frame(without_log_prefix(line).trim()).is_some()
}

/// `at module@version/pkg.Class.method(File.java:12) ~[library.jar:1.0]`.
fn frame(line: &str) -> Option<Frame> {
    let (qualified, rest) = line.strip_prefix("at ")?.split_once('(')?;
    let (source, rest) = rest.split_once(')')?;
    let rest = rest.trim_start();
    if qualified.ends_with(' ') || !(rest.is_empty() || rest.starts_with('[') || rest.starts_with("~[")) {
        return None;
    }
    let (file, line) = source_of(source)?;
    let (package, class_and_method) = split_module(qualified);
    let (class, method) = class_and_method.rsplit_once('.')?;
    let mut frame = text::frame(method, file, line, None);
    frame.module = text::filled(&stable_class(class), text::MAX_PATH);
    frame.package = package.and_then(|package| text::filled(package, text::MAX_PATH));
    frame.in_app = Some(source != "Native Method" && in_app::guess(Language::Java, &frame));
    Some(frame)
}

/// The file and the line of what stands in parentheses; `None` when no JVM would print it.
fn source_of(source: &str) -> Option<(&str, Option<u32>)> {
    if matches!(source, "Native Method" | "Unknown Source" | "<generated>") {
        return Some(("", None));
    }
    let (file, line, column) = text::location(source);
    if column.is_some() || file.contains(['/', '\\']) {
        return None;
    }
    if file == "Unknown Source" {
        return line.map(|_| ("", line));
    }
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = matches!(extension, "java" | "kt" | "kts" | "scala" | "groovy" | "clj" | "cljc");
    let retraceable = file == "SourceFile" || file.starts_with("r8-map-id-");
    (known || retraceable).then_some((file, line))
}

/// `java.base@17.0.1/java.lang.Thread.run` and `app//pkg.Class.method`.
fn split_module(qualified: &str) -> (Option<&str>, &str) {
    let named = qualified.split_once("$$Lambda").map_or(qualified, |(before, _)| before);
    let Some((loader, _)) = named.rsplit_once('/') else { return (None, qualified) };
    let class = qualified.get(loader.len() + 1..).unwrap_or(qualified);
    let module = loader.rsplit('/').next().unwrap_or(loader);
    let module = module.split_once('@').map_or(module, |(name, _)| name);
    ((!module.is_empty() && loader != "app").then_some(module), class)
}

/// Lambda classes carry an address or a number that changes with every start.
fn stable_class(class: &str) -> String {
    match class.split_once("$$Lambda") {
        Some((before, _)) => format!("{before}$$Lambda"),
        None => class.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, String, Option<String>, Option<u32>, bool) {
        let frame = frame(line).expect(line);
        (
            frame.module.unwrap_or_default(),
            frame.function.unwrap_or_default(),
            frame.filename,
            frame.lineno,
            frame.in_app == Some(true),
        )
    }

    #[test]
    fn frames_of_every_form() {
        let app = |module: &str, function: &str, file: Option<&str>, line| {
            (module.to_owned(), function.to_owned(), file.map(str::to_owned), line, true)
        };
        assert_eq!(
            parts("at com.shop.Cart.add(Cart.java:12)"),
            app("com.shop.Cart", "add", Some("Cart.java"), Some(12))
        );
        assert_eq!(
            parts("at app//com.shop.Cart.<init>(Cart.kt)"),
            app("com.shop.Cart", "<init>", Some("Cart.kt"), None)
        );
        assert_eq!(
            parts("at com.shop.Cart$$Lambda/0x0000000800c03000.run(Unknown Source)"),
            app("com.shop.Cart$$Lambda", "run", None, None)
        );
        assert_eq!(
            parts("at a.b.c(SourceFile:3) ~[classes/:na]"),
            app("a.b", "c", Some("SourceFile"), Some(3))
        );
        assert_eq!(parts("at a.b.c(Unknown Source:8)"), app("a.b", "c", None, Some(8)));
        let thread = frame("at java.base@17.0.1/java.lang.Thread.run(Thread.java:833)").expect("a frame");
        assert_eq!(thread.package.as_deref(), Some("java.base"));
        assert_eq!(thread.module.as_deref(), Some("java.lang.Thread"));
        assert_eq!(thread.in_app, Some(false));
    }

    #[test]
    fn other_languages_are_not_java() {
        for line in [
            "at foo (http://x/a.js:1:2)",
            "at Shop.Cart.Add(String name)",
            "at Shop.Cart.Add() in C:\\c.cs:line 3",
            "at least one (of them)",
        ] {
            assert_eq!(frame(line), None, "{line}");
        }
    }
}
