//! Level, priority, status: the three closed vocabularies of an issue.

use thiserror::Error;

/// A word that is not in the vocabulary it was looked up in.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{field}: `{value}` is not one of {allowed}")]
pub struct UnknownName {
    /// What was being parsed, such as `level`.
    pub field: &'static str,
    /// What was given.
    pub value: String,
    /// The words that would have been right.
    pub allowed: &'static str,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $field:literal, $allowed:literal, { $($(#[$vdoc:meta])* $variant:ident = $code:literal => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant = $code),+ }

        impl $name {
            /// Every value, in ascending order of its code.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word in the API, in messages and in queries.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The number in the database.
            #[must_use]
            pub const fn code(self) -> i16 {
                match self { $($name::$variant => $code),+ }
            }

            /// The value with this number in the database.
            #[must_use]
            pub const fn from_code(code: i16) -> Option<Self> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err(UnknownName { field: $field, value: text.chars().take(64).collect(), allowed: $allowed }),
                }
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary!(
    /// What the client says of an event. Ordered: `Debug < Fatal`.
    Level, "level", "debug, info, warning, error, fatal", {
        /// For developers only.
        Debug = 10 => "debug",
        /// Worth knowing.
        Info = 20 => "info",
        /// May become an error.
        Warning = 30 => "warning",
        /// Something failed. The default when a client says nothing.
        Error = 40 => "error",
        /// The process ended.
        Fatal = 50 => "fatal",
    }
);

vocabulary!(
    /// What Bugle derives from level, handling and counts; "severity" in older contracts. `Low < Critical`.
    Priority, "priority", "low, medium, high, critical", {
        /// Warnings and below.
        Low = 1 => "low",
        /// A handled error.
        Medium = 2 => "medium",
        /// An unhandled error.
        High = 3 => "high",
        /// Fatal, or an unhandled error that reaches 100 users or 1,000 events within an hour.
        Critical = 4 => "critical",
    }
);

vocabulary!(
    /// Where an issue stands.
    IssueStatus, "status", "unresolved, resolved, ignored", {
        /// Still to be dealt with.
        Unresolved = 0 => "unresolved",
        /// Done; an event on it is a regression and opens it again.
        Resolved = 1 => "resolved",
        /// Kept and counted, but nobody is told.
        Ignored = 2 => "ignored",
    }
);

impl Level {
    /// Reads a level as clients write it: any case, `warn`, `critical`, `log`, Python's numbers (10 to 50).
    #[must_use]
    pub fn from_client(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "debug" | "trace" | "verbose" | "10" => Self::Debug,
            "info" | "log" | "notice" | "sample" | "20" => Self::Info,
            "warning" | "warn" | "30" => Self::Warning,
            "error" | "err" | "40" => Self::Error,
            "fatal" | "critical" | "crit" | "alert" | "emergency" | "panic" | "50" => Self::Fatal,
            _ => return None,
        })
    }
}

impl Priority {
    /// The priority that an event gives its issue, before counts raise it.
    #[must_use]
    pub const fn derive(level: Level, handled: bool) -> Self {
        match (level, handled) {
            (Level::Fatal, _) => Self::Critical,
            (Level::Error, false) => Self::High,
            (Level::Error, true) => Self::Medium,
            _ => Self::Low,
        }
    }
}
