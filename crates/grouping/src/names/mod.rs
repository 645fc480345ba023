//! Names that compilers, minifiers and runtimes make up, brought to a form that stays from build to build.

mod file;
mod function;
mod jvm;
mod native;

use bugle_model::Frame;
use serde_json::Value;

pub(crate) use file::{basename, file};
pub(crate) use function::{function, is_minified, kind, module};

/// Languages that name things alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    JavaScript,
    Python,
    Php,
    Ruby,
    Jvm,
    Native,
    Go,
    Dotnet,
    Elixir,
    Other,
}

impl Family {
    /// The family of a platform as clients name it.
    pub(crate) fn of_platform(platform: &str) -> Self {
        match platform {
            "javascript" | "node" | "deno" | "bun" | "react-native" => Self::JavaScript,
            "python" => Self::Python,
            "php" | "laravel" => Self::Php,
            "ruby" => Self::Ruby,
            "java" | "kotlin" | "scala" | "groovy" | "clojure" | "android" => Self::Jvm,
            "native" | "rust" | "c" | "cpp" | "objc" | "swift" | "cocoa" => Self::Native,
            "go" => Self::Go,
            "csharp" | "dotnet" => Self::Dotnet,
            "elixir" => Self::Elixir,
            _ => Self::Other,
        }
    }

    /// The family of a frame: its own platform, else the event's, else what its file's name tells.
    pub(crate) fn of(event_platform: &str, frame: &Frame) -> Self {
        let own = frame.other.get("platform").and_then(Value::as_str);
        let family = Self::of_platform(own.unwrap_or(event_platform));
        if family != Self::Other {
            return family;
        }
        let path = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
        match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "vue" | "svelte" => Self::JavaScript,
            "py" => Self::Python,
            "php" => Self::Php,
            "rb" => Self::Ruby,
            "java" | "kt" | "scala" | "groovy" | "clj" => Self::Jvm,
            "rs" | "c" | "cc" | "cpp" | "h" | "m" | "mm" | "swift" => Self::Native,
            "go" => Self::Go,
            "cs" | "fs" | "vb" => Self::Dotnet,
            "ex" | "exs" => Self::Elixir,
            _ => Self::Other,
        }
    }

    /// Whether the source line says more than the function, and is sent by the client.
    pub(crate) const fn uses_context_line(self) -> bool {
        matches!(self, Self::JavaScript | Self::Python | Self::Php | Self::Ruby)
    }
}

/// Whether all of `text` is digits, and there are some.
fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
