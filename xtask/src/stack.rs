//! Starting Bugle with private servers: shared by `run`, `demo` and `bench`.

use anyhow::{Context, Result, bail};
use bugle_devservers::{Durability, Postgres, Rabbit, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// One process, the bus inside it.
    Embedded,
    /// One process per service, over a private RabbitMQ.
    Rabbit,
}

/// The services that get a process each, and the gateway in front of them.
const SERVICES: [&str; 4] = ["ingest", "recorder", "notifier", "api"];

/// A running system.
pub struct Stack {
    pub postgres: Postgres,
    pub rabbit: Option<Rabbit>,
    pub processes: Vec<(String, Child)>,
    pub address: String,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    pids: PathBuf,
}

impl Stack {
    /// Starts the servers, applies the migrations, starts Bugle and waits until it is ready.
    pub fn start(
        binary: &Path,
        data: &Path,
        bus: Bus,
        address: &str,
        extra: &[(&str, String)],
    ) -> Result<Self> {
        std::fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
        let pids = data.join("pids");
        end_left_over(&pids);
        let postgres = Postgres::start(&data.join("postgres"), Durability::Full)?;
        postgres.create_database("bugle")?;
        let rabbit = if bus == Bus::Rabbit { Some(Rabbit::start(&data.join("rabbit"))?) } else { None };
        let mut environment = vec![
            ("BUGLE_DATA_DIR".to_owned(), data.join("bugle").to_string_lossy().into_owned()),
            ("BUGLE_DATABASE_URL".to_owned(), format!("{}?sslmode=disable", postgres.url("bugle"))),
        ];
        if std::env::var_os("BUGLE_PUBLIC_URL").is_none() {
            environment.push(("BUGLE_PUBLIC_URL".to_owned(), format!("http://{address}")));
        }
        if let Some(rabbit) = &rabbit {
            environment.push(("BUGLE_AMQP_URL".to_owned(), rabbit.url()));
            // Each process has a data folder of its own; the attachments are for all of them.
            let attachments = data.canonicalize()?.join("attachments");
            environment.push(("BUGLE_OBJECT_STORE".to_owned(), attachments.to_string_lossy().into_owned()));
        }
        environment.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let mut stack = Self {
            postgres,
            rabbit,
            processes: Vec::new(),
            address: address.to_owned(),
            binary: binary.to_path_buf(),
            environment,
            pids,
        };
        stack.bugle(&["migrate"])?;
        stack.launch(bus)?;
        Ok(stack)
    }

    /// Runs the binary with the stack's settings to its end and returns what it printed.
    pub fn bugle(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(&self.address).args(arguments).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("bugle {} failed", arguments.join(" "));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Stops the processes in the order in which data flows, then the servers.
    pub fn stop(&mut self) -> Result<()> {
        for (_, child) in &self.processes {
            let _ = Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
        }
        for (name, child) in &mut self.processes {
            let status = child.wait()?;
            if !status.success() {
                eprintln!("bugle {name} ended with {status}");
            }
        }
        if let Some(rabbit) = &self.rabbit {
            rabbit.stop()?;
        }
        self.postgres.stop()
    }

    /// The first process that has ended by itself, with its status.
    pub fn ended(&mut self) -> Option<String> {
        self.processes.iter_mut().find_map(|(name, child)| {
            child.try_wait().ok().flatten().map(|status| format!("bugle {name} ended with {status}"))
        })
    }

    fn launch(&mut self, bus: Bus) -> Result<()> {
        match bus {
            Bus::Embedded => self.spawn("run", &["run"], &self.address.clone())?,
            Bus::Rabbit => {
                let mut upstreams = Vec::new();
                for service in SERVICES {
                    let address = format!("127.0.0.1:{}", free_port()?);
                    self.spawn(service, &["run", "--service", service], &address)?;
                    upstreams.push((service, address));
                }
                let of = |name: &str| {
                    upstreams
                        .iter()
                        .find(|(service, _)| *service == name)
                        .map(|(_, address)| format!("http://{address}"))
                };
                let (ingest, api) = (of("ingest").unwrap_or_default(), of("api").unwrap_or_default());
                for (_, address) in &upstreams {
                    self.wait_ready(address)?;
                }
                self.spawn(
                    "gateway",
                    &["gateway", "--ingest", &ingest, "--api", &api],
                    &self.address.clone(),
                )?;
            }
        }
        self.wait_ready(&self.address.clone())
    }

    fn spawn(&mut self, name: &str, arguments: &[&str], address: &str) -> Result<()> {
        let mut command = self.command(address);
        if name != "run" {
            // Each process has a data folder of its own, as it would on a machine of its own.
            let data = self.setting("BUGLE_DATA_DIR").unwrap_or_default();
            command.env("BUGLE_DATA_DIR", format!("{data}-{name}"));
        }
        // A group of its own: a Ctrl-C at the terminal comes here, and `stop` passes it on once. Two would mean: at once.
        let child = command.args(arguments).process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start bugle {name}"))?;
        self.processes.push((name.to_owned(), child));
        let pids: Vec<String> = self.processes.iter().map(|(_, child)| child.id().to_string()).collect();
        Ok(std::fs::write(&self.pids, pids.join("\n"))?)
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.environment.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn command(&self, address: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .env("BUGLE_HTTP_ADDR", address);
        command
    }

    fn wait_ready(&mut self, address: &str) -> Result<()> {
        let start = Instant::now();
        while http_get(address, "/health/ready/", None).map(|(status, _)| status).unwrap_or(0) != 200 {
            if let Some(ended) = self.ended() {
                bail!("{ended} before it was ready");
            }
            if start.elapsed() > Duration::from_secs(60) {
                bail!("not ready within 60 s: http://{address}/health/ready/");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Ends what a run that was killed has left behind, so that its ports and locks are free.
fn end_left_over(pids: &Path) {
    for pid in std::fs::read_to_string(pids).unwrap_or_default().lines() {
        let exe = PathBuf::from(format!("/proc/{pid}/exe"));
        let is_bugle = || std::fs::read_link(&exe).is_ok_and(|path| path.to_string_lossy().contains("bugle"));
        if is_bugle() {
            let _ = Command::new("kill").arg(pid).status();
        }
        let start = Instant::now();
        while is_bugle() && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// One GET over a connection of its own: status and body.
pub fn http_get(address: &str, path: &str, token: Option<&str>) -> Result<(u16, Vec<u8>)> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    http(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\r\n")
            .as_bytes(),
    )
}

/// Sends a whole request that asks for `Connection: close`: status and body.
pub fn http(address: &str, request: &[u8]) -> Result<(u16, Vec<u8>)> {
    let (status, _, body) = http_with_head(address, request)?;
    Ok((status, body))
}

/// As [`http`], with the head between them as it came.
pub fn http_with_head(address: &str, request: &[u8]) -> Result<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("the answer has no end of its head")?;
    let status = answer
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|text| text.parse().ok());
    let body = answer.split_off(head + 4);
    Ok((status.context("the answer has no status")?, String::from_utf8_lossy(&answer).into_owned(), body))
}
