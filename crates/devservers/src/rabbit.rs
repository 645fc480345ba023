//! A RabbitMQ broker of our own: its data in one folder, reachable on the loopback interface only.

use crate::packages::{ensure_installed, find_program};
use crate::process::{free_port, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A running broker. It is not stopped on drop: call [`Rabbit::stop`].
#[derive(Debug)]
pub struct Rabbit {
    folder: PathBuf,
    server: PathBuf,
    control: PathBuf,
    port: u16,
    distribution_port: u16,
    epmd_port: u16,
    node: String,
}

impl Rabbit {
    /// Starts a broker whose data is in `folder`. A broker that still runs there is used as it is. Installs
    /// RabbitMQ when it is missing.
    ///
    /// # Errors
    /// When RabbitMQ cannot be installed, or does not accept connections within 90 seconds.
    pub fn start(folder: &Path) -> Result<Self> {
        ensure_installed("RabbitMQ", &["rabbitmq-server"], || program("rabbitmq-server").is_some())?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let ports = folder.join("ports");
        let saved = fs::read_to_string(&ports).unwrap_or_default();
        let mut numbers = saved.split_whitespace().map(|word| word.parse::<u16>().ok());
        let mut next = || numbers.next().flatten().map_or_else(free_port, Ok);
        let (port, distribution_port, epmd_port) = (next()?, next()?, next()?);
        fs::write(&ports, format!("{port} {distribution_port} {epmd_port}"))?;
        let broker = Self {
            server: program("rabbitmq-server").context("rabbitmq-server is not there")?,
            control: program("rabbitmqctl").context("rabbitmqctl is not there")?,
            // One node name per folder: the broker finds its data by it.
            node: format!("bugle{port}@localhost"),
            folder,
            port,
            distribution_port,
            epmd_port,
        };
        if !broker.answers() {
            broker.launch()?;
        }
        Ok(broker)
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The port for clients on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the broker (the Erlang machine).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()
    }

    /// Runs `rabbitmqctl` against this broker.
    ///
    /// # Errors
    /// When the command fails.
    pub fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.control);
        run(self.environment(&mut command).args(["-n", &self.node]).args(arguments))
    }

    /// Raises or lifts the disk alarm, which blocks publishers.
    ///
    /// # Errors
    /// When the broker cannot be told.
    pub fn set_disk_alarm(&self, on: bool) -> Result<()> {
        let limit = if on { "100000GB" } else { "1MB" };
        self.control(&["set_disk_free_limit", limit]).map(drop)
    }

    /// Stops the broker and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&self) -> Result<()> {
        if let Some(pid) = self.pid() {
            let _ = run(Command::new("kill").arg(pid.to_string()));
            self.wait_until(Duration::from_secs(60), "stop", || !alive(pid))?;
        }
        let mut epmd = Command::new("epmd");
        let _ = run(epmd.args(["-port", &self.epmd_port.to_string(), "-kill"]));
        Ok(())
    }

    /// Kills the broker without warning.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> Result<()> {
        let pid = self.pid().context("the broker has no process id")?;
        run(Command::new("kill").args(["-9", &pid.to_string()]))?;
        self.wait_until(Duration::from_secs(10), "die", || !alive(pid))
    }

    /// Starts a stopped or killed broker again, on the same port with the same data.
    ///
    /// # Errors
    /// When it does not accept connections within 90 seconds.
    pub fn restart(&self) -> Result<()> {
        self.launch()
    }

    fn launch(&self) -> Result<()> {
        fs::write(
            self.folder.join("rabbitmq.conf"),
            format!(
                "listeners.tcp.1 = 127.0.0.1:{}\nlog.console = false\nlog.file = server.log\n\
                 disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.relative = 0.2\n",
                self.port
            ),
        )?;
        fs::write(self.folder.join("plugins"), "[].\n")?;
        let mut child = self.spawn()?;
        self.wait_until(START_TIMEOUT, "start", || {
            self.answers() || matches!(child.try_wait(), Ok(Some(_)))
        })?;
        if !self.answers() {
            bail!("RabbitMQ ended at its start; see {}", self.folder.join("start.log").display());
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        let log = fs::File::create(self.folder.join("start.log"))?;
        // setsid: a Ctrl-C at the terminal reaches Bugle first, and the broker only when it is told to stop.
        let mut command = Command::new("setsid");
        command.arg(&self.server);
        self.environment(&mut command)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start rabbitmq-server")
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("HOME", &self.folder)
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_MNESIA_BASE", self.folder.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", self.folder.join("log"))
            .env("RABBITMQ_CONFIG_FILE", self.folder.join("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", self.folder.join("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.folder.join("plugins"))
            .env("RABBITMQ_PID_FILE", self.folder.join("pid"))
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .current_dir("/")
    }

    /// Whether a broker completes the AMQP handshake's first step; an open port alone comes too early.
    fn answers(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let mut first = [0u8; 1];
        stream.write_all(b"AMQP\x00\x00\x09\x01").is_ok()
            && stream.read_exact(&mut first).is_ok()
            && first == [1]
    }

    fn wait_until(&self, limit: Duration, what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !done() {
            if start.elapsed() > limit {
                bail!("RabbitMQ did not {what} within {limit:?}; see {}", self.folder.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

fn alive(pid: u32) -> bool {
    // A zombie whose parent has not yet waited counts as gone.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Debian's wrappers in /usr/sbin insist on the user rabbitmq; the programs behind them don't.
fn program(name: &str) -> Option<PathBuf> {
    find_program(name, &[PathBuf::from("/usr/lib/rabbitmq/bin")])
}
