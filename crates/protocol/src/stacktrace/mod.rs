//! Textual stack traces, as loggers and `toString` print them, read into frames.
//!
//! One file per language. Every reader goes over the lines once, keeps at most [`MAX_FRAMES`] frames an
//! exception and [`MAX_EXCEPTIONS`] exceptions, and cannot fail: what is not understood is left out. Frames
//! come in the protocol's order, the oldest call first; exceptions too, the innermost cause first.

mod chain;
mod dart;
mod detect;
mod dotnet;
mod go;
mod in_app;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod text;

use bugle_model::{Exception, Frame, Mechanism, Stacktrace};
use std::borrow::Cow;

pub use detect::detect;
pub(crate) use text::{is_type, prefix, split_type};

/// Bytes of text that are read; of a longer one the end that holds the crash.
pub const MAX_TEXT: usize = 512 * 1024;
/// Frames that are kept of one exception: the 50 outermost and the 200 innermost.
pub const MAX_FRAMES: usize = OUTERMOST + INNERMOST;
/// Exceptions that are kept of one chain.
pub const MAX_EXCEPTIONS: usize = 50;
const OUTERMOST: usize = 50;
const INNERMOST: usize = 200;

/// Whose stack traces look like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// `#0 /path/file.php(12): Class->method(args)`.
    Php,
    /// `at pkg.Class.method(File.java:12)`; Kotlin, Scala and Android too.
    Java,
    /// `at fn (url:1:2)` or `fn@url:1:2`.
    JavaScript,
    /// `#0  Class.method (package:app/file.dart:12:5)`.
    Dart,
    /// `File "app.py", line 3, in f`.
    Python,
    /// `goroutine 1 [running]:`.
    Go,
    /// `app.rb:12:in 'method'`.
    Ruby,
    /// `at Ns.Class.Method(Type arg) in C:\f.cs:line 12`.
    DotNet,
}

impl Language {
    /// Every language, in the order in which ties are decided.
    pub const ALL: &'static [Self] = &[
        Self::Java,
        Self::JavaScript,
        Self::Php,
        Self::Python,
        Self::Dart,
        Self::Go,
        Self::Ruby,
        Self::DotNet,
    ];

    /// The protocol's name for events of this language.
    #[must_use]
    pub const fn platform(self) -> &'static str {
        match self {
            Self::Php => "php",
            Self::Java => "java",
            Self::JavaScript => "javascript",
            Self::Dart => "dart",
            Self::Python => "python",
            Self::Go => "go",
            Self::Ruby => "ruby",
            Self::DotNet => "csharp",
        }
    }

    /// The language of a platform, runtime or framework as clients name it, in any case.
    #[must_use]
    pub fn from_platform(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "php" | "laravel" | "symfony" => Self::Php,
            "java" | "kotlin" | "scala" | "android" | "jvm" | "spring" => Self::Java,
            "javascript" | "typescript" | "js" | "node" | "nodejs" | "browser" | "react" | "vue"
            | "angular" | "react-native" | "react_native" | "reactnative" => Self::JavaScript,
            "dart" | "flutter" => Self::Dart,
            "python" | "django" | "flask" => Self::Python,
            "go" | "golang" => Self::Go,
            "ruby" | "rails" => Self::Ruby,
            "csharp" | "c#" | "dotnet" | ".net" => Self::DotNet,
            _ => return None,
        })
    }
}

/// One exception of a textual trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedException {
    /// The class, when the text names it.
    pub kind: Option<String>,
    /// The message, when the text holds it.
    pub value: Option<String>,
    /// The package or module of the class.
    pub module: Option<String>,
    /// The oldest call first.
    pub frames: Vec<Frame>,
    /// How many frames were cut out of the middle.
    pub frames_omitted: Option<usize>,
    /// How it hangs in the exception that comes after it: `cause`, `suppressed`, `previous`,
    /// `__cause__`, `__context__`. Absent for the outermost.
    pub source: Option<&'static str>,
}

impl From<ParsedException> for Exception {
    fn from(parsed: ParsedException) -> Self {
        let stacktrace = (!parsed.frames.is_empty()).then(|| Stacktrace {
            frames: parsed.frames,
            frames_omitted: parsed.frames_omitted,
            ..Stacktrace::default()
        });
        let mechanism = parsed.source.map(|source| Mechanism {
            kind: "chained".to_owned(),
            source: Some(source.to_owned()),
            ..Mechanism::default()
        });
        Self {
            kind: parsed.kind,
            value: parsed.value,
            module: parsed.module,
            thread_id: None,
            mechanism,
            stacktrace,
        }
    }
}

/// Reads a trace whose language is found by its looks; `platform` decides where several fit.
///
/// Empty when no line looks like a frame.
#[must_use]
pub fn parse_text(text: &str, platform: Option<&str>) -> Vec<ParsedException> {
    let text = tidy(text);
    detect(&text, platform).map_or_else(Vec::new, |language| parse_as(language, &text))
}

/// Reads a trace of a known language.
#[must_use]
pub fn parse_as(language: Language, text: &str) -> Vec<ParsedException> {
    let text = bounded(&tidy(text), language).to_owned();
    match language {
        Language::Php => php::parse(&text),
        Language::Java => java::parse(&text),
        Language::JavaScript => javascript::parse(&text),
        Language::Dart => dart::parse(&text),
        Language::Python => python::parse(&text),
        Language::Go => go::parse(&text),
        Language::Ruby => ruby::parse(&text),
        Language::DotNet => dotnet::parse(&text),
    }
}

/// The in-app guess for a frame that came as an object rather than as text.
pub(crate) fn guess_in_app(language: Language, frame: &Frame) -> bool {
    in_app::guess(language, frame)
}

/// NUL taken out; a text that was escaped twice gets its line ends back.
fn tidy(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains('\0') {
        text = Cow::Owned(text.replace('\0', ""));
    }
    if !text.contains('\n') && text.contains("\\n") {
        text = Cow::Owned(text.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t"));
    }
    text
}

/// At most [`MAX_TEXT`] bytes: the beginning, except where the crash is printed last.
fn bounded(text: &str, language: Language) -> &str {
    if language == Language::Python { text::suffix(text, MAX_TEXT) } else { prefix(text, MAX_TEXT) }
}
