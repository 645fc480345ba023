//! A PostgreSQL server of our own: its cluster in one folder, reachable on the loopback interface only.

use crate::packages::{ensure_installed, find_program};
use crate::process::{as_service_user, free_port, is_root, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const OLDEST_MAJOR: u32 = 15;
const USER: &str = "bugle";

/// Whether what was committed survives a power cut. Tests do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` on.
    Full,
    /// `fsync` off: survives a crash of PostgreSQL, not of the machine.
    None,
}

/// A running server. It is not stopped on drop: call [`Postgres::stop`].
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    cluster: PathBuf,
    port: u16,
    password: String,
}

impl Postgres {
    /// Starts the server whose cluster is in `folder`, making the cluster when there is none. A server that
    /// still runs there is used as it is; a lock file left by a killed one is removed. Installs PostgreSQL
    /// when it is missing.
    ///
    /// # Errors
    /// When PostgreSQL cannot be installed or started, or the cluster was made by another major version.
    pub fn start(folder: &Path, durability: Durability) -> Result<Self> {
        ensure_installed("PostgreSQL 15 or newer", &["postgresql"], || !installed().is_empty())?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = reachable_folder(&folder.canonicalize()?)?;
        let cluster = folder.join("cluster");
        let bin = binaries_for(&cluster)?;
        let password = secret(&folder.join("password"))?;
        if !cluster.join("PG_VERSION").exists() {
            initialise(&bin, &folder, &cluster)?;
        }
        let mut server = Self { bin, cluster, port: 0, password };
        server.port = match server.running_port() {
            Some(port) => port,
            None => server.launch(durability)?,
        };
        Ok(server)
    }

    /// The URL of `database` on this server, with the password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
    }

    /// Creates `database` unless it is there.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn create_database(&self, database: &str) -> Result<()> {
        let exists =
            self.query("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{database}'"))?;
        if exists.trim().is_empty() {
            self.query("postgres", &format!("CREATE DATABASE {database}"))?;
        }
        Ok(())
    }

    /// Runs one statement and returns the rows as `psql -At` prints them.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        run(std::process::Command::new(self.bin.join("psql")).args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url(database),
            "-c",
            sql,
        ]))
    }

    /// Stops the server, ending its sessions, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not stop within a minute.
    pub fn stop(&self) -> Result<()> {
        self.control(&["stop", "-w", "-m", "fast"]).map(drop)
    }

    /// Kills the server's first process without warning, and waits until those that it had started have noticed.
    ///
    /// # Errors
    /// When it does not run, or one of them is still there after 20 seconds.
    pub fn kill(&self) -> Result<()> {
        let pid = self.pid().context("PostgreSQL does not run")?;
        run(std::process::Command::new("kill").args(["-9", &pid.to_string()]))?;
        let start = std::time::Instant::now();
        while processes().any(|pid| self.works_here(pid)) {
            if start.elapsed() > std::time::Duration::from_secs(20) {
                bail!("processes of {} are still there", self.cluster.display());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts a stopped (or killed) server again on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self, durability: Durability) -> Result<()> {
        let port = self.port;
        self.remove_stale_lock()?;
        self.launch_on(port, durability)
    }

    fn running_port(&self) -> Option<u16> {
        self.pid().filter(|pid| self.works_here(*pid))?;
        self.control(&["status"]).ok()?;
        fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?.lines().nth(3)?.trim().parse().ok()
    }

    fn launch(&self, durability: Durability) -> Result<u16> {
        self.remove_stale_lock()?;
        let port = free_port()?;
        self.launch_on(port, durability)?;
        Ok(port)
    }

    fn launch_on(&self, port: u16, durability: Durability) -> Result<()> {
        let mut options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 \
             -c wal_compression=lz4 -c max_wal_size=4GB -c checkpoint_timeout=15min"
        );
        if durability == Durability::None {
            options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        let log = self.cluster.join("server.log");
        let log = log.to_string_lossy();
        self.control(&["start", "-w", "-t", "60", "-l", &log, "-o", &options])
            .with_context(|| format!("PostgreSQL did not start; its log is {log}"))
            .map(drop)
    }

    fn control(&self, arguments: &[&str]) -> Result<String> {
        // The server inherits what pg_ctl has open: a pipe would keep `run` waiting for the server's end.
        let mut command = as_service_user("postgres", &self.bin.join("pg_ctl"));
        command.arg("-D").arg(&self.cluster).args(arguments).current_dir("/");
        let log = tempfile_for_output()?;
        let status = command
            .stdin(std::process::Stdio::null())
            .stdout(log.0.try_clone()?)
            .stderr(log.0.try_clone()?)
            .status()
            .context("cannot start pg_ctl")?;
        let printed = fs::read_to_string(&log.1).unwrap_or_default();
        let _ = fs::remove_file(&log.1);
        if !status.success() {
            bail!("pg_ctl {}: {}", arguments.first().unwrap_or(&""), printed.trim());
        }
        Ok(printed)
    }

    fn works_here(&self, pid: u32) -> bool {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == self.cluster)
    }

    /// PostgreSQL refuses to start when `postmaster.pid` names a live process of its user. After a kill -9
    /// and a reboot that can be any process: only a server that works in this folder counts.
    fn remove_stale_lock(&self) -> Result<()> {
        let lock = self.cluster.join("postmaster.pid");
        let Some(pid) = self.pid() else { return Ok(()) };
        if !self.works_here(pid) {
            fs::remove_file(&lock).with_context(|| format!("cannot remove the stale {}", lock.display()))?;
        }
        Ok(())
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn tempfile_for_output() -> Result<(fs::File, PathBuf)> {
    let path = std::env::temp_dir().join(format!("bugle-pg-{}-{}", std::process::id(), free_port()?));
    Ok((fs::File::create(&path)?, path))
}

/// The installed versions, newest first: (major, folder of the programs).
fn installed() -> Vec<(u32, PathBuf)> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(major, bin)| *major >= OLDEST_MAJOR && bin.join("postgres").exists())
        .collect();
    if found.is_empty()
        && let Some(program) = find_program("postgres", &[])
        && let Some(bin) = program.parent()
    {
        found.push((OLDEST_MAJOR, bin.to_path_buf()));
    }
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found
}

/// The programs that can read the cluster: those of its own major version, or the newest for a new one.
fn binaries_for(cluster: &Path) -> Result<PathBuf> {
    let versions = installed();
    let Ok(version) = fs::read_to_string(cluster.join("PG_VERSION")) else {
        return versions.into_iter().next().map(|(_, bin)| bin).context("PostgreSQL is not installed");
    };
    let version: u32 = version.trim().parse().context("PG_VERSION is not a number")?;
    versions.into_iter().find(|(major, _)| *major == version).map(|(_, bin)| bin).with_context(|| {
        format!(
            "{} was made by PostgreSQL {version}, which is not installed: install postgresql-{version}, or move \
             the data over with pg_dump and pg_restore",
            cluster.display()
        )
    })
}

fn initialise(bin: &Path, folder: &Path, cluster: &Path) -> Result<()> {
    let mut command = as_service_user("postgres", &bin.join("initdb"));
    command
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"])
        .arg("--pwfile")
        .arg(folder.join("password"))
        .arg("-D")
        .arg(cluster)
        .current_dir("/");
    run(&mut command).map(drop)
}

/// Root's PostgreSQL runs as the user `postgres`, who must be able to reach the folder. Where he can't (a
/// checkout below /root), the cluster goes to /var/lib/bugle, under a name made from the folder's.
fn reachable_folder(folder: &Path) -> Result<PathBuf> {
    if !is_root() {
        return Ok(folder.to_path_buf());
    }
    let can_reach =
        run(as_service_user("postgres", Path::new("/usr/bin/test")).arg("-x").arg(folder)).is_ok();
    let folder = if can_reach {
        folder.to_path_buf()
    } else {
        let name: String =
            folder.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let other = Path::new("/var/lib/bugle").join(name.trim_matches('-'));
        fs::create_dir_all(&other)?;
        other
    };
    run(std::process::Command::new("chown").arg("postgres:").arg(&folder))?;
    Ok(folder)
}

/// Reads the secret in `file`, making one when there is none.
fn secret(file: &Path) -> Result<String> {
    if let Ok(text) = fs::read_to_string(file) {
        return Ok(text.trim().to_owned());
    }
    let mut bytes = [0u8; 16];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(file, &text)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    if is_root() {
        run(std::process::Command::new("chown").arg("postgres:").arg(file))?;
    }
    Ok(text)
}
