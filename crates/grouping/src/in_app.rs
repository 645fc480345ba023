//! Which frames are the app's own, where the client does not say or says wrong.

use crate::names::Family;
use bugle_model::Frame;

/// What is known of a frame's code without asking the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Nothing is known: the client's flag decides, and without one it is the app's.
    Unknown,
    /// A third party's, unless the client says otherwise.
    Library,
    /// The language's own; never the app's, whatever the client says.
    Runtime,
    /// The error tracking library's own: it does not even group.
    Sdk,
}

/// Beginnings of modules, and of functions where they carry the path.
struct Prefixes {
    sdk: &'static [&'static str],
    runtime: &'static [&'static str],
    library: &'static [&'static str],
    /// Parts of paths.
    runtime_paths: &'static [&'static str],
    library_paths: &'static [&'static str],
}

const JAVASCRIPT: Prefixes = Prefixes {
    sdk: &["@sentry.", "@sentry/", "@sentry-internal", "raven-js", "raven."],
    runtime: &["node:", "internal/", "internal."],
    library: &[],
    runtime_paths: &["node:", "webpack/bootstrap", "webpack/runtime", "chrome-extension:", "moz-extension:"],
    library_paths: &[
        "/node_modules/",
        "node_modules/",
        "/~/",
        "/bower_components/",
        "cdn.jsdelivr.net",
        "unpkg.com",
    ],
};
const PYTHON: Prefixes = Prefixes {
    sdk: &["sentry_sdk", "raven"],
    runtime: &[],
    library: &[],
    runtime_paths: &["<frozen "],
    library_paths: &[
        "/site-packages/",
        "/dist-packages/",
        "/lib/python2",
        "/lib/python3",
        "\\lib\\site-packages\\",
    ],
};
const PHP: Prefixes = Prefixes {
    sdk: &["Sentry\\"],
    runtime: &[],
    library: &[],
    runtime_paths: &["/usr/share/php", "/vendor/", "[internal]"],
    library_paths: &["vendor/"],
};
const RUBY: Prefixes = Prefixes {
    sdk: &["Sentry::", "Raven::"],
    runtime: &[],
    library: &[],
    runtime_paths: &["<internal:", "/lib/ruby/"],
    library_paths: &["/gems/", "/bundler/", "vendor/bundle"],
};
const JVM: Prefixes = Prefixes {
    sdk: &["io.sentry.", "com.getsentry.raven."],
    runtime: &[
        "java.",
        "javax.",
        "jakarta.",
        "jdk.",
        "sun.",
        "com.sun.",
        "kotlin.",
        "kotlinx.",
        "scala.",
        "groovy.lang.",
        "org.codehaus.groovy.",
        "clojure.",
        "android.",
        "com.android.",
        "dalvik.",
        "androidx.",
    ],
    library: &[
        "org.springframework.",
        "org.apache.",
        "org.hibernate.",
        "org.eclipse.",
        "org.jboss.",
        "io.netty.",
        "io.undertow.",
        "reactor.",
        "rx.",
        "io.reactivex.",
        "com.google.",
        "com.fasterxml.",
        "com.zaxxer.",
        "org.postgresql.",
        "com.mysql.",
        "okhttp3.",
        "retrofit2.",
        "io.grpc.",
        "akka.",
        "play.",
        "org.junit.",
    ],
    runtime_paths: &[],
    library_paths: &[],
};
const NATIVE: Prefixes = Prefixes {
    sdk: &[
        "sentry_panic::",
        "sentry_core::",
        "sentry_backtrace::",
        "sentry_tracing::",
        "sentry_log::",
        "sentry_anyhow::",
        "sentry_actix::",
        "sentry_tower::",
        "sentry::",
        "sentry_",
    ],
    runtime: &[
        "std::",
        "core::",
        "alloc::",
        "rust_begin_unwind",
        "__rustc::",
        "rust_panic",
        "__rust_",
        "_start",
        "start_thread",
        "clone3",
        "__clone",
        "__libc_start",
        "_pthread_start",
        "thread_start",
        "BaseThreadInitThunk",
        "RtlUserThreadStart",
        "backtrace::",
        "anyhow::",
        "eyre::",
        "color_eyre::",
        "__pthread",
        "_sigtramp",
        "__restore_rt",
        "abort",
        "raise",
        "tokio::",
        "futures_util::",
        "futures_core::",
        "hyper::",
        "actix_",
        "axum::",
        "tower::",
        "rayon::",
        "rayon_core::",
        "tracing::",
        "tracing_core::",
        "tracing_subscriber::",
        "log::",
    ],
    library: &[],
    // The Rust client flags what it does not know as the app's, so that even libraries are told by their names.
    runtime_paths: &[
        "/rustc/",
        "/library/std/src",
        "/library/core/src",
        "/library/alloc/src",
        "/sysdeps/",
        "/csu/",
        "/.cargo/registry/",
        "/.cargo/git/",
    ],
    library_paths: &["/usr/include/", "/usr/lib/", "/System/Library/"],
};
const GO: Prefixes = Prefixes {
    sdk: &["github.com/getsentry/sentry-go", "github.com/getsentry/raven-go"],
    runtime: &["runtime", "net/http", "reflect", "sync", "testing", "internal/"],
    library: &[],
    runtime_paths: &["/usr/local/go/src/", "/usr/lib/go", "/libexec/src/"],
    library_paths: &["/pkg/mod/", "/vendor/"],
};
const DOTNET: Prefixes = Prefixes {
    sdk: &["Sentry."],
    runtime: &["System.", "Microsoft.", "Mono.", "Windows."],
    library: &["Newtonsoft.", "Npgsql.", "NLog.", "Serilog.", "Autofac.", "MediatR."],
    runtime_paths: &[],
    library_paths: &[],
};
const ELIXIR: Prefixes = Prefixes {
    sdk: &["Elixir.Sentry.", "Sentry."],
    runtime: &["Elixir.Enum", "Elixir.GenServer", "Elixir.Task", "gen_server", "proc_lib", "erlang"],
    library: &["Elixir.Phoenix.", "Elixir.Plug.", "Elixir.Ecto.", "Elixir.Cowboy", "cowboy"],
    runtime_paths: &["/lib/elixir/"],
    library_paths: &["deps/"],
};
const OTHER: Prefixes =
    Prefixes { sdk: &[], runtime: &[], library: &[], runtime_paths: &[], library_paths: &["/vendor/"] };

const fn prefixes(family: Family) -> &'static Prefixes {
    match family {
        Family::JavaScript => &JAVASCRIPT,
        Family::Python => &PYTHON,
        Family::Php => &PHP,
        Family::Ruby => &RUBY,
        Family::Jvm => &JVM,
        Family::Native => &NATIVE,
        Family::Go => &GO,
        Family::Dotnet => &DOTNET,
        Family::Elixir => &ELIXIR,
        Family::Other => &OTHER,
    }
}

/// Whether `name` is one of `prefixes` or lies under it. A prefix that ends in a letter ends a segment too:
/// `raven` is not `ravenous.shop`.
fn under(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            !prefix.ends_with(|last: char| last.is_ascii_alphanumeric())
                || !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
        })
    })
}

/// Whether one of `parts` is in the path, at a `/` where it begins with one, else at the beginning.
fn path_holds(path: &str, parts: &[&str]) -> bool {
    if parts.is_empty() {
        return false;
    }
    let path = path.as_bytes();
    let begins = |rest: &[u8]| parts.iter().any(|part| rest.starts_with(part.as_bytes()));
    let mut places = memchr::memchr_iter(b'/', path).filter_map(|slash| path.get(slash..));
    begins(path) || places.any(begins)
}

/// In `<T as path::Trait>::f` and `<path::Type>::f` the path that tells whose code it is.
fn qualified(function: &str) -> &str {
    let Some(inner) = function.strip_prefix('<') else { return function };
    let inner = inner.split_once(" as ").filter(|(own, _)| !own.contains("::")).map_or(inner, |(_, of)| of);
    inner.trim_start_matches(['<', '&', '*'])
}

/// What is known of the frame's code.
pub(crate) fn code(frame: &Frame, family: Family) -> Code {
    let known = prefixes(family);
    let module = frame.module.as_deref().unwrap_or_default();
    // Rust and PHP write the path into the function.
    let function = match family {
        Family::Native => frame.function.as_deref().map(qualified).unwrap_or_default(),
        Family::Php => frame.function.as_deref().unwrap_or_default(),
        _ => "",
    };
    let named = |list: &[&str]| {
        !list.is_empty()
            && ((!module.is_empty() && under(module, list))
                || (!function.is_empty() && under(function, list)))
    };
    if named(known.sdk) {
        return Code::Sdk;
    }
    let path = frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or_default();
    if path.contains("sentry") && is_sdk_path(path) {
        return Code::Sdk;
    }
    if named(known.runtime) || path_holds(path, known.runtime_paths) {
        return Code::Runtime;
    }
    if named(known.library) || path_holds(path, known.library_paths) {
        return Code::Library;
    }
    // A bare C `main` calls the program's own.
    if family == Family::Native && function == "main" && module.is_empty() && frame.filename.is_none() {
        return Code::Runtime;
    }
    Code::Unknown
}

fn is_sdk_path(path: &str) -> bool {
    ["/@sentry/", "/sentry_sdk/", "/sentry-ruby", "/sentry-rails", "/sentry/sentry/src/", "/sentry-raven"]
        .iter()
        .any(|part| path.contains(part))
}
