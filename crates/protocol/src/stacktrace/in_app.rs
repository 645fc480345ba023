//! Guesses whether a frame is the app's own code, from where its file or class lives.

use super::Language;
use bugle_model::Frame;

const JAVA_LIBRARIES: &[&str] = &[
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "groovy.",
    "android.",
    "androidx.",
    "com.android.",
    "dalvik.",
    "libcore.",
    "com.google.android.",
    "com.google.common.",
    "com.google.firebase.",
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "org.eclipse.",
    "org.jboss.",
    "org.slf4j.",
    "org.junit.",
    "org.codehaus.",
    "org.postgresql.",
    "com.mysql.",
    "com.zaxxer.",
    "com.fasterxml.",
    "ch.qos.logback.",
    "io.netty.",
    "io.undertow.",
    "io.micronaut.",
    "io.quarkus.",
    "io.vertx.",
    "io.reactivex.",
    "reactor.",
    "okhttp3.",
    "okio.",
    "retrofit2.",
    "feign.",
    "_COROUTINE.",
    "clojure.",
    "akka.",
    "io.ktor.",
];

const DART_LIBRARIES: &[&str] = &[
    "dart:",
    "org-dartlang-sdk:",
    "package:flutter/",
    "package:flutter_",
    "package:dio/",
    "package:http/",
    "package:bloc/",
    "package:provider/",
    "package:riverpod/",
    "package:get/",
    "package:go_router/",
    "package:rxdart/",
    "package:stack_trace/",
    "package:async/",
    "package:firebase_",
    "package:cloud_firestore",
    "package:test_api/",
];

const GO_HOSTS: &[&str] = &["/go/src/", "/pkg/mod/", "/vendor/", "/libexec/src/", "/golang/src/"];

const PYTHON_LIBRARIES: &[&str] =
    &["/site-packages/", "/dist-packages/", "\\site-packages\\", "/lib/python", "\\lib\\", "<frozen "];

const RUBY_LIBRARIES: &[&str] = &[
    "/gems/",
    "/ruby/",
    "/vendor/bundle/",
    "/.rbenv/",
    "/.rvm/",
    "/rubygems/",
    "<internal:",
    "/bin/bundle",
    "(eval",
];

const DOTNET_LIBRARIES: &[&str] =
    &["System.", "Microsoft.", "mscorlib.", "Newtonsoft.", "Npgsql.", "NUnit.", "Xunit."];

const JAVASCRIPT_LIBRARIES: &[&str] = &[
    "/node_modules/",
    "\\node_modules\\",
    "node_modules/",
    "node:",
    "internal/",
    "<anonymous>",
    "[native code]",
    "native",
    "chrome-extension://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "extensions::",
    "webpack/bootstrap",
    "wasm://",
];

const JAVASCRIPT_HOSTS: &[&str] = &[
    "://unpkg.com/",
    "://cdn.jsdelivr.net/",
    "://cdnjs.cloudflare.com/",
    "://esm.sh/",
    "/node_modules/",
    "\\node_modules\\",
];

pub(super) fn guess(language: Language, frame: &Frame) -> bool {
    let file = frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or_default();
    let module = frame.module.as_deref().unwrap_or_default();
    match language {
        Language::Php => php(file),
        Language::Java => !module.is_empty() && file != "Native Method" && !begins(module, JAVA_LIBRARIES),
        Language::JavaScript => {
            !file.is_empty() && !begins(file, JAVASCRIPT_LIBRARIES) && !holds(file, JAVASCRIPT_HOSTS)
        }
        Language::Dart => !file.is_empty() && !begins(file, DART_LIBRARIES),
        Language::Python => !holds(file, PYTHON_LIBRARIES),
        Language::Go => module != "runtime" && !holds(file, GO_HOSTS),
        Language::Ruby => !holds(file, RUBY_LIBRARIES),
        Language::DotNet => !begins(module, DOTNET_LIBRARIES),
    }
}

fn php(file: &str) -> bool {
    !file.is_empty()
        && !file.starts_with("[internal")
        && !file.starts_with("phar://")
        && !holds(file, &["/vendor/", "\\vendor\\", "/wp-includes/", "/wp-admin/"])
}

fn begins(text: &str, list: &[&str]) -> bool {
    list.iter().any(|start| text.starts_with(start))
}

fn holds(text: &str, list: &[&str]) -> bool {
    list.iter().any(|part| text.contains(part))
}
