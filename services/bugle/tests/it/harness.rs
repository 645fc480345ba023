//! Runs the binary with settings of the test's own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A command with nothing of the surroundings' settings, in an empty folder.
pub struct Bugle {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

impl Bugle {
    pub fn new(settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self { folder: tempfile::tempdir().unwrap(), settings }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("BUGLE_") {
                command.env_remove(key);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("BUGLE_DATA_DIR", self.folder.path().join("data"))
            .env("BUGLE_HTTP_ADDR", "127.0.0.1:0")
            // Whoever waits for something asks often.
            .env("BUGLE_API_RATE_LIMIT", "0")
            .envs(self.settings.iter().map(|(key, value)| (key, value)))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Starts and waits for the line that tells the address.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(" is ready at http://") else {
            let mut err = String::new();
            child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
            panic!("{line:?}: {err}");
        };
        Running { base: format!("http://{address}"), child }
    }
}

/// A process that is killed with the test.
pub struct Running {
    pub base: String,
    child: Child,
}

impl Running {
    /// Sends SIGTERM and waits for the end.
    pub fn stop(mut self) -> Ended {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Ended { code, out: String::new(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended when the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn get(url: &str) -> (u16, serde_json::Value) {
    let response = client().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}
