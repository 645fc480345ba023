//! Whole environments: any variable may hold a secret under any name.

use super::{Active, FILTERED};
use serde_json::{Map, Value};

/// Names under which an environment is sent.
const NAMES: [&str; 7] =
    ["env", "environ", "envvars", "environment_variables", "process_env", "process.env", "os.environ"];

/// Variables that say how a program runs and are never secret.
const ALLOWED: [&str; 47] = [
    "APP_ENV",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "DJANGO_SETTINGS_MODULE",
    "DOCUMENT_ROOT",
    "FLASK_ENV",
    "GATEWAY_INTERFACE",
    "HOME",
    "HOSTNAME",
    "HTTPS",
    "HTTP_ACCEPT",
    "HTTP_HOST",
    "HTTP_USER_AGENT",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "NODE_ENV",
    "NODE_VERSION",
    "PATH",
    "PATH_INFO",
    "PHP_SELF",
    "PHP_VERSION",
    "PWD",
    "PYTHONPATH",
    "PYTHON_VERSION",
    "RACK_ENV",
    "RAILS_ENV",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "REQUEST_METHOD",
    "REQUEST_SCHEME",
    "RUST_BACKTRACE",
    "SCRIPT_FILENAME",
    "SCRIPT_NAME",
    "SERVER_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
    "SHELL",
    "SHLVL",
    "TERM",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
];

/// Whether a map of this name is an environment.
pub(super) fn is_environ(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Active {
    /// Filters an environment: an object, or a list of `NAME=value`. Anything else is looked at as usual.
    pub(super) fn environ(&self, value: &mut Value) {
        match value {
            Value::Object(map) => self.environ_map(map),
            Value::Array(list) if list.iter().all(Value::is_string) => {
                for entry in list {
                    if let Value::String(text) = entry {
                        self.assignment(text);
                    }
                }
            }
            other => self.tree(other),
        }
    }

    pub(super) fn environ_map(&self, map: &mut Map<String, Value>) {
        for (name, value) in map {
            if self.is_allowed(name) {
                self.entry(name, value);
            } else if !value.is_null() {
                *value = FILTERED.into();
            }
        }
    }

    fn assignment(&self, text: &mut String) {
        match text.split_once('=') {
            Some((name, _)) if self.is_allowed(name) => self.text.prose(text),
            Some((name, _)) => *text = format!("{name}={FILTERED}"),
            None => self.text.prose(text),
        }
    }

    fn is_allowed(&self, name: &str) -> bool {
        ALLOWED.contains(&name) || self.names.is_kept(name)
    }
}
