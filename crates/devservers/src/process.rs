//! Starting other programs.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::TcpListener;
use std::ops::Range;
use std::process::{Command, Stdio};

/// Whether this process runs as root. PostgreSQL refuses to.
#[must_use]
pub fn is_root() -> bool {
    effective_user().as_deref() == Some("0")
}

fn effective_user() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().nth(1).map(str::to_owned)
}

/// A command that runs `program` as the system user `user` when this process is root, else as itself.
#[must_use]
pub fn as_service_user(user: &str, program: &std::path::Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", user, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// When it cannot be started or ends with another status than 0; the error carries what it wrote to stderr.
pub fn run(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("{shown} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Below the ports that Linux gives to outgoing connections (`ip_local_port_range`, 32768 and up): those may be taken
/// between the moment a port is found free and the moment its server binds it.
const PORTS: Range<u16> = 15_000..32_000;

/// A TCP port of the loopback interface that is free at this moment. No port is given twice to the processes of a user
/// before all others were: servers that start at the same time never take each other's.
///
/// # Errors
/// When the machine has none, or its folder for temporary files cannot be written.
pub fn free_port() -> Result<u16> {
    let path = std::env::temp_dir().join(format!("bugle-ports-{}", effective_user().unwrap_or_default()));
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.with_context(|| format!("cannot open {}", path.display()))?;
    file.lock()?;
    let mut last = String::new();
    file.read_to_string(&mut last)?;
    let after = last.trim().parse().ok().filter(|last| PORTS.contains(last)).unwrap_or(PORTS.start);
    let port = (after + 1..PORTS.end).chain(PORTS.start..=after).find(|port| is_free(*port));
    let port = port.context("no free port")?;
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{port}")?;
    Ok(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_port_is_given_once_and_is_none_of_outgoing_connections() {
        let take = || (0..50).map(|_| free_port().unwrap()).collect::<Vec<_>>();
        let others = std::thread::spawn(take);
        let mut ports = take();
        ports.extend(others.join().unwrap());
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 100, "{ports:?}");
    }
}
