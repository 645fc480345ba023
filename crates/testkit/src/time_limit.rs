//! A test that waits for what will not come ends the run, and is named.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longer than any test takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);

/// Ends the process when it is not dropped within ten minutes.
#[derive(Debug)]
pub struct TimeLimit {
    _dropped: Sender<()>,
}

impl TimeLimit {
    /// Begins now, in the thread of the test, which has its name.
    #[expect(clippy::disallowed_methods, reason = "nobody else ends a test that waits")]
    #[must_use]
    pub fn start() -> Self {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let (dropped, waiting) = channel();
        thread::spawn(move || {
            if waiting.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                // Not by a macro: what those print is kept until the test ends.
                let text = format!("\n{test} has not ended after {} s\n", LIMIT.as_secs());
                std::io::stderr().write_all(text.as_bytes()).ok();
                std::process::exit(1);
            }
        });
        Self { _dropped: dropped }
    }
}
